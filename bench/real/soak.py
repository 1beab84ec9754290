"""One engine with real models under calls for a long time."""

from __future__ import annotations

import itertools
import logging
import time

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from bench.placing import door, place
from bench.processes import memory_mb
from bench.real.ringline_bot import configured
from bench.real.settings import RealSettings
from bench.reporting import Result
from ringline import Engine
from ringline.engine.call import Call, CallEvent
from ringline.engine.conversation.actions import BotSaid
from ringline.engine.conversation.wording import phrasebook
from ringline.engine.overload import LOGGED

GROWTH_MB = 40.0
"""What memory may grow by from the first half of the rounds to the second, of all processes together: half of the cache
of spoken phrases, which fills up."""
WARM_UP_ROUNDS = 2
"""Buffers, caches and decoders are made in them."""


class Round(msgspec.Struct, frozen=True):
    """So many calls at once, to their ends."""

    at_s: float
    """Since the first one's beginning."""
    turns: int
    answered: int
    lost: int
    underruns: int
    response_p95_ms: float
    pss_mb: dict[str, float]
    """Of each process, behind the round."""
    valid: bool

    @property
    def total_mb(self) -> float:
        """All processes together."""
        return sum(self.pss_mb.values())


class Counter(logging.Handler):
    """Counts the lines of one kind in the log."""

    def __init__(self, message: str) -> None:
        super().__init__()
        self._message = message
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        self.count += record.getMessage() == self._message


async def measure(settings: RealSettings, scripts: list[list[str]], minutes: float, out: Console) -> Result:
    """Rounds until the time is over."""
    counter, apologies = Counter(LOGGED), 0
    logging.getLogger("ringline").addHandler(counter)

    def on_event(call: Call, event: CallEvent) -> None:
        nonlocal apologies
        apologies += isinstance(event, BotSaid) and phrasebook("en").apology in event.text

    rounds: list[Round] = []
    async with Engine(*configured(settings)) as engine:
        engine.subscribe(on_event)
        counter.count = 0
        began_s = time.monotonic()
        for script in itertools.cycle(scripts):
            at_s = time.monotonic() - began_s
            result = await place(door(engine, "twilio"), script, settings.calls, stagger_ms=1_500)
            await engine.switchboard.wait_until_idle()
            rounds.append(
                Round(
                    at_s,
                    result.turns,
                    result.turns_answered,
                    result.calls - result.completed,
                    result.underruns,
                    result.response_ms.p95 or float("inf"),
                    {worker.name: memory_mb(worker.pid)[1] for worker in engine.supervisor.workers if worker.pid},
                    result.valid,
                )
            )
            out.print(f"[dim]{at_s:.0f} s: {rounds[-1].answered} answered, {rounds[-1].total_mb:.0f} MB[/]")
            if time.monotonic() - began_s > 60 * minutes:
                break
        restarts = sum(worker.restarts for worker in engine.supervisor.workers)
    return {
        "minutes": minutes,
        "calls": settings.calls,
        "rounds": msgspec.to_builtins(rounds),
        "restarts": restarts,
        "overloaded": counter.count,
        "apologies": apologies,
    }


def growth_mb(rounds: list[Round]) -> float:
    """Of all processes, from the median of the first half to that of the second; NaN of fewer than two rounds."""
    warm = [one.total_mb for one in rounds[WARM_UP_ROUNDS:]]
    half = len(warm) // 2
    return float(np.median(warm[half:]) - np.median(warm[:half])) if half else float("nan")


def verdicts(result: Result) -> dict[str, tuple[str, bool]]:
    """What was found, and whether it is as it should be."""
    rounds = msgspec.convert(result["rounds"], list[Round])
    turns, answered = sum(one.turns for one in rounds), sum(one.answered for one in rounds)
    lost, grown = sum(one.lost for one in rounds), growth_mb(rounds)
    return {
        "turns answered": (f"{answered} of {turns}", answered == turns),
        "calls lost": (str(lost), lost == 0),
        "apologies": (str(result["apologies"]), result["apologies"] == 0),
        "memory": (f"{grown:+.1f} MB from half to half", grown <= GROWTH_MB),
        "restarts of workers": (str(result["restarts"]), result["restarts"] == 0),
        "overloaded": (f"{result['overloaded']} times", result["overloaded"] == 0),
    }


def show(result: Result, out: Console) -> None:
    """Memory, first to last, and the verdict."""
    rounds = msgspec.convert(result["rounds"], list[Round])
    shown = [rounds[index] for index in sorted({0, len(rounds) // 2, len(rounds) - 1})]
    table = Table("PSS, MB", *(f"after {one.at_s / 60:.1f} min" for one in shown))
    for name in shown[0].pss_mb:
        table.add_row(name, *(f"{one.pss_mb.get(name, 0.0):.0f}" for one in shown))
    out.print(table)
    for what, (figure, is_good) in verdicts(result).items():
        out.print(f"{what}: {figure}{'' if is_good else '  <- not as it should be'}")


def headlines(result: Result) -> dict[str, str]:
    """The verdict in a line."""
    found = ", ".join(f"{what} {figure}" for what, (figure, _) in verdicts(result).items())
    return {f"soak with real models, {result['minutes']:g} min, {result['calls']} calls at once": found}
