"""Packages that only some backends need: an extra of setup.py brings them."""

from __future__ import annotations

import importlib
from typing import Any

from ringline.workers.base import CannotStart


def require(module: str, extra: str) -> Any:
    """Import a backend's package. Raises CannotStart with the command that installs what is missing."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        missing = error.name or module
        raise CannotStart(f"the package {missing} is missing: pip install 'ringline[{extra}]' ({error})") from error
