"""The words that tell whether a caller has finished, by language (open_ends.toml)."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files

import msgspec

from ringline.engine.conversation.language_tags import primary_language

_WORD = re.compile(r"\w+")

DIGITS_OF_TENS = 2
"""``twenty`` alone stands for two digits, in front of ``four`` for one."""


class OpenEnds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One language's words, lower case."""

    open: frozenset[str] = frozenset()
    """Words and phrases behind which something must follow."""
    fillers: frozenset[str] = frozenset()
    answers: frozenset[str] = frozenset()
    digits: frozenset[str] = frozenset()
    tens: frozenset[str] = frozenset()
    doubles: frozenset[str] = frozenset()
    triples: frozenset[str] = frozenset()

    def ending(self, words: tuple[str, ...]) -> str:
        """The longest open end or filler that the words end in; empty for none."""
        for count in range(min(4, len(words)), 0, -1):
            tail = " ".join(words[-count:])
            if tail in self.open or tail in self.fillers:
                return tail
        return ""

    def num_digits(self, text: str) -> int:
        """How many digits were said, or written by the recogniser in whatever groups (``555-01``), anywhere in a
        lower-case text."""
        words = _WORD.findall(text)
        count = 0
        for index, word in enumerate(words):
            following = words[index + 1] if index + 1 < len(words) else ""
            if word.isdecimal():
                count += len(word)
            elif word in self.digits:
                count += 1
            elif word in self.tens:
                count += 1 if following in self.digits else DIGITS_OF_TENS
            elif word in self.doubles and following in self.digits:
                count += 1
            elif word in self.triples and following in self.digits:
                count += 2
        return count


@lru_cache(maxsize=1)
def _all() -> dict[str, OpenEnds]:
    source = files(__package__).joinpath("open_ends.toml").read_bytes()
    return msgspec.toml.decode(source, type=dict[str, OpenEnds])


def open_ends(language: str) -> OpenEnds:
    """The words of a language by its code (``en``, ``en-gb``); none for a language that is not in the list."""
    return _all().get(primary_language(language), OpenEnds())
