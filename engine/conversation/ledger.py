"""The heard ledger: which word of a reply each of its samples belongs to."""

from __future__ import annotations

import math

from ringline.engine.conversation.phrasing import Phrase

CHARACTERS_PER_S = 15
"""Of spoken English (about 14 to 17), as long as nothing better is known of a voice."""


class Pace:
    """How fast a voice speaks, learned from the phrases it has finished."""

    def __init__(self, rate_hz: int, speed: float = 1.0) -> None:
        self._rate_hz = rate_hz
        self._chars, self._samples = CHARACTERS_PER_S * speed, float(rate_hz)
        self._is_learned = False

    def samples(self, num_chars: int) -> int:
        """How long so many characters take, about."""
        return int(num_chars * self._samples / self._chars)

    def duration_s(self, phrase: Phrase) -> float:
        """How long it takes, about."""
        return self.samples(len(phrase.spoken)) / self._rate_hz

    def learn(self, num_chars: int, num_samples: int) -> None:
        """So many characters took so long."""
        if num_chars > 0 and num_samples > 0:
            known = (self._chars, self._samples) if self._is_learned else (0, 0)
            self._chars, self._samples = known[0] + num_chars, known[1] + num_samples
            self._is_learned = True


class SpokenPhrase:
    """A phrase of a reply, and where its words stand in the reply ring."""

    def __init__(self, phrase: Phrase, pace: Pace, is_filler: bool = False, number: int = -1) -> None:
        self.phrase = phrase
        self.number = number
        """Its name towards TTS; a bridge has none."""
        self.is_filler = is_filler
        """Said to bridge a wait: no part of the reply's text."""
        self.start_sample = -1
        self.end_sample = -1
        self.is_over = False
        """TTS has nothing more to write for it."""
        self.has_failed = False
        """It had words, and TTS could not speak them."""
        self._pace = pace
        self._marks: dict[int, int] = {}
        self._ends: list[int] = []
        """Index behind each word's last character in the spoken text."""
        end = -1
        for word in phrase.words:
            end += 1 + len(word.spoken)
            self._ends.append(end)

    def fails(self) -> None:
        """It cannot be spoken: none of its words counts."""
        self.has_failed = self.has_failed or bool(self.phrase.words)
        self.is_over, self.phrase = True, Phrase((), self.phrase.ends_sentence)

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
            return self.start_sample + self._pace.samples(self._ends[-1] if self._ends else 0)
        return max(self.start_sample, self.end_sample)

    def finish(self, start_sample: int, end_sample: int) -> None:
        """All of it is in the ring, there."""
        self.start_sample, self.end_sample, self.is_over = start_sample, end_sample, True
        if self._ends:
            self._pace.learn(self._ends[-1], end_sample - start_sample)

    def mark(self, chars: tuple[int, ...], samples: tuple[int, ...]) -> None:
        """The backend says at which samples words begin; ``chars`` index the spoken text."""
        self._marks.update(zip(chars, samples, strict=False))

    def was_heard(self, reply_sample: int) -> bool:
        """Whether it was over before ``reply_sample``."""
        return 0 <= self.end_sample <= reply_sample

    def words_heard(self, reply_sample: int) -> int:
        """How many of its written words were heard before ``reply_sample``: half a word is understood."""
        if self.start_sample < 0 or reply_sample <= self.start_sample:
            return 0
        if self.was_heard(reply_sample):
            return len(self.phrase.words)
        begins = (0, *(end + 1 for end in self._ends))
        middles = ((self._sample_at(a) + self._sample_at(b)) / 2 for a, b in zip(begins, self._ends, strict=False))
        return sum(middle <= reply_sample for middle in middles)

    def is_exact(self, reply_sample: int) -> bool:
        """Whether `words_heard` goes by what TTS says of these words, and not by their letters."""
        if self.start_sample < 0 or reply_sample <= self.start_sample or self.was_heard(reply_sample):
            return True
        num_heard = self.words_heard(reply_sample)
        return all(self._is_marked(char) for char in self._ends[max(0, num_heard - 1) : num_heard + 1])

    def heard(self, reply_sample: int) -> str:
        """Those words."""
        return " ".join(word.written for word in self.phrase.words[: self.words_heard(reply_sample)])

    def _is_marked(self, end: int) -> bool:
        """Whether it is known where the word with this end is over, or that it is not."""
        if end == self._ends[-1] and self.end_sample >= 0:
            return True
        return end + 1 in self._marks or (self.end_sample < 0 and 0 <= max(self._marks, default=-1) <= end)

    def _sample_at(self, char: int) -> float:
        """At which sample the sound of a character of the spoken text begins; infinity if that is not in the ring."""
        following = [mark for mark in self._marks if mark >= char]
        if following:
            return self._marks[min(following)]
        if self._marks and self.end_sample < 0:
            return math.inf  # TTS names the words as they get into the ring
        before = max(self._marks, default=0)
        start = self._marks.get(before, self.start_sample)
        length = self._ends[-1] - before
        end = self.end_sample if self.end_sample >= 0 else start + self._pace.samples(length)
        return start + (end - start) * min(1.0, (char - before) / max(1, length))
