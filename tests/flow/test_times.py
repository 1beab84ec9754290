from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringline.engine.conversation.spelling import normalise
from ringline.workers.llm.flow import times
from ringline.workers.llm.flow.match import Reader
from ringline.workers.llm.flow.pattern import Slot

PATTERN = Slot("time", times.pattern())
OFFICE = (time(9), time(17))


def understood(text: str, opens: time = OFFICE[0], closes: time = OFFICE[1]) -> str | None:
    """The time in a text that holds nothing else."""
    tokens = normalise(text)
    found = [one for one in Reader(tokens).search(PATTERN, 0, len(tokens)) if one[:2] == (0, len(tokens))]
    values = {times.resolve(slots[0][1], opens, closes) for _, _, slots in found}
    assert len(values) <= 1, "one text, two meanings"
    return values.pop() if values else None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ten", "10:00"),
        ("ten o'clock", "10:00"),
        ("ten thirty", "10:30"),
        ("10:30", "10:30"),
        ("half past two", "14:30"),
        ("half two", "14:30"),
        ("quarter to four", "15:45"),
        ("a quarter to four", "15:45"),
        ("quarter past nine", "09:15"),
        ("quarter after nine", "09:15"),
        ("a quarter of four", "15:45"),
        ("3 pm", "15:00"),
        ("three p.m.", "15:00"),
        ("two in the afternoon", "14:00"),
        ("two", "14:00"),
        ("five", "17:00"),
        ("nine", "09:00"),
        ("eight", "08:00"),
        ("eight in the evening", "20:00"),
        ("seven", "07:00"),
        ("noon", "12:00"),
        ("midday", "12:00"),
        ("twelve", "12:00"),
        ("twelve thirty", "12:30"),
        ("twelve a.m.", "12:00"),
        ("midnight", "00:00"),
        ("ten at night", "22:00"),
        ("three at night", "03:00"),
        ("ten oh five", "10:05"),
        ("ten zero five", "10:05"),
        ("ten past nine", "09:10"),
        ("twenty minutes to ten", "09:40"),
        ("ten forty seven", "10:47"),
        ("14:30", "14:30"),
        ("14:00", "14:00"),
        ("fourteen hundred", "14:00"),
        ("in the morning at ten", "10:00"),
        ("quarter to one", "12:45"),
        ("fourteen", None),
        ("banana", None),
    ],
)
def test_a_time_as_it_is_said_to_an_office_from_nine_to_five(text: str, value: str | None) -> None:
    assert understood(text) == value


@pytest.mark.parametrize(
    ("opens", "closes", "value"), [(9, 17, "18:00"), (6, 12, "06:00"), (17, 23, "18:00"), (0, 23, "18:00")]
)
def test_six_is_the_one_in_or_next_to_the_opening_hours(opens: int, closes: int, value: str) -> None:
    assert understood("six", time(opens), time(closes)) == value


@given(st.times())
def test_a_time_read_back_is_understood_as_the_same_time(moment: time) -> None:
    value = f"{moment:%H:%M}"
    assert understood(times.spoken(value)) == value


@pytest.mark.parametrize(
    ("digits", "value"),
    [
        ("10", "10:00"),
        ("9", "09:00"),
        ("2", "14:00"),
        ("0200", "14:00"),
        ("230", "14:30"),
        ("1030", "10:30"),
        ("1400", "14:00"),
        ("0930", "09:30"),
        ("0015", "00:15"),
        ("2400", None),
        ("1060", None),
        ("10300", None),
    ],
)
def test_a_keyed_time(digits: str, value: str | None) -> None:
    assert times.keyed(digits, *OFFICE) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("10:00", "ten in the morning"),
        ("10:30", "ten thirty in the morning"),
        ("09:05", "nine oh five in the morning"),
        ("12:00", "noon"),
        ("12:30", "twelve thirty in the afternoon"),
        ("14:00", "two in the afternoon"),
        ("18:15", "six fifteen in the evening"),
        ("00:00", "midnight"),
    ],
)
def test_a_time_is_read_back_as_people_say_it(value: str, text: str) -> None:
    assert times.spoken(value) == text
