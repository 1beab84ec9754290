"""Transcripts of any recogniser -> the lower-case words that the patterns are made of."""

from __future__ import annotations

import re
import unicodedata

ONES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
        "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")  # fmt: skip
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINAL_ONES = ("zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth",
                 "tenth", "eleventh", "twelfth", *(f"{name}th" for name in ONES[13:]))  # fmt: skip

CARDINALS = frozenset({*ONES, *TENS[2:], "oh"})
"""Words that belong to the same number as such a word next to them."""

FILLERS = frozenset({"um", "uh", "uhm", "er", "erm", "hm", "hmm", "mm", "please", "just", "sil"})
"""Words that change nothing wherever they stand."""

_CONTRACTIONS = {
    "can't": "cannot", "won't": "will not", "let's": "let us", "oclock": "o'clock", "pm": "p m", "ok": "okay",
    "gonna": "going to", "wanna": "want to", "doctor's": "doctor", "dr": "doctor", "tmrw": "tomorrow",
}  # fmt: skip
_ENDINGS = (("n't", "not"), ("'d", "would"), ("'ll", "will"), ("'m", "am"), ("'re", "are"), ("'ve", "have"))
_IS = frozenset({"it's", "that's", "what's", "where's", "who's", "there's", "here's", "when's", "he's", "she's"})

MAX_CHARACTERS = 2_000
"""Of a transcript; what lies behind is not read."""


def cardinal(number: int) -> str:
    """0 to 99 in words, without hyphens: ``twenty four``."""
    if number < 20:
        return ONES[number]
    tens, ones = divmod(number, 10)
    return TENS[tens] + (f" {ONES[ones]}" if ones else "")


def ordinal(number: int) -> str:
    """1 to 99 in words, without hyphens: ``twenty fourth``."""
    if number < 20:
        return _ORDINAL_ONES[number]
    tens, ones = divmod(number, 10)
    return f"{TENS[tens]} {_ORDINAL_ONES[ones]}" if ones else f"{TENS[tens][:-1]}ieth"


def minutes(number: int) -> str:
    """0 to 59 as said behind an hour: ``o'clock``, ``oh five``, ``thirty``."""
    if number == 0:
        return "o'clock"
    return f"oh {ONES[number]}" if number < 10 else cardinal(number)


def _clock(match: re.Match[str]) -> str:
    hour, minute = int(match.group(1)), int(match.group(2))
    return f" {cardinal(hour)} {minutes(minute)} " if minute < 60 else f" {cardinal(hour)} {cardinal(minute)} "


def _numeral(match: re.Match[str]) -> str:
    digits = match.group()
    if len(digits) <= 2 and not (len(digits) == 2 and digits[0] == "0"):
        return f" {cardinal(int(digits))} "
    return " " + " ".join(ONES[int(digit)] for digit in digits) + " "  # a code or a phone number


def normalise(text: str) -> tuple[str, ...]:
    """The words of a transcript: lower case, numerals and contractions written out, fillers left out."""
    text = unicodedata.normalize("NFKC", text[:MAX_CHARACTERS]).lower().replace("\u2019", "'")
    text = re.sub(r"\b([ap])\.\s?m\b\.?", r"\1m", text)
    text = re.sub(r"([0-9])\s*([ap])m\b", r"\1 \2 m ", text)
    text = re.sub(r"(?<![0-9.:])([0-9]{1,2})[:.]([0-9]{2})(?![0-9.:])", _clock, text)
    text = re.sub(r"(?<![0-9])([1-9][0-9]?)(?:st|nd|rd|th)\b", lambda match: f" {ordinal(int(match.group(1)))} ", text)
    text = re.sub(r"[0-9]+", _numeral, text)
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
