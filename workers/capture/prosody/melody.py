"""The built-in judge: boosted stumps on `features`, fitted by ``bench/prosody.py``.

Each stump asks one feature one question and adds a little to the log odds; together they are a sum of step functions,
one per feature.
"""

from __future__ import annotations

import math
from functools import lru_cache
from importlib.resources import files

import msgspec
import numpy as np

from ringline.workers.capture.prosody.features import features, names
from ringline.workers.capture.prosody.frames import Samples, Values


class Stumps(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was fitted. All but ``names`` have one entry per stump."""

    names: tuple[str, ...]
    """Of the features, in order."""
    feature: tuple[int, ...]
    threshold: tuple[float, ...]
    step: tuple[float, ...]
    """Added to the log odds where the feature lies above the threshold ..."""
    bias: float
    """... to this."""

    def log_odds(self, values: Values) -> float:
        """Of "finished", for one row of features."""
        above = values[np.array(self.feature)] > np.array(self.threshold)
        return self.bias + float(np.array(self.step) @ above)


class Melody:
    """`ProsodyModel` without any other file."""

    def __init__(self, stumps: Stumps | None = None) -> None:
        """``stumps``: others than the committed ones. Raises ValueError where they belong to other features."""
        self._stumps = stumps or committed()
        if self._stumps.names != names():
            raise ValueError("melody.json was fitted to other features: run bench/prosody.py")

    def finished(self, speech: Samples, silence: Samples) -> float | None:
        odds = self.log_odds(speech)
        return None if odds is None else 1.0 / (1.0 + math.exp(-odds))

    def log_odds(self, speech: Samples) -> float | None:
        """Of "finished"; None for no opinion."""
        values = features(speech)
        return None if values is None else self._stumps.log_odds(values)


@lru_cache(maxsize=1)
def committed() -> Stumps:
    """The stumps that come with Ringline."""
    return msgspec.json.decode(files(__package__).joinpath("melody.json").read_bytes(), type=Stumps)
