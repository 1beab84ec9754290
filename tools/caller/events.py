"""What happens on a call while it happens, and how it is written out without delaying the call."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Literal

import msgspec

Kind = Literal[
    "connected", "refused", "bot_speaks", "bot_quiet", "caller_speaks", "caller_quiet", "cleared", "wire_error", "ended"
]


class Event(msgspec.Struct, frozen=True):
    """One moment of one call."""

    event: Kind
    call: int
    call_id: str
    at_ns: int
    """CLOCK_MONOTONIC, which all processes of the machine share. Of speech: its first or last audible sample."""
    at_ms: float
    """Since the call was answered."""
    turn: int = -1
    """Index of the caller's item; -1 before the first one."""
    text: str = ""
    """What the caller says, or what was seen."""
    response_ms: float | None = None
    """Of the bot's first sound after the caller's item, where it could be measured."""


OnEvent = Callable[[Event], None]


class EventWriter:
    """Passes events to ``write`` in a thread of its own: a slow terminal or pipe must not make the caller late."""

    def __init__(self, write: OnEvent) -> None:
        self._write = write
        self._queue: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    def __enter__(self) -> EventWriter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._queue.put(None)
        self._thread.join()

    def put(self, event: Event) -> None:
        """Never waits."""
        self._queue.put(event)

    def _run(self) -> None:
        while (event := self._queue.get()) is not None:
            self._write(event)
