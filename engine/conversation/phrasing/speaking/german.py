"""German."""

from __future__ import annotations

import re

from ringline.engine.conversation.phrasing.speaking.language import Currency, Language, Noun
from ringline.engine.conversation.phrasing.speaking.speaker import Speaker

_HOUR = re.compile(r"([01]?\d|2[0-4])[.:]([0-5]\d)")
_SHORT_DATE = re.compile(r"([0-3]?\d)\.([01]?\d)")
_HOUSE = re.compile(r"(\d{1,3})([a-f])")
_DECADE = re.compile(r"((?:1[1-9]|20)?\d0)er")
_DAYS_OF_MONTH = re.compile(r"(\d{1,2})\.[-–](\d{1,2})")
_ARTICLES = frozenset("der die das den dem am vom zum".split())
_DATIVE = frozenset("am zum vom dem den bis im beim zur seit ab und".split())
_MONTHS = (
    "Januar", "Februar", "März", "April", "Mai", "Juni",
    "Juli", "August", "September", "Oktober", "November", "Dezember",
)  # fmt: skip
_CENT = Noun("ein Cent", "Cent")
_EURO = Currency(Noun("ein Euro", "Euro"), _CENT)
_DOLLAR = Currency(Noun("ein Dollar", "Dollar"), _CENT)
_POUND = Currency(Noun("ein Pfund", "Pfund"), Noun("ein Penny", "Pence"))
_FRANC = Currency(Noun("ein Franken", "Franken"), Noun("ein Rappen", "Rappen"))


def _same(name: str) -> Noun:
    return Noun(f"ein {name}", name)


GERMAN = Language(
    code="de",
    decimal=",",
    point="Komma",
    minus="minus",
    plus="plus",
    to="bis",
    percent="Prozent",
    dot="Punkt",
    at="ät",
    slash="Schrägstrich",
    dash="Bindestrich",
    underscore="Unterstrich",
    number="Nummer",
    about="etwa",
    money_joint="",
    names_cents=False,
    signs={
        "&": "und", "+": "plus", "=": "gleich", "%": "Prozent", "×": "mal", "*": "mal", "z.B.": "zum Beispiel",
        "d.h.": "das heißt", "ca.": "circa", "bzw.": "beziehungsweise", "usw.": "und so weiter", "Nr.": "Nummer",
        "±": "plus minus", "≤": "höchstens", "≥": "mindestens", "≈": "etwa", "÷": "geteilt durch", "§": "Paragraf",
        "24/7": "vierundzwanzig sieben", "inkl.": "inklusive", "zzgl.": "zuzüglich", "ggf.": "gegebenenfalls",
        "Dr.": "Doktor",
    },
    months=_MONTHS,
    month_abbreviations={"Jan": "Januar", "Feb": "Februar", "Okt": "Oktober", "Nov": "November", "Dez": "Dezember"},
    day_first=True,
    code_words=frozenset("code pin tan plz postleitzahl kundennummer durchwahl passwort".split()),
    currencies={
        "€": _EURO, "EUR": _EURO, "Euro": _EURO, "$": _DOLLAR, "US$": _DOLLAR, "USD": _DOLLAR, "£": _POUND,
        "GBP": _POUND, "CHF": _FRANC, "Franken": _FRANC,
    },
    units={
        "km": _same("Kilometer"), "m": _same("Meter"), "cm": _same("Zentimeter"), "mm": _same("Millimeter"),
        "kg": _same("Kilogramm"), "g": _same("Gramm"), "l": _same("Liter"), "L": _same("Liter"),
        "ml": _same("Milliliter"), "ct": _same("Cent"), "mg": _same("Milligramm"),
        "t": Noun("eine Tonne", "Tonnen"), "°F": _same("Grad Fahrenheit"),
        "km/h": _same("Kilometer pro Stunde"), "°": _same("Grad"),
        "°C": _same("Grad Celsius"), "m²": _same("Quadratmeter"), "MB": _same("Megabyte"), "GB": _same("Gigabyte"),
        "kWh": Noun("eine Kilowattstunde", "Kilowattstunden"), "h": Noun("eine Stunde", "Stunden"),
        "Std": Noun("eine Stunde", "Stunden"), "min": Noun("eine Minute", "Minuten"),
        "Min": Noun("eine Minute", "Minuten"),
    },
    days={
        "Mo": "Montag", "Di": "Dienstag", "Mi": "Mittwoch", "Do": "Donnerstag", "Fr": "Freitag", "Sa": "Samstag",
        "So": "Sonntag",
    },
    flight_words=frozenset(("flug", "flüge", "flugnummer")),
    emergency_numbers=frozenset("112 110 115 116117 144 133 122".split()),
    call_words=frozenset("notruf wählen wähle ruf rufen rufnummer polizei feuerwehr".split()),
    digit_words=frozenset("endet endend endziffern ziffern endung".split()),
    long_code_words=frozenset(
        "bestellnummer auftragsnummer sendungsnummer kontonummer rechnungsnummer vertragsnummer buchungsnummer"
        " referenznummer postfach bestellung nummer ticketnummer vorgangsnummer".split()
    ),
    version_words=frozenset("version python java android ios windows".split()),
    rulers=frozenset(
        "Heinrich Ludwig Friedrich Wilhelm Karl Otto Konrad Georg Eduard Franz Josef Leopold Albrecht Philipp"
        " Maximilian Rudolf Johannes Paul Benedikt Pius Elisabeth Katharina Maria Margarethe Napoleon Nikolaus".split()
    ),
    queens=frozenset(("Elisabeth", "Katharina", "Maria", "Margarethe")),
    ruler_titles=frozenset("König Königin Kaiser Kaiserin Papst Zar Zarin".split()),
    roman_words=frozenset(("kapitel", "teil", "band", "akt", "weltkrieg", "typ", "klasse")),
    town_words=frozenset(("in", "nach", "aus", "d")),
    abbreviated={
        "max.": "maximal", "mind.": "mindestens", "min.": "mindestens", "evtl.": "eventuell", "Tel.": "Telefon",
        "MwSt.": "Mehrwertsteuer", "Prof.": "Professor", "Hr.": "Herr", "Fr.": "Frau", "Abs.": "Absatz",
        "Art.": "Artikel",
        "vgl.": "vergleiche", "Std.": "Stunden", "Min.": "Minuten", "Mio.": "Millionen", "Mrd.": "Milliarden",
        "Str.": "Straße", "App.": "Apparat", "St.": "Sankt", "exkl.": "exklusive", "tgl.": "täglich",
        "gegr.": "gegründet", "geb.": "geboren", "Kap.": "Kapitel", "Whg.": "Wohnung", "Pl.": "Platz",
    },
    pairs={
        "z B": ("zum", "Beispiel"), "d h": ("das", "heißt"), "u a": ("unter", "anderem"), "s o": ("siehe", "oben"),
        "o Ä": ("oder", "Ähnliches"), "v Chr": ("vor", "Christus"), "n Chr": ("nach", "Christus"),
        "u U": ("unter", "Umständen"), "i d": ("in", "der"), "s u": ("siehe", "unten"),
    },
    feminine=frozenset(
        "Stunde Minute Sekunde Woche Person Nacht Frage Nummer Tasse Tablette Uhrzeit Rechnung Option Mal".split()
    ),
    versus="zu",
    half="einhalb",
    fractions={
        "1/2": "ein halb", "1/3": "ein Drittel", "2/3": "zwei Drittel", "1/4": "ein Viertel", "3/4": "drei Viertel",
        "1/5": "ein Fünftel", "1/8": "ein Achtel",
    },
)  # fmt: skip


