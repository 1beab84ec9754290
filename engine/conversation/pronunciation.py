"""How an agent wants words said that its voice says wrongly. The history and the heard ledger keep them as written."""

from __future__ import annotations

import re

import msgspec

from ringline.engine.conversation.phrasing import Phrase, Word
from ringline.engine.pronunciation import parse_dictionary

_WORD = re.compile(r"(\W*)(.*?)((?:['’]s)?\W*)", re.DOTALL)
"""Marks before a word, the word, an English genitive and marks behind it."""


class Pronunciations:
    """An agent's dictionary."""

    def __init__(self, dictionary: dict[str, str]) -> None:
        """Raises ValueError for an entry that is none."""
        self._entries = parse_dictionary(dictionary)

    def apply(self, phrase: Phrase) -> tuple[Phrase, dict[str, str]]:
        """The phrase as it is to be spoken, and the IPA of those of its spoken words that have one, in lower case."""
        if not self._entries:
            return phrase, {}
        words, phonemes = [], {}
        for word in phrase.words:
            before, core, behind = _parts(word.written)
            entry = self._entries.get(core.lower())
            if entry is None:
                words.append(word)
                continue
            said = entry.respelling or core
            words.append(Word(word.written, f"{before}{said}{behind}") if entry.respelling else word)
            if entry.ipa:
                phonemes[said.lower()] = entry.ipa
        return msgspec.structs.replace(phrase, words=tuple(words)), phonemes


def _parts(written: str) -> tuple[str, str, str]:
    match = _WORD.fullmatch(written)
    assert match is not None  # any string has this form
    return match[1], match[2], match[3]
