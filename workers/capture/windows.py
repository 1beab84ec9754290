"""What a VAD's model is: it says of one window of each of many calls how likely it is speech.

All calls are heard on one grid, windows of 32 ms, whatever the model makes of them: the echo canceller and the
hysteresis count in windows, too.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

WINDOW = 512
"""Samples at 16 kHz, 32 ms: what Silero was trained on."""
CONTEXT = 64
"""Samples before the window that a model sees again."""

Windows = np.ndarray[tuple[int, int], np.dtype[np.float32]]
Probabilities = np.ndarray[tuple[int], np.dtype[np.float32]]
Indexes = np.ndarray[tuple[int], np.dtype[np.int64]]


class SpeechModel(Protocol):
    """The model of all calls of a worker. What it remembers of a call it keeps by the call's slot."""

    def judge(self, slots: Indexes, ends: Indexes, windows: Windows) -> Probabilities:
        """How likely speech is in one window of each of B calls: float32 [B], 0 to 1.

        ``slots``: whose; none twice. ``ends``: sample of the call behind each window. ``windows``: float32
        [B, CONTEXT + WINDOW] in -1 to 1, the samples before ``ends``.

        A call's full windows end `WINDOW` samples apart. One that ends sooner is a look ahead: the full window that it
        ran into comes later, all the same. Where one ends later, samples were lost, and the model hears the call anew.
        """
        ...

    def reset(self, slot: int) -> None:
        """Forget the slot's call: the next one's first sample is 0."""
        ...
