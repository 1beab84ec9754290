"""What models cost in memory, and that calls cost next to none: each worker's memory while 1, 8, ... calls talk.

    python -m bench.residency [--calls 1 8 8] [--profile NAME] [--config ringline.toml] [--json]

One engine serves all rounds, in this order; the same number twice shows whether memory comes back or grows. A worker's
figure is the largest PSS (its share of what processes map together, the calls' rings included) seen during the round.
Pocketsphinx is the exception among the models: it makes a decoder, some 28 MB, for each utterance that is spoken at the
same time as others, up to `[stt] decoders`, and keeps it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from rich.console import Console
from rich.table import Table

from bench.processes import machine, memory_mb
from ringline import Engine
from ringline.engine.config import Config, DoorConfig, load, parse
from ringline.ipc import logs
from ringline.tools.caller.report import RunResult

DIALOGUE = ("I would like to book an appointment please", "on Monday", "at ten in the morning", "yes")
SAMPLE_S = 0.25
STAGGER_MS = 100


class Round(msgspec.Struct, frozen=True):
    """So many calls at a time."""

    calls: int
    turns: int
    turns_answered: int
    pss_mb: dict[str, float]
    """Of each worker, the largest seen."""


async def measure(engine: Engine, num_calls: int) -> Round:
    """Place the calls and watch the workers meanwhile."""
    command = [sys.executable, "-m", "ringline.tools.caller", engine.doors[0], "--calls", str(num_calls), "--json"]
    command += ["--stagger", str(STAGGER_MS), *(argument for text in DIALOGUE for argument in ("--say", text))]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    talking = asyncio.ensure_future(process.communicate())
    largest: dict[str, float] = {}
    while not talking.done():
        for name, pss_mb in memory(engine).items():
            largest[name] = max(pss_mb, largest.get(name, 0.0))
        await asyncio.wait({talking}, timeout=SAMPLE_S)
    await engine.switchboard.wait_until_idle()
    output, _ = talking.result()
    result = msgspec.json.decode(output, type=RunResult)
    return Round(num_calls, result.turns, result.turns_answered, largest)


def memory(engine: Engine) -> dict[str, float]:
    """PSS of each worker, in MB."""
    return {worker.name: memory_mb(worker.pid)[1] for worker in engine.supervisor.workers if worker.pid}


async def _main(arguments: Any) -> None:
    console = Console(stderr=arguments.json)
    source = Path(arguments.config) if arguments.config else None
    config: Config = load(source, arguments.profile) if source else parse("", profile=arguments.profile)
    limits = msgspec.structs.replace(config.engine, max_calls=max(arguments.calls), log_level="warning")
    config = msgspec.structs.replace(config, engine=limits, door=(DoorConfig("audiosocket://127.0.0.1:0"),))
    async with Engine(config) as engine:
        idle = memory(engine)
        rounds = []
        for num_calls in arguments.calls:
            console.print(f"[dim]{num_calls} calls ...[/]")
            rounds.append(await measure(engine, num_calls))
    if arguments.json:
        print(json.dumps({"machine": machine(), "idle_mb": idle, "rounds": msgspec.to_builtins(rounds)}))
        return
    table = Table("PSS, MB", "idle", *(f"{found.calls} calls" for found in rounds))
    for name, at_rest in idle.items():
        table.add_row(name, f"{at_rest:.0f}", *(f"{found.pss_mb[name]:.0f}" for found in rounds))
    table.add_row("turns answered", "", *(f"{found.turns_answered} of {found.turns}" for found in rounds))
    console.print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, nargs="+", default=[1, 8, 8])
    parser.add_argument("--profile", default="")
    parser.add_argument("--config", default="")
    parser.add_argument("--json", action="store_true")
    logs.set_up("engine", "warning")
    uvloop.run(_main(parser.parse_args()))
