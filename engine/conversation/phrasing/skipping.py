"""Text that is passed over as it streams in, however long it gets."""

from __future__ import annotations

from typing import Protocol


class Skip(Protocol):
    """Passes over text until its own end."""

    def take(self, text: str) -> tuple[str, bool]:
        """Returns what is left of ``text``, and whether the end was in it."""


class UntilMarker:
    """Up to a marker, such as the end of a code block."""

    def __init__(self, marker: str) -> None:
        self._marker = marker

    def take(self, text: str) -> tuple[str, bool]:
        """See `Skip`. Keeps so much of the text that a marker in two parts is found."""
        found = text.find(self._marker)
        if found < 0:
            return text[max(0, len(text) - len(self._marker) + 1) :], False
        return text[found + len(self._marker) :], True


class LinkTarget:
    """Up to the parenthesis that closes a link's address, or the end of the line, or where no address is so long."""

    MAX_CHARS = 2_000

    def __init__(self) -> None:
        self._depth = 1
        self._num_chars = 0

    def take(self, text: str) -> tuple[str, bool]:
        """See `Skip`."""
        for index, char in enumerate(text):
            self._num_chars += 1
            if char == "\n":
                return text[index:], True
            self._depth += (char == "(") - (char == ")")
            if self._depth == 0 or self._num_chars > self.MAX_CHARS:
                return text[index + 1 :], True
        return "", False
