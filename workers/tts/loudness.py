"""One loudness for all voices.

A voice's gain follows from all that was heard of it, not from each phrase: what is said softly stays softer than what
is said aloud, and nothing jumps.
"""

from __future__ import annotations

import math

import numpy as np

TARGET_DBFS = -20.0
"""RMS of the parts that are speech, as is usual on telephones; the built-in voices have it, too."""
MEMORY_S = 30.0
"""Of speech: how far back the estimate of a voice reaches."""
MAX_GAIN = 10.0
"""A sound that is nearly none is not to become noise."""
BLOCK_S = 0.02
GATE = 0.001
"""A block 30 dB below the loudest is a pause, or a consonant's end."""

FloatSamples = np.ndarray[tuple[int], np.dtype[np.float32]]
Samples = np.ndarray[tuple[int], np.dtype[np.int16]]


class Loudness:
    """What is known of the voices."""

    def __init__(self, rate_hz: int) -> None:
        self._block = round(rate_hz * BLOCK_S)
        self._known: dict[str, tuple[float, float]] = {}
        """Voice -> (mean square of its speech, seconds heard)."""

    def gain(self, voice: str) -> float:
        """By how much to multiply what the voice says; 1 while it has not been heard."""
        power = self._known.get(voice, (0.0, 0.0))[0]
        return min(MAX_GAIN, 10 ** (TARGET_DBFS / 20) / math.sqrt(power)) if power else 1.0

    def learn(self, voice: str, samples: FloatSamples) -> None:
        """The voice has said this (full scale 1.0)."""
        whole = samples.shape[0] // self._block * self._block
        powers = np.mean(np.square(samples[:whole], dtype=np.float64).reshape(-1, self._block), axis=1)
        speech = powers[powers > GATE * powers.max(initial=0.0)]
        if not speech.size:
            return
        power, heard_s = self._known.get(voice, (0.0, 0.0))
        more_s = speech.size * BLOCK_S
        total_s = heard_s + more_s
        self._known[voice] = (
            (power * heard_s + float(np.mean(speech)) * more_s) / total_s,
            min(total_s, MEMORY_S),
        )


def to_int16(samples: FloatSamples, gain: float) -> Samples:
    """With that gain, cut off at full scale."""
    made: Samples = np.rint(np.clip(samples * np.float32(gain * 32767), -32767, 32767)).astype(np.int16)
    return made
