"""What callers of the example clinic say, in the voices of a real Kokoro: telephone speech whose words are known.

The sound is made once and kept under ``out/clinic_speech``; it takes some minutes of one core.
"""

from __future__ import annotations

import os
import wave
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bench.telephone import Samples, read
from ringline.engine.config import KokoroTts
from ringline.ipc.messages import Expectation
from ringline.workers.llm.flow.compile import Flow, load
from ringline.workers.tts import make_backend
from ringline.workers.tts.backend import Order

MODELS = Path(os.environ.get("RINGLINE_REAL_MODELS", ""))
KOKORO = MODELS / "kokoro"
OUT = Path(__file__).parent.parent / "out" / "clinic_speech"
CLINIC = Path(__file__).parent.parent / "examples" / "clinic"
VOICES = ("af_heart", "am_michael", "am_adam", "bf_emma", "bm_george")

SAID = {
    "hello": (
        "I'd like to book an appointment.", "Can I make an appointment for next Tuesday?", "Cancel my appointment.",
        "I want to move my appointment.", "When are you open?", "I'd like to speak to a person, please.",
    ),
    "book_day": (
        "Next Tuesday.", "On Friday.", "Tomorrow.", "The third of May.", "Monday at ten o'clock.", "Wednesday, please.",
    ),
    "book_time": ("Ten o'clock.", "Half past nine.", "At two thirty.", "Nine.", "Quarter past four.", "Ten thirty."),
    "book_confirm": ("Yes.", "Yes please.", "No.", "No, make it Thursday.", "That's right.", "Nope."),
    "more": ("No, that's all, thank you.", "No thanks.", "Yes.", "Goodbye."),
}  # fmt: skip
"""By the state of the flow in which it is said."""
NAMES = ("My name is Sarah Miller.", "John Smith.", "It's Peter Johnson.", "Emily Brown.", "Doctor Williams.")
ASKED_NAME = "May I have your name, please?"


class Answer(NamedTuple):
    """What is said, to what, and its sound."""

    state: str
    """Of the flow; empty for names, which it does not ask for."""
    asked: str
    text: str
    voice: str
    expect: Expectation

    @property
    def path(self) -> Path:
        """Of its sound: 16-bit mono."""
        plain = "_".join("".join(c for c in self.text.lower() if c.isalnum() or c == " ").split())
        return OUT / self.voice / f"{plain}.wav"


@lru_cache(maxsize=1)
def clinic() -> Flow:
    """The example's flow."""
    return load(CLINIC)


def answers() -> Iterator[Answer]:
    """All of them, in every voice."""
    for voice in VOICES:
        for state, texts in SAID.items():
            for text in texts:
                yield Answer(state, question(state), text, voice, clinic().states[state].expect)
        for text in NAMES:
            yield Answer("", ASKED_NAME, text, voice, Expectation())


def question(state: str) -> str:
    """What the bot says in a state of the flow."""
    say = clinic().states[state].table.say
    first = say if isinstance(say, str) else say[0]
    return first.format(day="Tuesday, the fifth of May", time="ten in the morning")


def spoken() -> list[Answer]:
    """All of them, their sound made if it is not there yet."""
    missing = [answer for answer in dict.fromkeys(answers()) if not answer.path.is_file()]
    if missing:
        backend: Any = make_backend(KokoroTts(model=str(KOKORO), cache_mb=0))
        backend.warm_up()
        for answer in missing:
            _make(backend, answer)
        backend.close()
    return list(answers())


def sound(answer: Answer) -> tuple[Samples, int]:
    """int16 samples and their rate."""
    return read(answer.path)


def _make(backend: Any, answer: Answer) -> None:
    if answer.path.is_file():
        return
    parts = backend.synthesize(Order(answer.text, voice=answer.voice))
    samples = np.concatenate([part for part in parts if isinstance(part, np.ndarray)])
    answer.path.parent.mkdir(parents=True, exist_ok=True)
    part = answer.path.with_suffix(".part")
    with wave.open(str(part), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(backend.rate_hz)
        file.writeframes(samples.tobytes())
    part.rename(answer.path)  # whole, or not there
