"""How long a silence ends the caller's turn."""

from __future__ import annotations

import msgspec

from ringline.engine.config import TurnConfig
from ringline.ipc.messages import Expectation


class Decision(msgspec.Struct, frozen=True):
    """When the turn is over, and why."""

    silence_ms: int
    reasons: tuple[str, ...] = ()


class Endpointing:
    """One call's endpoint rule."""

    def __init__(self, config: TurnConfig, language: str = "en") -> None:
        self._config = config

    def decide(self, text: str, expect: Expectation, finished: float | None) -> Decision:
        """From what is known of the turn so far."""
        return Decision(self._config.endpoint_ms)

    def paused(self, pause_ms: float) -> None:
        """The caller paused so long inside a turn and went on."""
