"""A resampler for live audio: a short polyphase FIR, streaming, at most 2 ms late.

The filter is a Kaiser-windowed sinc, 4 ms long at every rate, hence linear in phase and 2 ms late. Its length fixes the
product of steepness and attenuation: the response falls from 0 to the stop band within about 1 kHz below and around
half the lower rate. At 8 kHz to 16 kHz and back it is flat within 0.1 dB up to 3.4 kHz, and attenuates everything from
4.4 kHz on by at least 60 dB, which mu-law's own noise (37 dB below the signal) hides by far. ``tests/audio/
test_resample.py`` measures all of this; ``response_db`` below gives any design's response.

Chunking never shows: every output sample is the same sum in the same order, wherever the input was cut.
"""

from __future__ import annotations

import math
from functools import lru_cache

import msgspec
import numpy as np

from ringline.ipc.jit import compiled, compiled_sums

Samples = np.ndarray[tuple[int], np.dtype[np.int16]]
Taps = np.ndarray[tuple[int], np.dtype[np.float32]]
State = np.ndarray[tuple[int], np.dtype[np.int64]]

FILTER_S = 0.004
"""Length of the filter: twice the delay it adds."""
TRANSITION_HZ = 940.0
"""Width of the fall from pass band to stop band. With 4 ms of filter it leaves room for `ATTENUATION_DB`."""
ATTENUATION_DB = 62.0
"""Stop band of the ideal filter: Kaiser's formula, A = 8 + 2.285 * 2 pi * TRANSITION_HZ * FILTER_S."""

MIN_RATE_HZ = 4_000
MAX_RATE_HZ = 192_000
MAX_TAPS_PER_PHASE = round(FILTER_S * MAX_RATE_HZ)
"""The longest inner product: a filter of 4 ms at 192 kHz."""
HISTORY_SIZE = MAX_TAPS_PER_PHASE + 960
"""Best length of a history row: the taps, and 20 ms at 48 kHz, so that a frame is one pass."""
STATE_SIZE = 2
"""Length of a state row: input samples to skip before the next output sample, and its phase."""

_MAX_TAPS = 1 << 22


class Design(msgspec.Struct, frozen=True, eq=False):
    """A filter between two rates. A stream starts with state and history rows of zeros."""

    up: int
    down: int
    """Output rate = input rate * up / down, in lowest terms."""
    taps: Taps
    """float32 [up * taps_per_phase], phase-major; within a phase the oldest input sample's tap comes first. Shared: not
    to be written. (Not marked so, because to numba a read-only array is a type of its own, compiled anew.)"""
    taps_per_phase: int
    delay_s: float
    """Output sample m shows the input at m / to_hz - delay_s."""


@lru_cache(maxsize=64)
def design(from_hz: int, to_hz: int) -> Design:
    """The filter from one rate to another; up = down = 1 without delay where they are equal.

    Raises ValueError for rates outside 4 to 192 kHz, or of such a ratio that the filter would need over 4 million taps.
    """
    for rate_hz in (from_hz, to_hz):
        if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
            raise ValueError(f"{rate_hz} Hz lies outside {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz")
    divisor = math.gcd(from_hz, to_hz)
    up, down = to_hz // divisor, from_hz // divisor
    if up == down:
        return Design(1, 1, np.ones(1, np.float32), 1, 0.0)
    taps_per_phase = math.floor(FILTER_S * from_hz)
    num_taps = up * taps_per_phase
    if num_taps > _MAX_TAPS:
        raise ValueError(f"{from_hz} Hz to {to_hz} Hz has no small ratio ({up}:{down})")
    centre = (num_taps - 1) / 2
    time_s = (np.arange(num_taps) - centre) / (up * from_hz)
    # The stop band begins as far above half the lower rate as the pass band ends below it, less a little: what would
    # fold back around half the rate matters less than what is there.
    cutoff_hz = min(from_hz, to_hz) / 2 - 0.15 * TRANSITION_HZ
    beta = 0.1102 * (ATTENUATION_DB - 8.7)  # Kaiser's formula for more than 50 dB
    prototype = np.sinc(2 * cutoff_hz * time_s) * np.kaiser(num_taps, beta)
    phases = prototype.reshape(taps_per_phase, up).T[:, ::-1]
    # Every phase passes a constant unchanged: no hum at the ratio's period on a signal with an offset.
    phases = phases / phases.sum(axis=1, keepdims=True)
    taps = np.ascontiguousarray(phases, np.float32).reshape(-1)
    return Design(up, down, taps, taps_per_phase, centre / (up * from_hz))


