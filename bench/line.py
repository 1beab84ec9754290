"""What telephone lines do to a call, for benches and tests: echo of what was sent, noise, a caller over the bot.

Signals are int16 at 16 kHz, as they stand in the caller and line rings. Seeded: the same generator makes the same line.
"""

from __future__ import annotations

import math

import numpy as np

from ringline.workers.audio import codecs
from ringline.workers.audio.levels import loudest_block
from ringline.workers.audio.resample import Resampler

Samples = np.ndarray[tuple[int], np.dtype[np.int16]]
Path = np.ndarray[tuple[int], np.dtype[np.float64]]

WIRE_HZ, RING_HZ = 8_000, 16_000

LONGEST_CONSONANT_MS = 100
PITCHED = 0.7
"""Likeness of a voice's periods, as normalised correlation."""


def clipped(samples: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Samples:
    """Rounded to int16."""
    return np.clip(np.rint(samples), -32_768, 32_767).astype(np.int16)


def resampled(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """The whole of ``samples`` at another rate, without the filter's delay."""
    resampler = Resampler(from_hz, to_hz)
    made = np.concatenate([resampler.process(samples), resampler.flush()])
    return made[round(resampler.design.delay_s * to_hz) :]


def telephone_band(samples: Samples) -> Samples:
    """Over an 8 kHz mu-law wire and back, without delay; as long as ``samples``."""
    wire = codecs.decode(codecs.encode(resampled(samples, RING_HZ, WIRE_HZ), "mulaw"), "mulaw")
    made = np.zeros(samples.shape[0], np.int16)
    back = resampled(wire, WIRE_HZ, RING_HZ)[: made.shape[0]]
    made[: back.shape[0]] = back
    return made


def hybrid(rng: np.random.Generator) -> Path:
    """A two-to-four-wire hybrid: an impulse response of 4 to 8 ms at 8 kHz that loses no power on white noise."""
    size = int(rng.integers(32, 64))
    path = rng.normal(0, 1, size) * np.exp(-np.arange(size) / rng.uniform(4, 10))
    path[: int(rng.integers(1, 6))] *= 0.2
    return path / float(np.sqrt((path**2).sum()))


def loudspeaker(rng: np.random.Generator) -> Path:
    """A telephone on a table: a direct path and a small room's decay of 60 ms, at 8 kHz."""
    path = rng.normal(0, 1, 480) * np.exp(-np.arange(480) / 110) * 0.25
    path[int(rng.integers(4, 12))] += 1.0
    return path / float(np.sqrt((path**2).sum()))


def echo(sent: Samples, path: Path, delay_ms: float, loss_db: float) -> Samples:
    """What comes back of ``sent``: later, through the path, ``loss_db`` weaker. As long as ``sent``; not encoded."""
    wire = resampled(sent, RING_HZ, WIRE_HZ).astype(np.float64)
    delay = round(delay_ms * WIRE_HZ / 1000)
    late = np.concatenate([np.zeros(delay), np.convolve(wire, path)]) * 10 ** (-loss_db / 20)
    made = np.zeros(sent.shape[0], np.int16)
    back = resampled(clipped(late), WIRE_HZ, RING_HZ)[: made.shape[0]]
    made[: back.shape[0]] = back
    return made


def mixed(*signals: Samples) -> Samples:
    """The sum, as long as the longest."""
    total = np.zeros(max(signal.shape[0] for signal in signals), np.float64)
    for signal in signals:
        total[: signal.shape[0]] += signal
    return clipped(total)


def placed(samples: Samples, start: int, length: int) -> Samples:
    """``samples`` from index ``start`` on, in silence of so many samples."""
    made = np.zeros(length, np.int16)
    part = samples[: max(0, length - start)]
    made[start : start + part.shape[0]] = part
    return made


def from_onset(samples: Samples, below_loudest_db: float = 25.0) -> Samples:
    """Speech from the first sound that lasts: 30 ms within ``below_loudest_db`` (less 5 dB) of the loudest 5 ms.

    Recordings begin with breath, clicks and the room; how soon speech is heard can only be measured from its start.
    """
    threshold = loudest_block(samples, RING_HZ) * 10 ** (-below_loudest_db / 10)
    power = _block_power(samples)
    for first in range(power.shape[0] - 6):
        if power[first] >= threshold and (power[first : first + 6] >= threshold / math.sqrt(10)).sum() >= 5:
            return samples[first * (RING_HZ // 200) :]
    return samples


def from_voice(samples: Samples) -> Samples:
    """As `from_onset`, and not earlier than a long consonant before the first pitch: no breath, and no noise.

    A voice has a pitch where 40 ms within 20 dB of the loudest resemble themselves a period later (60 to 400 Hz), four
    times in a row at steps of 10 ms.
    """
    speech = from_onset(samples)
    wide = speech.astype(np.float64)
    size, step, longest = RING_HZ * 40 // 1000, RING_HZ // 100, RING_HZ // 60
    starts = range(0, wide.shape[0] - size - longest, step)
    levels = [float((wide[start : start + size] ** 2).mean()) for start in starts]
    in_a_row = 0
    for start, level in zip(starts, levels, strict=True):
        in_a_row = in_a_row + 1 if level >= max(levels) / 100 and _likeness(wide, start, size, longest) > PITCHED else 0
        if in_a_row == 4:
            return speech[max(0, start - 3 * step - LONGEST_CONSONANT_MS * RING_HZ // 1000) :]
    return speech


def noise_db(samples: Samples) -> float:
    """How far below the loudest 5 ms a recording's own noise is: the twentieth of it that is quietest."""
    power = _block_power(samples)
    return 10 * math.log10(float(np.quantile(power, 0.05)) / float(power.max()) + 1e-9)


def _block_power(samples: Samples) -> Path:
    block = RING_HZ // 200
    power: Path = (samples[: samples.shape[0] // block * block].astype(np.float64).reshape(-1, block) ** 2).mean(axis=1)
    return power


def _likeness(wide: Path, start: int, size: int, longest: int) -> float:
    piece = wide[start : start + size]
    power = float(piece @ piece) + 1.0
    best = 0.0
    for lag in range(RING_HZ // 400, longest, 2):
        later = wide[start + lag : start + lag + size]
        best = max(best, float(piece @ later) / math.sqrt(power * (float(later @ later) + 1.0)))
    return best
