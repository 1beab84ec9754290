"""How far a reply was played. Capture says so where playout stops; in between, time tells."""

from __future__ import annotations


class Playhead:
    """A position in reply samples. Times are CLOCK_MONOTONIC in nanoseconds."""

    def __init__(self, rate_hz: int) -> None:
        self.is_measured = True
        """Whether it stands, and capture has said where."""
        self._rate_hz = rate_hz
        self._sample = 0
        self._since_ns = 0
        """It has moved since then; 0: it stands."""
        self._went_on = (0, 0)
        """(sample, time) at which it last began to move."""
        self._is_anchored = False
        """Where it last began to move is known to the sample."""
        self._is_relative = False
        """It counts from the reply's first sample, and that is not known yet."""

    def goes_on(self, sample: int, now_ns: int) -> None:
        """Playout begins here, or goes on."""
        self.is_measured = self._is_anchored = False
        self._sample, self._since_ns = self._went_on = sample, now_ns

    def begins(self, start_sample: int | None, now_ns: int) -> None:
        """The reply's first sound is played; None: TTS has not said yet where it lies."""
        self.goes_on(start_sample or 0, now_ns)
        self._is_relative = start_sample is None

    def written(self, sample: int, time_ns: int) -> None:
        """TTS: a phrase begins with this sample, and it was there at that time. Before, there was nothing to play."""
        if self._is_relative:  # the reply's first
            self._is_relative = False
            self._sample += sample
            self._went_on = self._went_on[0] + sample, self._went_on[1]
        elif self._since_ns and self.position(time_ns) > sample:
            self.goes_on(sample, time_ns)
            self._is_anchored = True

    def halts(self, sample: int) -> None:
        """The gate has closed; about here, until capture says where."""
        self._sample, self._since_ns = sample, 0

    def stopped(self, sample: int, time_ns: int) -> None:
        """Capture: playout stopped behind this sample, at that time.

        If it has gone on since, the report comes late: what was played since then counts from there.
        """
        self._is_relative = False
        from_sample, from_ns = self._went_on
        if self._since_ns or time_ns < from_ns:
            if not self._is_anchored:
                self._sample += sample - from_sample
                self._went_on = sample, from_ns
        else:
            self._sample, self.is_measured = sample, True

    def position(self, now_ns: int) -> int:
        """Where it is, if there was always something to play."""
        if not self._since_ns:
            return self._sample
        return self._sample + (now_ns - self._since_ns) * self._rate_hz // 10**9
