"""The heard ledger: which word of a reply each of its samples belongs to."""

from __future__ import annotations

from ringline.engine.conversation.phrasing import Phrase

CHARACTERS_PER_S = 15
"""Of spoken English (about 14 to 17): for a phrase whose end is not known yet."""


class SpokenPhrase:
    """A phrase of a reply, and where its words stand in the reply ring."""

    def __init__(self, phrase: Phrase, rate_hz: int, is_filler: bool = False) -> None:
        self.phrase = phrase
        self.is_filler = is_filler
        """Said to bridge a wait: no part of the reply's text."""
        self.start_sample = -1
        self.end_sample = -1
        self.is_over = False
        """TTS has nothing more to write for it."""
        self.has_failed = False
        """It had words, and TTS could not speak them."""
        self._rate_hz = rate_hz
        self._marks: dict[int, int] = {}
        self._ends: list[int] = []
        """Index behind each word's last character in the spoken text."""
        end = -1
        for word in phrase.words:
            end += 1 + len(word.spoken)
            self._ends.append(end)

    def fails(self) -> None:
        """It cannot be spoken: none of its words counts."""
        self.has_failed = bool(self.phrase.words)
        self.is_over, self.phrase = True, Phrase((), self.phrase.ends_sentence)

    @property
    def is_question(self) -> bool:
        """Whether it ends with a question mark."""
        return self.phrase.written.rstrip("\"')\u201d\u2019\u00bb ").endswith(("?", "\uff1f", "\u061f"))

    @property
    def has_sound(self) -> bool:
        """Whether something of it is in the ring, or may yet come."""
        return self.start_sample != self.end_sample or not self.is_over

    @property
    def is_being_made(self) -> bool:
        """Whether TTS is writing it."""
        return self.start_sample >= 0 and self.end_sample < 0 and not self.is_over

    @property
    def expected_end_sample(self) -> int:
        """Behind its last sample, as far as is known or can be expected; -1 before it has begun."""
        if self.is_being_made:
            return self.start_sample + max(0, *self._ends, 0) * self._rate_hz // CHARACTERS_PER_S
        return max(self.start_sample, self.end_sample)

    def mark(self, chars: tuple[int, ...], samples: tuple[int, ...]) -> None:
        """The backend says at which samples words begin; ``chars`` index the spoken text."""
        self._marks.update(zip(chars, samples, strict=False))

    def was_heard(self, reply_sample: int) -> bool:
        """Whether it was over before ``reply_sample``."""
        return 0 <= self.end_sample <= reply_sample

    def words_heard(self, reply_sample: int) -> int:
        """How many of its written words were over before ``reply_sample``."""
        if self.start_sample < 0 or reply_sample <= self.start_sample:
            return 0
        if self.was_heard(reply_sample):
            return len(self.phrase.words)
        ends = [self._sample_at(char) for char in self._ends]
        return sum(end <= reply_sample for end in ends)

    def heard(self, reply_sample: int) -> str:
        """Those words."""
        return " ".join(word.written for word in self.phrase.words[: self.words_heard(reply_sample)])

    def _sample_at(self, char: int) -> float:
        """At which sample the sound of a character of the spoken text begins."""
        following = [mark for mark in self._marks if mark >= char]
        if following:
            return self._marks[min(following)]
        before = max(self._marks, default=0)
        start = self._marks.get(before, self.start_sample)
        length = self._ends[-1] - before
        end = self.end_sample
        if end < 0:
            end = start + length * self._rate_hz // CHARACTERS_PER_S
        return start + (end - start) * min(1.0, (char - before) / max(1, length))
