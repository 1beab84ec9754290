"""The OpenAI-compatible backend against a server that speaks the protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from ringline.engine.config import OpenAiLlm
from ringline.ipc.messages import ChatMessage, Generate, ToolCall, Usage, WarmPrompt
from ringline.workers.base import CannotStart

pytest.importorskip("openai", reason="pip install 'ringline[openai]'")

from fake_openai import FakeOpenAi, end, text, tool, usage

from ringline.workers.llm.backend import Finished, TextDelta
from ringline.workers.llm.openai import OpenAiBackend

HISTORY = (ChatMessage("system", "You are a clinic."), ChatMessage("user", "hello"))
ASK = Generate(1, 1, 0, "speech", HISTORY)


@asynccontextmanager
async def connected(fake: FakeOpenAi, **settings: Any) -> AsyncIterator[OpenAiBackend]:
    made = OpenAiBackend(OpenAiLlm(base_url=fake.url, **settings), max_calls=4)
    await made.warm_up()
    try:
        yield made
    finally:
        await made.close()


async def reply(backend: OpenAiBackend, request: Generate = ASK) -> tuple[str, Finished]:
    parts = [part async for part in backend.generate(request)]
    assert isinstance(parts[-1], Finished)
    return "".join(part.text for part in parts if isinstance(part, TextDelta)), parts[-1]


async def test_text_streams_and_usage_is_reported() -> None:
    async with FakeOpenAi() as server, connected(server) as backend:
        said, finished = await reply(backend)
    assert said == "Hello there."
    assert finished == Finished(usage=Usage(prompt=12, cached=8, completion=2))


@pytest.mark.parametrize("answer", ["<html></html>", "[1]", "null", '"x"', '{"data": 5}', '{"data": [5]}'])
@pytest.mark.parametrize("content_type", ["text/html", "application/json"])
async def test_server_that_lists_something_else_is_no_reason_to_die(
    answer: str, content_type: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Behind a base_url without /v1 there is often a page for people."""
    async with FakeOpenAi() as server:
        server.listing = web.Response(text=answer, content_type=content_type)
        async with connected(server, model="tiny") as backend:
            said, _ = await reply(backend)
    assert said == "Hello there."
    assert "does not list its models" in caplog.text


async def test_a_request_is_as_the_api_wants_it() -> None:
    history = (
        *HISTORY,
        ChatMessage("assistant", "", (ToolCall("a", "look_up", {"name": "Zoë"}),)),
        ChatMessage("tool", '{"found":true}', tool_call_id="a"),
    )
    schema: dict[str, object] = {"type": "function", "function": {"name": "look_up"}}
    settings: dict[str, Any] = {"temperature": 0.5, "max_tokens": 99, "extra_body": {"top_k": 20}}
    async with FakeOpenAi() as server, connected(server, **settings) as backend:
        await reply(backend, Generate(1, 1, 1, "tools", history, tools=(schema,)))
    call = {"id": "a", "type": "function", "function": {"name": "look_up", "arguments": '{"name":"Zoë"}'}}
    assert server.bodies == [
        {
            "model": "tiny",
            "messages": [
                {"role": "system", "content": "You are a clinic."},
                {"role": "user", "content": "hello"},
                {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "tool", "content": '{"found":true}', "tool_call_id": "a"},
            ],
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_completion_tokens": 99,
            "temperature": 0.5,
            "tools": [schema],
            "top_k": 20,
        }
    ]


async def test_connections_are_reused() -> None:
    async with FakeOpenAi() as server, connected(server) as backend:
        server.end_after_s = 0.02
        for _ in range(5):
            await reply(backend)
    assert len(server.peers) == 1


async def test_tool_calls_come_in_pieces() -> None:
    async with FakeOpenAi() as server, connected(server) as backend:
        server.reply = [
            text("Let me look."),
            tool(0, "", "look_up", "a"),
            tool(0, '{"na'),
            tool(1, '{"day":1}', "book", "a"),
            tool(0, 'me":"Zoë"}'),
            end("tool_calls"),
        ]
        said, finished = await reply(backend)
    assert said == "Let me look."
    assert finished.tool_calls == (ToolCall("a", "look_up", {"name": "Zoë"}), ToolCall("a-2", "book", {"day": 1}))


@pytest.mark.parametrize("arguments", ['{"name": ', "[1]", "nonsense"])
async def test_arguments_that_are_no_json_object_are_a_problem_the_model_is_told(arguments: str) -> None:
    async with FakeOpenAi() as server, connected(server) as backend:
        server.reply = [tool(0, arguments, "look_up", "a"), end("tool_calls")]
        _, finished = await reply(backend)
    [call] = finished.tool_calls
    assert call.arguments == {}
    assert call.problem.startswith("the arguments are not")


async def test_a_tool_call_without_arguments_has_none() -> None:
    async with FakeOpenAi() as server, connected(server) as backend:
        server.reply = [tool(0, "", "hang_up", ""), end("tool_calls")]
        _, finished = await reply(backend)
    assert finished.tool_calls == (ToolCall("call", "hang_up", {}),)


async def test_a_cancelled_reply_closes_its_connection() -> None:
    async with FakeOpenAi() as server, connected(server) as backend:
        server.hang_after = 1
        first = asyncio.Event()

        async def read() -> None:
            async for _ in backend.generate(ASK):
                first.set()

        task = asyncio.create_task(read())
        await first.wait()
        assert server.open == 1
        task.cancel()
        await asyncio.wait([task])
        await server.cancelled.wait()
        assert server.open == 0


async def test_priority_is_sent_where_it_is_configured() -> None:
    async with FakeOpenAi() as server, connected(server, server="vllm", priority=True) as backend:
        await reply(backend, Generate(1, 1, 0, "speech", HISTORY, draft=True))
        await reply(backend)
        await backend.warm_prompt(WarmPrompt(1, HISTORY[:1]))
    assert [body["priority"] for body in server.bodies] == [1, 0, 2]


