"""How loud audio is, and where it can be heard: one definition for the VAD and for measurements on the wire.

A stretch of 5 ms is *audible* when its RMS is at most `AUDIBLE_RANGE_DB` below that of the loudest, and not below
`AUDIBLE_FLOOR_DBFS`. The VAD dates the end of speech by this rule, and the simulated caller measures response times by
it, so that both name the same moment. All stretches count, whatever sample they begin at: on a grid of blocks, a fading
consonant ends up to 50 ms earlier or later by where the grid happens to lie.

0 dBFS is the RMS of a full-scale square wave (32768); a full-scale sine has -3 dBFS. Sums are integers: exact, and
the same on every machine.
"""

from __future__ import annotations

import math

import numpy as np

from ringline.ipc.jit import compiled

Samples = np.ndarray[tuple[int], np.dtype[np.int16]]

BLOCKS_PER_S = 200
"""Of 5 ms: a quarter of a frame, and still a whole period of a voice of 200 Hz or half of a very low one."""
AUDIBLE_RANGE_DB = 35.0
"""Speech keeps within 30 dB of its loudest vowel down to weak fricatives; a clean line's noise lies further below."""
AUDIBLE_FLOOR_DBFS = -55.0
"""Well above mu-law's idle noise (steps of 8 around zero: -72 dBFS), below any voice that a caller could follow."""

FULL_SCALE = 32768.0
SILENCE_DBFS = -120.0
"""What `rms_dbfs` says of digital silence: less than one step of 16 bits in a second of audio."""

_RANGE = 10.0 ** (-AUDIBLE_RANGE_DB / 10.0)
_FLOOR_MEAN_SQUARE = FULL_SCALE**2 * 10.0 ** (AUDIBLE_FLOOR_DBFS / 10.0)


@compiled
def mean_square(samples: Samples, start: int, end: int) -> float:
    """Mean of the squares of ``samples[start:end]`` (int16); 0 for none."""
    total: np.int64 = np.int64(0)
    # Unsigned: numba lets signed indexes count from the end, and that test keeps the loop from becoming vector code.
    for i in range(np.uint64(start), np.uint64(end)):
        value = np.int64(samples[i])
        total += value * value
    return float(total) / max(1, end - start)


@compiled
def loudest_block(samples: Samples, rate_hz: int) -> float:
    """Mean square of the loudest 5 ms of int16 ``samples``; of all of them where they are shorter. 0 for none."""
    block = min(rate_hz // BLOCKS_PER_S, samples.shape[0])
    total = np.int64(0)
    for i in range(block):
        total += np.int64(samples[i]) * np.int64(samples[i])
    loudest = total
    for i in range(block, samples.shape[0]):
        total += np.int64(samples[i]) * np.int64(samples[i])
        total -= np.int64(samples[i - block]) * np.int64(samples[i - block])
        loudest = max(loudest, total)
    return float(loudest) / max(1, block)


@compiled
def audible_from(loudest: float) -> float:
    """The mean square from which a block is audible beside a loudest block of mean square ``loudest``."""
    threshold: float = max(loudest * _RANGE, _FLOOR_MEAN_SQUARE)
    return threshold


@compiled
def last_audible_beside(samples: Samples, rate_hz: int, loudest: float) -> int:
    """Like `last_audible`, where the loudest 5 ms (their mean square) need not be among ``samples``."""
    block = min(rate_hz // BLOCKS_PER_S, samples.shape[0])
    threshold = audible_from(loudest)
    total = np.int64(0)
    for i in range(samples.shape[0] - block, samples.shape[0]):
        total += np.int64(samples[i]) * np.int64(samples[i])
    end = samples.shape[0]
    while total < threshold * block:
        end -= 1
        if end < block:
            return 0
        total -= np.int64(samples[end]) * np.int64(samples[end])
        total += np.int64(samples[end - block]) * np.int64(samples[end - block])
    # No mean is above the greatest of its squares: the loop ends within the stretch.
    while end > 0 and np.int64(samples[end - 1]) * np.int64(samples[end - 1]) < threshold:
        end -= 1
    return end


@compiled
def last_audible(samples: Samples, rate_hz: int) -> int:
    """Index behind the last audible sample of int16 mono ``samples``; 0 if nothing is audible.

    That is the last sample in the last audible 5 ms that is itself as loud as an audible RMS.
    """
    return last_audible_beside(samples, rate_hz, loudest_block(samples, rate_hz))


@compiled
def first_audible(samples: Samples, rate_hz: int) -> int:
    """Index of the first sample that can be heard; -1 if there is none.

    It is the first sample at or above `AUDIBLE_FLOOR_DBFS` in the first 5 ms whose RMS is. The loudest plays no part:
    who waits for the first sound does not yet know how loud it will become.
    """
    block = min(rate_hz // BLOCKS_PER_S, samples.shape[0])
    total = np.int64(0)
    for i in range(samples.shape[0]):
        total += np.int64(samples[i]) * np.int64(samples[i])
        if i >= block:
            total -= np.int64(samples[i - block]) * np.int64(samples[i - block])
        if i >= block - 1 and total >= _FLOOR_MEAN_SQUARE * block:
            start = i - block + 1
            while start < i and np.int64(samples[start]) * np.int64(samples[start]) < _FLOOR_MEAN_SQUARE:
                start += 1
            return start
    return -1


def rms_dbfs(samples: Samples) -> float:
    """RMS of int16 samples in dBFS, never below `SILENCE_DBFS`."""
    power = float(mean_square(samples, 0, samples.shape[0])) / FULL_SCALE**2
    return 10.0 * math.log10(power) if power > 10.0 ** (SILENCE_DBFS / 10.0) else SILENCE_DBFS
