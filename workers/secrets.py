"""Secrets come from the environment; the configuration only names them."""

from __future__ import annotations

import os

from ringline.workers.base import CannotStart


def secret(value: str) -> str:
    """A configured secret; ``$NAME`` stands for an environment variable. Raises CannotStart if that is not set."""
    if not value.startswith("$"):
        return value
    found = os.environ.get(value[1:], "")
    if not found:
        raise CannotStart(f"the environment variable {value[1:]} is not set; the configuration takes a secret from it")
    return found
