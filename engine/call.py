"""A call, as the engine and the programs around it see it."""

from __future__ import annotations

import asyncio
import time
from collections import deque

import msgspec

from ringline.engine.conversation import Action, Conversation, Event
from ringline.engine.conversation.actions import Backchannel, BotSaid, CallerSaid, HungUp
from ringline.engine.event_log import EventLog
from ringline.engine.toolbox import Toolbox
from ringline.engine.trace import TurnTrace
from ringline.ipc.messages import CallArrived, ToolCall

MAX_TRACES = 200
"""Turns remembered per call."""


class CallBegan(msgspec.Struct, frozen=True, tag=True):
    """The call is through."""


class CallerSpeaks(msgspec.Struct, frozen=True, tag=True):
    """What the recogniser believes so far."""

    text: str


class ToolRan(msgspec.Struct, frozen=True, tag=True):
    """The bot used a tool."""

    tool_call: ToolCall
    result: str
    """JSON."""


class CallOver(msgspec.Struct, frozen=True, tag=True):
    """The wire is closed."""

    reason: str
    stats: dict[str, float]


CallEvent = CallBegan | CallerSpeaks | CallerSaid | Backchannel | BotSaid | ToolRan | HungUp | CallOver


class Call:
    """One call. Its attributes are for reading."""

    def __init__(
        self, arrived: CallArrived, conversation: Conversation, toolbox: Toolbox, event_log: EventLog | None = None
    ) -> None:
        self.number = arrived.call
        self.slot = arrived.slot
        self.door = arrived.door
        self.wire_rate_hz = arrived.wire_rate_hz
        self.call_id = arrived.call_id
        self.parameters = arrived.parameters
        self.conversation = conversation
        self.toolbox = toolbox
        self.event_log = event_log
        self.traces: deque[TurnTrace] = deque(maxlen=MAX_TRACES)
        self.started_s = time.time()
        self.ended_s: float | None = None
        self.reason = ""
        self.stats: dict[str, float] = {}
        self.timer: asyncio.TimerHandle | None = None
        self.waiting_for: set[str] = set()
        """Bus names of the workers that have yet to let go of the call's slot."""

    def handle(self, event: Event) -> list[Action]:
        """What the conversation wants done about an event, now; noted in the call's event log, if it has one."""
        now_ns = time.monotonic_ns()
        try:
            actions = self.conversation.handle(event, now_ns)
        except Exception as error:
            if self.event_log is not None:
                self.event_log.record(now_ns, event, (), f"{type(error).__name__}: {error}")
            raise
        if self.event_log is not None:
            self.event_log.record(now_ns, event, actions)
        return actions
