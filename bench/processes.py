"""What processes cost: CPU time and memory, from /proc."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """CPU time the process has used so far, user and system, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def memory_mb(pid: int) -> tuple[float, float]:
    """(RSS, PSS) in MB. PSS shares out what several processes map, so it adds up over processes."""
    found = {"Rss:": 0.0, "Pss:": 0.0}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        key, *rest = line.split()
        if key in found:
            found[key] = int(rest[0]) / 1024
    return found["Rss:"], found["Pss:"]


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
    return {"cpu": model, "cores": len(os.sched_getaffinity(0)), "kernel": os.uname().release}
