"""Written words as people say them: numbers, money, dates, times, telephone numbers, codes, addresses.

`speaker.py` knows the patterns, a module per language the words. Text in other languages is left to TTS as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module

from ringline.engine.conversation.phrasing.speaking.speaker import Speaker

Speak = Callable[[Sequence[str]], list[str]]
"""The words of one phrase as they are spoken, one for one, none empty."""

_MODULES = {"en": "english", "de": "german", "fr": "french", "es": "spanish"}


@cache
def speak_in(language: str) -> Speak:
    """How to speak a language, named by its primary subtag. Loads its rules the first time: about 10 ms."""
    if language not in _MODULES:
        return list
    speaker: Speaker = import_module(f"{__name__}.{_MODULES[language]}").SPEAKER
    return speaker.speak
