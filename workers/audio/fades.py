"""Short fades where playout stops or goes on in the middle of a word: a jump of the waveform is heard as a click."""

from __future__ import annotations

import math

import numpy as np

from ringline.ipc.jit import compiled

Samples = np.ndarray[tuple[int], np.dtype[np.int16]]

FADES_PER_S = 200
"""A fade lasts 5 ms: shorter ones are still heard as a click, longer ones only cost time."""


@compiled
def fade_in(samples: Samples) -> None:
    """Raise all of ``samples`` from silence to full, along half a cosine."""
    count = samples.shape[0]
    for i in range(count):
        samples[i] = round(samples[i] * (0.5 - 0.5 * math.cos(math.pi * (i + 0.5) / count)))


@compiled
def fade_out(samples: Samples) -> None:
    """Lower all of ``samples`` from full to silence, along half a cosine."""
    count = samples.shape[0]
    for i in range(count):
        samples[i] = round(samples[i] * (0.5 + 0.5 * math.cos(math.pi * (i + 0.5) / count)))


@compiled
def mix_in(samples: Samples, other: Samples) -> None:
    """Add ``other`` to the beginning of ``samples``, within the range of int16."""
    for i in range(other.shape[0]):
        total = int(samples[i]) + int(other[i])
        samples[i] = min(max(total, -32768), 32767)
