"""However a recogniser spells a number, a time or a date, it means the same, and is waited for as long."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringline.engine.config import TurnConfig
from ringline.engine.conversation.endpointing import Decision, Endpointing
from ringline.engine.conversation.number_words import cardinal, digit_by_digit, minutes, ordinal
from ringline.ipc.messages import Expectation
from ringline.workers.llm.flow import understand
from ringline.workers.llm.flow.compile import Flow, compile_flow, load
from ringline.workers.llm.flow.dates import MONTHS
from ringline.workers.llm.flow.flow_file import parse
from ringline.workers.llm.flow.slots import Setting

from .conftest import CLINIC as FOLDER

CLINIC = load(FOLDER)
HALVES = [("", ("",)), (" a m", (" AM", " am", " a.m.")), (" p m", (" PM", " pm", " p.m."))]
PHONE = compile_flow(
    parse(
        """
start = "ask"
defaults.otherwise = "end"
slots.phone = { type = "digits", length = 7 }
state.ask = { say = "Your number?", ask = "phone", goto = "end" }
state.end = { hang_up = true }
"""
    )
)


def understood(flow: Flow, state: str, text: str, now: datetime = datetime(2026, 11, 22)) -> dict[str, str] | None:
    meant = understand.speech(flow, flow.states[state], text, Setting(now, flow.hours))
    return dict(meant.slots) if meant else None


def waited(text: str, expect: Expectation) -> Decision:
    return Endpointing(TurnConfig()).decide(text, expect, None)


def suffixed(day: int) -> str:
    ending = "th" if day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


@st.composite
def spelled_times(draw: st.DrawFn, minute: st.SearchStrategy[int]) -> tuple[str, str]:
    """A time as a recogniser writes it, and in words."""
    hour, minute_ = draw(st.integers(1, 12)), draw(minute)
    forms = ["{}:{:02}", "{}.{:02}", "{:02}:{:02}", "{}{:02}", "{}h{:02}", "{}-{:02}", "{} {:02}"][
        : 7 if minute_ else 5
    ]
    forms += [] if minute_ else ["{} o'clock", "{} o' clock", "{} O'Clock"]
    # 10-12 is rather from ten to twelve.
    forms = [form for form in forms if form != "{}-{:02}" or not 10 <= minute_ <= 12]
    text = draw(st.sampled_from(forms)).format(hour, minute_)
    half, spelled = draw(
        st.sampled_from([("", ("",)), (" a m", (" AM", " am", " a.m.")), (" p m", (" PM", " pm", " p.m."))])
    )
    lead, tail = draw(st.sampled_from(["", "At "])), draw(st.sampled_from(["", ".", ",", ", please."]))
    return (
        f"{lead}{text}{draw(st.sampled_from(spelled))}{tail}",
        f"{lead.lower()}{cardinal(hour)} {minutes(minute_)}{half}",
    )


@given(pair=spelled_times(st.integers(0, 59)))
def test_a_time_is_understood_like_its_words(pair: tuple[str, str]) -> None:
    spelled, words = pair
    meant = understood(CLINIC, "book_time", words)
    assert meant
    assert understood(CLINIC, "book_time", spelled) == meant


@given(pair=spelled_times(st.sampled_from([0, 30])))
def test_a_time_is_waited_for_like_its_words(pair: tuple[str, str]) -> None:
    expect = CLINIC.states["book_time"].expect
    spelled, words = (waited(text, expect) for text in pair)
    assert spelled == words
    assert spelled.silence_ms == TurnConfig().endpoint_min_ms


@st.composite
def spelled_dates(draw: st.DrawFn) -> tuple[str, str]:
    """A day as a recogniser writes it, and in words."""
    month, day = draw(st.integers(1, 12)), draw(st.integers(1, 28))
    name = MONTHS[month - 1].capitalize()
    forms = [
        f"{name} {suffixed(day)}",
        f"the {suffixed(day)} of {name}",
        f"{name} {day}",
        f"{day} {name}",
        f"{suffixed(day)} {name}",
    ]
    forms += [f"{name[:3]}. {suffixed(day)}", f"{name[:3]} {day}", f"{name} {day}, 2026", f"{day} {name} 2027"]
    written = draw(st.sampled_from(forms))
    year = written[-4:] if written.endswith(("2026", "2027")) else ""
    said = f"the {ordinal(day)} of {name.lower()}" + (f" twenty {cardinal(int(year) - 2000)}" if year else "")
    return draw(st.sampled_from(["", "On "])) + written + draw(st.sampled_from(["", ".", ","])), said


@given(spelled_dates())
def test_a_day_is_understood_like_its_words(pair: tuple[str, str]) -> None:
    spelled, words = pair
    now = datetime(2026, 1, 1)
    meant = understood(CLINIC, "book_day", words, now)
    assert meant
    assert understood(CLINIC, "book_day", spelled, now) == meant


@pytest.mark.parametrize("spelled", ["the 3rd of May.", "The 3rd of May", "the 3rd of May,", "the third of may"])
def test_a_day_is_waited_for_like_its_words(spelled: str) -> None:
    expect = CLINIC.states["book_day"].expect
    assert waited(spelled, expect) == waited("the third of may", expect)
    assert waited(spelled, expect).silence_ms == TurnConfig().endpoint_min_ms


def test_a_year_behind_a_day_is_no_time() -> None:
    for text in ("December 1st, 2026", "december first twenty twenty six", "December 1, 2026"):
        assert understood(CLINIC, "book_day", text) == {"day": "2026-12-01"}


def test_a_day_of_another_year_is_not_the_next_one() -> None:
    assert understood(CLINIC, "book_day", "December 1, 2027") == {"day": "2027-12-01"}


@st.composite
def grouped_digits(draw: st.DrawFn) -> tuple[str, str]:
    """Up to seven digits in groups as recognisers write them, and the digits."""
    digits = draw(st.text("0123456789", min_size=1, max_size=7))
    text, rest = "", digits
    while rest:
        size = draw(st.integers(1, len(rest)))
        text += ("" if not text else draw(st.sampled_from([" ", "-", ", ", ". "]))) + rest[:size]
        rest = rest[size:]
    return text + draw(st.sampled_from(["", ".", ",", "..."])), digits


@given(grouped_digits())
def test_grouped_digits_are_understood_digit_by_digit(pair: tuple[str, str]) -> None:
    text, digits = pair
    assert understood(PHONE, "ask", text) == ({"phone": digits} if len(digits) == 7 else None)


@given(grouped_digits())
def test_grouped_digits_are_waited_for_like_their_words(pair: tuple[str, str]) -> None:
    text, digits = pair
    expect = PHONE.states["ask"].expect
    assert waited(text, expect) == waited(digit_by_digit(digits), expect)


@pytest.mark.parametrize("text", ["triple five oh one seven two", "555 O one seven two", "double five five zero 172"])
def test_repeated_digits_and_the_letter_o(text: str) -> None:
    assert understood(PHONE, "ask", text) == {"phone": "5550172"}


@pytest.mark.parametrize(
    "text", ["555 0100 555 0100", "555-01001", "five hundred fifty five zero one zero zero five", "double 5 5501001"]
)
def test_of_too_many_digits_no_part_is_taken(text: str) -> None:
    assert understood(PHONE, "ask", text) is None


@pytest.mark.parametrize("text", ["10.5", "2400", "975", "two thousand", "ten point five"])
def test_half_of_a_number_is_no_time(text: str) -> None:
    assert understood(CLINIC, "book_time", text) is None


@pytest.mark.parametrize("text", ["One moment, please.", "hold on one second", "1 minute"])
def test_whoever_asks_for_a_moment_names_no_time(text: str) -> None:
    assert understood(CLINIC, "book_time", text) is None


def test_a_minute_past_the_hour_is_a_time() -> None:
    assert understood(CLINIC, "book_time", "one minute past ten") == {"time": "10:01"}


@pytest.mark.parametrize(
    "text",
    ["May 3rd, 2025", "February 30th", "the 30th of February", "Tuesday, 23rd of November",
     "I need an appointment on Tuesday, November 23rd."],
)  # fmt: skip
def test_of_a_day_that_there_is_not_no_part_is_taken(text: str) -> None:
    assert "day" not in (understood(CLINIC, "book_day", text) or {})


def test_a_day_said_beside_one_that_there_is_not_is_understood() -> None:
    assert understood(CLINIC, "book_day", "the 30th of February, no, the 3rd of March") == {"day": "2027-03-03"}
