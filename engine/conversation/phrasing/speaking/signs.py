"""Signs between and beside numbers and letters: fractions, heights, scores, sums, ``AT&T``, ``C#``."""

from __future__ import annotations

import re

from ringline.engine.conversation.phrasing.speaking.language import Language
from ringline.engine.conversation.phrasing.speaking.numbers import Numbers

_VULGAR = {"½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8",
           "⅞": "7/8"}  # fmt: skip
_MIXED = re.compile(rf"(\d{{1,4}})?\s?([{''.join(_VULGAR)}])")
_HEIGHT = re.compile(r"(\d{1,2})['′’](?:(\d{1,2})(?:[\"″”]|'')?)?")
_SCORE = re.compile(r"(\d{1,2})([-–:])(\d{1,2})")
_DASHED = re.compile(r"\d+(?:[-–]\d+){2,}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_HANDLE = re.compile(r"@(\w+)")
_LETTER_NUMBER = re.compile(r"([A-Z])(\d{1,2})|(\d{1,2})([A-Z])")
_JOINED = re.compile(r"([A-Z]{1,3})&([A-Z]{1,3})")
_LETTER_SIGNS = {"C#": "C sharp", "F#": "F sharp", "C++": "C plus plus"}
_MAX_DASHED_DIGITS = 40


def fraction(core: str, language: Language, numbers: Numbers) -> str | None:
    """``½`` and ``1½``."""
    mixed = _MIXED.fullmatch(core)
    if mixed and mixed[1] and language.code == "de" and mixed[2] == "½":
        return numbers.masculine(int(mixed[1])) + language.half  # "eineinhalb"
    if mixed is None or (said := language.fractions.get(_VULGAR[mixed[2]])) is None:
        return None
    return f"{numbers.cardinal(int(mixed[1]))} {with_whole(_VULGAR[mixed[2]], language)}" if mixed[1] else said


def with_whole(written: str, language: Language) -> str:
    """``1/2`` behind a whole number: ``and a half``."""
    if written == "1/2":
        return language.half
    joint = {"en": "and ", "de": "", "fr": "et ", "es": "y "}[language.code]
    return joint + language.fractions[written]


def signs(core: str, language: Language, numbers: Numbers) -> str | None:
    """What no other rule knows; None for a word without such signs."""
    if said := _LETTER_SIGNS.get(core):
        return said
    if handle := _HANDLE.fullmatch(core):
        return f"{language.at} {handle[1]}"
    short = _LETTER_NUMBER.fullmatch(core)
    if short and (short[2] or short[3])[0] != "0" and short[4] not in language.units:
        number = numbers.cardinal(int(short[2] or short[3]))
        return f"{short[1]} {number}" if short[1] else f"{number} {short[4]}"
    if joined := _JOINED.fullmatch(core):
        return f"{' '.join(joined[1])} {language.signs['&']} {' '.join(joined[2])}"
    if _DASHED.fullmatch(core) and not _DATE.fullmatch(core) and sum(map(str.isdecimal, core)) <= _MAX_DASHED_DIGITS:
        return ", ".join(numbers.digits(group) for group in re.findall(r"\d+", core))
    if (height := _HEIGHT.fullmatch(core)) and language.code == "en" and int(height[2] or 0) < 12:
        inches = f" {numbers.cardinal(int(height[2]))}" if height[2] else ""
        return f"{numbers.cardinal(int(height[1]))} foot{inches}"
    return None


def score(core: str, language: Language, numbers: Numbers) -> str | None:
    """``2-1``, ``2:1``: two numbers that are neither a range nor a time."""
    found = _SCORE.fullmatch(core)
    if found is None or not core.isascii() or (found[2] == ":" and len(found[3]) == 2):
        return None
    return f"{numbers.cardinal(int(found[1]))} {language.versus} {numbers.cardinal(int(found[3]))}"
