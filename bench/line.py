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

ABOVE_NOISE = 10.0
"""10 dB: more than a room's noise varies between blocks of 5 ms."""


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
    """Speech from the first sound that lasts: 30 ms within ``below_loudest_db`` (less 5 dB) of the loudest 5 ms, and
    above what the recording's own noise is (`ABOVE_NOISE` over its quietest twentieth).

    Recordings begin with breath, clicks and the room; how soon a *voice* is heard can only be measured from its start.
    """
    block = RING_HZ // 200
    wide = samples[: samples.shape[0] // block * block].astype(np.float64).reshape(-1, block)
    power = (wide**2).mean(axis=1)
    audible = loudest_block(samples, RING_HZ) * 10 ** (-below_loudest_db / 10)
    threshold = max(audible, float(np.quantile(power, 0.05)) * ABOVE_NOISE)
    for first in range(power.shape[0] - 6):
        if power[first] >= threshold and (power[first : first + 6] >= threshold / math.sqrt(10)).sum() >= 5:
            return samples[first * block :]
    return samples
