"""The media clock: a tick every 10 ms on absolute deadlines, for all calls of the process.

A tick that comes late does not move the next one; ticks that were slept through are counted, never made up for in a
burst.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from ringline.ipc.timerfd import TimerFd

TICK_MS = 10
TICK_NS = TICK_MS * 1_000_000
FRAME_MS = 20
"""What every telephone network sends at a time (RFC 3551's default, and what all peers here expect)."""
TICKS_PER_FRAME = FRAME_MS // TICK_MS


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
