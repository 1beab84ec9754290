"""Cutting the silence off both ends of a phrase while it is being made."""

from __future__ import annotations

import numpy as np

Samples = np.ndarray[tuple[int], np.dtype[np.int16]]

LEAD_MS = 5.0
"""Silence left before a phrase: part of every response time, so hardly more than the fade needs."""
TAIL_MS = 30.0
"""Silence left after it: a word's decay is quieter than the threshold but still heard."""
FADE_MS = 3.0
"""A phrase that begins or ends away from zero clicks; this short a ramp is not heard as one."""
AUDIBLE = 104
"""-50 dBFS. Telephone noise floors lie about there, and the quietest consonants of a voice above it."""
NEAR_ZERO = 32
"""-60 dBFS: a step of this size is no click."""


class Trim:
    """Passes on the chunks of one phrase, less the silence around it; pauses inside stay as they are."""

    def __init__(self, rate_hz: int) -> None:
        self._lead = int(rate_hz * LEAD_MS / 1000)
        self._tail = int(rate_hz * TAIL_MS / 1000)
        self._fade = int(rate_hz * FADE_MS / 1000)
        self._held = np.zeros(0, np.int16)
        self._begun = False
        self.dropped = 0
        """Samples of silence cut off before the phrase; final once `push` or `finish` has returned any."""

    def push(self, chunk: Samples) -> Samples:
        """The next samples in, those that can go out already out (perhaps none)."""
        held = np.concatenate((self._held, chunk)) if self._held.size else chunk
        audible = np.flatnonzero((held > AUDIBLE) | (held < -AUDIBLE))
        if audible.size == 0:
            start = 0 if self._begun else max(0, held.size - self._lead)
            self.dropped += start
            self._held = held[start:]
            return held[:0]
        start = 0
        if not self._begun:
            start = max(0, int(audible[0]) - self._lead)
            self.dropped += start
        # What is held back covers the fade as well, should these be the phrase's last samples.
        end = max(start, min(int(audible[-1]) + 1, held.size - self._fade))
        out = held[start:end]
        self._held = held[end:]
        if out.size and not self._begun:
            self._begun = True
            if abs(int(out[0])) > NEAR_ZERO:
                out = _ramped(out, self._fade, rising=True)
        elif not self._begun:
            self._held = held[start:]
        return out

    def finish(self) -> Samples:
        """The phrase is complete: the rest of it, with the silence after it cut short."""
        held, self._held = self._held, self._held[:0]
        audible = np.flatnonzero((held > AUDIBLE) | (held < -AUDIBLE))
        if not self._begun and audible.size == 0:
            return held[:0]
        last = int(audible[-1]) + 1 if audible.size else 0
        out = held[: last + self._tail]
        if out.size and not self._begun and abs(int(out[0])) > NEAR_ZERO:
            out = _ramped(out, self._fade, rising=True)
        self._begun = False
        if out.size and abs(int(out[-1])) > NEAR_ZERO:
            out = _ramped(out, self._fade, rising=False)
        return out


def _ramped(samples: Samples, num_samples: int, *, rising: bool) -> Samples:
    num_samples = min(num_samples, samples.size)
    ramp = np.arange(num_samples, dtype=np.float64) / num_samples
    out = samples.copy()
    if rising:
        out[:num_samples] = np.rint(out[:num_samples] * ramp)
    else:
        out[out.size - num_samples :] = np.rint(out[out.size - num_samples :] * ramp[::-1])
    return out
