"""Telephone numbers and codes: what is read digit by digit."""

from __future__ import annotations

import re

from ringline.engine.conversation.phrasing.speaking.language import Language
from ringline.engine.conversation.phrasing.speaking.neighbours import spelt
from ringline.engine.conversation.phrasing.speaking.numbers import Numbers

MAX_PHONE_WORDS = 7

_PHONE = re.compile(
    r"\+\d[\d ()./–-]{6,20}"  # international
    r"|\(?0\d[\d ()/–-]{4,18}\d"  # with a trunk prefix
    r"|(?:1[-. ])?\(?\d{3}\)?[-. ]\d{3}[-. ]\d{4}"  # North America
    r"|1?-?\d{3}-\d{4}"
    r"|[6-9]\d{2} \d{3} \d{3}|[6-9]\d{2}(?: \d{2}){3}|[89]\d \d{3} \d{2} \d{2}"  # Spain
)
_PHONE_PART = re.compile(r"[\d+()./–-]+[.,;:!?…\"'”’]*")
_DATE = re.compile(r"\d{1,2}([/.-])\d{1,2}\1\d{2,4}|\d{4}-\d{2}-\d{2}")
_TAIL = ".,;:!?…\"'”’"
_GROUP = re.compile(r"\d+")
_CODE = re.compile(r"(?=[A-Z-]*\d)(?=[\d-]*[A-Z])[A-Z0-9]{1,34}(?:-[A-Z0-9]{1,16}){0,5}")
_NAME = re.compile(r"([A-Z]{4,})-(\d{1,2})")  # COVID-19
_CODE_PART = re.compile(r"[A-Z]+|\d+|-")


def num_phone_words(words: list[str]) -> int:
    """How many of the first words are a telephone number; 0 for none."""
    num_parts = next((index for index, word in enumerate(words) if not _PHONE_PART.fullmatch(word)), len(words))
    for num_words in range(min(num_parts, MAX_PHONE_WORDS), 0, -1):
        text = " ".join(words[:num_words]).rstrip(_TAIL)
        if _PHONE.fullmatch(text) and sum(map(str.isdecimal, text)) >= 7 and not _DATE.fullmatch(text):
            return num_words
    return 0


def phone(core: str, language: Language, numbers: Numbers) -> str:
    """One word of a telephone number: its digits, with a pause between groups."""
    groups = []
    for digits in _GROUP.findall(core):
        if language.code == "fr" and len(digits) == 2 and digits[0] != "0":
            groups.append(numbers.cardinal(int(digits)))
        else:
            groups += [numbers.digits(group) for group in _chunks(digits)]
    return (f"{language.plus} " if "+" in core else "") + ", ".join(groups)


def code(core: str, language: Language, numbers: Numbers) -> str | None:
    """A booking reference or the like, spelt; None for anything else."""
    if not _CODE.fullmatch(core):
        return None
    if name := _NAME.fullmatch(core):
        return f"{name[1]} {numbers.cardinal(int(name[2]))}"
    if len(core) > 10 and "-" not in core:
        groups = (core[at : at + 4] for at in range(0, len(core), 4))
        return ", ".join(spelt(group, numbers) for group in groups)
    spoken = []
    for part in _CODE_PART.findall(core):
        if part == "-":
            spoken.append(language.dash)
        elif part.isdecimal():
            spoken.append(numbers.digits(part))
        else:
            spoken.append(" ".join(part))
    return " ".join(spoken)


def _chunks(digits: str) -> list[str]:
    """Threes, as nobody can follow more: and a rest of at most four."""
    chunks = []
    while len(digits) > 4:
        chunks.append(digits[:3])
        digits = digits[3:]
    return [*chunks, digits]
