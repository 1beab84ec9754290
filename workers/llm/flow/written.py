"""Days and times in figures, as recognisers write them, -> the words that `dates` and `times` understand.

``12/1/2026``, ``2026-12-01``, ``1.12.``: which of two numbers is the month depends on where the agent is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from ringline.engine.conversation.language_tags import primary_language
from ringline.engine.conversation.number_words import ONES, TENS, cardinal, ordinal
from ringline.workers.llm.flow import german
from ringline.workers.llm.flow.dates import MONTHS, WEEKDAYS

Order = Literal["month first", "day first", "either"]
"""What ``12/1`` is. ``either``: only what has one meaning is understood, ``12/13``."""

LANGUAGES: dict[str, Callable[[str], str]] = {"de": german.in_english}
"""Other languages than English -> what puts their days and times into English."""

_MONTH_FIRST = frozenset({"en", "en-us", "en-ph"})
_EITHER = frozenset({"en-ca"})

_CENTURY = 2_000
_MONTHS = 12
_NOTHING = " no such day "
"""What a day that cannot be is read as: no part of it is another one."""

_DAY_OR_MONTH = r"[0-3]?[0-9]"
_ALONE = r"(?<![\w./:-])"
_END = r"(?![\w/-])"
_ISO = re.compile(
    rf"{_ALONE}(?P<year>(?:19|20)[0-9]{{2}})(?P<sign>[-/.])(?P<month>{_DAY_OR_MONTH})(?P=sign)(?P<day>{_DAY_OR_MONTH})"
    rf"(?:t(?=[0-9])|{_END})"
)
_WITH_YEAR = re.compile(
    rf"{_ALONE}(?P<first>{_DAY_OR_MONTH})\s?(?P<sign>[-/.])\s?(?P<second>{_DAY_OR_MONTH})\s?(?P=sign)\s?"
    rf"(?P<year>(?:(?:19|20)[0-9]{{2}}|[0-9]{{2}})){_END}"
)
_SLASHED = re.compile(
    rf"{_ALONE}(?<![0-9]\s)(?P<first>{_DAY_OR_MONTH})/(?P<second>{_DAY_OR_MONTH}){_END}"
    r"(?!\s*(?:past|to|of an?|hour|an?)\b)"
)
_DOTTED = re.compile(rf"{_ALONE}(?<!\bat )(?P<first>{_DAY_OR_MONTH})\.\s?(?P<second>0?[1-9]|1[0-2])\.{_END}")
_RANGE = re.compile(r"(?<![\w.:/-])([1-9]|1[0-2])\s?[-\u2013\u2014]\s?([1-9]|1[0-2])(?![\w:/-]|\.[0-9])")
_NUMBERED = (
    rf"(?:[0-9]{{1,2}}(?:st|nd|rd|th)|{'|'.join(ordinal(number).replace(' ', '[ -]') for number in range(31, 0, -1))})"
)
_COMMA = re.compile(
    rf"\b((?:{'|'.join(WEEKDAYS)}|(?:mon|tues?|weds?|thu|thurs?|fri|sat|sun)\b)\.?"
    rf"|(?:{'|'.join(MONTHS)}) [0-9a-z -]{{1,14}}?)\s?,\s+"
    rf"(?=(?:the )?(?:{'|'.join(MONTHS)}|{'|'.join(name[:3] for name in MONTHS)}\b|{_NUMBERED}\b|20[0-9][0-9]\b))"
)
"""Within one day, not between two: ``tuesday, december 1st, 2026``."""
_ROUND_THE_CLOCK = re.compile(r"(?<![\w/])24/7(?![\w/])")
_FRACTION = re.compile(r"(?<![\w/.])(1/2|1/4|\u00bd|\u00bc)(?=\s*(?:past|to|after|before|of)\b)")
_FRACTIONS = {"1/2": "half", "\u00bd": "half", "1/4": "quarter", "\u00bc": "quarter"}
_MILITARY = re.compile(rf"{_ALONE}(?<![0-9]\s)0([1-9])([0-5][0-9]){_END}(?![.:]?[0-9])(?!\s[0-9])")
_CLOCK = r"[0-9]{1,2}[:.][0-9]{2}(?:\s?[ap]\.?m\.?)?"
_CLOCK_RANGE = re.compile(rf"({_CLOCK})\s?[-\u2013\u2014]\s?(?=[0-9])")
_ISH = re.compile(rf"\b({'|'.join((*ONES, *TENS[2:], 'noon', 'half'))}|[0-9]+)-?ish\b")
_MONTH_OF = {name[:3]: name for name in MONTHS}
_NAMED_MONTHS = "|".join(f"{name}|{name[:3]}" for name in MONTHS if name != "may")
_DOTTED_ON = re.compile(rf"(?:(?<=\bon )|(?<=\bthe )){_DOTTED.pattern}")
_MONTH_DAY = re.compile(
    rf"\b({_NAMED_MONTHS}|sept)(\.?\s+(?:the\s+)?)([12]?[1-9]|[1-3]0|3[1-9])"
    r"(?![\w:/]|[.,-]?[0-9]|\s*[ap]\.?m\b|,?\s+(?:19|20)[0-9][0-9])"
)
"""Without its ending, 31 may be read as a three and a one. ``May 3`` may be a verb and a number."""


def order(language: str) -> Order:
    """How callers of the agent's language (``en``, ``en-GB``) write days in figures."""
    tag = language.lower().replace("_", "-")
    if tag in _EITHER:
        return "either"
    return "month first" if tag in _MONTH_FIRST else "day first"


