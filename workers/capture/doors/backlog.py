"""What to do about a peer that does not read: skip audio, count it, and after a while give the call up.

Without a bound, audio for such a peer would pile up in this process's memory, and be heard late if it ever reads again.
"""

from __future__ import annotations

from collections.abc import Callable

STALL_LIMIT_S = 5.0
"""A peer that has not read for so long will not be missed: its caller has heard nothing for five seconds."""
SOCKET_SEND_BYTES = 65_536
"""SO_SNDBUF (the kernel doubles it). Its default grows to megabytes: minutes of speech, stale when it is heard."""


class Backlog:
    """Watches how much of a call's audio its transport still holds."""

    def __init__(self, buffered_bytes: Callable[[], int], limit_bytes: int, now_s: Callable[[], float]) -> None:
        self._buffered_bytes = buffered_bytes
        self._limit_bytes = limit_bytes
        self._now_s = now_s
        self._stalled_since_s: float | None = None
        self.skipped = 0
        """Messages of audio that were not sent."""

    def has_room(self) -> bool:
        """Whether audio may be written now; counts it as skipped if not."""
        if self._buffered_bytes() <= self._limit_bytes:
            self._stalled_since_s = None
            return True
        self.skipped += 1
        if self._stalled_since_s is None:
            self._stalled_since_s = self._now_s()
        return False

    def has_room_for_control(self) -> bool:
        """Whether a small control message may be written: those may go beyond the limit, but not without end."""
        return self._buffered_bytes() <= 2 * self._limit_bytes

    @property
    def given_up(self) -> bool:
        """Whether the peer has not read for longer than `STALL_LIMIT_S`."""
        return self._stalled_since_s is not None and self._now_s() - self._stalled_since_s > STALL_LIMIT_S
