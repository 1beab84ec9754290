"""What stands before the text of a line: bullets, numbers, headings, quotes."""

from __future__ import annotations

import re

import sentencex

from ringline.engine.conversation.phrasing.boundaries import GERMAN_ORDINAL_NOUN

_CANDIDATES = "#-*+•▪‣◦–—·=_0123456789"
_INDENT = re.compile(r"[^\S\n\r\v\f]+")
_WORD = re.compile(r"\S{1,10}")
_PREFIX = re.compile(r"#{1,6}|[-*+•▪‣◦–—·]|[-*_=]{3,}")
_NUMBER = re.compile(r"\d{1,2}[.)]")
_ITEM = re.compile(r"[^\S\n\r\v\f]{0,20}(\S{0,30})")


def prefix_chars(text: str, language: str, first_line: bool, final: bool) -> int | None:
    """How many characters at the start of ``text`` are no words; None where more text decides it.

    The prefixes of a line are found one by one, until this returns 0.
    """
    if indent := _INDENT.match(text):
        return indent.end()
    if text[0] in ">|":
        return 1
    if text[0] not in _CANDIDATES:
        return 0
    word = _WORD.match(text)
    assert word is not None
    if word.end() == len(text) and len(word[0]) < 10 and not final:
        return None
    if _PREFIX.fullmatch(word[0]):
        return word.end()
    if _NUMBER.fullmatch(word[0]):
        return _number_chars(text, word, language, first_line, final)
    return 0


def _number_chars(text: str, number: re.Match[str], language: str, first_line: bool, final: bool) -> int | None:
    if first_line and number[0] != "1." and number[0][-1] == ".":
        return 0  # a reply that begins with a number is an answer
    item = _ITEM.match(text, number.end())
    assert item is not None
    if item.end() == len(text) and len(item[1]) < 30 and not final:
        return None
    if not item[1]:
        return 0
    if number[0][-1] == ")":
        return number.end()
    if language == "de" and GERMAN_ORDINAL_NOUN.match(item[1]):
        return 0  # "1. Stock"
    is_date = len(sentencex.segment(language, f"{number[0]} {item[1]}")) == 1  # "3. Mai"
    return 0 if is_date else number.end()
