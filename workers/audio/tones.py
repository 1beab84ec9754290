"""Telephone keys as tones: two sines each, as ITU-T Q.23 has them."""

from __future__ import annotations

import numpy as np

Samples = np.ndarray[tuple[int], np.dtype[np.int16]]

LOW_HZ = (697, 770, 852, 941)
HIGH_HZ = (1209, 1336, 1477, 1633)
KEYS = "123A456B789C*0#D"
"""Row by row: a row has a low tone, a column a high one."""

TONE_MS = 100
PAUSE_MS = 100
"""ITU-T Q.24 has administrations accept from 40 ms of each; real lines and real menus want more."""
LEVEL_DBFS = -10.0
"""RMS of both tones together: what telephones send, without clipping (the peak lies at -4 dBFS)."""
TWIST_DB = 2.0
"""The high tone is so much louder, as in telephones: long lines take more of it."""
EDGE_MS = 5
"""The tones rise and fall in so long: a hard edge is a click that covers the other tones."""


def key_tones(keys: str, rate_hz: int) -> Samples:
    """The tones of the keys, a pause behind each: int16 mono. Raises ValueError for what is no key of a telephone."""
    unknown = sorted(set(keys) - set(KEYS))
    if unknown:
        raise ValueError(f"a telephone has no key {unknown[0]!r}; its keys are 0-9, *, # and A-D")
    tone, pause = rate_hz * TONE_MS // 1000, rate_hz * PAUSE_MS // 1000
    made: np.ndarray[tuple[int, int], np.dtype[np.int16]] = np.zeros((len(keys), tone + pause), np.int16)
    for index, key in enumerate(keys):
        row, column = divmod(KEYS.index(key), 4)
        made[index, :tone] = _pair(LOW_HZ[row], HIGH_HZ[column], tone, rate_hz)
    return made.reshape(-1)


def _pair(low_hz: int, high_hz: int, num_samples: int, rate_hz: int) -> Samples:
    twist = 10 ** (TWIST_DB / 20)
    # Two sines of amplitudes a and a * twist have the mean square (a**2 + (a * twist)**2) / 2.
    amplitude = 32768 * 10 ** (LEVEL_DBFS / 20) * np.sqrt(2 / (1 + twist**2))
    sample = np.arange(num_samples)
    phase = 2 * np.pi * sample / rate_hz
    edge = rate_hz * EDGE_MS // 1000
    inward = np.minimum(np.minimum(sample, num_samples - 1 - sample) / edge, 1.0)
    envelope = 0.5 - 0.5 * np.cos(np.pi * inward)
    sound = amplitude * envelope * (np.sin(low_hz * phase) + twist * np.sin(high_hz * phase))
    return np.asarray(np.rint(sound), np.int16)
