"""A stage's main backend fails or is late: its fallback answers, and the caller notices no more than a pause."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import pytest

from ringline import BotSaid
from ringline.engine.conversation.actions import Escalate
from ringline.ipc.messages import PhraseFinished, SpeechReleased, TranscriptFinal
from ringline.tools.caller.events import Event

FALLBACKS = {
    "stt": '[[stt.fallback]]\nbackend = "synthetic"\ntext = "the fallback heard this"\n',
    "llm": '[[llm.fallback]]\nbackend = "synthetic"\nfirst_token_ms = 20\ntext = "The fallback says this."\n',
    "tts": '[[tts.fallback]]\nbackend = "synthetic"\nfirst_audio_ms = 20\nrealtime_factor = 0.1\n',
}


def said_by(running: Any) -> list[BotSaid]:
    """The bot's turns, as they come."""
    said: list[BotSaid] = []
    running.engine.subscribe(lambda call, event: said.append(event) if isinstance(event, BotSaid) else None)
    return said


def escalate_when_open(running: Any, stage: str, delay_s: float = 0.0) -> asyncio.Task[None]:
    """Call the first answer of ``stage`` late, ``delay_s`` after it was asked for."""

    async def escalate() -> None:
        switchboard = running.engine.switchboard
        requests = switchboard.requests
        while not (keys := [key for key in requests._open if key[0] == stage and requests._open[key].messages]):
            await asyncio.sleep(0.005)
        await asyncio.sleep(delay_s)
        _, call, number = keys[0]
        if call in switchboard.calls:
            switchboard._carry_out(switchboard.calls[call], Escalate(stage, number))

    return asyncio.create_task(escalate())


@pytest.mark.parametrize("stage", ["stt", "llm", "tts"])
async def test_every_request_fails_on_the_main_backend_and_every_turn_is_answered(start: Any, stage: str) -> None:
    async with start(extra=FALLBACKS[stage], **{stage: "fail_every = 1"}) as running:
        said = said_by(running)
        await running.until_ready()
        result = await running.call(say=("hello", "how are you"))
        finals = [final.text for final in running.of(TranscriptFinal)]
    assert result.succeeded
    assert result.turns_answered == 2
    if stage == "stt":
        assert finals == ["the fallback heard this"] * 2
    if stage == "llm":
        # The main backend's first word was spoken on its way, so the fallback begins with its second.
        assert [turn.text for turn in said] == ["This fallback says this."] * 3


@pytest.mark.parametrize("stage", ["stt", "llm", "tts"])
async def test_late_request_is_answered_by_the_fallback(start: Any, stage: str) -> None:
    async with start(extra=FALLBACKS[stage], **{stage: "hang_every = 1"}) as running:
        await running.until_ready()
        late = [escalate_when_open(running, stage, 1.2)]
        running.engine.subscribe(
            lambda call, event: (
                late.append(escalate_when_open(running, stage, 1.2)) if isinstance(event, BotSaid) else None
            )
        )
        result = await running.call()
        for task in late:
            task.cancel()
    assert result.turns_answered == 1


async def test_lateness_without_a_fallback_is_answered_with_an_apology(start: Any) -> None:
    async with start(llm="hang_every = 1", turn="llm_timeout_ms = 500\n") as running:
        result = await running.call()
    assert result.call_results[0].ended_by == "bot"


async def test_worker_that_hangs_with_the_ring_is_replaced_by_the_fallback(start: Any) -> None:
    """It cannot say that it lets go of the ring; the fallback waits for its end."""
    async with start(extra=FALLBACKS["tts"], text="This is the sentence.", realtime_factor=0.5) as running:
        await running.until_ready()
        done: list[asyncio.Task[None]] = []

        def stop(event: Event) -> None:
            if event.event == "bot_speaks" and not done:
                running.kill("tts-0", signal.SIGSTOP)
                done.append(escalate_when_open(running, "tts"))

        result = await running.call(on_event=stop)
        assert not running.of(SpeechReleased)[:-1]
    assert result.turns_answered == 1


async def test_rest_of_a_broken_phrase_is_spoken_once(start: Any) -> None:
    """What the first voice said of it is not said again: the phrase is about as long as in one voice."""
    text = "This is a sentence that takes about four seconds to say, no less and no more."
    async with start(extra=FALLBACKS["tts"], text=text, realtime_factor=0.5) as running:
        await running.until_ready()
        await running.call()
        whole = max(phrase.end_sample - phrase.start_sample for phrase in running.of(PhraseFinished))
        running.messages.clear()
        late = escalate_when_open(running, "tts", 1.0)
        await running.call()
        await late
        broken = running.of(PhraseFinished)[0]
    assert running.of(SpeechReleased)
    assert abs(broken.end_sample - broken.start_sample - whole) < whole // 4


async def test_fallback_that_cannot_start_does_not_stop_the_engine(start: Any) -> None:
    extra = '[[stt.fallback]]\nbackend = "pocketsphinx"\nmodel = "/nowhere"\n'
    async with start(extra=extra) as running:
        result = await running.call()
    assert result.succeeded
