"""What every prompt of an agent's calls begins with."""

from __future__ import annotations

from ringline.engine.agent import Agent
from ringline.engine.config import TurnConfig
from ringline.engine.conversation import builtin_tools
from ringline.engine.conversation.history import History
from ringline.ipc.messages import WarmPrompt


def tool_schemas(agent: Agent) -> tuple[dict[str, object], ...]:
    """The tools that the agent's LLM is offered: its own, and those that every bot has."""
    return (*(tool.schema() for tool in agent.tools.values()), *builtin_tools.BUILT_IN.values())


def prompt_ahead(agent: Agent, turn: TurnConfig) -> WarmPrompt:
    """The prompt with which a call of this agent's begins, for the calls to come."""
    history = History(agent.prompt, agent.language, turn.history_tokens, agent.voice_rules)
    return WarmPrompt(0, history.messages(), tool_schemas(agent))
