"""Ringline: the realtime core of self-hosted phone voice bots.

An `Engine` answers calls as its `Agent` says. What the agent can do are typed functions: those of a folder's tools.py
are marked with `tool`, a program gives an agent its own with ``@agent.tool``.
"""

from ringline.engine.agent import Agent
from ringline.engine.call import Call, CallBegan, CallerSpeaks, CallEvent, CallOver, ToolRan
from ringline.engine.config import Config, ConfigError
from ringline.engine.conversation.actions import BotSaid, CallerSaid, HungUp
from ringline.engine.engine import Engine
from ringline.engine.supervisor import EngineFailed
from ringline.engine.tool import AgentError, Tool, tool
from ringline.engine.trace import TurnTrace

__all__ = [
    "Agent",
    "AgentError",
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
    "HungUp",
    "Tool",
    "ToolRan",
    "TurnTrace",
    "tool",
]
