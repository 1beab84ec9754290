from __future__ import annotations

import json

import numpy as np
from rich.console import Console

from ringline.tools.caller.log import Said, WireLog
from ringline.tools.caller.report import CallEnd, CallRecord, Percentiles, RunResult, render, summarize

MS = 1_000_000


def record(number: int = 0, lateness_ms: float = 0.1, response_ms: int = 400, outcome: str = "completed") -> CallRecord:
    """A call of one turn over AudioSocket."""
    log = WireLog(8_000, True)
    log.said.append(Said("hello", 0, 1_000 * MS))
    for at_ms in range(1_000 + response_ms, 2_000 + response_ms, 20):
        log.received(at_ms * MS, at_ms * MS, 160, 0, 160)
    log.lateness_ns.extend([round(lateness_ms * MS)] * 100)
    log.ended_ns = 3_000 * MS
    end = CallEnd(outcome, "caller", "" if outcome == "completed" else "HTTP 503")  # type: ignore[arg-type]
    return CallRecord(number, f"id-{number}", end, log)


def refused(number: int) -> CallRecord:
    return CallRecord(
        number, f"id-{number}", CallEnd("refused", "refused", "HTTP 503"), WireLog(8_000, True), ("hello",)
    )


def test_percentiles_of_nothing_are_none() -> None:
    assert Percentiles.of(np.zeros(0)) == Percentiles(None, None, None, None, 0)


def test_percentiles_lie_between_neighbours() -> None:
    assert Percentiles.of(np.arange(101.0)) == Percentiles(50, 95, 99, 100, 101)


def test_a_run_joins_the_values_of_all_its_calls() -> None:
    result = summarize("audiosocket://x", [record(0, response_ms=400), record(1, response_ms=500)])
    assert (result.response_ms.p50, result.response_ms.max, result.response_ms.num) == (450, 500, 2)
    assert (result.calls, result.turns, result.turns_answered) == (2, 2, 2)
    assert result.succeeded


def test_refused_calls_are_counted_by_what_was_seen() -> None:
    result = summarize("twilio://x", [record(0), refused(1), refused(2)])
    assert result.refused == {"HTTP 503": 2}
    assert (result.calls, result.answered, result.completed) == (3, 1, 1)
    assert not result.succeeded


def test_a_run_in_which_the_caller_was_late_is_not_valid() -> None:
    assert summarize("audiosocket://x", [record(lateness_ms=5.0)]).valid
    assert not summarize("audiosocket://x", [record(lateness_ms=5.1)]).valid


def test_one_late_frame_in_a_thousand_does_not_spoil_a_run() -> None:
    late = record()
    late.log.lateness_ns.extend([100_000] * 900)
    late.log.lateness_ns[0] = 50 * MS
    result = summarize("audiosocket://x", [late])
    assert result.valid
    assert result.lateness_ms.max == 50


def test_json_has_the_documented_keys() -> None:
    plain = json.loads(json.dumps(summarize("audiosocket://x", [record()]).to_json()))
    run_keys = (
        "calls answered turns response_ms frame_gap_ms spacing_error_ms underruns lateness_ms valid failed refused"
    )
    assert set(run_keys.split()) <= plain.keys()
    assert {"p50", "p95", "p99", "max"} <= plain["response_ms"].keys()
    (turn,) = plain["call_results"][0]["turns"]
    assert (turn["caller"], turn["response_ms"], turn["bot_speech_ms"]) == ("hello", 400, 1_000)


def rendered(result: RunResult) -> str:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(render(result))
    return capture.get()


def test_the_rendering_names_turns_refusals_and_an_invalid_run() -> None:
    text = rendered(summarize("audiosocket://x", [record(lateness_ms=9), refused(1)]))
    assert "hello" in text
    assert "1 refused: HTTP 503" in text
    assert "NOT VALID" in text


def test_a_valid_run_does_not_warn() -> None:
    assert "NOT VALID" not in rendered(summarize("audiosocket://x", [record()]))


def test_calls_that_were_hung_up_are_in_the_table_with_what_was_left_unsaid() -> None:
    end = CallEnd("failed", "bot", "the bot hung up before the script was over")
    cut_short = CallRecord(1, "id-1", end, record().log, ("and another", "bye"))
    text = rendered(summarize("audiosocket://x", [record(0), cut_short]))
    assert "failed: the bot hung up before the script was over, 2 unsaid" in text
    assert "2 calls, 1 completed, 1 hung up by the bot; 2 turns, 2 answered, 2 unsaid" in text


def test_a_run_that_went_well_names_no_failures() -> None:
    text = rendered(summarize("audiosocket://x", [record()]))
    assert "1 calls, 1 completed; 1 turns, 1 answered; " in text
