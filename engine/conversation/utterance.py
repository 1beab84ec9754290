"""The caller's speech from the VAD's onset to the endpoint, pauses included."""

from __future__ import annotations

from typing import NamedTuple

from ringline.engine.conversation.endpointing import Decision

SAMPLES_PER_MS = 16
"""Of the caller ring."""


class Stretch(NamedTuple):
    """Speech without a pause."""

    onset_sample: int
    onset_ns: int
    end_sample: int
    end_ns: int


class Utterance:
    """What is known of it. Samples are those of the caller ring, times CLOCK_MONOTONIC in nanoseconds."""

    def __init__(self, number: int, start_sample: int, onset_sample: int, onset_ns: int) -> None:
        self.number = number
        """As STT knows it. An utterance that goes on after a pause gets a new one."""
        self.start_sample = start_sample
        """Where STT begins to read."""
        self.onset_sample = onset_sample
        """Where the latest stretch of speech began."""
        self.onset_ns = onset_ns
        self.speaking = True
        self.end_sample = 0
        """Behind the last audible sample before the silence."""
        self.end_ns = 0
        self.doubtful = False
        """Its latest stretch hardly sounded like speech."""
        self.finalised_ns = 0
        """When STT was asked for the transcript; 0: it was not."""
        self.transcript: str | None = None
        self.transcript_ns = 0
        self.partial = ""
        self.other_words: float | None = None
        self.closed_vocabulary = False
        """Both of the transcript: see `TranscriptFinal`."""
        self.finished: float | None = None
        """How finished it sounds, once that is judged."""
        self.decision = Decision(0)
        self.is_due = False
        """Its time is up: it is over as soon as the transcript is there."""
        self.due_ns = 0
        """When that was."""
        self.is_endless = False
        """It was ended by force."""
        self.known = ""
        """What STT understood of it before the caller went on: all there is if the next time it understands nothing."""
        self.amends = False
        """It was taken for over once before, wrongly."""
        self.has_floor = False
        """The bot was cut off for it: there is a turn of the caller's even if no words of it are understood."""
        self.before: Stretch | None = None
        """Its stretch of speech before the latest one."""
        self.wasted = 0
        """Replies that were drafted for it and dropped."""

    @property
    def text(self) -> str:
        """The best guess at what was said."""
        return self.partial if self.transcript is None else self.transcript

    @property
    def best(self) -> str:
        """What STT was sure of at last."""
        return self.transcript or self.known

    @property
    def spoken_ms(self) -> float:
        """Length of its latest stretch of speech, once it has stopped."""
        return (self.end_sample - self.onset_sample) / SAMPLES_PER_MS

    def stop(self, end_sample: int, end_ns: int) -> None:
        """The caller falls silent."""
        self.speaking = False
        self.end_sample, self.end_ns = end_sample, end_ns

    def take_back(self, before: Stretch) -> None:
        """What was heard last was not the caller: they have been silent since the stretch ``before``."""
        self.before = None
        self.onset_sample, self.onset_ns = before.onset_sample, before.onset_ns
        self.stop(before.end_sample, before.end_ns)

    @property
    def _latest(self) -> Stretch:
        return Stretch(self.onset_sample, self.onset_ns, self.end_sample, self.end_ns)

    def go_on(self, onset_sample: int, onset_ns: int) -> None:
        """They speak again, and STT has been listening all the time."""
        self.before = self._latest
        self.speaking = True
        self.onset_sample, self.onset_ns = onset_sample, onset_ns
        self.finished, self.is_due, self.due_ns = None, False, 0

    def resumed(self, number: int, onset_sample: int, onset_ns: int) -> Utterance:
        """They speak again, and STT had ended it: the same turn as a new utterance, to be read from its start."""
        again = Utterance(number, self.start_sample, onset_sample, onset_ns)
        again.before = self._latest
        again.known = self.best
        again.wasted, again.amends, again.has_floor = self.wasted, self.amends, self.has_floor
        return again

    def reopened(self, number: int, more: Utterance) -> Utterance:
        """It was over too soon: ``more`` belongs to it."""
        again = self.resumed(number, more.onset_sample, more.onset_ns)
        again.speaking = more.speaking
        again.end_sample, again.end_ns, again.finished = more.end_sample, more.end_ns, more.finished
        again.amends = again.has_floor = True
        again.wasted += 1
        return again
