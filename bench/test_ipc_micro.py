"""Micro-benchmarks of the ipc layer, for comparing two versions of it.

    python -m pytest bench --benchmark-only [--benchmark-autosave --benchmark-compare]

In the test suite they do not run.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from ringline.ipc.atomics import load_acquire, store_release
from ringline.ipc.bus import EngineBus, WorkerBus
from ringline.ipc.exchange import PLAY_TURN, Exchange, Layout, Slot
from ringline.ipc.messages import (
    ChatMessage,
    Generate,
    SpeechStarted,
    WorkerReady,
    decode_from_worker,
    decode_to_worker,
    encode,
)
from ringline.ipc.reply import ReplyWriter, reply_take
from ringline.ipc.ring import AudioRing, ring_read, ring_write

FRAME: Any = np.arange(320, dtype=np.int16)
WIRE_FRAME: Any = np.arange(160, dtype=np.int16)

Benchmark = Callable[..., Any]


@pytest.fixture
def ring() -> AudioRing:
    ring = AudioRing.private(32 * 16_000)
    ring.write(FRAME)
    return ring


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    exchange = Exchange.create(Layout(max_calls=32))
    exchange.admit(True)
    yield exchange
    exchange.close()


@pytest.fixture
def slot(exchange: Exchange) -> Slot:
    slot = exchange.claim(0, 8_000)
    assert slot is not None
    return slot


def test_load_acquire(benchmark: Benchmark, ring: AudioRing) -> None:
    benchmark(load_acquire, ring.words, 1)


def test_store_release(benchmark: Benchmark, ring: AudioRing) -> None:
    benchmark(store_release, ring.words, 2, 1)


def test_ring_write_20_ms(benchmark: Benchmark, ring: AudioRing) -> None:
    benchmark(ring_write, ring.words, ring.samples, FRAME)


def test_ring_read_20_ms(benchmark: Benchmark, ring: AudioRing) -> None:
    benchmark(ring_read, ring.words, ring.samples, 0, np.empty(320, np.int16))


def test_ring_read_20_ms_as_a_chunk(benchmark: Benchmark, ring: AudioRing) -> None:
    benchmark(ring.read, 0, 320)


def test_ring_read_30_s_as_a_chunk(benchmark: Benchmark, ring: AudioRing) -> None:
    for _ in range(1500):
        ring.write(FRAME)
    benchmark(ring.read, 0, 30 * 16_000)


def test_reply_take_while_nothing_may_be_heard(benchmark: Benchmark, slot: Slot) -> None:
    benchmark(reply_take, slot.words, slot.reply.samples, WIRE_FRAME.copy())


def test_reply_write_and_take_20_ms(benchmark: Benchmark, slot: Slot) -> None:
    writer = ReplyWriter(slot)
    writer.begin(1)
    slot.store(PLAY_TURN, 1)
    frame = WIRE_FRAME.copy()

    def write_and_take() -> None:
        writer.write(WIRE_FRAME)
        reply_take(slot.words, slot.reply.samples, frame)

    benchmark(write_and_take)


def test_claim_and_free(benchmark: Benchmark, exchange: Exchange) -> None:
    def claim_and_free() -> None:
        slot = exchange.claim(0, 8_000)
        assert slot is not None
        exchange.free(slot)

    benchmark(claim_and_free)


def test_claim_when_all_slots_are_taken(benchmark: Benchmark, exchange: Exchange) -> None:
    while exchange.claim(0, 8_000) is not None:
        pass
    assert benchmark(exchange.claim, 0, 8_000) is None


def test_a_small_message_there(benchmark: Benchmark) -> None:
    benchmark(lambda: decode_from_worker(encode(SpeechStarted(1, 2, 3))))


def test_a_long_history_there(benchmark: Benchmark) -> None:
    history = tuple(ChatMessage("user", "I would like to come on Thursday at ten.") for _ in range(40))
    benchmark(lambda: decode_to_worker(encode(Generate(1, 2, 0, "speech", history))))


def test_a_message_over_the_bus(benchmark: Benchmark) -> None:
    """One way, both ends on this thread."""
    engine = EngineBus(f"bench-{uuid.uuid4().hex}")
    worker = WorkerBus(engine.address, "w")
    worker.send(WorkerReady(1))
    engine._socket.recv_multipart()

    def there() -> None:
        engine.send("w", Generate(1, 2, 0, "speech", ()))
        worker.wait(1000)
        next(worker.drain())

    benchmark(there)
    worker.close()
    engine.close()
