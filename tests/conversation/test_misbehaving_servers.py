"""Servers of language models that misbehave in every way at once, from the bytes of their responses to what the caller
hears: a real conversation, real routing, the real worker with its backend; only time and the network are made up."""

from __future__ import annotations

import asyncio
import itertools
import json
import selectors
from collections import Counter
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringline import Agent
from ringline.engine.config import Config, OpenAiLlm
from ringline.engine.conversation import Action
from ringline.engine.conversation.actions import CallerSaid, Escalate, HungUp, RunTool
from ringline.engine.conversation.events import TimePassed
from ringline.engine.requests import Requests
from ringline.engine.tiers import Tiers
from ringline.engine.tool import Tool, ToolOptions
from ringline.ipc.messages import CancelReply, Generate, Speak
from ringline.workers.llm import loading, openai
from ringline.workers.llm.openai import OpenAiBackend
from ringline.workers.llm.worker import LlmWorker

pytest.importorskip("openai", reason="pip install 'ringline[openai]'")
httpx = pytest.importorskip("httpx2", reason="pip install 'ringline[openai]'")

MS = 1_000_000
ANSWER = "We open at nine in the morning. Does that suit you?"
ELSEWHERE = "We open at ten in the morning. Is that fine?"
SECRET = "secret"
"""Of thoughts, arguments and other things that nobody says."""
TURNS = 2
HERE = OpenAiLlm(base_url="http://127.0.0.1:1/v1", model="m", server="other")
LONGEST_SILENCE_MS = 3_500
"""``dead_air_ms``, and time to notice that the caller has finished, and for TTS."""


def book(day: str) -> str:
    """Book an appointment."""
    return day


CLERK = Agent("clerk", prompt="You are a clinic.", greeting="Clinic.", tools={"book": Tool.of(book, ToolOptions())})

Step = tuple[float, bytes | None]
"""(seconds, then these bytes; None: the connection breaks)."""


