"""The tones of a telephone's keys (ITU-T Q.23), for recordings: on the wires here, keys travel as messages."""

from __future__ import annotations

import numpy as np

from ringline.tools.caller.wire import Samples

ROWS_HZ = (697, 770, 852, 941)
COLUMNS_HZ = (1209, 1336, 1477, 1633)
KEYS = "123A456B789C*0#D"
TONE_MS = 100
LEVEL = 4_000
"""Of each of the two tones: a hand's telephone is about as loud as its speaker."""


def tone(key: str, rate_hz: int) -> Samples:
    """int16 of `TONE_MS`."""
    row, column = divmod(KEYS.index(key), 4)
    seconds = np.arange(TONE_MS * rate_hz // 1000) / rate_hz
    both = sum(np.sin(2 * np.pi * hz * seconds) for hz in (ROWS_HZ[row], COLUMNS_HZ[column]))
    return np.rint(LEVEL * both).astype(np.int16)
