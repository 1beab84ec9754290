"""A phrase in pieces, each said by the model as one utterance.

The longer they are, the more natural they sound. But of a model that makes a piece in one go, the call hears nothing
before all of the first is made, and no other call is served meanwhile.
"""

from __future__ import annotations

import re

import msgspec

FIRST_CHARS = 8
"""The first piece of such a model ends at the first pause behind so much text."""
CLAUSE_CHARS = 80
"""A longer piece may end at a clause."""
MAX_CHARS = 200
"""About 13 s of speech. A longer one is cut at a word."""

SENTENCE_PAUSE_MS = 300
CLAUSE_PAUSE_MS = 150
"""Between two pieces, whose own silence is cut off: what speakers leave there."""

_END = re.compile(r"(?P<sentence>[.!?…]+[\"'”»)]*\s|[。！？]+)|(?P<clause>[,;:—][\"'”»)]*\s|[、，；：])")


class Piece(msgspec.Struct, frozen=True):
    """What is made at once."""

    text: str
    """Without space around it."""
    char: int
    """Index in the phrase's text at which it begins."""
    pause_ms: int
    """Silence behind it; 0 where it ends in the middle of a clause, or the phrase with it."""


def pieces(text: str, *, is_streamed: bool = False) -> list[Piece]:
    """All of ``text``; none if it is only space. ``is_streamed``: the model gives the sound of a piece bit by bit, so
    that the first may be as long as the others."""
    first_chars = CLAUSE_CHARS if is_streamed else FIRST_CHARS
    found: list[Piece] = []
    start = 0
    while text[start:].strip():
        end, pause_ms = _end(text, start, CLAUSE_CHARS if found else first_chars)
        part = text[start:end]
        if part.strip():
            is_last = not text[end:].strip()
            char = start + len(part) - len(part.lstrip())
            found.append(Piece(part.strip(), char, 0 if is_last else pause_ms))
        start = end
    return found


def _end(text: str, start: int, clause_chars: int) -> tuple[int, int]:
    """Where the piece that begins at ``start`` ends, and the pause behind it."""
    clause_end = 0
    for match in _END.finditer(text, start):
        if match.end() - start > MAX_CHARS:
            break
        if match["sentence"] and match.end() - start >= FIRST_CHARS:
            return match.end(), SENTENCE_PAUSE_MS
        clause_end = match.end()
        if clause_end - start >= clause_chars:
            return clause_end, CLAUSE_PAUSE_MS
    if len(text) - start <= MAX_CHARS:
        return len(text), 0
    if clause_end:
        return clause_end, CLAUSE_PAUSE_MS
    space = text.rfind(" ", start + 1, start + MAX_CHARS)
    return (space if space > start else start + MAX_CHARS), 0