def in_words(text: str, language: str = "en", asks_time: bool = False) -> str:
    """The text with days in figures written out in English, and signs that stand for words of the time; days and times
    in words, too, where the language is another one of `LANGUAGES`.

    Where a time is asked for, ``10.12.`` is one.
    """
    if (translate := LANGUAGES.get(primary_language(language))) is not None:
        text = translate(text)
    return _figures_in_words(text, order(language), _DOTTED_ON if asks_time else _DOTTED)


def _figures_in_words(text: str, order: Order, dotted: re.Pattern[str]) -> str:
    text = _ISH.sub(r"\1 ish", text.lower())
    text = _COMMA.sub(r"\1 ", text)
    text = _FRACTION.sub(lambda match: _FRACTIONS[match[1]], text)
    if not re.search("[0-9]", text):
        return text

    def iso(match: re.Match[str]) -> str:
        return _day(int(match["day"]), int(match["month"]), int(match["year"]))

    def with_year(match: re.Match[str]) -> str:
        year = int(match["year"]) + (_CENTURY if len(match["year"]) == 2 else 0)
        if match["sign"] == ".":
            return _day(int(match["first"]), int(match["second"]), year)
        return _ordered(match, order, year)

    if order != "day first":
        text = _ROUND_THE_CLOCK.sub(" ", text)
    text = re.sub(r"(?<!\w)['\u2019](?=[0-9]{2}\b)", "20", text)
    text = _ISO.sub(iso, text)
    text = _WITH_YEAR.sub(with_year, text)
    text = _SLASHED.sub(lambda match: _ordered(match, order), text)
    text = dotted.sub(lambda match: _day(int(match["first"]), int(match["second"])), text)
    text = _MILITARY.sub(lambda match: f" zero {match[1]} {match[2].replace('00', 'hundred')} ", text)
    text = _MONTH_DAY.sub(lambda match: f"{_MONTH_OF[match[1][:3]]} {ordinal(int(match[3]))}", text)
    text = _CLOCK_RANGE.sub(r"\1 to ", text)
    return _RANGE.sub(r" \1 to \2 ", text)


def _ordered(match: re.Match[str], order: Order, year: int | None = None) -> str:
    first, second = int(match["first"]), int(match["second"])
    if first > _MONTHS or second > _MONTHS or first == second:  # there is but one way to read it
        return _day(max(first, second), min(first, second), year)
    if order == "either":
        return _NOTHING
    return _day(second, first, year) if order == "month first" else _day(first, second, year)


def _day(day: int, month: int, year: int | None = None) -> str:
    if not (1 <= day <= 31 and 1 <= month <= _MONTHS) or (year is not None and year <= _CENTURY):
        return _NOTHING
    return f" the {ordinal(day)} of {MONTHS[month - 1]} {cardinal(year) if year is not None else ''} "
