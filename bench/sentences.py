"""At which pauses of the recordings a sentence could end, as one reads it in their exact text.

``sentences.json``: by file, the seconds at which a pause of 200 ms or more begins where the words so far could be all
there is. Judged by reading; the words were placed by pocketsphinx, which aligned the exact text to the telephone audio.
At any other pause of a recording whose end is known, the words so far ask for more.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

from bench.recordings import BEFORE_S, Turn

TOLERANCE_S = 0.15
"""Another line and another noise move the end of speech by less."""

_COULD_END: dict[str, list[float]] = json.loads(Path(__file__).with_suffix(".json").read_text())


def could_end(turn: Turn) -> tuple[bool, ...]:
    """Of each silence of a turn whose end is known; always of the last."""
    known_s = _COULD_END.get(turn.recording.file, [])
    return tuple(
        math.isinf(silence.pause_ms)
        or any(abs(silence.end_sample / 16_000 - BEFORE_S - at_s) < TOLERANCE_S for at_s in known_s)
        for silence in turn.silences
    )
