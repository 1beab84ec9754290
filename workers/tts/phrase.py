"""A phrase being spoken: chunks from the backend, resampled once to the wire's rate, and where words lie in them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator

import numpy as np

from ringline.ipc.messages import Speak
from ringline.workers.audio.resample import Resampler
from ringline.workers.audio.tones import key_tones
from ringline.workers.tts.backend import Mark, Order, Samples, TtsBackend
from ringline.workers.tts.rest import rest_begins
from ringline.workers.tts.trim import AUDIBLE


class Phrase:
    """One request under way. Knows where in the reply ring it begins, and writes nothing there itself."""

    def __init__(self, request: Speak, backend: TtsBackend, wire_rate_hz: int, start_sample: int, skip: int) -> None:
        """``skip`` samples from ``start_sample`` on are in the ring already: a worker died in mid-phrase, or another
        voice began it, and this one goes on with the words that are missing.

        Raises ValueError for keys that no telephone has; what the backend raises for its voice and speed.
        """
        self.request = request
        self.start_sample = start_sample
        self.asked_ns = time.monotonic_ns()
        self.waiting: Samples = np.empty(0, np.int16)
        """Made, but not yet in the ring."""
        self.made_all = False
        self.announced = False
        self.is_second = False
        """Nothing could be heard of it the first time."""
        self.is_audible = False
        """Whether anything can be heard of what was made of it."""
        self._first_char = 0
        """Of what this voice speaks of the text."""
        self._first_sample = start_sample
        """Of that in the ring."""
        if request.other_voice and skip:
            self._first_char = rest_begins(request.text, skip / wire_rate_hz * request.speed)
            self._first_sample += skip
            skip = 0
        text = request.text[self._first_char :]
        self.order = Order(text, request.voice, request.speed, request.language, request.phonemes, request.call)
        self._skip = skip
        self._has_parts = skip > 0
        self._wire_rate_hz = wire_rate_hz
        self._rate_hz = wire_rate_hz if request.keys else backend.rate_hz
        self._parts: Iterator[Samples | Mark | None] = iter(())
        if request.keys:
            self._parts = iter((key_tones(request.keys, wire_rate_hz),))
        elif request.text:
            self._parts = backend.synthesize(self.order)
        self._resampler = Resampler(self._rate_hz, wire_rate_hz)
        self._marks: deque[tuple[int, int]] = deque()
        """(char, reply sample) of words that the engine has not been told of."""

    def make_more(self) -> bool:
        """Ask the backend for a chunk. Returns False if it has nothing yet."""
        part = next(self._parts, self._end)
        self._has_parts = self._has_parts or part is not None
        while isinstance(part, Mark):
            self._marks.append((self._first_char + part.char, self._reply_sample(part.sample)))
            part = next(self._parts, self._end)
        if part is None:
            return False
        if part is self._end:
            made = self._resampler.flush()
            self.made_all = True
        else:
            made = self._resampler.process(part)
        self.is_audible = self.is_audible or bool(((made > AUDIBLE) | (made < -AUDIBLE)).any())
        drop = min(self._skip, made.shape[0])
        self._skip -= drop
        self.waiting = made[drop:]
        return True

    @property
    def is_lost(self) -> bool:
        """Whether it is made, and cannot be heard, though it has words."""
        has_words = any(character.isalnum() for character in self.order.text)
        return self.made_all and has_words and not self.request.keys and not self.is_audible

    @property
    def has_begun(self) -> bool:
        """Whether something of it is in the ring or was made for it."""
        return self.announced or self.made_all or self._has_parts or self._first_sample != self.start_sample

    def moves_back(self, num_samples: int) -> None:
        """So much else was put before it, of which nothing has begun."""
        self.start_sample += num_samples
        self._first_sample += num_samples

    @property
    def next_mark(self) -> int | None:
        """Reply sample of the first word that has not been told; None for no such word so far."""
        return self._marks[0][1] if self._marks else None

    def marks_before(self, end_sample: int) -> list[tuple[int, int]]:
        """The marks of words that begin before this sample of the ring, each told once."""
        told = []
        while self._marks and self._marks[0][1] < end_sample:
            told.append(self._marks.popleft())
        return told

    def close(self) -> None:
        """Cancel what is not made yet."""
        close = getattr(self._parts, "close", None)
        if close is not None:
            close()

    _end: Samples = np.empty(0, np.int16)

    def _reply_sample(self, sample: int) -> int:
        """Where a sample of the backend comes out of the resampler, which is late by its delay."""
        late_s = sample / self._rate_hz + self._resampler.design.delay_s
        return self._first_sample + round(late_s * self._wire_rate_hz)
