"""Dates as callers say them: ``tomorrow``, ``next tuesday``, ``the fifth of march``, ``tuesday week``."""

from __future__ import annotations

import calendar
from datetime import date, datetime, timedelta

from ringline.engine.conversation.number_words import cardinal, ordinal
from ringline.workers.llm.flow.pattern import Atom, Node, Rule, atoms, choice, optional, sequence, unspoken, word

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
          "november", "december")  # fmt: skip

FORMS = ("today", "weekday", "day", "month")
"""Ways to name a day that a grammar may have: ``tomorrow``, ``next tuesday``, ``the fifth``, ``march fifth``."""

_CENTURY = 2_000
_LEAP_CYCLE_YEARS = 8
"""February 29th comes back within so many years."""
_MAX_WEEKS = 12
_MAX_MONTHS = 12
_FAR = timedelta(days=270)
"""Whoever says ``november third`` in late November may well mean another day."""
_LAST = -1

_FEASTS = {
    "christmas eve": (12, 24), "christmas day": (12, 25), "boxing day": (12, 26),
    "new year's eve": (12, 31), "new year's day": (1, 1),
}  # fmt: skip
"""``christmas`` alone is not among them: it is wished, too."""


def pattern(forms: tuple[str, ...] = FORMS) -> Node:
    """Everything that names a day. Forms not listed are understood too, but stay out of the grammar."""
    of_century = atoms("year", {cardinal(number): _CENTURY + number for number in range(1, 100)})
    century = choice("twenty", sequence("two thousand", optional("and")))
    this_year, next_year = (Atom("years", number, word(text)) for number, text in enumerate(("this year", "next year")))
    year = optional(unspoken(sequence(century, of_century), sequence(optional("of"), choice(this_year, next_year))))
    weekday = Rule("weekday", atoms("weekday", {name: index for index, name in enumerate(WEEKDAYS)}))
    month = Rule("month", atoms("month", {name: index for index, name in enumerate(MONTHS, 1)}))
    day = Rule("ordinal", atoms("day", {ordinal(number): number for number in range(1, 32)}))
    number = atoms("day", {cardinal(number): number for number in range(1, 32)})
    # ``first`` and ``second`` alone are said of much else: ``wait a second``.
    bare_day = unspoken(atoms("day", {ordinal(number): number for number in range(3, 32)}))
    this_month = Atom("months", 0, choice("this month", "the month"))
    next_month = Atom("months", 1, word("next month"))
    of_this_or_next = unspoken(sequence(optional("of", "in"), choice(this_month, next_month)))
    the_day = choice(sequence("the", day), bare_day)
    of_month = choice(sequence("of", month), unspoken(month))
    which = optional(Atom("week", 1, word("next")), Atom("week", 0, word("this")), unspoken("this coming", "coming"))
    shapes = {
        "today": choice(
            Atom("ahead", 0, word("today")),
            Atom("ahead", 1, word("tomorrow")),
            sequence(optional("the"), Atom("ahead", 2, word("day after tomorrow"))),
        ),
        "weekday": sequence(which, weekday),
        "day": sequence(optional(weekday), the_day),
        "month": choice(
            sequence(optional(weekday), "the", day, of_month, year),
            unspoken(sequence(optional(weekday), day, of_month, year)),
            sequence(optional(weekday), month, optional("the"), day, year),
        ),
    }
    others = unspoken(
        sequence(optional(weekday), month, optional("the"), number, year),
        sequence(optional(weekday), optional("the"), number, optional("of"), month, year),
        sequence(optional(weekday), the_day, of_this_or_next),
        sequence(optional(weekday), optional("the"), day, "of", optional("the"), _ordinal_month(), year),
        sequence(next_month, optional("on"), the_day),
        sequence(weekday, choice("next", "coming"), the_day),
        sequence(shapes["today"], optional("on"), choice(weekday, shapes["day"], shapes["month"])),
        sequence(weekday, shapes["today"]),
        _nth_weekday(weekday, choice(sequence(choice("of", "in"), month, year), of_this_or_next)),
        _counted(weekday, shapes),
        _weeks(weekday, shapes["today"], choice(weekday, shapes["day"], shapes["month"])),
        *(Atom("month", feast[0], Atom("day", feast[1], word(name))) for name, feast in _FEASTS.items()),
    )
    return choice(*(node if form in forms else unspoken(node) for form, node in shapes.items()), others)


def _ordinal_month() -> Node:
    return atoms("month", {ordinal(number): number for number in range(1, 13)})


def _nth_weekday(weekday: Node, of_month: Node) -> Node:
    """``the first monday in december``"""
    nth = choice(atoms("nth", {ordinal(number): number for number in range(1, 6)}), Atom("nth", _LAST, word("last")))
    return sequence(optional("the"), nth, weekday, of_month)


def _counted(weekday: Node, shapes: dict[str, Node]) -> Node:
    """``in three weeks``, ``two days from tomorrow``, ``a week on tuesday``"""
    days = choice(
        Atom("days", 1, choice("a day", "one day")),
        *(Atom("days", number, word(f"{cardinal(number)} days")) for number in range(2, 32)),
    )
    weeks = choice(
        Atom("days", 7, choice("a week", "one week")),
        Atom("days", 14, choice("a fortnight", "fortnight")),
        *(Atom("days", 7 * number, word(f"{cardinal(number)} weeks")) for number in range(2, _MAX_WEEKS + 1)),
    )
    months = choice(
        Atom("months_ahead", 1, choice("a month", "one month")),
        *(Atom("months_ahead", number, word(f"{cardinal(number)} months")) for number in range(2, _MAX_MONTHS + 1)),
    )
    week_s = Atom("days", 7, choice("a week's time", "one week's time"))
    day = choice(*shapes.values())
    return choice(
        sequence("in", choice(sequence(choice(days, weeks, months), optional("time", "from now")), week_s)),
        sequence(choice(days, weeks, months), choice("from now", "from today")),
        sequence(choice(days, weeks), "from", day),
        sequence(weeks, choice("on", "this"), weekday),
        sequence(weeks, shapes["today"]),
    )


