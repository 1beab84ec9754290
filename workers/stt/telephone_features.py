"""Features for an acoustic model that was trained on wideband speech, from telephone audio.

The en-us model of the pocketsphinx wheel knows speech up to 6.8 kHz, a telephone ends at 3.4 kHz. Fed with it as it is,
the upper bands are empty, and it mistakes one phrase for another. Here these bands are estimated from the lower ones
(bandwidth.py), loudness is evened, and the mean is removed against a running mean that starts from usual telephone
speech, so that the first word of a call is as good as the last.

The rest is sphinx's own front end, to the number: 25.6 ms Hamming windows every 10 ms, pre-emphasis 0.97, 25 mel bands
from 130 to 6800 Hz, 13 cepstra (DCT-II), lifter 22.
"""

from __future__ import annotations

import numpy as np

from ringline.workers.stt import bandwidth
from ringline.workers.stt.backend import Samples

RATE_HZ = 16_000
SHIFT = 160
WINDOW = 410
NUM_FFT = 512
NUM_BANDS = 25
NUM_CEPSTRA = 13
LOW_HZ, HIGH_HZ = 130.0, 6_800.0
PRE_EMPHASIS = 0.97
LIFTER = 22
FLOOR = 3_000.0
"""Added to each band's power: what lies below is the codec's noise, and no part of a word."""
MEAN_WEIGHT = 100
"""Frames of usual speech that the running mean starts from: a second, after which the call's own speech prevails."""

HOLD_S = 0.6
"""So much audio is held back until its loudness is known: preroll, and the first word. What follows is scaled alike. It
costs no time: recognition is twenty times faster than speech and catches up at once."""
USUAL_RMS = 32_768 * 10 ** (-14 / 20)
"""Loudest 20 ms of usual telephone speech (-20 dBFS over an utterance); what the constants were fitted at."""
MAX_GAIN, MIN_GAIN = 16.0, 0.25
"""24 dB up at most: beyond that it is the line's noise that would be made loud."""

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]
Cepstra = np.ndarray[tuple[int, int], np.dtype[np.float32]]


def _mel_filters() -> Matrix:
    """[NUM_BANDS, NUM_FFT // 2 + 1]: triangles of unit area between FFT bins, as sphinx places them."""
    mel = np.linspace(2595 * np.log10(1 + LOW_HZ / 700), 2595 * np.log10(1 + HIGH_HZ / 700), NUM_BANDS + 2)
    bin_hz = RATE_HZ / NUM_FFT
    edges_hz = np.floor(700 * (10 ** (mel / 2595) - 1) / bin_hz + 0.5) * bin_hz
    frequencies_hz = np.arange(NUM_FFT // 2 + 1) * bin_hz
    left, centre, right = edges_hz[:-2, None], edges_hz[1:-1, None], edges_hz[2:, None]
    rising = (frequencies_hz - left) / (centre - left)
    falling = (right - frequencies_hz) / (right - centre)
    filters: Matrix = np.maximum(0.0, np.minimum(rising, falling)) * 2 / (right - left)
    return filters


MEL_FILTERS = _mel_filters()
_HAMMING = np.hamming(WINDOW)
_MEAN = np.array(bandwidth.MEAN_LOG_MEL)
_BANDS: Matrix = np.eye(NUM_BANDS)
_BANDS[:, bandwidth.NUM_LOW :] = bandwidth.HIGH_FROM_ALL
_i = np.arange(NUM_CEPSTRA)[:, None]
_DCT = np.cos(np.pi * _i * (np.arange(NUM_BANDS) + 0.5) / NUM_BANDS) * np.where(
    _i == 0, np.sqrt(1 / NUM_BANDS), np.sqrt(2 / NUM_BANDS)
)
_LIFT = 1 + LIFTER / 2 * np.sin(np.arange(NUM_CEPSTRA) * np.pi / LIFTER)
_TO_CEPSTRA = _BANDS @ (_DCT.T * _LIFT)
"""[NUM_BANDS, NUM_CEPSTRA]: bandwidth extension, cosine transform and lifter are one matrix."""


class TelephoneFeatures:
    """The front end of one utterance, streaming."""

    def __init__(self) -> None:
        self._held: list[Samples] = []
        self._gain = 0.0  # not known yet
        self._rest = np.zeros(0)
        self._last_sample = 0.0
        self._sum = MEAN_WEIGHT * _MEAN
        self._num_frames = MEAN_WEIGHT

    def feed(self, samples: Samples, last: bool = False) -> Cepstra:
        """int16 at 16 kHz, any number -> float32 [frames, NUM_CEPSTRA], the frames that are known by them.

        ``last``: nothing will follow, nothing is held back.
        """
        if not self._gain:
            self._held.append(samples)
            if not last and sum(held.shape[0] for held in self._held) < HOLD_S * RATE_HZ:
                return np.zeros((0, NUM_CEPSTRA), np.float32)
            samples = np.concatenate(self._held)
            self._held.clear()
            self._gain = _gain_for(samples)
        return self._frames(samples.astype(np.float64) * self._gain)

    def _frames(self, new: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Cepstra:
        emphasized = new - PRE_EMPHASIS * np.concatenate([[self._last_sample], new[:-1]])[: new.shape[0]]
        if new.shape[0]:
            self._last_sample = float(new[-1])
        signal = np.concatenate([self._rest, emphasized])
        num_frames = max(0, (signal.shape[0] - WINDOW) // SHIFT + 1)
        self._rest = signal[num_frames * SHIFT :]
        if num_frames == 0:
            return np.zeros((0, NUM_CEPSTRA), np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(signal, WINDOW)[: num_frames * SHIFT : SHIFT]
        power = np.abs(np.fft.rfft(windows * _HAMMING, NUM_FFT)) ** 2
        log_mel = np.log(power @ MEL_FILTERS.T + FLOOR)
        sums = self._sum + np.cumsum(log_mel, axis=0)
        counts = self._num_frames + np.arange(1, num_frames + 1)
        self._sum = sums[-1]
        self._num_frames = int(counts[-1])
        cepstra: Cepstra = ((log_mel - sums / counts[:, None]) @ _TO_CEPSTRA).astype(np.float32)
        return cepstra


def _gain_for(samples: Samples) -> float:
    """What brings the loudest 20 ms of int16 samples to `USUAL_RMS`, within bounds."""
    block = RATE_HZ // 50
    blocks = samples[: samples.shape[0] // block * block].astype(np.float64).reshape(-1, block)
    loudest = float(np.sqrt((blocks**2).mean(axis=1).max(initial=1.0)))
    return min(MAX_GAIN, max(MIN_GAIN, USUAL_RMS / loudest))
