"""What a TTS backend is."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import msgspec
import numpy as np

from ringline.workers.pool import Pool

Samples = np.ndarray[tuple[int], np.dtype[np.int16]]


class Mark(msgspec.Struct, frozen=True):
    """A word of a phrase: where it begins, in the text and in the sound."""

    char: int
    """Index of its first character in the text."""
    sample: int
    """Of all the phrase's samples, the first of its sound."""


class Order(msgspec.Struct):
    """A phrase to be spoken."""

    text: str
    voice: str = ""
    """Empty: the backend's default."""
    speed: float = 1.0
    language: str = ""
    """A BCP 47 tag; empty: that of the voice."""
    phonemes: dict[str, str] = {}
    """IPA of words of ``text``, by the word in lower case: for voices that take phonemes; the others pay no heed."""
    call: int = 0
    deadline_ns: int = 0
    """When the call runs out of sound. The worker keeps this and ``draft`` up to date while the phrase is made."""
    patience_ns: int = 0
    """How much longer it may wait where another call would run out of sound; kept up to date, too."""
    draft: bool = False
    """The reply may never be heard: others go first."""


def check_speed(speed: float) -> None:
    """Raises ValueError for a speed that is none."""
    if not (math.isfinite(speed) and speed > 0):
        raise ValueError(f"speed must be above 0, not {speed}")


def unknown_voice(backend: str, voice: str, names: Sequence[str]) -> str:
    """What to say of a voice that is not among ``names``: what was meant, or else which there are."""
    if similar := difflib.get_close_matches(voice, names, 1):
        return f"{backend} has no voice `{voice}` here: did you mean {similar[0]}?"
    return f"{backend} has no voice `{voice}` here; there are {', '.join(names) or 'none'}"


class TtsBackend(Protocol):
    """One model for all calls of the worker."""

    rate_hz: int
    """Rate of the samples it makes."""

    @property
    def pool(self) -> Pool[Any] | None:
        """Where the model's work waits; None if it is done at once, or elsewhere."""

    def warm_up(self) -> None:
        """Load the voice and run it once. Raises `ringline.workers.base.CannotStart` with what is missing."""

    def synthesize(self, order: Order) -> Iterator[Samples | Mark | None]:
        """Speak a phrase: int16 mono chunks as they are made.

        A backend that knows where words begin yields their `Mark`s too, both fields growing from one to the next, each
        before the samples it points into or right behind them. Without any, the engine goes by the letters.

        Yields None where nothing is ready yet and the worker should serve other calls meanwhile: until the backend
        calls the ``wake`` it was made with, or for some milliseconds. Closing the iterator
        cancels the rest. Several phrases (of several calls) may be under way at once, each through its own iterator.
        Raises ValueError for a voice that does not exist, or a speed that is none.
        """
