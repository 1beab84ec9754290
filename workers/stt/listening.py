"""Hears whether a short sound over the bot is a listener's word or another one, apart from the recogniser's grammar: a
grammar finds the sentence that resembles a sound most, and `seven` resembles `good`.

The sound between its first and its last loud frame is cut into `SEGMENTS` of equal length, whatever its own; their
cepstra go into a network of one hidden layer, fitted by ``bench/listening.py``. It costs 1 ms, once per sound.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

import msgspec
import numpy as np

from ringline.engine.conversation.language_tags import primary_language
from ringline.workers.stt.backend import Samples
from ringline.workers.stt.telephone_features import (
    MEL_FILTERS,
    NUM_FFT,
    PRE_EMPHASIS,
    RATE_HZ,
    SHIFT,
    WINDOW,
)

LANGUAGE = "en"
"""Of the words that it was fitted to. Elsewhere a listener's words sound to it like others ("genau", "vale"), and
others like a listener's ("dos")."""

LISTENING, OTHER, NOTHING = range(3)
"""Kinds of sound: a listener's words, other words, no words."""

NUM_BANDS = 18
"""Mel bands that a telephone lets through: up to 3.4 kHz."""
NUM_CEPSTRA = 12
SEGMENTS = 16
NUM_FEATURES = SEGMENTS * NUM_CEPSTRA + 1
SHORTEST_FRAMES = 4
LONGEST_SAMPLES = 2 * RATE_HZ
"""A longer utterance is more than a word, and the recogniser's business."""

FLOOR = 1_000.0
"""Added to each band's power: the codec's noise."""
BELOW_LOUDEST = 7.0
"""A frame is loud within 30 dB of the loudest one (in nepers of power) ..."""
ABOVE_QUIETEST = 0.25
"""... and after so much of the way up from the line's noise, the decile of the frames that is quietest."""
PAD_FRAMES = 2
USUAL_FRAMES, FRAME_SPREAD = 45.0, 20.0
"""Of the training sounds' lengths, roughly: brings the length into the other features' range."""
DEEPEST = 9.0
"""Bands that lie further below the sound's loudest one (in nepers of power) count as this."""
MEAN_SHARE = 0.5
"""Of the mean cepstrum, which is half the voice's and the line's and half the word's, so much is taken away."""

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]
Values = np.ndarray[tuple[int], np.dtype[np.float64]]

_HAMMING = np.hamming(WINDOW)
_i = np.arange(NUM_CEPSTRA)[:, None]
_DCT: Matrix = np.cos(np.pi * _i * (np.arange(NUM_BANDS) + 0.5) / NUM_BANDS) * np.sqrt(2 / NUM_BANDS)


def knows(language: str) -> bool:
    """Whether it can tell the words of a language apart: a code or tag; empty if nothing is known of it."""
    return primary_language(language) in ("", LANGUAGE)


class ShortSound:
    """A sound as it is read, kept for as long as the ear may tell what it is."""

    def __init__(self) -> None:
        self._parts: list[Samples] = []
        self._num_samples = 0

    def feed(self, samples: Samples) -> None:
        """More of it: int16 at 16 kHz."""
        self._num_samples += samples.shape[0]
        if self._num_samples <= LONGEST_SAMPLES:
            self._parts.append(samples)
        else:
            self._parts.clear()

    def other_words(self, net: ListeningNet) -> float | None:
        """As `ListeningNet.other_words` of all of it."""
        return net.other_words(np.concatenate(self._parts)) if self._parts else None


class Layer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A matrix in bytes."""

    rows: int
    scale: float
    weights: bytes
    """int8 [rows, columns], to be multiplied by ``scale``; the last row is the bias."""

    def matrix(self) -> Matrix:
        """float64 [rows, columns]."""
        return np.frombuffer(self.weights, np.int8).reshape(self.rows, -1).astype(np.float64) * self.scale


class Fitted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was fitted."""

    kinds: tuple[int, ...]
    """Of each word that the network tells apart: `LISTENING`, `OTHER` or `NOTHING`."""
    hidden: Layer
    output: Layer


