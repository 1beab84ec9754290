"""What a TTS backend is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

Samples = np.ndarray[tuple[int], np.dtype[np.int16]]


class TtsBackend(Protocol):
    """One model for all calls of the worker."""

    rate_hz: int
    """Rate of the samples it makes."""

    def warm_up(self) -> None:
        """Load the voice and run it once. Raises `ringline.workers.base.CannotStart` with what is missing."""

    def synthesize(self, text: str, voice: str, speed: float) -> Iterator[Samples | None]:
        """Speak a phrase: int16 mono chunks as they are made. Empty ``voice``: the backend's default.

        Yields None where nothing is ready yet and the worker should serve other calls meanwhile. Closing the iterator
        cancels the rest. Several phrases (of several calls) may be under way at once, each through its own iterator.
        Raises ValueError for a voice that does not exist.
        """
