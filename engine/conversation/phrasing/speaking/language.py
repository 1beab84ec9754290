"""The words a language has for what is written in signs."""

from __future__ import annotations

from typing import Literal

import msgspec


class Noun(msgspec.Struct, frozen=True):
    """What is counted."""

    one: str
    """With its article or number: ``one dollar``."""
    many: str
    """Behind any other number: ``dollars``."""


class Currency(msgspec.Struct, frozen=True):
    """Money, and its hundredths where it has any."""

    unit: Noun
    cent: Noun | None = None


class Language(msgspec.Struct, frozen=True):
    """The words of one language."""

    code: str
    decimal: Literal[".", ","]
    point: str
    minus: str
    plus: str
    to: str
    percent: str
    dot: str
    at: str
    slash: str
    dash: str
    underscore: str
    number: str
    about: str
    money_joint: str
    """Between the dollars and the cents."""
    names_cents: bool
    signs: dict[str, str]
    """Words for signs that stand alone, and for abbreviations."""
    months: tuple[str, ...]
    month_abbreviations: dict[str, str]
    day_first: bool
    """Whether 5/6 is in June."""
    code_words: frozenset[str]
    """A number behind one of them is read digit by digit. Lower case."""
    currencies: dict[str, Currency]
    units: dict[str, Noun]
    abbreviations: frozenset[str] = frozenset()
    """Without their full stops: those whose word the neighbours decide."""
    days: dict[str, str] = {}
    """Abbreviations of weekdays, without full stops."""
    flight_words: frozenset[str] = frozenset()
    """Before an airline and a number. Lower case, as all sets of words below but for names."""
    emergency_numbers: frozenset[str] = frozenset()
    call_words: frozenset[str] = frozenset()
    """Before an emergency number."""
    digit_words: frozenset[str] = frozenset()
    """Near before three digits or more that are read one by one: ``ending in``."""
    long_code_words: frozenset[str] = frozenset()
    """... before four or more: ``order 83910``, but ``order 12 pizzas``."""
    version_words: frozenset[str] = frozenset()
    """Before a number that is a version: 3.11 is ``three point eleven``."""
    rulers: frozenset[str] = frozenset()
    """Names before a Roman numeral."""
    queens: frozenset[str] = frozenset()
    """Those of them that are women's."""
    ruler_titles: frozenset[str] = frozenset()
    """As they are written. Only behind one of them is ``I`` a numeral in mid-sentence."""
    roman_words: frozenset[str] = frozenset()
    """What has a Roman number that is said as a cardinal: wars, chapters."""
    town_words: frozenset[str] = frozenset()
    """Before a postcode and a town."""
    room_words: frozenset[str] = frozenset()
    street_words: frozenset[str] = frozenset()
    """Behind a house number and a name, as they are written."""
    abbreviated: dict[str, str] = {}
    """Abbreviations with the full stop they need, and their words: ``max.``."""
    pairs: dict[str, tuple[str, str]] = {}
    """... those of two words, without their full stops: ``z B``."""
    feminine: frozenset[str] = frozenset()
    """Nouns before which one is feminine: ``une personne``."""
    versus: str = ""
    """Between the goals of a score."""
    half: str = "½"
    """Behind a whole number: ``and a half``."""
    fractions: dict[str, str] = {}
    """``1/2`` and the like."""

    @property
    def dot_in_version(self) -> str:
        """``three point eleven``, ``drei Punkt elf``"""
        return "point" if self.code == "en" else self.dot
