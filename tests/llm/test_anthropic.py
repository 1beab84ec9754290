"""The Anthropic backend against a server that speaks the protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ringline.engine.config import AnthropicLlm
from ringline.ipc.messages import ChatMessage, Generate, ToolCall, Usage
from ringline.workers.base import CannotStart

pytest.importorskip("anthropic", reason="pip install 'ringline[anthropic]'")

from fake_anthropic import STOP, FakeAnthropic, arguments, end, start, text, tool

from ringline.workers.llm.anthropic import AnthropicBackend
from ringline.workers.llm.backend import Finished, TextDelta

HISTORY = (ChatMessage("system", "You are a clinic."), ChatMessage("user", "hello"))
ASK = Generate(1, 1, 0, "speech", HISTORY)


@asynccontextmanager
async def connected(fake: FakeAnthropic, **settings: Any) -> AsyncIterator[AnthropicBackend]:
    made = AnthropicBackend(AnthropicLlm(base_url=fake.url, api_key="key", model="tiny", **settings), max_calls=4)
    await made.warm_up()
    try:
        yield made
    finally:
        await made.close()


async def reply(backend: AnthropicBackend, request: Generate = ASK) -> tuple[str, Finished]:
    parts = [part async for part in backend.generate(request)]
    assert isinstance(parts[-1], Finished)
    return "".join(part.text for part in parts if isinstance(part, TextDelta)), parts[-1]


async def test_text_streams_and_usage_counts_what_was_cached() -> None:
    async with FakeAnthropic() as server, connected(server) as backend:
        said, finished = await reply(backend)
    assert said == "Hello there."
    assert finished == Finished(usage=Usage(prompt=12, cached=8, completion=2))


async def test_a_request_is_as_the_api_wants_it() -> None:
    history = (
        *HISTORY,
        ChatMessage("assistant", "", (ToolCall("a", "look_up", {"name": "Zoë"}), ToolCall("b", "wait", {}))),
        ChatMessage("tool", '{"found":true}', tool_call_id="a"),
        ChatMessage("tool", "{}", tool_call_id="b"),
    )
    parameters = {"type": "object", "properties": {"name": {"type": "string"}}}
    function = {"name": "look_up", "description": "Look up.", "parameters": parameters}
    schema: dict[str, object] = {"type": "function", "function": function}
    async with FakeAnthropic() as server, connected(server, max_tokens=99, extra_body={"temperature": 0.5}) as backend:
        await reply(backend, Generate(1, 1, 1, "tools", history, tools=(schema,)))
    cached = {"cache_control": {"type": "ephemeral"}}
    assert server.bodies == [
        {
            "model": "tiny",
            "max_tokens": 99,
            "temperature": 0.5,
            "stream": True,
            "system": [{"type": "text", "text": "You are a clinic."} | cached],
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "hello"}]},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "tool_use", "id": "a", "name": "look_up", "input": {"name": "Zoë"}},
                        {"type": "tool_use", "id": "b", "name": "wait", "input": {}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": "a", "content": '{"found":true}'},
                        {"type": "tool_result", "tool_use_id": "b", "content": "{}"} | cached,
                    ],
                },
            ],
            "tools": [{"name": "look_up", "description": "Look up.", "input_schema": parameters}],
        }
    ]


async def test_the_turns_begin_with_the_caller() -> None:
    history = (ChatMessage("assistant", "Welcome!"), ChatMessage("user", "hello"))
    async with FakeAnthropic() as server, connected(server) as backend:
        await reply(backend, Generate(1, 1, 0, "speech", history))
    assert [message["role"] for message in server.bodies[0]["messages"]] == ["user", "assistant", "user"]


async def test_tool_calls_come_in_pieces() -> None:
    async with FakeAnthropic() as server, connected(server) as backend:
        pieces = [tool(1, "look_up", "a"), arguments(1, '{"na'), arguments(1, 'me":"Zoë"}')]
        server.reply = [start(), text("Let me look."), *pieces, end(reason="tool_use"), STOP]
        said, finished = await reply(backend)
    assert said == "Let me look."
    assert finished.tool_calls == (ToolCall("a", "look_up", {"name": "Zoë"}),)


async def test_a_reply_goes_on_behind_what_was_said() -> None:
    async with FakeAnthropic() as server, connected(server) as backend:
        said, _ = await reply(backend, Generate(1, 1, 0, "speech", HISTORY, said="Hello "))
    assert said == "there."
    assert server.bodies[0]["messages"][-2] == {"role": "assistant", "content": [{"type": "text", "text": "Hello"}]}


async def test_an_overloaded_service_is_asked_once_more() -> None:
    async with FakeAnthropic() as server, connected(server) as backend:
        server.status, server.bad_requests = 529, 1
        said, _ = await reply(backend)
        assert said == "Hello there."
        server.bad_requests = -1
        with pytest.raises(Exception, match="529"):
            await reply(backend)
    assert len(server.bodies) == 4


async def test_an_error_in_the_middle_fails_the_reply() -> None:
    async with FakeAnthropic() as server, connected(server) as backend:
        error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
        server.reply = [start(), text("Hello "), error]
        with pytest.raises(Exception, match="Overloaded"):
            await reply(backend)


async def test_a_key_that_is_refused_stops_the_worker() -> None:
    async with FakeAnthropic() as server:
        server.status, server.bad_requests = 401, -1
        with pytest.raises(CannotStart, match="refuses the key"):
            async with connected(server):
                pass
