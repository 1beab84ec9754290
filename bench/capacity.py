"""How many calls one machine carries, and what a call costs: more and more of them until an SLO breaks.

    python -m bench.capacity [--most 512] [--calls 1 8 32] [--door twilio|audiosocket] [--smart-turn PATH]
                             [--json] [--plot PNG]

Synthetic STT, LLM and TTS: every process, ring and message works as with real models, which are left out. For each N
three runs:

dialogue   every call holds a conversation of three turns: are all answered, how soon, do frames leave in time?
listening  all callers speak: CPU and context switches of the engine's processes meanwhile, per call
speaking   the bot speaks in all calls: the same

Before them, an engine without calls: what it costs to be there.

The SLO: every turn is answered, no reply has a hole in it, the 95th percentile of the response time stays within 50 ms
of that of one call, and 99 % of the gaps between frames stay below 30 ms (a message of two frames may be 10 ms late,
too). N doubles until the SLO breaks or ``--most`` is reached; what lies between is not tried.

The caller is a process of its own on the same cores. A run in which it was late itself says nothing, and ends the
series: then the caller is what does not fit.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import uvloop
from rich.console import Console
from rich.table import Table

from bench.placing import calling, door, pids_of, place, says, use
from bench.processes import memory_mb
from bench.reporting import Result, console, options_of, tell
from ringline import CallOver, Engine
from ringline.engine.config import parse
from ringline.ipc import logs
from ringline.tools.caller.report import RunResult

CONFIG = """
[engine]
max_calls = {calls}
log_level = "warning"
[[door]]
url = "audiosocket://127.0.0.1:0"
[[door]]
url = "twilio://127.0.0.1:0/media"
[stt]
backend = "synthetic"
[llm]
backend = "synthetic"
text = "{text}"
tokens_per_s = 200
[tts]
backend = "synthetic"
realtime_factor = {realtime_factor}
[turn]
smart_turn = "{smart_turn}"
"""

SHORT_REPLY = "This is a synthetic reply. It has two sentences."
LONG_REPLY = "This is one of many sentences that follow each other without any end in sight. " * 8
DIALOGUE = says(
    "hello there, how are you today", "I would like to book an appointment please", "that is fine thank you"
)
LONG_SPEECH = says(
    "I would like to tell you a very long story about everything that happened to me on the way here today " * 4
)
REALTIME_FACTOR, SPEAKING_REALTIME_FACTOR = 0.1, 0.9
"""Of the synthetic voice. While all bots speak, theirs is made about as fast as it is heard: so the window in which CPU
is counted sees what was made for it, and no more."""
SPREAD_S = 1.6
"""Calls begin spread over so long, so that neither their frames nor their turns coincide ..."""
MIN_STAGGER_MS = 12.5
"""... but no faster than this: 80 new calls a second are a storm, and no load that a machine is sized for."""
WINDOW_S = 8.0
IDLE_WINDOW_S = 10.0
MOST_CALLS = 512

MAX_SLOWER_MS = 50.0
MAX_GAP_MS = 30.0
FRAME_MS = 20.0


class Load(msgspec.Struct, frozen=True):
    """What one number of calls came to."""

    calls: int
    turns: int
    turns_answered: int
    underruns: int
    response_ms: tuple[float, float, float]
    """On the wire: p50, p95, p99."""
    gap_p99_ms: float
    """Between frames on the wire: 20 ms and what a message was off its nominal spacing."""
    late_ms: tuple[float, float, float]
    """Frames as sent, after their deadline: median call's p50, worst call's p99 and maximum."""
    cores_listening: float
    """Per call, all processes of the engine together."""
    cores_speaking: float
    switches_listening: float
    """Context switches per call and second."""
    switches_speaking: float
    pss_mb: float
    """All processes of the engine; what they share is counted once."""
    rss_mb: float
    caller_late_p99_ms: float
    valid: bool
    """Whether the caller was in time."""

    def breaches(self, alone: Load) -> list[str]:
        """Where the SLO is broken. ``alone``: what one call came to."""
        found = []
        if self.turns_answered < self.turns:
            found.append(f"{self.turns - self.turns_answered} of {self.turns} turns unanswered")
        if self.response_ms[1] > alone.response_ms[1] + MAX_SLOWER_MS:
            found.append(f"response p95 {self.response_ms[1]:.0f} ms")
        if self.gap_p99_ms >= MAX_GAP_MS:
            found.append(f"frame gap p99 {self.gap_p99_ms:.0f} ms")
        if self.underruns:
            found.append(f"{self.underruns} underruns")
        return found


class Bench:
    """An engine for N calls and what is placed against it."""

    def __init__(self, num_calls: int, scheme: str, smart_turn: str = "") -> None:
        self.num_calls = num_calls
        self.smart_turn = smart_turn
        self.scheme = scheme
        self.stagger_ms = max(MIN_STAGGER_MS, SPREAD_S * 1e3 / num_calls)

    async def measure(self) -> Load:
        """All three runs."""
        late: list[dict[str, float]] = []
        async with self._engine(SHORT_REPLY) as engine:
            engine.subscribe(lambda _, event: late.append(event.stats) if isinstance(event, CallOver) else None)
            result = await place(door(engine, self.scheme), DIALOGUE, self.num_calls, self.stagger_ms)
            await engine.switchboard.wait_until_idle()
            sent = list(late)
            memory = [memory_mb(pid) for pid in pids_of(engine)]
            listening = await self._cost(engine, LONG_SPEECH, settle_s=4.0)
        async with self._engine(LONG_REPLY, SPEAKING_REALTIME_FACTOR) as engine:
            speaking = await self._cost(engine, says("hello"), settle_s=2.0)
        return self._load(result, sent, memory, listening, speaking)

    async def idle(self) -> float:
        """Cores that the engine's processes take without a call."""
        async with self._engine(SHORT_REPLY) as engine:
            cores, _ = await use(pids_of(engine), IDLE_WINDOW_S)
        return cores

    def _load(
        self,
        result: RunResult,
        sent: list[dict[str, float]],
        memory: list[tuple[float, float]],
        listening: tuple[float, float],
        speaking: tuple[float, float],
    ) -> Load:
        response, spacing = result.response_ms, result.spacing_error_ms
        p50s, p99s, worst = (
            [stats.get(f"late_p{percent}_ms", 0.0) for stats in sent] or [0.0] for percent in (50, 99, 100)
        )
        return Load(
            self.num_calls, result.turns, result.turns_answered, result.underruns,
            (response.p50 or 0.0, response.p95 or 0.0, response.p99 or 0.0),
            FRAME_MS + (spacing.p99 or 0.0),
            (float(np.median(p50s)), max(p99s), max(worst)),
            listening[0], speaking[0], listening[1], speaking[1],
            sum(pss for _, pss in memory), sum(rss for rss, _ in memory),
            result.lateness_ms.p99 or 0.0, result.valid,
        )  # fmt: skip

    def _engine(self, text: str, realtime_factor: float = REALTIME_FACTOR) -> Engine:
        config = CONFIG.format(
            calls=self.num_calls, text=text, realtime_factor=realtime_factor, smart_turn=self.smart_turn
        )
        return Engine(parse(config))

    async def _cost(self, engine: Engine, script: list[str], settle_s: float) -> tuple[float, float]:
        """(cores, context switches a second) per call, over a window in which all calls are in the same phase."""
        async with calling(door(engine, self.scheme), script, self.num_calls, self.stagger_ms):
            while len(engine.calls) < self.num_calls:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            await asyncio.sleep(settle_s)
            cores, switches = await use(pids_of(engine), WINDOW_S)
        await engine.switchboard.wait_until_idle()
        return cores / self.num_calls, switches / self.num_calls


