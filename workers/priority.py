"""A worker's place in the queue for processors: the wire first, the models last."""

from __future__ import annotations

import os

MODEL_NICE = 5
"""A third of the weight of a process that is not nice: it halves the lateness of frames while a model burns every core
and capture has no real-time priority (p99 of the median call 1.1 to 1.4 ms, 2.0 to 2.8 without: bench/isolation.py).
Much more, and the models of a busy machine would starve."""

LOOP_PRIORITY, THREAD_PRIORITY = 2, 1
"""Of the media loop, and of the threads beside it, in real time: any priority is before all that has none."""


def step_back() -> None:
    """A model's worker lets the wire go first. Any process may; call it before there are threads."""
    os.nice(MODEL_NICE)


def step_forward() -> bool:
    """The calling thread, which is the media loop's, goes before the models, and the process's other threads behind it:
    they share the interpreter's lock, and one that waits for a processor with it in hand would make the loop wait, too.

    Returns whether that was permitted: it needs root, CAP_SYS_NICE, or a limit of LOOP_PRIORITY on real-time priority.
    """
    try:
        for name in os.listdir("/proc/self/task"):
            os.sched_setscheduler(int(name), os.SCHED_RR, os.sched_param(THREAD_PRIORITY))
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(LOOP_PRIORITY))
    except PermissionError:
        return False
    return True