class ListeningNet:
    """Safe to share between threads."""

    def __init__(self, fitted: Fitted | None = None) -> None:
        """``fitted``: other weights than the committed ones. Raises ValueError where they belong to other features."""
        fitted = fitted or committed()
        self._hidden, self._output = fitted.hidden.matrix(), fitted.output.matrix()
        if self._hidden.shape[0] != NUM_FEATURES + 1:
            raise ValueError("listening.json was fitted to other features: run bench/listening.py")
        self._of_kind = np.eye(3)[list(fitted.kinds)]

    def kinds(self, samples: Samples) -> Values | None:
        """Probability of each kind, were they equally frequent; None for what is too short, or too long, to tell.

        ``samples``: int16 at 16 kHz, the sound and what lies around it.
        """
        row = features(samples)
        return None if row is None else self.judge(row)

    def judge(self, row: Values) -> Values:
        """The same by `features`."""
        hidden = np.maximum(row @ self._hidden[:-1] + self._hidden[-1], 0.0)
        odds = hidden @ self._output[:-1] + self._output[-1]
        likely = np.exp(odds - odds.max())
        kinds: Values = likely @ self._of_kind / likely.sum()
        return kinds

    def other_words(self, samples: Samples) -> float | None:
        """How likely it is that words were said, and not those of a listener."""
        kinds = self.kinds(samples)
        return None if kinds is None else float(kinds[OTHER])


def features(samples: Samples) -> Values | None:
    """[NUM_FEATURES] of a sound, int16 at 16 kHz; None where it is too short or too long."""
    if samples.shape[0] > LONGEST_SAMPLES:
        return None
    bands = _log_mel(samples)
    first, last = _loud(bands)
    count = last - first
    if count < SHORTEST_FRAMES:
        return None
    loud = bands[first:last]
    below = np.maximum(_segments(loud) - np.quantile(loud.max(axis=1), 0.9), -DEEPEST)
    cepstra = (below / 3.0 + 1.0) @ _DCT.T
    cepstra -= MEAN_SHARE * cepstra.mean(axis=0)
    length = (count - USUAL_FRAMES) / FRAME_SPREAD
    return np.append(cepstra, length)


def _log_mel(samples: Samples) -> Matrix:
    wide = samples.astype(np.float64)
    wide[1:] -= PRE_EMPHASIS * wide[:-1]
    num_frames = max(0, (wide.shape[0] - WINDOW) // SHIFT + 1)
    if num_frames == 0:
        return np.zeros((0, NUM_BANDS))
    windows = np.lib.stride_tricks.sliding_window_view(wide, WINDOW)[: num_frames * SHIFT : SHIFT]
    power = np.abs(np.fft.rfft(windows * _HAMMING, NUM_FFT)) ** 2
    log_mel: Matrix = np.log(power @ MEL_FILTERS[:NUM_BANDS].T + FLOOR)
    return log_mel


def _loud(bands: Matrix) -> tuple[int, int]:
    """First loud frame, and the one behind the last."""
    if bands.shape[0] < SHORTEST_FRAMES:
        return 0, 0
    level = np.convolve(np.log(np.exp(bands).sum(axis=1)), np.full(3, 1 / 3), "same")
    quietest, loudest = float(np.quantile(level, 0.1)), float(level.max())
    threshold = max(loudest - BELOW_LOUDEST, quietest + ABOVE_QUIETEST * (loudest - quietest))
    loud = np.flatnonzero(level > threshold)
    if not loud.shape[0]:
        return 0, 0
    return max(0, int(loud[0]) - PAD_FRAMES), min(bands.shape[0], int(loud[-1]) + PAD_FRAMES + 1)


def _segments(bands: Matrix) -> Matrix:
    """[SEGMENTS, bands]: means over equal parts of the frames, fractions of frames included."""
    num_frames = bands.shape[0]
    sums = np.concatenate([np.zeros((1, bands.shape[1])), np.cumsum(bands, axis=0)])
    edges = np.linspace(0, num_frames, SEGMENTS + 1)
    whole = np.minimum(edges.astype(np.int64), num_frames - 1)
    part = (edges - whole)[:, None]
    at_edges = sums[whole] * (1 - part) + sums[whole + 1] * part
    segments: Matrix = np.diff(at_edges, axis=0) / (num_frames / SEGMENTS)
    return segments


@lru_cache(maxsize=1)
def committed() -> Fitted:
    """The weights that come with Ringline."""
    return msgspec.json.decode(files(__package__).joinpath("listening.json").read_bytes(), type=Fitted)
