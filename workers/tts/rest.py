"""What is left to say of a phrase that another voice began."""

from __future__ import annotations

CHARACTERS_PER_S = 15.0
"""English is spoken at about 15 to 17 characters a second. The lower figure repeats a word rather than omit one."""


def rest_begins(text: str, spoken_s: float) -> int:
    """Index in ``text`` of the word that was being spoken after ``spoken_s``; of the last word at the latest.

    ``spoken_s``: seconds at normal speed that were spoken of it. Their words are estimated: a phrase that broke off has
    no known length.
    """
    text = text.rstrip()
    num_characters = min(int(spoken_s * CHARACTERS_PER_S), len(text))
    return text.rfind(" ", 0, num_characters) + 1
