"""OpenAI's own weights (base) on recordings: what the text before does for answers, and what it must not do."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ringline.engine.config import WhisperStt
from ringline.engine.conversation.spelling import normalise
from ringline.ipc.messages import Transcribe
from ringline.tools.caller.script import read_sound
from ringline.tools.real_models import FOLDER
from ringline.workers.audio.resample import Resampler
from ringline.workers.stt.whisper.backend import WhisperBackend

from .conftest import WATCHDOG_S

ASKED = "Please say a number from zero to nine."
HOT_WORDS = ("Ringline", "Doctor Nguyen")
RATE_HZ = 16_000

Hear = Callable[..., str]


@pytest.fixture(scope="module")
def hear() -> Iterator[Hear]:
    """``hear(samples, asked, hotwords)``: the final of an utterance at 16 kHz."""
    model = Path(os.environ.get(FOLDER, "")) / "whisper-base"
    if FOLDER not in os.environ or not model.is_dir():
        pytest.skip(f"no whisper-base in ${FOLDER}")
    woken = threading.Semaphore(0)
    backends: dict[tuple[str, ...], WhisperBackend] = {}

    def heard(samples: Any, asked: str = "", hotwords: tuple[str, ...] = ()) -> str:
        if hotwords not in backends:
            config = WhisperStt(model=str(model), device="cpu", compute_type="int8", partial_ms=0, hotwords=hotwords)
            backends[hotwords] = WhisperBackend(config, woken.release, lambda: 0)
            backends[hotwords].warm_up()
        stream: Any = backends[hotwords].open(Transcribe(1, 0, 1, 0, language="en", asked=asked), 0)
        stream.feed(samples)
        stream.finalise(0)
        while stream.final is None:
            assert woken.acquire(timeout=WATCHDOG_S)
            backends[hotwords].step([stream], 0)
        text = str(stream.final)
        stream.close()
        return text

    yield heard
    for backend in backends.values():
        backend.close()


@pytest.fixture(scope="module")
def digits(speech: Path) -> list[tuple[str, Any]]:
    """What is said, and the recording at 16 kHz: ten digits of each of two speakers."""
    folder = speech / "digits_8k"
    found = []
    for line in (folder / "text.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        file, _, text = line.split("\t")[:3]
        if file.endswith(("_jackson_0.wav", "_george_0.wav")):
            samples, rate_hz = read_sound(folder / file)
            pause = np.zeros(rate_hz * 3 // 10, np.int16)
            found.append((text, Resampler(rate_hz, RATE_HZ).process(np.concatenate([pause, samples, pause]))))
    assert len(found) == 20
    return found


def right(hear: Hear, digits: list[tuple[str, Any]], *told: Any) -> int:
    return sum(normalise(hear(samples, *told)) == normalise(text) for text, samples in digits)


def test_digits_are_understood_behind_the_question(hear: Hear, digits: list[tuple[str, Any]]) -> None:
    assert right(hear, digits, ASKED) >= 17


def test_hot_words_cost_no_digits_and_are_not_written_instead(hear: Hear, digits: list[tuple[str, Any]]) -> None:
    assert right(hear, digits, ASKED, HOT_WORDS) >= 17
    finals = [hear(samples, "", HOT_WORDS) for _, samples in digits]
    assert not [final for final in finals if "ringline" in final.casefold() or "nguyen" in final.casefold()]


def test_no_answer_is_made_of_noise(hear: Hear) -> None:
    rng = np.random.default_rng(1)
    hiss = (rng.normal(0.0, 800.0, 3 * RATE_HZ)).astype(np.int16)
    assert hear(hiss, "Hello, this is the clinic. How can I help you?") == ""
