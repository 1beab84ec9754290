"""Phrases that were spoken before start at once, and nothing else is different."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from ringline import Agent
from ringline.engine.config import SyntheticTts
from ringline.engine.conversation.fixed_phrases import rehearsal
from ringline.ipc.messages import PhraseText, Rehearse, Rehearsed, ReleaseCall, WordMarks
from ringline.workers.tts import make_backend
from ringline.workers.tts.backend import Mark, Order
from ringline.workers.tts.cache import CachedBackend


class Counting:
    """A backend that counts what it is asked for, and has nothing ready at the first two looks at each phrase."""

    rate_hz = 16_000
    pool = None

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._voice = make_backend(SyntheticTts(first_audio_ms=0, realtime_factor=0.0, coded=True))

    def warm_up(self) -> None:
        self._voice.warm_up()

    def synthesize(self, order: Order) -> Iterator[Any]:
        self.asked.append(order.text)
        if order.voice == "missing":
            raise ValueError("no such voice")
        return self._late(order)

    def _late(self, order: Order) -> Iterator[Any]:
        yield None
        yield None
        yield from self._voice.synthesize(order)


@pytest.fixture
def voice() -> Counting:
    return Counting()


def cached(voice: Counting, max_bytes: int = 1_000_000) -> CachedBackend:
    backend = CachedBackend(voice, max_bytes)
    backend.warm_up()
    return backend


def parts(backend: Any, text: str, **fields: Any) -> list[Any]:
    return [part for part in backend.synthesize(Order(text, **fields)) if part is not None]


def test_second_time_is_ready_at_once_and_the_same(voice: Counting) -> None:
    backend = cached(voice)
    first = parts(backend, "One moment, please.")
    again = list(backend.synthesize(Order("One moment, please.")))
    assert voice.asked == ["One moment, please."]
    assert len(first) == len(again)
    for one, other in zip(first, again, strict=True):
        assert one == other if isinstance(one, Mark) else np.array_equal(one, other)


@pytest.mark.parametrize(
    "other", [{"voice": "x"}, {"speed": 1.1}, {"language": "de"}, {"phonemes": {"moment": "mo"}}], ids=str
)
def test_other_ways_to_say_it_are_other_phrases(voice: Counting, other: dict[str, Any]) -> None:
    backend = cached(voice)
    parts(backend, "One moment.")
    parts(backend, "One moment.", **other)
    assert len(voice.asked) == 2


def test_phrase_that_was_cancelled_is_made_anew(voice: Counting) -> None:
    backend = cached(voice)
    broken_off: Any = backend.synthesize(Order("One moment, please."))
    for _ in range(4):
        next(broken_off)
    broken_off.close()
    parts(backend, "One moment, please.")
    assert len(voice.asked) == 2


def test_least_recently_used_is_forgotten(voice: Counting) -> None:
    size = sum(part.nbytes for part in parts(voice, "aaaa") if not isinstance(part, Mark))
    backend = cached(voice, max_bytes=2 * (size + 64))
    for text in ("aaaa", "bbbb", "aaaa", "cccc", "aaaa", "bbbb"):
        parts(backend, text)
    assert voice.asked == ["aaaa", "aaaa", "bbbb", "cccc", "bbbb"]


def test_rehearsal_waits_while_the_model_works_and_goes_on(voice: Counting) -> None:
    backend = cached(voice)
    backend.rehearse([Order("Hello."), Order("One moment.")])
    for _ in range(5):
        backend.go_on()
    assert voice.asked == ["Hello.", "One moment."]
    assert all(part is not None for part in backend.synthesize(Order("One moment.")))


def test_phrase_that_cannot_be_rehearsed_ends_the_rehearsal(voice: Counting, caplog: pytest.LogCaptureFixture) -> None:
    backend = cached(voice)
    backend.rehearse([Order("Hello.", "missing"), Order("One moment.")])
    for _ in range(5):
        backend.go_on()
    assert voice.asked == ["Hello."]
    assert "in advance" in caplog.text


def test_worker_rehearses_only_while_there_are_no_calls(voice: Counting, speaking: Callable[..., Any]) -> None:
    call = speaking(cached(voice))
    call.worker.handle(Rehearse((PhraseText("Hello there."),)))
    call.speak("Good morning.")
    call.finish()
    for _ in range(4):
        call.worker.step()
    assert voice.asked == ["Good morning."]
    call.worker.handle(ReleaseCall(call.slot.call))
    for _ in range(4):
        call.worker.step()
    assert voice.asked == ["Good morning.", "Hello there."]
    call.speak("Hello there.", turn=2)
    call.finish()
    assert len(voice.asked) == 2
    assert len(call.of(WordMarks)[-1].chars) > 0


def test_during_a_call_what_the_next_one_begins_with_is_rehearsed(
    voice: Counting, speaking: Callable[..., Any]
) -> None:
    call = speaking(cached(voice))
    call.speak("Good morning.")
    call.finish()
    call.worker.handle(Rehearse((PhraseText("Hello there."), PhraseText("One moment.")), 7, 1))
    for _ in range(6):
        call.worker.step()
    assert voice.asked == ["Good morning.", "Hello there."]
    assert call.of(Rehearsed) == [Rehearsed(7)]


def test_worker_says_when_what_is_awaited_can_be_spoken(voice: Counting, speaking: Callable[..., Any]) -> None:
    call = speaking(cached(voice))
    call.worker.handle(Rehearse((PhraseText("Hello."), PhraseText("I am here."), PhraseText("One moment.")), 7, 2))
    assert call.of(Rehearsed) == []
    call.steps(lambda: call.of(Rehearsed))
    assert call.sent == [Rehearsed(7)]
    assert voice.asked[:2] == ["Hello.", "I am here."]


def test_worker_does_not_keep_callers_waiting_for_what_cannot_be_spoken(
    voice: Counting, speaking: Callable[..., Any]
) -> None:
    call = speaking(cached(voice))
    call.worker.handle(Rehearse((PhraseText("Hello."),), 7, 1, voice="missing"))
    call.worker.step()
    assert call.sent == [Rehearsed(7)]


def test_voice_that_keeps_nothing_has_nothing_to_rehearse(voice: Counting, speaking: Callable[..., Any]) -> None:
    call = speaking(voice)
    call.worker.handle(Rehearse((PhraseText("Hello."),), 7, 1))
    assert call.sent == [Rehearsed(7)]
    assert voice.asked == []


def test_rehearsal_has_the_greeting_and_fillers_as_the_bot_says_them() -> None:
    agent = Agent("test", greeting="Siobhan speaking. What can I do?", pronunciations={"Siobhan": "shi-vawn"})
    texts = [phrase.text for phrase in rehearsal(agent).phrases]
    assert texts[0] == "shi-vawn speaking."
    assert "One moment, please." in texts


def test_texts_that_a_flow_opens_with_are_awaited_where_the_agent_has_no_greeting() -> None:
    asked = rehearsal(Agent("test"), ("Hello, this is the clinic. How can I help?", "Which day?"), 7)
    assert [phrase.text for phrase in asked.phrases[: asked.num_awaited]] == [
        "Hello, this is the clinic.", "How can I help?",
    ]  # fmt: skip
    assert asked.phrases[-1].text == "Which day?"
    assert asked.number == 7


def test_greeting_of_the_agent_comes_before_what_its_flow_says() -> None:
    asked = rehearsal(Agent("test", greeting="Good morning."), ("Which day?",))
    assert asked.num_awaited == 1
    assert (asked.phrases[0].text, asked.phrases[-1].text) == ("Good morning.", "Which day?")


def test_where_a_model_opens_the_call_nothing_is_awaited() -> None:
    assert rehearsal(Agent("test")).num_awaited == 0
