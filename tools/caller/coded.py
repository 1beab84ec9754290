"""Reads the words of the coded voice (`ringline.workers.tts.coded`) back from a recording."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ringline.workers.tts.coded import AMPLITUDE, BEGIN_HZ, END_HZ, HIGH_HZ, LOW_HZ

SILENT = AMPLITUDE / 10
"""-40 dBFS. Above mu-law's noise, and a word passes it within a millisecond."""
LONGEST_NULL_MS = 4
"""Tones cancel each other for less than that inside a word; the gap between two words is longer."""
MARK_MS = 15
"""How much of a word's beginning and end is looked at for its marks."""
SHORTEST_MS = 12
"""Less of a word cannot be told from another's."""


class HeardWord(NamedTuple):
    """A word in a recording, or what is left of it."""

    code: int
    """The word's number in its phrase, modulo NUM_CODES; -1: too little of it to tell."""
    start_sample: int
    end_sample: int
    """Behind its last sample."""
    begins: bool
    """Whether its beginning is there ..."""
    ends: bool
    """... and its end."""

    @property
    def complete(self) -> bool:
        """Whether it is there from its beginning to its end."""
        return self.begins and self.ends


def words_heard(samples: npt.NDArray[np.int16], rate_hz: int) -> list[HeardWord]:
    """The words in int16 mono ``samples``, in order; start and end to about a millisecond."""
    loud = np.flatnonzero(np.abs(np.asarray(samples, np.float64)) > SILENT)
    if loud.size == 0:
        return []
    breaks = np.flatnonzero(np.diff(loud) > rate_hz * LONGEST_NULL_MS // 1000)
    starts = loud[np.concatenate(([0], breaks + 1))]
    ends = loud[np.concatenate((breaks, [loud.size - 1]))] + 1
    return [_word(samples, int(start), int(end), rate_hz) for start, end in zip(starts, ends, strict=True)]


def _word(samples: npt.NDArray[np.int16], start: int, end: int, rate_hz: int) -> HeardWord:
    sound = np.asarray(samples[start:end], np.float64)
    low, high = ([goertzel(sound, hz, rate_hz) for hz in tones] for tones in (LOW_HZ, HIGH_HZ))
    if end - start < rate_hz * SHORTEST_MS // 1000 or not (_clear(low) and _clear(high)):
        return HeardWord(-1, start, end, False, False)
    mark = min(rate_hz * MARK_MS // 1000, (end - start) // 3)
    begins = goertzel(sound[:mark], BEGIN_HZ, rate_hz) > AMPLITUDE / 2
    ends = goertzel(sound[-mark:], END_HZ, rate_hz) > AMPLITUDE / 2
    code = int(np.argmax(high)) * len(LOW_HZ) + int(np.argmax(low))
    return HeardWord(code, start, end, begins, ends)


def _clear(amplitudes: list[float]) -> bool:
    """Whether one tone stands out by 6 dB."""
    first, second = sorted(amplitudes, reverse=True)[:2]
    return first > AMPLITUDE / 2 and first > 2 * second


def goertzel(samples: npt.NDArray[np.float64], hz: float, rate_hz: int) -> float:
    """Amplitude of a sine of this frequency in ``samples``."""
    phase = 2 * np.pi * hz * np.arange(samples.shape[0]) / rate_hz
    window = np.hanning(samples.shape[0] + 2)[1:-1]
    return float(2 * abs(np.sum(samples * window * np.exp(-1j * phase))) / np.sum(window))