def event(delta: dict[str, Any], reason: str | None = None) -> bytes:
    chunk = {"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def says(text: str, pause_s: float = 0.01, size: int = 7, key: str = "content") -> list[Step]:
    return [(pause_s, event({key: text[at : at + size]})) for at in range(0, len(text), size)]


def calls(*pieces: dict[str, Any]) -> list[Step]:
    return [(0.02, event({"tool_calls": [piece]})) for piece in pieces]


def function(arguments: Any, name: str | None = "book") -> dict[str, Any]:
    return {"name": name, "arguments": arguments} if name else {"arguments": arguments}


DONE: list[Step] = [(0.01, event({}, "stop")), (0.0, b"data: [DONE]\n\n")]
FOREVER: list[Step] = [(10**6, b"")]
DAY = {"day": SECRET}
AS_JSON = json.dumps(DAY)
IN_TEXT = json.dumps({"name": "book", "arguments": DAY})

STREAMS: dict[str, list[Step]] = {
    "answers": [*says(ANSWER), *DONE],
    "one letter at a time": [*says(ANSWER, size=1), *DONE],
    "thinks in tags": [*says(f"<think>{SECRET} <b>{SECRET}</b></think>{ANSWER}"), *DONE],
    "thinks, tag missing": [*says(f"<think>\n{SECRET}\n</think>\n\n{ANSWER}", size=3), *DONE],
    "thinks in a channel": [
        *says(
            f"<|channel|>analysis<|message|>{SECRET}<|end|><|start|>assistant<|channel|>final<|message|>{ANSWER}<|end|>"
        ),
        *DONE,
    ],
    "thinks aside": [*says(SECRET * 20, key="reasoning_content", pause_s=0.3), *says(ANSWER), *DONE],
    "only thinks": [*says(SECRET * 20, key="reasoning_content"), *DONE],
    "calls": [*calls({"index": 0, "id": "a", "function": function(AS_JSON)}), *DONE],
    "calls, no index": [*calls({"id": "a", "function": function(AS_JSON)}), *DONE],
    "calls, as an object": [*calls({"index": 0, "id": "a", "function": function(DAY)}), *DONE],
    "calls, one index twice": [
        *calls(
            {"index": 0, "id": "a", "function": function(AS_JSON)},
            {"index": 0, "id": "b", "function": function(AS_JSON)},
        ),
        *DONE,
    ],
    "calls twice": [
        *calls(
            {"index": 0, "id": "a", "function": function(AS_JSON)},
            {"index": 1, "id": "a", "function": function(AS_JSON)},
        ),
        *DONE,
    ],
    "calls what there is not": [
        *calls({"index": 0, "id": "a", "function": function(AS_JSON, "nothing")}),
        *DONE,
    ],
    "calls in text": [*says(f"<tool_call>\n{IN_TEXT}\n</tool_call>"), *DONE],
    "calls in a fence": [*says(f"```json\n{IN_TEXT}\n```"), *DONE],
    "calls in bare JSON": [*says(IN_TEXT), *DONE],
    "empty": DONE,
    "blank": [*says("  \n "), *DONE],
    "only markup": [*says("** **\n```\n```"), *DONE],
    "no finish reason": [*says(ANSWER), DONE[1]],
    "ends in mid-word": says(ANSWER[:40]),
    "breaks in mid-word": [*says(ANSWER[:40]), (0.1, None)],
    "breaks at once": [(0.1, None)],
    "length": [*says(ANSWER[:40]), (0.01, event({}, "length")), DONE[1]],
    "keep-alives": [*[(1.0, b": keep-alive\n\n")] * 6, *says(ANSWER), *DONE],
    "no JSON": [(0.1, b"data: {\n\n"), *says(ANSWER), *DONE],
    "an error in the stream": [*says(ANSWER[:20]), (0.1, b'data: {"error": {"message": "out of memory"}}\n\n')],
    "an error first": [(0.1, b'data: {"error": {"message": "out of memory"}}\n\n')],
    "hangs": FOREVER,
    "hangs in mid-sentence": [*says(ANSWER[:20]), *FOREVER],
    "endless": [*says("Sure! That is very good to hear. " * 400, size=30), *DONE],
    "late": [(3.0, b""), *says(ANSWER), *DONE],
}
HANGS, REFUSES, OVERLOADED, LOADS = "does not answer", "refuses", "503", "loads"
KINDS = (*STREAMS, HANGS, REFUSES, OVERLOADED, LOADS)

SAVED = (
    {*STREAMS, REFUSES, OVERLOADED, LOADS}
    - {"hangs", "hangs in mid-sentence", "an error in the stream", "breaks in mid-word", "ends in mid-word", "endless"}
    - {"length"}
)
"""What a server does once, and the caller gets the answer all the same."""


class VirtualTime(asyncio.SelectorEventLoop):
    """A loop whose clock stands while there is something to do, and then is at the next timer."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        super().__init__(_Timer(self))

    def time(self) -> float:
        return self.now_s


class _Timer(selectors.DefaultSelector):
    def __init__(self, loop: VirtualTime) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "nothing will ever happen"
        self._loop.now_s += max(0.0, timeout)
        return super().select(0)


class Server(httpx.AsyncBaseTransport):  # type: ignore[misc, name-defined]
    """Answers each request as the next of ``kinds`` says, and then well."""

    def __init__(self, kinds: list[str], answer: str = ANSWER) -> None:
        self.kinds = list(kinds)
        self.answer = answer
        self.problems: list[str] = []
        """Of what it was sent."""

    async def handle_async_request(self, request: Any) -> Any:
        messages = json.loads(request.content)["messages"]
        if problem := disorder(messages):
            self.problems.append(problem)
        kind = self.kinds.pop(0) if self.kinds else "answers"
        match kind:
            case "does not answer":
                await asyncio.sleep(10**6)
            case "refuses" if messages[0]["role"] == "system":
                return httpx.Response(400, json={"error": {"message": "System role not supported"}})
            case "503":
                return httpx.Response(503, json={"error": {"message": "overloaded"}})
            case "loads":
                await asyncio.sleep(12)
        steps = STREAMS.get(kind) or [*says(self.answer), *DONE]
        return httpx.Response(200, headers={"Content-Type": "text/event-stream"}, stream=_Body(steps))


class _Body(httpx.AsyncByteStream):  # type: ignore[misc, name-defined]
    def __init__(self, steps: list[Step]) -> None:
        self._steps = steps

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for pause_s, data in self._steps:
            await asyncio.sleep(pause_s)
            if data is None:
                raise httpx.ReadError("the connection was reset")
            yield data


def disorder(messages: list[dict[str, Any]]) -> str:
    """What a strict chat template would say."""
    roles = [message["role"] for message in messages if message["role"] != "tool" and not message.get("tool_calls")]
    turns = roles[1:] if roles[0] == "system" else roles
    if "system" in turns:
        return "a late system message"
    if any(role != expected for role, expected in zip(turns, itertools.cycle(("user", "assistant")), strict=False)):
        return f"not in turn: {turns}"
    asked = [call["id"] for message in messages for call in message.get("tool_calls") or ()]
    answered = [message["tool_call_id"] for message in messages if message["role"] == "tool"]
    return "" if asked == answered else f"asked for {asked}, answered {answered}"


class Worker:
    def __init__(self, tier: int) -> None:
        self.kind, self.tier, self.bus_name, self.state = "llm", tier, f"llm{tier}", "ready"


class Supervisor:
    def __init__(self, num_tiers: int) -> None:
        self.workers = [Worker(tier) for tier in range(num_tiers)]

    def overdue_s(self, bus_name: str) -> float | None:
        return None

    def ready(self, kind: str, tier: int = 0) -> list[Worker]:
        return [worker for worker in self.workers if (worker.kind, worker.tier) == (kind, tier)]

    def expected(self, kind: str, tier: int) -> bool:
        return bool(self.ready(kind, tier))


def over_the_wire(world: type[Any]) -> type[Any]:
    """A `World` whose LLM is a worker with the backend for servers like OpenAI's."""

    class OverTheWire(world):  # type: ignore[misc, valid-type]
        def __init__(self, loop: VirtualTime, servers: list[Server]) -> None:
            self.loop = loop
            super().__init__(CLERK, setup={"llm_tiers": len(servers), "max_reply_s": 20.0})
            self._timer: asyncio.TimerHandle | None = None
            self.servers = servers
            config = Config(llm=HERE, llm_fallback=(HERE,) * (len(servers) - 1), turn=self.config)
            supervisor: Any = Supervisor(len(servers))
            tiers = Tiers(config, supervisor, loop.time)
            self.requests = Requests(supervisor, tiers, self._send, lambda failure: self.at(0, failure))
            self.llms: dict[str, LlmWorker] = {}
            self.asked: list[int] = []
            """When the caller had finished, in ms ..."""
            self.turns_ms: list[int] = []
            """... and the bot: the greeting's end first."""

        async def start(self) -> None:
            for tier, server in enumerate(self.servers):
                backend = OpenAiBackend(HERE, max_calls=4)
                await backend.warm_up()
                backend._client = backend._client.with_options(http_client=httpx.AsyncClient(transport=server))
                backend._client._platform = "Linux"  # which it would ask a thread for
                bus_name = f"llm{tier}"
                bus = SimpleNamespace(send=lambda message, name=bus_name: self._from_worker(name, message))
                self.llms[bus_name] = LlmWorker(SimpleNamespace(bus=bus), backend)  # type: ignore[arg-type]

        async def stop(self) -> None:
            for llm in self.llms.values():
                await llm.close()

        # --- time

        @property
        def now_ns(self) -> int:
            return int(self.loop.now_s * 1e9)

        @now_ns.setter
        def now_ns(self, value: int) -> None:
            """The loop's clock tells it."""

        def at(self, delay_ms: float, what: Any) -> None:
            self.loop.call_later(delay_ms / 1_000, lambda: what() if callable(what) else self.handle(what))

        def handle(self, event: Any) -> list[Action]:
            actions: list[Action] = super().handle(event)
            if self._timer is not None:
                self._timer.cancel()
            if (due_ns := self.conversation.deadline_ns) is not None:
                self._timer = self.loop.call_at(due_ns / 1e9 + 1e-6, lambda: self.handle(TimePassed()))
            return actions

        # --- routing

        def _carry_out(self, action: Action) -> None:
            match action:
                case Generate() | CancelReply():
                    self.requests.route(action)
                case Escalate(stage="llm", number=number):
                    self.requests.escalate(1, "llm", number)
                case _:
                    super()._carry_out(action)

        def _send(self, bus_name: str, message: Any) -> bool:
            self.loop.call_soon(self.llms[bus_name].handle, message)
            return True

        def _from_worker(self, bus_name: str, message: Any) -> None:
            def arrives() -> None:
                if (settled := self.requests.settle(bus_name, message)) is not None:
                    self.handle(settled)

            self.loop.call_soon(arrives)

        # --- the caller

        async def talks(self, num_turns: int) -> None:
            """The caller asks when the bot has nothing more to say."""
            self.answer()
            for _ in range(num_turns):
                await self._until_quiet()
                self.speaks(0, 600)
                self.asked.append(self.now_ms + 600)
                await asyncio.sleep(2.5)
            await self._until_quiet()

        async def _until_quiet(self) -> None:
            end_s = self.loop.now_s + 120
            while self.conversation._bot.reply is not None and not self.of(HungUp) and self.loop.now_s < end_s:
                await asyncio.sleep(0.05)
            self.turns_ms.append(self.now_ms)

    return OverTheWire


def call_of(world: type[Any], kinds: list[str], has_fallback: bool, monkeypatch: Any) -> Any:
    """A call of some turns, to its end."""
    loop = VirtualTime()
    servers = [Server(kinds)] + [Server([], ELSEWHERE)] * has_fallback

    async def talk() -> Any:
        call = over_the_wire(world)(loop, servers)
        await call.start()
        await call.talks(TURNS)
        await call.stop()
        return call

    with monkeypatch.context() as patch:
        patch.setattr(loading, "time", SimpleNamespace(monotonic=loop.time))

        async def lists(*args: object) -> list[str]:
            return ["m"]

        patch.setattr(openai, "list_models", lists)
        try:
            return loop.run_until_complete(talk())
        finally:
            loop.close()


def heard(call: Any) -> str:
    return " ".join(speak.text for speak in call.of(Speak))


def longest_silence_ms(call: Any) -> int:
    """In the bot's turns: from the caller's end to the bot's."""
    audible = [(began, ended) for _, began, ended in call.audible_ms]
    if call.playing:
        audible.append(((call._began_ns - call.start_ns) // MS, call.now_ms))
    audible.sort()
    longest = 0
    for asked_ms, quiet_ms in zip(call.asked, call.turns_ms[1:], strict=False):
        at_ms = asked_ms
        for began, ended in [span for span in audible if asked_ms <= span[0] <= quiet_ms]:
            longest = max(longest, began - at_ms)
            at_ms = max(at_ms, ended)
        longest = max(longest, quiet_ms - at_ms)
    return longest


@pytest.fixture
def talk(world: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    def make(kinds: list[str], has_fallback: bool = False) -> Any:
        return call_of(world, kinds, has_fallback, monkeypatch)

    return make


def check(call: Any) -> None:
    text = heard(call)
    assert SECRET not in text.lower()
    assert not any(mark in text for mark in "<>{}[]|`*")
    assert all(server.problems == [] for server in call.servers)
    assert longest_silence_ms(call) <= LONGEST_SILENCE_MS
    run = Counter((action.turn, action.tool_call.name, str(action.tool_call.arguments)) for action in call.of(RunTool))
    assert all(count == 1 for count in run.values())


ANY_CASE = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@ANY_CASE
@given(
    kinds=st.lists(st.sampled_from(KINDS), max_size=6),
    has_fallback=st.booleans(),
)
def test_whatever_servers_do_the_call_is_sound(talk: Any, kinds: list[str], has_fallback: bool) -> None:
    call = talk(kinds, has_fallback)
    check(call)
    if has_fallback:
        assert not call.of(HungUp)


@pytest.mark.parametrize("before", [[], ["answers"]])
@pytest.mark.parametrize("kind", KINDS)
def test_what_goes_wrong_once_loses_no_call(talk: Any, kind: str, before: list[str]) -> None:
    if kind == HANGS and not before:
        pytest.skip("a server on this machine that has never answered may be loading its model: nobody asks it again")
    call = talk([*before, kind])
    check(call)
    assert not call.of(HungUp)
    assert len(call.of(CallerSaid)) == TURNS


@pytest.mark.parametrize("kind", sorted(SAVED))
def test_what_goes_wrong_once_is_answered_all_the_same(talk: Any, kind: str) -> None:
    call = talk([kind])
    assert heard(call).count("We open at nine") == TURNS


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_keeps_misbehaving_is_neither_silent_nor_read_out(talk: Any, kind: str) -> None:
    check(talk([kind] * 50))


@pytest.mark.parametrize("kind", KINDS)
def test_a_fallback_saves_the_call(talk: Any, kind: str) -> None:
    call = talk([kind] * 50, has_fallback=True)
    check(call)
    assert not call.of(HungUp)
