"""What `ringline doctor` and `ringline models check` report."""

from __future__ import annotations

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """One thing looked at."""

    what: str
    found: str
    ok: bool
    advice: str = ""
