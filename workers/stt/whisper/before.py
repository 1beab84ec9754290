"""The text before what the caller says: Whisper writes on from there, which is what it makes of hot words, too.

What the bot has just asked says more of the answer than any list of its words (``bench/wer.py``); names it cannot know
stand in a sentence. A bare list it takes for the style of the text, and goes on with it instead of the speech.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from ringline.workers.stt.whisper.model import WhisperModel

NAMES = {
    "en": "This is about {}.",
    "de": "Es geht um {}.",
    "fr": "Il s'agit de {}.",
    "es": "Se trata de {}.",
    "it": "Si tratta di {}.",
    "pt": "Trata-se de {}.",
    "nl": "Het gaat over {}.",
    "pl": "Chodzi o {}.",
}
"""By language: behind a sentence of another one Whisper turns in circles, or goes over to that. English for those that
are not here."""
COPIED_WORDS = 4
"""So many words of the bot's in a row hardly anybody says after it; a hot word they do say."""
SOUNDS_ALIKE = 0.6
"""Share of letters that two readings of the same words have in common: "Ring line" and "Ringline"."""


class Before:
    """What goes before one utterance."""

    def __init__(self, model: WhisperModel, asked: str, hotwords: Sequence[str], language: str) -> None:
        """``language``: the code of what the caller is likely to speak."""
        names = [word.strip() for word in hotwords if word.strip()]
        sentence = NAMES.get(language, NAMES["en"]).format(", ".join(names)) if names else ""
        self.tokens = model.previous(asked, sentence)
        """Empty: nothing."""
        self._names = frozenset(word for name in names for word in _words(name))
        self._asked = _words(f"{sentence} {asked}")

    def is_copied(self, text: str) -> bool:
        """Whether the text may have been written off, and not heard."""
        words = _words(text)
        if words and self._names.issuperset(words):
            return True
        size = len(words)
        starts = range(len(self._asked) - size + 1)
        return size >= COPIED_WORDS and any(self._asked[start : start + size] == words for start in starts)


def sounds_like(text: str, other: str) -> bool:
    """Whether two texts may be readings of the same sound."""
    letters, others = "".join(_words(text)), "".join(_words(other))
    return difflib.SequenceMatcher(None, letters, others).ratio() >= SOUNDS_ALIKE


def _words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.casefold())
