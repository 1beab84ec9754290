"""One step of a call through its flow: a pure function of the flow, the request and the moment the call began.

All that is known of a call travels in `CallState`, so that any process gives the same answer to the same request.
"""

from __future__ import annotations

import itertools
import re
from datetime import datetime
from typing import Literal

import msgspec

from ringline.engine.conversation.language_tags import primary_language
from ringline.ipc.messages import ChatMessage, Expectation, Generate, ToolCall
from ringline.workers.llm.backend import Finished
from ringline.workers.llm.flow import dates, german, understand
from ringline.workers.llm.flow.check import FIELD, PROMPT
from ringline.workers.llm.flow.compile import Flow, State
from ringline.workers.llm.flow.flow_file import BACK, REPEAT, Branch, FlowError
from ringline.workers.llm.flow.slots import Date, Setting, Time

MAX_STATES = 50
"""States passed in one reply. More is a circle that the checks of the file cannot see (slots decide), and an error."""

MAX_TOOLS = 10
"""Tools run since the caller spoke last; likewise."""


class CallState(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """Where a call stands; it travels as ``Generate.state``."""

    now: datetime
    """When the call began, in local time: what ``tomorrow`` refers to, all through the call."""
    at: str = ""
    """The state that waits for the caller."""
    slots: dict[str, str] = {}
    visits: dict[str, int] = {}
    """How often each state has spoken, for its texts to take turns."""
    misses: int = 0
    """Answers in a row that were not understood, silence included."""
    last: str = ""
    """What was said last, for ``@repeat``."""
    tool: str = ""
    """The state whose tool runs ..."""
    tool_call_id: str = ""
    """... and the name of that run."""
    tools_run: int = 0


_decoder = msgspec.msgpack.Decoder(CallState)


def answer(flow: Flow, request: Generate, now: datetime) -> tuple[str, Finished]:
    """The reply's whole text, and what follows it. ``now`` counts only while the request brings no state.

    Raises FlowError for a state that another flow made, or a flow that runs in circles.
    """
    if request.state:
        try:
            state = _decoder.decode(request.state)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise FlowError(f"{flow.file}: the call's state cannot be read: {error}") from None
    else:
        state = CallState(now.replace(microsecond=0, tzinfo=None))
    for name in (state.at, state.tool):
        if name and name not in flow.states:
            raise FlowError(f"{flow.file}: the call is in [state.{name}], which there is not")
    if not state.slots.keys() <= flow.slots.keys():
        raise FlowError(f"{flow.file}: the call has slots that there are not")
    step = _Step(flow, state, request)
    step.run()
    return " ".join(step.texts), Finished(
        tuple(step.tool_calls), msgspec.msgpack.encode(state), step.expect, agreed=True
    )


class _Step:
    """One request under way."""

    def __init__(self, flow: Flow, state: CallState, request: Generate) -> None:
        self.flow = flow
        self.state = state
        self.request = request
        self.setting = Setting(state.now, flow.hours)
        self.texts: list[str] = []
        self.tool_calls: list[ToolCall] = []
        self.expect = Expectation()

    def run(self) -> None:
        """Find out what the caller or the tool said, and go on from there."""
        state = self.state
        if self.request.cause == "opening" or not (state.at or state.tool):
            state.at = self.flow.start
            if self.request.cause == "opening" or not self.flow.states[state.at].table.waits:
                self._enter(self.flow.start)
                return
        if self.request.cause != "tools":
            state.tools_run = 0
        if state.tool:
            result = _result(self.request.messages, state.tool_call_id)
            # A caller who spoke while the tool ran has not heard what came of it, and is told that first.
            if result is not None or self.request.cause == "tools":
                self._branch(self.flow.states[state.tool], {"error": "no result"} if result is None else result)
                return
        current = self.flow.states[state.at]
        if self.request.cause in ("no_input", "tools"):
            self._miss(current, "no_input")
            return
        if self.request.cause == "dtmf":
            self._answer_keys()
            return
        said = next((m.content for m in reversed(self.request.messages) if m.role == "user"), "")
        meant = understand.speech(self.flow, current, said, self.setting, state.slots)
        if meant is None:
            self._miss(current, "no_match")
        else:
            self._follow(meant)

    def _answer_keys(self) -> None:
        """Follow all that was keyed since the bot was heard last: callers who know the way key ahead of its questions.

        Not so what a state reads back: nobody agrees to what they have not heard.
        """
        is_ahead = False
        for digits in _keyed(self.request.messages):
            current = self.flow.states[self.state.at]
            if is_ahead and current.table.confirm:
                return
            meant = understand.dtmf(self.flow, current, digits, self.setting)
            if meant is not None:
                is_ahead = True
                self.texts.clear()
                self._follow(meant)
                if self.tool_calls:
                    return
        if not is_ahead:
            self._miss(self.flow.states[self.state.at], "no_match")

    def _follow(self, meant: understand.Meant) -> None:
        self.state.misses = 0
        self._forget(meant.clear)
        self.state.slots.update(meant.slots)
        self._enter(meant.goto or self.state.at)

    def _forget(self, names: tuple[str, ...]) -> None:
        for name in names:
            self.state.slots.pop(name, None)

    def _miss(self, current: State, kind: Literal["no_match", "no_input"]) -> None:
        """Ask again in other words; when those are used up, take the other way."""
        texts = current.no_match if kind == "no_match" else current.no_input
        self.state.misses += 1
        if self.state.misses > len(texts):
            self.state.misses = 0
            self._enter(current.otherwise)
            return
        self.texts.append(self._fill(texts[self.state.misses - 1], self._prompt(current)))
        self.expect = current.expect

    def _enter(self, name: str) -> None:
        """Speak and go on from state to state until one waits for the caller, a tool or the end of the call."""
        state = self.state
        for _ in range(MAX_STATES):
            if name == REPEAT:
                self.texts.append(state.last)
                self.expect = self.flow.states[state.at].expect
                return
            current = self.flow.states[state.at if name == BACK else name]
            table = current.table
            if not (table.ask and table.ask in state.slots):
                state.visits[current.name] = state.visits.get(current.name, 0) + 1
                if text := self._prompt(current):
                    self.texts.append(text)
                if table.waits:
                    state.at = current.name
                    state.last = " ".join(self.texts)
                    self.expect = current.expect
                    return
            if table.tool:
                self._run_tool(current)
                return
            if table.hang_up:
                self.tool_calls.append(ToolCall(self._id("hang_up"), "hang_up", {}))
                return
            if table.transfer:
                arguments: dict[str, object] = {"reason": table.transfer}
                self.tool_calls.append(ToolCall(self._id("transfer"), "transfer", arguments))
                return
            name = table.goto
        raise FlowError(f"{self.flow.file}: state.{name}: more than {MAX_STATES} states without waiting for the caller")

    def _prompt(self, current: State) -> str:
        says = current.table.says
        return self._fill(says[(self.state.visits.get(current.name, 1) - 1) % len(says)])

    def _fill(self, text: str, prompt: str = "") -> str:
        def value(match: re.Match[str]) -> str:
            name = match.group(1)
            if name == PROMPT:
                return prompt
            if name not in self.state.slots:
                return ""
            slot, said = self.flow.slots[name], self.state.slots[name]
            is_german = primary_language(self.flow.language) == "de"
            if isinstance(slot, Date):
                return german.spoken_day(said, self.state.now) if is_german else dates.spoken(said, self.state.now)
            return german.spoken_time(said) if is_german and isinstance(slot, Time) else slot.spoken(said)

        return FIELD.sub(value, text)

    # --- tools ----------------------------------------------------------------------------------------------------

    def _id(self, tool: str) -> str:
        return f"{tool}-{self.request.turn}-{self.request.step}"

    def _run_tool(self, current: State) -> None:
        state = self.state
        state.tools_run += 1
        if state.tools_run > MAX_TOOLS:
            raise FlowError(f"{self.flow.file}: state.{current.name}: more than {MAX_TOOLS} tools in a row")
        state.tool, state.tool_call_id = current.name, self._id(current.table.tool)
        arguments: dict[str, object] = {}
        for key, text in current.table.arguments.items():
            names = FIELD.findall(text)
            if all(name in state.slots for name in names):
                arguments[key] = FIELD.sub(lambda match: state.slots[match.group(1)], text)
        self.tool_calls.append(ToolCall(state.tool_call_id, current.table.tool, arguments))

    def _branch(self, current: State, result: dict[str, object]) -> None:
        """Follow a tool's result."""
        state = self.state
        state.tool = state.tool_call_id = ""
        state.misses = 0
        failed = "error" in result or result.get("ok") is False
        for branch in current.table.on:
            if _fits(branch, result):
                self._forget(branch.clear)
                for slot, field in branch.take.items():
                    value = result.get(field)
                    try:
                        self.flow.slots[slot].spoken(value if isinstance(value, str) else "")
                    except ValueError as error:
                        where = f"{self.flow.file}: state.{current.name}.on: the result's `{field}`"
                        raise FlowError(f"{where} cannot be the slot `{slot}`: {error}") from None
                    state.slots[slot] = str(value)
                self._enter(branch.goto)
                return
        self._enter(current.table.on_error if failed else current.table.on_ok)


def _keyed(messages: tuple[ChatMessage, ...]) -> list[str]:
    """The keys of each turn of the caller's that the bot has not answered yet."""
    unanswered = itertools.takewhile(lambda message: message.role == "user", reversed(messages))
    return [message.keyed for message in unanswered if message.keyed][::-1]


def _fits(branch: Branch, result: dict[str, object]) -> bool:
    return all(key in result and result[key] == value for key, value in branch.when.items())


def _result(messages: tuple[ChatMessage, ...], tool_call_id: str) -> dict[str, object] | None:
    """What a run of a tool returned; None if it has not. A result that is no object counts as one that is fine."""
    for message in reversed(messages):
        if message.role == "tool" and message.tool_call_id == tool_call_id and not message.pending:
            try:
                result = msgspec.json.decode(message.content)
            except (msgspec.DecodeError, UnicodeDecodeError):
                return {"error": "no JSON"}
            return result if isinstance(result, dict) else {"ok": True, "result": result}
    return None
