"""Connects calls to slots and messages to whom they are for.

A call comes into being when capture says that it has arrived, and is over when capture says that its wire is closed.
Its slot is free again when every worker that may have known it has let go, or has died.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable

import msgspec

from ringline.engine.agent import Agent
from ringline.engine.agents import Agents
from ringline.engine.call import Call, CallBegan, CallerSpeaks, CallEvent, CallOver, ToolRan
from ringline.engine.call_setup import CallSetup
from ringline.engine.config import Config
from ringline.engine.conversation import Action, Event
from ringline.engine.conversation.actions import Backchannel, BotSaid, CallerSaid, Escalate, HungUp, RunTool, SetGate
from ringline.engine.conversation.events import (
    CallClosed,
    CallStarted,
    HangUpAsked,
    Overloaded,
    TimePassed,
    ToolReturned,
)
from ringline.engine.event_log import EventLogs
from ringline.engine.first_calls import FirstCalls
from ringline.engine.overload import LOGGED, Level, Overload
from ringline.engine.requests import Requests
from ringline.engine.supervisor import Supervisor, WorkerProcess
from ringline.engine.tiers import Tiers
from ringline.engine.toolbox import Toolbox
from ringline.ipc.exchange import MIN_TURN, PLAY_TURN, Exchange, owner
from ringline.ipc.messages import (
    CallArrived,
    CallEnded,
    CallReleased,
    FlushPlayout,
    FromWorker,
    Generate,
    HangUp,
    PromptWarmed,
    Rehearsed,
    ReleaseCall,
    ToWorker,
    TranscriptPartial,
    WorkerBehind,
    WorkerReady,
    WorkerRefused,
)

log = logging.getLogger("ringline.switchboard")

NO_TURN = 2**62
"""Behind every turn there will be."""

MAX_FINISHED_CALLS = 100
"""Finished calls whose traces can still be looked at."""


class Switchboard:
    """All calls of an engine."""

    def __init__(
        self,
        config: Config,
        agent: Agent,
        exchange: Exchange,
        send: Callable[[str, ToWorker], bool],
        on_event: Callable[[Call, CallEvent], None],
        event_logs: EventLogs | None = None,
    ) -> None:
        self.calls: dict[int, Call] = {}
        self.finished: deque[Call] = deque(maxlen=MAX_FINISHED_CALLS)
        self._config = config
        self._first_agent = agent
        self._exchange = exchange
        self._send = send
        self._on_event = on_event
        self._event_logs = event_logs
        self._releasing: dict[int, Call] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._is_open = False
        self.overload = Overload()
        self.supervisor: Supervisor
        self.requests: Requests
        self.agents: Agents
        self.first_calls: FirstCalls

    def connect(self, supervisor: Supervisor) -> None:
        """The supervisor needs the switchboard's callbacks, and the switchboard the supervisor."""
        self.supervisor = supervisor
        self.agents = Agents(self._config, self._first_agent, supervisor, self._send)
        self.first_calls = FirstCalls(self._config, self.agents, supervisor, self._send)
        self._tiers = Tiers(self._config, supervisor)
        self.requests = Requests(supervisor, self._tiers, self._send, self._deliver_soon)

    def open(self, is_open: bool) -> None:
        """Let new calls in, as long as the models keep up with those that are there; or let none in."""
        self._is_open = is_open
        self._admit()

    # --- messages of the workers ----------------------------------------------------------------------------------

    def on_message(self, bus_name: str, message: FromWorker) -> None:
        """One message from a worker. What a dead one had still said is ignored: its requests are sent again.

        What goes wrong with a message ends the call that it is about, if any, and nothing else.
        """
        worker = self.supervisor.by_bus_name(bus_name)
        if worker is None:
            return
        try:
            self._take(worker, bus_name, message)
        except Exception:
            number = getattr(message, "call", 0)
            fields = {"worker": worker.name, "about": type(message).__name__, "call": number}
            log.exception("a message could not be dealt with; its call is ended", extra=fields)
            self._abandon(number)

    def _take(self, worker: WorkerProcess, bus_name: str, message: FromWorker) -> None:
        match message:
            case WorkerReady(doors=doors):
                self.supervisor.worker_ready(worker, doors)
            case WorkerRefused(reason=reason):
                self.supervisor.worker_refused(worker, reason)
            case WorkerBehind(lag_s=lag_s):
                worker.lag_s = lag_s
                self._look_at_lags()
            case PromptWarmed() | Rehearsed():
                self.first_calls.take(worker, message)
            case CallArrived():
                self._begin(message)
            case CallEnded(call=number, reason=reason, stats=stats):
                self._end(number, reason, stats)
            case CallReleased(call=number):
                self._released(number, bus_name)
            case _:
                settled = self.requests.settle(bus_name, message)
                if settled is not None:
                    self._deliver(settled)

    def on_worker_ready(self, worker: WorkerProcess) -> None:
        """From the supervisor."""
        self.agents.worker_ready(worker)
        self.first_calls.worker_ready(worker)
        self.requests.worker_ready(worker)
        self._look_at_lags()

    def use(self, agent: Agent) -> None:
        """Let new calls be answered by this agent. Raises AgentError; the old one stays then."""
        self.agents.use(agent)
        self.first_calls.agent_changed()

    def on_worker_down(self, worker: WorkerProcess, bus_name: str) -> None:
        """From the supervisor. Capture's death is the end of its calls; any other worker's death is not."""
        if worker.kind == "capture":
            for slot in self._exchange.slots:
                number = slot.call
                if not number or owner(number) != worker.index or number in self._releasing:
                    continue
                if number in self.calls:
                    self._end(number, "the capture worker died", {})
                else:  # claimed, but it died before it could say so
                    self._exchange.free(slot)
        for number in list(self._releasing):
            self._released(number, bus_name)
        self.first_calls.worker_down(bus_name)
        self.requests.worker_down(bus_name, self._exchange.working_on(worker.index))
        self._look_at_lags()

    # --- calls ----------------------------------------------------------------------------------------------------

    def hang_up_all(self, reason: str) -> None:
        """End every call."""
        for call in list(self.calls.values()):
            self._handle(call, HangUpAsked(reason))

    def hang_up(self, number: int, reason: str) -> None:
        """End one call. Raises KeyError if there is none of that number."""
        self._handle(self.calls[number], HangUpAsked(reason))

    async def wait_until_idle(self) -> None:
        """Return when there are no calls and all slots are free."""
        await self._idle.wait()

    def _begin(self, arrived: CallArrived) -> None:
        agent = self.agents.begin(arrived.call)
        setup = CallSetup.of(arrived, agent, self._config)
        event_log = self._event_logs.open(setup, arrived.call_id) if self._event_logs is not None else None
        call = Call(arrived, setup.conversation(), Toolbox(agent.tools), event_log)
        self.calls[call.number] = call
        self._idle.clear()
        log.info("call began", extra={"call": call.number, "door": call.door})
        self._on_event(call, CallBegan())
        self._handle(call, CallStarted())
        if self.overload.worst >= Level.DRAFTS:
            self._handle(call, Overloaded(True))

    def _end(self, number: int, reason: str, stats: dict[str, float]) -> None:
        call = self.calls.get(number)
        if call is None:
            self._end_unknown(number)
            return
        self._handle(call, CallClosed())
        del self.calls[number]
        if call.timer is not None:
            call.timer.cancel()
        call.ended_s, call.reason, call.stats = time.time(), reason, stats
        self.finished.append(call)
        if call.event_log is not None:
            call.event_log.close()
        self.requests.forget_call(number)
        self.agents.end(number)
        log.info("call over", extra={"call": number, "reason": reason})
        self._on_event(call, CallOver(reason, stats))
        self._releasing[number] = call
        call.waiting_for = {
            worker.bus_name
            for worker in self.supervisor.workers
            if worker.state == "ready" and self._send(worker.bus_name, ReleaseCall(number))
        }
        self._free_if_released(call)

    def _end_unknown(self, number: int) -> None:
        """A call that never came to be one is over: capture alone knew its slot."""
        self.agents.end(number)
        for slot in self._exchange.slots:
            if number and slot.call == number and number not in self._releasing:
                self._exchange.free(slot)

    def _released(self, number: int, bus_name: str) -> None:
        call = self._releasing.get(number)
        if call is not None:
            call.waiting_for.discard(bus_name)
            self._free_if_released(call)

    def _free_if_released(self, call: Call) -> None:
        if not call.waiting_for:
            del self._releasing[call.number]
            self._exchange.free(self._exchange.slots[call.slot])
            if not self.calls and not self._releasing:
                self._idle.set()

    # --- conversations --------------------------------------------------------------------------------------------

    def _deliver(self, message: FromWorker) -> None:
        """A fact about a call, to its conversation."""
        call = self.calls.get(getattr(message, "call", 0))
        if call is None:
            return
        if isinstance(message, TranscriptPartial):
            self._on_event(call, CallerSpeaks(message.text))
        self._handle(call, message)

    def _look_at_lags(self) -> None:
        """Leave out what has to be left out, and no longer what has not."""
        lags_s = self.supervisor.lags_s()
        had_drafts = self.overload.worst < Level.DRAFTS
        if not self.overload.update(lags_s):
            return
        worst = self.overload.worst
        slow = {stage: lag_s for stage, lag_s in lags_s.items() if self.overload.of(stage)}
        log.warning(LOGGED if worst else "no overload any more", extra={"left_out": worst.words, "lag_s": slow})
        self.requests.partials = self.overload.of("stt") < Level.PARTIALS
        self._tiers.relieved = frozenset({"tts"}) if self.overload.of("tts") >= Level.VOICE else frozenset()
        self._admit()
        if had_drafts != (worst < Level.DRAFTS):
            for call in list(self.calls.values()):
                self._handle(call, Overloaded(had_drafts))

    def _admit(self) -> None:
        is_refusing = self._config.engine.refuse_calls and self.overload.worst >= Level.CALLS
        self._exchange.admit(self._is_open and not is_refusing)

    def _deliver_soon(self, message: FromWorker) -> None:
        """For what comes to light while a conversation's actions are carried out: one thing after the other."""
        asyncio.get_running_loop().call_soon(self._deliver, message)

    def _handle(self, call: Call, event: Event) -> None:
        try:
            for action in call.handle(event):
                self._carry_out(call, action)
            self._set_timer(call)
        except Exception:
            # A defect: this call cannot be trusted any more, all others can.
            log.exception("the conversation failed; its call is ended", extra={"call": call.number})
            self._abandon(call.number)

    def _abandon(self, number: int) -> None:
        """Silence the bot and hang up, whatever state the call is in."""
        if call := self.calls.get(number):
            slot = self._exchange.slots[call.slot]
            slot.store(PLAY_TURN, 0)
            slot.store(MIN_TURN, NO_TURN)
        if number:
            self._send(self.supervisor.workers[owner(number)].bus_name, HangUp(number, "internal error"))

    def _carry_out(self, call: Call, action: Action) -> None:
        match action:
            case SetGate(turn=turn, min_turn=min_turn):
                slot = self._exchange.slots[call.slot]
                slot.store(PLAY_TURN, turn)
                slot.store(MIN_TURN, min_turn)
            case Generate():
                self.requests.route(msgspec.structs.replace(action, agent=self.agents.of(call.number).key))
            case RunTool():
                task = asyncio.get_running_loop().create_task(self._run_tool(call, action))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case FlushPlayout() | HangUp():
                capture = self.supervisor.workers[owner(call.number)]
                self._send(capture.bus_name, action)
            case BotSaid(trace=trace):
                call.traces.append(trace)
                if trace.num_empty:
                    fields = {"call": call.number, "turn": trace.turn, "num_empty": trace.num_empty}
                    log.warning("nothing of what the model wrote could be spoken; it was asked again", extra=fields)
                self._on_event(call, action)
            case Escalate(stage=stage, number=number):
                self.requests.escalate(call.number, stage, number)
            case CallerSaid() | Backchannel() | HungUp():
                self._on_event(call, action)
            case _:
                self.requests.route(action)

    async def _run_tool(self, call: Call, action: RunTool) -> None:
        result = await call.toolbox.run(action.tool_call)
        self._on_event(call, ToolRan(action.tool_call, result))
        if call.number in self.calls:
            self._handle(call, ToolReturned(action.turn, action.step, action.tool_call.id, result))

    def _set_timer(self, call: Call) -> None:
        deadline_ns = call.conversation.deadline_ns
        if call.timer is not None:
            call.timer.cancel()
            call.timer = None
        if deadline_ns is not None and call.number in self.calls:
            delay_s = max(0.0, (deadline_ns - time.monotonic_ns()) / 1e9)
            call.timer = asyncio.get_running_loop().call_later(delay_s, self._handle, call, TimePassed())