async def measure(options: argparse.Namespace) -> Result:
    """The series. It ends with the first N at which the SLO or the caller breaks, unless ``--calls`` says which."""
    out = console(options)
    idle_cores = await Bench(1, options.door, options.smart_turn).idle()
    loads: list[Load] = []
    limit = ""
    for num_calls in options.calls or _doubling(options.most):
        out.print(f"[dim]{num_calls} calls ...[/]")
        load = await Bench(num_calls, options.door, options.smart_turn).measure()
        loads.append(load)
        if not load.valid:
            limit = f"{num_calls} calls: the caller was late itself (p99 {load.caller_late_p99_ms:.1f} ms)"
        elif breaches := load.breaches(loads[0]):
            limit = f"{num_calls} calls: {', '.join(breaches)}"
        if limit and not options.calls:
            break
    within = [load.calls for load in loads if load.valid and not load.breaches(loads[0])]
    return {
        "door": options.door,
        "idle_cores": idle_cores,
        "capacity": max(within, default=0),
        "limit": limit,
        "loads": msgspec.to_builtins(loads),
        "pss_per_further_call_mb": _slope([load.calls for load in loads], [load.pss_mb for load in loads]),
        "valid": any(load.valid for load in loads),
    }


def _doubling(most: int) -> Iterator[int]:
    calls = 1
    while calls <= most:
        yield calls
        calls *= 2


def _slope(calls: list[int], values: list[float]) -> float:
    """What one call more adds, from the first to the last load."""
    return (values[-1] - values[0]) / (calls[-1] - calls[0]) if calls[-1] > calls[0] else float("nan")


