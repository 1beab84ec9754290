"""What the engine leaves out while its models lag behind, so that the callers who are there are still answered in time.

Each stage's lag is that of its least burdened worker. With it grows what is left out, in this order:

1. drafts: replies that may be for nothing,
2. partials: what a recogniser that lags behind would compute for hypotheses,
3. the first voice: where that lags behind and there is a fallback, new replies are spoken by the fallback,
4. new calls: their doors are shut as if every slot were taken.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

from ringline.engine.config import Stage

LOGGED = "overload"
"""The line in the log whenever something is left out, or more or less than before."""


class Level(enum.IntEnum):
    """What is left out, with all before it."""

    NOTHING = 0
    DRAFTS = 1
    PARTIALS = 2
    VOICE = 3
    CALLS = 4

    @property
    def words(self) -> str:
        """What is left out, for people."""
        return ("", "drafts", "partials", "first voice", "new calls")[self]


FROM_S = {Level.DRAFTS: 0.5, Level.PARTIALS: 0.8, Level.VOICE: 1.1, Level.CALLS: 1.5}
"""From so much lag on. Callers notice half a second; at `dead_air_ms`, two, they are asked for a moment, which is to be
prevented."""

UNTIL_S = {level: lag_s / 2 for level, lag_s in FROM_S.items()}
"""... until there is less than this: half a lag is worked off, not rounded off."""


class Overload:
    """The level of each stage."""

    def __init__(self) -> None:
        self._levels: dict[Stage, Level] = {}

    def update(self, lags_s: Mapping[Stage, float]) -> bool:
        """The lag of each stage now. Returns whether a level has changed."""
        levels = {stage: _level(lag_s, self.of(stage)) for stage, lag_s in lags_s.items()}
        has_changed = any(level != self.of(stage) for stage, level in levels.items())
        self._levels = levels
        return has_changed

    def of(self, stage: Stage) -> Level:
        """The stage's level."""
        return self._levels.get(stage, Level.NOTHING)

    @property
    def worst(self) -> Level:
        """The highest of all stages."""
        return max(self._levels.values(), default=Level.NOTHING)


def _level(lag_s: float, before: Level) -> Level:
    def holds(level: Level) -> bool:
        return lag_s >= (UNTIL_S if level <= before else FROM_S)[level]

    return max((level for level in FROM_S if holds(level)), default=Level.NOTHING)
