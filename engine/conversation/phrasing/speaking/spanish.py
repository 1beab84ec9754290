"""Spanish."""

from __future__ import annotations

import re

from ringline.engine.conversation.phrasing.speaking.language import Currency, Language, Noun
from ringline.engine.conversation.phrasing.speaking.speaker import Speaker

_ORDINAL = re.compile(r"(\d{1,3})\.?([ºª])")
_MONTHS = (
    "enero", "febrero", "marzo", "abril", "mayo", "junio",
    "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
)  # fmt: skip


def _noun(name: str) -> Noun:
    return Noun(f"un {name}", f"{name}s")


_EURO = Currency(_noun("euro"), _noun("céntimo"))
_DOLLAR = Currency(Noun("un dólar", "dólares"), _noun("centavo"))

SPANISH = Language(
    code="es",
    decimal=",",
    point="coma",
    minus="menos",
    plus="más",
    to="a",
    percent="por ciento",
    dot="punto",
    at="arroba",
    slash="barra",
    dash="guion",
    underscore="guion bajo",
    number="número",
    about="unos",
    money_joint="con ",
    names_cents=False,
    signs={
        "&": "y", "+": "más", "=": "igual a", "%": "por ciento", "×": "por", "*": "por", "Sr.": "señor",
        "Sra.": "señora", "Srta.": "señorita", "Dr.": "doctor", "Dra.": "doctora", "Ud.": "usted", "Uds.": "ustedes",
        "p.ej.": "por ejemplo", "n.º": "número",
    },
    months=_MONTHS,
    month_abbreviations={},
    day_first=True,
    code_words=frozenset(("código", "pin", "postal")),
    currencies={
        "€": _EURO, "EUR": _EURO, "$": _DOLLAR, "US$": _DOLLAR, "USD": _DOLLAR,
        "£": Currency(Noun("una libra", "libras"), None),
    },
    units={
        "km": _noun("kilómetro"), "m": _noun("metro"), "cm": _noun("centímetro"), "kg": _noun("kilo"),
        "g": _noun("gramo"), "l": _noun("litro"), "L": _noun("litro"), "ml": Noun("un mililitro", "mililitros"),
        "km/h": Noun("un kilómetro por hora", "kilómetros por hora"), "°": _noun("grado"),
        "°C": Noun("un grado Celsius", "grados Celsius"), "m²": Noun("un metro cuadrado", "metros cuadrados"),
        "h": Noun("una hora", "horas"), "min": _noun("minuto"),
    },
)  # fmt: skip


class Spanish(Speaker):
    """Dates take "de"."""

    def say_special(self, core: str, before: str, after: str, tail: str) -> str | None:
        """ "1.º", "3ª"."""
        if ordinal := _ORDINAL.fullmatch(core):
            return self.numbers.ordinal(int(ordinal[1]), "-masculine" if ordinal[2] == "º" else "-feminine")
        return None

    def say_day(self, day: int, month: int, year: int | None, before: str) -> str:
        """``veinticuatro de noviembre de dos mil veintiséis``"""
        said = f"{self.numbers.cardinal(day)} de {_MONTHS[month - 1]}"
        return f"{said} de {self.numbers.cardinal(year)}" if year else said

    def say_time(self, hour: int, minute: int, after: str) -> str:
        """``diez treinta``"""
        said = "una" if hour == 1 else self.numbers.cardinal(hour)
        return f"{said} {self.numbers.cardinal(minute)}" if minute else said


SPEAKER = Spanish(SPANISH)
