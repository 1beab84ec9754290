"""What a call's conversation is made of."""

from __future__ import annotations

import msgspec

from ringline.engine.agent import Agent
from ringline.engine.config import TurnConfig
from ringline.engine.conversation import Conversation


class CallSetup(msgspec.Struct, frozen=True):
    """All that a conversation's course depends on, besides the events: its event log begins with it, so the fields are
    plain data."""

    call: int
    slot: int
    agent: Agent
    turn: TurnConfig
    wire_rate_hz: int

    def conversation(self) -> Conversation:
        """A new conversation: for a call, or for the replay of one."""
        return Conversation(self.call, self.slot, self.agent, self.turn, self.wire_rate_hz)
