"""What process isolation costs, and what it buys: Ringline beside the same stages in one asyncio process.

    python -m bench.baseline [--calls 8] [--rounds 1] [--json] [--plot PNG]

Two systems behind the same AudioSocket door, with the same delays: STT 100 ms, LLM 100 ms, TTS 50 ms, a fixed endpoint
of 400 ms, and no drafts, so that what is compared is the machinery. `bench/one_process.py` says what the one process is
made of. N calls hold a conversation, round after round, with each system in turn:

quiet      the stages wait, and compute nothing
matrices   recognition keeps every core busy with products of matrices, which need not the interpreter
python     recognition keeps as many threads busy with Python: in one process they have the loop's interpreter

Cost: CPU time of all processes of a system, per call and per 20 ms frame (one in, one out). The caller is a process of
its own on the same cores; a run in which it was late itself is marked invalid.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import uvloop
from rich.console import Console
from rich.table import Table

from bench.one_process import REPLY
from bench.placing import door, pids_of, place, says
from bench.processes import Usage
from bench.reporting import Result, console, options_of, tell
from ringline import Call, CallOver, Engine
from ringline.engine.config import parse
from ringline.engine.environment import worker_environment
from ringline.ipc import logs
from ringline.tools.caller.report import RunResult

CONFIG = """
[engine]
max_calls = {calls}
log_level = "error"
[[door]]
url = "audiosocket://127.0.0.1:0"
[stt]
backend = "synthetic"
final_ms = 100
burn_threads = {threads}
burn = "{burn}"
[llm]
backend = "synthetic"
first_token_ms = 100
tokens_per_s = 1000
text = "{reply}"
[tts]
backend = "synthetic"
first_audio_ms = 50
[turn]
endpoint_ms = 400
endpoint_min_ms = 400
endpoint_max_ms = 400
prosody = false
draft = false
"""

CORES = len(os.sched_getaffinity(0))
LOADS = {"quiet": (0, "matrices"), "matrices": (CORES, "matrices"), "python": (CORES, "python")}
"""Busy threads, and what with."""
SYSTEMS = ("Ringline", "one process")
DIALOGUE = says("hello there, how are you today", "I would like to book an appointment please", "on Tuesday")
FRAME_MS = 20.0


class Run(msgspec.Struct, frozen=True):
    """One system under one load, in one round."""

    system: str
    load: str
    us_per_frame: float
    """CPU time, of a frame in and one out. What burns counts, too."""
    late_ms: tuple[float, float, float]
    """As sent: the median call's p50, the worst call's p99 and its maximum."""
    spacing_p99_ms: float
    """On the wire."""
    spacing_max_ms: float
    response_p50_ms: float
    response_p95_ms: float
    turns: int
    turns_answered: int
    underruns: int
    caller_late_p99_ms: float
    valid: bool

    @classmethod
    def of(
        cls, system: str, load: str, cpu_s: float, stats: Sequence[dict[str, float]], frames: float, result: RunResult
    ) -> Run:
        """What the system counted and the caller saw. ``stats``: of each call, as `Lateness.stats` has them."""
        p50s, p99s, worst = ([call[f"late_p{percent}_ms"] for call in stats] for percent in (50, 99, 100))
        spacing, response = result.spacing_error_ms, result.response_ms
        return cls(
            system, load, cpu_s * 1e6 / frames, (float(np.median(p50s)), max(p99s), max(worst)),
            spacing.p99 or 0.0, spacing.max or 0.0, response.p50 or 0.0, response.p95 or 0.0,
            result.turns, result.turns_answered, result.underruns, result.lateness_ms.p99 or 0.0, result.valid,
        )  # fmt: skip


async def run(system: str, load: str, num_calls: int) -> Run:
    """Place the calls."""
    stats: list[dict[str, float]] = []
    serving = ringline if system == "Ringline" else one_process
    async with serving(load, num_calls, stats) as (url, pids):
        before = Usage.of(pids)
        result = await place(url, DIALOGUE, num_calls)
        cpu_s = Usage.of(pids).cpu_s - before.cpu_s
    frames = sum(call.duration_ms for call in result.call_results) / FRAME_MS
    return Run.of(system, load, cpu_s, stats, frames, result)


@contextlib.asynccontextmanager
async def ringline(load: str, num_calls: int, stats: list[dict[str, float]]) -> AsyncIterator[tuple[str, list[int]]]:
    """An engine: (its door, its processes). ``stats`` is filled when calls are over."""
    threads, burn = LOADS[load]

    def count(_: Call, event: object) -> None:
        if isinstance(event, CallOver):
            stats.append(event.stats)

    async with Engine(parse(CONFIG.format(calls=num_calls, threads=threads, burn=burn, reply=REPLY))) as engine:
        engine.subscribe(count)
        yield door(engine, "audiosocket"), pids_of(engine)
        await engine.switchboard.wait_until_idle()


@contextlib.asynccontextmanager
async def one_process(load: str, num_calls: int, stats: list[dict[str, float]]) -> AsyncIterator[tuple[str, list[int]]]:
    """The control, likewise."""
    threads, burn = LOADS[load]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.one_process", str(threads), burn,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | worker_environment(1, offline=True),
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        url = (await process.stdout.readline()).decode().strip()
        yield url, [process.pid]
        process.stdin.close()
        output, _ = await process.communicate()
        stats += json.loads(output)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def measure(options: Any) -> Result:
    """All loads, both systems in turn, round after round."""
    out = console(options)
    runs = []
    for number in range(options.rounds):
        for load in LOADS:
            for system in SYSTEMS:
                out.print(f"[dim]round {number + 1} of {options.rounds}: {load}, {system}[/]")
                runs.append(await run(system, load, options.calls))
    return {
        "door": "audiosocket", "calls": options.calls, "runs": msgspec.to_builtins(runs),
        "valid": all(one.valid for one in runs),
    }  # fmt: skip


def show(result: Result, out: Console) -> None:
    """The table: a row for each run."""
    table = Table(
        "load", "system", "CPU per frame, us", "late as sent p50 / p99 / max", "off spacing p99 / max", "underruns",
        "response p50 / p95", "turns", "caller late p99", title=f"{result['calls']} calls, AudioSocket; milliseconds",
        caption="late as sent: the median call's p50, the worst call's p99 and maximum",
    )  # fmt: skip
    for one in msgspec.convert(result["runs"], list[Run]):
        table.add_row(
            one.load, one.system, f"{one.us_per_frame:.0f}" if one.load == "quiet" else "",
            " / ".join(f"{ms:.1f}" for ms in one.late_ms), f"{one.spacing_p99_ms:.1f} / {one.spacing_max_ms:.1f}",
            str(one.underruns), f"{one.response_p50_ms:.0f} / {one.response_p95_ms:.0f}",
            f"{one.turns_answered} of {one.turns}", f"{one.caller_late_p99_ms:.1f}",
        )  # fmt: skip
    out.print(table)


def headlines(result: Result) -> dict[str, str]:
    """The figures to take along: those of the worst round."""
    late: dict[str, dict[str, float]] = {load: dict.fromkeys(SYSTEMS, 0.0) for load in LOADS}
    for one in msgspec.convert(result["runs"], list[Run]):
        late[one.load][one.system] = max(late[one.load][one.system], one.late_ms[1])
    return {
        f"frames late as sent, p99, {load}": ", ".join(f"{system} {ms:.1f} ms" for system, ms in by_system.items())
        for load, by_system in late.items()
    }


def plot(result: Result, path: Path) -> None:
    """How late frames leave, load by load, and what a frame costs."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    runs = msgspec.convert(result["runs"], list[Run])
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4.2), dpi=110, layout="constrained")
    for number, system in enumerate(SYSTEMS):
        at = np.arange(len(LOADS)) + 0.4 * number
        own = {load: [one for one in runs if one.system == system and one.load == load] for load in LOADS}
        colour = f"C{number}"
        left.bar(at, [max(one.late_ms[1] for one in own[load]) for load in LOADS], 0.35, color=colour, label=system)
        left.plot(at, [max(one.late_ms[2] for one in own[load]) for load in LOADS], "kx")
        right.bar(system, np.mean([one.us_per_frame for one in own["quiet"]]), 0.5, color=colour)
    left.set_xticks(np.arange(len(LOADS)) + 0.2, list(LOADS))
    left.set(yscale="log", title="frames late as sent: p99 of the worst call (x: maximum), ms")
    right.set(title="CPU per frame in and out, quiet, us")
    left.legend()
    figure.savefig(path)


if __name__ == "__main__":
    parser = options_of(__doc__, seed=None)
    parser.add_argument("--calls", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    logs.set_up("engine", "error")
    tell(uvloop.run(measure(given)), given, show, plot)
