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
