"""A phrase's text, made ready for a synthesiser."""

from __future__ import annotations

import re
import unicodedata

SEGMENT_CHARS = 240
"""Text per synthesis, about 20 s of speech: bounds the audio an idle iterator holds and the wait of the others."""


def speakable(text: str) -> tuple[str, list[int]]:
    """``text`` without what espeak-ng would take for commands: control characters and private code points. And for each
    of its characters, the index in ``text``."""
    kept = [
        (" " if character.isspace() else character, index)
        for index, character in enumerate(text)
        if not _unspoken(character)
    ]
    return "".join(character for character, _ in kept), [index for _, index in kept]


def _unspoken(character: str) -> bool:
    # The zero width joiners spell words in some scripts; all other format characters only lay text out.
    return unicodedata.category(character)[0] == "C" and not character.isspace() and character not in "\u200c\u200d"


def segments(text: str) -> list[tuple[int, str]]:
    """``text`` in pieces of at most SEGMENT_CHARS, cut at the last sentence end, clause or word that fits; with the
    index at which each begins."""
    pieces = []
    start = 0
    while len(text) - start > SEGMENT_CHARS:
        head = text[start : start + SEGMENT_CHARS + 1]
        cut = 0
        for pattern in (r"[.!?;:]\s", r"[\u3002\uff01\uff1f]", r"[,\u3001\uff0c]\s?", r"\s"):
            cut = max((match.end() for match in re.finditer(pattern, head)), default=0)
            if cut >= SEGMENT_CHARS // 3:
                break
        cut = min(cut or SEGMENT_CHARS, SEGMENT_CHARS)
        pieces.append((start, head[:cut]))
        start += cut
    pieces.append((start, text[start:]))
    return [(start + len(piece) - len(piece.lstrip()), piece.strip()) for start, piece in pieces if piece.strip()]
