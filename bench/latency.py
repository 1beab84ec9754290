"""How long callers wait: from their last sound to the bot's first, on the wire, with and without drafted replies.

    python -m bench.latency [--rounds 3] [--door audiosocket|twilio] [--json] [--plot PNG]

Three engines take calls in turn, round after round, so that all see the same machine:

draft      synthetic stages of 100 ms (STT), 100 ms (LLM, to its first phrase) and 50 ms (TTS), `endpoint_ms = 400`
no draft   the same with `draft = false`
embedded   the embedded default: pocketsphinx, the clinic's flow, espeak-ng, and endpoints that adapt

The synthetic ones have a fixed endpoint, so that what is measured is the machinery.

A turn that waits for its stages takes 650 ms and what the machinery adds. The caller is a process of its own on the
same cores; a run in which it was late itself is marked invalid.
"""

from __future__ import annotations

import argparse
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import numpy as np
import uvloop
from rich.console import Console
from rich.table import Table

from bench.placing import door, place, says
from bench.reporting import Result, console, options_of, tell
from ringline import BotSaid, Engine
from ringline.engine.config import parse
from ringline.ipc import logs

COMMON = """
[engine]
max_calls = 4
log_level = "warning"
[[door]]
url = "audiosocket://127.0.0.1:0"
[[door]]
url = "twilio://127.0.0.1:0/media"
[turn]
endpoint_ms = 400
"""

FIXED = """
endpoint_min_ms = 400
endpoint_max_ms = 400
prosody = false
"""

SYNTHETIC = """
[stt]
backend = "synthetic"
final_ms = 100
[llm]
backend = "synthetic"
first_token_ms = 100
tokens_per_s = 1000
text = "This is a synthetic reply. It has two sentences."
[tts]
backend = "synthetic"
first_audio_ms = 50
"""

ENGINES = {
    "draft": COMMON + FIXED + SYNTHETIC,
    "no draft": COMMON + FIXED + "draft = false\n" + SYNTHETIC,
    "embedded": COMMON,
}

SCRIPTS = {
    "draft": ("hello there, how are you today", "I would like to book an appointment please", "that is fine") * 2,
    "no draft": ("hello there, how are you today", "I would like to book an appointment please", "that is fine") * 2,
    "embedded": ("I'd like to book an appointment", "Tuesday", "ten", "no", "goodbye"),
}

CALLS = 2
"""At the same time: the frames of the one are not in step with those of the other."""


class Latency(msgspec.Struct):
    """What one engine's callers measured."""

    name: str
    response_ms: list[float] = msgspec.field(default_factory=list)
    turns: int = 0
    drafts_used: int = 0
    drafts_wasted: int = 0
    valid: bool = True

    def percentile(self, percent: float) -> float:
        """Of the response times, in milliseconds."""
        return float(np.percentile(self.response_ms, percent)) if self.response_ms else float("nan")


async def _place(engine: Engine, latency: Latency, scheme: str) -> None:
    result = await place(door(engine, scheme), says(*SCRIPTS[latency.name]), CALLS)
    await engine.switchboard.wait_until_idle()
    turns = [turn for call in result.call_results for turn in call.turns]
    latency.turns += len(turns)
    latency.response_ms += [turn.response_ms for turn in turns if turn.response_ms is not None]
    latency.valid = latency.valid and result.valid


def _count_drafts(engine: Engine, latency: Latency) -> None:
    def count(call: object, event: object) -> None:
        if isinstance(event, BotSaid) and event.trace.speech_end_ns:
            latency.drafts_used += event.trace.drafted
            latency.drafts_wasted += event.trace.drafts_wasted

    engine.subscribe(count)


async def measure(options: argparse.Namespace) -> Result:
    """Response times of the three engines."""
    out = console(options)
    latencies = {name: Latency(name) for name in ENGINES}
    async with AsyncExitStack() as stack:
        engines = {}
        for name, source in ENGINES.items():
            engines[name] = await stack.enter_async_context(Engine(parse(source)))
            _count_drafts(engines[name], latencies[name])
        for number in range(options.rounds):
            out.print(f"[dim]round {number + 1} of {options.rounds}[/]")
            for name, engine in engines.items():
                await _place(engine, latencies[name], options.door)
    valid = all(latency.valid for latency in latencies.values())
    return {"door": options.door, "latencies": msgspec.to_builtins(latencies), "valid": valid}


def show(result: Result, out: Console) -> None:
    """The table."""
    latencies = msgspec.convert(result["latencies"], dict[str, Latency])
    table = Table("response on the wire, ms", "p50", "p95", "p99", "max", "turns", "drafts used / wasted", "valid")
    for latency in latencies.values():
        table.add_row(
            latency.name,
            *(f"{latency.percentile(percent):.0f}" for percent in (50, 95, 99, 100)),
            f"{len(latency.response_ms)} of {latency.turns}",
            f"{latency.drafts_used} / {latency.drafts_wasted}",
            "yes" if latency.valid else "no",
        )
    out.print(result["door"], table)


def plot(result: Result, path: Path) -> None:
    """How many of the turns were answered within a time."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4), dpi=110, layout="constrained")
    for name, one in result["latencies"].items():
        times = np.sort(one["response_ms"])
        axes.plot(times, 100 * np.arange(1, len(times) + 1) / max(1, len(times)), label=name)
    axes.set(xlabel="response on the wire, ms", ylabel="turns, %", xlim=(0, None), ylim=(0, 100))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path)


if __name__ == "__main__":
    parser = options_of(__doc__, seed=None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--door", choices=("audiosocket", "twilio"), default="audiosocket")
    given = parser.parse_args()
    logs.set_up("engine", "warning")
    tell(uvloop.run(measure(given)), given, show, plot)
