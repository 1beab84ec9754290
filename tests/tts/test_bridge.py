"""Words that bridge the wait for a voice that is busy: they stand before the phrase that waits, or nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from ringline.engine.config import SyntheticTts
from ringline.ipc.exchange import REPLY_POSITION
from ringline.ipc.messages import Bridge, Bridged, PhraseFinished, PhraseStarted, PhraseText, Rehearse, WordMarks
from ringline.workers.tts import make_backend
from ringline.workers.tts.backend import Order
from ringline.workers.tts.cache import CachedBackend

FILLER = "One moment, please."
PHRASE = "the bridge is rather long"


class Busy:
    """A voice that has nothing ready while others keep it busy."""

    rate_hz = 16_000
    pool = None
    busy = False

    def __init__(self) -> None:
        self._voice = make_backend(SyntheticTts(first_audio_ms=0, realtime_factor=0.0, coded=True))

    def warm_up(self) -> None:
        self._voice.warm_up()

    def synthesize(self, order: Order) -> Iterator[Any]:
        for part in self._voice.synthesize(order):
            while self.busy:
                yield None
            yield part


@pytest.fixture
def voice() -> Busy:
    return Busy()


@pytest.fixture
def call(voice: Busy, speaking: Callable[..., Any]) -> Any:
    """A call whose filler was rehearsed, and whose voice is busy."""
    backend = CachedBackend(voice, 1_000_000)
    backend.warm_up()
    made = speaking(backend)
    made.worker.handle(Rehearse((PhraseText(FILLER),)))
    while not backend.has(Order(FILLER)):
        made.worker.step()
    voice.busy = True
    return made


def bridge(call: Any, phrase: int = 0, turn: int = 1, text: str = FILLER, number: int = 0) -> list[Bridged]:
    """What comes of it, once the worker has looked at the phrase."""
    call.worker.step()
    before = len(call.of(Bridged))
    call.worker.handle(Bridge(call.slot.call, turn, phrase, number, text))
    return call.of(Bridged)[before:]  # type: ignore[no-any-return]


def alone(voice: Busy, speaking: Callable[..., Any], text: str) -> Any:
    """A text as it sounds by itself."""
    busy, voice.busy = voice.busy, False
    backend = CachedBackend(voice, 1_000_000)
    backend.warm_up()
    other = speaking(backend)
    other.speak(text)
    other.finish()
    voice.busy = busy
    return other.spoken()


def test_bridge_stands_before_the_phrase(call: Any, voice: Busy, speaking: Callable[..., Any]) -> None:
    call.speak(PHRASE)
    (bridged,) = bridge(call)
    filler, phrase = alone(voice, speaking, FILLER), alone(voice, speaking, PHRASE)
    assert (bridged.start_sample, bridged.end_sample) == (0, filler.size)
    voice.busy = False
    call.finish()
    assert np.array_equal(call.spoken(), np.concatenate([filler, phrase]))


def test_phrase_begins_behind_its_bridge_for_the_engine_too(call: Any, voice: Busy) -> None:
    call.speak(PHRASE)
    (bridged,) = bridge(call)
    voice.busy = False
    call.finish()
    assert call.of(PhraseStarted)[0].start_sample == call.finished.start_sample == bridged.end_sample
    marks = [sample for message in call.of(WordMarks) for sample in message.samples]
    assert bridged.end_sample <= marks[0] < bridged.end_sample + 80
    assert len(bridged.chars) == len(FILLER.split())


def test_second_bridge_stands_behind_the_first(call: Any) -> None:
    call.speak(PHRASE)
    (first,) = bridge(call)
    (second,) = bridge(call, number=1)
    assert second.start_sample == first.end_sample
    assert second.number == 1


def test_phrase_behind_another_is_bridged_when_it_is_awaited(call: Any, voice: Busy) -> None:
    call.speak(PHRASE, last=False)
    voice.busy = False
    call.steps(lambda: call.of(PhraseFinished))
    call.speak("and it has two towers", phrase=1)
    voice.busy = True
    (bridged,) = bridge(call, phrase=1)
    assert bridged.start_sample == call.finished.end_sample


@pytest.mark.parametrize("wrong", [{"phrase": 1}, {"turn": 2}, {"text": "Never said before."}], ids=str)
def test_bridge_that_does_not_fit_is_left_out(call: Any, wrong: dict[str, Any]) -> None:
    call.speak(PHRASE)
    assert not bridge(call, **wrong)
    assert call.slot.reply.written == 0


def test_phrase_that_has_begun_to_sound_is_not_bridged(call: Any, voice: Busy) -> None:
    call.speak(PHRASE)
    voice.busy = False
    call.steps(lambda: call.of(PhraseStarted))
    voice.busy = True
    written = call.slot.reply.written
    assert not bridge(call)
    assert call.slot.reply.written == written


def test_bridge_without_a_call_is_left_out(call: Any) -> None:
    assert not bridge(call)


def test_voice_without_a_memory_has_no_bridges(speaking: Callable[..., Any], voice: Busy) -> None:
    voice.warm_up()
    call = speaking(voice)
    voice.busy = True
    call.speak(PHRASE)
    assert not bridge(call)


def test_full_ring_is_not_bridged(call: Any) -> None:
    call.speak(PHRASE)
    call.slot.store(REPLY_POSITION, -call.slot.reply.capacity)
    assert not bridge(call)
    call.slot.store(REPLY_POSITION, 0)


def test_next_worker_says_the_whole_phrase_behind_the_bridge(
    call: Any, voice: Busy, speaking: Callable[..., Any]
) -> None:
    call.speak(PHRASE)
    bridge(call)
    filler, phrase = alone(voice, speaking, FILLER), alone(voice, speaking, PHRASE)
    voice.busy = False
    backend = CachedBackend(voice, 1_000_000)
    backend.warm_up()
    call.start(backend)
    call.speak(PHRASE)
    call.finish()
    assert np.array_equal(call.spoken(), np.concatenate([filler, phrase]))
