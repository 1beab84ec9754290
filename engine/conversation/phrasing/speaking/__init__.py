"""Written words as people say them: numbers, money, dates, times, telephone numbers, codes, addresses.

`speaker.py` knows the patterns, a module per language the words. What other languages write stays as it is,
for TTS to read.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module

from ringline.engine.conversation.phrasing.speaking.speaker import Speaker

_MODULES = {"en": "english", "de": "german", "fr": "french", "es": "spanish"}


def speak(words: Sequence[str], language: str) -> list[str]:
    """The words of one phrase as they are spoken, one for one, none empty. ``language`` is a primary subtag: ``en``."""
    speaker = _speaker(language) if language in _MODULES else None
    return speaker.speak(words) if speaker is not None else list(words)


@cache
def _speaker(language: str) -> Speaker:
    speaker: Speaker = import_module(f"{__name__}.{_MODULES[language]}").SPEAKER
    return speaker
