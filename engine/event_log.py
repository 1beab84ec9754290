"""Writes the event logs of calls (`event_format`), one file each, from a thread of its own: a slow or full disk delays
no call, and costs it nothing but its log."""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from ringline.engine.call_setup import CallSetup
from ringline.engine.conversation import Action, Event
from ringline.engine.event_format import encode_entry, encode_header

log = logging.getLogger("ringline.event_log")

FLUSH_S = 1.0
"""What a crash of the engine may cost of a log."""

MAX_WAITING = 10_000
"""Lines of a call that may wait for the disk: some minutes of it. A log that is further behind is given up."""

CLOSE_S = 5.0
"""How long the engine's end waits for the disk."""


class EventLog:
    """The log of one call. `record` and `close` are for the engine's loop, the rest for the writer's thread."""

    def __init__(self, logs: EventLogs, path: Path) -> None:
        self._logs = logs
        self._path = path
        self._lines: deque[bytes] = deque()
        self._fd = -1
        self.closed = False
        self.failed = False

    def record(self, now_ns: int, event: Event, actions: Sequence[Action], error: str = "") -> None:
        """Note an event and what came of it."""
        if self.failed:
            return
        if len(self._lines) >= MAX_WAITING:
            self.fail("the disk is too slow")
            return
        try:
            self._lines.append(encode_entry(now_ns, event, actions, error))
        except (TypeError, ValueError, OverflowError, RecursionError) as problem:
            self.fail(str(problem))

    def begin(self, setup: CallSetup) -> None:
        """Note what the conversation is made of."""
        try:
            self._lines.append(encode_header(setup))
        except (TypeError, ValueError, OverflowError, RecursionError) as problem:
            self.fail(str(problem))

    def close(self) -> None:
        """Nothing more will come."""
        self.closed = True
        self._logs.wake()

    def fail(self, problem: str) -> None:
        """Give the log up."""
        self.failed = True
        self._lines.clear()
        self._logs.failed(self._path, problem)

    def write_out(self) -> None:
        """Put into the file what has come up to now, and close it after the last."""
        last = self.closed
        chunk = bytearray()
        while self._lines:
            chunk += self._lines.popleft() + b"\n"
        try:
            if chunk and not self.failed:
                self._write(chunk)
                self._logs.succeeded()
        except OSError as error:
            self.fail(error.strerror or str(error))
        if (last or self.failed) and self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _write(self, chunk: bytearray) -> None:
        if self._fd < 0:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        while chunk:
            del chunk[: os.write(self._fd, chunk)]


class EventLogs:
    """The logs of all calls of an engine, in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: list[EventLog] = []
        self._failing = False
        self._stopped = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="event-log", daemon=True)
        self._thread.start()

    def open(self, setup: CallSetup, call_id: str) -> EventLog:
        """The log of a new call; ``call_id`` is the peer's name for it, and becomes part of the file's."""
        when = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        safe = re.sub(r"[^A-Za-z0-9-]", "_", call_id)[:64]
        event_log = EventLog(self, self._folder / f"{when}-{setup.call}-{safe}.jsonl")
        event_log.begin(setup)
        self._open.append(event_log)
        return event_log

    def close(self) -> None:
        """Write what is left, as far as the disk takes it in `CLOSE_S`. Blocks."""
        self._stopped = True
        self._wake.set()
        self._thread.join(CLOSE_S)

    def wake(self) -> None:
        """There is a log to be finished."""
        self._wake.set()

    def failed(self, path: Path, problem: str) -> None:
        """Say so, once until it works again: a full disk fails every call's log."""
        if not self._failing:
            self._failing = True
            log.error("event log given up", extra={"path": str(path), "problem": problem})

    def succeeded(self) -> None:
        """The disk takes what it is given."""
        self._failing = False

    def _run(self) -> None:
        while True:
            stopped = self._stopped
            for event_log in list(self._open):
                event_log.closed |= stopped
                done = event_log.closed or event_log.failed
                event_log.write_out()
                if done:
                    self._open.remove(event_log)
            if stopped:
                return
            self._wake.wait(FLUSH_S)
            self._wake.clear()
