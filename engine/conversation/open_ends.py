"""The words that tell whether a caller has finished, by language (open_ends.toml)."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

import msgspec

from ringline.engine.conversation.language_tags import primary_language


class OpenEnds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One language's words, lower case."""

    open: frozenset[str] = frozenset()
    """Words and phrases behind which something must follow."""
    fillers: frozenset[str] = frozenset()
    answers: frozenset[str] = frozenset()

    def ending(self, words: tuple[str, ...]) -> str:
        """The longest open end or filler that the words end in; empty for none."""
        for count in range(min(4, len(words)), 0, -1):
            tail = " ".join(words[-count:])
            if tail in self.open or tail in self.fillers:
                return tail
        return ""


@lru_cache(maxsize=1)
def _all() -> dict[str, OpenEnds]:
    source = files(__package__).joinpath("open_ends.toml").read_bytes()
    return msgspec.toml.decode(source, type=dict[str, OpenEnds])


def open_ends(language: str) -> OpenEnds:
    """The words of a language by its code (``en``, ``en-gb``); none for a language that is not in the list."""
    return _all().get(primary_language(language), OpenEnds())
