"""What a conversation wants done, besides requests to the workers (`ringline.ipc.messages`)."""

from __future__ import annotations

from typing import Literal

import msgspec

from ringline.engine.trace import TurnTrace
from ringline.ipc.messages import ToolCall


class SetGate(msgspec.Struct, frozen=True, tag=True):
    """Let this turn be heard, and only this one; 0 for none. Turns below ``min_turn`` are dead."""

    turn: int
    min_turn: int


class RunTool(msgspec.Struct, frozen=True, tag=True):
    """Run one of the agent's tools; answer with `ToolReturned`."""

    turn: int
    step: int
    tool_call: ToolCall


class CallerSaid(msgspec.Struct, frozen=True, tag=True):
    """For whoever follows the call: the caller's turn is complete."""

    text: str
    """Empty: nothing was understood."""
    is_dtmf: bool = False


class BotSaid(msgspec.Struct, frozen=True, tag=True):
    """For whoever follows the call: a turn of the bot is over."""

    turn: int
    text: str
    """What the caller heard of it."""
    interrupted: bool
    trace: TurnTrace


class HungUp(msgspec.Struct, frozen=True, tag=True):
    """For whoever follows the call: the bot ends it, and why."""

    reason: str


class Escalate(msgspec.Struct, frozen=True, tag=True):
    """The stage is late with this utterance or turn: try its fallback; where there is none, fail it."""

    stage: Literal["stt", "llm", "tts"]
    number: int
