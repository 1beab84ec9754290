"""What a run of the baseline comes to."""

from __future__ import annotations

import pytest
from bench.baseline import Run
from bench.isolation import Isolation

from ringline.tools.caller.report import RunResult, summarize


@pytest.fixture
def nothing_heard() -> RunResult:
    return summarize("audiosocket://127.0.0.1:1", [])


def stats(p50: float, p99: float, top: float) -> dict[str, float]:
    return {"late_p50_ms": p50, "late_p99_ms": p99, "late_p100_ms": top, "frames_missed": 1.0}


def test_lateness_is_that_of_the_median_call_and_of_the_worst(nothing_heard: RunResult) -> None:
    run = Run.of("Ringline", "quiet", 0.5, [stats(0.1, 1.0, 9.0), stats(0.3, 2.0, 3.0)], 1_000.0, nothing_heard)
    assert run.late_ms == pytest.approx((0.2, 2.0, 9.0))
    assert run.us_per_frame == pytest.approx(500.0)


def test_calls_of_all_rounds_count(nothing_heard: RunResult) -> None:
    isolation = Isolation("quiet")
    isolation.add_call(stats(0.1, 0.2, 0.3))
    isolation.add_call(stats(0.2, 0.4, 0.8))
    isolation.add_run(nothing_heard)
    assert (isolation.late_p99_ms, isolation.missed, isolation.valid) == ([0.2, 0.4], 2.0, True)
