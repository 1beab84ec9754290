"""The entries of an agent's pronunciation dictionary."""

from __future__ import annotations

import re

import msgspec

_ENTRY = re.compile(r"(?P<respelling>[^/]*?)\s*(?:/(?P<ipa>[^/]+)/)?")


class Pronunciation(msgspec.Struct, frozen=True):
    """One entry of the dictionary."""

    respelling: str
    """In letters; empty: as the word is written."""
    ipa: str
    """For voices that take phonemes, in place of the respelling; empty: none."""

    @classmethod
    def parse(cls, text: str) -> Pronunciation:
        """From ``shi-vawn``, ``/ʃɪvˈɔːn/``, or both: ``shi-vawn /ʃɪvˈɔːn/``. Raises ValueError."""
        match = _ENTRY.fullmatch(text.strip())
        if match is None or not text.strip():
            raise ValueError(f"`{text}` is no respelling, no /IPA/, and not the one followed by the other")
        respelling, ipa = match["respelling"].strip(), (match["ipa"] or "").strip()
        if ipa and " " in respelling:
            raise ValueError(f"`{text}`: a respelling beside /IPA/ must be one word (join it with hyphens)")
        return cls(respelling, ipa)


def parse_dictionary(dictionary: dict[str, str]) -> dict[str, Pronunciation]:
    """Word -> text of an entry, as word in lower case -> entry. Raises ValueError."""
    for word in dictionary:
        if word.split() != [word]:
            raise ValueError(f"pronunciations: `{word}` is not one word")
    return {word.lower(): Pronunciation.parse(text) for word, text in dictionary.items()}
