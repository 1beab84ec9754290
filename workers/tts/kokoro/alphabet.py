"""espeak-ng's phonemes in the letters that Kokoro was trained on.

The same tables as in misaki 0.9.4 (`misaki/espeak.py`, MIT), the model's own front end: one for English, one for all
other languages. Phonemes come with ``^`` between the letters of one.
"""

from __future__ import annotations

import re

TIE = "^"

_ENGLISH = {
    "ʔˌn\u0329": "ʔn",
    "ʔn\u0329": "ʔn",
    "a^ɪ": "I",
    "a^ʊ": "W",
    "d^ʒ": "ʤ",
    "e^ɪ": "A",
    "t^ʃ": "ʧ",
    "ɔ^ɪ": "Y",
    "ə^l": "ᵊl",
    "ʲo": "jo",
    "ʲə": "jə",
    "e": "A",
    "ʲ": "",
    "ɚ": "əɹ",
    "r": "ɹ",
    "x": "k",
    "ç": "k",
    "ɐ": "ə",
    "ɬ": "l",
    "\u0303": "",
}
_BRITISH = {"e^ə": "ɛː", "iə": "ɪə", "ə^ʊ": "Q"}
_AMERICAN = {"o^ʊ": "O", "ɜːɹ": "ɜɹ", "ɜː": "ɜɹ", "ɪə": "iə", "ː": ""}
_OTHER = {
    "a^ɪ": "I",
    "a^ʊ": "W",
    "d^z": "ʣ",
    "d^ʒ": "ʤ",
    "e^ɪ": "A",
    "o^ʊ": "O",
    "ə^ʊ": "Q",
    "s^s": "S",
    "t^s": "ʦ",
    "t^ʃ": "ʧ",
    "ɔ^ɪ": "Y",
    "-": "",
}
_SYLLABIC = "\u0329"


def in_kokoros_letters(phonemes: str, espeak_voice: str) -> str:
    """``phonemes``: as espeak-ng's ``espeak_voice`` says them, or any other IPA."""
    if not espeak_voice.startswith("en"):
        return _replaced(phonemes, _OTHER).replace(TIE, "")
    # Only here: the tables below look for a tied "e^ə", which would be gone.
    phonemes = _replaced(phonemes.replace("e^ə", "\ue000"), _ENGLISH).replace("\ue000", "e^ə")
    phonemes = re.sub(rf"(\S){_SYLLABIC}", r"ᵊ\1", phonemes).replace(_SYLLABIC, "")
    phonemes = _replaced(phonemes, _BRITISH if espeak_voice == "en-gb" else _AMERICAN)
    return phonemes.replace("o", "ɔ").replace("ɾ", "T").replace("ʔ", "t").replace(TIE, "")


def _replaced(text: str, table: dict[str, str]) -> str:
    for old, new in table.items():
        text = text.replace(old, new)
    return text
