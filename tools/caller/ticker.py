"""Wakes many calls at absolute moments, through one timer of the kernel."""

from __future__ import annotations

import asyncio
import heapq
import time
from typing import Protocol

from ringline.ipc.timerfd import TimerFd


class Ticked(Protocol):
    """Something that is woken at its deadlines."""

    def tick(self, now_ns: int) -> int | None:
        """Do what is due. Returns the next deadline (CLOCK_MONOTONIC), None for no more."""

    def fail(self, error: Exception) -> None:
        """`tick` raised this; it is not woken again."""


class Ticker:
    """The deadlines of all calls of the process. Use as a context manager, inside a running loop."""

    def __init__(self) -> None:
        self._timer = TimerFd()
        self._heap: list[tuple[int, int, Ticked]] = []
        self._num_added = 0
        self._loop = asyncio.get_running_loop()

    def __enter__(self) -> Ticker:
        self._loop.add_reader(self._timer.fd, self._expired)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.remove_reader(self._timer.fd)
        self._timer.close()

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
        # Setting the timer also takes back its last expiry, so nothing has to be read from it.
        self._timer.set(self._heap[0][0] if self._heap else 0)
