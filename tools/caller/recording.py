"""The call as both sides heard it: a stereo WAV, caller left, bot right, on one line of time."""

from __future__ import annotations

import wave
from bisect import bisect_left
from pathlib import Path

import numpy as np

from ringline.tools.caller.playout import NS_PER_S
from ringline.tools.caller.wire import Samples


class Recording:
    """Collects while the call lasts, mixes after it. Times are CLOCK_MONOTONIC in nanoseconds."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self._caller: list[tuple[int, Samples]] = []
        self._bot: list[tuple[int, int, Samples]] = []
        self._cleared_ns: list[int] = []

    def caller(self, start_ns: int, samples: Samples) -> None:
        """The caller sends a frame that is not silence; ``start_ns`` is its place in the caller's own time line."""
        self._caller.append((start_ns, samples))

    def bot(self, recv_ns: int, play_ns: int, samples: Samples) -> None:
        """The bot's audio, received at ``recv_ns`` and heard from ``play_ns`` on."""
        self._bot.append((recv_ns, play_ns, samples))

    def cleared(self, now_ns: int) -> None:
        """The bot has dropped what was not heard yet."""
        self._cleared_ns.append(now_ns)

    def mix(self, start_ns: int, end_ns: int) -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
        """int16 [num_samples, 2] from the call's first moment to its last."""
        mixed = np.zeros((max(0, self._index(end_ns - start_ns)), 2), np.int16)
        for at_ns, samples in self._caller:
            _put(mixed[:, 0], self._index(at_ns - start_ns), samples)
        for recv_ns, play_ns, samples in self._bot:
            # Only the first clear after its arrival can have dropped it.
            index = bisect_left(self._cleared_ns, recv_ns)
            heard = samples
            if index < len(self._cleared_ns):
                heard = samples[: max(0, self._index(self._cleared_ns[index] - play_ns))]
            _put(mixed[:, 1], self._index(play_ns - start_ns), heard)
        return mixed

    def write(self, path: str | Path, start_ns: int, end_ns: int) -> None:
        """Raises OSError."""
        with wave.open(str(path), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(self.rate_hz)
            file.writeframes(self.mix(start_ns, end_ns).astype("<i2", copy=False).tobytes())

    def _index(self, duration_ns: int) -> int:
        return round(duration_ns * self.rate_hz / NS_PER_S)


def _put(track: Samples, start: int, samples: Samples) -> None:
    skipped = max(0, -start)
    part = samples[skipped : skipped + max(0, track.shape[0] - start - skipped)]
    start += skipped
    track[start : start + part.shape[0]] = part
