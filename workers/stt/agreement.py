"""What of a hypothesis will stay: the beginning that successive hypotheses agree on (LocalAgreement).

Liu, Spanakis, Niehues: Low-Latency Sequence-to-Sequence Speech Recognition and Translation by Partial Hypothesis
Selection (Interspeech 2020).
"""

from __future__ import annotations

import re

_NO_LETTERS = re.compile(r"[\W_]+")


def agreed_words(earlier: str, later: str) -> int:
    """How many of the first words of ``later`` the hypothesis before had, too, but for case and punctuation."""
    count = 0
    for one, other in zip(earlier.split(), later.split(), strict=False):
        if _plain(one) != _plain(other):
            break
        count += 1
    return count


def stable_characters(text: str, num_words: int) -> int:
    """Where the word of that number ends in ``text``; a word's own punctuation, which may still change, is left out."""
    ends = [match.end() for match in re.finditer(r"\S+", text)]
    if num_words <= 0 or not ends:
        return 0
    return len(text[: ends[min(num_words, len(ends)) - 1]].rstrip(".,;:!?…"))


def _plain(word: str) -> str:
    """Punctuation alone is no word of its own, and agrees with nothing but itself."""
    return _NO_LETTERS.sub("", word).casefold() or word
