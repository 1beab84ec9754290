"""Speech in frames of 10 ms: loudness, pitch, voicing and timbre, as far as a telephone lets them through.

A telephone takes away the fundamental of most voices; its harmonics still repeat with its period, so the pitch is found
by autocorrelation. All arrays have one value per frame.
"""

from __future__ import annotations

from itertools import pairwise

import msgspec
import numpy as np

Samples = np.ndarray[tuple[int], np.dtype[np.int16]]
Values = np.ndarray[tuple[int], np.dtype[np.float64]]
Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]

RATE_HZ = 8_000
"""What the frames are made of: every second sample of a caller ring. Telephone speech ends below 4 kHz."""
HOP = RATE_HZ // 100
WINDOW = 320
"""40 ms: two periods of a voice of 50 Hz."""
FFT = 512
"""A window and as much silence, so that the autocorrelation does not wrap around."""
LOWEST_HZ, HIGHEST_HZ = 60.0, 420.0
"""Voices of adults and children, creak included."""
VOICED = 0.45
"""Autocorrelation (of 1) from which a frame counts as voiced."""
FLOOR_DB = -60.0
"""Below the loudest frame; what is quieter counts as this."""

_LAG_HZ = 2 * RATE_HZ
"""Lags in half samples: between two samples the peak of a high voice would look lower than its double period's."""
_SHORTEST, _LONGEST = int(_LAG_HZ / HIGHEST_HZ), int(_LAG_HZ / LOWEST_HZ)
_HANN = np.hanning(WINDOW + 2)[1:-1]
_OF_WINDOW = np.fft.irfft(np.abs(np.fft.rfft(_HANN, FFT)) ** 2, 2 * FFT)[: _LONGEST + 2]
_HZ = np.fft.rfftfreq(FFT, 1 / RATE_HZ)
_PITCH_BAND = ((_HZ >= 80) & (_HZ <= 1_600)).astype(np.float64)
"""Harmonics above say little about the period of a voice and much about noise."""
BAND_EDGES_HZ = (100, 300, 500, 750, 1_050, 1_400, 1_850, 2_400, 3_000, 3_600)
_BANDS = np.stack([(low <= _HZ) & (high > _HZ) for low, high in pairwise(BAND_EDGES_HZ)])
_BANDS_T = np.ascontiguousarray(_BANDS.T.astype(np.float64))


class Frames(msgspec.Struct, frozen=True, eq=False):
    """Some seconds of speech."""

    level_db: Values
    """Relative to the loudest frame, at least `FLOOR_DB`."""
    semitones: Values
    """Pitch relative to the median of all voiced frames; NaN where there is none."""
    harmonicity: Values
    """0 for noise to 1 for a clear voice."""
    bands_db: Matrix
    """[frames, bands] levels of the bands between `BAND_EDGES_HZ`, each relative to the whole frame's."""
    pitch_hz: float
    """That median; 0 where nothing is voiced."""


def analyse(samples: Samples) -> Frames:
    """The frames of int16 samples at 16 kHz; the last frame ends with the last sample. None for less than a window."""
    narrow = samples[(samples.shape[0] % 2) :: 2].astype(np.float64)
    count = max(0, (narrow.shape[0] - WINDOW) // HOP + 1)
    if count == 0:
        nothing = np.zeros(0)
        return Frames(nothing, nothing, nothing, np.zeros((0, _BANDS.shape[0])), 0.0)
    narrow = narrow[narrow.shape[0] - WINDOW - (count - 1) * HOP :]
    windows = np.lib.stride_tricks.sliding_window_view(narrow, WINDOW)[::HOP] * _HANN
    power = np.abs(np.fft.rfft(windows, FFT)) ** 2
    total = power.sum(axis=1)
    level_db = 10.0 * np.log10(total + 1e-3)
    level_db = np.maximum(level_db - level_db.max(), FLOOR_DB)
    bands = power @ _BANDS_T
    bands_db = 10.0 * np.log10((bands + 1.0) / (total + 10.0)[:, None])
    semitones, harmonicity, pitch_hz = _pitch(power, level_db)
    return Frames(level_db, semitones, harmonicity, bands_db, pitch_hz)


def _pitch(power: Matrix, level_db: Values) -> tuple[Values, Values, float]:
    """(semitones, harmonicity, median in Hz) by two looks: the second keeps to the octave where the voice mostly is."""
    correlation = np.fft.irfft(power * _PITCH_BAND, 2 * FFT)[:, : _LONGEST + 2]
    correlation = correlation / (correlation[:, :1] + 1e-3) / (_OF_WINDOW / _OF_WINDOW[0])
    # Of equal peaks the first is the period; the others are its multiples.
    lags = np.arange(_LONGEST + 2)
    weighted = correlation - 0.1 * lags / _LONGEST
    loud = level_db > -30.0
    lag, height = _peak(weighted, correlation, _SHORTEST, _LONGEST)
    sure = loud & (height > VOICED)
    if not sure.any():
        return np.full(level_db.shape[0], np.nan), np.clip(height, 0.0, 1.0), 0.0
    middle = float(np.median(lag[sure]))
    first = max(_SHORTEST, int(middle / 1.7))
    lag, height = _peak(weighted, correlation, first, min(_LONGEST, int(middle * 2.2)))
    voiced = loud & (height > VOICED)
    if not voiced.any():
        return np.full(level_db.shape[0], np.nan), np.clip(height, 0.0, 1.0), 0.0
    median = float(np.median(lag[voiced]))
    semitones = np.where(voiced, 12.0 * np.log2(median / lag), np.nan)
    return semitones, np.clip(height, 0.0, 1.0), _LAG_HZ / median


def _peak(weighted: Matrix, correlation: Matrix, first: int, last: int) -> tuple[Values, Values]:
    """(lag, height) of each frame's highest peak between two lags, the lag to a fraction of a sample."""
    rows = np.arange(weighted.shape[0])
    best = first + np.argmax(weighted[:, first : last + 1], axis=1)
    left, centre, right = (correlation[rows, best + step] for step in (-1, 0, 1))
    bend = left - 2.0 * centre + right
    shift = np.where(bend < -1e-9, 0.5 * (left - right) / np.where(bend < -1e-9, bend, 1.0), 0.0)
    return best + np.clip(shift, -0.5, 0.5), centre
