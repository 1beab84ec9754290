"""How long a reply of a language model may be: nobody listens to a long answer on the telephone, but what it asks at
its end is what the caller waits for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ringline.engine.conversation.phrasing import Phrase

MAX_REPLY_S = 20.0
"""What a model may say at once, unless its agent says otherwise: four or five sentences, some fifty words. The prompt
asks for one or two."""
GRACE_S = 5.0
"""So much more is not worth leaving a sentence out."""
RUN_ON = 2
"""A sentence that goes on beyond so many times the limit is broken off between two clauses."""
MAX_HELD = 10
"""A model that writes on beyond so many times the limit has no end."""
SHORT_WORDS = 3
"""Sentences of so few words ("Sure!", "Let me see.") are not counted."""


class LengthLimit:
    """Lets the phrases of one step of a reply through until it is long enough, and holds the others back to its end:
    then the question among them is said, the last of several, or else how the reply ends. The rest is left out."""

    def __init__(
        self, max_sentences: int = 0, max_s: float = 0.0, duration_s: Callable[[Phrase], float] = lambda _: 0.0
    ) -> None:
        """``max_sentences``, ``max_s``: 0 for any number, and for any length; ``duration_s``: about how long a phrase
        takes."""
        self.num_cut_words = 0
        """Left out, in all steps."""
        self._max_sentences, self._max_s, self._duration_s = max_sentences, max_s, duration_s
        self.next_step()

    def next_step(self) -> None:
        """Tools have answered; what is written now has a length of its own."""
        self._num_sentences, self._said_s = 0, 0.0
        self._num_words = 0
        """Of the sentence under way."""
        self._held: list[Phrase] = []
        self._is_broken = False
        """What is held begins within a sentence."""

    def admit(self, phrases: Sequence[Phrase]) -> list[Phrase]:
        """Those of the model's next phrases that can be said at once."""
        admitted = []
        for phrase in phrases:
            if self._held or self._is_reached:
                self._is_broken = self._is_broken or (not self._held and self._num_words > 0)
                self._held.append(phrase)
                continue
            self._said_s += self._duration_s(phrase)
            self._num_words += len(phrase.words)
            if phrase.ends_sentence:
                self._num_sentences += self._num_words > SHORT_WORDS
                self._num_words = 0
            admitted.append(phrase)
        return admitted

    @property
    def _is_reached(self) -> bool:
        max_s = self._max_s * (RUN_ON if self._num_words else 1)
        if max_s and self._said_s >= max_s:
            return True
        return bool(self._max_sentences) and not self._num_words and self._num_sentences >= self._max_sentences

    @property
    def is_reached(self) -> bool:
        """Whether the step is as long as it may be, and something is held back."""
        return bool(self._held)

    @property
    def is_endless(self) -> bool:
        """Whether the model had better be stopped."""
        if self._max_s:
            return self._length_s(self._held) > MAX_HELD * self._max_s
        return len(self._held) > MAX_HELD * self._max_sentences

    def finish(self) -> list[Phrase]:
        """The model has written all: what of that held back is said."""
        held, self._held = self._held, []
        kept = self._kept(held)
        self.num_cut_words += sum(len(phrase.words) for phrase in held) - sum(len(phrase.words) for phrase in kept)
        return kept

    def _kept(self, held: list[Phrase]) -> list[Phrase]:
        if not held or (self._max_s and self._length_s(held) <= GRACE_S):
            return held
        sentences = _sentences(held)
        begins = len(sentences)
        ends = len(sentences)
        asking = [index for index, sentence in enumerate(sentences) if sentence[-1].is_question]
        if asking:
            begins = asking[-1]
            behind = [phrase for sentence in sentences[begins + 1 :] for phrase in sentence]
            ends = begins + 1 if self._length_s(behind) > GRACE_S or self._max_sentences else ends
        elif self._max_s and self._length_s(sentences[-1]) <= self._max_s:
            begins -= 1
        if begins == 0 and self._is_broken:  # all there is of a sentence without an end, but for what it asks
            sentences[0] = sentences[0][-1:] if asking else []
        return [
            phrase
            for index, sentence in enumerate(sentences)
            for phrase in sentence
            if begins <= index < ends or phrase.uninterruptible
        ]

    def _length_s(self, phrases: Sequence[Phrase]) -> float:
        return sum(map(self._duration_s, phrases))


def _sentences(phrases: Sequence[Phrase]) -> list[list[Phrase]]:
    sentences: list[list[Phrase]] = []
    begins = True
    for phrase in phrases:
        if begins:
            sentences.append([])
        sentences[-1].append(phrase)
        begins = phrase.ends_sentence
    return sentences
