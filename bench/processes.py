"""What processes cost: CPU time, memory and context switches, from /proc."""

from __future__ import annotations

import contextlib
import os
import platform
import time
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import msgspec

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PACKAGES = ("numpy", "numba", "onnxruntime", "pyzmq", "picows", "uvloop")
"""Whose versions a figure of the engine depends on."""


class Usage(msgspec.Struct, frozen=True):
    """What processes had used up to a moment."""

    time_s: float
    """CLOCK_MONOTONIC."""
    cpu_s: float
    """User and system, all threads."""
    switches: int
    """Context switches, voluntary and not."""

    @classmethod
    def of(cls, pids: Iterable[int]) -> Usage:
        """So far. A process that is gone counts nothing."""
        cpu, switches = 0.0, 0
        for pid in pids:
            try:
                cpu += cpu_s(pid)
                switches += _switches(pid)
            except (FileNotFoundError, ProcessLookupError):
                continue
        return cls(time.monotonic(), cpu, switches)

    def cores_until(self, later: Usage) -> float:
        """Cores that were busy on average."""
        return (later.cpu_s - self.cpu_s) / (later.time_s - self.time_s)

    def switches_per_s_until(self, later: Usage) -> float:
        """Context switches a second."""
        return (later.switches - self.switches) / (later.time_s - self.time_s)


class ThreadUsage(msgspec.Struct, frozen=True):
    """What one thread had used up to a moment, or used per second of a window."""

    pid: int
    tid: int
    name: str
    """The kernel's, at most 15 characters; threads that Python starts bear that of their process."""
    cpu_s: float
    switches: float


def threads_of(pids: Iterable[int]) -> list[ThreadUsage]:
    """All threads of the processes, so far; exact to the nanosecond, unlike `cpu_s`."""
    threads = []
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                cpu_ns = int((task / "schedstat").read_text().split()[0])
                name = (task / "comm").read_text().strip()
                threads.append(ThreadUsage(pid, int(task.name), name, cpu_ns / 1e9, _task_switches(task)))
    return threads


def tree(root: int) -> list[int]:
    """The process and all that descend from it, as they are now."""
    found = [root]
    for pid in found:
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                found += [int(child) for child in task.read_text().split()]
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found


def cpu_s(pid: int) -> float:
    """CPU time the process has used so far, user and system, all threads; exact to two ticks of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def machine_s() -> float:
    """CPU time that the whole machine has used so far: what is not the bench's own is somebody else's load."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / _TICKS_PER_S  # less idle and iowait


def _switches(pid: int) -> int:
    return sum(_task_switches(task) for task in Path(f"/proc/{pid}/task").iterdir())


def _task_switches(task: Path) -> int:
    lines = (task / "status").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)


def memory_mb(pid: int) -> tuple[float, float]:
    """(RSS, PSS) in MB. PSS shares out what several processes map, so it adds up over processes."""
    found = {"Rss:": 0.0, "Pss:": 0.0}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        key, *rest = line.split()
        if key in found:
            found[key] = int(rest[0]) / 1024
    return found["Rss:"], found["Pss:"]


def pss_mb(pids: Iterable[int]) -> float:
    """Memory of processes together, what they share counted once."""
    return sum(memory_mb(pid)[1] for pid in pids)


def machine() -> dict[str, object]:
    """What a figure depends on."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        "unknown",
    )
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "kernel": os.uname().release,
        "python": platform.python_version(),
        "packages": {package: version(package) for package in PACKAGES},
    }
