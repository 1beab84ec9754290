"""When received audio is heard: the peer's playout buffer as a line of time.

Audio is queued and played at its own pace. The line keeps its place through arrivals that are up to ``jitter_ns`` late,
as a buffer of that length would; what comes later than that was missed, and playout starts anew with it. Times are
those of a buffer without delay, so a lone message is heard when it arrives: a constant delay says nothing of the bot.
"""

from __future__ import annotations

NS_PER_S = 1_000_000_000


class Playout:
    """One call's received audio on its line of time. All times are CLOCK_MONOTONIC in nanoseconds."""

    def __init__(self, rate_hz: int, jitter_ns: int) -> None:
        self.rate_hz = rate_hz
        self.jitter_ns = jitter_ns
        self._end_ns: int | None = None

    def feed(self, now_ns: int, num_samples: int) -> int:
        """``num_samples`` arrive. Returns when the first of them is heard."""
        start_ns = now_ns
        if self._end_ns is not None and now_ns <= self._end_ns + self.jitter_ns:
            start_ns = self._end_ns
        self._end_ns = start_ns + num_samples * NS_PER_S // self.rate_hz
        return start_ns

    def clear(self) -> None:
        """What has not been heard yet never will be; what comes next starts anew."""
        self._end_ns = None

    def empty_at_ns(self) -> int:
        """When all that has arrived so far has been played, the buffer's delay included."""
        return self._end_ns + self.jitter_ns if self._end_ns is not None else 0
