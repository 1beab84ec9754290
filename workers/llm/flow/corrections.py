"""Corrections of a few digits or letters of a value that was read back: ``no, the last one is a five``."""

from __future__ import annotations

from collections.abc import Iterator

from ringline.engine.conversation.number_words import ONES, ordinal
from ringline.workers.llm.flow.spoken import Tokens, characters

_PLACES = {ordinal(number): number - 1 for number in range(1, 21)} | {"last": -1, "final": -1}
_COUNTS = {name: number for number, name in enumerate(ONES[:10]) if number > 1}
_THINGS = frozenset({"digit", "digits", "number", "numbers", "one", "ones", "figure", "letter", "letters", "character"})
_IS: tuple[Tokens, ...] = (
    ("is",),
    ("are",),
    ("was",),
    ("should", "be"),
    ("must", "be"),
    ("has", "to", "be"),
    ("needs", "to", "be"),
    (),
)
_NOT: tuple[Tokens, ...] = (("not",), ("instead", "of"), ("and", "not"), ("rather", "than"))
_ARTICLES = frozenset({"a", "an", "the"})
_FILL = frozenset(
    "no nope sorry wait actually but yes yeah almost nearly not quite it is that wrong well okay hold on"
    " i said meant mean oh ah so correct right except thank you thanks".split()
)
"""Words around a correction that say nothing of what is right."""
_STARTS: tuple[Tokens, ...] = (
    ("starts", "with"),
    ("begins", "with"),
    ("should", "start", "with"),
    ("should", "begin", "with"),
)
_ENDS: tuple[Tokens, ...] = (
    ("ends", "with"), ("ends", "in"), ("ends", "on"), ("should", "end", "with"), ("should", "end", "in"),
    ("ending", "in"), ("ending", "with"),
)  # fmt: skip


def corrected(value: str, tokens: Tokens) -> str | None:
    """The value after a correction of some of its places, which is all that was said; None if it is none, or unclear.

    As many characters are put in as are taken out.
    """
    lower = value.lower()
    found = {
        new
        for start in range(len(tokens))
        if all(token in _FILL for token in tokens[:start])
        for end, new in _changes(lower, tokens, start)
        if new != lower and len(new) == len(lower) and all(token in _FILL for token in tokens[end:])
    }
    return _cased(found.pop(), value) if len(found) == 1 else None


def _cased(new: str, value: str) -> str:
    return new.upper() if value.isupper() else new.capitalize() if value.istitle() else new


def _changes(value: str, tokens: Tokens, start: int) -> Iterator[tuple[int, str]]:
    """(end, new value) of each correction that begins there."""
    yield from _by_place(value, tokens, start)
    yield from _by_end(value, tokens, start)
    yield from _instead(value, tokens, start)


def _by_place(value: str, tokens: Tokens, start: int) -> Iterator[tuple[int, str]]:
    """``the third digit is seven``, ``the last two are four five``"""
    index = start + (tokens[start : start + 1] == ("the",))
    place, index = _place(tokens, index)
    if place is None:
        return
    count = 1
    if place in (0, -1) and index < len(tokens) and tokens[index] in _COUNTS:
        count, index = _COUNTS[tokens[index]], index + 1
    index += index < len(tokens) and tokens[index] in _THINGS
    begin = len(value) - count if place == -1 else len(value) + place if place < 0 else place
    if begin < 0 or begin + count > len(value):
        return
    for said in _said(tokens, index, count):
        yield from _with_old(value, begin, said, tokens)


def _place(tokens: Tokens, index: int) -> tuple[int | None, int]:
    """``third``, ``second to last``, ``last but one`` -> which place, and what is behind."""
    token = tokens[index] if index < len(tokens) else ""
    behind = tokens[index + 1 : index + 3]
    if token == "second" and behind in (("to", "last"), ("from", "last")):
        return -2, index + 3
    if token == "last" and behind == ("but", "one"):
        return -2, index + 3
    if token == "second" and behind[:1] == ("last",):
        return -2, index + 2
    return _PLACES.get(token), index + 1


def _said(tokens: Tokens, index: int, count: int) -> Iterator[tuple[int, str]]:
    """So many characters behind an ``is a``."""
    for is_ in _IS:
        if tokens[index : index + len(is_)] == is_:
            begin = index + len(is_)
            for start in {begin, begin + _articles(tokens, begin)}:  # an "a" may be the letter
                yield from ((end, read) for end, read in characters(tokens, start) if len(read) == count)
            return


def _with_old(value: str, begin: int, said: tuple[int, str], tokens: Tokens) -> Iterator[tuple[int, str]]:
    """The value with new characters in place; what is named as wrong (``not a four``) must be what stands there."""
    end, read = said
    old = value[begin : begin + len(read)]
    new = value[:begin] + read + value[begin + len(read) :]
    if tokens[end : end + 1] == ("not",):
        behind = end + 1
        behind += behind < len(tokens) and tokens[behind] in _ARTICLES
        yield from ((last, new) for last, wrong in characters(tokens, behind) if wrong == old)
    else:
        yield end, new


def _by_end(value: str, tokens: Tokens, start: int) -> Iterator[tuple[int, str]]:
    """``it ends with four two``, ``it begins with zero``"""
    for phrases, is_end in ((_ENDS, True), (_STARTS, False)):
        for phrase in phrases:
            if tokens[start : start + len(phrase)] == phrase:
                begin = start + len(phrase)
                begin += begin < len(tokens) and tokens[begin] in _ARTICLES
                for end, read in characters(tokens, begin):
                    rest = len(value) - len(read)
                    if rest > 0:
                        yield end, value[:rest] + read if is_end else read + value[len(read) :]


def _instead(value: str, tokens: Tokens, start: int) -> Iterator[tuple[int, str]]:
    """``not five, nine``, ``nine not five``, ``nine instead of five``, ``the five should be a nine``: where the wrong
    characters stand only once."""
    if tokens[start : start + 1] == ("not",):
        for end, old in characters(tokens, start + 1 + _articles(tokens, start + 1)):
            for last, new in characters(tokens, end + _joints(tokens, end)):
                yield from _replaced(value, old, new, last)
        return
    for end, first in characters(tokens, start + _articles(tokens, start)):
        for joint in _NOT:
            if tokens[end : end + len(joint)] == joint:
                behind = end + len(joint)
                for last, old in characters(tokens, behind + _articles(tokens, behind)):
                    yield from _replaced(value, old, first, last)
        for joint in _IS[3:-1]:
            if tokens[end : end + len(joint)] == joint:
                behind = end + len(joint)
                for last, new in characters(tokens, behind + _articles(tokens, behind)):
                    yield from _replaced(value, first, new, last)


def _articles(tokens: Tokens, index: int) -> int:
    return int(index < len(tokens) and tokens[index] in _ARTICLES)


def _joints(tokens: Tokens, index: int) -> int:
    """Words between what is wrong and what is right."""
    begin = index
    while index < len(tokens) and tokens[index] in ("but", "it", "is", "a", "an", "rather"):
        index += 1
    return index - begin


def _replaced(value: str, old: str, new: str, end: int) -> Iterator[tuple[int, str]]:
    if len(old) == len(new) and _num_places(value, old) == 1:
        yield end, value.replace(old, new)


def _num_places(value: str, part: str) -> int:
    return sum(value.startswith(part, index) for index in range(len(value)))
