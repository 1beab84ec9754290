"""Amounts, with decimals, units and currencies."""

from __future__ import annotations

import re

from ringline.engine.conversation.phrasing.speaking.language import Currency, Language, Noun
from ringline.engine.conversation.phrasing.speaking.numbers import MAX_NUMBER, Numbers

_EUROPEAN = re.compile(r"(?:\d{1,3}(?:\.\d{3})+|\d{1,9}),\d{1,2}")
"""3,5 in an English text."""
_ONE_DECIMAL = re.compile(r"\d{1,9}\.\d")
"""3.5 in a text of a language with decimal commas; two digits would be a time or a date."""


class Amounts:
    """Reads and says amounts in one language. An amount is a whole number and its decimal digits."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.numbers = Numbers(language.code)

    def parse(self, text: str) -> tuple[int, str] | None:
        """A number and its decimal digits; None for what is no number in this language."""
        decimal = self.language.decimal
        if decimal == "." and _EUROPEAN.fullmatch(text):
            text = text.replace(".", "").replace(",", ".")
        elif decimal == "," and _ONE_DECIMAL.fullmatch(text):
            text = text.replace(".", ",")
        group = "," if decimal == "." else "."
        if not re.fullmatch(rf"(?:\d{{1,15}}|\d{{1,3}}(?:[{group}'’]\d{{3}})+)(?:\{decimal}\d{{1,9}})?", text):
            return None
        whole, _, decimals = text.partition(decimal)
        number = int(re.sub(r"\D", "", whole))
        return (number, decimals) if number < MAX_NUMBER else None

    def say(self, whole: int, decimals: str) -> str:
        """A number with its decimals."""
        said = self.numbers.cardinal(whole)
        return f"{said} {self.language.point} {self.numbers.digits(decimals)}" if decimals else said

    def count(self, whole: int, decimals: str, noun: Noun) -> str:
        """So many of something."""
        if (whole, decimals) == (1, ""):
            return noun.one
        return f"{self.numbers.masculine(whole) if not decimals else self.say(whole, decimals)} {noun.many}"

    def money(self, whole: int, decimals: str, currency: Currency) -> str:
        """A sum of money."""
        if len(decimals) != 2 or currency.cent is None:
            return self.count(whole, decimals, currency.unit)
        cents = int(decimals)
        if not cents:
            return self.count(whole, "", currency.unit)
        if not whole:
            return self.count(cents, "", currency.cent)
        said = self.count(cents, "", currency.cent) if self.language.names_cents else self.numbers.cardinal(cents)
        return f"{self.count(whole, '', currency.unit)} {self.language.money_joint}{said}"

    def currency_behind(self, currency: Currency, whole: int, decimals: str) -> str:
        """The € of "25,50 €": behind "fünfundzwanzig", "Euro fünfzig"."""
        if len(decimals) != 2 or currency.cent is None:
            return currency.unit.one.partition(" ")[2] if (whole, decimals) == (1, "") else currency.unit.many
        first = self.before_currency(currency, whole, decimals)
        return self.money(whole, decimals, currency)[len(first) :].strip()

    def before_currency(self, currency: Currency, whole: int, decimals: str) -> str:
        """The 25,50 of "25,50 €": what `currency_behind` goes on with."""
        if whole:
            return self.numbers.masculine(whole) if whole != 1 else currency.unit.one.partition(" ")[0]
        return self.money(whole, decimals, currency).partition(" ")[0]

    def sign(self, sign: str) -> str:
        """What stands before a number, with a space behind it."""
        language = self.language
        words = {"-": language.minus, "−": language.minus, "+": language.plus, "~": language.about, "≈": language.about}
        return f"{words[sign]} " if sign else ""
