"""A sentence's sound in stretches: where it is cut, and how the stretches are joined again.

The first is short, because the caller waits for it; those behind it grow with what there is to play meanwhile. They are
cut where the sentence is quietest, and overlap: a network that makes one hears nothing of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

FRAMES = (22, 22, 32, 48, 64)
"""About the lengths of the first ones and of all that follow, in frames of 25 ms: 0.55 s to 1.6 s.
Each is made, context included, while the one before it plays, with a third of that time to spare on a core that speaks
at 0.4 s per second."""
FREEDOM = 0.25
"""A cut may lie so much before or behind that, in parts of the stretch."""
CONTEXT = 4
"""Frames made on both sides of a stretch for what the network hears around it, and not kept."""
SILENCE = -2.0
"""Of `Utterance.loudness`: voices begin above, and breath ends below."""
MARGIN = 2, 3
"""Frames kept before the first and behind the last that is above."""
BLEND = 0.5
"""Frames over which one stretch goes over into the next."""


def audible(loudness: Any) -> tuple[int, int]:
    """The frames that are worth making: all of them where nothing is above silence."""
    loud = np.flatnonzero(loudness > SILENCE)
    if not loud.size:
        return 0, int(loudness.shape[0])
    before, behind = MARGIN
    return max(0, int(loud[0]) - before), min(int(loudness.shape[0]), int(loud[-1]) + 1 + behind)


def cuts(loudness: Any, begin: int, end: int) -> list[tuple[int, int]]:
    """The stretches from ``begin`` to ``end``: (first frame, frame behind the last) of each."""
    found: list[tuple[int, int]] = []
    while begin < end:
        size = FRAMES[min(len(found), len(FRAMES) - 1)]
        first, last = begin + round(size * (1 - FREEDOM)), begin + round(size * (1 + FREEDOM))
        cut = end if last + CONTEXT >= end else first + int(np.argmin(loudness[first : last + 1]))
        found.append((begin, cut))
        begin = cut
    return found


def joined(make: Callable[[int, int], Any], parts: Sequence[tuple[int, int]], frame: int) -> Iterator[Any]:
    """The sound of each stretch, so that they follow each other without a seam.

    ``make(begin, end)`` makes frames of ``frame`` samples each.
    """
    blend = round(BLEND * frame)
    rising = np.linspace(0.0, 1.0, blend, dtype=np.float32)
    first, last = parts[0][0], parts[-1][1]
    tail = np.zeros(0, np.float32)  # what the stretch before has made from half a blend before its end on
    for begin, end in parts:
        lead = min(CONTEXT, begin - first)
        made = make(begin - lead, min(last, end + CONTEXT))[lead * frame - (blend // 2 if lead else 0) :]
        if lead:
            made[:blend] = tail[:blend] * (1 - rising) + made[:blend] * rising
        size = (end - begin) * frame - (0 if lead else blend // 2)
        if end == last:
            size = made.shape[0]
        yield made[:size]
        tail = made[size:]
