"""Words that their neighbours decide, near or further off: ``ending in 4242``, ``flight LH 441``, ``Henry VIII``, an
IBAN in groups, a house number. One word is said for one that is written, so that marks and the ledger stay right."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ringline.engine.conversation.phrasing.speaking.language import Language
from ringline.engine.conversation.phrasing.speaking.numbers import Numbers

_WORTH_A_LOOK = re.compile(r"\d|\b[IVX]+(?:er|re|e|ème)?\b")
_ROMAN = re.compile(r"(?=[IVX])X{0,3}(?:IX|IV|V?I{0,3})")
_ORDINAL = re.compile(r"([IVX]+)(er|re|e|ème)")
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10}
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
_IBAN_START = re.compile(r"[A-Z]{2}\d{2}")
_IBAN_GROUP = re.compile(r"[A-Z0-9]{1,4}")
_CARD_GROUP = re.compile(r"\d{4}|X{4}|\*{4}")
_AIRLINE = re.compile(r"[A-Z][A-Z0-9]|[0-9][A-Z]")
_VERBS = frozenset(("is", "was", "has", "ships", "needs", "arrives"))
_LINKS = frozenset("number no id code is # nummer nr ist lautet numéro n° est número n.º es de".split())
_ARTICLES = frozenset(("die", "le", "el", "al", "au"))
_REACH = 3
"""So many words may stand between a word such as "ending" and the digits: ``ending in the digits 4242``."""
_MIN_CODE_DIGITS = 3
_MIN_LONG_CODE_DIGITS = 4
"""Shorter ones behind ``order`` are counts: ``order 12 pizzas``."""
_MIN_IBAN_GROUPS = 4
_MIN_CARD_GROUPS = 3


def said_by_neighbours(
    words: Sequence[str], cores: Sequence[str], language: Language, numbers: Numbers
) -> dict[int, str]:
    """The words, by index, that are said otherwise than they would be if they stood alone.

    ``words`` are those of a phrase, ``cores`` the same without punctuation around them.
    """
    said = _pairs(cores, language)
    if not said and not any(_WORTH_A_LOOK.search(core) for core in cores):
        return {}
    for index, core in enumerate(cores):
        if index in said or not core:
            continue
        said |= _groups(cores, index, language, numbers) or _flight(cores, index, language, numbers)
        if index in said:
            continue
        follows_on = index > 0 and words[index - 1][-1].isalnum()
        word = (
            (_roman(cores, index, language, numbers) if follows_on else None)
            or _century(core, language, numbers)
            or _digits(cores, index, language, numbers)
            or _place(cores, index, language, numbers)
        )
        if word:
            said[index] = word
    return said


def _pairs(cores: Sequence[str], language: Language) -> dict[int, str]:
    """Abbreviations in two words: ``z. B.``"""
    said = {}
    for index, core in enumerate(cores[:-1]):
        if words := language.pairs.get(f"{core} {cores[index + 1]}"):
            said[index], said[index + 1] = words
    return said


def spelt(code: str, numbers: Numbers) -> str:
    """Letters and digits one by one."""
    return " ".join(numbers.digits(char) if char.isdecimal() and char.isascii() else char for char in code)


def roman_value(text: str) -> int | None:
    """Up to 39, as kings, popes, wars, chapters and centuries have them; None for anything else."""
    if not _ROMAN.fullmatch(text):
        return None
    values = [_ROMAN_VALUES[char] for char in text]
    return sum(-value if value < max(values[index:]) else value for index, value in enumerate(values))


def _groups(cores: Sequence[str], index: int, language: Language, numbers: Numbers) -> dict[int, str]:
    """An IBAN, or the number of a card."""
    core = cores[index]
    if _IBAN.fullmatch(core) and sum(map(str.isdecimal, core)) >= 10:
        return {index: ", ".join(spelt(core[at : at + 4], numbers) for at in range(0, len(core), 4))}
    if _IBAN_START.fullmatch(core):
        end = _run(cores, index + 1, _IBAN_GROUP)
        return _spelt_groups(cores, index, end, numbers) if end - index >= _MIN_IBAN_GROUPS else {}
    if _CARD_GROUP.fullmatch(core):
        end = _run(cores, index, _CARD_GROUP)
        return _spelt_groups(cores, index, end, numbers) if end - index >= _MIN_CARD_GROUPS else {}
    return {}


def _run(cores: Sequence[str], start: int, pattern: re.Pattern[str]) -> int:
    return next((at for at in range(start, len(cores)) if not pattern.fullmatch(cores[at])), len(cores))


def _spelt_groups(cores: Sequence[str], start: int, end: int, numbers: Numbers) -> dict[int, str]:
    return {at: spelt(cores[at].replace("*", "X"), numbers) + ("," if at < end - 1 else "") for at in range(start, end)}


def _flight(cores: Sequence[str], index: int, language: Language, numbers: Numbers) -> dict[int, str]:
    behind = [core.lower() for core in cores[max(0, index - 2) : index]]
    following = cores[index + 1] if index + 1 < len(cores) else ""
    is_flight = _AIRLINE.fullmatch(cores[index]) and re.fullmatch(r"\d{1,4}", following)
    if is_flight and language.flight_words.intersection(behind):
        return {index: spelt(cores[index], numbers), index + 1: numbers.digits(following)}
    return {}


def _roman(cores: Sequence[str], index: int, language: Language, numbers: Numbers) -> str | None:
    core = cores[index]
    before = cores[index - 1] if index else ""
    suffix = "'s" if core.endswith(("'s", "’s")) else ""
    value = roman_value(core[:-2] if suffix else core)
    if value is None or not before:
        return None
    following = cores[index + 1] if index + 1 < len(cores) else ""
    if before.lower() in language.roman_words and not (
        core == "I" and language.code == "en" and before.lower() != "war" and following[:1].islower()
    ):  # "the part I like"
        return numbers.cardinal(value) + suffix
    if before in language.rulers and (
        # "I asked Henry. I am here": a single letter counts where a title says so, or nothing follows.
        core != "I" or index + 1 == len(cores) or any(word in language.ruler_titles for word in cores[: index - 1])
    ):
        return numbers.ruler(value, language.code, is_feminine=before in language.queens) + suffix
    return None


def _century(core: str, language: Language, numbers: Numbers) -> str | None:
    """``XIXe``, ``Ier``"""
    ordinal = _ORDINAL.fullmatch(core) if language.code == "fr" else None
    value = roman_value(ordinal[1]) if ordinal else None
    if ordinal is None or value is None:
        return None
    return numbers.ordinal(value, "-feminine" if ordinal[2] == "re" else "-masculine")


def _digits(cores: Sequence[str], index: int, language: Language, numbers: Numbers) -> str | None:
    core = cores[index]
    if not (core.isdecimal() and core.isascii()):
        return None
    nearby = {word.lower() for word in cores[max(0, index - 1 - _REACH) : index]}
    following = cores[index + 1] if index + 1 < len(cores) else ""
    is_amount = following in language.units or following in language.currencies or following == "%"
    if is_amount or len(core) > 12:
        return None
    if core in language.emergency_numbers and _is_called(cores, index, nearby, language):
        return numbers.digits(core)
    if len(core) >= _MIN_CODE_DIGITS and nearby & language.digit_words:
        return numbers.digits(core)
    is_count = following.islower() and following.endswith("s") and following not in _VERBS
    if len(core) >= _MIN_LONG_CODE_DIGITS and not is_count and _is_named(cores, index, language):
        return numbers.digits(core)
    return None


def _is_called(cores: Sequence[str], index: int, nearby: set[str], language: Language) -> bool:
    """An article alone says so only at the end: ``die 110``, but ``die 110 Gäste``."""
    if cores[index] == "911":
        return True
    return bool(nearby & language.call_words) or (
        index + 1 == len(cores) and index > 0 and cores[index - 1].lower() in _ARTICLES
    )


def _is_named(cores: Sequence[str], index: int, language: Language) -> bool:
    """Whether a word such as ``order`` stands before the number, with only such words as ``number is`` between."""
    for word in reversed(cores[max(0, index - 1 - _REACH) : index]):
        if word.lower() in language.long_code_words:
            return True
        if word.lower() not in _LINKS:
            return False
    return False


def _place(cores: Sequence[str], index: int, language: Language, numbers: Numbers) -> str | None:
    """Postcodes; in English also house numbers and rooms, that are read in pairs."""
    core = cores[index]
    if not (core.isdecimal() and core.isascii() and 3 <= len(core) <= 5):
        return None
    before = cores[index - 1] if index else ""
    following = list(cores[index + 1 : index + 5])
    if language.code != "en":
        is_town = bool(following) and following[0][:1].isupper() and following[0] not in language.currencies
        in_address = before[:1].isdecimal() or before.lower() in language.town_words
        in_address = in_address or (language.code != "de" and len(following[0]) > 3 if following else False)
        return numbers.digits(core) if len(core) == 5 and is_town and in_address else None
    if len(core) == 5:
        is_state = re.fullmatch(r"[A-Z]{2}", before) and (index > 1 or not following)
        return numbers.digits(core) if is_state else None
    is_house = following[:1] and following[0][:1].isupper() and language.street_words.intersection(following)
    if before.lower() in language.room_words or is_house:
        return numbers.pairs(core)
    return None
