"""French."""

from __future__ import annotations

import re

from ringline.engine.conversation.phrasing.speaking.language import Currency, Language, Noun
from ringline.engine.conversation.phrasing.speaking.speaker import Speaker

_HOUR = re.compile(r"([01]?\d|2[0-4])h([0-5]\d)?")
_THOUSANDS = re.compile(r"\d{3}(?:,\d+)?")
_ORDINAL = re.compile(r"(\d{1,4})(er|ère|re|e|ème|nd|nde)")
_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip


def _noun(name: str) -> Noun:
    return Noun(f"un {name}", f"{name}s")


_CENT = _noun("centime")
_EURO = Currency(_noun("euro"), _CENT)
_DOLLAR = Currency(_noun("dollar"), _noun("cent"))

FRENCH = Language(
    code="fr",
    decimal=",",
    point="virgule",
    minus="moins",
    plus="plus",
    to="à",
    percent="pour cent",
    dot="point",
    at="arobase",
    slash="barre oblique",
    dash="tiret",
    underscore="tiret bas",
    number="numéro",
    about="environ",
    money_joint="",
    names_cents=False,
    signs={
        "&": "et", "+": "plus", "=": "égale", "%": "pour cent", "×": "fois", "*": "fois", "p.ex.": "par exemple",
        "n°": "numéro", "N°": "numéro", "Mme": "Madame", "Mlle": "Mademoiselle",
    },
    months=_MONTHS,
    month_abbreviations={},
    day_first=True,
    code_words=frozenset(("code", "pin", "postal")),
    currencies={
        "€": _EURO, "EUR": _EURO, "$": _DOLLAR, "USD": _DOLLAR, "£": Currency(Noun("une livre", "livres"), None),
        "CHF": Currency(_noun("franc"), _CENT),
    },
    units={
        "km": _noun("kilomètre"), "m": _noun("mètre"), "cm": _noun("centimètre"), "kg": _noun("kilogramme"),
        "g": _noun("gramme"), "l": _noun("litre"), "L": _noun("litre"), "ml": _noun("millilitre"),
        "km/h": Noun("un kilomètre heure", "kilomètres heure"), "°": _noun("degré"),
        "°C": Noun("un degré Celsius", "degrés Celsius"), "m²": Noun("un mètre carré", "mètres carrés"),
        "h": Noun("une heure", "heures"), "min": Noun("une minute", "minutes"),
    },
)  # fmt: skip


class French(Speaker):
    """Hours have an "h", the first of a month is an ordinal."""

    def say_special(self, core: str, before: str, after: str, tail: str) -> str | None:
        """ "10h30", "1er", "2e"."""
        if hour := _HOUR.fullmatch(core):
            return self.say_time(int(hour[1]), int(hour[2] or 0), after)
        if ordinal := _ORDINAL.fullmatch(core):
            feminine = ordinal[2] in ("ère", "re", "nde")
            return self.numbers.ordinal(int(ordinal[1]), "-feminine" if feminine else "-masculine")
        # "1 250": what is spaced is left to TTS, but for cents that "euros" says.
        if (core.isdecimal() and _THOUSANDS.fullmatch(after)) or (before.isdecimal() and _THOUSANDS.fullmatch(core)):
            return core.partition(",")[0] if after in self.language.currencies else core
        return None

    def say_day(self, day: int, month: int, year: int | None, before: str) -> str:
        """``vingt-quatre novembre deux mille vingt-six``"""
        number = "premier" if day == 1 else self.numbers.cardinal(day)
        said = f"{number} {_MONTHS[month - 1]}"
        # "deux mille vingt-six", and not "vingt-cents vingt-six"
        return f"{said} {self.numbers.cardinal(year)}" if year else said

    def say_time(self, hour: int, minute: int, after: str) -> str:
        """``dix heures trente``"""
        said = "une heure" if hour == 1 else f"{self.numbers.cardinal(hour)} heures"
        return f"{said} {self.numbers.cardinal(minute)}" if minute else said

    def is_year(self, number: str, before: str) -> bool:
        """French years are said as other numbers are."""
        return False


SPEAKER = French(FRENCH)
