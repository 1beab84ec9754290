"""A voice for tests: every word is a sound of its own, so that a recording tells which words were played, and whether
to their ends (`ringline.tools.caller.coded` reads them).

A word is a pair of tones that stands for its number in the phrase (modulo `NUM_CODES`), as long as its letters less a
gap. A third tone marks its beginning, another its end; the space behind it is silence. All tones pass a telephone, and
none is a key's.
"""

from __future__ import annotations

import re

import numpy as np

Samples = np.ndarray[tuple[int], np.dtype[np.int16]]

LOW_HZ = (500, 620, 740, 860)
HIGH_HZ = (1100, 1300, 1500, 1700)
NUM_CODES = len(LOW_HZ) * len(HIGH_HZ)
BEGIN_HZ, END_HZ = 2200, 2700
MARKED_MS = 20
"""How long the marks of beginning and end are; a third of a word that is shorter than three of them."""
GAP_MS = 10
"""Silence at each word's end, within its time: the next phrase may begin right behind it."""
AMPLITUDE = 32768 * 0.1
"""Of each tone: a pair has -20 dBFS RMS, usual for telephone speech."""
EDGE_MS = 1
"""Words begin and end in so long: short, so that they can be dated, and not so hard that the resampler rings."""


def coded_phrase(text: str, num_samples: int, rate_hz: int) -> Samples:
    """``text``, without space around it, as int16 mono sound. A character takes the same time as any other."""
    sound = np.zeros(num_samples)
    for number, match in enumerate(re.finditer(r"\S+", text)):
        start, end = (round(position * num_samples / len(text)) for position in match.span())
        end -= rate_hz * GAP_MS // 1000
        sound[start:end] = _word(number % NUM_CODES, end - start, rate_hz)
    return np.rint(sound).astype(np.int16)


def _word(code: int, num_samples: int, rate_hz: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    high, low = divmod(code, len(LOW_HZ))
    sample = np.arange(num_samples)
    phase = 2 * np.pi * sample / rate_hz
    marked = min(rate_hz * MARKED_MS // 1000, num_samples // 3)
    tones = np.sin(LOW_HZ[low] * phase) + np.sin(HIGH_HZ[high] * phase)
    tones += (sample < marked) * np.sin(BEGIN_HZ * phase)
    tones += (sample >= num_samples - marked) * np.sin(END_HZ * phase)
    edge = max(1, rate_hz * EDGE_MS // 1000)
    gain = np.minimum(np.minimum(sample + 1, num_samples - sample) / edge, 1.0)
    return np.asarray(AMPLITUDE * gain * tones)
