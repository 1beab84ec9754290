"""Dates as callers say them: ``tomorrow``, ``next tuesday``, ``the fifth of march``."""

from __future__ import annotations

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


def pattern(forms: tuple[str, ...] = FORMS) -> Node:
    """Everything that names a day. Forms not listed are understood too, but stay out of the grammar."""
    of_century = atoms("year", {cardinal(number): _CENTURY + number for number in range(1, 100)})
    year = optional(unspoken(sequence(choice("twenty", sequence("two thousand", optional("and"))), of_century)))
    weekday = Rule("weekday", atoms("weekday", {name: index for index, name in enumerate(WEEKDAYS)}))
    month = Rule("month", atoms("month", {name: index for index, name in enumerate(MONTHS, 1)}))
    day = Rule("ordinal", atoms("day", {ordinal(number): number for number in range(1, 32)}))
    number = atoms("day", {cardinal(number): number for number in range(1, 32)})
    # ``first`` and ``second`` alone are said of much else: ``wait a second``.
    bare_day = unspoken(atoms("day", {ordinal(number): number for number in range(3, 32)}))
    the_day = choice(sequence("the", day), bare_day)
    of_month = choice(sequence("of", month), unspoken(month))
    which = optional(Atom("week", 1, word("next")), Atom("week", 0, word("this")), unspoken("this coming"))
    shapes = {
        "today": choice(
            Atom("days", 0, word("today")),
            Atom("days", 1, word("tomorrow")),
            sequence(optional("the"), Atom("days", 2, word("day after tomorrow"))),
        ),
        "weekday": sequence(which, weekday),
        "day": sequence(optional(weekday), the_day),
        "month": choice(
            sequence(optional(weekday), "the", day, of_month, year),
            unspoken(sequence(optional(weekday), day, of_month, year)),
            sequence(optional(weekday), month, optional("the"), day, year),
        ),
    }
    a_week = choice(Atom("days", 7, word("a week")), Atom("days", 14, choice("two weeks", "a fortnight")))
    others = unspoken(
        sequence(optional(weekday), month, optional("the"), number, year),
        sequence(optional(weekday), number, optional("of"), month, year),
        sequence("in", choice(*(Atom("days", n, word(f"{cardinal(n)} days")) for n in range(2, 31)))),
        sequence("in", a_week),
        sequence(a_week, choice("from", "on"), weekday),
        sequence(a_week, "from", choice(Atom("days", 0, word("today")), Atom("days", 1, word("tomorrow")))),
        sequence(weekday, Atom("week", 1, word("next week"))),
        sequence(weekday, "in", a_week),
    )
    return choice(*(node if form in forms else unspoken(node) for form, node in shapes.items()), others)


def resolve(said: tuple[tuple[str, str | int], ...], now: datetime) -> str | None:
    """The day that was meant, as YYYY-MM-DD, never before today; None if there is none such.

    A bare weekday is the next one after today; ``next`` means the one in the following calendar week, from Monday.
    """
    today = now.date()
    days = sum(int(value) for key, value in said if key == "days")
    fields = {key: int(value) for key, value in said if key != "days"}
    if "day" in fields:
        found = _numbered(fields["day"], fields.get("month"), fields.get("weekday"), fields.get("year"), today)
        return found.isoformat() if found else None
    if "weekday" in fields:
        ahead = (fields["weekday"] - today.weekday()) % 7
        if fields.get("week") == 1:
            monday = today + timedelta(days=7 - today.weekday())
            return (monday + timedelta(days=fields["weekday"])).isoformat()
        return (today + timedelta(days=(ahead or 7) + days)).isoformat()
    return (today + timedelta(days=days)).isoformat()


def _numbered(day: int, month: int | None, weekday: int | None, year: int | None, today: date) -> date | None:
    """The first day from today on with this number, month, year and weekday; a weekday that does not fit means a
    mistake."""
    months = 12 * _LEAP_CYCLE_YEARS if month is not None else 3
    for ahead in range(months + 1):
        years, index = divmod(today.month - 1 + ahead, 12)
        if (month is not None and index + 1 != month) or (year is not None and today.year + years != year):
            continue
        try:
            found = date(today.year + years, index + 1, day)
        except ValueError:
            continue
        if found < today:
            continue
        if weekday is None or found.weekday() == weekday:
            return found
        if month is not None:
            return None
    return None


def keyed(digits: str, now: datetime) -> str | None:
    """Keyed digits: the day of the month."""
    return resolve((("day", int(digits)),), now) if 1 <= len(digits) <= 2 else None


def spoken(value: str) -> str:
    """``2026-11-24`` -> ``Tuesday, November twenty-fourth``. Raises ValueError."""
    day = date.fromisoformat(value)
    number = ordinal(day.day).replace(" ", "-")
    return f"{WEEKDAYS[day.weekday()].capitalize()}, {MONTHS[day.month - 1].capitalize()} {number}"
