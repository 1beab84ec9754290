"""A worker's place in the queue for processors: the wire first, the models last."""

from __future__ import annotations

import ctypes
import os
import platform

MODEL_NICE = 5
"""A third of the weight of a process that is not nice. More, and a busy machine's models would starve. Where the kernel
groups processes by session (sched_autogroup), it counts among the engine's own."""

LOOP_PRIORITY, THREAD_PRIORITY = 2, 1
"""Of the media loop, and of the threads beside it, in real time: any priority is before all that has none."""

SLICE_NS = 500_000
"""What a process may run for at a time without real-time priority. The shorter, the sooner it is its turn when it wakes
up (EEVDF: the earliest virtual deadline goes first); the media loop is done in less."""

_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}  # asm/unistd.h


def step_back() -> None:
    """A model's worker lets the wire go first. Any process may; call it before there are threads."""
    os.nice(MODEL_NICE)


def step_forward(realtime: bool) -> bool:
    """The calling thread, which is the media loop's, goes before the models, and the process's other threads behind it:
    they share the interpreter's lock, and one that waits for a processor with it in hand would make the loop wait, too.

    Returns whether that is in real time, which needs ``realtime``, and root, CAP_SYS_NICE, or a limit of
    LOOP_PRIORITY on real-time priority. Otherwise it is by short slices, where the kernel has them (Linux 6.12).
    """
    threads = [int(name) for name in os.listdir("/proc/self/task")]
    if realtime:
        try:
            for thread in threads:
                os.sched_setscheduler(thread, os.SCHED_RR, os.sched_param(THREAD_PRIORITY))
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(LOOP_PRIORITY))
        except PermissionError:
            pass
        else:
            return True
    for thread in threads:
        _shorten_slice(thread)
    return False


class _SchedAttr(ctypes.Structure):
    _fields_ = (  # linux/sched/types.h
        ("size", ctypes.c_uint32),
        ("policy", ctypes.c_uint32),
        ("flags", ctypes.c_uint64),
        ("nice", ctypes.c_int32),
        ("priority", ctypes.c_uint32),
        ("runtime_ns", ctypes.c_uint64),
        ("deadline_ns", ctypes.c_uint64),
        ("period_ns", ctypes.c_uint64),
    )


def _shorten_slice(thread: int) -> None:
    # Kernels without slices ignore the runtime. Where the call is not allowed or not known, things stay as they are.
    if (number := _SCHED_SETATTR.get(platform.machine())) is not None:
        nice = os.getpriority(os.PRIO_PROCESS, thread)
        size = ctypes.sizeof(_SchedAttr)
        attributes = _SchedAttr(size=size, policy=os.SCHED_OTHER, nice=nice, runtime_ns=SLICE_NS)
        ctypes.CDLL(None).syscall(number, thread, ctypes.byref(attributes), 0)
