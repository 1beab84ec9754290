"""The reply's text, as it streams in, cut into phrases that can be spoken."""

from __future__ import annotations

import msgspec

from ringline.engine.conversation.phrases import Phraser as _Splitter


class Word(msgspec.Struct, frozen=True):
    """A written word and how it is spoken."""

    written: str
    spoken: str


class Phrase(msgspec.Struct, frozen=True):
    """What goes to TTS in one piece."""

    words: tuple[Word, ...]
    ends_sentence: bool
    uninterruptible: bool = False

    @property
    def written(self) -> str:
        """As the model wrote it."""
        return " ".join(word.written for word in self.words)

    @property
    def spoken(self) -> str:
        """As TTS gets it."""
        return " ".join(word.spoken for word in self.words)


class Phraser:
    """Feed it text, get phrases."""

    def __init__(self, language: str = "en") -> None:
        self._splitter = _Splitter()

    def feed(self, text: str) -> list[Phrase]:
        """More of the reply. Returns the phrases that are complete by it."""
        return [_phrase(text) for text in self._splitter.feed(text)]

    def flush(self) -> list[Phrase]:
        """The reply is complete."""
        rest = self._splitter.flush()
        return [_phrase(rest)] if rest else []


def _phrase(text: str) -> Phrase:
    return Phrase(tuple(Word(word, word) for word in text.split()), True)
