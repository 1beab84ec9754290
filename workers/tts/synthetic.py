"""A voice that is not one: speech-like sound after set delays, for capacity and latency work."""

from __future__ import annotations

import functools
import math
import re
import time
from collections import deque
from collections.abc import Callable, Iterator

import numpy as np

from ringline.engine.config import SyntheticTts
from ringline.workers.base import is_nth
from ringline.workers.tts.backend import Mark, Order, Samples, check_speed
from ringline.workers.tts.coded import coded_phrase
from ringline.workers.tts.computed import Sound
from ringline.workers.tts.pieces import Piece

RATE_HZ = 16_000
CHARACTER_MS = 60
"""English is spoken at about 15 to 17 characters a second."""
SHORTEST_MS = 200
"""Of a single word."""
CHUNK_MS = 80
"""What streaming neural voices hand out at a time, or less."""
LEVEL_DBFS = -20.0
"""Usual for telephone speech."""
FADE_MS = 5

_PITCH_HZ = 125
_SYLLABLES_HZ = 4


class SyntheticBackend:
    """`TtsBackend` without a model. Every phrase runs on its own schedule, as in a model that batches them.

    The first chunk is due ``first_audio_ms`` after `synthesize` was called, each further one after ``realtime_factor``
    times the length of the one before. ``clock`` gives monotonic nanoseconds.
    """

    rate_hz = RATE_HZ
    pool = None

    def __init__(self, config: SyntheticTts, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._config = config
        self._clock = clock
        self._phrases = -1  # the worker's first one warms up its resampler

    def warm_up(self) -> None:
        _two_seconds()

    def synthesize(self, order: Order) -> Iterator[Samples | Mark | None]:
        """See `TtsBackend.synthesize`. Every voice exists and sounds the same."""
        check_speed(order.speed)
        self._phrases += 1
        num_samples = round(_duration_ms(order.text, order.speed) * RATE_HZ / 1000)
        return self._phrase(order.text, num_samples, self._clock(), self._phrases)

    def _phrase(self, text: str, num_samples: int, start_ns: int, number: int) -> Iterator[Samples | Mark | None]:
        marks = deque(_marks(text, num_samples) if self._config.marks else ())
        coded = coded_phrase(text.strip(), num_samples, RATE_HZ) if self._config.coded and num_samples else None
        chunk = RATE_HZ * CHUNK_MS // 1000
        first_ns = start_ns + self._config.first_audio_ms * 1_000_000
        sample_ns = self._config.realtime_factor * 1e9 / RATE_HZ
        for start in range(0, num_samples, chunk):
            while self._clock() < first_ns + round(start * sample_ns):
                yield None
            end = min(start + chunk, num_samples)
            while marks and marks[0].sample < end:
                yield marks.popleft()
            yield coded[start:end] if coded is not None else _voice(start, end, num_samples)
            if is_nth(number, self._config.fail_every):
                raise RuntimeError("this one fails, as configured")
            while is_nth(number, self._config.hang_every):
                yield None


class SyntheticModel:
    """`Model` without a model, which sleeps for as long as one would compute: ``first_audio_ms``, and
    ``realtime_factor`` times the length of the sound. ``sleep`` takes seconds."""

    rate_hz = RATE_HZ
    first_s: float | None = None

    def __init__(self, config: SyntheticTts, sleep: Callable[[float], None] = time.sleep) -> None:
        self._config = config
        self._sleep = sleep
        self._pieces = -1  # the first one warms up

    def open(self) -> str:
        return ""

    def load(self) -> None:
        _two_seconds()

    def check(self, order: Order) -> None:
        """Every voice exists and sounds the same."""

    def speak(self, piece: Piece, order: Order) -> Iterator[Sound]:
        """See `Model.speak`. One sound, once all of it is made."""
        num_samples = round(_duration_ms(piece.text, order.speed) * RATE_HZ / 1000)
        self._pieces += 1
        if is_nth(self._pieces, self._config.fail_every):
            raise RuntimeError("this one fails, as configured")
        while is_nth(self._pieces, self._config.hang_every):
            self._sleep(1.0)
        if self._pieces:
            self._sleep(self._config.first_audio_ms / 1000 + self._config.realtime_factor * num_samples / RATE_HZ)
        chunk = RATE_HZ * CHUNK_MS // 1000
        samples = [_voice(s, min(s + chunk, num_samples), num_samples) for s in range(0, num_samples, chunk)]
        marks = _marks(piece.text, num_samples) if self._config.marks else ()
        yield Sound(
            np.concatenate(samples).astype(np.float32) / np.float32(32768), [(mark.char, mark.sample) for mark in marks]
        )


def _duration_ms(text: str, speed: float) -> float:
    characters = len(text.strip())
    return max(characters * CHARACTER_MS, SHORTEST_MS) / speed if characters else 0


def _marks(text: str, num_samples: int) -> Iterator[Mark]:
    """Every character takes the same time, from the first that is no space to the last."""
    space, characters = len(text) - len(text.lstrip()), len(text.strip())
    for match in re.finditer(r"\S+", text):
        yield Mark(match.start(), round((match.start() - space) * num_samples / characters))


def _voice(start: int, end: int, num_samples: int) -> Samples:
    """Samples ``start`` to ``end`` of a phrase of ``num_samples``, which fades in and out."""
    first = start % RATE_HZ
    samples = _two_seconds()[first : first + end - start]
    fade = min(RATE_HZ * FADE_MS // 1000, num_samples // 2)
    if start < fade or end > num_samples - fade:
        position = np.arange(start, end)
        gain = np.clip(np.minimum(position, num_samples - 1 - position) / fade, 0.0, 1.0)
        samples = np.rint(samples * gain).astype(np.int16)
    return samples


@functools.cache
def _two_seconds() -> Samples:
    """The voice, long enough that a chunk from any place in its first second is one piece."""
    return np.tile(_second(), 2)


@functools.cache
def _second() -> Samples:
    """One second of the voice, made so that it can be repeated without a seam: int16 at RATE_HZ, LEVEL_DBFS (RMS).

    A glottal pulse train (harmonics falling by 12 dB an octave, lifted again by two formants that move from vowel to
    vowel) under an envelope of four syllables.
    """
    t = np.arange(RATE_HZ) / RATE_HZ
    phase = 2 * np.pi * _PITCH_HZ * t + 3.0 * np.sin(2 * np.pi * t)
    first_hz = 500 + 200 * np.sin(2 * np.pi * 2 * t)
    second_hz = 1500 + 400 * np.sin(2 * np.pi * t + 1.0)
    sound = np.zeros(RATE_HZ)
    for harmonic in range(1, 3400 // _PITCH_HZ):
        hz = harmonic * _PITCH_HZ
        lift = 1 + 8 * np.exp(-(((hz - first_hz) / 120) ** 2)) + 12 * np.exp(-(((hz - second_hz) / 160) ** 2))
        sound += np.sin(harmonic * phase) * lift / harmonic**1.5
    sound *= 0.15 + 0.85 * np.sin(np.pi * _SYLLABLES_HZ * t) ** 2
    sound *= 32768 * 10 ** (LEVEL_DBFS / 20) / math.sqrt(float(np.mean(sound**2)))
    return np.rint(np.clip(sound, -32767, 32767)).astype(np.int16)
