"""A flow, and a caller who talks to it: no processes, no sound, and a Sunday that never passes."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from ringline.ipc.messages import ChatMessage, Generate
from ringline.workers.llm.backend import Finished
from ringline.workers.llm.flow.brain import answer
from ringline.workers.llm.flow.compile import Flow, compile_flow, load
from ringline.workers.llm.flow.flow_file import parse

CLINIC = Path(__file__).parents[2] / "examples" / "clinic"
SUNDAY = datetime(2026, 11, 22, 12, 0)


@pytest.fixture(scope="session")
def clinic() -> Flow:
    return load(CLINIC)


@pytest.fixture
def now() -> datetime:
    return SUNDAY


@pytest.fixture
def clinic_tools() -> ModuleType:
    """The clinic's tools with an empty diary."""
    spec = importlib.util.spec_from_file_location("clinic_tools_under_test", CLINIC / "tools.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.clock = lambda: SUNDAY  # type: ignore[attr-defined]
    return module


class Talk:
    """A call: what the caller does, and what the bot answers. Every request is also sent twice, to two brains."""

    def __init__(self, flow: Flow, tools: ModuleType | None = None, now: datetime = SUNDAY) -> None:
        self.flow = flow
        self.tools = tools
        self.now = now
        self.messages: list[ChatMessage] = []
        self.state = b""
        self.turn = 0
        self.finished = Finished()
        self.tool_results: list[tuple[str, dict[str, object]]] = []

    def open(self) -> str:
        """The call begins."""
        return self._reply("opening")

    def say(self, text: str) -> str:
        """The caller speaks; empty: nothing was understood."""
        self.messages.append(ChatMessage("user", text))
        return self._reply("speech")

    def key(self, digits: str) -> str:
        """The caller presses keys."""
        self.messages.append(ChatMessage("user", f"[keyed {digits}]", keyed=digits))
        return self._reply("dtmf")

    def wait(self) -> str:
        """The caller says nothing."""
        return self._reply("no_input")

    def do(self, step: str) -> str:
        """``#12`` keys, ``...`` waits, anything else is said."""
        if step == "...":
            return self.wait()
        return self.key(step[1:]) if step.startswith("#") else self.say(step)

    @property
    def ended(self) -> str:
        """The built-in tool that ends the call, empty while it goes on."""
        return next((c.name for c in self.finished.tool_calls if c.name in ("hang_up", "transfer")), "")

    def generate(self, cause: str, step: int = 0) -> str:
        """One request, without running its tools."""
        request = Generate(1, self.turn, step, cause, tuple(self.messages), self.state)  # type: ignore[arg-type]
        request = msgspec.msgpack.decode(msgspec.msgpack.encode(request), type=Generate)
        text, self.finished = answer(self.flow, request, self.now)
        again = answer(self.flow, request, self.now)
        assert again == (text, self.finished), "another process must give the same answer"
        self.state = self.finished.state
        self.messages.append(ChatMessage("assistant", text, self.finished.tool_calls))
        return text

    def _reply(self, cause: str) -> str:
        self.turn += 1
        text = self.generate(cause)
        step = 0
        while self.finished.tool_calls and not self.ended:
            assert self.tools is not None
            step += 1
            for tool_call in self.finished.tool_calls:
                result = getattr(self.tools, tool_call.name)(**tool_call.arguments)
                self.tool_results.append((tool_call.name, tool_call.arguments))
                content = msgspec.json.encode(result).decode()
                self.messages.append(ChatMessage("tool", content, tool_call_id=tool_call.id))
            text = f"{text} {self.generate('tools', step)}".strip()
        return text


@pytest.fixture
def clinic_call(clinic: Flow, clinic_tools: ModuleType) -> Talk:
    """A call to the clinic that has just been greeted."""
    talk = Talk(clinic, clinic_tools)
    talk.open()
    return talk


@pytest.fixture
def flow_of() -> Callable[[str], Flow]:
    """A flow from its TOML text."""
    return lambda source: compile_flow(parse(source))


@pytest.fixture
def talk_to(flow_of: Callable[[str], Flow]) -> Callable[..., Talk]:
    """A call, not yet greeted, to a flow in TOML; with tools, if it needs some."""
    return lambda source, tools=None: Talk(flow_of(source), tools)


@pytest.fixture(scope="session")
def clinic_call_factory(clinic: Flow) -> Callable[[], Talk]:
    """Calls to the clinic, not yet greeted, whose tools have all things booked already."""
    taken = {"ok": False, "reason": "taken", "alternative_day": "2026-11-25", "alternative_time": "09:00"}
    tools = ModuleType("tools")
    for name in ("book", "move", "cancel"):
        setattr(tools, name, lambda **arguments: taken)
    return lambda: Talk(clinic, tools)
