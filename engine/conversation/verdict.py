"""Whether an answer to "is that right?" is a yes, by language (verdicts.toml).

An action with effects hangs on it. So a yes is one only if every word of the answer is known to agree, or to change
nothing; a word too many costs a question, a word too few an appointment that nobody wanted. A no is less dear: beside
words that nobody knows it is one still.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Set
from functools import lru_cache
from importlib.resources import files

import msgspec

from ringline.engine.conversation.language_tags import primary_language
from ringline.engine.conversation.spelling import HESITATIONS, normalise

EXPLAINED = "="
"""A token for words that the asker has understood otherwise, and that change nothing."""
ASKS = "?"
"""A token for what makes a question of an answer."""
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d+")
_MAX_PHRASE = 6


class Verdict(enum.Enum):
    """What an answer comes to."""

    YES = "yes"
    """Plain agreement."""
    NO = "no"
    """Plain refusal, at most beside words that nobody knows."""
    LEANING_YES = "leaning yes"
    """Agreement, and words beside it that are unknown: enough for what can be taken back."""
    UNCLEAR = "unclear"
    """Both, doubt, or neither."""


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One language's phrases."""

    yes: frozenset[str]
    no: frozenset[str]
    doubt: frozenset[str]
    condition: frozenset[str]
    soft: frozenset[str]
    open: frozenset[str]
    strong: frozenset[str]
    answer: frozenset[str]
    not_: frozenset[str] = msgspec.field(name="not")
    sounds: tuple[tuple[str, str], ...] = ()


@lru_cache(maxsize=1)
def _all() -> dict[str, Words]:
    text = files("ringline.engine.conversation").joinpath("verdicts.toml").read_text(encoding="utf-8")
    return msgspec.toml.decode(text, type=dict[str, Words])


def languages() -> tuple[str, ...]:
    """The languages whose answers can be told apart."""
    return tuple(_all())


def spelled(text: str, language: str = "en") -> str:
    """The text with sounds that answer, such as ``mm-hm``, as the words that they stand for."""
    words = _all().get(primary_language(language))
    text = text.lower().replace("\u2019", "'")
    for sound, word in words.sounds if words is not None else ():
        text = re.sub(sound, word, text)
    return text


def tokens_of(text: str, language: str = "en") -> tuple[str, ...]:
    """The words of an answer as `of` takes them, with `ASKS` at the end of one that asks something, or trails off."""
    text = spelled(text, language)
    end = (ASKS,) if asks(text) else ()
    return (*(normalise(text) if primary_language(language) == "en" else _WORD.findall(text)), *end)


def asks(text: str) -> bool:
    """Whether the text asks something, or ends in a sound of somebody who looks for words."""
    text = re.sub(r"\b((?:why|warum|wieso) (?:not|nicht))\s*\?", r"\1", text.lower())
    words = _WORD.findall(text)
    return "?" in text or (len(words) > 1 and words[-1] in HESITATIONS)


def of(
    tokens: tuple[str, ...], language: str = "en", known: Set[str] = frozenset(), does: Set[str] = frozenset()
) -> Verdict:
    """What the answer comes to; unclear in languages that are not in verdicts.toml.

    ``known`` are words of the question itself, which may be repeated. ``does`` are phrases that tell the bot to do what
    it offers (``book it``).
    """
    words = _all().get(primary_language(language))
    if words is None:
        return Verdict.UNCLEAR
    kinds = list(_kinds(tokens, words, known, does))
    said = set(kinds)
    if "doubt" in said or said >= {"yes", "no"}:
        return Verdict.UNCLEAR
    if "no" in said:
        return Verdict.NO
    if "yes" not in said or "condition" in said:
        return Verdict.UNCLEAR
    if "unknown" in said:
        return Verdict.LEANING_YES
    return Verdict.UNCLEAR if len(tokens) > 1 and tokens[-1] in words.open else Verdict.YES


def _kinds(tokens: tuple[str, ...], words: Words, known: Set[str], does: Set[str]) -> Iterator[str]:
    """The kind of each phrase, with negation worked out: ``unknown`` where no phrase is known."""
    phrases = list(_phrases(tokens, words, known, does))
    # "yes, i mean no": what was said before is taken back. The other way round is asked: a yes must be plain.
    for index, (phrase, _) in enumerate(phrases):
        if phrase in ("mean", "meant") and any(kind == "no" for _, kind in phrases[index:]):
            if not any(kind in ("yes", "doubt") for _, kind in phrases[index:]):
                phrases = phrases[index:]
            break
    is_negated = False
    for index, (phrase, kind) in enumerate(phrases):
        following = phrases[index + 1] if index + 1 < len(phrases) else ("", "")
        if kind == "not":
            yield "doubt" if is_negated else "no"
            is_negated = True
        elif kind == "yes" and following[1] == "not" and phrase in words.strong:
            continue  # "absolutely" of "absolutely not"
        elif kind == "yes" and is_negated and phrase not in words.answer:
            continue
        elif is_negated and kind == "no" and phrase not in words.answer:
            yield "doubt"
        else:
            yield kind


def _phrases(tokens: tuple[str, ...], words: Words, known: Set[str], does: Set[str]) -> Iterator[tuple[str, str]]:
    """Each phrase and its kind, the longest that stands there."""
    by_kind = (
        ("doubt", words.doubt),
        ("condition", words.condition),
        ("no", words.no),
        ("yes", does),
        ("yes", words.yes),
        ("not", words.not_),
        ("soft", words.soft),
    )
    index = 0
    while index < len(tokens):
        for count in range(min(_MAX_PHRASE, len(tokens) - index), 0, -1):
            phrase = " ".join(tokens[index : index + count])
            kind = next((kind for kind, phrases in by_kind if phrase in phrases), "")
            if kind:
                break
        else:
            count, phrase = 1, tokens[index]
            kind = "doubt" if phrase == ASKS else "soft" if phrase == EXPLAINED or phrase in known else "unknown"
        yield phrase, kind
        index += count