def _weeks(weekday: Node, today: Node, day: Node) -> Node:
    """``tuesday week``, ``tuesday of next week``, ``the tuesday after next``"""
    week_later = choice(Atom("days", 7, word("week")), Atom("days", 14, word("fortnight")))
    this_week = Atom("calendar_week", 0, word("this week"))
    next_week = Atom("calendar_week", 1, word("next week"))
    week = choice(this_week, next_week)
    return choice(
        sequence(optional("this", "this coming", "coming"), weekday, week_later),
        sequence(today, week_later),
        sequence(optional("the"), weekday, Atom("days", 7, word("after next"))),
        sequence("the", weekday, Atom("days", 7, word("after"))),
        sequence(weekday, optional("of", "in"), week),
        sequence(week, optional("on"), day),
    )


def resolve(said: tuple[tuple[str, str | int], ...], now: datetime) -> str | None:
    """The day that was meant, as YYYY-MM-DD, never before today; None if there is none such.

    A bare weekday is the next one after today; ``next`` means the one in the following calendar week, from Monday.
    What was said twice over, as in ``tomorrow, monday the third``, must be the same day.
    """
    today = now.date()
    days = sum(int(value) for key, value in said if key == "days")
    fields = {key: int(value) for key, value in said if key != "days"}
    months = fields.get("months")
    if "years" in fields:
        fields["year"] = today.year + fields["years"]
    if months is not None:
        fields["year"], fields["month"] = _months_after(today, months)
    if "ahead" in fields:
        found: date | None = today + timedelta(days=fields["ahead"])
    elif "nth" in fields:
        found = _nth(fields["nth"], fields["weekday"], fields["month"], fields.get("year"), today)
    elif "day" in fields:
        found = _numbered(fields["day"], fields.get("month"), fields.get("year"), today)
    elif "months_ahead" in fields:
        found = _date(*_months_after(today, fields["months_ahead"]), today.day)
    elif "weekday" in fields:
        found = _weekday(fields["weekday"], fields.get("week"), fields.get("calendar_week"), today)
    else:
        found = today
    if found is None or found < today or not _agrees(found, fields):
        return None
    return (found + timedelta(days=days)).isoformat()


def _agrees(found: date, fields: dict[str, int]) -> bool:
    """A weekday that does not fit the day means a mistake in one of them, and only the caller knows in which."""
    parts = {"weekday": found.weekday(), "day": found.day, "month": found.month, "year": found.year}
    return all(fields.get(key, value) == value for key, value in parts.items())


def _weekday(weekday: int, week: int | None, calendar_week: int | None, today: date) -> date:
    monday = today - timedelta(days=today.weekday())
    if week == 1 or calendar_week is not None:
        return monday + timedelta(days=weekday, weeks=1 if week == 1 else calendar_week or 0)
    return today + timedelta(days=(weekday - today.weekday()) % 7 or 7)


def _months_after(today: date, months: int) -> tuple[int, int]:
    """(year, month)"""
    years, index = divmod(today.month - 1 + months, 12)
    return today.year + years, index + 1


def _date(year: int, month: int, day: int) -> date | None:
    return date(year, month, day) if 1 <= day <= calendar.monthrange(year, month)[1] else None


def _numbered(day: int, month: int | None, year: int | None, today: date) -> date | None:
    """The first day from today on with this number, month and year."""
    ahead = range(12 * _LEAP_CYCLE_YEARS + 1) if month is not None else range(3)
    for found_year, found_month in (_months_after(today, number) for number in ahead):
        if month in (None, found_month) and year in (None, found_year):
            found = _date(found_year, found_month, day)
            if found is not None and found >= today:
                return found
    return None


def _nth(nth: int, weekday: int, month: int, year: int | None, today: date) -> date | None:
    """The ``nth`` such weekday of the month, of the next such month that has it still before it."""
    for found_year in (year,) if year is not None else (today.year, today.year + 1):
        of_month = [week[weekday] for week in calendar.monthcalendar(found_year, month) if week[weekday]]
        index = nth if nth == _LAST else nth - 1
        if index >= len(of_month):
            return None
        found = date(found_year, month, of_month[index])
        if found >= today:
            return found
    return None


def keyed(digits: str, now: datetime) -> str | None:
    """Keyed digits: the day of the month."""
    return resolve((("day", int(digits)),), now) if 1 <= len(digits) <= 2 else None


def spoken(value: str, now: datetime | None = None) -> str:
    """``2026-11-24`` -> ``Tuesday, November twenty-fourth``. Raises ValueError.

    With ``now``, a day so far ahead that another year may have been meant is said with its year.
    """
    day = date.fromisoformat(value)
    said = f"{WEEKDAYS[day.weekday()].capitalize()}, {MONTHS[day.month - 1].capitalize()} {_hyphened(ordinal(day.day))}"
    if now is None or day - now.date() < _FAR:
        return said
    return f"{said}, twenty {_hyphened(cardinal(day.year - _CENTURY))}"


def _hyphened(words: str) -> str:
    return words.replace(" ", "-")
