"""A recogniser that hears nothing and says what it was told, after a set delay: for capacity and latency work."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from ringline.engine.config import SyntheticStt
from ringline.ipc.messages import Transcribe
from ringline.workers.base import is_nth
from ringline.workers.stt.backend import Samples, Stream
from ringline.workers.stt.burn import burn

RATE_HZ = 16_000
WORD_MS = 400
"""English is spoken at about 150 words a minute."""


class SyntheticStream:
    """One utterance. Its partial grows by a word for every WORD_MS of audio."""

    def __init__(
        self,
        words: list[str],
        final_ns: int,
        clock: Callable[[], int],
        error: Exception | None = None,
        hangs: bool = False,
    ) -> None:
        self.partial = ""
        self.stable = 0
        self.final: str | None = None
        self.confidence = 0.0
        self.other_words: float | None = None
        self.closed_vocabulary = False
        self.num_samples = 0
        self.energy = 0.0
        """Sum of the squared samples: the proof that each one was read."""
        self.due_ns: int | None = None
        """When ``final`` is to be set."""
        self._words = words
        self._final_ns = final_ns
        self._clock = clock
        self._error = error
        self._hangs = hangs

    def feed(self, samples: Samples) -> None:
        if self.due_ns is not None:
            return
        self.num_samples += samples.size
        self.energy += float(np.dot(samples.astype(np.float32), samples.astype(np.float32)))
        num_words = self.num_samples * 1000 // (RATE_HZ * WORD_MS)
        self.partial = " ".join(self._words[:num_words])
        self.stable = len(self.partial)

    def finalise(self, due_ns: int = 0) -> None:
        if self._error:
            raise self._error
        if self.due_ns is None and not self._hangs:
            self.due_ns = self._clock() + self._final_ns

    def settle(self, now_ns: int) -> None:
        if self.due_ns is not None and self.final is None and now_ns >= self.due_ns:
            self.final = self.partial = " ".join(self._words)
            self.confidence = 1.0

    def close(self) -> None:
        self.due_ns = None


class SyntheticBackend:
    """`SttBackend` without a model: any number of streams. ``clock`` gives monotonic nanoseconds."""

    pool = None

    def __init__(self, config: SyntheticStt, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._words = config.text.split()
        self._final_ns = config.final_ms * 1_000_000
        self._config = config
        self._clock = clock
        self._opened = 0

    def warm_up(self) -> None:
        if self._config.burn_threads:
            burn(self._config.burn_threads, self._config.burn)

    def open(self, request: Transcribe, now_ns: int) -> Stream | None:
        self._opened += 1
        error: Exception | None = None
        if is_nth(self._opened, self._config.fail_every):
            error = RuntimeError("this one fails, as configured")
        if is_nth(self._opened, self._config.out_of_memory_every):
            error = MemoryError("this one takes too much, as configured")
        hangs = is_nth(self._opened, self._config.hang_every)
        return SyntheticStream(self._words, self._final_ns, self._clock, error, hangs)

    def step(self, streams: Sequence[Stream], now_ns: int) -> int | None:
        earliest: int | None = None
        for stream in streams:
            if not isinstance(stream, SyntheticStream):
                continue
            stream.settle(now_ns)
            if stream.final is None and stream.due_ns is not None:
                earliest = stream.due_ns if earliest is None else min(earliest, stream.due_ns)
        return earliest
