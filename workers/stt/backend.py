"""What an STT backend is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from ringline.ipc.messages import Transcribe
from ringline.workers.pool import Pool

Samples = np.ndarray[tuple[int], np.dtype[np.int16]]


class Stream(Protocol):
    """One utterance being recognised."""

    partial: str
    """The hypothesis so far."""
    stable: int
    """So many of its characters successive hypotheses agree on: the caller's further words will hardly change them. 0
    where the recogniser cannot tell."""

    @property
    def final(self) -> str | None:
        """The transcript; None until it is known. Empty: nothing was understood. Raises if recognition has failed."""

    confidence: float
    """Of ``final``, 0 to 1."""
    other_words: float | None
    """Of speech over the bot, once ``final`` is known: how likely it is that words were said which are no listener's,
    whatever ``final`` says. None where the recogniser has no opinion beside its words; then the worker's ear has one
    (`listening.py`)."""
    closed_vocabulary: bool
    """It knows few words, and hears one of them where another was said."""

    def feed(self, samples: Samples) -> None:
        """More of the utterance: int16 mono at 16 kHz, any number of samples."""

    def finalise(self, due_ns: int = 0) -> None:
        """The utterance is complete. ``final`` is set here or by a later `SttBackend.step`. It is needed at ``due_ns``,
        or at once."""

    def close(self) -> None:
        """The utterance is over or no longer wanted. May come at any point, and more than once."""


class SttBackend(Protocol):
    """A pool of one model for all calls of the worker."""

    @property
    def pool(self) -> Pool[Any] | None:
        """Where the model's work waits; None if it is done at once, or elsewhere."""

    def warm_up(self) -> None:
        """Load the models and run them once. Raises `ringline.workers.base.CannotStart` with what is missing."""

    def open(self, request: Transcribe, now_ns: int) -> Stream | None:
        """Begin an utterance; None while the pool is exhausted (its audio waits in the ring).

        ``request`` says what the bot expects, and in which language. With ``request.overlap`` it is spoken over the
        bot, where backchannels ("uh-huh") and coughs are as likely as what the bot expects. A backchannel is to be
        transcribed as one, and a cough as nothing; and since partials cut the bot off, they should be rather late than
        wrong.
        """

    def step(self, streams: Sequence[Stream], now_ns: int) -> int | None:
        """Do what is due for the open streams. Returns when to be called again at the latest, None for no wish."""
