"""How urgent a phrase is to the model that all calls share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from ringline.ipc.messages import PhraseFinished
from ringline.workers.tts.backend import Order, Samples
from ringline.workers.tts.worker import PATIENCE_MS

SECOND = 1_000_000_000


class Held:
    """A voice that makes a quarter of a second when it is told to, and keeps the orders."""

    rate_hz = 8_000
    pool: Any = ()
    """Only asked whether there is one."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.ready = 0

    def synthesize(self, order: Order) -> Iterator[Samples | None]:
        self.orders.append(order)
        for _ in range(4):
            while not self.ready:
                yield None
            self.ready -= 1
            yield np.ones(2_000, np.int16)


@pytest.fixture
def voice() -> Held:
    return Held()


@pytest.fixture
def call(voice: Held, speaking: Callable[..., Any]) -> Any:
    return speaking(voice)


def look(call: Any) -> None:
    """A step of the worker when it is time to tell how urgent its phrases are."""
    call.worker._urgency_due_ns = 0
    call.worker.look_again()
    call.worker.step()


def test_reply_of_which_nothing_is_heard_has_patience_from_when_it_was_asked_for(call: Any, voice: Held) -> None:
    call.speak("one two")
    call.worker.step()
    (order,) = voice.orders
    asked_ns = order.deadline_ns
    look(call)
    assert (order.deadline_ns, order.patience_ns) == (asked_ns, PATIENCE_MS * 1_000_000)


def test_reply_that_is_being_heard_is_due_when_it_runs_out_of_sound(call: Any, voice: Held) -> None:
    call.speak("one two")
    voice.ready = 1
    for _ in range(3):
        look(call)
    (order,) = voice.orders
    assert order.patience_ns == 0
    asked_ns = call.worker.speakers[call.slot.call].phrase.asked_ns
    assert order.deadline_ns - asked_ns > 0.2 * SECOND


def test_second_phrase_of_a_reply_has_no_patience(call: Any, voice: Held) -> None:
    call.speak("one two", last=False)
    voice.ready = 4
    while not call.of(PhraseFinished):
        look(call)
    call.speak("three", phrase=1)
    look(call)
    assert [order.patience_ns for order in voice.orders] == [0, 0]


def test_reply_that_another_worker_began_has_no_patience(call: Any, voice: Held) -> None:
    call.speak("one two")
    voice.ready = 1
    for _ in range(3):
        look(call)
    call.start(voice)
    call.speak("one two")
    look(call)
    assert voice.orders[-1].patience_ns == 0
