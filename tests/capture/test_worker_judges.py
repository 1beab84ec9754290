"""The capture worker tells the engine how finished a caller sounded, behind the news that they fell silent."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import numpy as np

from ringline.engine.config import Config, TurnConfig
from ringline.ipc.exchange import Exchange, Layout
from ringline.ipc.messages import SpeechStopped, TurnJudged
from ringline.workers.capture.vad import SpeechEvent
from ringline.workers.capture.worker import CaptureWorker


class FakeBus:
    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.judged = asyncio.Event()

    def send(self, message: Any) -> None:
        self.sent.append(message)
        if isinstance(message, TurnJudged):
            self.judged.set()


def sung(seconds: float) -> Any:
    """A falling voice, as it lies in a caller ring."""
    time_s = np.arange(int(16_000 * seconds)) / 16_000
    phase = 2 * np.pi * np.cumsum(180 - 20 * time_s) / 16_000
    return (2_000 * sum(np.cos(harmonic * phase) for harmonic in range(2, 12)) / 5).astype(np.int16)


async def stop_speaking(config: TurnConfig) -> list[Any]:
    """What the worker sends when the VAD hears a caller fall silent after two seconds, and is stopped then."""
    exchange = Exchange.create(Layout(max_calls=1, caller_samples=160_000, line_samples=64_000))
    exchange.admit(True)
    bus = FakeBus()
    worker: Any = SimpleNamespace(exchange=exchange, bus=bus, config=Config(turn=config), spec=SimpleNamespace(index=0))
    capture = CaptureWorker(worker)
    try:
        slot = exchange.claim(0, 8_000)
        assert slot is not None
        slot.caller.write(sung(2.5))
        call: Any = SimpleNamespace(number=slot.call, arrival_ns=lambda sample: sample)
        capture.calls[slot.index] = call
        capture.on_speech([SpeechEvent(slot.index, slot.call, False, 32_000)])
        if config.prosody:
            await asyncio.wait_for(bus.judged.wait(), 30)
    finally:
        capture.listener.stop()
        if capture.judge is not None:
            capture.judge.stop()
        capture.clock.close()
        exchange.close()
    return bus.sent


def test_judgement_follows_the_end_of_speech() -> None:
    stopped, judged = asyncio.run(stop_speaking(TurnConfig()))
    assert isinstance(stopped, SpeechStopped)
    assert isinstance(judged, TurnJudged)
    assert (judged.call, judged.end_sample) == (stopped.call, stopped.end_sample)
    assert 0.0 < judged.finished < 1.0


def test_nothing_is_judged_where_it_is_switched_off() -> None:
    (stopped,) = asyncio.run(stop_speaking(TurnConfig(prosody=False)))
    assert isinstance(stopped, SpeechStopped)
