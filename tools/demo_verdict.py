"""Whether the demo's call went well: what the caller measured beside what the engine told."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence

import msgspec
from rich.console import Console

from ringline.engine.call import CallEvent, ToolRan
from ringline.engine.conversation.actions import Backchannel, BotSaid, CallerSaid
from ringline.tools.caller.measure import Turn
from ringline.tools.caller.report import RunResult
from ringline.tools.patient import Wish

WANTED_WEEKDAY, WANTED_TIME = 1, "10:30"
"""The appointment that the caller wants: a Tuesday within the next seven days, at half past ten."""

MAX_DISAGREEMENT_MS = 20.0
"""Between the engine's response time and the caller's: one frame."""

SAME_SOUND_NS = 200_000_000
"""The engine's first sound of a reply and the caller's are the same if they are no further apart."""


class DemoTurn(msgspec.Struct, frozen=True):
    """One thing the caller did, and the bot's answer."""

    caller: str
    """What the caller really said."""
    heard: str
    """What the recogniser made of it."""
    bot: str
    response_ms: float | None
    """On the wire, as the caller measured it."""
    engine_response_ms: float | None
    """As the engine's own stamps say."""
    cut_ms: float | None
    """Of speech over the bot: how long the bot went on, on the wire."""
    resume_ms: float | None
    """Of an aside: how long after it the bot went on."""
    stages: list[tuple[str, float, float]]
    """(stage, start in ms, duration in ms), from the caller's last sound on."""


class Check(msgspec.Struct, frozen=True):
    """Whether the bot was up to one of the things that callers do."""

    name: str
    passed: bool
    found: str


class DemoResult(msgspec.Struct, frozen=True):
    """What ``ringline demo --json`` prints."""

    goal_reached: bool
    """The appointment that the caller wanted is in the diary."""
    agrees: bool
    """Engine and caller measured the same response times, within one frame."""
    valid: bool
    """The caller was in time itself, so that its measurements count."""
    median_response_ms: float | None
    """Of what was spoken: there is no silence to wait for behind a key."""
    max_disagreement_ms: float | None
    checks: list[Check]
    turns: list[DemoTurn]
    recording: str
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether all is as it should be."""
        return self.goal_reached and self.agrees and all(check.passed for check in self.checks)


def wish(today: datetime.date) -> Wish:
    """The appointment in words, for a caller who first thinks of the Monday."""
    ahead = (WANTED_WEEKDAY - today.weekday()) % 7 or 7
    day = today + datetime.timedelta(days=ahead)
    return Wish("Tuesday", "half past ten", day.isoformat(), WANTED_TIME, "Monday")


def judge(
    result: RunResult | None, told: Sequence[CallEvent], recording: str, problem: str, is_real: bool = False
) -> DemoResult:
    """``result`` is the caller's report, None if there is none; ``told`` is all that the engine told, in order.
    ``is_real``: of the demo with real models, whose caller speaks freely and does less."""
    measured = result.call_results[0].turns if result is not None else ()
    turns = [_turn(turn, told) for turn in measured]
    differences = [
        abs(turn.response_ms - turn.engine_response_ms)
        for turn in turns
        if turn.response_ms is not None and turn.engine_response_ms is not None
    ]
    responses = sorted(turn.response_ms for turn in turns if turn.response_ms is not None and not _is_keyed(turn))
    return DemoResult(
        goal_reached=any(_is_wanted(event) for event in told),
        agrees=len(differences) > 0 and max(differences) <= MAX_DISAGREEMENT_MS,
        valid=result is not None and result.valid,
        median_response_ms=responses[len(responses) // 2] if responses else None,
        max_disagreement_ms=max(differences, default=None),
        checks=[_correction(turns)] if is_real else list(_checks(turns, told)),
        turns=turns,
        recording=recording,
        problem=problem,
    )


def show(result: DemoResult, console: Console) -> None:
    """For a terminal."""
    rows = [("appointment made", result.goal_reached, "")]
    rows += [(check.name, check.passed, check.found) for check in result.checks]
    apart_ms = result.max_disagreement_ms
    apart = "" if apart_ms is None else f"{apart_ms:.1f} ms apart at most, allowed {MAX_DISAGREEMENT_MS:g}"
    rows.append(("measurements agree", result.agrees, apart))
    for name, good, found in rows:
        mark = "[green]yes[/]" if good else "[red]no[/] "
        console.print(f"{name:<22}{mark}  [dim]{found}[/]".rstrip())
    if result.median_response_ms is not None:
        num = sum(turn.response_ms is not None and not _is_keyed(turn) for turn in result.turns)
        console.print(f"{'median response':<22}{result.median_response_ms:.0f} ms, on the wire, over {num} turns")
    if not result.valid:
        console.print("[yellow]the caller was late itself: do not trust the milliseconds of this run[/]")
    if result.problem:
        console.print(f"[red]{result.problem}[/]")
    console.print(f"{'recording':<22}{result.recording} (caller left, bot right)")


def _turn(turn: Turn, told: Sequence[CallEvent]) -> DemoTurn:
    """With the answer that began when the caller heard one begin."""
    heard, bot, engine_ms, stages = "", "", None, []
    said = ""
    for event in told:
        match event:
            case CallerSaid(text=text):
                said = text
            case Backchannel(text=text) if turn.note == "aside":
                heard = text
            case BotSaid(text=text, trace=trace):
                if turn.answer_ns is not None and abs(trace.playout_ns - turn.answer_ns) < SAME_SOUND_NS:
                    heard, bot, engine_ms, stages = said, text, trace.response_ms, list(trace.stages())
                said = ""
    return DemoTurn(turn.caller, heard, bot, turn.response_ms, engine_ms, turn.cut_ms, turn.resume_ms, stages)


def _is_keyed(turn: DemoTurn) -> bool:
    return turn.caller.startswith("keys ")


def _is_wanted(event: CallEvent) -> bool:
    if not isinstance(event, ToolRan) or event.tool_call.name != "book":
        return False
    if not msgspec.json.decode(event.result).get("ok"):
        return False
    day = datetime.date.fromisoformat(str(event.tool_call.arguments["day"]))
    ahead = (day - datetime.date.today()).days
    return day.weekday() == WANTED_WEEKDAY and 0 <= ahead <= 7 and event.tool_call.arguments["time"] == WANTED_TIME


# --- what callers do ----------------------------------------------------------------------------------------------


def _checks(turns: Sequence[DemoTurn], told: Sequence[CallEvent]) -> Iterator[Check]:
    """In the order of the script."""
    yield _pause(turns)
    yield _interruption(turns, told)
    yield _backchannel(turns, told)
    yield _correction(turns)
    yield _keys(told)


def _pause(turns: Sequence[DemoTurn]) -> Check:
    """A sentence with a pause in it is one turn, and answered once."""
    paused = [turn for turn in turns if " ... " in turn.caller]
    one = bool(paused) and all(turn.heard == plain(turn.caller) and turn.response_ms is not None for turn in paused)
    return Check("pause in a sentence", one, "one turn" if one else "taken for the end")


def _interruption(turns: Sequence[DemoTurn], told: Sequence[CallEvent]) -> Check:
    """The bot stops within the caller's words, and what they said is its answer."""
    cuts = [
        turn for turn in turns if turn.cut_ms is not None and turn.resume_ms is None and turn.response_ms is not None
    ]
    is_told = any(isinstance(event, BotSaid) and event.interrupted for event in told)
    found = f"stopped after {cuts[0].cut_ms:.0f} ms" if cuts else "the bot spoke on"
    return Check("interruption", bool(cuts) and is_told and cuts[0].heard == plain(cuts[0].caller), found)


