"""Calls that are interrupted: what the engine says was heard, against a recording made at the caller's end."""

from __future__ import annotations

import asyncio
import random
import wave
from pathlib import Path
from typing import Any

import numpy as np

from ringline import BotSaid
from ringline.engine.conversation.history import INTERRUPTED
from ringline.engine.conversation.phrasing import Phraser
from ringline.tools.caller.coded import words_heard
from ringline.tools.caller.dialogue import Manners
from ringline.tools.caller.run import run_calls
from ringline.tools.caller.script import Item
from ringline.workers.tts.coded import NUM_CODES

NUM_CALLS = 10
TEXT = (
    "The first sentence is, as they say, rather straightforward. I can give you a room on the twelfth or a table for "
    "two in the afternoon. Nevertheless we go on and on until somebody interrupts."
)
LONGEST_PAUSE_S = 0.5
"""Of a reply; what comes behind a longer one is the next."""


def num_words(path: str) -> int:
    """How many words of TEXT the bot's first reply holds to their ends."""
    phraser = Phraser()
    phrases = (*phraser.feed(TEXT), *phraser.flush())
    codes = [number % NUM_CODES for phrase in phrases for number in range(len(phrase.words))]
    with wave.open(path) as file:
        rate_hz = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2)[:, 1]
    words: list[tuple[int, bool]] = []
    last_sample = 0
    for part in words_heard(samples, rate_hz):
        if words and part.start_sample - last_sample > LONGEST_PAUSE_S * rate_hz:
            break
        last_sample = part.end_sample
        if words and words[-1][0] == part.code and not (words[-1][1] and part.begins):
            words[-1] = part.code, part.ends  # a late frame lies between its parts
        elif part.code >= 0:
            words.append((part.code, part.ends))
    assert [code for code, _ in words] == codes[: len(words)]
    return len(words) - (not words[-1][1])


async def test_words_told_of_interrupted_replies_are_those_in_the_recordings(start: Any, tmp_path: Path) -> None:
    rng = random.Random(7)
    told: dict[str, BotSaid] = {}
    remembered: dict[str, str] = {}

    def listen(call: Any, event: Any) -> None:
        if isinstance(event, BotSaid) and event.interrupted and event.turn == 1:
            told[call.call_id] = event
            remembered[call.call_id] = call.conversation.history.messages()[-1].content

    async def interrupted(number: int) -> Any:
        items = [Item(text="wait a moment please", interrupt_ms=rng.randint(200, 5_000))]
        manners = Manners(limit_ms=8_000)  # the answer need not be heard out
        path = tmp_path / f"{number}.wav"
        result = await run_calls(running.audiosocket, items, manners=manners, record=path)
        return result.call_results[0]

    async with start(max_calls=NUM_CALLS, text=TEXT, tts="coded = true") as running:
        running.engine.subscribe(listen)
        calls = await asyncio.gather(*(interrupted(number) for number in range(NUM_CALLS)))
    assert len(told) == NUM_CALLS
    off = []
    for call in calls:
        said = told[call.call_id]
        words = said.text.split()
        assert said.exact
        assert words == TEXT.split()[: len(words)]
        assert remembered[call.call_id] == said.text + INTERRUPTED
        off.append(len(words) - num_words(call.recording))
    assert max(map(abs, off)) <= 1
