"""What the demo makes of a call: it must not pass one that went wrong."""

from __future__ import annotations

import datetime
from typing import Any

import msgspec
import pytest

from ringline.engine.call import CallEvent
from ringline.engine.conversation.actions import Backchannel, BotSaid, CallerSaid
from ringline.engine.trace import TurnTrace
from ringline.tools.caller.measure import Turn
from ringline.tools.caller.report import CallEnd, CallRecord, RunResult, summarize
from ringline.tools.demo_verdict import DemoResult, judge, wish

MS = 1_000_000


def measured(*turns: Turn) -> RunResult:
    from ringline.tools.caller.log import WireLog

    run = summarize("audiosocket://x", [CallRecord(0, "id", CallEnd("completed", "caller", ""), WireLog(8_000, True))])
    return msgspec.structs.replace(run, call_results=(msgspec.structs.replace(run.call_results[0], turns=turns),))


def said(caller: str, end_ms: int, **more: Any) -> Turn:
    """A turn that is answered 400 ms later."""
    answer_ns = (end_ms + 400) * MS
    return Turn(caller, end_ms * MS, answer_ns, 400.0, 400.0, 500.0, more.pop("cut_ms", None), "", **more)


def aside(caller: str, end_ms: int) -> Turn:
    return Turn(caller, end_ms * MS, None, None, None, 500.0, 80.0, "aside", 150.0)


def bot(text: str, end_ms: int, interrupted: bool = False, engine_ms: float = 400.0) -> BotSaid:
    """The answer to what ended at ``end_ms``."""
    playout_ns = (end_ms + 400) * MS
    trace = TurnTrace(1, "speech", 0, playout_ns - round(engine_ms * MS), playout_ns=playout_ns)
    return BotSaid(1, text, interrupted, trace)


def passed(result: DemoResult, name: str) -> bool:
    return next(check.passed for check in result.checks if check.name == name)


def test_call_that_did_not_happen_passes_nothing() -> None:
    result = judge(None, [], "demo.wav", "the call did not end")
    assert not result.passed
    assert not any(check.passed for check in result.checks)


def test_turn_stands_beside_its_answer() -> None:
    told: list[CallEvent] = [CallerSaid("hello"), bot("Hi.", 1_000), CallerSaid("on monday"), bot("At ten?", 5_000)]
    result = judge(measured(said("Hello", 1_000), said("on Monday", 5_000)), told, "", "")
    assert [(turn.heard, turn.bot) for turn in result.turns] == [("hello", "Hi."), ("on monday", "At ten?")]
    assert result.agrees


def test_engine_that_is_a_frame_off_does_not_agree() -> None:
    told: list[CallEvent] = [CallerSaid("hello"), bot("Hi.", 1_000, engine_ms=379.0)]
    result = judge(measured(said("Hello", 1_000)), told, "", "")
    assert (result.agrees, result.max_disagreement_ms) == (False, pytest.approx(21.0))


@pytest.mark.parametrize(("heard", "one_turn"), [("i'd like to book an appointment", True), ("an appointment", False)])
def test_sentence_that_was_split_is_no_one_turn(heard: str, one_turn: bool) -> None:
    told: list[CallEvent] = [CallerSaid(heard), bot("Which day?", 1_000)]
    result = judge(measured(said("I'd like to book ... an appointment", 1_000)), told, "", "")
    assert passed(result, "pause in a sentence") is one_turn


@pytest.mark.parametrize("interrupted", [False, True])
def test_backchannel_that_cut_the_bot_off_is_not_passed(interrupted: bool) -> None:
    told: list[CallEvent] = [CallerSaid("ten"), Backchannel("ok"), bot("Monday, at ten?", 1_000, interrupted)]
    result = judge(measured(said("ten", 1_000), aside("okay", 2_000)), told, "", "")
    assert passed(result, "backchannel") is not interrupted
    assert result.turns[1].heard == "ok"


@pytest.mark.parametrize("interrupted", [False, True])
def test_interruption_needs_the_engine_to_know_of_it(interrupted: bool) -> None:
    told: list[CallEvent] = [bot("Which", 0, interrupted), CallerSaid("on monday"), bot("At ten?", 5_000)]
    result = judge(measured(said("on Monday", 5_000, cut_ms=90.0)), told, "", "")
    assert passed(result, "interruption") is interrupted


@pytest.mark.parametrize(("answer", "corrected"), [("Tuesday, at ten?", True), ("Monday, at ten?", False)])
def test_correction_is_read_back(answer: str, corrected: bool) -> None:
    told: list[CallEvent] = [CallerSaid("no tuesday"), bot(answer, 1_000)]
    assert passed(judge(measured(said("no, Tuesday", 1_000)), told, "", ""), "correction") is corrected


def test_key_that_never_arrived_is_not_passed() -> None:
    assert not passed(judge(measured(said("keys 1", 1_000)), [CallerSaid("one")], "", ""), "keys")
    assert passed(judge(measured(said("keys 1", 1_000)), [CallerSaid("1", is_dtmf=True)], "", ""), "keys")


@pytest.mark.parametrize("answer", ["So Tuesday, at ten thirty. Is that right?", "Monday, at ten thirty?"])
def test_demo_with_real_models_wants_the_correction_and_nothing_that_its_caller_does_not_do(answer: str) -> None:
    told: list[CallEvent] = [CallerSaid("no make it tuesday"), bot(answer, 1_000)]
    result = judge(measured(said("No, make it Tuesday.", 1_000)), told, "", "", is_real=True)
    assert [(check.name, check.passed) for check in result.checks] == [("correction", "Tuesday" in answer)]


def test_wish_of_the_demo_is_the_appointment_that_it_looks_for() -> None:
    for offset in range(7):
        today = datetime.date(2026, 11, 28) + datetime.timedelta(days=offset)
        day = datetime.date.fromisoformat(wish(today).date)
        assert day.strftime("%A") == wish(today).day == "Tuesday"
        assert 0 < (day - today).days <= 7
