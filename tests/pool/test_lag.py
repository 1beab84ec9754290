"""How far a pool lags behind: what is soon over is no lag, what goes on is."""

from __future__ import annotations

import itertools

import pytest

from ringline.engine.overload import FROM_S, UNTIL_S, Level, Overload
from ringline.workers.lag import Lag

STEP_S = 0.1


def lag_after(lag: Lag, *waits_s: tuple[float, float], start_s: float = 0.0) -> float:
    """The lag after these (waiting time, for so long), looked at ten times a second."""
    now_s, found = start_s, lag.update(0.0, start_s)
    for behind_s, duration_s in waits_s:
        for _ in range(round(duration_s / STEP_S)):
            now_s += STEP_S
            found = lag.update(behind_s, now_s)
    return found


def test_one_sentence_of_another_call_is_no_overload() -> None:
    assert lag_after(Lag(), (1.2, 1.2)) < FROM_S[Level.DRAFTS]


def test_sentences_that_meet_now_and_then_are_no_overload() -> None:
    assert lag_after(Lag(), *[(0.6, 0.6), (0.0, 3.0)] * 20, (0.6, 0.6)) < FROM_S[Level.DRAFTS]


def test_waiting_that_goes_on_is_overload() -> None:
    assert lag_after(Lag(), (1.5, 2.0)) >= FROM_S[Level.DRAFTS]


def test_overload_does_not_end_with_the_first_moment_without_waiting() -> None:
    lag = Lag()
    lag_after(lag, (1.0, 10.0))
    assert lag_after(lag, (0.0, 2.0), start_s=10.0) > UNTIL_S[Level.DRAFTS]


def test_overload_ends_when_nothing_waits() -> None:
    lag = Lag()
    lag_after(lag, (3.0, 30.0))
    assert lag_after(lag, (0.0, 40.0), start_s=30.0) < UNTIL_S[Level.DRAFTS]


@pytest.mark.parametrize("behind_s", [5.0, 120.0, float("inf")])
def test_calls_are_soon_let_in_again_however_bad_it_was(behind_s: float) -> None:
    lag = Lag()
    lag_after(lag, (behind_s, 60.0))
    assert lag_after(lag, (0.0, 15.0), start_s=60.0) < UNTIL_S[Level.CALLS]


def test_level_does_not_flap_where_waiting_comes_and_goes() -> None:
    """Half of the time somebody waits for 1.3 s: that is a level, not a hundred."""
    lag, overload, changes, now_s = Lag(), Overload(), 0, 0.0
    for behind_s in itertools.chain.from_iterable([[1.3] * 10 + [0.0] * 10] * 60):
        now_s += STEP_S
        changes += overload.update({"tts": lag.update(behind_s, now_s)})
    assert overload.of("tts") == Level.DRAFTS or overload.of("tts") == Level.PARTIALS
    assert changes <= 2


def test_it_is_the_same_lag_however_often_one_looks() -> None:
    often, seldom = Lag(), Lag()
    seldom.update(0.0, 0.0)
    assert abs(lag_after(often, (1.0, 4.0)) - seldom.update(1.0, 4.0)) < 1e-9
