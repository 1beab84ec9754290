"""Whisper's log mel spectrum of an utterance that is still being spoken: every frame is computed once.

As faster-whisper's own front end computes it: 25 ms Hann windows every 10 ms, centred, the first ones mirrored at the
start. Whisper cuts off what lies 8 (80 dB) below the loudest value, which is known only at the end: raw logarithms are
kept, and scaled anew for each pass. One thing differs: the loudest is brought to the same level, as if the line's gain
had been set right, so that silence is always the same, too.
"""

from __future__ import annotations

import numpy as np

from ringline.workers.stt.backend import Samples

RATE_HZ = 16_000
HOP = 160
NUM_FFT = 400
FRAMES_PER_S = RATE_HZ // HOP
FLOOR_LOG = -10.0
"""Log10 of silence, as Whisper clips it."""
RANGE_LOG = 8.0
LOUDEST = 1.25
"""Of a window, as Whisper scales it: a usual value for speech."""
SILENCE = LOUDEST - RANGE_LOG / 4.0

Mel = np.ndarray[tuple[int, int], np.dtype[np.float32]]

_HANN = np.hanning(NUM_FFT + 1)[:-1].astype(np.float32)


class LogMel:
    """The front end of one utterance, streaming."""

    def __init__(self, filters: Mel) -> None:
        """``filters``: [num_mels, NUM_FFT // 2 + 1], the model's."""
        self._filters = filters
        self._signal = np.zeros(0, np.float32)
        """What frames to come need: from ``NUM_FFT // 2`` samples before the centre of the next one."""
        self._num_samples = 0
        self._frames = np.zeros((0, filters.shape[0]), np.float32)
        self._num_frames = 0

    @property
    def num_samples(self) -> int:
        """So much was fed."""
        return self._num_samples

    def feed(self, samples: Samples) -> None:
        """int16 mono at 16 kHz, any number."""
        new = samples.astype(np.float32) / 32_768.0
        half = NUM_FFT // 2
        before = self._num_samples
        self._num_samples += new.shape[0]
        self._signal = np.concatenate([self._signal, new])
        if before <= half < self._num_samples:
            self._signal = np.concatenate([self._signal[half:0:-1], self._signal])
        if self._num_samples > half:
            self._append(_log_mel(self._signal, self._filters))

    def window(self, start_sample: int, end_sample: int, num_frames: int) -> Mel:
        """float32 [num_mels, num_frames] as Whisper wants it: the audio from ``start_sample`` (a multiple of `HOP`) to
        ``end_sample``, or to the last that was fed, and silence behind it."""
        start = start_sample // HOP
        if end_sample < self._num_samples:
            log = self._frames[start : min(self._num_frames, end_sample // HOP)]
        else:
            log = np.concatenate([self._frames[start : self._num_frames], self._last_frames()])
        log = log[:num_frames]
        log = np.concatenate([log, np.full((num_frames - log.shape[0], log.shape[1]), FLOOR_LOG, np.float32)])
        scaled: Mel = np.maximum(log - log.max(), -RANGE_LOG) / 4.0 + LOUDEST
        return np.ascontiguousarray(scaled.T)

    def _last_frames(self) -> Mel:
        """The frames that begin in what was fed and end behind it, as if silence followed."""
        count = -(-(self._num_samples + NUM_FFT // 2) // HOP) - self._num_frames
        if self._num_samples <= NUM_FFT // 2:
            count = 0
        return _log_mel(np.concatenate([self._signal, np.zeros(NUM_FFT, np.float32)]), self._filters)[:count]

    def _append(self, frames: Mel) -> None:
        end = self._num_frames + frames.shape[0]
        if end > self._frames.shape[0]:
            grown = np.zeros((max(2 * end, 4 * FRAMES_PER_S), self._filters.shape[0]), np.float32)
            grown[: self._num_frames] = self._frames[: self._num_frames]
            self._frames = grown
        self._frames[self._num_frames : end] = frames
        self._num_frames = end
        self._signal = self._signal[frames.shape[0] * HOP :]


def _log_mel(signal: np.ndarray[tuple[int], np.dtype[np.float32]], filters: Mel) -> Mel:
    """float32 [frames, num_mels]: log10 of all whole windows of a signal."""
    if signal.shape[0] < NUM_FFT:
        return np.zeros((0, filters.shape[0]), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(signal, NUM_FFT)[::HOP]
    power = np.abs(np.fft.rfft(windows * _HANN)) ** 2
    log: Mel = np.log10(np.maximum(power.astype(np.float32) @ filters.T, 10.0**FLOOR_LOG)).astype(np.float32)
    return log
