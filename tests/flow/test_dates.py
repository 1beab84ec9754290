from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringline.engine.conversation.spelling import normalise
from ringline.workers.llm.flow import dates
from ringline.workers.llm.flow.match import Reader
from ringline.workers.llm.flow.pattern import Slot

PATTERN = Slot("day", dates.pattern())
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2040, 1, 1))


def understood(text: str, now: datetime) -> str | None:
    """The day in a text that holds nothing else."""
    tokens = normalise(text)
    found = [one for one in Reader(tokens).search(PATTERN, 0, len(tokens)) if one[:2] == (0, len(tokens))]
    values = {dates.resolve(slots[0][1], now) for _, _, slots in found}
    assert len(values) <= 1, "one text, two meanings"
    return values.pop() if values else None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("today", "2026-11-22"),
        ("tomorrow", "2026-11-23"),
        ("the day after tomorrow", "2026-11-24"),
        ("day after tomorrow", "2026-11-24"),
        ("Tuesday", "2026-11-24"),
        ("this tuesday", "2026-11-24"),
        ("sunday", "2026-11-29"),
        ("next sunday", "2026-11-29"),
        ("the 24th", "2026-11-24"),
        ("the twenty second", "2026-11-22"),
        ("the twenty first", "2026-12-21"),
        ("tuesday the 24th", "2026-11-24"),
        ("tuesday the twenty fourth of november", "2026-11-24"),
        ("Tuesday, November 24th", "2026-11-24"),
        ("the 5th of march", "2027-03-05"),
        ("the fifth march", "2027-03-05"),
        ("march fifth", "2027-03-05"),
        ("March the 5th", "2027-03-05"),
        ("March 5", "2027-03-05"),
        ("5 March", "2027-03-05"),
        ("5th of March", "2027-03-05"),
        ("february twenty ninth", "2028-02-29"),
        ("the thirty first", "2026-12-31"),
        ("in two weeks", "2026-12-06"),
        ("in a week", "2026-11-29"),
        ("in three days", "2026-11-25"),
        ("a week from tuesday", "2026-12-01"),
        ("tuesday next week", "2026-11-24"),
        ("tuesday in two weeks", None),
        ("a week from tomorrow", "2026-11-30"),
        ("february thirtieth", None),
        ("monday the twenty fourth of november", None),
        ("second", None),
        ("first", None),
        ("banana", None),
    ],
)
def test_a_day_as_it_is_said_on_sunday_november_22nd(text: str, day: str | None, now: datetime) -> None:
    assert understood(text, now) == day


@pytest.mark.parametrize(
    ("today", "text", "day"),
    [
        ("2026-11-24", "tuesday", "2026-12-01"),
        ("2026-11-23", "tuesday", "2026-11-24"),
        ("2026-11-23", "next tuesday", "2026-12-01"),
        ("2026-11-26", "next tuesday", "2026-12-01"),
        ("2026-11-24", "the twenty fourth", "2026-11-24"),
        ("2026-12-31", "tomorrow", "2027-01-01"),
        ("2027-01-30", "the thirtieth of january", "2027-01-30"),
        ("2027-01-31", "the thirtieth", "2027-03-30"),
    ],
)
def test_a_day_depends_on_the_day_of_the_call(today: str, text: str, day: str) -> None:
    assert understood(text, datetime.fromisoformat(today)) == day


@given(MOMENTS, st.integers(0, 364))
def test_a_day_read_back_is_understood_as_the_same_day(now: datetime, ahead: int) -> None:
    day = (now.date() + timedelta(days=ahead)).isoformat()
    assert understood(dates.spoken(day), now) == day


@given(MOMENTS, st.integers(1, 31))
def test_a_keyed_day_of_the_month_is_the_next_such_day(now: datetime, number: int) -> None:
    value = dates.keyed(f"{number:02}", now)
    assert value is not None
    assert date.fromisoformat(value).day == number
    assert 0 <= (date.fromisoformat(value) - now.date()).days < 62


@pytest.mark.parametrize("digits", ["0", "00", "32", "99", "241", ""])
def test_other_keys_are_no_day(digits: str, now: datetime) -> None:
    assert dates.keyed(digits, now) is None


def test_a_day_is_read_back_without_digits() -> None:
    assert dates.spoken("2026-11-24") == "Tuesday, November twenty-fourth"
