"""Whether a request to a server is tried again. A caller waits: once, and soon, or the stage's fallback takes it."""

from __future__ import annotations

import math

MAX_PAUSE_S = 1.0
"""A server that wants more time than this is of no use to the call."""

PAUSE_S = 0.1
"""Where it does not say."""

_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, 529})


class ServiceError(Exception):
    """A service refuses, cannot be reached, or does not do what it was asked for."""

    def __init__(self, message: str, status: int | None = None, retry_after: str | None = None) -> None:
        """``status``: the HTTP status, or the one it amounts to; None: there was no answer. ``retry_after``: the
        header."""
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


def is_refusal(status: int | None) -> bool:
    """Whether the server rejects the request itself, and would do so again."""
    return status is not None and 400 <= status < 500 and status not in _PASSING


def retry_pause_s(attempt: int, status: int | None, retry_after: str | None = None) -> float | None:
    """How long to wait before a request is sent again; None: it has failed.

    Only for requests of which nothing has been answered yet. ``attempt`` counts from 0, ``status`` is the HTTP status,
    None where there was no answer at all, ``retry_after`` that header.
    """
    if attempt > 0 or (status is not None and status not in _PASSING):
        return None
    if retry_after is None:
        return PAUSE_S
    try:
        pause_s = float(retry_after)
    except ValueError:
        return None  # a date: far off
    return pause_s if math.isfinite(pause_s) and 0 <= pause_s <= MAX_PAUSE_S else None
