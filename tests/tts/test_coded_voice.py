"""The coded voice, and its reader: which words a recording holds, from where to where."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ringline.engine.config import SyntheticTts
from ringline.tools.caller.coded import words_heard
from ringline.workers.audio.codecs import decode, encode
from ringline.workers.audio.resample import Resampler
from ringline.workers.tts import make_backend
from ringline.workers.tts.backend import Mark, Order
from ringline.workers.tts.coded import GAP_MS, NUM_CODES

TEXT = "a first sentence of many words, each in a sound of its own; twenty words and no fewer are to be told apart."


def spoken(text: str, speed: float = 1.0) -> tuple[Any, list[Mark]]:
    backend = make_backend(SyntheticTts(first_audio_ms=0, realtime_factor=0.0, coded=True))
    parts: list[Any] = [part for part in backend.synthesize(Order(text, "", speed)) if part is not None]
    samples = np.concatenate([part for part in parts if not isinstance(part, Mark)])
    return samples, [part for part in parts if isinstance(part, Mark)]


def on_the_wire(samples: Any, encoding: str) -> Any:
    narrow = Resampler(16_000, 8_000)
    return decode(encode(np.concatenate((narrow.process(samples), narrow.flush())), encoding), encoding)


@pytest.mark.parametrize("encoding", ["slin", "mulaw", "alaw"])
@pytest.mark.parametrize("speed", [0.8, 1.0, 1.5])
def test_every_word_is_heard_where_its_mark_is(encoding: str, speed: float) -> None:
    samples, marks = spoken(TEXT, speed)
    words = words_heard(on_the_wire(samples, encoding), 8_000)
    assert [word.code for word in words] == [number % NUM_CODES for number in range(len(TEXT.split()))]
    assert all(word.complete for word in words)
    for word, mark in zip(words, marks, strict=True):
        assert abs(word.start_sample - (mark.sample / 2 + 16)) <= 8  # 2 ms in the resampler; 1 ms of edge


def test_words_are_heard_at_16_khz_too() -> None:
    samples, marks = spoken(TEXT)
    words = words_heard(samples, 16_000)
    assert [abs(word.start_sample - mark.sample) <= 16 for word, mark in zip(words, marks, strict=True)]
    assert all(word.complete for word in words)


def test_word_is_as_long_as_its_letters() -> None:
    samples, _ = spoken("wonderful day")
    wonderful, day = words_heard(on_the_wire(samples, "mulaw"), 8_000)
    assert wonderful.end_sample - wonderful.start_sample == pytest.approx((9 * 60 - GAP_MS) * 8, abs=16)
    assert day.end_sample - day.start_sample == pytest.approx((3 * 60 - GAP_MS) * 8, abs=16)


@pytest.mark.parametrize("into_ms", [20, 60, 100, 140])
def test_word_that_is_cut_is_heard_in_two_parts_neither_complete(into_ms: int) -> None:
    wire = on_the_wire(spoken("one two three")[0], "mulaw")
    cut = (240 + 2 + into_ms) * 8  # "two" begins behind 4 characters and the resampler
    split = np.concatenate((wire[:cut], np.zeros(400, np.int16), wire[cut:]))
    words = [(word.code, word.complete) for word in words_heard(split, 8_000)]
    assert words == [(0, True), (1, False), (1, False), (2, True)]


def test_silence_holds_no_words() -> None:
    assert words_heard(np.zeros(8000, np.int16), 8_000) == []


def test_click_is_no_word() -> None:
    click = np.zeros(800, np.int16)
    click[400:410] = 20_000
    assert [word.code for word in words_heard(click, 8_000)] == [-1]


def test_speech_is_no_coded_word() -> None:
    backend = make_backend(SyntheticTts(first_audio_ms=0, realtime_factor=0.0))
    parts: list[Any] = [part for part in backend.synthesize(Order(TEXT)) if isinstance(part, np.ndarray)]
    assert not any(word.complete for word in words_heard(np.concatenate(parts), 16_000))
