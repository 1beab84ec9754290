"""The folder in which models lie, one subfolder each."""

from __future__ import annotations

import os
from pathlib import Path

from ringline.workers.base import CannotStart


def store() -> Path:
    """``$RINGLINE_MODELS``, else ``ringline/models`` in the user's cache folder. It need not exist."""
    if folder := os.environ.get("RINGLINE_MODELS"):
        return Path(folder)
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "ringline" / "models"


def locate(model: str) -> Path:
    """The file or folder of a model: a path, or a name in the `store`.

    Raises CannotStart with what to put where.
    """
    for path in (Path(model).expanduser(), store() / model):
        if path.exists():
            return path
    raise CannotStart(
        f"there is no model {model}: neither a path nor in {store()}. "
        f"`ringline models pull {model}` fetches one that is known; else put its files into {store() / model}"
    )
