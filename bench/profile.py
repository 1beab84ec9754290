"""Where a loaded engine spends its time: per process, thread, library, system call and function.

    python -m bench.profile [--calls 32] [--phase listening|speaking|dialogue] [--door twilio|audiosocket]
                            [--json] [--plot PNG]

Synthetic STT, LLM and TTS; every process, ring and message works as with real models. The calls are placed twice, with
all of them in the same phase:

first     CPU and context switches of each thread, from /proc; meanwhile `perf` samples libraries and system calls, the
          kernel included, at next to no cost (Debian: linux-perf; without it that table is missing)
second    `py-spy` samples Python functions, whose time includes the C code that they call; it stops the process for
          each sample, so nothing is timed meanwhile. Flame graphs go to out/profile/.

Both profilers need to be root, or CAP_SYS_PTRACE and CAP_PERFMON. Sending over loopback includes the receiving: the
kernel does it in the sender's system call. The caller is a process of its own on the same cores; a run in which it was
late itself is marked invalid.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import sysconfig
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from bench.capacity import CONFIG, DIALOGUE, LONG_REPLY, LONG_SPEECH, SHORT_REPLY
from bench.placing import calling, door, pids_of, place, says
from bench.processes import ThreadUsage, threads_of
from bench.reporting import Result, options_of, tell
from bench.stacks import flame_graph, parse_perf, parse_spy, self_samples
from ringline import Engine
from ringline.engine.config import parse
from ringline.ipc import logs
from ringline.tools.caller.report import RunResult

PHASES = {
    "listening": (SHORT_REPLY, LONG_SPEECH),
    "speaking": (LONG_REPLY, says("hello")),
    "dialogue": (SHORT_REPLY, DIALOGUE * 5),
}
"""What the bot answers, and what the callers do."""

STAGGER_MS = 30.0
SETTLE_S = 3.0
WINDOW_S = 8.0
CALL_S = SETTLE_S + WINDOW_S + 6.0
"""How long a call of the first placement lasts; the longest reply and the long speech last longer."""
PERF_HZ = 499  # not a multiple of the media clock's 100 Hz, whose work would be seen always or never
SPY_HZ = 97
FOLDER = Path("out/profile")
TOP = 12
LEAST = 0.005
"""Of the CPU: what has less is left out of the tables."""


class Profiler:
    """An engine under load, and those who look at it."""

    def __init__(self, num_calls: int, scheme: str, phase: str) -> None:
        self.num_calls, self.scheme, self.phase = num_calls, scheme, phase
        reply, self.script = PHASES[phase]
        source = CONFIG.format(calls=num_calls, text=reply, smart_turn="")
        # Calls that are cut short are no news here.
        self.config = parse(source.replace('log_level = "warning"', 'log_level = "error"'))

    async def measure(self) -> Result:
        """Both placements."""
        async with Engine(self.config) as engine:
            names = dict(zip(pids_of(engine), ["engine", *(w.name for w in engine.supervisor.workers)], strict=True))
            placing = asyncio.create_task(self._place(engine))
            async with self._loaded(engine):
                threads, libraries = await asyncio.gather(self._threads(list(names)), self._perf(names))
            caller = await placing
            await engine.switchboard.wait_until_idle()
            async with (
                calling(self._url(engine), self.script, self.num_calls, STAGGER_MS),
                self._loaded(engine),
            ):
                thread_names, functions = await self._spy(names)
            await engine.switchboard.wait_until_idle()
        rows = [
            {"process": names[thread.pid], "thread": thread_names.get(thread.tid, thread.name), "cores": thread.cpu_s}
            | {"switches_per_s": thread.switches}
            for thread in threads
        ]
        return {
            "calls": self.num_calls, "door": self.scheme, "phase": self.phase,
            "cores": sum(thread.cpu_s for thread in threads), "threads": rows, "libraries": libraries,
            "functions": functions, "caller_late_p99_ms": caller.lateness_ms.p99, "valid": caller.valid,
        }  # fmt: skip

    def _url(self, engine: Engine) -> str:
        return door(engine, self.scheme)

    async def _place(self, engine: Engine) -> RunResult:
        limit = ("--limit", str(round(CALL_S * 1e3)))
        return await place(self._url(engine), self.script, self.num_calls, STAGGER_MS, limit)

    @contextlib.asynccontextmanager
    async def _loaded(self, engine: Engine) -> AsyncIterator[None]:
        """While all calls are in the phase. Raises RuntimeError if they were over before."""
        async with asyncio.timeout(30):
            while len(engine.calls) < self.num_calls:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await asyncio.sleep(SETTLE_S)
        yield
        if len(engine.calls) < self.num_calls:
            raise RuntimeError("calls ended while they were looked at")

    async def _threads(self, pids: list[int]) -> list[ThreadUsage]:
        """What each thread used per second."""
        before = {thread.tid: thread for thread in threads_of(pids)}
        await asyncio.sleep(WINDOW_S)
        after = [thread for thread in threads_of(pids) if thread.tid in before]
        return [
            ThreadUsage(
                thread.pid, thread.tid, thread.name,
                (thread.cpu_s - before[thread.tid].cpu_s) / WINDOW_S,
                (thread.switches - before[thread.tid].switches) / WINDOW_S,
            )
            for thread in after
        ]  # fmt: skip

    async def _perf(self, names: Mapping[int, str]) -> dict[str, dict[str, float]]:
        """Library or system call -> process -> share of all samples; empty without `perf`."""
        if shutil.which("perf") is None:
            return {}
        with tempfile.TemporaryDirectory() as folder:
            data, pids = f"{folder}/perf.data", ",".join(map(str, names))
            await _run("perf", "record", "-F", str(PERF_HZ), "-g", "-o", data, "-p", pids, "--", "sleep", str(WINDOW_S))
            text = await _run("perf", "script", "-i", data, "--no-inline", "-F", "pid,tid,ip,sym,dso")
        samples = parse_perf(text)
        counts: dict[str, Counter[str]] = {}
        for sample in samples:
            counts.setdefault(sample.subsystem, Counter())[names[sample.pid]] += 1
        return {
            name: {process: count / len(samples) for process, count in row.items()}
            for name, row in sorted(counts.items(), key=lambda item: -item[1].total())
        }

    async def _spy(self, names: Mapping[int, str]) -> tuple[dict[int, str], dict[str, dict[str, float]]]:
        """(names of Python threads, process -> function -> share of the process's samples)."""
        spy = str(Path(sysconfig.get_path("scripts")) / "py-spy")
        record = (spy, "record", "-d", str(round(WINDOW_S)), "-r", str(SPY_HZ), "-f", "raw", "--threads", "--function")
        files = {pid: FOLDER / f"{self.phase}-{name}.txt" for pid, name in names.items()}
        await asyncio.gather(*(_run(*record, "-o", str(file), "-p", str(pid)) for pid, file in files.items()))
        thread_names: dict[int, str] = {}
        functions = {}
        for pid, file in files.items():
            stacks: Counter[tuple[str, ...]] = Counter()
            for (tid, name), found in parse_spy(file.read_text()).items():
                thread_names[tid] = name
                stacks.update({(name, *stack): count for stack, count in found.items()})
            title = f"{names[pid]}, {self.num_calls} calls {self.phase}"
            file.with_suffix(".svg").write_text(flame_graph(stacks, title))
            innermost = self_samples(stacks)
            functions[names[pid]] = {name: count / innermost.total() for name, count in innermost.most_common(TOP)}
        return thread_names, functions


async def _run(*command: str) -> str:
    """Its standard output. Raises RuntimeError with what it said on the other if it fails."""
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output, errors = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{command[0]}: {errors.decode().strip() or process.returncode}")
    return output.decode()


def show(result: Result, out: Console) -> None:
    """Threads, libraries and system calls, functions."""
    total = result["cores"]
    title = f"{result['calls']} calls {result['phase']}, {result['door']}: {total:.3f} cores"
    table = Table("process", "thread", "cores", "share", "switches / s", title=title)
    for row in sorted(result["threads"], key=lambda row: -row["cores"]):
        if row["cores"] >= LEAST * total:
            share = f"{100 * row['cores'] / total:.1f} %"
            table.add_row(row["process"], row["thread"], f"{row['cores']:.4f}", share, f"{row['switches_per_s']:.0f}")
    out.print(table)
    processes = dict.fromkeys(row["process"] for row in result["threads"])
    if result["libraries"]:
        table = Table("% of all samples", "all", *processes, title="libraries and system calls (perf)")
        for name, shares in result["libraries"].items():
            if sum(shares.values()) >= LEAST:
                cells = (f"{100 * shares[process]:.1f}" if process in shares else "" for process in processes)
                table.add_row(name, f"{100 * sum(shares.values()):.1f}", *cells)
        out.print(table)
    table = Table("process", "function, with the C code that it calls", "% of the process", title="functions (py-spy)")
    for process, functions in result["functions"].items():
        for name, share in functions.items():
            table.add_row(process, name, f"{100 * share:.1f}")
        table.add_section()
    out.print(table)
    out.print(f"flame graphs: {FOLDER}/{result['phase']}-*.svg; caller late p99 {result['caller_late_p99_ms']:.1f} ms")


def plot(result: Result, path: Path) -> None:
    """A bar per process, of its libraries and system calls."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    processes = list(dict.fromkeys(row["process"] for row in result["threads"]))
    figure, axes = pyplot.subplots(figsize=(11, 4.5), dpi=110, layout="constrained")
    left = dict.fromkeys(processes, 0.0)
    for number, (name, shares) in enumerate(list(result["libraries"].items())[:20]):
        cores = [result["cores"] * shares.get(process, 0.0) for process in processes]
        colour = pyplot.get_cmap("tab20")(number)
        axes.barh(processes, cores, left=list(left.values()), label=name, color=colour)
        left = {process: left[process] + core for process, core in zip(processes, cores, strict=True)}
    axes.invert_yaxis()
    axes.set(xlabel="cores", title=f"{result['calls']} calls {result['phase']}, {result['door']}")
    figure.legend(fontsize=7, loc="outside right upper")
    figure.savefig(path)


if __name__ == "__main__":
    parser = options_of(__doc__, seed=None)
    parser.add_argument("--calls", type=int, default=32)
    parser.add_argument("--phase", choices=PHASES, default="speaking")
    parser.add_argument("--door", choices=("twilio", "audiosocket"), default="twilio")
    given = parser.parse_args()
    logs.set_up("engine", "error")
    FOLDER.mkdir(parents=True, exist_ok=True)
    tell(uvloop.run(Profiler(given.calls, given.door, given.phase).measure()), given, show, plot)
