"""Spanish."""

from __future__ import annotations

import re

from ringline.engine.conversation.phrasing.speaking.language import Currency, Language, Noun
from ringline.engine.conversation.phrasing.speaking.speaker import Speaker

_ORDINAL = re.compile(r"(\d{1,3})\.?([ºª])")
_APOCOPE = re.compile(r"([13])(er)")
_MASCULINE = frozenset("día días mapa mapas problema problemas programa programas sistema sistemas".split())
_LINKS = frozenset("de y o a al en con por para es del que la las el los h".split())
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
        "p.ej.": "por ejemplo", "24/7": "veinticuatro siete", "n.º": "número", "N.º": "Número", "nº": "número",
        "Nº": "Número",
        "±": "más menos", "≤": "como máximo", "≥": "como mínimo", "≈": "aproximadamente", "÷": "dividido por",
        "§": "párrafo", "Sres.": "señores",
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
        "g": _noun("gramo"), "mg": _noun("miligramo"), "MB": Noun("un megabyte", "megabytes"),
        "GB": Noun("un gigabyte", "gigabytes"), "CHF": Noun("un franco suizo", "francos suizos"),
        "l": _noun("litro"), "L": _noun("litro"), "ml": Noun("un mililitro", "mililitros"),
        "km/h": Noun("un kilómetro por hora", "kilómetros por hora"), "°": _noun("grado"),
        "°C": Noun("un grado Celsius", "grados Celsius"), "m²": Noun("un metro cuadrado", "metros cuadrados"),
        "h": Noun("una hora", "horas"), "min": _noun("minuto"),
    },
    days={
        "lun": "lunes", "mar": "martes", "mié": "miércoles", "jue": "jueves", "vie": "viernes", "sáb": "sábado",
        "dom": "domingo",
    },
    flight_words=frozenset(("vuelo", "vuelos")),
    emergency_numbers=frozenset(("112", "091", "092", "061", "016", "911")),
    call_words=frozenset("llame llamar llama marque marcar emergencia emergencias número".split()),
    digit_words=frozenset("terminada terminado termina acaba acabada dígitos cifras".split()),
    long_code_words=frozenset("pedido referencia reserva cuenta factura seguimiento cliente contrato".split()),
    version_words=frozenset("versión python java android ios windows".split()),
    rulers=frozenset(
        "Enrique Felipe Alfonso Carlos Isabel Fernando Luis Juan Pablo Pío Benedicto Francisco Jorge Eduardo"
        " Guillermo Catalina Napoleón Sancho Pedro Jaime Ramiro".split()
    ),
    queens=frozenset(("Isabel", "Catalina")),
    ruler_titles=frozenset("rey reina papa emperador Rey Reina Papa Juan".split()),
    roman_words=frozenset(("siglo", "capítulo", "tomo", "acto", "mundial", "tipo", "parte", "fase")),
    town_words=frozenset(("en", "a", "e")),
    abbreviated={
        "máx.": "máximo", "mín.": "mínimo", "aprox.": "aproximadamente", "tel.": "teléfono", "Tel.": "teléfono",
        "Avda.": "avenida", "Av.": "avenida", "Pza.": "plaza", "Dña.": "doña", "D.": "don", "izq.": "izquierda",
        "dcha.": "derecha", "Vd.": "usted", "Vds.": "ustedes", "núm.": "número", "pág.": "página", "c/": "calle",
        "C/": "calle", "Prof.": "profesor",
    },
    pairs={"p ej": ("por", "ejemplo"), "EE UU": ("Estados", "Unidos")},
    feminine=frozenset(("noche", "noches", "vez", "veces", "habitación", "habitaciones", "opción", "opciones")),
    versus="a",
    half="y medio",
    fractions={
        "1/2": "un medio", "1/3": "un tercio", "2/3": "dos tercios", "1/4": "un cuarto", "3/4": "tres cuartos",
        "1/5": "un quinto", "1/8": "un octavo",
    },
)  # fmt: skip


class Spanish(Speaker):
    """Dates take "de"."""

    def say_special(self, core: str, before: str, after: str, tail: str) -> str | None:
        """ "1.º", "3ª"."""
        if core.isdecimal() and core[-1] == "1" and not core.endswith("11") and after.isalpha() and after.islower():
            is_feminine = after in self.language.feminine or (after.endswith(("a", "as")) and after not in _MASCULINE)
            if after not in _LINKS and after not in self.language.units:
                return self.numbers.feminine(int(core)) if is_feminine else self.numbers.masculine(int(core))
        if re.fullmatch(r"[2-9]00", core) and after.endswith(("a", "as")) and after not in _MASCULINE:
            return self.numbers.feminine(int(core))
        if ordinal := _ORDINAL.fullmatch(core) or _APOCOPE.fullmatch(core):
            if ordinal[2] == "er":
                return {"1": "primer", "3": "tercer"}[ordinal[1]]
            return self.numbers.ordinal(int(ordinal[1]), "-masculine" if ordinal[2] == "º" else "-feminine")
        return None

    def say_behind_number(self, core: str, before: str) -> str | None:
        """ "14:30 h"."""
        return "horas" if core == "h" and ":" in before else super().say_behind_number(core, before)

    def say_day(self, day: int, month: int, year: int | None, before: str) -> str:
        """``veinticuatro de noviembre de dos mil veintiséis``"""
        said = f"{self.numbers.cardinal(day)} de {_MONTHS[month - 1]}"
        return f"{said} de {self.numbers.cardinal(year)}" if year else said

    def say_time(self, hour: int, minute: int, after: str) -> str:
        """``diez treinta``"""
        said = "una" if hour == 1 else self.numbers.feminine(hour)
        return f"{said} {self.numbers.cardinal(minute)}" if minute else said


SPEAKER = Spanish(SPANISH)
