"""The life of a worker process."""

from __future__ import annotations


class CannotStart(Exception):
    """A worker lacks what it needs (a package, a model, a port); the message says what, and what to do about it."""
