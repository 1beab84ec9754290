"""What a conversation wants done, besides requests to the workers (`ringline.ipc.messages`)."""

from __future__ import annotations

from typing import Literal

import msgspec

from ringline.engine.trace import TurnTrace
from ringline.ipc.messages import ToolCall

Remedy = Literal["ask again", "ask the fallback", "say so", "say nothing", "give up"]


class SetGate(msgspec.Struct, frozen=True, tag=True):
    """Let this turn be heard, and only this one; 0 for none. Turns below ``min_turn`` are dead."""

    turn: int
    min_turn: int


class RunTool(msgspec.Struct, frozen=True, tag=True):
    """Run one of the agent's tools; answer with `ToolReturned`."""

    turn: int
    step: int
    tool_call: ToolCall


class Escalate(msgspec.Struct, frozen=True, tag=True):
    """The stage is late with this utterance or turn: try its fallback; where there is none, fail it."""

    stage: Literal["stt", "llm", "tts"]
    number: int


class CallerSaid(msgspec.Struct, frozen=True, tag=True):
    """For whoever follows the call: the caller's turn is complete."""

    text: str
    """Empty: nothing was understood."""
    is_dtmf: bool = False
    amends: bool = False
    """The turn before seemed over and was not: this is the whole of it."""


class Backchannel(msgspec.Struct, frozen=True, tag=True):
    """For whoever follows the call: the caller showed that they listen, and the bot went on."""

    text: str


class BotSaid(msgspec.Struct, frozen=True, tag=True):
    """For whoever follows the call: a turn of the bot is over."""

    turn: int
    text: str
    """What the caller heard of it."""
    interrupted: bool
    trace: TurnTrace
    exact: bool = True
    """Whether ``text`` goes by what capture reports of playout and TTS of its words. Else its end was worked out by
    time or letters, and may be off by a word."""


class NothingToSay(msgspec.Struct, frozen=True, tag=True):
    """For the log: nothing of what the LLM wrote could be spoken."""

    turn: int
    step: int
    remedy: Remedy
    """What is done about it."""


class HungUp(msgspec.Struct, frozen=True, tag=True):
    """For whoever follows the call: the bot ends it, and why."""

    reason: str
