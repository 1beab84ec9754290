"""The reply's text, as it streams in, cut into phrases for TTS: at the ends of sentences."""

from __future__ import annotations

import re

_CLOSING = r"[\"')\]\u201d\u2019]"  # quotes and brackets that close behind the full stop

# A sentence ends in one of these and then a space: the space keeps "3.5" and "10:30" whole. A single capital before the
# full stop is an initial, a known short word an abbreviation.
_SENTENCE_END = re.compile(rf"[.!?\u2026]+{_CLOSING}*\s+|\n+")
_NO_END = re.compile(rf"(?:^|\s)(?:[A-Z]|(?i:mr|mrs|ms|dr|prof|st|no|vs|e\.g|i\.e|a\.m|p\.m))\.{_CLOSING}*\s+$")

MAX_PHRASE_CHARS = 300
"""A sentence that does not end is cut at a word: nobody speaks 20 s in one breath, and TTS must get something."""


class Phraser:
    """Feed it text, get phrases."""

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, text: str) -> list[str]:
        """More of the reply. Returns the phrases that are complete by it."""
        self._rest += text
        phrases = []
        while (cut := self._next_cut()) > 0:
            phrase, self._rest = self._rest[:cut].strip(), self._rest[cut:]
            if phrase:
                phrases.append(phrase)
        return phrases

    def flush(self) -> str:
        """The reply is complete. Returns what is left, perhaps nothing."""
        rest, self._rest = self._rest.strip(), ""
        return rest

    def _next_cut(self) -> int:
        for match in _SENTENCE_END.finditer(self._rest):
            if not _NO_END.search(self._rest[: match.end()]):
                return match.end()
        if len(self._rest) > MAX_PHRASE_CHARS:
            return self._rest.rfind(" ", 0, MAX_PHRASE_CHARS) + 1 or MAX_PHRASE_CHARS
        return 0
