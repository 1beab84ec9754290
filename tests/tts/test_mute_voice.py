"""A voice that makes nothing of a phrase with words: asked once more, then it fails. None is lost in silence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringline.ipc.messages import CancelSpeech, PhraseFailed, PhraseFinished, PhraseStarted
from ringline.workers.tts.backend import Order
from ringline.workers.tts.cache import CachedBackend

RATE_HZ = 8_000
SOUND = np.full(RATE_HZ // 2, 8_000, np.int16)
QUIET = np.zeros(RATE_HZ // 50, np.int16)
"""What trimming may leave of silence."""


class Mute:
    """Answers in turn: each a list of what is made; then sound."""

    rate_hz, pool = RATE_HZ, None

    def __init__(self, *answers: list[Any]) -> None:
        self.answers = list(answers)
        self.orders: list[str] = []

    def warm_up(self) -> None:
        pass

    def synthesize(self, order: Order) -> Iterator[Any]:
        self.orders.append(order.text)
        return iter(self.answers.pop(0) if self.answers else [SOUND])


@pytest.mark.kind("lost phrases")
@pytest.mark.parametrize("answer", [[], [None], [QUIET], [None, QUIET, None], [np.zeros(0, np.int16)]])
def test_phrase_that_makes_no_sound_is_asked_for_again(speaking: Callable[..., Any], answer: list[Any]) -> None:
    call = speaking(Mute(answer))
    call.speak("Good morning.")
    call.finish()
    assert np.count_nonzero(np.abs(call.spoken()) > 1_000) == pytest.approx(SOUND.size, abs=20)
    assert len(call.worker.backend.orders) == 2
    assert not call.of(PhraseFailed)
    assert call.finished.end_sample - call.finished.start_sample >= SOUND.size
    assert len(call.of(PhraseStarted)) == 1


def test_phrase_that_never_makes_a_sound_fails(speaking: Callable[..., Any]) -> None:
    call = speaking(Mute([], []))
    call.speak("Good morning.", last=False)
    call.speak("How are you?", phrase=1)
    call.steps(until=lambda: call.of(PhraseFailed))
    assert call.of(PhraseFailed)[0].phrase == 0
    assert len(call.worker.backend.orders) == 2
    call.worker.handle(CancelSpeech(call.slot.call, 1))
    call.speak("Good morning.", turn=2)
    call.finish()
    assert call.finished.turn == 2


@pytest.mark.parametrize("text", ["", "...", "\u2014", "?!"])
def test_phrase_without_words_may_be_silent(speaking: Callable[..., Any], text: str) -> None:
    call = speaking(Mute([]))
    call.speak(text)
    call.finish()
    assert call.finished.turn == 1
    assert len(call.worker.backend.orders) <= 1


def test_silence_is_not_kept_for_the_next_time() -> None:
    voice = CachedBackend(Mute([], [QUIET]), 1_000_000)
    assert list(voice.synthesize(Order("one"))) == []
    assert not voice.has(Order("one"))
    list(voice.synthesize(Order("one")))
    assert not voice.has(Order("one"))
    list(voice.synthesize(Order("one")))
    assert voice.has(Order("one"))


@given(st.lists(st.sampled_from(["sound", "nothing", "quiet"]), min_size=1, max_size=12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_phrases_come_in_order_and_each_once_whatever_the_voice_loses(
    speaking: Callable[..., Any], kinds: list[str]
) -> None:
    """Each phrase is a level of its own; a voice may lose every phrase once."""
    voice = Mute()
    levels: list[int] = []
    for index, kind in enumerate(kinds):
        sound = np.full(800, 1_000 * (index + 1), np.int16)
        if kind != "sound":
            voice.answers.append([] if kind == "nothing" else [QUIET])
        voice.answers.append([sound])
        levels.append(1_000 * (index + 1))
    call = speaking(voice, RATE_HZ)
    for index in range(len(kinds)):
        call.speak(f"phrase {index}", phrase=index, last=index == len(kinds) - 1)
    call.finish()
    samples = call.spoken()
    runs = [int(level) for level in samples if level >= 1_000]
    assert runs == [level for level in levels for _ in range(800)]
    assert [message.phrase for message in call.of(PhraseFinished)] == list(range(len(kinds)))
