"""What a call's conversation is made of."""

from __future__ import annotations

import msgspec

from ringline.engine.agent import Agent
from ringline.engine.config import Config, FlowLlm, PocketsphinxStt, SyntheticLlm, TurnConfig
from ringline.engine.conversation import Conversation
from ringline.engine.conversation.length import MAX_REPLY_S
from ringline.ipc.messages import CallArrived


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
    max_reply_s: float = 0.0
    """Of a reply, as it is spoken; 0: no limit."""
    llm_tiers: int = 1
    """The LLM and its fallbacks."""
    is_authored: bool = False
    """Somebody wrote what the LLM says."""

    @classmethod
    def of(cls, arrived: CallArrived, agent: Agent, config: Config) -> CallSetup:
        """That of a call which has just arrived."""
        max_reply_s = agent.max_reply_s
        is_authored = isinstance(config.llm, FlowLlm | SyntheticLlm)
        if max_reply_s is None:
            max_reply_s = 0.0 if is_authored or agent.max_sentences is not None else MAX_REPLY_S
        trusts_dictation = not isinstance(config.stt, PocketsphinxStt)
        return cls(
            arrived.call, arrived.slot, agent, config.turn, arrived.wire_rate_hz, agent.max_sentences or 0,
            trusts_dictation, config.llm.warms_prompt, max_reply_s, len(config.tiers("llm")),
            is_authored,
        )  # fmt: skip

    def conversation(self) -> Conversation:
        """A new conversation: for a call, or for the replay of one."""
        return Conversation(
            self.call, self.slot, self.agent, self.turn, self.wire_rate_hz, self.max_sentences, self.trusts_dictation,
            self.warms_prompt, self.max_reply_s, self.llm_tiers, self.is_authored,
        )  # fmt: skip
