"""Speech over the bot: does the caller want the floor, or only show that they listen?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum, auto

from ringline.engine.conversation.backchannels import BACKCHANNELS, FAREWELLS, HOMOPHONES, WRITTEN_FREELY
from ringline.engine.conversation.language_tags import primary_language


class Verdict(Enum):
    """What the sound over the bot's speech was."""

    UNDECIDED = auto()
    NOTHING = auto()
    """A cough, a knock, the line."""
    BACKCHANNEL = auto()
    """"uh-huh", "okay": go on."""
    INTERRUPTION = auto()
    MISHEARD = auto()
    """An interruption, too, but not by the words that were understood: those are a listener's, or none."""


_NO_WORD = re.compile(r"[^\w' ]+|_")
_LENGTHENED = re.compile(r"([^\W\d])\1+")
_HYPHEN = re.compile(r"[-\u2010-\u2015]")

LOW_SENSITIVITY_WORDS = 2
"""With ``barge_in = "low"``, so many words beside backchannels are an interruption."""


LISTENING_MS, LISTENING_MS_PER_LETTER = 570.0, 40.0
"""Nobody takes longer to say a backchannel, with the breath before it. Recognisers with a closed vocabulary hear whole
sentences as one: of recorded strangers' sentences of a second and more, one in fifty (bench/barge_in.py)."""

SURELY_OTHER_WORDS, RATHER_OTHER_WORDS, SURELY_NO_OTHER_WORDS = 0.7, 0.5, 0.1
"""What the recogniser's ear for the sound itself says against its words, counts from here on: against a listener's
words, against none, and against others. Of short words in voices that it was not fitted to, noisy and distorted, the
words alone find 67 % of the interruptions and take 32 % of the backchannels for one; so corrected, 96 and 33 %
(``--part tune``)."""
LONGEST_BACKCHANNEL_MS = 800.0
"""What sounds like nothing else may take so long, "oh, okay" with its breath; longer speech is hardly in that ear's
training."""


def normalise(text: str) -> str:
    """Lower case, words only, one space between them."""
    text = text.lower().replace("\u2019", "'")
    return " ".join(_NO_WORD.sub("", _HYPHEN.sub(" ", text)).split())


class OverlapJudge:
    """Knows one language's backchannels."""

    def __init__(self, language: str = "en", sensitivity: str = "normal") -> None:
        self._sensitivity = sensitivity
        code = primary_language(language)
        backchannels = (*BACKCHANNELS.get(code, ()), *WRITTEN_FREELY.get(code, ()))
        self._backchannels = _Phrases(backchannels)
        self._farewells = _Phrases((*backchannels, *FAREWELLS.get(code, ())))
        self._sounds_alike = _Phrases((*backchannels, *HOMOPHONES.get(code, ())))

    def judge(
        self,
        text: str,
        is_final: bool,
        is_goodbye: bool = False,
        spoken_ms: float = 0.0,
        other_words: float | None = None,
        is_doubtful: bool = False,
        closed_vocabulary: bool = False,
    ) -> Verdict:
        """What the words heard so far mean; of a final transcript it is never undecided.

        ``is_goodbye``: the bot is ending the call, and "thank you, bye" is no wish to go on. ``spoken_ms``: how long
        they took to say, if that is known; so much speech may be more than what was understood of it. ``other_words``:
        as in `TranscriptFinal`. ``is_doubtful``: to the VAD it hardly sounded like speech; then words are believed only
        if the ear agrees. ``closed_vocabulary``: as in `TranscriptFinal`; else a listener's words were surely said.
        """
        words = normalise(text).split()
        verdict = self._judge_words(words, is_final, is_goodbye, spoken_ms if closed_vocabulary else 0.0)
        if verdict is Verdict.INTERRUPTION and self._sensitivity == "normal" and not closed_vocabulary:
            verdict = self._judge_homophones(words, is_final, other_words)
        if other_words is None or self._sensitivity != "normal":
            return verdict
        if is_doubtful:
            is_believed = verdict is Verdict.INTERRUPTION and other_words > SURELY_OTHER_WORDS
            return verdict if is_believed else Verdict.NOTHING
        misses_words = verdict is Verdict.NOTHING and other_words > RATHER_OTHER_WORDS
        took_words = verdict is Verdict.BACKCHANNEL and other_words > SURELY_OTHER_WORDS and closed_vocabulary
        if (misses_words or took_words) and not is_goodbye:
            return Verdict.MISHEARD
        is_short = spoken_ms <= LONGEST_BACKCHANNEL_MS
        if verdict is Verdict.INTERRUPTION and other_words < SURELY_NO_OTHER_WORDS and is_short:
            return Verdict.BACKCHANNEL
        return verdict

    def _judge_words(self, words: list[str], is_final: bool, is_goodbye: bool, spoken_ms: float) -> Verdict:
        if not words:
            return Verdict.NOTHING if is_final else Verdict.UNDECIDED
        if self._sensitivity == "high":
            return Verdict.INTERRUPTION
        rest = (self._farewells if is_goodbye else self._backchannels).strip(words)
        if not rest and spoken_ms > LISTENING_MS + LISTENING_MS_PER_LETTER * len("".join(words)):
            return Verdict.INTERRUPTION
        if not rest:
            return Verdict.BACKCHANNEL if is_final else Verdict.UNDECIDED
        if not is_final and self._backchannels.begins(rest):
            return Verdict.UNDECIDED
        if self._sensitivity == "low" and len(rest) < LOW_SENSITIVITY_WORDS:
            return Verdict.BACKCHANNEL if is_final else Verdict.UNDECIDED
        return Verdict.INTERRUPTION

    def _judge_homophones(self, words: list[str], is_final: bool, other_words: float | None) -> Verdict:
        """What words are that were taken for an interruption, and may only be spelt like one."""
        rest = self._sounds_alike.strip(words)
        if rest and (is_final or not self._sounds_alike.begins(rest)):
            return Verdict.INTERRUPTION
        if not is_final:
            return Verdict.UNDECIDED
        is_listener = other_words is not None and other_words < RATHER_OTHER_WORDS
        return Verdict.BACKCHANNEL if is_listener else Verdict.INTERRUPTION

    def may_be_nothing(self, partial: str) -> bool:
        """Whether there are no words yet, or none but backchannels, or what may become one."""
        return self.judge(partial, is_final=False) is Verdict.UNDECIDED


def _shortened(word: str) -> str:
    """No letter twice in a row: "ohh" is "oh", and "okaaay" is "okay"."""
    return _LENGTHENED.sub(r"\1", word)


class _Phrases:
    """A set of short phrases, as tuples of words, however lengthened they are."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._phrases = {tuple(map(_shortened, phrase.split())) for phrase in phrases}
        self._longest = max((len(phrase) for phrase in self._phrases), default=0)

    def strip(self, words: list[str]) -> list[str]:
        """The words left when all phrases at their beginning are taken away."""
        short = tuple(map(_shortened, words))
        start = 0
        while start < len(words):
            for length in range(min(self._longest, len(words) - start), 0, -1):
                if short[start : start + length] in self._phrases:
                    start += length
                    break
            else:
                return words[start:]
        return []

    def begins(self, words: list[str]) -> bool:
        """Whether the words may become one of the phrases."""
        short = tuple(map(_shortened, words))
        return any(phrase[: len(words)] == short for phrase in self._phrases)
