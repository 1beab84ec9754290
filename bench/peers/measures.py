"""What is measured of a system: response, barge-in, cost and capacity; on the wire and from /proc, alike for all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from rich.console import Console

from bench.capacity import FRAME_MS, LONG_REPLY, LONG_SPEECH, MAX_GAP_MS, MAX_SLOWER_MS
from bench.peers.systems import Server, Stages, System
from bench.placing import calling, place, says, use
from bench.processes import pss_mb
from ringline.tools.caller.report import RunResult

CALLS = 2
"""At the same time, where nothing else is said: the frames of the one are not in step with those of the other."""
SPREAD_S = 1.6
"""Many calls begin spread over so long: neither their frames nor their turns coincide."""
SETTLE_S = 4.0
WINDOW_S = 8.0
BARGE_IN_MS = (800, 3_000)
"""When callers interrupt, after the bot's first sound."""
INTERRUPTED_REPLY = LONG_REPLY[: len(LONG_REPLY) // 4].strip()
"""Some 10 s."""


def plays(sentences: Sequence[Path]) -> list[str]:
    """A script of recordings."""
    return [option for path in sentences for option in ("--wav", str(path))]


def interrupts(sentences: Sequence[Path], rng: np.random.Generator) -> list[str]:
    """... each over the bot, but for the first, which makes it speak."""
    script = plays(sentences[:1])
    for path in sentences[1:]:
        script += ["--interrupt", str(int(rng.integers(*BARGE_IN_MS))), "--wav", str(path)]
    return script


class Response(msgspec.Struct):
    """What callers waited, from their last audible sample to the bot's first."""

    response_ms: list[float] = []
    turns: int = 0
    answered: int = 0
    valid: bool = True

    async def add(self, system: System, script: list[str], out: Console) -> None:
        """One round."""
        async with system.running(Stages(), CALLS, out) as server:
            await warm_up(server, CALLS)
            result = await place(server.url, script, CALLS)
        turns = [turn for call in result.call_results for turn in call.turns]
        self.response_ms += [turn.response_ms for turn in turns if turn.response_ms is not None]
        self.turns += result.turns
        self.answered += result.turns_answered
        self.valid = self.valid and result.valid


class BargeIn(msgspec.Struct):
    """How long the bot went on: from the caller's first audible sample over it to the bot's last."""

    cut_ms: list[float] = []
    """Infinite where it did not stop before the caller's end."""
    valid: bool = True

    async def add(self, system: System, script: list[str], out: Console) -> None:
        """One round."""
        async with system.running(msgspec.structs.replace(Stages(), reply=INTERRUPTED_REPLY), CALLS, out) as server:
            await warm_up(server, CALLS)
            result = await place(server.url, script, CALLS)
        turns = [turn for call in result.call_results for turn in call.turns[1:]]
        self.cut_ms += [float("inf") if turn.cut_ms is None else turn.cut_ms for turn in turns]
        self.valid = self.valid and result.valid


class Cost(msgspec.Struct, frozen=True):
    """What so many calls cost, all processes of the system together."""

    calls: int
    cores_listening: float
    """Per call."""
    cores_speaking: float
    pss_mb: float
    """While the callers speak, all of it."""

    @classmethod
    async def of(cls, system: System, calls: int, out: Console) -> Cost:
        """Two windows: all callers speak, the bot speaks in all calls."""
        async with system.running(Stages(), calls, out) as server:
            await warm_up(server, calls)
            listening, memory = await _talk(server, LONG_SPEECH, calls)
        async with system.running(msgspec.structs.replace(Stages(), reply=LONG_REPLY.strip()), calls, out) as server:
            await warm_up(server, calls)
            speaking, _ = await _talk(server, says("hello"), calls)
        return cls(calls, listening / calls, speaking / calls, memory)


class Load(msgspec.Struct, frozen=True):
    """What so many conversations at once came to."""

    calls: int
    turns: int
    answered: int
    underruns: int
    response_p50_ms: float
    response_p95_ms: float
    gap_p99_ms: float
    """As between frames of 20 ms: what a message was later than usual, and 20."""
    cores: float
    """All processes of the system together, in the middle of the conversations."""
    pss_mb: float
    caller_late_p99_ms: float
    valid: bool

    @classmethod
    async def of(cls, system: System, script: list[str], calls: int, out: Console) -> Load:
        """One run."""
        stagger_ms = SPREAD_S * 1e3 / calls
        async with system.running(Stages(), calls, out) as server:
            await warm_up(server, calls)
            window = asyncio.ensure_future(use_of(server))
            result = await place(server.url, script, calls, stagger_ms)
            cores, memory = await window
        return cls.from_result(result, cores, memory)

    @classmethod
    def from_result(cls, result: RunResult, cores: float, memory: float) -> Load:
        """What the caller measured. Calls that were not taken, or broken off, leave turns unanswered."""
        gaps = result.frame_gap_ms
        said = max((len(call.turns) + len(call.unsaid) for call in result.call_results), default=0)
        return cls(
            calls=result.calls,
            turns=result.calls * said,
            answered=result.turns_answered,
            underruns=result.underruns,
            response_p50_ms=result.response_ms.p50 or float("inf"),
            response_p95_ms=result.response_ms.p95 or float("inf"),
            gap_p99_ms=FRAME_MS + max(0.0, (gaps.p99 or 0.0) - (gaps.p50 or 0.0)) if paces(result) else FRAME_MS,
            cores=cores,
            pss_mb=memory,
            caller_late_p99_ms=result.lateness_ms.p99 or 0.0,
            valid=result.valid,
        )

    def breaches(self, alone: Load) -> list[str]:
        """Where the SLO of `bench.capacity` is broken. ``alone``: what one call came to."""
        found = []
        if self.answered < self.turns:
            found.append(f"{self.turns - self.answered} of {self.turns} turns unanswered")
        if self.response_p95_ms > alone.response_p95_ms + MAX_SLOWER_MS:
            found.append(f"response p95 {self.response_p95_ms:.0f} ms")
        if self.gap_p99_ms >= MAX_GAP_MS:
            found.append(f"frame gap p99 {self.gap_p99_ms:.0f} ms")
        if self.underruns:
            found.append(f"{self.underruns} underruns")
        return found


def paces(result: RunResult) -> bool:
    """Whether the bot sends speech as it is played: else (LiveKit's output here) gaps mean nothing, and holes do."""
    usual_ms, off_ms = result.frame_gap_ms.p50 or 0.0, result.spacing_error_ms.p50 or 0.0
    return off_ms < usual_ms / 2


async def warm_up(server: Server, calls: int) -> None:
    """A short call in each process."""
    await place(server.url, says("hello"), calls, stagger_ms=50)


async def _talk(server: Server, script: list[str], calls: int) -> tuple[float, float]:
    """`_use` while so many calls are in the same phase."""
    async with calling(server.url, script, calls, stagger_ms=SPREAD_S * 1e3 / calls):
        return await use_of(server)


async def use_of(server: Server) -> tuple[float, float]:
    """(cores, PSS in MB) of all its processes once the calls that are being placed have begun."""
    await asyncio.sleep(SETTLE_S + SPREAD_S)
    pids = server.pids()
    cores, _ = await use(pids, WINDOW_S)
    return cores, pss_mb(pids)
