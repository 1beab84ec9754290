"""What a judge of melody is."""

from __future__ import annotations

from typing import Protocol

from ringline.workers.capture.prosody.frames import Samples

MEMORY_S = 8
"""No judge hears more than the last so many seconds."""


class ProsodyModel(Protocol):
    """Judges by sound alone whether a speaker has finished. Used by one thread."""

    def finished(self, speech: Samples, silence: Samples) -> float | None:
        """Probability that the speaker will not go on, where both were equally likely before; None for no opinion.

        ``speech``: int16 at 16 kHz, at most the last `MEMORY_S`, up to the last audible sample; ``silence``: what has
        been heard since.
        """