async def test_a_prompt_is_warmed_for_one_token() -> None:
    async with FakeOpenAi() as server, connected(server, server="llama.cpp") as backend:
        await backend.warm_prompt(WarmPrompt(1, HISTORY[:1]))
    [body] = server.bodies
    assert body["max_tokens"] == 1
    assert body["messages"] == [
        {"role": "system", "content": "You are a clinic."},
        {"role": "user", "content": "[the call begins]"},
    ]


@pytest.mark.parametrize("kind", ["openai", "vllm", "llama.cpp", "other"])
async def test_a_reply_goes_on_behind_what_was_said(kind: str) -> None:
    async with FakeOpenAi() as server, connected(server, server=kind) as backend:
        server.reply = [text("there."), end()]
        said, _ = await reply(backend, Generate(1, 1, 0, "speech", HISTORY, said="Hello "))
    assert said == "there."
    [body] = server.bodies
    assert {"role": "assistant", "content": "Hello "} in body["messages"]
    assert body.get("continue_final_message", False) == (kind == "vllm")


async def test_only_openai_itself_has_another_name_for_the_limit() -> None:
    async with FakeOpenAi() as server, connected(server, server="other", max_tokens=9) as backend:
        await reply(backend)
    assert server.bodies[0]["max_tokens"] == 9


async def test_what_the_model_says_again_is_left_out() -> None:
    async with FakeOpenAi() as server, connected(server) as backend:
        server.reply = [text("Hel"), text("lo the"), text("re."), end()]
        said, _ = await reply(backend, Generate(1, 1, 0, "speech", HISTORY, said="Hello "))
    assert said == "there."


async def test_a_key_that_is_refused_stops_the_worker() -> None:
    async with FakeOpenAi() as server:
        server.status, server.bad_requests = 401, -1
        with pytest.raises(CannotStart, match="OPENAI_API_KEY"):
            async with connected(server):
                pass


async def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    async with FakeOpenAi() as server, connected(server):
        pass
    assert server.keys == ["Bearer secret"]


async def test_a_server_that_fails_once_is_asked_again() -> None:
    async with FakeOpenAi() as server, connected(server) as backend:
        server.status, server.bad_requests = 503, 1
        said, _ = await reply(backend)
    assert said == "Hello there."


@pytest.mark.parametrize(("status", "requests"), [(400, 1), (401, 1), (429, 2), (500, 2), (503, 2)])
async def test_a_server_that_goes_on_failing_fails_the_reply(status: int, requests: int) -> None:
    async with FakeOpenAi() as server, connected(server) as backend:
        server.status, server.bad_requests = status, -1
        with pytest.raises(Exception, match=str(status)):
            await reply(backend)
    assert len(server.bodies) == requests


async def test_a_server_that_asks_for_much_time_is_not_waited_for() -> None:
    async with FakeOpenAi() as server, connected(server) as backend:
        server.status, server.bad_requests, server.headers = 429, -1, {"Retry-After": "30"}
        with pytest.raises(Exception, match="429"):
            await reply(backend)
    assert len(server.bodies) == 1


async def test_a_reply_without_an_end_has_failed() -> None:
    async with FakeOpenAi() as server, connected(server) as backend:
        server.reply, server.says_done = [text("Hello the"), usage(1, 0, 1)], False
        with pytest.raises(ConnectionError, match="in the middle"):
            await reply(backend)


def no_system(messages: list[dict[str, Any]]) -> str:
    return "System role not supported" if messages[0]["role"] == "system" else ""


async def test_a_server_that_refuses_the_system_message_gets_it_from_the_caller_from_then_on() -> None:
    async with FakeOpenAi() as server, connected(server) as backend:
        server.refuse = no_system
        assert (await reply(backend))[0] == "Hello there."
        assert (await reply(backend))[0] == "Hello there."
    assert [body["messages"][0]["role"] for body in server.bodies] == ["system", "user", "user"]
    assert server.bodies[-1]["messages"] == [{"role": "user", "content": "You are a clinic.\n\nhello"}]


async def test_a_server_known_to_take_no_system_message_is_never_sent_one() -> None:
    async with FakeOpenAi() as server, connected(server, system_role=False) as backend:
        server.refuse = no_system
        await reply(backend)
    assert len(server.bodies) == 1


async def test_a_refusal_for_another_reason_fails_the_reply_at_once() -> None:
    async with FakeOpenAi() as server, connected(server) as backend:
        server.refuse = lambda messages: "maximum context length is 10 tokens"
        with pytest.raises(Exception, match="context length"):
            await reply(backend)
    assert len(server.bodies) == 1


@pytest.mark.parametrize("kind", ["openai", "other"])
async def test_a_reply_goes_on_without_a_late_system_message(kind: str) -> None:
    async with FakeOpenAi() as server, connected(server, server=kind) as backend:
        said, _ = await reply(backend, Generate(1, 1, 0, "speech", HISTORY, said="Hello "))
    assert said == "there."
    assert [message["role"] for message in server.bodies[0]["messages"]] == ["system", "user", "assistant", "user"]


async def test_a_server_that_takes_no_prefill_is_asked_to_go_on() -> None:
    async with FakeOpenAi() as server, connected(server, server="llama.cpp") as backend:
        server.refuse = lambda messages: (
            "prefill is incompatible with enable_thinking" * (messages[-1]["role"] == "assistant")
        )
        said, _ = await reply(backend, Generate(1, 1, 0, "speech", HISTORY, said="Hello "))
    assert said == "there."
    assert [body["messages"][-1]["role"] for body in server.bodies] == ["assistant", "user"]
