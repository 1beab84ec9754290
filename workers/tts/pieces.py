"""A phrase in pieces, each made by the model in one run.

The shorter the first, the sooner the call hears something; the longer the others, the more natural they sound. And
while a piece is made, no other call's is.
"""

from __future__ import annotations

import re

import msgspec

FIRST_CHARS = 8
"""The first piece ends at the first pause behind so much text: the call waits for all of it to be made."""
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


def pieces(text: str) -> list[Piece]:
    """All of ``text``; none if it is only space."""
    found: list[Piece] = []
    start = 0
    while text[start:].strip():
        end, pause_ms = _end(text, start, FIRST_CHARS if not found else CLAUSE_CHARS)
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
