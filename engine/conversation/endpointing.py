"""How long to wait after the caller falls silent: the endpoint rule, as a pure function of what is known.

Pauses inside a turn are of random length. Where they fall off exponentially, the silence that trades cut-off callers
against waiting best is linear in the odds that the turn is over:

    silence = endpoint_ms - PAUSE_SCALE_MS * log odds,    within endpoint_min_ms and endpoint_max_ms

Text and melody each add their log odds ("evidence", natural logarithm; positive: finished). Without any the silence is
exactly ``endpoint_ms``. What the bot expects and has heard complete is not waited for any longer than that: judges of
melody learn from sentences, and take one-word answers for beginnings. ``bench/turns.py`` measures the rule.
"""

from __future__ import annotations

import math
import re

import msgspec

from ringline.engine.config import TurnConfig
from ringline.engine.conversation.codes import asks_for_code, heard_of_code, num_digits
from ringline.engine.conversation.grammar import Fit, fit
from ringline.engine.conversation.open_ends import open_ends
from ringline.engine.conversation.spelling import HESITATIONS, readings
from ringline.ipc.messages import Expectation

PAUSE_SCALE_MS = 200.0
"""Silence per unit of evidence: how fast pauses inside turns fall off (bench/turns.py)."""

COMPLETE = 3.0
"""The sentence is one that the bot expects, and none goes on from there."""
COMPLETE_SO_FAR = 1.0
"""... but a longer one begins like it."""
ANSWER = 2.0
"""An answer as one gives it to any question."""
HALF_WAY = -3.0
"""A sentence that the bot expects begins like this, and has more words."""
OPEN_END = -1.5
"""It takes little to make a recogniser write ``the``: behind a pause it is there 2.7 times as often as behind an end in
read speech, by exact text, and just as often by pocketsphinx's dictation."""
MISSING_DIGITS = -4.0
"""Digits, letters or half of an address are missing. Melody is not asked: it falls with each group of a number."""
ALL_DIGITS = 3.0
FULL_STOP, COMMA = 0.2, -1.9
"""Punctuation of recognisers that write it, by Whisper base: a full stop ends 92 % of ended sentences, but also 77 % of
those that go on; a comma or an ellipsis 1 % and 7 % (bench/punctuation.py). What is expected, or an answer, is complete
whatever mark stands behind it."""

SURE = 3.5
"""Bound of the melody's evidence, 97 %: it is never as sure as a model may say."""

HABIT_PAUSES = 4
"""A caller's own pauses count fully from so many on."""
HABIT_MARGIN = 1.25
"""... and the next may be so much longer than their longest of late."""
ONSET_MS = 100.0
"""So long after they go on the VAD is sure of it: a pause looks so much longer to the endpoint."""
HABIT_UNTIL = 1.0
"""From so much evidence on the turn is over, whatever the caller's habits."""

_WORD = re.compile(r"[\w'-]+")
_APOSTROPHES = str.maketrans({"\u2019": "'", "\u02bc": "'"})
_DASHES = "-\u2013\u2014"


class Decision(msgspec.Struct, frozen=True):
    """What the rule decided, and why."""

    silence_ms: int
    """The turn is over after so much silence."""
    reasons: tuple[str, ...] = ()
    """For the trace: ``text: ends in 'and'``, ``melody: finished 0.91``, ``pauses: caller pauses up to 700 ms``."""


class Endpointing:
    """The endpoint rule for one call."""

    def __init__(self, config: TurnConfig, language: str = "en", trusts_dictation: bool = True) -> None:
        """``trusts_dictation``: whether text counts that follows no grammar. By pocketsphinx's the rule does worse than
        without any (``bench/turns.py --text``)."""
        self._config = config
        self._language = language
        self._words = open_ends(language)
        self._trusts_dictation = trusts_dictation
        self._pauses: list[float] = []

    def paused(self, pause_ms: float) -> None:
        """The caller paused so long inside a turn and went on."""
        self._pauses = [*self._pauses, pause_ms][-HABIT_PAUSES:]

    def decide(self, text: str, expect: Expectation, finished: float | None, asked: str = "") -> Decision:
        """How long to wait, by the best transcript so far, what the bot expects, the melody's word (0 to 1), and what
        the bot has ``asked`` in its last words."""
        evidence, reasons = self._text(text, expect, asked)
        is_complete = evidence >= COMPLETE_SO_FAR
        if finished is not None and evidence > MISSING_DIGITS:
            odds = math.log(max(finished, 1e-6) / max(1.0 - finished, 1e-6))
            evidence += max(-SURE, min(SURE, odds))
            reasons = (*reasons, f"melody: finished {finished:.2f}")
            if is_complete:
                evidence = max(0.0, evidence)
        silence_ms = self._config.endpoint_ms - PAUSE_SCALE_MS * evidence
        if self._pauses:
            habit_ms = self._habit_ms()
            if habit_ms > silence_ms and evidence < HABIT_UNTIL:
                silence_ms = habit_ms
                reasons = (*reasons, f"pauses: caller pauses up to {max(self._pauses):.0f} ms")
        bounded = min(self._config.endpoint_max_ms, max(self._config.endpoint_min_ms, round(silence_ms)))
        return Decision(bounded, reasons)

    def _habit_ms(self) -> float:
        weight = len(self._pauses) / HABIT_PAUSES
        return weight * HABIT_MARGIN * (max(self._pauses) + ONSET_MS)

    def _text(self, text: str, expect: Expectation, asked: str) -> tuple[float, tuple[str, ...]]:
        text = text.lower().translate(_APOSTROPHES)
        words = tuple(_WORD.findall(text))
        if not words:
            return 0.0, ()
        if expect.spoken_digits:
            said = num_digits(text, self._language)
            if said:
                missing = expect.spoken_digits - said
                if missing > 0:
                    return MISSING_DIGITS, (f"text: {said} of {expect.spoken_digits} digits",)
                return ALL_DIGITS, (f"text: all {expect.spoken_digits} digits",)
        if expect.grammar:
            heard = _fit(expect.grammar, text)
            if heard.complete and words[-1] not in HESITATIONS:
                if heard.goes_on:
                    return COMPLETE_SO_FAR, ("text: complete, may go on",)
                return COMPLETE, ("text: complete",)
            if heard.goes_on:
                return HALF_WAY, ("text: half of what is expected",)
        is_answer = " ".join(words) in self._words.answers
        if not is_answer and (self._trusts_dictation or asks_for_code(asked, self._language)):
            code = heard_of_code(text, asked, self._language)
            if code is not None:
                return ALL_DIGITS if code.complete else MISSING_DIGITS, (f"text: {code.what}",)
        if not self._trusts_dictation:
            return 0.0, ()
        if is_answer:
            return ANSWER, ("text: an answer",)
        if ending := self._words.ending(words):
            return OPEN_END, (f"text: ends in '{ending}'",)
        last = text.rstrip()[-1]
        if text.rstrip().endswith(("...", "\u2026")) or last in ",;:" + _DASHES:
            return COMMA, (f"text: ends in '{last}'",)
        if last in ".?!":
            return FULL_STOP, ("text: ends a sentence",)
        return 0.0, ()


def _fit(grammar: str, text: str) -> Fit:
    """How a text stands to a grammar, however its numerals are read."""
    fits = [fit(grammar, words) for words in readings(text) if words]
    return Fit(any(one.complete for one in fits), any(one.goes_on for one in fits))
