"""Voices: how long until the first sample, how much faster than speech, and what happens with many calls at once.

All calls of a row ask for a reply of two sentences in the same moment, which is the worst case. Measured are the voices
that every installation has and, of the models in the store (``RINGLINE_MODELS``), the first Kokoro and the first Piper
voice.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from rich.table import Table

from bench.processes import memory_mb
from bench.stages import Row, in_a_process, percentile
from ringline.engine.config import EspeakTts, KokoroTts, PiperTts, SyntheticTts, TtsConfig
from ringline.workers.models.store import store
from ringline.workers.tts import make_backend
from ringline.workers.tts.backend import Order

CALLS = (1, 4, 16)
TEXT = "Certainly, I can do that for you. Your appointment number {number} is on Monday at half past ten."
ENOUGH_S = 30.0
"""No further round begins after so long."""


def rows(rounds: int) -> list[Row]:
    """All voices, each in a process of its own."""
    found: list[Row] = []
    for name, config in configs():
        found += [in_a_process(measure, name, config, calls, rounds) for calls in CALLS]
    return found


def configs() -> list[tuple[str, TtsConfig]]:
    """What there is on this machine."""
    found: list[tuple[str, TtsConfig]] = [("espeak", EspeakTts()), ("synthetic", SyntheticTts())]
    folders = sorted(folder for folder in store().glob("*") if folder.is_dir())
    kokoro = next((folder for folder in folders if folder.name.startswith("kokoro")), None)
    if kokoro is not None:
        found.append((kokoro.name, KokoroTts(model=str(kokoro), cache_mb=0)))
    piper = next((file for folder in folders for file in folder.glob("*.onnx.json")), None)
    if piper is not None:
        found.append((f"piper {piper.parent.name}", PiperTts(model=str(piper.with_suffix("")), cache_mb=0)))
    return found


def measure(name: str, config: TtsConfig, calls: int, rounds: int) -> Row:
    """One voice under one load."""
    ready = threading.Event()
    backend = make_backend(config, ready.set)
    backend.warm_up()
    first_ms: list[float] = []
    audio_s = wall_s = dry_s = 0.0
    number = 0
    while number < rounds * calls and (not number or wall_s < ENOUGH_S):
        speakers = [_Speaker(backend, number + call) for call in range(calls)]
        number += calls
        began_s = time.perf_counter()
        _speak(speakers, ready)
        wall_s += time.perf_counter() - began_s
        for speaker in speakers:
            first_ms.append((speaker.first_s - began_s) * 1e3)
            audio_s += speaker.audio_s
            dry_s += speaker.dry_s
    rss_mb, _ = memory_mb(os.getpid())
    more: dict[str, int | float | str] = {
        "realtime_factor": round(wall_s / audio_s, 4),
        "dry_share": round(dry_s / audio_s, 3),
        "rss_mb": round(rss_mb),
    }
    p50, p95 = percentile(first_ms, 50), percentile(first_ms, 95)
    return Row("tts", name, calls, round(p50, 1), round(p95, 1), {"first sample": round(p50, 1)}, more)


def _speak(speakers: list[_Speaker], ready: threading.Event) -> None:
    """As the worker does it: a chunk for the call whose audio runs out first, of those that have one."""
    open_ = list(speakers)
    while open_:
        ready.clear()
        now_s = time.perf_counter()
        for speaker in open_:
            speaker.order.deadline_ns = time.monotonic_ns() + round(speaker.ahead_s(now_s) * 1e9)
        has_made = False
        for speaker in sorted(open_, key=lambda speaker: speaker.ahead_s(now_s)):
            made = speaker.take()
            has_made = has_made or made
            if speaker.is_over:
                open_.remove(speaker)
        if not has_made:
            ready.wait(0.002)


class _Speaker:
    """One call, whose audio is played from its first sample on."""

    def __init__(self, backend: Any, number: int) -> None:
        self.order = Order(TEXT.format(number=number), call=number)
        self.first_s = self.audio_s = self.dry_s = 0.0
        self.is_over = False
        self._rate_hz = backend.rate_hz
        self._parts: Iterator[Any] = backend.synthesize(self.order)

    def ahead_s(self, now_s: float) -> float:
        """Audio that is made and not played."""
        return max(0.0, self.first_s + self.audio_s + self.dry_s - now_s) if self.first_s else 0.0

    def take(self) -> bool:
        """The next chunk, if there is one."""
        for part in self._parts:
            if part is None:
                return False
            if isinstance(part, np.ndarray):
                now_s = time.perf_counter()
                self.first_s = self.first_s or now_s
                self.dry_s += max(0.0, now_s - (self.first_s + self.audio_s + self.dry_s))
                self.audio_s += part.shape[0] / self._rate_hz
                return True
        self.is_over = True
        return True


def table(rows: list[Row]) -> Table:
    """For people."""
    shown = Table("voice", "calls", "first sample p50 ms", "p95 ms", "s per s of sound", "dry", "RSS MB", title="TTS")
    for row in rows:
        cells = (row.more["realtime_factor"], row.more["dry_share"], row.more["rss_mb"])
        shown.add_row(row.backend, str(row.calls), str(row.p50_ms), str(row.p95_ms), *map(str, cells))
    return shown
