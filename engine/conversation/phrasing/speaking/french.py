"""French."""

from __future__ import annotations

import re

from ringline.engine.conversation.phrasing.speaking.language import Currency, Language, Noun
from ringline.engine.conversation.phrasing.speaking.speaker import Speaker

_HOUR = re.compile(r"([01]?\d|2[0-4])h([0-5]\d)?")
_HOURS = re.compile(r"(\d{1,2}h\d{0,2})[-–](\d{1,2}h\d{0,2})")
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
        "±": "plus ou moins", "≤": "au plus", "≥": "au moins", "≈": "environ", "÷": "divisé par", "§": "paragraphe",
        "Dr": "Docteur", "Pr": "Professeur", "24/7": "vingt-quatre heures sur vingt-quatre",
        "24h/24": "vingt-quatre heures sur vingt-quatre",
        "7j/7": "sept jours sur sept", "nº": "numéro", "n°": "numéro", "N°": "numéro", "Mme": "Madame",
        "Mlle": "Mademoiselle",
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
        "g": _noun("gramme"), "mg": _noun("milligramme"), "Mo": _noun("mégaoctet"), "Go": _noun("gigaoctet"),
        "l": _noun("litre"), "L": _noun("litre"), "ml": _noun("millilitre"),
        "km/h": Noun("un kilomètre heure", "kilomètres heure"), "°": _noun("degré"),
        "°C": Noun("un degré Celsius", "degrés Celsius"), "m²": Noun("un mètre carré", "mètres carrés"),
        "h": Noun("une heure", "heures"), "min": Noun("une minute", "minutes"),
    },
    days={
        "lun": "lundi", "mar": "mardi", "mer": "mercredi", "jeu": "jeudi", "ven": "vendredi", "sam": "samedi",
        "dim": "dimanche",
    },
    flight_words=frozenset(("vol", "vols")),
    emergency_numbers=frozenset(("112", "114", "115", "119")),
    call_words=frozenset("appelez appeler composez composer faites urgence urgences numéro".split()),
    digit_words=frozenset("finissant terminant termine chiffres finit".split()),
    long_code_words=frozenset("commande dossier référence réservation compte facture suivi client contrat".split()),
    version_words=frozenset("version python java android ios windows".split()),
    rulers=frozenset(
        "Henri Louis Charles François Philippe Napoléon Georges Édouard Guillaume Jean Paul Pie Benoît Élisabeth"
        " Catherine Léopold Albert Baudouin Frédéric Nicolas Alexandre".split()
    ),
    queens=frozenset(("Élisabeth", "Catherine")),
    ruler_titles=frozenset("roi reine pape empereur impératrice tsar Roi Reine Pape".split()),
    roman_words=frozenset(("chapitre", "tome", "acte", "partie", "type", "phase", "mondiale")),
    town_words=frozenset(("à", "paix", "f")),
    abbreviated={
        "max.": "maximum", "env.": "environ", "tél.": "téléphone", "Tél.": "téléphone", "bd.": "boulevard",
        "Bd.": "boulevard", "av.": "avenue", "Av.": "avenue", "c.-à-d.": "c'est-à-dire", "M.": "Monsieur",
        "min.": "minimum", "apt.": "appartement", "appt.": "appartement", "pl.": "place", "ex.": "exemple",
    },
    pairs={"p ex": ("par", "exemple")},
    feminine=frozenset(
        "heure heures minute minutes seconde secondes semaine semaines personne personnes nuit nuits fois place"
        " places chambre chambres question questions année années journée page pages".split()
    ),
    versus="à",
    half="et demi",
    fractions={
        "1/2": "un demi", "1/3": "un tiers", "2/3": "deux tiers", "1/4": "un quart", "3/4": "trois quarts",
        "1/5": "un cinquième", "1/8": "un huitième",
    },
)  # fmt: skip


class French(Speaker):
    """Hours have an "h", the first of a month is an ordinal."""

    def say_special(self, core: str, before: str, after: str, tail: str) -> str | None:
        """ "10h30", "1er", "2e"."""
        if hours := _HOURS.fullmatch(core):
            ends = [self.say_special(end, "", "", "") for end in hours.groups()]
            return f"{ends[0]} à {ends[1]}" if all(ends) else None
        if core.isdecimal() and core[-1] == "1" and not core.endswith("11") and after in self.language.feminine:
            return self.numbers.feminine(int(core))
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
        said = "une heure" if hour == 1 else f"{self.numbers.feminine(hour)} {'heure' if hour == 0 else 'heures'}"
        return f"{said} {self.numbers.cardinal(minute)}" if minute else said

    def is_year(self, number: str, before: str) -> bool:
        """French years are said as other numbers are."""
        return False


SPEAKER = French(FRENCH)
