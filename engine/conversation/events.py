"""What happens to a conversation, besides the messages of the workers (`ringline.ipc.messages`)."""

from __future__ import annotations

import msgspec


class CallStarted(msgspec.Struct, frozen=True, tag=True):
    """The call is through; the bot may speak."""


class TimePassed(msgspec.Struct, frozen=True, tag=True):
    """A deadline of the conversation (`Conversation.deadline_ns`) has come."""


class ToolReturned(msgspec.Struct, frozen=True, tag=True):
    """A tool that the conversation asked for has an answer."""

    turn: int
    step: int
    tool_call_id: str
    result: str
    """JSON; an object with the key ``error`` where the tool failed."""


class Overloaded(msgspec.Struct, frozen=True, tag=True):
    """The models have more to do than they can do soon, or no longer: what may be for nothing is not begun."""

    overloaded: bool


class HangUpAsked(msgspec.Struct, frozen=True, tag=True):
    """The program around the engine wants the call to end."""

    reason: str


class CallClosed(msgspec.Struct, frozen=True, tag=True):
    """The wire is gone."""
