"""Stand-ins for what has its own tests: phrases end at ``.``, ``?`` and ``!``, endpoints depend on the text's hash."""

from __future__ import annotations

import re
import zlib

from ringline.engine.config import TurnConfig
from ringline.engine.conversation.endpointing import Decision
from ringline.engine.conversation.phrasing import Phrase, Word
from ringline.ipc.messages import Expectation

_END = re.compile(r"(?<=[.?!]) ")


class SimplePhraser:
    """What ends in ``!`` must be heard."""

    def __init__(self, language: str = "en") -> None:
        self._rest = ""

    def feed(self, text: str) -> list[Phrase]:
        *texts, self._rest = _END.split(self._rest + text)
        return [_phrase(text) for text in texts]

    def flush(self, drops_fragment: bool = False) -> list[Phrase]:
        rest, self._rest = self._rest, ""
        return [_phrase(rest)] if rest else []


def _phrase(text: str) -> Phrase:
    return Phrase(tuple(Word(word, word) for word in text.split()), True, text.endswith("!"))


class AnyEndpointing:
    """From the least to the most silence, without reason, but the same for the same text."""

    def __init__(self, config: TurnConfig, language: str = "en", trusts_dictation: bool = True) -> None:
        self._low, self._high = config.endpoint_min_ms, config.endpoint_max_ms

    def decide(self, text: str, expect: Expectation, finished: float | None, asked: str = "") -> Decision:
        return Decision(self._low + zlib.crc32(f"{text}{finished}".encode()) % (self._high - self._low + 1))

    def paused(self, pause_ms: float) -> None:
        assert pause_ms > 0
