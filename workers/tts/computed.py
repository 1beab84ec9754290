"""What the voices have in common that are computed on this machine: Kokoro, Piper, XTTS.

One thread runs the model, piece by piece, for all calls (`Pool`). What it makes is brought to one loudness there, the
silence around each piece is replaced by the pause that belongs there, and words are dated by their first sound.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol

import numpy as np

from ringline.workers.base import CannotStart
from ringline.workers.pool import IDLE_NS, Job, Pool
from ringline.workers.tts.backend import Mark, Order, Samples, check_speed
from ringline.workers.tts.loudness import FloatSamples, Loudness, to_int16
from ringline.workers.tts.pieces import Piece, pieces
from ringline.workers.tts.trim import AUDIBLE, Trim
from ringline.workers.working import came_on

CHUNK_MS = 100
"""Audio per chunk: the worker looks after the other calls in between."""
CHARS_PER_S = 15.0
"""About what a voice says."""
STUDY_S = 3.0
"""About how much speech takes as long to make as a study of a voice does."""
WARM_UP = "Good morning, this is what I sound like when I speak."


class Sound(NamedTuple):
    """What a model makes of a piece, or of a part of it."""

    samples: FloatSamples
    """Full scale is 1.0."""
    words: Sequence[tuple[int, int]] = ()
    """(index in the piece's text, sample of this sound) of the words that begin in it, if the model knows."""
    next_s: float = 0.0
    """About how long the piece's next sound is; 0: this is the last, or it is not known."""


class Model(Protocol):
    """A model, as the pool's thread uses it."""

    rate_hz: int
    """Known when it is loaded."""
    first_s: float | None
    """Known when it is loaded: about how long the first sound of a piece is, where other pieces may be made between
    two sounds of one; None: a piece is made in one go."""

    def open(self) -> str:
        """Read what lies around the network, which takes no time. Returns what there is, in a few words. Raises as
        `load` does."""

    def load(self) -> None:
        """`open`, and load the network. Raises CannotStart with what is missing, ValueError for a voice that is not
        there."""

    def check(self, order: Order) -> None:
        """Raises ValueError for a voice or a language that it has not. Quick: called in the worker's loop."""

    def speak(self, piece: Piece, order: Order) -> Iterator[Sound]:
        """Make a piece, in as many sounds as the model makes of it. On the pool's thread."""


class ComputedBackend:
    """`TtsBackend` on a `Model`."""

    rate_hz = 0
    pool: Pool[_Step | _Study]
    """Made when the model is loaded."""

    def __init__(self, model: Model, wake: Callable[[], None]) -> None:
        self._model, self._wake = model, wake

    def examine(self, voice: str, language: str) -> str:
        """Whether `warm_up` would find what it needs, and an agent of this language its voice, without the network.

        Returns what there is, in a few words. Raises CannotStart.
        """
        with _as_cannot_start("[tts] voice"):
            found = self._model.open()
            self._model.check(Order(""))
        with _as_cannot_start("the agent's voice or language"):
            self._model.check(Order("", voice=voice, language=language))
        return found

    def _load(self) -> None:
        with _as_cannot_start("[tts] voice"):
            self._model.load()
            self._model.check(Order(""))

    def warm_up(self) -> None:
        self._load()
        self.rate_hz = self._model.rate_hz
        self._loudness = Loudness(self.rate_hz)
        self.pool = Pool(self._run, self._wake)
        order = Order(WARM_UP)
        making = _Making(order, Piece(WARM_UP, 0, 0), 0, self.rate_hz)
        while not making.is_over:
            self._make(_Step(making, self._work(making)))

    def synthesize(self, order: Order) -> Iterator[Samples | Mark | None]:
        """See `TtsBackend.synthesize`."""
        check_speed(order.speed)
        self._model.check(order)
        return self._phrase(order, pieces(order.text, is_streamed=self._model.first_s is not None))

    def prepare(self, order: Order) -> None:
        """Have the model measure, when it has nothing else to do, what it needs of the order's voice to speak with it:
        ``studies`` of the model, if it has any, says in which parts."""
        studies = getattr(self._model, "studies", None)
        if studies is None:
            return
        try:
            self._model.check(order)
        except ValueError:  # whoever speaks with it is told
            return
        for study in studies(order):
            self.pool.submit(_Study(study))

    def close(self) -> None:
        """End the thread."""
        self.pool.close()

    def _phrase(self, order: Order, parts: list[Piece]) -> Iterator[Samples | Mark | None]:
        start_sample = 0
        for piece in parts:
            making = _Making(order, piece, start_sample, self.rate_hz)
            while not making.is_over:
                step = _Step(making, self._work(making))
                self.pool.submit(step)
                try:
                    while True:
                        is_done = step.is_done  # before its parts: what comes in between is not lost
                        while making.parts:
                            yield making.parts.popleft()
                        if is_done:
                            break
                        step.follow(order)
                        self._collect()
                        if not step.is_done and not making.parts:
                            yield None
                finally:
                    self.pool.cancel(step)
                if step.error is not None:
                    raise step.error
            start_sample = making.end_sample

    def _work(self, making: _Making) -> float:
        """About how many seconds of speech the next step makes."""
        of_all_s = len(making.piece.text) / CHARS_PER_S
        if self._model.first_s is None:
            return of_all_s
        return making.next_s or min(of_all_s, self._model.first_s)

    def _collect(self) -> None:
        for step in self.pool.collect():
            step.is_done = True

    # --- the pool's thread ----------------------------------------------------------------------------------------

    def _run(self, steps: Sequence[_Step | _Study]) -> None:
        for step in steps:
            if isinstance(step, _Study):
                step.study()
            else:
                self._make(step)

    def _make(self, step: _Step) -> None:
        making = step.making
        if making.sounds is None:
            making.sounds = self._model.speak(making.piece, making.order)
        for sound in making.sounds:
            if step.is_cancelled:
                return
            self._take(making, sound)
            came_on()
            self._wake()
            if making.next_s and self._model.first_s is not None:
                return
        self._put(making, making.trim.finish())
        if making.num_made and making.piece.pause_ms:
            self._put(making, np.zeros(self.rate_hz * making.piece.pause_ms // 1000, np.int16))
        making.is_over = True

    def _take(self, making: _Making, sound: Sound) -> None:
        if not np.isfinite(sound.samples).all():  # the call would hear silence, and take the phrase for spoken
            raise ArithmeticError("the model made numbers that are no sound")
        voice = making.order.voice
        self._loudness.learn(voice, sound.samples)
        making.gain = making.gain or self._loudness.gain(voice)  # one for all of the piece
        samples = to_int16(sound.samples, making.gain)
        words = [*making.unheard, *sound.words]
        placed, making.unheard = _first_sounds(words, samples, is_first=not making.num_made)
        making.words += [(making.piece.char + char, making.num_made + sample) for char, sample in placed]
        making.num_made += samples.shape[0]
        making.next_s = sound.next_s
        self._put(making, making.trim.push(samples))

    def _put(self, making: _Making, samples: Samples) -> None:
        if not samples.size:
            return
        for char, sample in making.words:
            making.parts.append(Mark(char, making.start_sample + max(0, sample - making.trim.dropped)))
        making.words.clear()
        chunk = self.rate_hz * CHUNK_MS // 1000
        making.parts.extend(samples[start : start + chunk] for start in range(0, samples.size, chunk))
        making.end_sample += samples.size


@contextmanager
def _as_cannot_start(what: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise CannotStart(f"{what}: {error}") from error


class _Making:
    """A piece on its way."""

    def __init__(self, order: Order, piece: Piece, start_sample: int, rate_hz: int) -> None:
        self.order, self.piece = order, piece
        self.start_sample = self.end_sample = start_sample
        """Of the phrase."""
        self.sounds: Iterator[Sound] | None = None
        """Those to come; None before the first step."""
        self.next_s = 0.0
        self.trim, self.gain, self.num_made = Trim(rate_hz), 0.0, 0
        self.parts: deque[Samples | Mark] = deque()
        """Made, and not handed out."""
        self.words: list[tuple[int, int]] = []
        """(char of the phrase, sample of the piece before it was trimmed), their sound not among ``parts``."""
        self.unheard: list[tuple[int, int]] = []
        """(index in the piece's text, sample of the next sound) of words whose sound has not begun."""
        self.is_over = False


class _Step(Job):
    """The next sound of a piece, or all of it: what the model does before it looks who is next."""

    def __init__(self, making: _Making, work: float) -> None:
        super().__init__(making.order.call, making.order.deadline_ns, work)
        self.making = making
        self.is_done = False
        self.follow(making.order)

    def follow(self, order: Order) -> None:
        """Be as urgent as the phrase now is."""
        self.deadline_ns, self.patience_ns, self.draft = order.deadline_ns, order.patience_ns, order.draft


class _Study(Job):
    """Something to measure of a voice, when nobody waits for the model."""

    def __init__(self, study: Callable[[], object]) -> None:
        super().__init__(0, IDLE_NS, STUDY_S)
        self.draft = True
        self.study = study
        self.is_done = False


def _first_sounds(
    words: Sequence[tuple[int, int]], samples: Samples, is_first: bool
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The words with the first sample at which each can be heard, without those that have no sound of their own; and
    those that cannot be heard in these samples. ``is_first``: before them there was nothing of the piece."""
    audible = np.flatnonzero((samples > AUDIBLE) | (samples < -AUDIBLE))
    placed: list[tuple[int, int]] = []
    unheard: list[tuple[int, int]] = []
    for char, sample in words:
        index = int(np.searchsorted(audible, sample if placed or not is_first else 0))
        if index >= audible.size:
            unheard.append((char, max(0, sample - samples.shape[0])))
        elif not placed or audible[index] > placed[-1][1]:
            placed.append((char, int(audible[index])))
    return placed, unheard
