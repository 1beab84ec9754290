"""Wakes many calls at absolute moments, through one timer of the kernel.

A timerfd has no slack and no drift: it is armed with the next deadline itself, not with a time to sleep. Event loops
round their own timers to whole milliseconds (epoll), which an instrument cannot afford.
"""

from __future__ import annotations

import asyncio
import ctypes
import heapq
import os
import time
from typing import Protocol

_CLOCK_MONOTONIC = 1
_TFD_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC
_TFD_TIMER_ABSTIME = 1


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class Ticked(Protocol):
    """Something that is woken at its deadlines."""

    def tick(self, now_ns: int) -> int | None:
        """Do what is due. Returns the next deadline (CLOCK_MONOTONIC), None for no more."""

    def fail(self, error: Exception) -> None:
        """`tick` raised this; it is not woken again."""


class Ticker:
    """The deadlines of all calls of the process. Use as a context manager, inside a running loop."""

    def __init__(self) -> None:
        # From the C library because os.timerfd_create came with Python 3.13.
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd: int = self._libc.timerfd_create(_CLOCK_MONOTONIC, _TFD_FLAGS)
        if self._fd < 0:
            number = ctypes.get_errno()
            raise OSError(number, f"timerfd_create: {os.strerror(number)}")
        self._spec = _Itimerspec()
        self._heap: list[tuple[int, int, Ticked]] = []
        self._num_added = 0
        self._loop = asyncio.get_running_loop()

    def __enter__(self) -> Ticker:
        self._loop.add_reader(self._fd, self._expired)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.remove_reader(self._fd)
        os.close(self._fd)

    def add(self, deadline_ns: int, ticked: Ticked) -> None:
        """Wake ``ticked`` at its first deadline."""
        # The running number keeps the heap from comparing calls.
        self._num_added += 1
        heapq.heappush(self._heap, (deadline_ns, self._num_added, ticked))
        self._arm()

    def _expired(self) -> None:
        heap = self._heap
        while heap:
            now_ns = time.monotonic_ns()
            deadline_ns, number, ticked = heap[0]
            if deadline_ns > now_ns:
                break
            try:
                next_ns = ticked.tick(now_ns)
            except Exception as error:  # noqa: BLE001  (handed to the call, which ends with it; the others go on)
                next_ns = None
                ticked.fail(error)
            if next_ns is None:
                heapq.heappop(heap)
            else:
                heapq.heapreplace(heap, (next_ns, number, ticked))
        self._arm()

    def _arm(self) -> None:
        # Setting the timer also takes back its last expiry, so nothing has to be read from it. Zero disarms it.
        value = self._spec.value
        value.seconds, value.nanoseconds = divmod(self._heap[0][0], 1_000_000_000) if self._heap else (0, 0)
        if self._libc.timerfd_settime(self._fd, _TFD_TIMER_ABSTIME, ctypes.byref(self._spec), None):
            number = ctypes.get_errno()
            raise OSError(number, f"timerfd_settime: {os.strerror(number)}")
