"""English."""

from __future__ import annotations

import re

from ringline.engine.conversation.phrasing.speaking import abbreviations
from ringline.engine.conversation.phrasing.speaking.language import Currency, Language, Noun
from ringline.engine.conversation.phrasing.speaking.speaker import Speaker

_ORDINAL = re.compile(r"(\d{1,9})(?:st|nd|rd|th)")
_DECADE = re.compile(r"(?:(mid|early|late)-)?'?((?:1[1-9]|20)?\d0)s")
_HOUR = re.compile(r"(\d{1,2})(?::(\d\d))?([ap])m", re.IGNORECASE)
_HOURS = re.compile(r"([\d:]+[ap]m)[-–]([\d:]+[ap]m)", re.IGNORECASE)
_MONTH_DAY = re.compile(r"(\d{1,2})/(\d{1,2})")
_HALF_RANGE = re.compile(r"([ap])\.m\.?[-–](\d{1,2})")
_COINS = re.compile(r"(\d{1,2})([c¢p])")
_BEFORE_DATES = frozenset("on by until till since before after due date".split())
_MEASURED = frozenset("cup teaspoon tablespoon mile inch pound ounce hour pint gallon".split())
_PAIRS = {"24/7": "twenty-four seven", "50/50": "fifty fifty", "9/11": "nine eleven"}
_HALF_DAYS = {
    "a.m": "A M",
    "am": "A M",
    "AM": "A M",
    "A.M": "A M",
    "p.m": "P M",
    "pm": "P M",
    "PM": "P M",
    "P.M": "P M",
}
_BEFORE_YEARS = frozenset(
    "in since year of by until till from before after during early late mid summer winter spring autumn fall"
    " between and q1 q2 q3 q4".split()
)
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def _noun(one: str, many: str) -> Noun:
    return Noun(f"one {one}", many)


def _plural(one: str) -> Noun:
    return _noun(one, one + "s")


_CENT = _plural("cent")
_DOLLAR = Currency(_plural("dollar"), _CENT)
_EURO = Currency(_plural("euro"), _CENT)
_POUND = Currency(_plural("pound"), _noun("penny", "pence"))