@compiled
def max_output(num_samples: int, up: int, down: int) -> int:
    """The most samples that `resample_block` makes of ``num_samples``."""
    return (num_samples * up + down - 1) // down


# Sums may be reordered (so that they become vector instructions); they are reordered at compile time, so that any one
# output sample is the same sum whatever chunk it falls into.
@compiled_sums
def _inner_product(taps: Taps, first_tap: int, samples: Taps, first_sample: int, count: int) -> float:
    total = np.float32(0)
    # Unsigned: numba lets signed indexes count from the end, and that test keeps the loop from becoming vector code.
    tap = np.uint64(first_tap)
    sample = np.uint64(first_sample)
    for i in range(np.uint64(count)):
        total += taps[tap + i] * samples[sample + i]
    return total  # type: ignore[return-value]  # float32, as numba sees it


@compiled
def resample_block(
    taps: Taps,
    up: int,
    down: int,
    taps_per_phase: int,
    state: State,
    history: Taps,
    source: Samples,
    target: Samples,
) -> int:
    """Resample all of int16 ``source`` into ``target``; rounded and saturated. Returns the number of samples written.

    ``state`` (int64 [STATE_SIZE]) and ``history`` (float32, at least `MAX_TAPS_PER_PHASE`, best `HISTORY_SIZE`) are the
    stream's own; zeros start a stream. Raises ValueError where ``target`` has no room for `max_output`, or ``history``
    none for the filter.
    """
    if target.shape[0] < max_output(source.shape[0], up, down):
        raise ValueError("the target is too small for the resampled block")
    if history.shape[0] < taps_per_phase:
        raise ValueError("the history is shorter than the filter")
    if up == down:
        target[: source.shape[0]] = source
        return source.shape[0]
    skip = state[0]
    phase = state[1]
    step = down // up
    phase_step = down % up
    kept = taps_per_phase - 1
    written = 0
    done = 0
    while done < source.shape[0]:
        count = min(source.shape[0] - done, history.shape[0] - kept)
        for i in range(count):
            history[kept + i] = source[done + i]
        while skip < count:
            value = _inner_product(taps, phase * taps_per_phase, history, skip, taps_per_phase)
            target[written] = np.int16(max(-32768.0, min(32767.0, np.rint(value))))
            written += 1
            skip += step
            phase += phase_step
            if phase >= up:
                phase -= up
                skip += 1
        skip -= count
        for i in range(kept):
            history[i] = history[count + i]
        done += count
    state[0] = skip
    state[1] = phase
    return written


class Resampler:
    """One stream of audio from one rate to another."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        """Raises ValueError for rates that `design` refuses."""
        self.design = design(from_hz, to_hz)
        self._state: State = np.zeros(STATE_SIZE, np.int64)
        self._history: Taps = np.zeros(HISTORY_SIZE, np.float32)
        self._tail = math.ceil(self.design.delay_s * from_hz)

    def process(self, samples: Samples) -> Samples:
        """The next int16 samples, any number. The result is `Design.delay_s` late."""
        made = self.design
        target: Samples = np.empty(max_output(samples.shape[0], made.up, made.down), np.int16)
        written = resample_block(
            made.taps, made.up, made.down, made.taps_per_phase, self._state, self._history, samples, target
        )
        return target[:written]

    def flush(self) -> Samples:
        """The end of the stream: what the filter still holds. The next `process` starts a new stream."""
        tail = self.process(np.zeros(self._tail, np.int16))
        self._state[:] = 0
        self._history[:] = 0
        return tail


def response_db(made: Design, from_hz: int, frequency_hz: float) -> float:
    """Gain of the whole filter at a frequency; frequencies above half the lower rate are what it has to suppress."""
    prototype = made.taps.reshape(made.up, made.taps_per_phase)[:, ::-1].T.reshape(-1).astype(np.float64)
    time_s = np.arange(prototype.shape[0]) / (made.up * from_hz)
    gain = abs(np.sum(prototype * np.exp(-2j * np.pi * frequency_hz * time_s))) / made.up
    return 20 * math.log10(max(float(gain), 1e-9))