def _backchannel(turns: Sequence[DemoTurn], told: Sequence[CallEvent]) -> Check:
    """The bot goes on with what it was saying, to the end."""
    name = "backchannel"
    number = next((number for number, event in enumerate(told) if isinstance(event, Backchannel)), None)
    if number is None:
        return Check(name, False, "not heard as one")
    reply = next((event for event in told[number:] if isinstance(event, BotSaid)), None)
    if reply is None or reply.interrupted:
        return Check(name, False, "it cut the bot off")
    asides = [turn for turn in turns if turn.resume_ms is not None]
    if not asides:
        return Check(name, True, "went on without a pause")
    return Check(
        name,
        True,
        f"silent after {asides[0].cut_ms:.0f} ms, went on {asides[0].resume_ms:.0f} ms behind the last sound",
    )


def _correction(turns: Sequence[DemoTurn]) -> Check:
    """ "No, Tuesday": the bot reads the new day back."""
    corrected = [turn for turn in turns if turn.caller.lower().startswith("no,")]
    passed = bool(corrected) and all(plain(turn.caller).split()[-1] in plain(turn.bot).split() for turn in corrected)
    return Check("correction", passed, corrected[0].bot if corrected else "not said")


def _keys(told: Sequence[CallEvent]) -> Check:
    """A key is an answer."""
    keyed = [event.text for event in told if isinstance(event, CallerSaid) and event.is_dtmf]
    return Check("keys", bool(keyed), f"{', '.join(keyed)} understood" if keyed else "none arrived")


def plain(text: str) -> str:
    """Words only, in lower case, as recognisers write them."""
    return " ".join("".join(c for c in text.lower() if c.isalnum() or c in " '").split())
