"""The built-in judge: a logistic regression on `features`, fitted by ``bench/prosody.py``."""

from __future__ import annotations

import math
from functools import lru_cache
from importlib.resources import files

import msgspec
import numpy as np

from ringline.workers.capture.prosody.features import features, names
from ringline.workers.capture.prosody.frames import Samples, Values

OUTLIER = 3.0
"""Features count up to so many standard deviations: a cough is no melody."""


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was fitted."""

    names: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weight: tuple[float, ...]
    """Per standard deviation, in log odds."""
    bias: float

    def log_odds(self, values: Values) -> float:
        """Of "finished", for one row of features."""
        standard = (values - np.array(self.mean)) / np.array(self.scale)
        return float(np.clip(standard, -OUTLIER, OUTLIER) @ np.array(self.weight)) + self.bias


class Melody:
    """`ProsodyModel` without any other file."""

    def __init__(self, weights: Weights | None = None) -> None:
        """``weights``: others than the committed ones. Raises ValueError where they belong to other features."""
        self._weights = weights or committed()
        if self._weights.names != names():
            raise ValueError("melody.json was fitted to other features: run bench/prosody.py")

    def finished(self, speech: Samples, silence: Samples) -> float | None:
        values = features(speech)
        if values is None:
            return None
        return 1.0 / (1.0 + math.exp(-self._weights.log_odds(values)))


@lru_cache(maxsize=1)
def committed() -> Weights:
    """The weights that come with Ringline."""
    return msgspec.json.decode(files(__package__).joinpath("melody.json").read_bytes(), type=Weights)
