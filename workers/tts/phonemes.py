"""A text in phonemes, word by word, as espeak-ng would say it.

espeak-ng speaks some words as one ("of a" is ``əvə``) and some as several ("42nd"), so its groups of phonemes are laid
beside the words as it says each alone. That decides only which word a phoneme counts for, never what is said.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from itertools import islice
from typing import NamedTuple

from ringline.workers.tts.espeak_library import library
from ringline.workers.tts.text import speakable

MARKS = ';:,.!?¡¿—…"«»“”()„‚‘’、。！，：；？'
"""What may stand around a word and is no part of it."""

_LANGUAGE_SWITCH = re.compile(r"\([^)]*\)")
"""espeak-ng says so where it reads a word by another language's rules: ``(en)hˈaɪ(de)``."""
_TWO_LETTERS = re.compile("aɪ|aʊ|eɪ|oʊ|əʊ|ɔɪ|dʒ|tʃ|ts|dz")
_INSIDE = "ː\u0329\u0303"
"""What belongs to the letter before it."""
_CLAUSE_END = re.compile(r"[;:,.!?—…、。！，：；？]")


class SpokenWord(NamedTuple):
    """A word of a text."""

    char: int
    """Index of its first character in the text."""
    phonemes: str
    """IPA with stress marks, with the punctuation around the word and the space behind it, where there is one."""


def spoken_words(text: str, voice: str, tie: str = "", dictionary: Mapping[str, str] | None = None) -> list[SpokenWord]:
    """The words of ``text`` that make a sound. Joined, their phonemes are those of the text.

    ``voice``: one of espeak-ng's. ``dictionary``: the IPA of words that are not to be said by its rules, by the word in
    lower case. Raises ValueError for a voice that does not exist.
    """
    dictionary = dictionary or {}
    identifier = library().voice(voice)
    cleaned, chars = speakable(text)
    found: list[SpokenWord] = []
    clause: list[tuple[int, str, str, str]] = []
    """(char, marks before, word, marks behind)"""
    for match in re.finditer(r"\S+", cleaned):
        token = match.group()
        word = token.strip(MARKS)
        if not word:
            if clause:
                char, before, last, behind = clause[-1]
                clause[-1] = char, before, last, behind + token
        else:
            before, _, behind = token.partition(word)
            clause.append((chars[match.start()], before, word, behind))
        if clause and _CLAUSE_END.search(clause[-1][3]):
            found += _clause(clause, identifier, tie, dictionary)
            clause = []
    return found + _clause(clause, identifier, tie, dictionary)


def _clause(
    clause: list[tuple[int, str, str, str]], voice: bytes, tie: str, dictionary: Mapping[str, str]
) -> list[SpokenWord]:
    said: list[str] = []
    run: list[str] = []
    for _, _, word, _ in clause:
        own = dictionary.get(word.lower())
        if own is None:
            run.append(word)
        else:
            said += [*_phonemes(run, voice, tie), _tied(own, tie) + " "]
            run = []
    said += _phonemes(run, voice, tie)
    words = []
    for (char, before, _, behind), phonemes in zip(clause, said, strict=True):
        if phonemes.strip():
            space = " " if phonemes.endswith(" ") else ""
            words.append(SpokenWord(char, before + phonemes.strip() + behind + space))
        elif words:
            words[-1] = words[-1]._replace(phonemes=words[-1].phonemes.rstrip() + behind + " ")
    return words


def _phonemes(words: list[str], voice: bytes, tie: str) -> list[str]:
    """The phonemes of each word, with the space behind it; empty where it makes no sound."""
    if not words:
        return []
    together = _said(" ".join(words), voice, tie)
    groups = together.split()
    if len(groups) == len(words):
        return [group + " " for group in groups]
    alone = [_said(word, voice, tie) for word in words]
    sizes = [len(said.split()) for said in alone]
    if sum(sizes) == len(groups):
        rest = iter(groups)
        return ["".join(group + " " for group in islice(rest, size)) for size in sizes]
    starts = _laid_beside([said.replace(" ", "") for said in alone], together, tie)
    ends = [*starts[1:], len(together)]
    return [
        together[start:end] + (" " if end == len(together) else "") for start, end in zip(starts, ends, strict=True)
    ]


def _tied(ipa: str, tie: str) -> str:
    """IPA written by hand, with the tie in the phonemes of two letters."""
    ipa = ipa.replace("\u0361", "")
    return _TWO_LETTERS.sub(lambda match: tie.join(match.group()), ipa) if tie else ipa


def _said(text: str, voice: bytes, tie: str) -> str:
    said = _LANGUAGE_SWITCH.sub("", library().phonemes(text, voice, tie))
    return " ".join(said.split())


def _laid_beside(alone: list[str], together: str, tie: str) -> list[int]:
    """Index in ``together`` at which each word begins: never in the middle of a phoneme."""
    joined = " ".join(alone)
    codes = SequenceMatcher(None, joined, together, autojunk=False).get_opcodes()
    firsts = [code[1] for code in codes]
    starts, position = [0], 0
    for word in alone[:-1]:
        position += len(word) + 1
        _, i1, i2, j1, j2 = codes[max(0, bisect.bisect_right(firsts, min(position, len(joined) - 1)) - 1)]
        start = j1 + (position - i1) * (j2 - j1) // max(1, i2 - i1)
        while 0 < start < len(together) and (together[start] in _INSIDE + tie or together[start - 1] == tie):
            start -= 1
        starts.append(max(starts[-1], min(start, len(together))))
    return starts
