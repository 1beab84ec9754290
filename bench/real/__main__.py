"""Calls at once on real models, on one machine, and beside Pipecat with the same models.

    python -m bench.real [--systems ringline pipecat] [--series 1 2 4 8] [--turns 5] [--threads 1]
                         [--tts-workers 2] [--seed 1] [--json]
    python -m bench.real --soak 30 [--calls 2]

Whisper base (int8), SmolLM2 under llama.cpp and Kokoro (int8), from RINGLINE_REAL_MODELS or the model store: free
questions in, a natural voice out. Callers have Kokoro voices that are not the bot's, made before any call, over a
telephone line (300 to 3400 Hz, mu-law at 8 kHz, Twilio's protocol). All calls of a run ask the same questions, each a
moment after the other, and hear the answers out; the model writes no two answers alike. For each number of calls the
systems take turns; llama.cpp's server is the same.

A turn is answered if the bot is heard behind it before the caller says the next thing; a call is lost if it ends before
everything was said and answered. Response: from the caller's last audible sample to the bot's first, on the wire; what
an answer is worth is not judged. What each bot heard and said stands in the result.

With --soak, one engine of Ringline takes such calls over and over: whether memory grows, workers end, turns stay
unanswered, or the engine calls itself overloaded.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import msgspec
import numpy as np
import uvloop
from rich.console import Console
from rich.table import Table

from bench.bookings import OUT, over_the_telephone
from bench.peers.environments import python_of, versions
from bench.peers.measures import Load, use_of
from bench.placing import place
from bench.real import soak
from bench.real.settings import RealSettings
from bench.real.systems import SYSTEMS, System, llm_file, settings
from bench.reporting import Result, console, options_of, tell
from bench.stages_llm import llama_cpp
from ringline.ipc import logs
from ringline.tools.caller.natural import record
from ringline.tools.caller.report import RunResult
from ringline.tools.real_models import find_real_models
from ringline.workers.base import CannotStart

VOICES = ("am_michael", "bf_emma", "am_adam", "af_bella", "bm_george")
"""Of callers: one a round."""
QUESTIONS = (
    "Hi, can you tell me what the capital of France is?",
    "What is a good name for a dog?",
    "How many days are there in a week?",
    "Who wrote Romeo and Juliet?",
    "What should I cook for dinner tonight?",
    "How far away is the moon?",
    "Can you recommend me a good book?",
    "What colour do I get from blue and yellow?",
    "How do I make a cup of tea?",
    "Which animal is the fastest on land?",
)
SLOTS = 8
"""Replies that llama.cpp writes at once."""
WANTED_P95_MS = 1_500.0
SPREAD_S = 4.0
"""Calls begin spread over so long."""
PATIENCE_MS = 1_200
"""A bot whose next sentence is late has not finished."""


class RealLoad(msgspec.Struct, frozen=True):
    """What so many calls at once came to."""

    load: Load
    lost: int
    """Calls that ended before all was said and answered."""
    apologies: int
    problems: tuple[str, ...]
    heard: tuple[str, ...]
    said: tuple[str, ...]

    @property
    def carries(self) -> bool:
        """Whether the machine carries so many: nobody lost or unanswered, and answers in time."""
        load = self.load
        is_whole = self.lost == 0 and self.apologies == 0 and load.answered == load.turns
        return is_whole and load.response_p95_ms <= WANTED_P95_MS


def real_load(result: RunResult, cores: float, memory_mb: float, notes: str) -> RealLoad:
    """What the caller measured, with what the bot noted down (`bench.real.settings.Notes`)."""
    kinds: dict[str, list[str]] = {"heard": [], "said": [], "apology": [], "problem": []}
    for line in notes.splitlines():
        kind, _, text = line.split("\t", 2)
        kinds[kind].append(text)
    return RealLoad(
        load=Load.from_result(result, cores, memory_mb),
        lost=result.calls - result.completed,
        apologies=len(kinds["apology"]),
        problems=tuple(kinds["problem"]),
        heard=tuple(kinds["heard"]),
        said=tuple(kinds["said"]),
    )


def noted(told: RealSettings) -> str:
    """All that the bot has written down so far."""
    path = Path(told.notes)
    return path.read_text(encoding="utf-8") if path.exists() else ""


async def take(system: System, script: list[str], told: RealSettings, out: Console) -> RealLoad:
    """One run: a server for it, a call to warm it up, then so many at once."""
    calls, told = told.calls, system.told(told)
    options = ("--patience", str(PATIENCE_MS))
    async with system.running(told, out) as server:
        await place(server.url, script[:2], 1, options=options)
        before = len(noted(told))
        window = asyncio.ensure_future(use_of(server))
        result = await place(server.url, script, calls, SPREAD_S * 1e3 / calls, options)
        cores, memory_mb = await window
        return real_load(result, cores, memory_mb, noted(told)[before:])


def scripts(turns: int, rng: np.random.Generator) -> list[list[str]]:
    """One for each voice, as options of the caller: its questions, in an order of its own."""
    found = []
    for voice in VOICES:
        texts = [QUESTIONS[index] for index in rng.permutation(len(QUESTIONS))[:turns]]
        files = over_the_telephone(record(texts, voice, find_real_models().kokoro, OUT))
        found.append([option for text in texts for option in ("--wav", str(files[text]))])
    return found


async def measure(options: argparse.Namespace) -> Result:
    """All systems at all numbers of calls, or the soak."""
    out = console(options)
    try:
        spoken, file = scripts(options.turns, np.random.default_rng(options.seed)), llm_file()
        if options.soak:
            with llama_cpp(file, SLOTS) as llm:
                told = settings(llm, options.calls, options.threads, options.tts_workers)
                return {"soak": await soak.measure(told, spoken, options.soak, out)}
        loads: dict[str, list[RealLoad]] = {name: [] for name in options.systems}
        for number, calls in enumerate(options.series):
            for name in options.systems:
                with llama_cpp(file, SLOTS) as llm:
                    told = settings(llm, calls, options.threads, options.tts_workers)
                    found = await take(SYSTEMS[name], spoken[number % len(spoken)], told, out)
                loads[name].append(found)
                out.print(f"[dim]{calls} calls at once: {name}: {described(found)}[/]")
    except CannotStart as missing:
        raise SystemExit(str(missing)) from None
    return {
        "loads": msgspec.to_builtins(loads),
        "versions": versions("pipecat-real", python_of("pipecat-real", out)) if "pipecat" in options.systems else {},
        "valid": all(one.load.valid for of in loads.values() for one in of),
    }


def described(found: RealLoad) -> str:
    """In a line."""
    load = found.load
    return (
        f"{load.answered} of {load.turns} turns answered, p50 {load.response_p50_ms:.0f} ms, "
        f"p95 {load.response_p95_ms:.0f} ms, {found.lost} calls lost, {found.apologies} apologies, "
        f"{load.underruns} underruns, {load.cores:.2f} cores"
    )


def carried(loads: list[RealLoad]) -> int:
    """The most calls with which all went well, and with all smaller numbers too."""
    most = 0
    for one in sorted(loads, key=lambda one: one.load.calls):
        if not one.carries:
            break
        most = one.load.calls
    return most


def show(result: Result, out: Console) -> None:
    """A row for each system and number of calls."""
    if "soak" in result:
        soak.show(result["soak"], out)
        return
    table = Table(
        "calls", "", "turns answered", "response p50, ms", "p95", "calls lost", "apologies", "underruns", "cores", "MB"
    )
    loads = msgspec.convert(result["loads"], dict[str, list[RealLoad]])
    for of in zip(*loads.values(), strict=True):
        for name, one in zip(loads, of, strict=True):
            load = one.load
            table.add_row(
                str(load.calls),
                name,
                f"{load.answered} of {load.turns}",
                f"{load.response_p50_ms:.0f}",
                f"{load.response_p95_ms:.0f}",
                str(one.lost),
                str(one.apologies),
                str(load.underruns),
                f"{load.cores:.2f}",
                f"{load.pss_mb:.0f}",
            )
    out.print(table)
    for what, figure in headlines(result).items():
        out.print(f"{what}: {figure}")


def headlines(result: Result) -> dict[str, str]:
    """Response of one call, and how many calls are carried."""
    if "soak" in result:
        return soak.headlines(result["soak"])
    loads = msgspec.convert(result["loads"], dict[str, list[RealLoad]])
    alone = {name: one.load for name, of in loads.items() for one in of if one.load.calls == 1}
    found = {}
    if alone:
        figures = ", ".join(f"{name} {load.response_p50_ms:.0f} ms" for name, load in alone.items())
        if {"ringline", "pipecat"} <= alone.keys():
            figures += f" ({alone['ringline'].response_p50_ms / alone['pipecat'].response_p50_ms:.2f} of it)"
        found["response with real models, one call, median"] = figures
    figures = ", ".join(f"{name} {carried(of)}" for name, of in loads.items())
    found[f"calls at once with real models, p95 within {WANTED_P95_MS / 1e3:g} s"] = figures
    return found


if __name__ == "__main__":
    parser = options_of(__doc__, plots=False)
    parser.add_argument("--systems", nargs="+", choices=sorted(SYSTEMS), default=list(SYSTEMS))
    parser.add_argument("--series", type=int, nargs="+", default=[1, 2, 4, 8], help="calls at once")
    parser.add_argument("--turns", type=int, default=5, choices=range(1, len(QUESTIONS) + 1), help="of each call")
    parser.add_argument("--threads", type=int, default=1, help="of each of Ringline's models")
    parser.add_argument("--tts-workers", type=int, default=2, help="processes of Ringline's voice")
    parser.add_argument("--soak", type=float, default=0.0, metavar="MINUTES", help="Ringline alone, over and over")
    parser.add_argument("--calls", type=int, default=2, help="at once, of the soak")
    given = parser.parse_args()
    logs.set_up("engine", "warning")
    tell(uvloop.run(measure(given)), given, show)
