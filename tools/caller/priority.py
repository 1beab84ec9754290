"""The caller's place in the queue for a processor."""

from __future__ import annotations

import os


def ask_for_realtime() -> None:
    """Ask that this thread runs as soon as its timer fires, whatever else the machine is doing; silently without the
    right to it (root, or a limit on real-time priority).

    Real callers are no load on the bot's machine. A caller that waits for a processor measures its own wait.
    """
    try:
        os.sched_setscheduler(
            0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(os.sched_get_priority_min(os.SCHED_RR))
        )
    except OSError:
        return


def is_realtime() -> bool:
    """Whether this thread runs that way."""
    return os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK in (os.SCHED_RR, os.SCHED_FIFO)
