"""What the voices have in common that are computed on this machine: Kokoro, Piper, XTTS.

One thread runs the model, piece by piece, for all calls (`Pool`). What it makes is brought to one loudness there, the
silence around each piece is replaced by the pause that belongs there, and words are dated by their first sound.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from ringline.workers.base import CannotStart
from ringline.workers.pool import Job, Pool
from ringline.workers.tts.backend import Mark, Order, Samples, check_speed
from ringline.workers.tts.loudness import FloatSamples, Loudness, to_int16
from ringline.workers.tts.pieces import Piece, pieces
from ringline.workers.tts.trim import AUDIBLE, Trim
from ringline.workers.working import came_on

CHUNK_MS = 100
"""Audio per chunk: the worker looks after the other calls in between."""
WARM_UP = "Good morning, this is what I sound like when I speak."


class Sound(NamedTuple):
    """What a model makes of a piece, or of a part of it."""

    samples: FloatSamples
    """Full scale is 1.0."""
    words: Sequence[tuple[int, int]] = ()
    """(index in the piece's text, sample of this sound) of the words that begin in it, if the model knows."""


class Model(Protocol):
    """A model, as the pool's thread uses it."""

    rate_hz: int
    """Known when it is loaded."""

    def load(self) -> None:
        """Raises CannotStart with what is missing, ValueError for a voice that is not there."""

    def check(self, order: Order) -> None:
        """Raises ValueError for a voice or a language that it has not. Quick: called in the worker's loop."""

    def speak(self, piece: Piece, order: Order) -> Iterator[Sound]:
        """Make a piece, in as many sounds as the model makes of it. On the pool's thread."""


class ComputedBackend:
    """`TtsBackend` on a `Model`."""

    rate_hz = 0
    pool: Pool[_Run]
    """Made when the model is loaded."""

    def __init__(self, model: Model, wake: Callable[[], None]) -> None:
        self._model, self._wake = model, wake

    def _load(self) -> None:
        try:
            self._model.load()
            self._model.check(Order(""))
        except ValueError as error:
            raise CannotStart(f"[tts] voice: {error}") from error

    def warm_up(self) -> None:
        self._load()
        self.rate_hz = self._model.rate_hz
        self._loudness = Loudness(self.rate_hz)
        self.pool = Pool(self._run, self._wake)
        order = Order(WARM_UP)
        self._make(_Run(order, Piece(WARM_UP, 0, 0), 0))

    def synthesize(self, order: Order) -> Iterator[Samples | Mark | None]:
        """See `TtsBackend.synthesize`."""
        check_speed(order.speed)
        self._model.check(order)
        return self._phrase(order, pieces(order.text))

    def close(self) -> None:
        """End the thread."""
        self.pool.close()

    def _phrase(self, order: Order, parts: list[Piece]) -> Iterator[Samples | Mark | None]:
        start_sample = 0
        for piece in parts:
            run = _Run(order, piece, start_sample)
            self.pool.submit(run)
            try:
                while True:
                    is_over = run.is_over  # before its parts: what comes in between is not lost
                    while run.parts:
                        yield run.parts.popleft()
                    if is_over:
                        break
                    run.deadline_ns, run.draft = order.deadline_ns, order.draft
                    self._collect()
                    if not run.is_over and not run.parts:
                        yield None
            finally:
                self.pool.cancel(run)
            if run.error is not None:
                raise run.error
            start_sample = run.end_sample

    def _collect(self) -> None:
        for run in self.pool.collect():
            run.is_over = True

    # --- the pool's thread ----------------------------------------------------------------------------------------

    def _run(self, runs: Sequence[_Run]) -> None:
        for run in runs:
            self._make(run)

    def _make(self, run: _Run) -> None:
        trim, gain, num_made = Trim(self.rate_hz), 0.0, 0
        voice = run.order.voice
        for sound in self._model.speak(run.piece, run.order):
            if run.is_cancelled:
                return
            self._loudness.learn(voice, sound.samples)
            gain = gain or self._loudness.gain(voice)  # one for all of the piece
            samples = to_int16(sound.samples, gain)
            for char, sample in _first_sounds(sound.words, samples):
                run.words.append((run.piece.char + char, num_made + sample))
            num_made += samples.shape[0]
            self._put(run, trim.push(samples), trim.dropped)
            came_on()
            self._wake()
        self._put(run, trim.finish(), trim.dropped)
        if num_made and run.piece.pause_ms:
            self._put(run, np.zeros(self.rate_hz * run.piece.pause_ms // 1000, np.int16), trim.dropped)

    def _put(self, run: _Run, samples: Samples, dropped: int) -> None:
        if not samples.size:
            return
        for char, sample in run.words:
            run.parts.append(Mark(char, run.start_sample + max(0, sample - dropped)))
        run.words.clear()
        chunk = self.rate_hz * CHUNK_MS // 1000
        run.parts.extend(samples[start : start + chunk] for start in range(0, samples.size, chunk))
        run.end_sample += samples.size


class _Run(Job):
    """A piece on its way."""

    def __init__(self, order: Order, piece: Piece, start_sample: int) -> None:
        super().__init__(order.call, order.deadline_ns, work=len(piece.text))
        self.draft = order.draft
        self.order, self.piece = order, piece
        self.start_sample = self.end_sample = start_sample
        """Of the phrase."""
        self.parts: deque[Samples | Mark] = deque()
        """Made, and not handed out."""
        self.words: list[tuple[int, int]] = []
        """(char of the phrase, sample of the piece before it was trimmed), their sound not among ``parts``."""
        self.is_over = False


def _first_sounds(words: Sequence[tuple[int, int]], samples: Samples) -> list[tuple[int, int]]:
    """The words with the first sample at which each can be heard; without those that have no sound of their own."""
    audible = np.flatnonzero((samples > AUDIBLE) | (samples < -AUDIBLE))
    placed: list[tuple[int, int]] = []
    for char, sample in words:
        index = int(np.searchsorted(audible, sample if placed else 0))
        if index < audible.size and (not placed or audible[index] > placed[-1][1]):
            placed.append((char, int(audible[index])))
    return placed