class German(Speaker):
    """Full stops make ordinals and stand in times; "Uhr" goes between hours and minutes."""

    def say_special(self, core: str, before: str, after: str, tail: str) -> str | None:
        """ "3. Mai", "24.11.", "10.30 Uhr"."""
        if (days := _DAYS_OF_MONTH.fullmatch(core)) and tail.startswith("."):
            return f"{self._ordinal(int(days[1]), before)} bis {self._ordinal(int(days[2]), before)}"
        if core.isdecimal() and len(core) <= 2 and tail == "." and (after or before.lower() in _ARTICLES):
            return self._ordinal(int(core), before)
        if (date := _SHORT_DATE.fullmatch(core)) and tail.startswith(".") and 1 <= int(date[2]) <= 12:
            return self.say_day(int(date[1]), int(date[2]), None, before)
        if (hour := _HOUR.fullmatch(core)) and after == "Uhr":
            return self._hour(int(hour[1]))
        if core == "1" and after == "Uhr":
            return "ein"
        if core == "1" and after[:1].isupper() and not tail and after not in self.language.units:
            return "eine" if after in self.language.feminine else "ein"
        if house := _HOUSE.fullmatch(core):
            return f"{self.numbers.cardinal(int(house[1]))} {house[2]}"
        if decade := _DECADE.fullmatch(core):
            return f"{self.numbers.year(int(decade[1]))}er"
        if core.isdecimal() and before == "Jahr" and len(core) == 4:
            return self.numbers.year(int(core))
        return None

    def say_behind_number(self, core: str, before: str) -> str | None:
        """The minutes go behind "Uhr"."""
        if core == "Uhr":
            hour = _HOUR.fullmatch(before.rpartition("-")[2].rpartition("–")[2])
            return f"Uhr {self.numbers.cardinal(int(hour[2]))}" if hour and int(hour[2]) else None
        return super().say_behind_number(core, before)

    def say_day(self, day: int, month: int, year: int | None, before: str) -> str:
        """``vierundzwanzigster November zweitausendsechsundzwanzig``"""
        said = f"{self._ordinal(day, before)} {_MONTHS[month - 1]}"
        return f"{said} {self.numbers.year(year)}" if year else said

    def say_time(self, hour: int, minute: int, after: str) -> str:
        """``zehn Uhr dreißig``; where "Uhr" follows, it takes the minutes."""
        if after == "Uhr":
            return self._hour(hour)
        return f"{self._hour(hour)} Uhr {self.numbers.cardinal(minute)}" if minute else f"{self._hour(hour)} Uhr"

    def _hour(self, hour: int) -> str:
        return "ein" if hour == 1 else self.numbers.cardinal(hour)

    def _ordinal(self, number: int, before: str) -> str:
        word = before.lower()
        return self.numbers.ordinal(number, "" if word in ("der", "die", "das") else "-n" if word in _DATIVE else "-r")

    def _is_month(self, word: str) -> bool:
        return word in _MONTHS or word in self.language.month_abbreviations


SPEAKER = German(GERMAN)
