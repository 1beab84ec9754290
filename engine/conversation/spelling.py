"""Recognisers' spelling -> the lower-case words that grammars and patterns are made of.

One recogniser writes ``ten thirty``, another ``10:30``, ``10.30`` or ``1030``. What the digits stand for only the one
who waits for the answer can tell: `readings` has every way to say them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from ringline.engine.conversation.number_words import (
    CARDINALS,
    MAX_CARDINAL,
    cardinal,
    digit_by_digit,
    minutes,
    ordinal,
)

HESITATIONS = frozenset({"um", "uh", "uhm", "er", "erm", "hm", "hmm", "mm"})
"""Sounds of somebody who looks for words."""
FILLERS = HESITATIONS | {"please", "just", "sil"}
"""Words that change nothing wherever they stand."""

_CONTRACTIONS = {
    "can't": "cannot", "won't": "will not", "let's": "let us", "pm": "p m", "ok": "okay",
    "gonna": "going to", "wanna": "want to", "doctor's": "doctor", "dr": "doctor", "tmrw": "tomorrow",
    "tue": "tuesday", "tues": "tuesday", "weds": "wednesday",
    "thu": "thursday", "thur": "thursday", "thurs": "thursday", "fri": "friday",
    "jan": "january", "feb": "february", "apr": "april", "jun": "june", "jul": "july", "aug": "august",
    "sep": "september", "sept": "september", "oct": "october", "nov": "november", "dec": "december",
}  # fmt: skip
_ENDINGS = (("n't", "not"), ("'d", "would"), ("'ll", "will"), ("'m", "am"), ("'re", "are"), ("'ve", "have"))
_IS = frozenset({"it's", "that's", "what's", "where's", "who's", "there's", "here's", "when's", "he's", "she's"})

_DAYS = {"mon": "monday", "wed": "wednesday", "sat": "saturday", "sun": "sunday"}
"""Words of their own, but for the place where a day stands."""
_DAY = re.compile(
    r"(?P<lead>\b(?:next|this|coming|on|for|by|until|till)\s+)(?P<day>mon|wed|sat|sun)\b\.?"
    r"|^\s*(?P<alone>mon|wed|sat|sun)(?:\.|\s*$)"
)
_MONTH = re.compile(
    r"\b(?:january|february|march|april|may|june|july|august|september|october|november|december"
    r"|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b"
)
_DAY_BEFORE_YEAR = re.compile(rf"({_MONTH.pattern}\.?\s+[1-9][0-9]?)(?=,?\s+(?:19|20)[0-9]{{2}}\b)")
"""Read as a mere number, the day would run into the year: twenty, two zero two six."""
_CURRENCIES = {"$": ("dollar", "cent"), "\u00a3": ("pound", "penny"), "\u20ac": ("euro", "cent")}
_PLURALS = {"penny": "pence"}

_NOT_JOINED = re.compile(r"(?<![0-9])[2-9]0(?=[\s,-]+[1-9](?:[0-9]{2})?(?![0-9]))")
"""Nobody writes 20 5 for 25, nor 20 500 for what begins with 25."""

_IN_ROW = re.compile(
    r"(?<![0-9])[1-9][0-9]+0(?=(?:[\s,.-]+(?:[0-9]|(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
    r"|\w+teen|\w+ty)\b)))"
)
"""Digits in groups: 100 23 is one hundred and twenty-three to nobody but a reader of whole numbers."""
_ONES = "one|two|three|four|five|six|seven|eight|nine"
_MIXED = re.compile(
    rf"(?<![0-9])[2-9]0(?=[\s,.-]+(?:{_ONES})\b)"
    r"|\b(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand)(?=[\s,.-]+[0-9])"
)
"""``twenty 5`` and ``20 five`` are one number or two, which a code must know."""
UNCLEAR = "unclear"
"""Stands in readings for codes where one number may go on, or the next begin."""

_REPEATED = re.compile(r"\b(double|triple|treble)\s+([0-9])(?=\2)")
"""``double 77``: two of them, or three?"""

_CAPITALS = r"(?!(?:AM|PM|AD|BC|OK)\b)[A-Z]"
_GLUED = re.compile(
    rf"\b(?=[A-Z]*[0-9])(?![0-9]+(?:AM|PM)\b)(?=[0-9]*[A-Z])[A-Z0-9]{{2,12}}\b"
    rf"|\b{_CAPITALS}{{2,3}}(?=[ -][0-9])|(?<=[0-9][ -]){_CAPITALS}{{2,3}}\b"
    r"|\b[A-Z]{2,6}(?=-[A-Z]\b)|(?<=\b[A-Z]-)[A-Z]{2,6}\b"
)
"""Codes as recognisers write them: AB12C, AB 12, 12 AB, SM-I-T-H."""
_ADDRESS_SIGNS = {"@": " at ", ".": " dot ", "_": " underscore ", "-": " hyphen ", "+": " plus "}

MAX_CHARACTERS = 2_000
"""Of a transcript; what lies behind is not read."""


def normalise(text: str) -> tuple[str, ...]:
    """The words of a transcript: lower case, numerals and contractions written out, fillers left out.

    Numerals of up to two digits are read as a number, longer ones digit by digit.
    """
    text = _prepared(text)
    return _words(_with_numerals(text, _plain)) if _has_digits(text) else _words(text)


def readings(text: str, times: bool = True) -> tuple[tuple[str, ...], ...]:
    """All ways to read a transcript aloud, each as `normalise` has it, the likeliest first; one where it has no digits.

    ``1030`` is ``one zero three zero``, ``ten thirty`` or ``one thousand thirty``; ``24`` ``twenty four`` or ``two
    four``. Without ``times`` none is a time: they leave zeros out, which digits of a code are.
    """
    text = _prepared(text)
    if not _has_digits(text):
        return (_words(text),)
    if not times:
        text = _MIXED.sub(rf"\g<0> {UNCLEAR} ", text)
        ways = (_plain, digit_by_digit, _whole)
        return tuple(dict.fromkeys(_words(_with_numerals(text, read, times)) for read in ways))
    # The year behind a month is no time of day.
    clock = _plain if _MONTH.search(text) and re.search(r"\b(?:19|20)[0-9]{2}\b", text) else _clock_digits
    return tuple(dict.fromkeys(_words(_with_numerals(text, read)) for read in (_plain, clock, digit_by_digit, _whole)))


def spelled_out(text: str) -> tuple[str, ...]:
    """The words of a transcript as those of an e-mail address must be read: no abbreviation written out, digits one by
    one, signs by their names."""
    text = unicodedata.normalize("NFKC", text[:MAX_CHARACTERS]).replace("\u2019", "'").lower()
    text = re.sub(r"\S*@\S*", _address, text)
    text = re.sub(r"(?<=[a-z0-9])\.(?=[a-z]{2})", " dot ", text).replace("_", " underscore ")
    text = _REPEATED.sub(r"\1 \1 \2", re.sub(r"(?<=[a-z]{2})(?<!ty)-(?=[a-z]{2})", " hyphen ", text))
    return tuple(
        re.findall(r"[a-z]+(?:'[a-z]+)*", re.sub("[0-9]", lambda digit: f" {digit_by_digit(digit[0])} ", text))
    )


# --- numerals -----------------------------------------------------------------------------------------------------


def _plain(digits: str) -> str:
    is_number = len(digits) == 1 or (len(digits) == 2 and digits[0] != "0")
    return cardinal(int(digits)) if is_number else digit_by_digit(digits)


def _clock_digits(digits: str) -> str:
    """``1030`` as a time."""
    if len(digits) in (3, 4):
        hour, minute = int(digits[:-2]), int(digits[-2:])
        if hour < 24 and minute < 60 and (hour or len(digits) == 4):
            return f"{cardinal(hour)} {minutes(minute)}"
    return _plain(digits)


def _whole(digits: str) -> str:
    """``150`` as an amount."""
    return cardinal(int(digits)) if digits[0] != "0" and int(digits) <= MAX_CARDINAL else digit_by_digit(digits)


def _with_numerals(text: str, read: Callable[[str], str], times: bool = True) -> str:
    """The text with all its numerals written out, those that stand for themselves alone by ``read``."""
    by_digits = read is digit_by_digit

    def number(match: re.Match[str]) -> str:
        digits = match[0].replace(",", "")
        return f" {read(digits) if by_digits else _whole(digits)} "

    def clock(match: re.Match[str]) -> str:
        hour, minute = match[1], match[2]
        if by_digits or not times:
            return f" {digit_by_digit(hour + minute)} "
        said = minutes(int(minute)) if int(minute) < 60 else cardinal(int(minute))
        return f" {cardinal(int(hour))} {said} "

    def decimal(match: re.Match[str]) -> str:
        return f" {cardinal(int(match[1]))} point {digit_by_digit(match[2])} "

    text = re.sub(r"(?<![0-9,.])[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])", number, text)
    text = re.sub(r"(?<![0-9.:])([0-9]{1,2})[:.h]([0-9]{2})(?![.:]?[0-9])", clock, text)
    text = re.sub(r"(?<![0-9.])([0-9]{1,2})\.([0-9]+)(?![.:]?[0-9])", decimal, text)
    text = re.sub(r"(?<![0-9])([1-9][0-9]?)(?:st|nd|rd|th)\b", lambda match: f" {ordinal(int(match[1]))} ", text)
    text = _IN_ROW.sub(lambda match: f" {digit_by_digit(match[0])} ", text)
    text = _NOT_JOINED.sub(lambda match: f" {digit_by_digit(match[0])} ", text)
    return re.sub(r"[0-9]+", lambda match: f" {read(match[0])} ", text)


def _money(match: re.Match[str]) -> str:
    one, hundredth = _CURRENCIES[match[1]]
    amounts = [f"{match[2]} {one if match[2] == '1' else one + 's'}"]
    if match[3]:
        count = int(match[3])
        amounts.append(f"{count} {hundredth if count == 1 else _PLURALS.get(hundredth, hundredth + 's')}")
    return f" {' and '.join(amounts)} "


# --- words --------------------------------------------------------------------------------------------------------


def _has_digits(text: str) -> bool:
    return re.search("[0-9]", text) is not None


def _prepared(text: str) -> str:
    """Lower case, with signs and those abbreviations written out that depend on what is beside them."""
    text = unicodedata.normalize("NFKC", text[:MAX_CHARACTERS]).replace("\u2019", "'")
    text = _GLUED.sub(lambda match: " ".join(re.findall("[A-Z]|[0-9]+", match[0])), text).lower()
    text = re.sub(r"\bo(?:'\s?|\s)?clock\b", "o'clock", text)
    text = re.sub(r"\b([ap])\.\s?m\b\.?", r" \1 m ", text)
    text = re.sub(r"([0-9])\s*([ap])m\b", r"\1 \2 m ", text)
    text = re.sub(r"(?:(?<=[a-z] )\bno\.\s*|#)(?=[0-9])(?!\S*[0-9]\s*[ap]\b|[0-9]+:)", "number ", text)
    text = re.sub(r"\bmar\b\.?(?=\s[0-9])|(?<=[0-9]\s)mar\b", "march", text)
    text = _DAY_BEFORE_YEAR.sub(r"\1th", text)
    text = _DAY.sub(lambda match: f"{match['lead'] or ''}{_DAYS[match['day'] or match['alone']]} ", text)
    text = re.sub(r"([$\u00a3\u20ac])\s?([0-9]+(?:,[0-9]{3})*)(?:\.([0-9]{2}))?(?![0-9])", _money, text)
    text = _REPEATED.sub(r"\1 \1 \2", text)
    return re.sub(r"(?<=[0-9])\s?%", " percent ", text)


def _address(match: re.Match[str]) -> str:
    """``anna.schmidt@example.com`` as it is said."""
    return re.sub(r"[@._+-]", lambda sign: _ADDRESS_SIGNS[sign[0]], match[0].strip(".,;:!?\"'<>()"))


def _words(text: str) -> tuple[str, ...]:
    words: list[str] = []
    for spoken in re.findall(r"[a-z]+(?:'[a-z]+)*", text):
        words.extend(_expand(spoken, words[-1] if words else ""))
    return tuple(words)


def _expand(spoken: str, before: str) -> list[str]:
    if spoken in FILLERS:
        return []
    if spoken == "am" and (before in CARDINALS or before == "o'clock"):
        return ["a", "m"]
    if spoken in _CONTRACTIONS:
        return _CONTRACTIONS[spoken].split()
    if spoken in _IS:
        return [spoken[:-2], "is"]
    for ending, whole in _ENDINGS:
        if spoken.endswith(ending) and len(spoken) > len(ending):
            return [spoken[: -len(ending)], whole]
    return [spoken]
