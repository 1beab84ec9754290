"""One line a fact, the same in every process: time, level, process, message, and its fields.

What callers say and their numbers go into fields, never into a message's text, so that one setting keeps them out.
"""

from __future__ import annotations

import logging
import sys
from typing import IO

PRIVATE_FIELDS = frozenset({"text", "caller", "digits", "number", "parameters"})
"""Fields that hold what people said or who they are."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class LineFormatter(logging.Formatter):
    """``2026-01-31 10:00:00.123 INFO  stt-0 worker ready pid=4711``"""

    def __init__(self, process: str, show_private: bool) -> None:
        super().__init__()
        self._process = process
        self._show_private = show_private

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line, a traceback below it."""
        fields = " ".join(
            f"{key}={value if self._show_private or key not in PRIVATE_FIELDS else '[private]'!s}"
            for key, value in vars(record).items()
            if key not in _STANDARD
        )
        when = f"{self.formatTime(record, '%Y-%m-%d %H:%M:%S')}.{int(record.msecs):03d}"
        message = record.getMessage().replace("\n", "\\n")
        line = f"{when} {record.levelname:<7} {self._process:<10} {message} {fields}".rstrip()
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def set_up(process: str, level: str = "info", show_private: bool = False, stream: IO[str] | None = None) -> None:
    """Send this process's log to ``stream`` (standard error)."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(LineFormatter(process, show_private))
    logger = logging.getLogger("ringline")
    logger.handlers[:] = [handler]
    logger.setLevel(level.upper())
    logger.propagate = False
