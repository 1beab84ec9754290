"""Ringline: the realtime core of self-hosted phone voice bots.

An `Engine` answers calls as its `Agent` says. What the agent can do are typed functions: those of a folder's tools.py
are marked with `tool`, a program gives an agent its own with ``@agent.tool``.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringline.engine.agent import Agent, FlowFile
    from ringline.engine.call import Call, CallBegan, CallerSpeaks, CallEvent, CallOver, ToolRan
    from ringline.engine.config import Config, ConfigError
    from ringline.engine.conversation.actions import Backchannel, BotSaid, CallerSaid, HungUp
    from ringline.engine.engine import Engine
    from ringline.engine.supervisor import EngineFailed
    from ringline.engine.tool import AgentError, Tool, tool
    from ringline.engine.trace import TurnTrace

__all__ = [
    "Agent",
    "AgentError",
    "Backchannel",
    "BotSaid",
    "Call",
    "CallBegan",
    "CallEvent",
    "CallOver",
    "CallerSaid",
    "CallerSpeaks",
    "Config",
    "ConfigError",
    "Engine",
    "EngineFailed",
    "FlowFile",
    "HungUp",
    "Tool",
    "ToolRan",
    "TurnTrace",
    "tool",
]

_HOMES = {
    "ringline.engine.agent": ("Agent", "FlowFile"),
    "ringline.engine.call": ("Call", "CallBegan", "CallerSpeaks", "CallEvent", "CallOver", "ToolRan"),
    "ringline.engine.config": ("Config", "ConfigError"),
    "ringline.engine.conversation.actions": ("Backchannel", "BotSaid", "CallerSaid", "HungUp"),
    "ringline.engine.engine": ("Engine",),
    "ringline.engine.supervisor": ("EngineFailed",),
    "ringline.engine.tool": ("AgentError", "Tool", "tool"),
    "ringline.engine.trace": ("TurnTrace",),
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for: a worker process needs none of the engine's."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
