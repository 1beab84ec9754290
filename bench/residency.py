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
from pathlib import Path

import msgspec
import uvloop
from rich.console import Console
from rich.table import Table

from bench.placing import place, says
from bench.processes import memory_mb
from bench.reporting import Result, console, options_of, tell
from ringline import Engine
from ringline.engine.config import Config, DoorConfig, load, parse
from ringline.ipc import logs

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
    valid: bool
    """Whether the caller was in time."""


async def talk(engine: Engine, num_calls: int) -> Round:
    """Place the calls and watch the workers meanwhile."""
    talking = asyncio.ensure_future(place(engine.doors[0], says(*DIALOGUE), num_calls, STAGGER_MS))
    largest: dict[str, float] = {}
    while not talking.done():
        for name, pss_mb in memory(engine).items():
            largest[name] = max(pss_mb, largest.get(name, 0.0))
        await asyncio.wait({talking}, timeout=SAMPLE_S)
    await engine.switchboard.wait_until_idle()
    result = talking.result()
    return Round(num_calls, result.turns, result.turns_answered, largest, result.valid)


def memory(engine: Engine) -> dict[str, float]:
    """PSS of each worker, in MB."""
    return {worker.name: memory_mb(worker.pid)[1] for worker in engine.supervisor.workers if worker.pid}


async def measure(options: argparse.Namespace) -> Result:
    """All rounds on one engine."""
    out = console(options)
    config: Config = load(options.config, options.profile) if options.config else parse("", profile=options.profile)
    limits = msgspec.structs.replace(config.engine, max_calls=max(options.calls), log_level="warning")
    config = msgspec.structs.replace(config, engine=limits, door=(DoorConfig("audiosocket://127.0.0.1:0"),))
    async with Engine(config) as engine:
        idle = memory(engine)
        rounds = []
        for num_calls in options.calls:
            out.print(f"[dim]{num_calls} calls ...[/]")
            rounds.append(await talk(engine, num_calls))
    valid = all(found.valid for found in rounds)
    return {"idle_mb": idle, "rounds": msgspec.to_builtins(rounds), "valid": valid}


def show(result: Result, out: Console) -> None:
    """The table: a row for each worker, a column for each round."""
    rounds = msgspec.convert(result["rounds"], list[Round])
    table = Table("PSS, MB", "idle", *(f"{found.calls} calls" for found in rounds))
    for name, at_rest in result["idle_mb"].items():
        table.add_row(name, f"{at_rest:.0f}", *(f"{found.pss_mb[name]:.0f}" for found in rounds))
    table.add_row("turns answered", "", *(f"{found.turns_answered} of {found.turns}" for found in rounds))
    out.print(table)


if __name__ == "__main__":
    parser = options_of(__doc__, seed=None, plots=False)
    parser.add_argument("--calls", type=int, nargs="+", default=[1, 8, 8])
    parser.add_argument("--profile", default="")
    parser.add_argument("--config", type=Path)
    given = parser.parse_args()
    logs.set_up("engine", "warning")
    tell(uvloop.run(measure(given)), given, show)
