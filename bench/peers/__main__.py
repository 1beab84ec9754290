"""Ringline beside Pipecat and LiveKit Agents, in one run.

    python -m bench.peers [--only response barge-in cost capacity] [--systems NAME ...] [--rounds 3]
                          [--calls 1 8] [--series 1 2 4 ...] [--seed 1] [--json] [--plot PNG]

Makes an environment for each peer when it is missing (``out/peers/``; needs a package index), starts each system as a
server of its own on loopback, calls it with recorded speech, and stops it. Systems take turns, round after round.

response   2 calls at once, from the caller's last audible sample to the bot's first, endpoint and stages the same
barge-in   callers interrupt a long reply with recorded speech: from their first audible sample to the bot's last
cost       cores and memory of all processes, while all callers speak and while the bot speaks in all calls
capacity   more and more conversations until the SLO of `bench.capacity` breaks

All set-ups, versions and the reason for each setting: bench/peers/README.md. The caller is a process of its own on the
same cores; a run in which it was late itself is marked invalid, and ends a capacity series.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

import msgspec
import numpy as np
from rich.console import Console

from bench.peers import environments
from bench.peers.measures import BargeIn, Cost, Load, Response, interrupts, plays
from bench.peers.plotting import plot
from bench.peers.speech import sentences
from bench.peers.systems import SYSTEMS, Stages, System
from bench.peers.telling import percentile, show
from bench.reporting import Result, console, options_of, tell

MEASURES = ("response", "barge-in", "cost", "capacity")
SENTENCES = 6
"""Per call and round."""
SERIES = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
PLAIN = ("ringline", "pipecat", "pipecat, per call", "livekit", "livekit, per call")
"""Whose cost and capacity are measured: the other set-ups differ in when a turn is over."""


async def measure(options: argparse.Namespace) -> Result:
    """All that was asked for."""
    out = console(options)
    systems = [SYSTEMS[name] for name in options.systems or SYSTEMS]
    peers = sorted({system.program for system in systems} - {"ringline"})
    result: Result = {
        "stages": msgspec.to_builtins(Stages()) | {"sum_ms": Stages().sum_ms},
        "versions": {peer: environments.versions(peer, environments.python_of(peer, out)) for peer in peers},
    }
    rng = np.random.default_rng(options.seed)
    with tempfile.TemporaryDirectory(prefix="ringline-peers-") as folder:
        if "response" in options.only:
            result["response"] = await _response(systems, options.rounds, rng, Path(folder), out)
        if "barge-in" in options.only:
            result["barge_in"] = await _barge_in(systems, options.rounds, rng, Path(folder), out)
        plain = [system for system in systems if system.name in PLAIN or options.systems]
        if "cost" in options.only:
            result["cost"] = await _cost(plain, options.calls, out)
        if "capacity" in options.only:
            script = plays(sentences(Path(folder), rng, 2))
            result["capacity"] = await _capacity(plain, script, options.series, out)
    timed = [one for name in ("response", "barge_in") for one in result.get(name, {}).values()]
    return result | {"valid": all(one["valid"] for one in timed)}


async def _response(
    systems: list[System], rounds: int, rng: np.random.Generator, folder: Path, out: Console
) -> dict[str, object]:
    found = {system.name: Response() for system in systems if not system.per_call}
    for number in range(rounds):
        script = plays(sentences(folder, rng, SENTENCES))
        for name, response in found.items():
            out.print(f"[dim]response, round {number + 1} of {rounds}: {name}[/]")
            await response.add(SYSTEMS[name], script, out)
    return msgspec.to_builtins(found)


async def _barge_in(
    systems: list[System], rounds: int, rng: np.random.Generator, folder: Path, out: Console
) -> dict[str, object]:
    found = {system.name: BargeIn() for system in systems if not system.per_call}
    for number in range(rounds):
        script = interrupts(sentences(folder, rng, SENTENCES + 1), rng)
        for name, barge_in in found.items():
            out.print(f"[dim]barge-in, round {number + 1} of {rounds}: {name}[/]")
            await barge_in.add(SYSTEMS[name], script, out)
    return msgspec.to_builtins(found)


async def _cost(systems: list[System], calls: list[int], out: Console) -> dict[str, object]:
    found: dict[str, list[Cost]] = {system.name: [] for system in systems}
    for number in calls:
        for system in systems:
            out.print(f"[dim]cost of {number} calls: {system.name}[/]")
            found[system.name].append(await Cost.of(system, number, out))
    return msgspec.to_builtins(found)


async def _capacity(systems: list[System], script: list[str], series: list[int], out: Console) -> dict[str, object]:
    """All systems take N calls in turn, then more; one whose SLO broke is out."""
    loads: dict[str, list[Load]] = {system.name: [] for system in systems}
    limits: dict[str, str] = {}
    for number in series:
        for system in systems:
            if system.name in limits:
                continue
            load = await Load.of(system, script, number, out)
            loads[system.name].append(load)
            if not load.valid:
                limits[system.name] = f"{number} calls: the caller was late itself ({load.caller_late_p99_ms:.1f} ms)"
            elif breaches := load.breaches(loads[system.name][0]):
                limits[system.name] = f"{number} calls: {', '.join(breaches)}"
            out.print(
                f"[dim]{number} calls at once: {system.name}: {limits.get(system.name, 'within the SLO')}; "
                f"response p95 {load.response_p95_ms:.0f} ms, {load.cores:.2f} cores[/]"
            )
    return {
        name: {
            "capacity": max((one.calls for one in of if one.valid and not one.breaches(of[0])), default=0),
            "limit": limits.get(name, ""),
            "loads": msgspec.to_builtins(of),
        }
        for name, of in loads.items()
    }


def headlines(result: Result) -> dict[str, str]:
    """The figures to take along, side by side."""
    found = {}
    for what, kind, key in (
        ("response on the wire, stages the same, median", "response", "response_ms"),
        ("barge-in, first sound to the bot's last, median", "barge_in", "cut_ms"),
    ):
        if times := result.get(kind):
            found[what] = ", ".join(f"{name} {percentile(one[key], 50):.0f} ms" for name, one in times.items())
    if capacity := result.get("capacity"):
        found["calls at once within the SLO"] = ", ".join(f"{name} {one['capacity']}" for name, one in capacity.items())
    return found


if __name__ == "__main__":
    parser = options_of(__doc__)
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=MEASURES)
    parser.add_argument("--systems", nargs="+", choices=sorted(SYSTEMS), metavar="NAME", help=", ".join(SYSTEMS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--calls", type=int, nargs="+", default=[1, 8], help="numbers of calls whose cost is measured")
    parser.add_argument("--series", type=int, nargs="+", default=SERIES, help="calls at once, until the SLO breaks")
    given = parser.parse_args()
    tell(asyncio.run(measure(given)), given, show, plot)
