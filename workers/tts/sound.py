"""What arrives of a phrase from elsewhere, as the worker takes it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from ringline.workers.tts.backend import Mark, Samples
from ringline.workers.tts.line import Word
from ringline.workers.tts.trim import Trim
from ringline.workers.tts.words import Words


class Sound:
    """One phrase, of one or several segments: its samples without the silence around it, and marks in them."""

    def __init__(self, text: str, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._words = Words(text)
        self._trim = Trim(rate_hz)
        self._num_samples = 0
        """That have arrived."""
        self._segment_sample = 0
        """The segment's first of them."""
        self._odd = b""
        """Half a sample, whose other half has not arrived."""
        self._found: deque[tuple[int, int]] = deque()
        """(char, sample) of words, before silence is cut off."""
        self._last_sample = -1

    def heard(self, part: bytes | Word) -> Iterator[Samples | Mark]:
        """16-bit little-endian sound, cut anywhere, or where a word begins in the segment."""
        if isinstance(part, Word):
            sample = self._segment_sample + round(part.start_s * self._rate_hz)
            self._found.extend(self._words.spoken(part.text, sample))
            return
        data = self._odd + part
        self._odd = data[len(data) & ~1 :]
        samples = np.frombuffer(data, "<i2", len(data) // 2).astype(np.int16, copy=False)
        self._num_samples += samples.size
        if (audio := self._trim.push(samples)).size:
            yield from self._marks()
            yield audio

    def end_segment(self) -> None:
        """What comes next is counted from here."""
        self._odd = b""
        self._segment_sample = self._num_samples

    def finish(self) -> Iterator[Samples | Mark]:
        """Nothing comes any more."""
        self._found.extend(self._words.finish())
        audio = self._trim.finish()
        yield from self._marks()
        if audio.size:
            yield audio

    def _marks(self) -> Iterator[Mark]:
        """Of the words whose sound has begun to arrive."""
        while self._found and self._found[0][1] < self._num_samples:
            char, sample = self._found.popleft()
            sample = max(0, sample - self._trim.dropped)
            if sample > self._last_sample:
                self._last_sample = sample
                yield Mark(char, sample)
