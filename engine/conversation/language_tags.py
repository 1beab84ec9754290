"""Language tags such as ``en``, ``en-GB`` or ``de_AT``."""

from __future__ import annotations


def primary_language(tag: str) -> str:
    """The language alone, in lower case: what word lists and phrase books go by."""
    return tag.lower().replace("_", "-").partition("-")[0]
