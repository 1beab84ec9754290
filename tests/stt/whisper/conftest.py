"""Small Whispers with random weights that say what they are told, and a pool that is done at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ringline.engine.config import WhisperStt
from ringline.ipc.messages import Expectation, Transcribe
from ringline.workers.stt.whisper.backend import WhisperBackend

WATCHDOG_S = 20.0
RATE_HZ = 16_000


def voice(seconds: float, seed: int = 1) -> Any:
    """Something loud: int16 at 16 kHz."""
    return np.random.default_rng(seed).normal(0, 3_000, int(seconds * RATE_HZ)).astype(np.int16)


def quiet(seconds: float) -> Any:
    return np.zeros(int(seconds * RATE_HZ), np.int16)


def request(call: int = 1, overlap: bool = False, language: str = "en", asked: str = "") -> Transcribe:
    return Transcribe(call, 0, 1, 0, Expectation(), overlap, language, asked=asked)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """(says, multilingual, free) -> the folder of a model, written once."""
    from bench.models.whisper import write_whisper

    made: dict[Any, Path] = {}

    def find(says: str, multilingual: bool = False, free: tuple[int, ...] = ()) -> Path:
        key = (says, multilingual, free)
        if key not in made:
            folder = tmp_path_factory.mktemp("whisper")
            made[key] = write_whisper(folder, says=says, multilingual=multilingual, free=free)
        return made[key]

    return find


class Bench:
    """A backend on a clock that stands still unless it is told otherwise."""

    def __init__(self, config: WhisperStt) -> None:
        self.now_ns = 1_000_000_000
        self._woken = threading.Semaphore(0)
        self.backend = WhisperBackend(config, self._woken.release, lambda: self.now_ns)
        self.backend.warm_up()
        self.passes: list[Any] = []
        run = self.backend.model.run

        def noted(passes: Any) -> None:
            self.passes += passes
            run(passes)

        self.backend.pool._run = noted

    def step(self, *streams: Any) -> None:
        """Let the model do what waits."""
        self.backend.step(streams, self.now_ns)
        while self.backend.pool.load:
            assert self._woken.acquire(timeout=WATCHDOG_S)
        self.backend.step(streams, self.now_ns)

    def hear(self, stream: Any, samples: Any, chunk_s: float = 0.1) -> None:
        """In real time."""
        chunk = int(chunk_s * RATE_HZ)
        for start in range(0, samples.shape[0], chunk):
            stream.feed(samples[start : start + chunk])
            self.now_ns += int(chunk_s * 1e9)
            self.step(stream)

    def final(self, stream: Any) -> str:
        stream.finalise(self.now_ns)
        for _ in range(20):
            if stream.final is not None:
                return str(stream.final)
            self.step(stream)
        raise AssertionError("no final")


@pytest.fixture
def make(model: Callable[..., Path]) -> Iterator[Callable[..., Bench]]:
    """(says, multilingual, free, **config) -> a `Bench`."""
    made: list[Bench] = []

    def start(says: str, multilingual: bool = False, free: tuple[int, ...] = (), **config: Any) -> Bench:
        made.append(Bench(WhisperStt(model=str(model(says, multilingual, free)), device="cpu", **config)))
        return made[-1]

    yield start
    for bench in made:
        bench.backend.close()
