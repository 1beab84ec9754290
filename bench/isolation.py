"""Whether the audio clock is isolated from the models: frame lateness while a worker does its worst.

    python -m bench.isolation [--calls 8] [--rounds 1] [--door twilio|audiosocket] [--json] [--plot PNG]

Synthetic STT, LLM and TTS. One engine per phase, in each of them N calls that hold a conversation; round after round:

quiet      nothing else happens
burning    the STT worker keeps every core busy: as many threads that multiply matrices as there are cores
burning, unprivileged    the same, and capture does not ask for real-time priority
paging     the STT worker's threads take memory, touch every page of it and give it back, over and over
stopped    STT, LLM, TTS in turn, a worker is stopped (SIGSTOP), every 4 s: the engine finds it hung and replaces it
killed     STT, LLM, TTS in turn, a worker is killed (SIGKILL), every 3 s

The load is made inside the worker, so that it has that worker's place in the queue for processors and memory.

As sent: how long after its deadline a frame left, by the engine's own clock. On the wire: how far messages came off
their nominal spacing, as the caller saw it. A turn that needs the worker that is gone waits for its successor; what
must not suffer are frames. The caller is a process of its own on the same cores; a run in which it was late itself is
marked invalid.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import uvloop
from rich.console import Console
from rich.table import Table

from bench.placing import door, pids_of, place, says
from bench.processes import Usage, machine_s
from bench.reporting import Result, console, options_of, tell
from ringline import Call, CallOver, Engine
from ringline.engine.config import STAGES, parse
from ringline.ipc import logs
from ringline.tools.caller.report import RunResult

CONFIG = """
[engine]
max_calls = {calls}
log_level = "critical"
hung_s = 1.0
realtime = {realtime}
[[door]]
url = "audiosocket://127.0.0.1:0"
[[door]]
url = "twilio://127.0.0.1:0/media"
[stt]
backend = "synthetic"
burn_threads = {threads}
burn = "{burn}"
[llm]
backend = "synthetic"
text = "This is a synthetic reply. It has two sentences, of which this is the longer one."
tokens_per_s = 200
[tts]
backend = "synthetic"
"""

CORES = len(os.sched_getaffinity(0))
UNPRIVILEGED = "burning, unprivileged"
PHASES = {
    "quiet": (0, "matrices"),
    "burning": (CORES, "matrices"),
    UNPRIVILEGED: (CORES, "matrices"),
    "paging": (CORES, "memory"),
    "stopped": (0, "matrices"),
    "killed": (0, "matrices"),
}
"""Threads of the STT worker that are busy, and what with."""
SIGNALS = {"stopped": (signal.SIGSTOP, 4.0), "killed": (signal.SIGKILL, 3.0)}
"""What workers get, and every how many seconds."""
DIALOGUE = says("hello there, how are you today", "I would like to book an appointment please", "on Tuesday")


class Isolation(msgspec.Struct):
    """What one phase came to, over all rounds."""

    phase: str
    late_p50_ms: list[float] = msgspec.field(default_factory=list)
    """As sent, of each call, as the two below: upper bounds of tenths of a millisecond."""
    late_p99_ms: list[float] = msgspec.field(default_factory=list)
    late_max_ms: list[float] = msgspec.field(default_factory=list)
    missed: float = 0.0
    """Frames whose deadline a tick slept through."""
    spacing_p99_ms: list[float] = msgspec.field(default_factory=list)
    """On the wire, of each round."""
    spacing_max_ms: list[float] = msgspec.field(default_factory=list)
    underruns: int = 0
    turns: int = 0
    turns_answered: int = 0
    response_p50_ms: list[float] = msgspec.field(default_factory=list)
    response_p95_ms: list[float] = msgspec.field(default_factory=list)
    restarts: int = 0
    cores: float = 0.0
    """Of the engine's processes, those that were there from start to end."""
    machine_cores: float = 0.0
    """Of all processes: what is neither the engine's nor the caller's is a load that no phase asked for."""
    caller_late_p99_ms: float = 0.0
    valid: bool = True

    def add_call(self, stats: dict[str, float]) -> None:
        """What capture counted."""
        self.late_p50_ms.append(stats["late_p50_ms"])
        self.late_p99_ms.append(stats["late_p99_ms"])
        self.late_max_ms.append(stats["late_p100_ms"])
        self.missed += stats["frames_missed"]

    def add_run(self, result: RunResult) -> None:
        """What the caller saw."""
        self.spacing_p99_ms.append(result.spacing_error_ms.p99 or 0.0)
        self.spacing_max_ms.append(result.spacing_error_ms.max or 0.0)
        self.underruns += result.underruns
        self.turns += result.turns
        self.turns_answered += result.turns_answered
        self.response_p50_ms.append(result.response_ms.p50 or 0.0)
        self.response_p95_ms.append(result.response_ms.p95 or 0.0)
        self.caller_late_p99_ms = max(self.caller_late_p99_ms, result.lateness_ms.p99 or 0.0)
        self.valid = self.valid and result.valid


