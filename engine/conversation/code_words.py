"""The words that tell of codes, by language (codes.toml), and what a question asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Literal

import msgspec

from ringline.engine.conversation.language_tags import primary_language
from ringline.engine.conversation.open_ends import open_ends

Wanted = Literal["", "telephone", "code", "letters", "email", "address", "small"]

_SENTENCE = re.compile(r"[^.?!\u00bf\u00a1]+[.?!]*")


class CodeWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """One language's words, lower case: see the file."""

    digits: frozenset[str] = frozenset()
    teens: frozenset[str] = frozenset()
    tens: frozenset[str] = frozenset()
    tens_joints: frozenset[str] = frozenset()
    number_joints: frozenset[str] = frozenset()
    counts: tuple[str, ...] = ()
    hundreds: dict[str, int] = {}
    doubles: frozenset[str] = frozenset()
    triples: frozenset[str] = frozenset()
    letters: frozenset[str] = frozenset()
    as_in: frozenset[str] = frozenset()
    joints: frozenset[str] = frozenset()
    more: frozenset[str] = frozenset()
    at: frozenset[str] = frozenset()
    dot: frozenset[str] = frozenset()
    not_letters: frozenset[str] = frozenset()
    ask_telephone: tuple[str, ...] = ()
    ask_reach: tuple[str, ...] = ()
    ask_code: tuple[str, ...] = ()
    ask_letters: tuple[str, ...] = ()
    ask_email: tuple[str, ...] = ()
    ask_address: tuple[str, ...] = ()
    ask_small: tuple[str, ...] = ()
    ask_agreement: tuple[str, ...] = ()
    ask_digits: tuple[str, ...] = ()
    ask_range: tuple[str, ...] = ()
    ask_lengths: dict[str, int] = {}
    ask_key: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    told_telephone: tuple[str, ...] = ()
    told_code: tuple[str, ...] = ()
    copulas: tuple[str, ...] = ()
    leads: frozenset[str] = frozenset()
    no_code: frozenset[str] = frozenset()
    pronouns: frozenset[str] = frozenset()
    streets: frozenset[str] = frozenset()
    fillers: frozenset[str] = frozenset()
    open: frozenset[str] = frozenset()
    """Both of `open_ends`."""
    telephone_digits: int = 10

    @cached_property
    def questions(self) -> tuple[tuple[Wanted, re.Pattern[str]], ...]:
        """What a question is for, by what stands in it."""
        kinds: tuple[tuple[Wanted, tuple[str, ...]], ...] = (
            ("telephone", self.ask_telephone),
            ("code", self.ask_code),
            ("letters", self.ask_letters),
            ("email", self.ask_email),
            ("address", self.ask_address),
            ("small", self.ask_small),
        )
        return tuple((kind, re.compile(any_of(phrases))) for kind, phrases in kinds if phrases)

    @cached_property
    def names(self) -> tuple[tuple[Wanted, re.Pattern[str]], ...]:
        """What callers call a code in front of it: ``my account number is``."""
        behind = rf"\s+{any_of(self.copulas)}$" if self.copulas else "$"
        kinds: tuple[tuple[Wanted, tuple[str, ...]], ...] = (
            ("telephone", self.ask_telephone),
            ("code", self.ask_code),
            ("email", self.ask_email),
        )
        return tuple(
            (kind, re.compile(rf"{any_of(names)}(?:{behind}|{'$^' if kind == 'email' else '$'})"))
            for kind, names in kinds
            if names
        )

    @cached_property
    def firsts(self) -> frozenset[str]:
        """Words that a part of a code begins with, if it is no numeral and no letter."""
        phrases = (self.digits, self.teens, self.tens, self.hundreds, self.doubles, self.triples, self.letters,
                   self.joints, self.fillers)  # fmt: skip
        return frozenset(phrase.split()[0] for group in phrases for phrase in group)

    @cached_property
    def announcements(self) -> frozenset[str]:
        """What callers say before a code."""
        return frozenset((*self.told_telephone, *self.told_code))

    def wanted(self, asked: str) -> tuple[Wanted, int]:
        """What the bot's last words ask for, and how many digits or letters that has; 0: unknown."""
        asked = asked.lower()
        plain = re.sub(r"\W+$", "", asked)
        if self.ask_agreement and re.search(rf"(?:{any_of(self.ask_agreement)})$", plain):
            return "", 0
        sentences = [sentence for sentence in _SENTENCE.findall(asked) if self._kind(sentence)]
        questions = [sentence for sentence in sentences if sentence.endswith("?")]
        length = self.num_asked(asked)
        kind = self._kind((questions or sentences)[-1]) if sentences else ""
        if not kind:
            return ("code", length) if length else ("", 0)
        if kind == "small":
            return kind, 0
        fixed = [size for name, size in self.ask_lengths.items() if re.search(any_of([name]), asked)]
        return kind, length or (fixed[0] if fixed and kind == "code" else 0)

    def _kind(self, sentence: str) -> Wanted:
        """What a sentence asks for: the last thing it names."""
        found = [
            (match.end(), match.end() - match.start(), kind)
            for kind, pattern in self.questions
            for match in pattern.finditer(sentence)
        ]
        if not found and self.ask_reach and re.search(any_of(self.ask_reach), sentence):
            return "telephone"
        return max(found)[2] if found else ""

    def num_asked(self, asked: str) -> int:
        """How many digits the bot has asked for: the 4 of "your four-digit PIN"; 0 where it did not say, or several."""
        asked = asked.lower()
        for patterns in (self.ask_range, self.ask_digits):
            sizes = {self._count(match[1]) for pattern in patterns for match in re.finditer(pattern, asked)} - {0}
            if sizes:
                return max(sizes) if len(sizes) == 1 or patterns is self.ask_range else 0
        return 0

    def num_keys(self, asked: str) -> int:
        """How many keys answer the bot's last words: as many as the digits it has asked for, or the one of its menu; 0:
        unknown."""
        if length := self.num_asked(asked):
            return length
        kind, _ = self.wanted(asked)
        keys = [match[1] for pattern in self.ask_key for match in re.finditer(pattern, asked.lower())]
        is_menu = bool(keys) and all(self._count(key) in range(1, 10) or key in self.digits | {"0"} for key in keys)
        return 1 if is_menu and kind in ("", "small") else 0

    def _count(self, word: str) -> int:
        if word.isdecimal():
            return int(word) if len(word) <= 2 else 0
        return self.counts.index(word) + 1 if word in self.counts else 0


@lru_cache(maxsize=1024)
def wanted(asked: str, language: str) -> tuple[Wanted, int]:
    """`CodeWords.wanted` of a language: asked again with each word that the recogniser finds."""
    words = code_words(language)
    return words.wanted(asked) if words else ("", 0)


def any_of(phrases: Iterable[str]) -> str:
    """A pattern of whole words."""
    return rf"\b(?:{'|'.join(map(re.escape, sorted(phrases, key=len, reverse=True)))})\b"


@lru_cache(maxsize=1)
def _all() -> dict[str, CodeWords]:
    source = files(__package__).joinpath("codes.toml").read_bytes()
    return msgspec.toml.decode(source, type=dict[str, CodeWords])


@lru_cache(maxsize=16)
def _code_words(language: str) -> CodeWords | None:
    words, ends = _all().get(language), open_ends(language)
    return msgspec.structs.replace(words, fillers=ends.fillers, open=ends.open) if words else None


def code_words(language: str) -> CodeWords | None:
    """The words of a language by its code (``en``, ``en-gb``); None for a language that is not in the list."""
    return _code_words(primary_language(language))
