"""Where a sentence or a clause may end."""

from __future__ import annotations

import re

import sentencex

CLOSERS = "\"')]}»”’›」』）】》〉"
"""Quotes and brackets that may close behind a full stop."""

FULL_STOPS = "。！？｡।॥۔؟።፧។៕။།"
"""Marks that end a sentence in their scripts whatever follows, with or without a space behind them."""

CLAUSE_STOPS = "，、；："
"""Marks that end a clause in scripts without spaces."""

MIN_CLAUSE_WORDS = 4
"""A first phrase shorter than this sounds chopped off, and is over before TTS has the second."""

_ABBREVIATIONS = frozenset(("incl.", "excl.", "approx.", "ext.", "tel.", "т.е."))
"""Those that the library does not know."""

_SURE_END = re.compile(rf"[{FULL_STOPS}][{re.escape(CLOSERS)}]*$")
_LIKELY_END = re.compile(rf"[.!?…‼⁇⁈⁉;։؟][{re.escape(CLOSERS)}]*$")
_CLAUSE_END = re.compile(rf"(?:[,;:،؛{CLAUSE_STOPS}—–]|--)[{re.escape(CLOSERS)}]*$")
_DASH = re.compile(r"[-–—]|--")
_NUMBER_END = re.compile(rf"\d[.,:;][{re.escape(CLOSERS)}]*$")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


def is_sure_end(text: str) -> bool:
    """Whether ``text`` ends a sentence, whatever follows."""
    return _SURE_END.search(text) is not None


def is_likely_end(text: str) -> bool:
    """Whether ``text`` may end a sentence, depending on what follows."""
    return _LIKELY_END.search(text) is not None


def ends_in_number(text: str) -> bool:
    """Whether the mark at the end stands behind a digit: the next word decides whether it is part of a date."""
    return _NUMBER_END.search(text) is not None


def splits(text: str, following: str, language: str) -> bool:
    """Whether a sentence ends between ``text`` and ``following``, a word or its beginning."""
    if text == "No." and not following[0].isdigit():
        return True  # the answer, where the library always sees "number"
    if _last_word(text) in _ABBREVIATIONS or (language == "fr" and text.endswith("M.")):
        return False
    # Brackets that close behind the full stop hide it from the library.
    last = sentencex.segment(language, f"{text.rstrip(')]}')} {following}")[-1]
    return bool(last.strip() == following)


def _last_word(text: str) -> str:
    return text.rpartition(" ")[2].lstrip("(").lower()


def is_clause_end(words: list[str]) -> bool:
    """Whether a speaker could pause behind ``words``."""
    last = words[-1]
    if _DASH.fullmatch(last):
        return len(words) > 1 and not words[-2][-1].isdigit()  # "9 - 17" is a range
    return _CLAUSE_END.search(last) is not None


def num_words(text: str) -> int:
    """How many words a text without spaces amounts to: a word has about two characters where they are not spaced."""
    return max(1, len(_UNSPACED.findall(text)) // 2)
