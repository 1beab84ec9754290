"""What every TTS backend keeps to, whatever its model."""

from __future__ import annotations

import itertools
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from ringline.engine.config import EspeakTts, SyntheticTts
from ringline.workers.audio.levels import first_audible
from ringline.workers.tts import make_backend
from ringline.workers.tts.backend import Mark, Order


def parts_of(backend: Any, order: Order) -> Iterator[Any]:
    for part in backend.synthesize(order):
        if part is None:
            time.sleep(0.001)  # it works on a thread of its own
        else:
            yield part


def spoken(backend: Any, text: str, voice: str = "", speed: float = 1.0) -> Any:
    chunks = [chunk for chunk in parts_of(backend, Order(text, voice, speed)) if isinstance(chunk, np.ndarray)]
    return np.concatenate([np.empty(0, np.int16), *chunks])


def test_speech_is_int16_and_audible(backend: Any) -> None:
    samples = spoken(backend, "Good morning.")
    assert samples.dtype == np.int16
    assert samples.shape[0] > backend.rate_hz // 5
    assert first_audible(samples, backend.rate_hz) >= 0


def test_speech_begins_at_once(backend: Any) -> None:
    samples = spoken(backend, "Good morning.")
    assert first_audible(samples, backend.rate_hz) <= backend.rate_hz * 10 // 1000


def alike(samples: Any, others: Any) -> bool:
    """As long within 3 %: espeak-ng's pitch flutters on from phrase to phrase, and whether a last faint period of a
    vowel can still be heard."""
    return abs(samples.shape[0] - others.shape[0]) <= others.shape[0] * 3 // 100


def test_same_text_is_as_long_each_time(backend: Any) -> None:
    """What lets a phrase go on where a worker died."""
    assert alike(spoken(backend, "One, two, three."), spoken(backend, "One, two, three."))


@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_empty_text_is_no_sound(backend: Any, text: str) -> None:
    assert spoken(backend, text).shape[0] == 0


@pytest.mark.parametrize("text", ["Grüß Gott, naïve café", "a < b & c > d", "\x00\x07 bell", "日本語", "🙂 hello"])
def test_unusual_text_is_survived(backend: Any, text: str) -> None:
    spoken(backend, text)
    assert spoken(backend, "Good morning.").shape[0] > 0


def test_long_text_is_spoken_to_its_end(backend: Any) -> None:
    short, long = spoken(backend, "This is a sentence."), spoken(backend, "This is a sentence. " * 30)
    assert long.shape[0] > 20 * short.shape[0]


def test_phrase_can_be_cancelled_at_any_chunk(backend: Any) -> None:
    whole = spoken(backend, "Good morning.")
    for num_chunks in range(4):
        phrase = backend.synthesize(Order("This is a sentence. " * 20))
        for _ in range(num_chunks):
            next(phrase)
        phrase.close()
    assert alike(spoken(backend, "Good morning."), whole)


def test_several_phrases_may_be_under_way_at_once(backend: Any) -> None:
    alone = spoken(backend, "Good morning.")
    phrases = [backend.synthesize(Order("Good morning.")) for _ in range(3)]
    found: list[list[Any]] = [[], [], []]
    left = {0, 1, 2}
    while left:
        for index in sorted(left):
            try:
                chunk = next(phrases[index])
            except StopIteration:
                left.discard(index)
                continue
            if chunk is None:
                time.sleep(0.001)
            elif isinstance(chunk, np.ndarray):
                found[index].append(chunk)
    assert all(alike(np.concatenate(chunks), alone) for chunks in found)


def test_speed_shortens(backend: Any) -> None:
    assert spoken(backend, "This is a sentence.", speed=1.5).shape[0] < spoken(backend, "This is a sentence.").shape[0]


def test_threads_are_back_where_they_were(backend: Any) -> None:
    spoken(backend, "Good morning.")
    before = threading.active_count()
    spoken(backend, "Good morning.")
    assert threading.active_count() == before


def test_unknown_espeak_voice_is_named() -> None:
    espeak = make_backend(EspeakTts())
    espeak.warm_up()
    with pytest.raises(ValueError, match="nosuchvoice"):
        spoken(espeak, "Good morning.", voice="nosuchvoice")


def test_espeak_phrases_neither_begin_nor_end_with_a_click() -> None:
    espeak = make_backend(EspeakTts())
    espeak.warm_up()
    for text in ("Good morning.", "Ten.", "Yes.", "All of us."):
        samples = spoken(espeak, text)
        assert max(abs(int(samples[0])), abs(int(samples[-1]))) < 500


MARKED_TEXTS = [
    "Good morning.",
    "One, two ... three. Four",
    "  Grüß Gott, naïve café at 10:30 costs $5.20, ok?  Call 1-800-555. ",
    "\u201cHi\u201d \u2026 🙂 hello \u2014 it's A.B. Smith's x_y a/b 12345678",
    "A\x00B c\u200b d\te",
    "This is a sentence, and it is not the last. " * 12,
]


def marked(backend: Any, text: str) -> tuple[Any, list[Mark]]:
    parts = list(parts_of(backend, Order(text)))
    marks = [part for part in parts if isinstance(part, Mark)]
    return np.concatenate([part for part in parts if not isinstance(part, Mark)]), marks


@pytest.mark.parametrize("text", MARKED_TEXTS, ids=range(len(MARKED_TEXTS)))
def test_marks_are_beginnings_of_words_and_increase(backend: Any, text: str) -> None:
    samples, marks = marked(backend, text)
    chars = [mark.char for mark in marks]
    assert set(chars) <= {match.start() for match in re.finditer(r"\S+", text)}
    assert len(marks) >= len(re.findall(r"\w\S*", text)) - 2
    for before, after in itertools.pairwise(marks):
        assert before.char < after.char
        assert before.sample < after.sample
    assert marks[0].sample >= 0
    assert marks[-1].sample < samples.shape[0]


def test_mark_comes_no_later_than_right_behind_its_samples(backend: Any) -> None:
    num_samples = chunk_start = 0
    for part in parts_of(backend, Order(MARKED_TEXTS[-1])):
        if isinstance(part, Mark):
            assert part.sample >= chunk_start
        else:
            chunk_start, num_samples = num_samples, num_samples + part.shape[0]


@pytest.mark.parametrize("text", MARKED_TEXTS[:3], ids=range(3))
def test_first_mark_is_the_first_sound(backend: Any, text: str) -> None:
    samples, marks = marked(backend, text)
    assert abs(marks[0].sample - first_audible(samples, backend.rate_hz)) <= backend.rate_hz * 5 // 1000


def test_espeak_marks_words_where_the_sound_rises_behind_a_pause() -> None:
    espeak = make_backend(EspeakTts())
    espeak.warm_up()
    samples, marks = marked(espeak, "One. Two. Ten. Seven; all of us.")
    loud = np.flatnonzero(np.abs(samples.astype(int)) > 104)
    pauses = np.flatnonzero(np.diff(loud) > espeak.rate_hz * 150 // 1000)
    rises = [int(loud[0]), *(int(loud[index + 1]) for index in pauses)]
    assert len(rises) == 5
    assert [mark.sample for mark in marks[:5]] == rises


def test_synthetic_marks_can_be_switched_off() -> None:
    backend = make_backend(SyntheticTts(first_audio_ms=0, realtime_factor=0.0, marks=False))
    assert marked(backend, "One, two.")[1] == []
