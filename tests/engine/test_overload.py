"""What is left out at which lag, and that it stays left out for a while."""

from __future__ import annotations

import pytest

from ringline.engine.overload import FROM_S, UNTIL_S, Level, Overload


@pytest.mark.parametrize("level", list(FROM_S))
def test_level_holds_from_its_lag_on_and_until_half_of_it(level: Level) -> None:
    overload = Overload()
    assert overload.update({"tts": FROM_S[level]})
    assert overload.of("tts") == level
    assert not overload.update({"tts": max(UNTIL_S[level], FROM_S.get(Level(level - 1), 0.0))})
    assert overload.of("tts") == level


def test_what_is_left_out_comes_in_this_order() -> None:
    overload = Overload()
    seen = [overload.worst.words for tenths in range(20) if overload.update({"stt": 0.0, "tts": tenths / 10})]
    assert seen == ["drafts", "partials", "first voice", "new calls"]


def test_level_that_is_left_may_be_left_by_more_than_one() -> None:
    overload = Overload()
    overload.update({"tts": 9.0})
    overload.update({"tts": 0.3})
    assert overload.of("tts") == Level.DRAFTS


def test_stages_lag_each_by_themselves() -> None:
    overload = Overload()
    overload.update({"stt": 0.0, "tts": 9.0})
    assert (overload.of("stt"), overload.of("tts"), overload.worst) == (Level.NOTHING, Level.CALLS, Level.CALLS)


def test_no_change_is_no_news() -> None:
    overload = Overload()
    assert not overload.update({"tts": 0.4})
    assert overload.update({"tts": 0.6})
    assert not overload.update({"tts": 0.7})
