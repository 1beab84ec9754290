"""What a call's conversation is made of."""

from __future__ import annotations

import msgspec

from ringline.engine.agent import Agent
from ringline.engine.config import Config, FlowLlm, PocketsphinxStt, SyntheticLlm, TurnConfig
from ringline.engine.conversation import Conversation
from ringline.ipc.messages import CallArrived

MAX_SENTENCES = 3
"""What a model may say at once, unless its agent says otherwise: nobody listens to a long answer on the telephone."""


class CallSetup(msgspec.Struct, frozen=True):
    """All that a conversation's course depends on, besides the events: its event log begins with it, so the fields are
    plain data."""

    call: int
    slot: int
    agent: Agent
    turn: TurnConfig
    wire_rate_hz: int
    max_sentences: int = 0
    """Of a reply; 0: no limit."""
    trusts_dictation: bool = True
    """Whether the recogniser's text tells where turns end when it follows no grammar."""
    warms_prompt: bool = False
    """Whether the LLM is given its prompt ahead."""

    @classmethod
    def of(cls, arrived: CallArrived, agent: Agent, config: Config) -> CallSetup:
        """That of a call which has just arrived."""
        limit = agent.max_sentences
        if limit is None:
            is_authored = isinstance(config.llm, FlowLlm | SyntheticLlm)
            limit = 0 if is_authored else MAX_SENTENCES
        trusts_dictation = not isinstance(config.stt, PocketsphinxStt)
        return cls(
            arrived.call, arrived.slot, agent, config.turn, arrived.wire_rate_hz, limit, trusts_dictation,
            config.llm.warms_prompt,
        )  # fmt: skip

    def conversation(self) -> Conversation:
        """A new conversation: for a call, or for the replay of one."""
        return Conversation(
            self.call, self.slot, self.agent, self.turn, self.wire_rate_hz, self.max_sentences, self.trusts_dictation,
            self.warms_prompt,
        )  # fmt: skip
