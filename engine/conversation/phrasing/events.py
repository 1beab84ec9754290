"""What the reader finds in a reply."""

from __future__ import annotations

import msgspec


class Text(msgspec.Struct, frozen=True):
    """A word, or a part of one."""

    text: str
    glued: bool
    """No space before it."""


class Start(msgspec.Struct, frozen=True):
    """A word has begun."""

    char: str
    """Its first letter or digit."""


class Break(msgspec.Struct, frozen=True):
    """A line has ended."""


class CutOff(msgspec.Struct, frozen=True):
    """The model writes that it was interrupted here: the sentence will not go on."""


class Mark(msgspec.Struct, frozen=True):
    """What follows may be interrupted, or may not."""

    uninterruptible: bool


Event = Text | Start | Break | CutOff | Mark
