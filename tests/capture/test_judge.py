"""The judge's thread: what it reads, what it delivers, and that nothing hurts a call."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest

from ringline.engine.config import TurnConfig
from ringline.ipc.exchange import Exchange, Layout, Slot
from ringline.workers.capture.judge import MEMORY_SAMPLES, SILENCE_SAMPLES, Judge, Judgement, load_model
from ringline.workers.capture.prosody.melody import Melody


class FakeModel:
    """Notes what it hears; says what it is told to."""

    def __init__(self, finished: float | None = 0.75) -> None:
        self.answer = finished
        self.heard: list[tuple[np.ndarray, np.ndarray]] = []
        self.fails = 0

    def finished(self, speech: Any, silence: Any) -> float | None:
        self.heard.append((speech.copy(), silence.copy()))
        if self.fails:
            self.fails -= 1
            raise RuntimeError("no melody today")
        return self.answer


class Bench:
    """A judge over an exchange, on a running loop."""

    def __init__(self, exchange: Exchange, model: FakeModel) -> None:
        self.exchange = exchange
        self.judged: asyncio.Queue[Judgement] = asyncio.Queue()
        self.judge = Judge(exchange, model, self.judged.put_nowait)

    async def next(self) -> Judgement:
        return await asyncio.wait_for(self.judged.get(), 20)


@pytest.fixture
def exchange() -> Any:
    made = Exchange.create(Layout(max_calls=2, caller_samples=160_000, line_samples=64, reply_samples=64))
    made.admit(True)
    yield made
    made.close()


def claim(exchange: Exchange) -> Slot:
    slot = exchange.claim(0, 8_000)
    assert slot is not None
    return slot


def run(exchange: Exchange, model: FakeModel, test: Callable[[Bench], Awaitable[None]]) -> None:
    async def main() -> None:
        bench = Bench(exchange, model)
        try:
            await test(bench)
        finally:
            bench.judge.stop()

    asyncio.run(main())


def ramp(count: int, start: int = 0) -> Any:
    return ((np.arange(start, start + count) % 30_000) + 1).astype(np.int16)


def test_judgement_names_call_and_sample(exchange: Exchange) -> None:
    slot = claim(exchange)
    slot.caller.write(ramp(32_000))

    async def test(bench: Bench) -> None:
        bench.judge.judge(slot.index, slot.call, 30_000)
        assert await bench.next() == Judgement(slot.index, slot.call, 30_000, 0.75)

    run(exchange, FakeModel(), test)


def test_model_hears_speech_up_to_the_end_and_the_silence_since(exchange: Exchange) -> None:
    slot, model = claim(exchange), FakeModel()
    slot.caller.write(ramp(32_000))

    async def test(bench: Bench) -> None:
        bench.judge.judge(slot.index, slot.call, 30_000)
        await bench.next()

    run(exchange, model, test)
    speech, silence = model.heard[0]
    np.testing.assert_array_equal(speech, ramp(30_000))
    np.testing.assert_array_equal(silence, ramp(2_000, 30_000))


def test_model_hears_the_last_seconds_of_a_long_call(exchange: Exchange) -> None:
    slot, model = claim(exchange), FakeModel()
    for start in range(0, 320_000, 16_000):
        slot.caller.write(ramp(16_000, start))

    async def test(bench: Bench) -> None:
        bench.judge.judge(slot.index, slot.call, 310_000)
        await bench.next()

    run(exchange, model, test)
    speech, silence = model.heard[0]
    np.testing.assert_array_equal(speech, ramp(MEMORY_SAMPLES, 310_000 - MEMORY_SAMPLES))
    assert silence.shape[0] == SILENCE_SAMPLES


def test_end_that_the_ring_no_longer_holds_is_not_judged(exchange: Exchange) -> None:
    slot, model = claim(exchange), FakeModel()
    for start in range(0, 320_000, 16_000):
        slot.caller.write(ramp(16_000, start))

    async def test(bench: Bench) -> None:
        bench.judge.judge(slot.index, slot.call, 10_000)
        bench.judge.judge(slot.index, slot.call, 310_000)
        assert (await bench.next()).end_sample == 310_000

    run(exchange, model, test)
    assert len(model.heard) == 1


def test_call_that_is_over_is_not_judged(exchange: Exchange) -> None:
    slot, model = claim(exchange), FakeModel()
    slot.caller.write(ramp(32_000))

    async def test(bench: Bench) -> None:
        bench.judge.judge(slot.index, slot.call + 1, 30_000)
        bench.judge.judge(slot.index, slot.call, 31_000)
        assert (await bench.next()).end_sample == 31_000

    run(exchange, model, test)
    assert len(model.heard) == 1


def test_model_that_fails_costs_one_judgement(exchange: Exchange, caplog: pytest.LogCaptureFixture) -> None:
    slot, model = claim(exchange), FakeModel()
    model.fails = 1
    slot.caller.write(ramp(32_000))

    async def test(bench: Bench) -> None:
        bench.judge.judge(slot.index, slot.call, 20_000)
        bench.judge.judge(slot.index, slot.call, 30_000)
        assert (await bench.next()).end_sample == 30_000

    with caplog.at_level(logging.ERROR, "ringline.judge"):
        run(exchange, model, test)
    assert "the melody could not be judged" in caplog.text


def test_model_without_an_opinion_delivers_nothing(exchange: Exchange) -> None:
    slot, model = claim(exchange), FakeModel(None)
    slot.caller.write(ramp(32_000))

    async def test(bench: Bench) -> None:
        bench.judge.judge(slot.index, slot.call, 20_000)

    run(exchange, model, test)


def test_stopping_ends_the_thread(exchange: Exchange) -> None:
    async def test(bench: Bench) -> None:
        assert any(thread.name == "judge" for thread in threading.enumerate())

    run(exchange, FakeModel(), test)
    assert not any(thread.name == "judge" for thread in threading.enumerate())


def test_prosody_can_be_switched_off() -> None:
    assert load_model(TurnConfig(prosody=False)) is None


def test_default_is_the_built_in_judge() -> None:
    assert isinstance(load_model(TurnConfig()), Melody)
