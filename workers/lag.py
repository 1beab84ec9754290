"""How far a pool lags behind: its waiting times, averaged over seconds.

Sentences of two calls that meet once make one of them wait, and are no overload. It is one where that goes on.
"""

from __future__ import annotations

import math

RISE_S = 3.0
"""Waiting that goes on so long makes up two thirds of the average: a second of it is half a second of lag after two."""
FALL_S = 10.0
"""What is over counts for longer than that: a model that has just caught up is not yet one with time to spare."""

MOST_S = 3.0
"""Twice what keeps new calls out (`ringline.engine.overload.FROM_S`). More is no worse, and would only be forgotten
later: behind a minute's jam an idle engine would refuse calls for most of another minute."""


class Lag:
    """The average, faded over time."""

    def __init__(self) -> None:
        self._lag_s = 0.0
        self._seen_s: float | None = None

    def update(self, behind_s: float, now_s: float) -> float:
        """The lag now, in seconds. ``behind_s``: `ringline.workers.pool.Pool.behind_s`, which is taken to have been so
        since the last update; ``now_s``: monotonic."""
        if self._seen_s is not None:
            fading_s = RISE_S if behind_s > self._lag_s else FALL_S
            share = 1.0 - math.exp((self._seen_s - now_s) / fading_s)
            self._lag_s = min(MOST_S, self._lag_s + share * (behind_s - self._lag_s))
        self._seen_s = now_s
        return self._lag_s
