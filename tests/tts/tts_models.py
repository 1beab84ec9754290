"""Stand-ins for voices whose networks cannot be made without torch."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

WATCHDOG_S = 10.0


class ScriptedXtts:
    """`ringline.workers.tts.xtts.Network`: a tone per letter, 60 ms long, five letters to a chunk."""

    rate_hz = 24_000
    languages = ("en", "de", "fr", "zh-cn")

    def __init__(self) -> None:
        self.cloned: list[list[str]] = []
        self.streamed: list[tuple[str, str, Any]] = []
        self.num_chunks = 0
        """Of the last phrase."""
        self.num_unfinished = 0
        self.hold_after = 0
        """So many chunks; then wait for ``go``. 0: never wait."""
        self.go = threading.Event()

    def speakers(self) -> dict[str, Any]:
        return {"Claribel Dervla": 0.1}

    def clone(self, files: list[str]) -> Any:
        self.cloned.append(files)
        return 0.05

    def stream(self, text: str, language: str, voice: Any, speed: float) -> Iterator[Any]:
        self.streamed.append((text, language, voice))
        self.num_chunks = 0
        self.num_unfinished += 1
        time = np.arange(int(0.06 * self.rate_hz / speed)) / self.rate_hz
        swell = voice * np.sin(np.pi * np.arange(time.size) / time.size)
        for start in range(0, len(text), 5):
            if self.hold_after and self.num_chunks == self.hold_after:
                assert self.go.wait(WATCHDOG_S)
            self.num_chunks += 1
            letters = [swell * np.sin(2 * np.pi * (200 + 5 * ord(letter)) * time) for letter in text[start : start + 5]]
            yield np.concatenate(letters).astype(np.float32)
        self.num_unfinished -= 1
