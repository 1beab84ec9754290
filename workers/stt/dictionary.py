"""Words that a recogniser's dictionary lacks: how they are pronounced, in its phones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ringline.workers.tts.phonemes import spoken_words

_TOKEN = re.compile(r"\A#JSGF[^;]*;\s*grammar[^;]*;|public\s+<[^>]*>\s*=|<[^>]*>|/[^/]*/|[^\s()\[\]|<>;=*+/]+")
"""The header, what is declared, a rule's name, a weight; or else a word."""

_PHONES = {
    "aɪɚ": "AY ER", "aɪə": "AY AH", "tʃ": "CH", "dʒ": "JH", "aɪ": "AY", "aʊ": "AW", "eɪ": "EY", "oʊ": "OW", "ɔɪ": "OY",
    "iə": "IY AH", "ɑː": "AA", "ɔː": "AO", "ɜː": "ER", "iː": "IY", "uː": "UW", "oː": "AO",
    "æ": "AE", "ɐ": "AH", "ə": "AH", "ʌ": "AH", "ɛ": "EH", "e": "EH", "ɚ": "ER", "ɪ": "IH", "ᵻ": "IH", "i": "IY",
    "ʊ": "UH", "u": "UW", "ɔ": "AO", "ɑ": "AA", "a": "AA", "o": "OW",
    "b": "B", "d": "D", "ð": "DH", "f": "F", "ɡ": "G", "h": "HH", "j": "Y", "k": "K", "l": "L", "m": "M", "n": "N",
    "ŋ": "NG", "p": "P", "ɹ": "R", "r": "R", "s": "S", "ʃ": "SH", "t": "T", "ɾ": "T", "ʔ": "T", "θ": "TH", "v": "V",
    "w": "W", "x": "K", "z": "Z", "ʒ": "ZH",
}  # fmt: skip
"""espeak-ng's American English -> CMUdict's, with which pocketsphinx's model was trained; longest first."""
_PHONE = re.compile("|".join(_PHONES))


def unknown_words(grammar: str, is_known: Callable[[str], bool]) -> Iterator[str]:
    """The words of a grammar (JSGF) that are not known, each once."""
    tokens = dict.fromkeys(_TOKEN.findall(grammar))
    return (
        token for token in tokens if not token.startswith(("#", "<", "/")) and token[-1] != "=" and not is_known(token)
    )


def pronunciation(word: str) -> str:
    """CMUdict's phones of an English word that no dictionary has, such as a name; empty if it makes no sound."""
    ipa = "".join(one.phonemes for one in spoken_words(word, "en-us"))
    return " ".join(_PHONES[found] for found in _PHONE.findall(ipa))
