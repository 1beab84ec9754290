"""espeak-ng: formant synthesis, about a thousand times faster than real time, first audio in under a millisecond."""

from __future__ import annotations

import bisect
import queue
import re
from collections import deque
from collections.abc import Iterator

import numpy as np

from ringline.engine.config import EspeakTts
from ringline.workers.base import CannotStart
from ringline.workers.tts.backend import Mark, Order, Samples, check_speed
from ringline.workers.tts.espeak_library import ENDPAUSE, Job, Library, WordBegins
from ringline.workers.tts.espeak_library import library as load
from ringline.workers.tts.text import segments, speakable
from ringline.workers.tts.trim import AUDIBLE, Trim

NORMAL_WPM = 175
"""espeak-ng's own default, taken as speed 1.0."""
SLOWEST_WPM, FASTEST_WPM = 80, 450
"""The range its synthesiser takes."""
WAIT_S = 0.001
"""How long an iterator waits for a chunk before it gives way: longer than a chunk takes to make, and while it waits
the synthesising thread has the interpreter to itself."""


class EspeakBackend:
    """`TtsBackend` on espeak-ng. Voices are named as espeak names them: ``en-us``, ``en-gb+m3``, ``gmw/en-US``."""

    rate_hz = 22_050
    pool = None

    def __init__(self, config: EspeakTts) -> None:
        self._config = config

    def warm_up(self) -> None:
        library = load()
        self.rate_hz = library.rate_hz
        try:
            for _ in self.synthesize(Order("ready")):
                pass
        except (ValueError, OSError) as error:
            raise CannotStart(f"[tts] voice: {error}") from error

    def examine(self, voice: str) -> str:
        """Whether there are the configured voice and an agent's. Returns which. Raises CannotStart."""
        for name in (self._config.voice, voice):
            try:
                load().voice(name or self._config.voice)
            except ValueError as error:
                raise CannotStart(f"[tts] voice: {error}") from error
        return voice or self._config.voice

    def synthesize(self, order: Order) -> Iterator[Samples | Mark | None]:
        """See `TtsBackend.synthesize`. ``speed`` 1.0 is 175 words a minute, and is held within 80 to 450."""
        check_speed(order.speed)
        library = load()
        identifier = library.voice(order.voice or self._config.voice)
        wpm = round(min(max(NORMAL_WPM * order.speed, SLOWEST_WPM), FASTEST_WPM))
        return _phrase(library, order.text, identifier, wpm, order.call)


def _phrase(library: Library, text: str, voice: bytes, wpm: int, call: int) -> Iterator[Samples | Mark | None]:
    spoken, chars = speakable(text)
    pieces = segments(spoken)
    trim, words = Trim(library.rate_hz), _Words(text)
    num_samples = 0
    for index, (offset, piece) in enumerate(pieces):
        job = Job(piece.encode(), voice, wpm, ENDPAUSE if index < len(pieces) - 1 else 0, call)
        library.submit(job)
        segment_start = num_samples
        try:
            while True:
                try:
                    chunk = job.chunks.get(timeout=WAIT_S)
                except queue.Empty:
                    yield None
                    continue
                if chunk is None:
                    break
                if isinstance(chunk, Exception):
                    raise chunk
                if isinstance(chunk, WordBegins):
                    # Position 0, or one behind the end, is the library's word for "not in the text".
                    if 0 < chunk.position <= len(piece):
                        words.begins(chars[offset + chunk.position - 1], segment_start + chunk.sample)
                    continue
                words.heard(chunk, num_samples)
                num_samples += chunk.shape[0]
                audio = trim.push(chunk)
                if audio.size:
                    yield from words.marks(trim.dropped)
                    yield audio
        finally:
            job.cancelled = True
    rest = trim.finish()
    if rest.size:
        yield from words.marks(trim.dropped)
        yield rest


class _Words:
    """Where in the sound the words of a text begin.

    The library's events name parts of words too, and the sound of a word may begin some 50 ms after its event. Here a
    word is what stands between spaces, and begins at its first audible sample.
    """

    def __init__(self, text: str) -> None:
        self._starts = [match.start() for match in re.finditer(r"\S+", text)]
        self._text = text
        self._last_char = -1
        self._begun: deque[tuple[int, int]] = deque()
        """(char, sample) of words whose sound has not come yet."""
        self._placed: deque[tuple[int, int]] = deque()

    def begins(self, char: int, sample: int) -> None:
        """An event: something at this character of the text begins with this sample, silence included."""
        if self._text[char].isspace():
            return
        start = self._starts[bisect.bisect_right(self._starts, char) - 1]
        if start > self._last_char:
            self._last_char = start
            self._begun.append((start, sample))

    def heard(self, samples: Samples, start_sample: int) -> None:
        """The next samples of the phrase."""
        audible = np.flatnonzero((samples > AUDIBLE) | (samples < -AUDIBLE)) + start_sample
        while self._begun:
            char, sample = self._begun[0]
            index = int(np.searchsorted(audible, sample))
            if index == audible.shape[0]:
                return
            self._begun.popleft()
            first = int(audible[index])
            if not self._begun or self._begun[0][1] > first:  # else it made no sound of its own
                self._placed.append((char, first))

    def marks(self, dropped: int) -> Iterator[Mark]:
        """The words whose sound has come, ``dropped`` samples having been cut off before it."""
        while self._placed:
            char, sample = self._placed.popleft()
            yield Mark(char, sample - dropped)