ENGLISH = Language(
    code="en",
    decimal=".",
    point="point",
    minus="minus",
    plus="plus",
    to="to",
    percent="percent",
    dot="dot",
    at="at",
    slash="slash",
    dash="dash",
    underscore="underscore",
    number="number",
    about="about",
    money_joint="and ",
    names_cents=True,
    signs={
        "&": "and", "+": "plus", "=": "equals", "%": "percent", "@": "at", "×": "times", "*": "times", "<": "less than",
        ">": "more than", "e.g.": "for example", "e.g.,": "for example,", "i.e.": "that is", "i.e.,": "that is,",
        "vs.": "versus", "approx.": "approximately", "w/": "with", "sq": "square", "P.O": "P O", "w/o": "without",
        "a.k.a.": "also known as",
        "±": "plus or minus", "≤": "at most", "≥": "at least", "≈": "about", "÷": "divided by", "§": "section",
        "Fig.": "figure", "etc.": "et cetera.", "etc": "et cetera", "incl.": "including", "dept.": "department",
        "Dept.": "Department", "min.": "minimum", "max.": "maximum", "est.": "estimated", "Inc.": "Incorporated",
        "Tel.": "telephone", "tel.": "telephone",
    },
    months=_MONTHS,
    month_abbreviations={month[:3]: month for month in _MONTHS} | {"Sept": "September"},
    abbreviations=abbreviations.KNOWN,
    day_first=False,
    code_words=frozenset("code pin otp passcode password extension ext zip postcode".split()),
    currencies={
        "$": _DOLLAR, "US$": _DOLLAR, "USD": _DOLLAR, "€": _EURO, "EUR": _EURO, "£": _POUND, "GBP": _POUND,
        "CA$": _DOLLAR, "A$": _DOLLAR, "CHF": Currency(_plural("franc"), _CENT), "¥": Currency(_noun("yen", "yen")),
        "₹": Currency(_plural("rupee"), _noun("paisa", "paise")),
    },
    units={
        "km": _plural("kilometer"), "m": _plural("meter"), "cm": _plural("centimeter"), "mm": _plural("millimeter"),
        "kg": _plural("kilogram"), "g": _plural("gram"), "mg": _plural("milligram"), "lb": _plural("pound"),
        "lbs": _plural("pound"), "oz": _plural("ounce"), "ft": _noun("foot", "feet"), "mi": _plural("mile"),
        "mph": _noun("mile per hour", "miles per hour"), "km/h": _noun("kilometer per hour", "kilometers per hour"),
        "l": _plural("liter"), "L": _plural("liter"), "ml": _plural("milliliter"), "kB": _plural("kilobyte"),
        "MB": _plural("megabyte"), "GB": _plural("gigabyte"), "TB": _plural("terabyte"), "Mbps": _plural("megabit"),
        "kW": _plural("kilowatt"), "kWh": _plural("kilowatt hour"), "W": _plural("watt"), "V": _plural("volt"),
        "Hz": _noun("hertz", "hertz"), "kHz": _noun("kilohertz", "kilohertz"), "GHz": _noun("gigahertz", "gigahertz"),
        "°": _plural("degree"), "°C": _noun("degree Celsius", "degrees Celsius"),
        "°F": _noun("degree Fahrenheit", "degrees Fahrenheit"), "min": _plural("minute"), "mins": _plural("minute"),
        "h": _plural("hour"), "hr": _plural("hour"), "hrs": _plural("hour"), "sec": _plural("second"),
        "secs": _plural("second"), "s": _plural("second"), "ms": _plural("millisecond"),
        "m²": _plural("square meter"), "sqm": _plural("square meter"), "ft²": _noun("square foot", "square feet"),
    },
    days={
        "Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday",
        "Thur": "Thursday", "Thurs": "Thursday", "Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday",
    },
    flight_words=frozenset(("flight", "flights")),
    emergency_numbers=frozenset("911 112 999 988 000 111 101 110 118 119".split()),
    call_words=frozenset("call calling dial dialing dialling ring emergency emergencies phone number".split()),
    digit_words=frozenset(("ending", "digits")),
    long_code_words=frozenset(
        "order tracking account reference confirmation booking reservation ticket invoice".split()
    ),
    version_words=frozenset("version release python java android ios node ubuntu windows build firmware v".split()),
    rulers=frozenset(
        "Henry Charles George Edward William James Richard John Louis Philip Francis Frederick Alexander Nicholas"
        " Peter Paul Benedict Pius Leo Gregory Clement Innocent Ivan Elizabeth Mary Catherine Margaret Ferdinand"
        " Joseph Otto Rudolf Leopold Albert Alfonso Felipe Napoleon Ramses Tutmose Christian Gustav Harald".split()
    ),
    ruler_titles=frozenset("King Queen Pope Emperor Prince Tsar Kaiser Pharaoh Empress".split()),
    roman_words=frozenset("war chapter part volume act scene type phase section book bowl rocky level class".split()),
    room_words=frozenset(("room", "suite", "apartment", "apt", "ste", "rm", "flat")),
    street_words=frozenset(
        "St Ave Rd Blvd Dr Ln Ct Pl Sq Hwy Pkwy Ter Street Avenue Road Boulevard Drive Lane Court Place Square"
        " Highway Parkway Terrace Way".split()
    ),
    versus="to",
    half="and a half",
    fractions={
        "1/2": "one half", "1/3": "one third", "2/3": "two thirds", "1/4": "one quarter", "3/4": "three quarters",
        "1/5": "one fifth", "1/8": "one eighth", "3/8": "three eighths", "5/8": "five eighths",
        "7/8": "seven eighths",
    },
)  # fmt: skip


