"""Helpers for phrases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ringline.engine.conversation.phrasing import Phrase, Phraser

Phrases = Callable[..., list[Phrase]]


@pytest.fixture(scope="session")
def phrases() -> Phrases:
    """All phrases of a reply that comes in pieces of ``size`` characters."""

    def all_phrases(text: str, language: str = "en", size: int = 3) -> list[Phrase]:
        phraser = Phraser(language)
        found = [phrase for at in range(0, len(text), size) for phrase in phraser.feed(text[at : at + size])]
        return found + phraser.flush()

    return all_phrases
