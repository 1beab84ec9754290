"""Patterns of numbers and signs, in any language that has a module here. What is unclear stays as it is written."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ringline.engine.conversation.phrasing.speaking import digits
from ringline.engine.conversation.phrasing.speaking.addresses import address
from ringline.engine.conversation.phrasing.speaking.amounts import Amounts
from ringline.engine.conversation.phrasing.speaking.language import Language, Noun
from ringline.engine.conversation.phrasing.speaking.neighbours import said_by_neighbours
from ringline.engine.conversation.phrasing.speaking.numbers import MAX_NUMBER
from ringline.engine.conversation.phrasing.speaking.signs import fraction, score, signs, with_whole

_NEEDS_WORDS = re.compile(r"[\d@&%€$£¥₹+=°×÷±≤≥≈§©*/_~\\½⅓⅔¼¾⅕⅛⅜⅝⅞#¢]|\w\.\w")
_PARTS = re.compile(r"([(\"'“‘«¿¡„‚]*)(.*?)([)\"'”’»“.,;:!?…—–]*)", re.DOTALL)
_AMOUNT = r"\d+(?:[.,'’]\d{3})*(?:[.,]\d+)?"
_SIGNED = re.compile(rf"([+−~≈-]?)({_AMOUNT})(\+?)")
_MONEY_BEFORE = re.compile(rf"(-?)([A-Z]{{0,3}}[$€£¥₹])({_AMOUNT})([kKmM]|bn|B)?(?:[-–][$€£¥₹]?({_AMOUNT}))?")
_MONEY_BEHIND = re.compile(rf"(-?)({_AMOUNT})([$€£¥₹])")
_PERCENT = re.compile(rf"([+−~≈-]?)({_AMOUNT})%")
_RANGE = re.compile(r"(\d[\d:.,]*)[-–](\d[\d:.,]*)(%?)")
_UNIT = re.compile(rf"([+−~≈-]?)({_AMOUNT})(°[CF]?|[a-zA-Zµ]+[²³]?(?:/h)?)")
_VERSION = re.compile(r"(v?)(\d+(?:\.\d+){2,})")
_ISO_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}:\d{2})(?::\d{2})?Z?)?")
_SHORT_DATE = re.compile(r"(\d{1,2})([/.])(\d{1,2})\2(\d{4}|\d{2})")
_TIME = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)(?::[0-5]\d)?")
_YEAR = re.compile(r"1[1-9]\d\d|20\d\d")
_DAYS = re.compile(r"([^\W\d]{2,5})\.?[-–]([^\W\d]{2,5})")
_HOUR = re.compile(r"\d{1,2}(?::?\d\d)?(?:[ap]m|h\d{0,2})?|\d{1,2}(?::\d\d)?[ap]?m?[-–].*")
_BEFORE_DAYS = frozenset("le du au el del al am vom zum".split())
_DAY_MONTH = re.compile(r"(\d{1,2})/(\d{1,2})")
_PER = re.compile(r"(.+)/([^\W\d_]{3,})")
_PER_WORDS = {"en": "per", "de": "pro", "fr": "par", "es": "por"}
_VERSION_WORDS = {"en": "version", "de": "Version", "fr": "version", "es": "versión"}
_MANY = frozenset("Mio Mrd Millionen Milliarden millions milliards millones".split())
_OPENING = frozenset("open hours from daily weekdays weekends monday tuesday wednesday thursday friday".split())
_SCALE_WORDS = {"k": "thousand", "K": "thousand", "m": "million", "M": "million", "bn": "billion", "B": "billion"}
_SCALES = {"k": 1_000, "K": 1_000, "m": 10**6, "M": 10**6, "bn": 10**9, "B": 10**9}


class Speaker:
    """Says words in one language. Languages override what they say differently."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.amounts = Amounts(language)
        self.numbers = self.amounts.numbers

    def speak(self, words: Sequence[str]) -> list[str]:
        """See `ringline.engine.conversation.phrasing.speaking.Speak`."""
        spoken = list(words)
        cores = [_split(word)[1] for word in words]
        by_neighbours = said_by_neighbours(words, cores, self.language, self.numbers)
        num_phone_words = 0
        for index, word in enumerate(words):
            if (said := by_neighbours.get(index)) is not None:
                lead, _, tail = _split(word)
                is_inside = index + 1 < len(words) and tail.startswith(".")
                spoken[index] = lead + said + (tail[1:] if is_inside else tail)
                num_phone_words = 0
                continue
            if num_phone_words or word[-1:].isdigit() or word[0] in "+(0123456789":
                num_phone_words = num_phone_words or digits.num_phone_words(
                    list(words[index : index + digits.MAX_PHONE_WORDS])
                )
            if num_phone_words:
                num_phone_words -= 1
                tail = word[len(word.rstrip(".,;:!?…\"'”’")) :] or ("," if num_phone_words else "")
                spoken[index] = digits.phone(word, self.language, self.numbers) + tail
            elif self._may_need_words(word, words[index - 1] if index else ""):
                spoken[index] = self._say_word(word, cores, index)
        return spoken

    def _may_need_words(self, word: str, before: str) -> bool:
        return (
            _NEEDS_WORDS.search(word) is not None
            or word in self.language.signs
            or (before[-1:].isdigit() or before[-1:] in tuple("$€£"))
            or word.rstrip(".,;:!?") in self.language.signs
            or word.rstrip(".") in self.language.month_abbreviations
            or _split(word)[1] in self.language.abbreviations
            or _split(word)[1] in self.language.days
            or (word in ("x", "/") and before[-1:].isdigit())
            or _DAYS.match(word) is not None
            or (self.language.code == "de" and "str." in word)
            or word.lstrip("(").rstrip(",;:)") in self.language.abbreviated
        )

    def _say_word(self, word: str, cores: list[str], index: int) -> str:
        if sign := self.language.signs.get(word):
            return sign
        lead, core, tail = _split(word)
        before = cores[index - 1] if index else ""
        after = cores[index + 1] if index + 1 < len(cores) else ""
        if (
            word in ("-", "–")
            and (before[-1:].isdecimal() or before in ("AM", "PM", "am", "pm"))
            and after[:1].isdecimal()
        ):
            return self.language.to
        if not core:
            return word
        if word in ("x", "/") and before.isdecimal() and after.isdecimal():
            return self.language.signs["×" if word == "x" else "÷"]
        if tail.startswith('"') and (height := signs(core, self.language, self.numbers)) and "'" in core:
            return lead + height + tail[1:]
        if said := self._say_days(core, tail, before, after) or self._say_abbreviated(word, lead, core, tail):
            return lead + said + (tail[1:] if after and tail.startswith(".") else tail)
        if abbreviated := self.say_abbreviation(core, tail, before, after, index == 1):
            return lead + abbreviated + (tail[1:] if after and tail.startswith(".") else tail)
        said = self.say(core, before, after, tail)
        if said != core and after and tail.startswith(".") and not (core[0].isalpha() and after[0].isupper()):
            tail = tail[1:]  # inside a phrase, it makes an abbreviation or an ordinal; "p.m. Then" may be an end
        return lead + said + tail

    def say(self, core: str, before: str, after: str, tail: str) -> str:
        """One word without its punctuation ``tail``, and its neighbours."""
        if said := self.language.signs.get(core) or self.say_behind_number(core, before):
            return said
        if said := fraction(core, self.language, self.numbers) or signs(core, self.language, self.numbers):
            return said
        if not any(char.isdecimal() and char.isascii() for char in core):
            month = (
                self.language.month_abbreviations.get(core) if after[:1].isdigit() or before[-1:].isdigit() else None
            )
            return month or address(core, self.language, self.numbers) or self._say_letters(core)
        return (
            self._say_version_number(core, before)
            or self._say_fraction(core, before)
            or self.say_special(core, before, after, tail)
            or address(core, self.language, self.numbers)
            or self._say_date(core, before)
            or self._say_time(core, after)
            or self._say_money(core, after)
            or self._say_range(core, before, after)
            or score(core, self.language, self.numbers)
            or self._say_measure(core)
            or self._say_version(core)
            or digits.code(core, self.language, self.numbers)
            or self._say_number(core, before, after)
            or self._say_rest(core)
        )

    # --- what languages say differently ---------------------------------------------------------------------------

    def say_abbreviation(self, core: str, tail: str, before: str, after: str, is_second: bool) -> str | None:
        """An abbreviation whose word the neighbours decide; ``is_second``: only one word stands before it."""
        return None

    def say_special(self, core: str, before: str, after: str, tail: str) -> str | None:
        """Patterns of this language only."""
        return None

    def say_behind_number(self, core: str, before: str) -> str | None:
        """A word that changes behind a number: a unit, a currency."""
        if core in self.language.currencies and before in _MANY:
            return self.language.currencies[core].unit.many
        before = before.replace("–", "-").rpartition("-")[2] if before[:1].isdecimal() else before
        if (amount := self.amounts.parse(before.lstrip("+-~−"))) is None:
            return None
        noun = self.language.units.get(core)
        if core in self.language.currencies:
            return self.amounts.currency_behind(self.language.currencies[core], *amount)
        if noun is None:
            return None
        return noun.one.partition(" ")[2] if amount == (1, "") else noun.many

    def say_day(self, day: int, month: int, year: int | None, before: str) -> str:
        """A date."""
        raise NotImplementedError

    def say_time(self, hour: int, minute: int, after: str) -> str:
        """A time of day."""
        raise NotImplementedError

    def is_year(self, number: str, before: str) -> bool:
        """Whether four digits are a year."""
        return before in self.language.months

    # --- what the tables of a language decide ---------------------------------------------------------------------

    def _say_abbreviated(self, word: str, lead: str, core: str, tail: str) -> str | None:
        if self.language.code == "de" and tail.startswith(".") and re.fullmatch(r"\w{3,}str", core):
            return core[:-3] + "straße"
        if not tail.startswith(".") and core not in self.language.abbreviated:
            return None
        said = self.language.abbreviated.get(word[len(lead) :].rstrip(",;:)"))
        # "Min." and "Std." behind a number are units, which know their singular.
        return said if said and core not in self.language.units else None

    def _say_days(self, core: str, tail: str, before: str, after: str) -> str | None:
        """ "Mon-Fri", "Sat 10-4": a day's abbreviation beside a number or another day."""
        days = self.language.days
        if (ends := _DAYS.fullmatch(core)) and ends[1] in days and ends[2] in days:
            return f"{days[ends[1]]} {self.language.to} {days[ends[2]]}"
        if core in days and len(core) == 2 and not tail and after.isdecimal():
            return None  # "So 3 Tage"
        beside = {before, after} - {""}
        is_beside = any(word in days or word in self.language.months or _HOUR.fullmatch(word) for word in beside)
        if core in days and len(core) == 2 and {before, after} & {"bis", "-", "–"}:
            return days[core]
        links = ("-", "–", "to", "bis", "à", "a", "and", "und", "et", "y", "&")
        is_linked = before in links or after in links
        return days[core] if core in days and (is_beside or (is_linked and len(core) > 2)) else None

    def _say_version_number(self, core: str, before: str) -> str | None:
        is_version = before.lower() in self.language.version_words or re.match(r"v\d", core)
        if not is_version or not re.fullmatch(r"v?\d{1,4}(?:\.\d{1,4})+", core):
            return None
        parts = [self.numbers.cardinal(int(part)) for part in core.lstrip("v").split(".")]
        said = f" {self.language.dot_in_version} ".join(parts)
        return (
            f"{_VERSION_WORDS[self.language.code]} {said}"
            if core[0] == "v" and before.lower() not in self.language.version_words
            else said
        )

    def _say_fraction(self, core: str, before: str) -> str | None:
        day = _DAY_MONTH.fullmatch(core) if self.language.day_first and before.lower() in _BEFORE_DAYS else None
        if day and 1 <= int(day[1]) <= 31 and 1 <= int(day[2]) <= 12:
            return self.say_day(int(day[1]), int(day[2]), None, before)
        if (per := _PER.fullmatch(core)) and (said := self._say_money(per[1], "")):
            return f"{said} {_PER_WORDS[self.language.code]} {per[2]}"
        if core not in self.language.fractions:
            return None
        if before.isdecimal():
            return with_whole(core, self.language)
        return None if self.language.code == "en" else self.language.fractions[core]

    def _say_rest(self, core: str) -> str:
        """Digits among signs and letters that no rule knows: each is said, and none left to chance."""
        core = self._say_letters(core)
        if re.search(r"[0-9]", core) is None:
            return core
        return (
            " ".join(self._say_run(run) for run in re.findall(r"\d+|[^\W\d_]+|[^\w\s]", core) if self._say_run(run))
            or core
        )

    def _say_run(self, run: str) -> str:
        if run.isdecimal() and run.isascii():
            short = len(run) <= 2 and (run[0] != "0" or run == "0")
            return self.numbers.cardinal(int(run)) if short else self.numbers.digits(run[:50])
        signs_between = {"/": self.language.slash, ".": self.language.dot, "-": "", ":": "", ",": self.language.point}
        if run in self.language.currencies:
            return self.language.currencies[run].unit.many
        return signs_between.get(run, self.language.signs.get(run, run if run.isalnum() else ""))

    # --- patterns -------------------------------------------------------------------------------------------------

    def _say_letters(self, core: str) -> str:
        """Signs between letters separate words."""
        return re.sub(r"(?<=[^\W\d_])[/_\\](?=[^\W\d_])", " ", core)

    def _say_date(self, core: str, before: str) -> str | None:
        year: str | None
        if iso := _ISO_DATE.fullmatch(core):
            year, month, day = iso[1], int(iso[2]), int(iso[3])
        elif short := _SHORT_DATE.fullmatch(core):
            first, second, year = int(short[1]), int(short[3]), short[4]
            day, month = (first, second) if self.language.day_first or first > 12 else (second, first)
            year = year if len(year) == 4 else f"20{year}"
        else:
            return None
        if not (1 <= month <= 12 and 1 <= day <= 31):
            return None
        said = self.say_day(day, month, int(year), before)
        return f"{said}, {self._say_time(iso[4], '')}" if iso and iso[4] else said

    def _say_time(self, core: str, after: str) -> str | None:
        time = _TIME.fullmatch(core)
        return self.say_time(int(time[1]), int(time[2]), after) if time else None

    def _say_money(self, core: str, after: str) -> str | None:
        if money := _MONEY_BEFORE.fullmatch(core):
            sign, symbol, text, scale, upper = money.groups()
        elif money := _MONEY_BEHIND.fullmatch(core):
            (sign, text, symbol), scale, upper = money.groups(), None, None
        else:
            return None
        currency = self.language.currencies.get(symbol)
        amount = self.amounts.parse(text)
        if currency is None or amount is None:
            return None
        minus = f"{self.language.minus} " if sign else ""
        if after in ("hundred", "thousand", "million", "billion", "trillion"):
            return minus + self.amounts.say(*amount)
        if upper and (most := self.amounts.parse(upper)) is not None:
            return f"{minus}{self.amounts.say(*amount)} {self.language.to} {self.amounts.money(*most, currency)}"
        if scale:
            scaled = int(f"{amount[0]}{amount[1]}") * _SCALES[scale]
            if amount[1] and self.language.code == "en":
                return f"{minus}{self.amounts.say(*amount)} {_SCALE_WORDS[scale]} {currency.unit.many}"
            amount = scaled // 10 ** len(amount[1]), ""
        return minus + self.amounts.money(*amount, currency) if amount[0] < MAX_NUMBER else None

    def _say_range(self, core: str, before: str, after: str) -> str | None:
        found = _RANGE.fullmatch(core)
        if found is None:
            return None
        low, high = self.amounts.parse(found[1]), self.amounts.parse(found[2])
        ends: list[str | None]
        if low is not None and high is not None:
            if found[1] == "0" or found[1][0] != "0" != found[2][0]:
                is_years = _YEAR.fullmatch(found[1]) and (_YEAR.fullmatch(found[2]) or len(found[2]) == 2)
                say = self.numbers.year if is_years else self.numbers.cardinal
                is_hours = before in self.language.days or _DAYS.fullmatch(before) or before.lower() in _OPENING
                if not is_years and low >= high and not (is_hours and max(low[0], high[0]) <= 24):
                    return None  # a score, or a name
                ends = [self.amounts.say(*end) if end[1] else say(end[0]) for end in (low, high)]
            else:
                return None
        else:
            ends = [self._say_time(found[1], ""), self._say_time(found[2], after)]
        if not all(ends):
            return None
        return f"{ends[0]} {self.language.to} {ends[1]}" + (f" {self.language.percent}" if found[3] else "")

    def _say_measure(self, core: str) -> str | None:
        if percent := _PERCENT.fullmatch(core):
            said = self._say_signed(percent[1], percent[2])
            return f"{said} {self.language.percent}" if said else None
        unit = _UNIT.fullmatch(core)
        if unit is None or (noun := self.language.units.get(unit[3])) is None:
            return None
        amount = self.amounts.parse(unit[2])
        return self.amounts.sign(unit[1]) + self.amounts.count(*amount, noun) if amount else None

    def _say_version(self, core: str) -> str | None:
        version = _VERSION.fullmatch(core)
        if version is None or max(map(len, version[2].split("."))) > 5 or re.fullmatch(r"\d{1,3}(\.\d{3})+", core):
            return None
        return f" {self.language.dot_in_version} ".join(
            self.numbers.cardinal(int(part)) for part in version[2].split(".")
        )

    def _say_number(self, core: str, before: str, after: str) -> str | None:
        if core.isdecimal() and core.isascii():
            if before.lower() in self.language.code_words or (len(core) > 1 and core[0] == "0"):
                return self.numbers.digits(core[:50])
            if len(core) >= 7 and not core.endswith("000"):
                return digits.phone(core[:50], self.language, self.numbers)
            if _YEAR.fullmatch(core) and self.is_year(core, before):
                return self.numbers.year(int(core))
            if core == "1" and after in self.language.feminine:
                return "eine" if self.language.code == "de" else "une" if self.language.code == "fr" else "una"
            if core == "1" and (noun := self.language.units.get(after) or self._currency_noun(after)):
                return noun.one.partition(" ")[0]
        if core[0] == "#" and core[1:].isdecimal():
            is_long = len(core) > 5 or core[1] == "0"
            number = self.numbers.digits(core[1:50]) if is_long else self.numbers.cardinal(int(core[1:]))
            return f"{self.language.number} {number}"
        signed = _SIGNED.fullmatch(core)
        if signed is None:
            return None
        amount = self.amounts.parse(signed[2])
        currency = self.language.currencies.get(after)
        if amount is not None and len(amount[1]) == 2 and currency and currency.cent:
            return self.amounts.sign(signed[1]) + self.amounts.before_currency(currency, *amount)
        if amount is not None and not amount[1] and (after in self.language.units or after in self.language.currencies):
            return self.amounts.sign(signed[1]) + self.numbers.masculine(amount[0])
        said = self._say_signed(signed[1], signed[2])
        return f"{said} {self.language.plus}" if said and signed[3] else said

    def _currency_noun(self, core: str) -> Noun | None:
        currency = self.language.currencies.get(core)
        return currency.unit if currency else None

    def _say_signed(self, sign: str, text: str) -> str | None:
        amount = self.amounts.parse(text)
        return self.amounts.sign(sign) + self.amounts.say(*amount) if amount else None


def _split(word: str) -> tuple[str, str, str]:
    """A word's punctuation before it, itself, and its punctuation behind it."""
    parts = _PARTS.fullmatch(word)
    assert parts is not None
    return parts[1], parts[2], parts[3]
