"""Days and times as callers say them and recognisers write them: the right one, or none, never another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ringline.engine.conversation.number_words import cardinal, minutes, ordinal
from ringline.workers.llm.flow import german, understand
from ringline.workers.llm.flow.compile import Flow, compile_flow
from ringline.workers.llm.flow.dates import MONTHS, WEEKDAYS
from ringline.workers.llm.flow.flow_file import read
from ringline.workers.llm.flow.slots import Setting

from .conftest import CLINIC, Talk

PHRASES = Path(__file__).parents[2] / "bench" / "when"
NOW = datetime(2026, 11, 28, 18)  # a Saturday
NUM_DAYS = 400
DAYS = st.integers(0, NUM_DAYS - 1).map(lambda ahead: NOW.date() + timedelta(days=ahead))
NOWS = st.datetimes(datetime(2024, 1, 1), datetime(2039, 1, 1))


@cache
def clinic(language: str) -> Flow:
    return compile_flow(read(CLINIC), language)


def understood(state: str, text: str, now: datetime = NOW, language: str = "en") -> str:
    """The day and the time that are taken, ``-`` for neither."""
    flow = clinic(language)
    meant = understand.speech(flow, flow.states[state], text, Setting(now, flow.hours))
    slots = meant.slots if meant else {}
    return " ".join(slots[name] for name in ("day", "time") if name in slots) or "-"


def phrases(file: str) -> Iterator[tuple[str, str, str, str]]:
    """(now, language, phrase, value)"""
    now = language = ""
    for line in (PHRASES / file).read_text(encoding="utf-8").splitlines():
        value, equals, phrase = line.partition(" = ")
        if equals:
            yield now, language, phrase, value
        elif line.endswith(":"):
            now, _, language = line.rstrip(":").rpartition(" ")


@pytest.mark.kind("days")
@pytest.mark.parametrize(("now", "language", "phrase", "value"), list(phrases("days.txt")))
def test_a_day_is_the_one_that_was_said_or_none(now: str, language: str, phrase: str, value: str) -> None:
    assert understood("book_day", phrase, datetime.fromisoformat(now), language) == value


@pytest.mark.kind("times")
@pytest.mark.parametrize(("now", "language", "phrase", "value"), list(phrases("times.txt")))
def test_a_time_is_the_one_that_was_said_or_none(now: str, language: str, phrase: str, value: str) -> None:
    assert understood("book_time", phrase, datetime.fromisoformat(now), language) == value


# --- every day of more than a year --------------------------------------------------------------------------------


def suffixed(number: int) -> str:
    ending = "th" if number in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


class NoDay:
    """A day that there is not."""

    def __init__(self, year: int, month: int, day: int) -> None:
        self.year, self.month, self.day = year, month, day

    def weekday(self) -> int:
        return self.day % 7


def of(form: str, day: date | NoDay) -> str:
    """The day in a form such as ``{weekday} the {th} of {month}``."""
    return form.format(
        weekday=WEEKDAYS[day.weekday()].capitalize(),
        month=MONTHS[day.month - 1].capitalize(),
        mon=MONTHS[day.month - 1][:3].capitalize(),
        ordinal=ordinal(day.day),
        words=cardinal(day.day),
        th=suffixed(day.day),
        d=day.day,
        m=day.month,
        dd=f"{day.day:02}",
        mm=f"{day.month:02}",
        y=day.year,
        yy=f"{day.year % 100:02}",
        year=f"twenty {cardinal(day.year % 100)}",
        thousand=f"two thousand {cardinal(day.year % 100)}",
    )


WITH_YEAR = (
    "{y}-{mm}-{dd}", "{y}/{mm}/{dd}", "{d}.{m}.{y}", "{dd}.{mm}.{yy}", "{d}. {m}. {y}",
    "{month} {d}, {y}", "{mon} {d}, {y}", "{mon}. {th}, {y}", "{d} {month} {y}", "{th} of {month} {y}",
    "{weekday}, {month} {d}, {y}", "{weekday} {d} {mon} {y}", "{month} {ordinal} {year}",
    "{month} {ordinal} {thousand}",
    "the {ordinal} of {month} {year}", "{weekday} the {ordinal} of {month} {thousand}",
)  # fmt: skip
WITHOUT_YEAR = (
    "{month} {th}", "{month} {d}", "{month} the {th}", "{mon}. {th}", "{mon} {d}", "{th} of {month}", "{d} {month}",
    "the {th} of {month}", "the {ordinal} of {month}", "{month} {ordinal}", "{month} the {ordinal}", "{month} {words}",
    "{weekday}, {month} {th}", "{weekday} the {ordinal} of {month}", "{weekday}, {d} {month}", "{dd}.{mm}.", "{d}.{m}.",
)  # fmt: skip
US = ("{m}/{d}/{y}", "{mm}/{dd}/{yy}", "{mm}-{dd}-{y}", "{m}/{d}", "{weekday} {m}/{d}")
GB = ("{d}/{m}/{y}", "{dd}/{mm}/{yy}", "{dd}-{mm}-{y}", "{d}/{m}", "{weekday} {d}/{m}")
LANGUAGES = {**dict.fromkeys(US, "en-US"), **dict.fromkeys(GB, "en-GB")}


@pytest.mark.kind("days in every form", inputs=NUM_DAYS)
@pytest.mark.parametrize("form", [*WITH_YEAR, *WITHOUT_YEAR, *US, *GB])
def test_every_day_of_the_next_400_is_itself_in_every_form(form: str) -> None:
    language = LANGUAGES.get(form, "en")
    for ahead in range(NUM_DAYS):
        day = NOW.date() + timedelta(days=ahead)
        meant = day.isoformat()
        if ahead >= 365 and not any(year in form for year in ("{y", "{thousand}")):
            # Without its year it is the one before, or neither where the weekday says otherwise.
            meant = "-" if "{weekday}" in form else day.replace(year=day.year - 1).isoformat()
        assert understood("book_day", of(form, day), NOW, language) == meant


@given(NOWS, st.integers(0, NUM_DAYS - 1), st.sampled_from(WITH_YEAR), st.sampled_from(["", "On ", "for ", "uh, "]))
def test_a_day_with_its_year_is_itself_whenever_it_is_said(now: datetime, ahead: int, form: str, lead: str) -> None:
    day = now.date() + timedelta(days=ahead)
    assert understood("book_day", lead + of(form, day), now) == day.isoformat()


@pytest.mark.parametrize("form", [*WITH_YEAR, *WITHOUT_YEAR, *US, *GB])
def test_a_day_that_a_month_does_not_have_is_none(form: str) -> None:
    for month, number in ((2, 30), (2, 31), (4, 31), (6, 31), (9, 31), (11, 31)):
        for year in (2026, 2027):
            text = of(form, NoDay(year, month, number))
            assert understood("book_day", text, NOW, LANGUAGES.get(form, "en")) == "-", text


@given(DAYS, st.integers(1, 6), st.sampled_from([form for form in (*WITH_YEAR, *WITHOUT_YEAR) if "{weekday}" in form]))
def test_a_weekday_that_does_not_fit_is_asked_for_again(day: date, off: int, form: str) -> None:
    assume((day - NOW.date()).days < 365)  # else it is the one before that is meant without a year
    wrong = WEEKDAYS[(day.weekday() + off) % 7].capitalize()
    assert understood("book_day", of(form.replace("{weekday}", wrong), day)) == "-"


@given(NOWS, st.integers(1, 800), st.sampled_from(WITH_YEAR))
def test_a_day_that_is_past_is_none(now: datetime, ago: int, form: str) -> None:
    assert understood("book_day", of(form, now.date() - timedelta(days=ago)), now) == "-"


BOUNDS = ("after {}", "before {}", "until {}", "by {}", "any time after {}", "not before {}", "since {}", "{} or later",
          "{} onwards", "from {} on", "{} at the earliest", "sometime before {}")  # fmt: skip
PAIRS = ("{} or {}", "{} and {}", "between {} and {}", "from {} to {}", "{} until {}", "either {} or {}", "{} to {}")
SPOKEN_DAYS = ("{month} {th}", "the {ordinal} of {month}", "{weekday}, {month} {d}", "the {th}", "{weekday}")


@given(DAYS, st.sampled_from(SPOKEN_DAYS), st.sampled_from(BOUNDS))
def test_a_day_that_only_bounds_is_none(day: date, form: str, bound: str) -> None:
    assert understood("book_day", bound.format(of(form, day))) == "-"


@given(DAYS, DAYS, st.sampled_from(SPOKEN_DAYS), st.sampled_from(PAIRS))
def test_of_two_days_none_is_taken(one: date, other: date, form: str, pair: str) -> None:
    assume(one != other)
    assert understood("book_day", pair.format(of(form, one), of(form, other))) == "-"


@given(NOWS, st.sampled_from(WEEKDAYS), st.sampled_from(["", "on ", "this ", "next "]))
def test_a_weekday_is_one_of_the_next_two_weeks(now: datetime, weekday: str, which: str) -> None:
    day = date.fromisoformat(understood("book_day", which + weekday, now))
    assert WEEKDAYS[day.weekday()] == weekday
    assert 1 <= (day - now.date()).days <= (13 if which == "next " else 7)


@given(NOWS, st.integers(2, 12))
def test_weeks_are_counted_from_today_tomorrow_or_a_weekday(now: datetime, weeks: int) -> None:
    def ahead(text: str) -> int:
        return (date.fromisoformat(understood("book_day", text, now)) - now.date()).days

    assert ahead(f"in {cardinal(weeks)} weeks") == ahead(f"{weeks} weeks from today") == 7 * weeks
    assert ahead(f"{cardinal(weeks)} weeks from tomorrow") == 7 * weeks + 1
    assert ahead(f"{weeks} weeks from friday") == ahead("friday") + 7 * weeks
    assert ahead("friday week") == ahead("a week on friday") == ahead("friday") + 7


# --- every minute of a day ----------------------------------------------------------------------------------------

TWELVE = ("{h}:{mm} {half}.m.", "{h}:{mm}{half}m", "{h}.{mm} {half}m", "{hour} {minutes} {half} m", "{h}{mm} {half}m")
"""Forms with morning or afternoon."""
TWENTY_FOUR = ("{h24:02}:{mm}", "{h24}:{mm}", "{h24}.{mm}", "{h24:02}{mm}", "{hour24} {minutes}", "{h24}h{mm}")


@pytest.mark.kind("times in every form", inputs=18 * 60)
@pytest.mark.parametrize("form", [*TWELVE, *TWENTY_FOUR])
def test_every_minute_of_a_day_is_itself_in_every_form(form: str) -> None:
    for minute_of_day in range(6 * 60, 24 * 60):
        hour, minute = divmod(minute_of_day, 60)
        if form in TWENTY_FOUR and hour < 13:
            continue  # ``7:30`` may be in the evening
        text = form.format(
            h=hour % 12 or 12, h24=hour, mm=f"{minute:02}", half="a" if hour < 12 else "p",
            hour=cardinal(hour % 12 or 12), hour24=cardinal(hour), minutes=minutes(minute),
        )  # fmt: skip
        if minute == 0 and form == "{h}{mm} {half}m":
            continue  # nobody writes 900 am
        assert understood("book_time", text) == f"{hour:02}:{minute:02}", text


TIMES = st.tuples(st.integers(9, 16), st.sampled_from([0, 15, 30, 45]))
SPOKEN_TIMES: tuple[Callable[[int, int], str], ...] = (
    lambda hour, minute: f"{hour}:{minute:02}",
    lambda hour, minute: f"{hour % 12 or 12}:{minute:02} {'am' if hour < 12 else 'pm'}",
    lambda hour, minute: f"{cardinal(hour % 12 or 12)} {minutes(minute)}",
)


@given(TIMES, st.sampled_from(SPOKEN_TIMES), st.sampled_from(BOUNDS))
def test_a_time_that_only_bounds_is_none(moment: tuple[int, int], say: Callable[[int, int], str], bound: str) -> None:
    assert understood("book_time", bound.format(say(*moment))) == "-"


@given(TIMES, TIMES, st.sampled_from(SPOKEN_TIMES), st.sampled_from(PAIRS))
def test_of_two_times_none_is_taken(
    one: tuple[int, int], other: tuple[int, int], say: Callable[[int, int], str], pair: str
) -> None:
    assume(one != other)
    assert understood("book_time", pair.format(say(*one), say(*other))) == "-"


# --- German -------------------------------------------------------------------------------------------------------

GERMAN_DAYS = (
    "{weekday}, den {d}. {month}", "am {d}. {month} {y}", "{d}. {month}", "der {d}.{m}.{y}", "am {d}.{m}.",
    "{dd}.{mm}.{yy}",
    "am {ordinal}en {month}", "{weekday}, der {ordinal}e {month}", "am {ordinal}en {ordinal_month}en",
)  # fmt: skip


@pytest.mark.kind("days in every form", inputs=365)
@pytest.mark.parametrize("form", GERMAN_DAYS)
def test_every_day_of_a_year_is_itself_in_german(form: str) -> None:
    for ahead in range(365):
        day = NOW.date() + timedelta(days=ahead)
        text = form.format(
            weekday=german.WEEKDAYS[day.weekday()], month=german.MONTHS[day.month - 1], d=day.day, m=day.month,
            dd=f"{day.day:02}", mm=f"{day.month:02}", y=day.year, yy=f"{day.year % 100:02}",
            ordinal=german.ordinal_stem(day.day), ordinal_month=german.ordinal_stem(day.month),
        )  # fmt: skip
        assert understood("book_day", text, NOW, "de") == day.isoformat(), text


@given(NOWS, st.integers(0, NUM_DAYS - 1))
def test_a_day_read_back_in_german_is_the_same_day(now: datetime, ahead: int) -> None:
    day = (now.date() + timedelta(days=ahead)).isoformat()
    assert understood("book_day", german.spoken_day(day, now), now, "de") == day


@given(st.times())
def test_a_time_read_back_in_german_is_the_same_time_where_it_has_one_meaning(moment: time) -> None:
    value = f"{moment:%H:%M}"
    got = understood("book_time", german.spoken_time(value), NOW, "de")
    half_a_day_later = f"{(moment.hour + 12) % 24:02}:{moment.minute:02}"
    assert got == value if moment.hour > 12 else got in (value, half_a_day_later)


HALF_HOURS = [("halb {next}", 30), ("viertel nach {hour}", 15), ("viertel {next}", 15), ("dreiviertel {next}", 45),
              ("viertel vor {next}", 45), ("fünf vor halb {next}", 25), ("fünf nach halb {next}", 35),
              ("zehn nach {hour}", 10), ("zwanzig vor {next}", 40)]  # fmt: skip


@pytest.mark.parametrize(("form", "minute"), HALF_HOURS)
@pytest.mark.parametrize("hour", range(9, 17))
def test_german_halves_and_quarters(form: str, minute: int, hour: int) -> None:
    names = {"hour": german.number_word((hour - 1) % 12 + 1), "next": german.number_word(hour % 12 + 1)}
    assert understood("book_time", form.format(**names), NOW, "de") == f"{hour:02}:{minute:02}"


def test_a_german_agent_reads_days_and_times_back_in_german() -> None:
    talk = Talk(clinic("de"))
    talk.open()
    talk.say("I need an appointment.")
    assert "Dienstag, der vierundzwanzigste November, at vierzehn Uhr dreißig" in talk.say("am Dienstag um halb drei")


# --- the call -----------------------------------------------------------------------------------------------------


def test_a_day_far_ahead_is_read_back_with_its_year(clinic_call: Talk) -> None:
    assert "Wednesday, November third, twenty twenty-seven" in clinic_call.say("An appointment on November 3rd at ten.")
    assert "Thursday, December third, at" in clinic_call.say("No, on December 3rd.")


@pytest.mark.kind("what is asked again")
@pytest.mark.parametrize(
    "said",
    [
        "the thirty first of april",
        "Monday the 3rd",
        "monday or tuesday",
        "not on Monday",
        "May 3rd, 2025",
        "12/1, or 12/2",
    ],
)
def test_a_doubtful_day_is_asked_for_again_and_nothing_is_booked(clinic_call: Talk, said: str) -> None:
    clinic_call.say("I need an appointment.")
    assert "which day" in clinic_call.say(said)
    assert not clinic_call.tool_results


@pytest.mark.kind("what is asked again")
@pytest.mark.parametrize(
    "said", ["after three", "between ten and eleven", "ten or eleven", "any time", "3 pm Pacific time"]
)
def test_a_doubtful_time_is_asked_for_again_and_nothing_is_booked(clinic_call: Talk, said: str) -> None:
    clinic_call.say("I need an appointment on Tuesday.")
    assert "what time" in clinic_call.say(said)
    assert not clinic_call.tool_results