class English(Speaker):
    """American where the two differ."""

    def say_abbreviation(self, core: str, tail: str, before: str, after: str, is_second: bool) -> str | None:
        """See `abbreviations.word_for`."""
        return abbreviations.word_for(core, tail, before, after, is_second)

    def say_special(self, core: str, before: str, after: str, tail: str) -> str | None:
        """Ordinals, decades, hours with am and pm, days beside a month, fractions."""
        if ordinal := _ORDINAL.fullmatch(core):
            return self.numbers.ordinal(int(ordinal[1]))
        if decade := _DECADE.fullmatch(core):
            year = self.numbers.year(int(decade[2]))
            years = re.sub(r"y$", "ies", year) if year.endswith("y") else year + "s"
            return f"{decade[1]} {years}" if decade[1] else years
        if (hour := _HOUR.fullmatch(core)) and int(hour[1]) <= 24 and int(hour[2] or 0) < 60:
            return f"{self.say_time(int(hour[1]), int(hour[2] or 0), 'am')} {hour[3].upper()} M"
        if (day := _MONTH_DAY.fullmatch(core)) and 1 <= int(day[1]) <= 12 < int(day[2]) <= 31:
            return self.say_day(int(day[2]), int(day[1]), None, before)
        if hours := _HOURS.fullmatch(core):
            ends = [self.say_special(end, "", "", "") for end in hours.groups()]
            return f"{ends[0]} to {ends[1]}" if all(ends) else None
        if core.isdecimal() and len(core) <= 2 and 1 <= int(core) <= 31:
            if self._is_month(before):
                return self.numbers.ordinal(int(core))
            if self._is_month(after) and not tail:
                the = "" if before.lower() == "the" else "the "
                return f"{the}{self.numbers.ordinal(int(core))} of"
        if core in self.language.fractions:
            if before.lower() in _BEFORE_DATES:
                return self.say_day(int(core[-1]), int(core[0]), None, before)
            of = " of a" if after in _MEASURED else ""
            return self.language.fractions[core] + of
        if half := _HALF_RANGE.fullmatch(core):
            return f"{half[1].upper()} M to {self.numbers.cardinal(int(half[2]))}"
        if coins := _COINS.fullmatch(core):
            return self.amounts.count(int(coins[1]), "", (_DOLLAR if coins[2] in "c¢" else _POUND).cent or _CENT)
        return _PAIRS.get(core)

    def say_behind_number(self, core: str, before: str) -> str | None:
        """Units, currencies, and the halves of the day."""
        if core in _HALF_DAYS and before[-1:].isdigit():
            return _HALF_DAYS[core]
        if core in ("thousand", "million", "billion", "trillion") and before[:1] in self.language.currencies:
            return f"{core} {self.language.currencies[before[0]].unit.many}"
        return super().say_behind_number(core, before)

    def say_day(self, day: int, month: int, year: int | None, before: str) -> str:
        """``November twenty-fourth, twenty twenty-six``"""
        said = f"{self.language.months[month - 1]} {self.numbers.ordinal(day)}"
        return f"{said}, {self.numbers.year(year)}" if year else said

    def say_time(self, hour: int, minute: int, after: str) -> str:
        """``ten thirty``; full hours say that they are times unless am or pm follows."""
        if minute:
            return f"{self.numbers.cardinal(hour)} {'oh ' if minute < 10 else ''}{self.numbers.cardinal(minute)}"
        if after in _HALF_DAYS or after == "o'clock":
            return self.numbers.cardinal(hour)
        if hour in (0, 24):
            return "midnight"
        return f"{self.numbers.cardinal(hour)} {'hundred' if hour > 12 else 'o’clock'}"

    def is_year(self, number: str, before: str) -> bool:
        """Behind a month, a day, or a word such as "since"."""
        return (
            before.lower() in _BEFORE_YEARS
            or self._is_month(before)
            or re.fullmatch(r"\d{1,2}(?:st|nd|rd|th)?", before) is not None
        )

    def _is_month(self, word: str) -> bool:
        return word in self.language.months or word in self.language.month_abbreviations


SPEAKER = English(ENGLISH)
