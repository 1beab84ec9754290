"""The decisions of a simulated run: drawn from a seed, recorded, and made smaller when the run has found an error."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence


class Tape:
    """Every decision is a whole number, 0 the harmless choice. With ``script`` they are read from it, then all 0."""

    def __init__(self, seed: int = 0, script: Sequence[int] | None = None) -> None:
        self.record: list[int] = []
        self._random = random.Random(seed).random
        self._script = script

    def below(self, limit: int) -> int:
        """A number from 0 to ``limit`` - 1."""
        if self._script is None:
            value = int(self._random() * limit)
        elif len(self.record) < len(self._script):
            value = min(self._script[len(self.record)], limit - 1)
        else:
            value = 0
        self.record.append(value)
        return value

    def chance(self, percent: float) -> bool:
        """Whether something unusual happens."""
        return self.below(1000) >= 1000 - percent * 10

    def between(self, low: int, high: int) -> int:
        """A number from ``low`` to ``high``."""
        return low + self.below(high - low + 1)


def smaller(script: list[int], fails: Callable[[list[int]], bool], max_runs: int = 3_000) -> list[int]:
    """A shorter and tamer script that still fails: cut off its end, then put zeros, then leave parts out."""
    runs = 0

    def still(candidate: list[int]) -> bool:
        nonlocal runs
        runs += 1
        return runs <= max_runs and fails(candidate)

    low, high = 0, len(script)
    while low < high and runs < max_runs:
        middle = (low + high) // 2
        low, high = (low, middle) if still(script[:middle]) else (middle + 1, high)
    script = script[:high]
    for change in (lambda part: [0] * len(part), lambda part: []):
        size = len(script)
        while size:
            start = 0
            while start < len(script):
                part = script[start : start + size]
                candidate = script[:start] + change(part) + script[start + size :]
                if candidate != script and still(candidate):
                    script = candidate
                    start += size if len(candidate) == len(script) and change(part) else 0
                else:
                    start += size
            size //= 2
    while script and not script[-1]:
        script.pop()
    return script
