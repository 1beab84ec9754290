"""A grammar for speech over the bot: what the bot expects to hear, what listeners say, what is said to get a word in,
digits, or no words at all."""

from __future__ import annotations

import re
from collections.abc import Callable

from ringline.engine.conversation.backchannels import BACKCHANNELS

LANGUAGE = "en"
"""Of the model in pocketsphinx's wheel."""

MISTAKABLE = frozenset({"oh", "ah", "uh", "um", "hm", "hmm", "mm", "really", "cool"})
"""Backchannels left out: a grammar with them hears coughs as `ah`, `no` as `oh`, `ten` as `really` and the like more
often than not (bench/overlaps.py). Without them such a sound is found to be no word, and the bot goes on all the same.
"""

INTERJECTIONS = (
    "stop", "stop it", "wait", "wait a minute", "wait a moment", "wait a second", "wait please", "no", "no no",
    "hold on", "hold on a second", "hang on", "hang on a second", "one moment", "one second", "just a moment",
    "just a minute", "excuse me", "sorry", "i'm sorry", "pardon", "hello", "hey", "listen", "please",
    "that's wrong", "i have a question",
)  # fmt: skip
"""What is said to get a word in. The bot expects none of it, and where the grammar has it not, these sounds resemble
listening words: `stop` is heard as `okay`, `wait` as `great`, `hello` as `o k`. Not among them are `but`, which coughs
are heard as, `help`, which `good` is heard as, and `what`, which voices in the background are (bench/barge_in.py)."""

DIGITS = ("zero", "four", "five", "seven", "nine")
"""Answers that callers give before they are asked, and which the grammar of the moment may not have: then "zero" is
heard as "sure" and "seven" as "good". With them, 79 % of recorded digits are found to be interruptions, not 75 %, and
88 instead of 73 % of the speakers they were chosen with. Coughs and hums are heard as the other digits
(bench/barge_in.py)."""

_PUBLIC = re.compile(r"\bpublic\s+<([^>]+)>")


def overlap_grammar(grammar: str, is_known: Callable[[str], bool]) -> str:
    """``grammar`` (JSGF, or empty) with backchannels, interjections and digits beside its sentences, all optional.

    Optional, because a grammar that nothing fits may then be passed with the model's noise words alone; else a cough
    becomes the sentence that resembles it most. ``is_known``: whether the recogniser's dictionary has a word.
    """
    rules = _PUBLIC.findall(grammar)
    phrases = [
        phrase
        for phrase in (*BACKCHANNELS[LANGUAGE], *INTERJECTIONS, *DIGITS)
        if phrase not in MISTAKABLE and all(is_known(word) for word in phrase.split())
    ]
    alternatives = " | ".join([*(f"<{rule}>" for rule in rules), *phrases])
    own = _PUBLIC.sub(r"<\1>", grammar) or "#JSGF V1.0;\ngrammar overlap;\n"
    return f"{own}public <overlap> = [{alternatives}];\n"
