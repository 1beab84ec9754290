"""What a peer sends that cannot be read: left out, counted, and logged once a call and kind. The call goes on."""

from __future__ import annotations

import logging

MAX_IN_A_ROW = 100
"""A peer that sends so many and nothing between them is no peer of this door: two seconds of one message a frame."""
MAX_LOGGED = 8
"""Kinds of them, of one call: what tells them apart is the peer's, and there may be any number."""


class LeftOut:
    """Those of one call."""

    def __init__(self, log: logging.Logger) -> None:
        self.count = 0
        self._log = log
        self._in_a_row = 0
        self._kinds: set[str] = set()

    def add(self, what: str, call_id: str) -> bool:
        """One more. ``what``: its kind, without content. Returns whether the peer is to be given up."""
        self.count += 1
        self._in_a_row += 1
        if what not in self._kinds and len(self._kinds) < MAX_LOGGED:
            self._kinds.add(what)
            self._log.warning("call %s: left out: %s", call_id or "(not yet known)", what)
        return self._in_a_row >= MAX_IN_A_ROW

    def understood(self) -> None:
        """Something came that could be read."""
        self._in_a_row = 0
