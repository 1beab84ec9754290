"""The TTS worker: word marks and keys as they arrive in the reply ring."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ringline.engine.config import SyntheticTts
from ringline.ipc.exchange import REPLY_POSITION
from ringline.ipc.messages import PhraseFailed, PhraseFinished, PhraseStarted, WordMarks
from ringline.tools.caller.coded import words_heard
from ringline.workers.audio.levels import first_audible
from ringline.workers.audio.tones import key_tones
from ringline.workers.tts import make_backend

TEXT = "well this is a sentence of some length, and it has twelve words"


def coded(**options: Any) -> Any:
    return make_backend(SyntheticTts(first_audio_ms=0, realtime_factor=0.0, coded=True, **options))


def marks_of(call: Any, phrase: int = 0) -> tuple[list[int], list[int]]:
    messages = [message for message in call.of(WordMarks) if message.phrase == phrase]
    chars = [char for message in messages for char in message.chars]
    return chars, [sample for message in messages for sample in message.samples]


@pytest.mark.parametrize("wire_rate_hz", [8_000, 16_000])
def test_marks_name_the_samples_at_which_words_are_heard(speaking: Callable[..., Any], wire_rate_hz: int) -> None:
    call = speaking(coded(), wire_rate_hz)
    call.speak(TEXT, phrase=0, last=False)
    call.speak(f"  {TEXT}", phrase=1)
    call.finish()
    heard = words_heard(call.spoken(), wire_rate_hz)
    chars, samples = marks_of(call, 0)
    later_chars, later_samples = marks_of(call, 1)
    assert [TEXT[char:].split()[0] for char in chars] == TEXT.split()
    assert [char - 2 for char in later_chars] == chars
    for word, sample in zip(heard, samples + later_samples, strict=True):
        assert abs(word.start_sample - sample) <= wire_rate_hz // 1000


@pytest.mark.parametrize("wire_rate_hz", [8_000, 16_000])
def test_first_mark_is_the_first_sound(speaking: Callable[..., Any], backend: Any, wire_rate_hz: int) -> None:
    call = speaking(backend, wire_rate_hz)
    call.speak("Good morning.")
    call.finish()
    chars, samples = marks_of(call)
    assert chars == [0, 5]
    assert abs(samples[0] - first_audible(call.spoken(), wire_rate_hz)) <= wire_rate_hz * 5 // 1000


def test_marks_lie_inside_the_phrase(speaking: Callable[..., Any], backend: Any) -> None:
    call = speaking(backend)
    call.speak("Ten past three. " * 20)
    call.finish()
    _, samples = marks_of(call)
    assert len(samples) == 60
    assert samples == sorted(set(samples))
    assert call.finished.start_sample <= samples[0]
    assert samples[-1] < call.finished.end_sample


def test_mark_is_sent_when_its_sample_is_in_the_ring_and_not_before(speaking: Callable[..., Any]) -> None:
    call = speaking(coded())
    send = call.sent.append
    late = []

    def check(message: Any) -> None:
        send(message)
        if isinstance(message, WordMarks):
            written = call.slot.reply.written
            assert message.samples[-1] < written
            late.append(written - message.samples[0])

    call.worker.worker.bus.send = check
    call.speak(TEXT)
    call.finish()
    assert len(late) > 6
    assert max(late) <= 8_000 * 80 // 1000  # a chunk


def test_marks_stand_between_the_phrases_start_and_its_end(speaking: Callable[..., Any]) -> None:
    call = speaking(coded())
    call.speak(TEXT)
    call.finish()
    kinds = [type(message) for message in call.sent]
    assert kinds[0] is PhraseStarted
    assert kinds[-1] is PhraseFinished
    assert set(kinds[1:-1]) == {WordMarks}


def test_full_ring_holds_marks_back_with_their_samples(speaking: Callable[..., Any]) -> None:
    call = speaking(coded())
    call.speak("word " * 200)
    for _ in range(2000):
        call.worker.step()
    _, samples = marks_of(call)
    assert samples[-1] < call.slot.reply.written == call.slot.reply.capacity
    call.slot.store(REPLY_POSITION, call.slot.reply.written)
    for speaker in call.worker.speakers.values():
        speaker.not_before_ns = 0
    call.finish()
    assert len(marks_of(call)[0]) == 200


def test_phrase_that_another_worker_goes_on_with_has_the_same_marks(speaking: Callable[..., Any]) -> None:
    whole = speaking(coded())
    whole.speak(TEXT)
    whole.finish()
    call = speaking(coded())
    call.speak(TEXT)
    call.steps(until=lambda: call.slot.reply.written > 8_000)
    told = list(zip(*marks_of(call), strict=True))
    call.start(coded())
    call.sent.clear()
    call.speak(TEXT)
    call.finish()
    assert np.array_equal(call.spoken(), whole.spoken())
    again = list(zip(*marks_of(call), strict=True))
    assert again == list(zip(*marks_of(whole), strict=True))
    assert again[: len(told)] == told


def test_voice_without_marks_sends_none(speaking: Callable[..., Any]) -> None:
    call = speaking(coded(marks=False))
    call.speak(TEXT)
    call.finish()
    assert call.of(WordMarks) == []
    assert call.finished.end_sample > 0


@pytest.mark.parametrize("wire_rate_hz", [8_000, 16_000])
def test_keys_become_tones_in_the_ring(speaking: Callable[..., Any], wire_rate_hz: int) -> None:
    call = speaking(coded(), wire_rate_hz)
    call.speak(keys="12#", text="not said")
    call.finish()
    assert np.array_equal(call.spoken(), key_tones("12#", wire_rate_hz))
    assert call.finished.end_sample == call.spoken().shape[0]
    assert call.of(WordMarks) == []


def test_keys_stand_between_phrases_of_text(speaking: Callable[..., Any]) -> None:
    call = speaking(coded())
    call.speak("one", phrase=0, last=False)
    call.speak(keys="5", phrase=1, last=False)
    call.speak("two", phrase=2)
    call.finish()
    first, keys, second = call.of(PhraseFinished)
    assert first.end_sample == keys.start_sample
    assert keys.end_sample == second.start_sample
    assert np.array_equal(call.spoken()[keys.start_sample : keys.end_sample], key_tones("5", 8_000))


def test_key_that_no_telephone_has_fails_its_phrase(speaking: Callable[..., Any]) -> None:
    call = speaking(coded())
    call.speak(keys="12x")
    call.steps(until=lambda: call.of(PhraseFailed))
    (failed,) = call.of(PhraseFailed)
    assert (failed.phrase, "'x'" in failed.reason) == (0, True)
    assert call.spoken().shape[0] == 0
