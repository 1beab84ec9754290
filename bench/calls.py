"""What calls cost, and whether every frame leaves in time: N concurrent calls against one engine, caller included.

    python -m bench.calls [--calls 1 8 32] [--door twilio|audiosocket] [--smart-turn PATH] [--json]

Synthetic STT, LLM and TTS: every process, ring and message works as with real models, which are left out. For each N
three runs:

dialogue   every call holds a conversation of three turns: are all turns answered, do messages keep their spacing?
listening  all callers speak for ten seconds: CPU of the engine's processes meanwhile, per call
speaking   the bot speaks in all calls for ten seconds: the same

The caller is a process of its own on the same cores. A run in which it was late itself is marked invalid.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import msgspec
import uvloop
from rich.console import Console
from rich.table import Table

from bench.processes import cpu_s, machine, memory_mb
from ringline import Engine
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
[turn]
smart_turn = "{smart_turn}"
"""

SHORT_REPLY = "This is a synthetic reply. It has two sentences."
LONG_REPLY = "This is one of many sentences that follow each other without any end in sight. " * 8
DIALOGUE = ("hello there, how are you today", "I would like to book an appointment please", "that is fine thank you")
LONG_SPEECH = (
    "I would like to tell you a very long story about everything that happened to me on the way here today " * 4
)
STAGGER_MS = 50
WINDOW_S = 8.0


class Cost(msgspec.Struct, frozen=True):
    """One N."""

    calls: int
    turns: int
    turns_answered: int
    underruns: int
    response_p50_ms: float
    response_p95_ms: float
    spacing_error_p99_ms: float
    spacing_error_max_ms: float
    cpu_per_call_listening: float
    """Cores."""
    cpu_per_call_speaking: float
    rss_mb: float
    """All processes of the engine; counts shared pages in each."""
    pss_mb: float
    caller_lateness_p99_ms: float
    valid: bool


class Bench:
    """An engine for N calls and what is placed against it."""

    def __init__(self, num_calls: int, door: str, smart_turn: str = "") -> None:
        self.num_calls = num_calls
        self.smart_turn = smart_turn
        self.door = door

    async def measure(self) -> Cost:
        """All three runs."""
        async with self._engine(SHORT_REPLY) as engine:
            result = await self._place(engine, DIALOGUE)
            pids = _pids(engine)
            memory = [memory_mb(pid) for pid in pids]
            listening = await self._cost(engine, (LONG_SPEECH,), settle_s=5.0)
        async with self._engine(LONG_REPLY) as engine:
            speaking = await self._cost(engine, ("hello",), settle_s=2.0)
        spacing, response = result.spacing_error_ms, result.response_ms
        return Cost(
            self.num_calls, result.turns, result.turns_answered, result.underruns,
            response.p50 or 0.0, response.p95 or 0.0, spacing.p99 or 0.0, spacing.max or 0.0,
            listening, speaking, sum(rss for rss, _ in memory), sum(pss for _, pss in memory),
            result.lateness_ms.p99 or 0.0, result.valid,
        )  # fmt: skip

    def _engine(self, text: str) -> Engine:
        return Engine(parse(CONFIG.format(calls=self.num_calls, text=text, smart_turn=self.smart_turn)))

    def _command(self, engine: Engine, say: tuple[str, ...]) -> list[str]:
        url = next(url for url in engine.doors if url.startswith(self.door))
        command = [sys.executable, "-m", "ringline.tools.caller", url, "--calls", str(self.num_calls)]
        command += ["--json", "--stagger", str(STAGGER_MS)]
        for text in say:
            command += ["--say", text]
        return command

    async def _place(self, engine: Engine, say: tuple[str, ...]) -> RunResult:
        process = await asyncio.create_subprocess_exec(*self._command(engine, say), stdout=subprocess.PIPE)
        output, _ = await process.communicate()
        await engine.switchboard.wait_until_idle()
        return msgspec.json.decode(output, type=RunResult)

    async def _cost(self, engine: Engine, say: tuple[str, ...], settle_s: float) -> float:
        """Cores per call over a window in which all calls are in the same phase."""
        process = await asyncio.create_subprocess_exec(*self._command(engine, say), stdout=subprocess.DEVNULL)
        try:
            while len(engine.calls) < self.num_calls:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            await asyncio.sleep(settle_s)
            pids = _pids(engine)
            before = sum(cpu_s(pid) for pid in pids)
            await asyncio.sleep(WINDOW_S)
            used = sum(cpu_s(pid) for pid in pids) - before
        finally:
            process.terminate()
            await process.wait()
        await engine.switchboard.wait_until_idle()
        return used / WINDOW_S / self.num_calls


def _pids(engine: Engine) -> list[int]:
    return [os.getpid(), *(worker.pid for worker in engine.supervisor.workers)]


async def _main(arguments: Any) -> None:
    console = Console(stderr=arguments.json)
    costs = []
    for num_calls in arguments.calls:
        console.print(f"[dim]{num_calls} calls ...[/]")
        costs.append(await Bench(num_calls, arguments.door, arguments.smart_turn).measure())
    if arguments.json:
        print(json.dumps({"machine": machine(), "door": arguments.door, "costs": msgspec.to_builtins(costs)}))
        return
    table = Table("", *(f"{cost.calls} calls" for cost in costs), caption="caller included")
    rows: dict[str, Callable[[Cost], str]] = {
        "turns answered": lambda cost: f"{cost.turns_answered} of {cost.turns}",
        "underruns": lambda cost: str(cost.underruns),
        "response p50 / p95, ms": lambda cost: f"{cost.response_p50_ms:.0f} / {cost.response_p95_ms:.0f}",
        "off nominal spacing p99 / max, ms": lambda cost: (
            f"{cost.spacing_error_p99_ms:.1f} / {cost.spacing_error_max_ms:.1f}"
        ),
        "cores per call, listening": lambda cost: f"{cost.cpu_per_call_listening:.4f}",
        "cores per call, speaking": lambda cost: f"{cost.cpu_per_call_speaking:.4f}",
        "RSS of all processes, MB": lambda cost: f"{cost.rss_mb:.0f}",
        "PSS of all processes, MB": lambda cost: f"{cost.pss_mb:.0f}",
        "caller in time": lambda cost: "yes" if cost.valid else "no",
    }
    for name, row in rows.items():
        table.add_row(name, *(row(cost) for cost in costs))
    console.print(f"{arguments.door}, {machine()['cpu']}, {machine()['cores']} cores")
    console.print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--door", choices=("twilio", "audiosocket"), default="twilio")
    parser.add_argument("--smart-turn", default="", help="[turn] smart_turn: a path, or `pipecat`")
    parser.add_argument("--json", action="store_true")
    logs.set_up("engine", "warning")
    uvloop.run(_main(parser.parse_args()))
