"""What a reply is cut into."""

from __future__ import annotations

import msgspec


class Word(msgspec.Struct, frozen=True):
    """One written word and how it is spoken."""

    written: str
    """As the model wrote it, without markup, punctuation included: ``$25.50``."""
    spoken: str
    """As TTS gets it: ``twenty-five dollars and fifty cents``. May be several words, is never empty."""


class Phrase(msgspec.Struct, frozen=True):
    """What TTS gets in one piece: a sentence, or a clause of one. Holds at least one letter or digit."""

    words: tuple[Word, ...]
    ends_sentence: bool
    uninterruptible: bool = False

    @property
    def written(self) -> str:
        """The words as the model wrote them."""
        return " ".join(word.written for word in self.words)

    @property
    def spoken(self) -> str:
        """The words as TTS gets them."""
        return " ".join(word.spoken for word in self.words)

    @property
    def is_question(self) -> bool:
        """Whether it ends with a question mark."""
        return self.written.rstrip("\"')\u201d\u2019\u00bb ").endswith(("?", "\uff1f", "\u061f"))
