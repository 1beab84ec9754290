"""The media clock: a tick every 10 ms on absolute deadlines, for all calls of the process.

A timerfd, because event loops round their timers to milliseconds and count from "now". A tick that comes late does not
move the next one; ticks that were slept through are counted, never made up for in a burst.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import time
from collections.abc import Callable

TICK_MS = 10
TICK_NS = TICK_MS * 1_000_000
FRAME_MS = 20
"""What every telephone network sends at a time (RFC 3551's default, and what all peers here expect)."""
TICKS_PER_FRAME = FRAME_MS // TICK_MS

_CLOCK_MONOTONIC = 1
_TFD_TIMER_ABSTIME = 1


class _Timespec(ctypes.Structure):
    _fields_ = (("tv_sec", ctypes.c_long), ("tv_nsec", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("it_interval", _Timespec), ("it_value", _Timespec))


_libc = ctypes.CDLL(None, use_errno=True)


class TimerFd:
    """A periodic timer as a file descriptor, on absolute CLOCK_MONOTONIC deadlines. (``os.timerfd_*`` needs 3.13.)"""

    def __init__(self) -> None:
        self.fd = _libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")

    def set(self, first_ns: int, interval_ns: int) -> None:
        """Expire at ``first_ns`` and every ``interval_ns`` from there; 0, 0 disarms."""
        spec = _Itimerspec(_Timespec(*divmod(interval_ns, 10**9)), _Timespec(*divmod(first_ns, 10**9)))
        if _libc.timerfd_settime(self.fd, _TFD_TIMER_ABSTIME, ctypes.byref(spec), None):
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def expirations(self) -> int:
        """How often it has expired since the last call."""
        try:
            return int.from_bytes(os.read(self.fd, 8), "little")
        except BlockingIOError:
            return 0

    def close(self) -> None:
        """Close the file descriptor."""
        os.close(self.fd)


class MediaClock:
    """Calls ``on_tick(last tick, this tick, this tick's deadline)`` while it runs; it rests while there are no calls.

    Ticks are numbered for ever; tick ``n``'s deadline is ``origin + n * TICK_NS``.
    """

    def __init__(self, on_tick: Callable[[int, int, int], None]) -> None:
        self._on_tick = on_tick
        self._timer = TimerFd()
        self._origin_ns = time.monotonic_ns()
        self._tick = 0
        self._running = False
        asyncio.get_running_loop().add_reader(self._timer.fd, self._expired)

    @property
    def tick(self) -> int:
        """The last tick that has been handled."""
        return self._tick

    def deadline_ns(self, tick: int) -> int:
        """When a tick is due, CLOCK_MONOTONIC."""
        return self._origin_ns + tick * TICK_NS

    def start(self) -> None:
        """Tick, from the next deadline on. Does nothing while it runs."""
        if not self._running:
            self._running = True
            self._tick = (time.monotonic_ns() - self._origin_ns) // TICK_NS
            self._timer.set(self.deadline_ns(self._tick + 1), TICK_NS)

    def stop(self) -> None:
        """Rest until `start`."""
        self._running = False
        self._timer.set(0, 0)

    def close(self) -> None:
        """Give the timer back."""
        asyncio.get_running_loop().remove_reader(self._timer.fd)
        self._timer.close()

    def _expired(self) -> None:
        expirations = self._timer.expirations()
        if self._running and expirations:
            last, self._tick = self._tick, self._tick + expirations
            self._on_tick(last, self._tick, self.deadline_ns(self._tick))