ROWS: dict[str, Callable[[Load], str]] = {
    "turns answered": lambda load: f"{load.turns_answered} of {load.turns}",
    "underruns": lambda load: str(load.underruns),
    "response p50 / p95 / p99, ms": lambda load: " / ".join(f"{ms:.0f}" for ms in load.response_ms),
    "frame gap p99, ms": lambda load: f"{load.gap_p99_ms:.1f}",
    "frames late as sent p50 / p99 / max, ms": lambda load: " / ".join(f"{ms:.1f}" for ms in load.late_ms),
    "cores per call, listening": lambda load: f"{load.cores_listening:.4f}",
    "cores per call, speaking": lambda load: f"{load.cores_speaking:.4f}",
    "context switches per call and s, listening / speaking": lambda load: (
        f"{load.switches_listening:.0f} / {load.switches_speaking:.0f}"
    ),
    "PSS of all processes, MB": lambda load: f"{load.pss_mb:.0f}",
    "caller late p99, ms": lambda load: f"{load.caller_late_p99_ms:.1f}",
}


def show(result: Result, out: Console) -> None:
    """The table: a column for each N."""
    loads = msgspec.convert(result["loads"], list[Load])
    slo = f"p95 within {MAX_SLOWER_MS:.0f} ms of one call's, frame gap p99 below {MAX_GAP_MS:.0f} ms"
    caption = f"caller included; SLO: every turn answered, no underruns, {slo}"
    table = Table("", *(f"{load.calls} call{'s' * (load.calls > 1)}" for load in loads), caption=caption)
    for name, row in ROWS.items():
        table.add_row(name, *(row(load) for load in loads))
    out.print(table)
    out.print(f"{result['door']}: {result['capacity']} calls within the SLO; {result['limit'] or 'no limit was met'}")
    out.print(
        f"PSS per further call: {result['pss_per_further_call_mb']:.1f} MB; "
        f"without calls: {100 * result['idle_cores']:.1f} % of a core"
    )


def headlines(result: Result) -> dict[str, str]:
    """The figures to take along: those of the greatest load within the SLO."""
    loads = msgspec.convert(result["loads"], list[Load])
    most = next((load for load in loads if load.calls == result["capacity"]), loads[0])
    limit = f" ({result['limit']})" if result["limit"] else ""
    cores = f"{most.cores_listening:.4f} listening, {most.cores_speaking:.4f} speaking"
    return {
        f"calls at once within the SLO, {result['door']}": f"{result['capacity']}{limit}",
        f"cores per call, {most.calls} calls": cores,
        "memory per further call": f"{result['pss_per_further_call_mb']:.1f} MB",
    }


def plot(result: Result, path: Path) -> None:
    """Response times and the cost of a call over the number of calls."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    loads = msgspec.convert(result["loads"], list[Load])
    calls = [load.calls for load in loads]
    figure, (left, middle, right) = pyplot.subplots(1, 3, figsize=(14, 4.2), dpi=110, layout="constrained")
    for index, name in enumerate(("p50", "p95", "p99")):
        left.plot(calls, [load.response_ms[index] for load in loads], "o-", label=name)
        middle.plot(calls, [load.late_ms[index] for load in loads], "o-", label=("p50", "p99", "max")[index])
    left.set(title="response on the wire, ms", ylim=(0, None))
    middle.set(title="frames late as sent, ms", ylim=(0, None))
    right.plot(calls, [load.cores_listening for load in loads], "o-", label="listening")
    right.plot(calls, [load.cores_speaking for load in loads], "o-", label="speaking")
    right.set(title="cores per call", ylim=(0, None))
    for axes in (left, middle, right):
        axes.set_xscale("log", base=2)
        axes.set_xticks(calls, [str(number) for number in calls])
        axes.set_xlabel("calls at once")
        axes.axvline(result["capacity"], color="0.6", linestyle=":")
        axes.grid(alpha=0.3)
        axes.legend()
    figure.suptitle(f"{result['door']}, {result['machine']['cores']} cores, caller included")
    figure.savefig(path)


if __name__ == "__main__":
    parser = options_of(__doc__, seed=None)
    parser.add_argument("--calls", type=int, nargs="+", help="these numbers of calls, whatever breaks")
    parser.add_argument("--most", type=int, default=MOST_CALLS)
    parser.add_argument("--door", choices=("twilio", "audiosocket"), default="twilio")
    parser.add_argument("--smart-turn", default="", help="[turn] smart_turn: a path, or `pipecat`")
    given = parser.parse_args()
    logs.set_up("engine", "warning")
    tell(uvloop.run(measure(given)), given, show, plot)
