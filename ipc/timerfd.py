"""A kernel timer as a file descriptor: no slack, no drift, armed with deadlines and not with times to sleep.

Event loops round their own timers to milliseconds and count from "now", which neither a media clock nor a measuring
instrument can afford. From the C library, because ``os.timerfd_create`` came with Python 3.13.
"""

from __future__ import annotations

import ctypes
import os

_CLOCK_MONOTONIC = 1
_TFD_TIMER_ABSTIME = 1


class _Timespec(ctypes.Structure):
    _fields_ = (("tv_sec", ctypes.c_long), ("tv_nsec", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("it_interval", _Timespec), ("it_value", _Timespec))


_libc = ctypes.CDLL(None, use_errno=True)


class TimerFd:
    """One timer on absolute CLOCK_MONOTONIC deadlines."""

    def __init__(self) -> None:
        self.fd = _libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")

    def set(self, first_ns: int, interval_ns: int = 0) -> None:
        """Expire at ``first_ns``, and every ``interval_ns`` from there unless that is 0. ``first_ns`` 0 disarms.

        What has expired before and was not read is taken back.
        """
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
