"""The simulated caller: a process that knows nothing of an engine but its wire, and measures it there."""

from __future__ import annotations

from ringline.tools.caller.dialogue import Manners
from ringline.tools.caller.events import Event, EventWriter
from ringline.tools.caller.report import CallResult, Percentiles, RunResult, render
from ringline.tools.caller.run import run_calls
from ringline.tools.caller.script import DEFAULT_VOICE, Item, ScriptError
from ringline.tools.caller.wire import UrlError

__all__ = [
    "DEFAULT_VOICE",
    "CallResult",
    "Event",
    "EventWriter",
    "Item",
    "Manners",
    "Percentiles",
    "RunResult",
    "ScriptError",
    "UrlError",
    "render",
    "run_calls",
]