async def _run(isolation: Isolation, num_calls: int, scheme: str) -> None:
    """One round of one phase."""
    threads, burn = PHASES[isolation.phase]

    def count(_: Call, event: object) -> None:
        if isinstance(event, CallOver):
            isolation.add_call(event.stats)

    realtime = "false" if isolation.phase == UNPRIVILEGED else "true"
    source = CONFIG.format(calls=num_calls, threads=threads, burn=burn, realtime=realtime)
    async with Engine(parse(source)) as engine:
        engine.subscribe(count)
        pids = pids_of(engine)
        before, machine_before_s = {pid: Usage.of([pid]) for pid in pids}, machine_s()
        async with _harassed(engine, isolation.phase):
            result = await place(door(engine, scheme), DIALOGUE, num_calls)
        window_s = time.monotonic() - before[pids[0]].time_s
        survivors = set(pids) & set(pids_of(engine))
        isolation.cores = sum(before[pid].cores_until(Usage.of([pid])) for pid in survivors)
        isolation.machine_cores = (machine_s() - machine_before_s) / window_s
        isolation.add_run(result)
        isolation.restarts += sum(worker.restarts for worker in engine.supervisor.workers)
        await engine.switchboard.wait_until_idle()


@contextlib.asynccontextmanager
async def _harassed(engine: Engine, phase: str) -> AsyncIterator[None]:
    """While workers get the phase's signal."""
    if phase not in SIGNALS:
        yield
        return
    number, every_s = SIGNALS[phase]

    async def send() -> None:
        for stage in itertools.cycle(STAGES):
            await asyncio.sleep(every_s)
            for worker in engine.supervisor.ready(stage):
                os.kill(worker.pid, number)

    sending = asyncio.create_task(send())
    try:
        yield
    finally:
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sending


async def measure(options: Any) -> Result:
    """All phases, round after round, so that all see the same machine."""
    out = console(options)
    isolations = {phase: Isolation(phase) for phase in options.phases}
    for number in range(options.rounds):
        for phase, isolation in isolations.items():
            out.print(f"[dim]round {number + 1} of {options.rounds}: {phase}[/]")
            await _run(isolation, options.calls, options.door)
    return {
        "door": options.door, "calls": options.calls, "rounds": options.rounds,
        "phases": msgspec.to_builtins(list(isolations.values())),
        "valid": all(isolation.valid for isolation in isolations.values()),
    }  # fmt: skip


def show(result: Result, out: Console) -> None:
    """The table: a row for each phase."""
    title = f"{result['calls']} calls, {result['door']}, {result['rounds']} rounds; milliseconds"
    table = Table(
        "", "late as sent p50 / p99 / max", "missed", "off spacing p99 / max", "underruns", "turns",
        "response p50 / p95", "restarts", "cores, of all", "caller late p99", title=title,
        caption="late as sent: the median call's p50, the worst call's p99 and maximum",
    )  # fmt: skip
    for phase in msgspec.convert(result["phases"], list[Isolation]):
        table.add_row(
            phase.phase,
            f"{np.median(phase.late_p50_ms):.1f} / {max(phase.late_p99_ms):.1f} / {max(phase.late_max_ms):.1f}",
            f"{phase.missed:.0f}",
            f"{max(phase.spacing_p99_ms):.1f} / {max(phase.spacing_max_ms):.1f}",
            str(phase.underruns),
            f"{phase.turns_answered} of {phase.turns}",
            f"{np.median(phase.response_p50_ms):.0f} / {max(phase.response_p95_ms):.0f}",
            str(phase.restarts), f"{phase.cores:.2f}, {phase.machine_cores:.2f}", f"{phase.caller_late_p99_ms:.1f}",
        )  # fmt: skip
    out.print(table)


def headlines(result: Result) -> dict[str, str]:
    """The figures to take along: p99 of the call that fared worst."""
    return {
        f"frames late as sent, {result['calls']} calls, {phase.phase}": f"p99 {max(phase.late_p99_ms):.1f} ms"
        for phase in msgspec.convert(result["phases"], list[Isolation])
    }


def plot(result: Result, path: Path) -> None:
    """Each call's p99 and maximum, phase by phase."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    phases = msgspec.convert(result["phases"], list[Isolation])
    figure, axes = pyplot.subplots(figsize=(9, 4.5), dpi=110, layout="constrained")
    for index, phase in enumerate(phases):
        spread = np.linspace(-0.25, 0.25, len(phase.late_p99_ms))
        label = index == 0
        axes.plot(index + spread, phase.late_p99_ms, "o", color="C0", label="p99 of a call" if label else None)
        axes.plot(index + spread, phase.late_max_ms, "x", color="C3", label="its latest frame" if label else None)
    axes.axhline(3.0, color="0.6", linestyle=":", label="3 ms")
    axes.set_xticks(range(len(phases)), [phase.phase for phase in phases])
    axes.set(ylabel="late as sent, ms", yscale="log", title=f"{result['calls']} calls, {result['door']}")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path)


if __name__ == "__main__":
    parser = options_of(__doc__, seed=None)
    parser.add_argument("--calls", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--phases", nargs="+", choices=PHASES, default=list(PHASES))
    parser.add_argument("--door", choices=("twilio", "audiosocket"), default="twilio")
    given = parser.parse_args()
    logs.set_up("engine", "critical")  # workers that die are no news here
    tell(uvloop.run(measure(given)), given, show, plot)
