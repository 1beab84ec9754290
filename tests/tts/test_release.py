"""The TTS worker and the reply ring: what fails is left for the engine to decide, and a ring is let go when asked."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ringline.ipc.exchange import PHRASE_START, Exchange, Layout
from ringline.ipc.messages import (
    CancelSpeech,
    FromWorker,
    PhraseFailed,
    PhraseFinished,
    ReleaseSpeech,
    Speak,
    SpeechReleased,
)
from ringline.workers.tts.backend import Order
from ringline.workers.tts.rest import rest_begins
from ringline.workers.tts.worker import TtsWorker

RATE_HZ = 8_000
CHUNK = 800


class Voice:
    """A tenth of a second per word, each word a chunk of its own level. "broken" raises."""

    rate_hz = RATE_HZ
    pool = None

    def __init__(self, level: int = 1000) -> None:
        self.level = level
        self.asked: list[str] = []

    def warm_up(self) -> None:
        pass

    def synthesize(self, order: Order) -> Iterator[Any]:
        self.asked.append(order.text)
        for word in order.text.split():
            if word == "broken":
                raise RuntimeError("broken")
            yield np.full(CHUNK, self.level, np.int16)


class Pool:
    """A `TtsWorker` on an exchange, without a process."""

    def __init__(self, exchange: Exchange, voice: Voice) -> None:
        self.sent: list[FromWorker] = []
        self.voice = voice
        self.worker = TtsWorker(
            SimpleNamespace(exchange=exchange, bus=SimpleNamespace(send=self.sent.append)),  # type: ignore[arg-type]
            voice,
        )

    def tell(self, *messages: Any, steps: int = 40) -> list[FromWorker]:
        """What it answers."""
        for message in messages:
            self.worker.handle(message)
        for _ in range(steps):
            self.worker.step()
        sent = list(self.sent)
        self.sent.clear()
        return sent


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    made = Exchange.create(Layout(max_calls=1))
    made.admit(True)
    made.claim(0, RATE_HZ)
    yield made
    made.close()


@pytest.fixture
def pool(exchange: Exchange) -> Pool:
    return Pool(exchange, Voice())


CALL = 64


def speak(phrase: int, text: str, turn: int = 1, last: bool = False, other_voice: bool = False) -> Speak:
    return Speak(CALL, 0, turn, phrase, text, last, other_voice=other_voice)


def kinds(messages: list[FromWorker]) -> list[str]:
    return [type(message).__name__ for message in messages]


def test_nothing_is_spoken_behind_a_phrase_that_failed(pool: Pool, exchange: Exchange) -> None:
    assert isinstance(pool.tell(speak(0, "one broken"), speak(1, "two"))[-1], PhraseFailed)
    written = exchange.slots[0].reply.written
    assert pool.tell(speak(2, "three")) == []
    assert exchange.slots[0].reply.written == written


def test_worker_lets_go_of_a_ring_in_mid_phrase(pool: Pool, exchange: Exchange) -> None:
    pool.tell(speak(0, "one two three four five six"), steps=3)
    written = exchange.slots[0].reply.written
    assert pool.tell(ReleaseSpeech(CALL)) == [SpeechReleased(CALL)]
    assert exchange.slots[0].reply.written == written


def test_ring_that_a_worker_does_not_have_is_let_go_too(pool: Pool) -> None:
    assert pool.tell(ReleaseSpeech(CALL)) == [SpeechReleased(CALL)]


def test_failed_phrase_is_ended_and_the_turn_goes_on_when_the_engine_gives_it_up(pool: Pool) -> None:
    pool.tell(speak(0, "broken"), speak(1, "two", last=True))
    pool.tell(ReleaseSpeech(CALL))
    sent = pool.tell(speak(0, ""), speak(1, "two", last=True))
    assert kinds(sent) == ["PhraseFinished", "PhraseStarted", "PhraseFinished"]


def test_cancelled_turn_that_failed_does_not_hold_up_the_next(pool: Pool) -> None:
    pool.tell(speak(0, "broken"))
    sent = pool.tell(CancelSpeech(CALL, 1), speak(0, "hello", turn=2))
    assert kinds(sent) == ["PhraseStarted", "PhraseFinished"]


def test_other_voice_goes_on_with_the_words_that_are_missing(pool: Pool, exchange: Exchange) -> None:
    text = "one two three four five six seven eight nine ten"
    pool.tell(speak(0, text), steps=8)
    slot = exchange.slots[0]
    begun, spoken = slot.load(PHRASE_START), slot.reply.written
    assert spoken > begun
    pool.tell(ReleaseSpeech(CALL))
    other = Pool(exchange, Voice(2000))
    finished = other.tell(speak(0, text, other_voice=True))[-1]
    assert isinstance(finished, PhraseFinished)
    assert other.voice.asked[0] == text[rest_begins(text, (spoken - begun) / RATE_HZ) :]
    assert finished.start_sample == begun
    assert len(other.voice.asked[0]) < len(text)


def test_other_voice_speaks_a_phrase_anew_that_was_not_begun(pool: Pool, exchange: Exchange) -> None:
    pool.tell(speak(0, "broken"))
    pool.tell(ReleaseSpeech(CALL))
    other = Pool(exchange, Voice(2000))
    other.tell(speak(0, "all of it", other_voice=True))
    assert other.voice.asked == ["all of it"]


@pytest.mark.parametrize(
    ("spoken_s", "rest"),
    [
        (0.0, "one two three four"),
        (0.1, "one two three four"),
        (0.4, "two three four"),
        (0.8, "three four"),
        (60.0, "four"),
    ],
)
def test_rest_of_a_phrase_begins_with_the_word_that_was_broken_off(spoken_s: float, rest: str) -> None:
    text = "one two three four"
    assert text[rest_begins(text, spoken_s) :] == rest
