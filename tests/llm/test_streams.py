"""Streams as servers in the field send them, byte by byte."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("openai", reason="pip install 'ringline[openai]'")

from fake_openai import Chunk, FakeOpenAi, end, text, usage
from test_openai import connected

from ringline.ipc.messages import ChatMessage, Generate, ToolCall, Usage
from ringline.workers.llm.backend import Finished, TextDelta, Thinking
from ringline.workers.llm.openai_chunk import Chunk as ReadChunk
from ringline.workers.llm.server_events import BrokenOff, ServerEvents

PARAMETERS = {"type": "object", "properties": {"text": {"type": "string"}}}
TOOLS: tuple[dict[str, object], ...] = ({"type": "function", "function": {"name": "note", "parameters": PARAMETERS}},)
ASK = Generate(1, 1, 0, "speech", (ChatMessage("user", "hello"),), tools=TOOLS)


def delta(**fields: Any) -> Chunk:
    """A piece of a reply, with whatever a server puts into it."""
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


async def parts_of(server: FakeOpenAi, *reply: Chunk | bytes, ask: Generate = ASK) -> list[Any]:
    server.reply = list(reply)
    async with connected(server) as backend:
        return [part async for part in backend.generate(ask)]


async def outcome(*reply: Chunk | bytes, says_done: bool = True) -> tuple[str, Finished]:
    """What is said, and the reply's end."""
    async with FakeOpenAi() as server:
        server.says_done = says_done
        parts = await parts_of(server, *reply)
    return "".join(part.text for part in parts if isinstance(part, TextDelta)), parts[-1]


DATA = b'data: {"choices":[{"delta":{"content":"%s"}}]}'
HELLO = text("Hello."), end()
WHOLE: dict[str, tuple[list[Chunk | bytes], bool]] = {
    "as it should be": ([*HELLO], True),
    "no finish_reason": ([text("Hello.")], True),
    "no [DONE]": ([*HELLO], False),
    "neither, but a whole sentence": ([text("Hello.")], False),
    "keep-alive comments": ([b": keep-alive\n\n", b":\n\n", *HELLO, b": PROCESSING\n\n"], True),
    "other fields": ([b"event: message\nid: 7\nretry: 100\n", *HELLO], True),
    "CRLF": ([b'data: {"choices":[{"delta":{"content":"Hello."},"finish_reason":"stop"}]}\r\n\r\n'], True),
    "no blank lines": (
        [b'data: {"choices":[{"delta":{"content":"Hel"}}]}\ndata: {"choices":[{"delta":{"content":"lo."}}]}\n'],
        True,
    ),
    "no space behind the colon": ([b'data:{"choices":[{"delta":{"content":"Hello."}}]}\n\n'], True),
    "an event in several lines": ([b'data: {"choices":\ndata: [{"delta":{"content":"Hello."}}]}\n\n'], True),
    "a byte order mark": ([b'\xef\xbb\xbfdata: {"choices":[{"delta":{"content":"Hello."}}]}\n\n'], True),
    "bad JSON between": ([text("Hel"), b"data: {nonsense\n\n", b"data: 7\n\n", text("lo."), end()], True),
    "bytes that are no UTF-8": ([b"data: \xff\xfe\n\n", *HELLO], True),
    "empty data": ([b"data: \n\n", b"data\n\n", *HELLO], True),
    "usage with empty choices": ([*HELLO, usage(1, 0, 1)], True),
    "usage in each chunk": ([text("Hello.") | {"usage": {"prompt_tokens": 1}}, end()], True),
    "no choices": ([{}, {"choices": None}, {"choices": [None]}, *HELLO], True),
    "null content": ([delta(content=None), delta(role="assistant", content=""), *HELLO], True),
    "null delta": ([{"choices": [{"delta": None}]}, *HELLO], True),
    "content as parts": ([delta(content=[{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo."}])], True),
    "thoughts as parts": (
        [delta(content=[{"type": "thinking", "thinking": "hm"}]), *HELLO],
        True,
    ),
    "a message instead of a delta": (
        [{"choices": [{"message": {"content": "Hello."}}]}],
        True,
    ),
    "text of the older API": ([{"choices": [{"text": "Hello.", "finish_reason": "stop"}]}], True),
    "an empty finish_reason": ([text("Hello.") | {}, {"choices": [{"delta": {}, "finish_reason": ""}]}], True),
    "a filter's choice besides": ([{"choices": [], "prompt_filter_results": []}, *HELLO], True),
    "text behind the finish_reason": ([text("Hel"), end(), text("lo.")], True),
    "thoughts in tags": ([text("<thi"), text("nk>plan</th"), text("ink>Hello."), end()], True),
    "a control token": ([text("Hello.<|im_"), text("end|>"), end()], True),
}


@pytest.mark.kind("streams")
@pytest.mark.parametrize("name", WHOLE)
async def test_a_stream_is_read_as_servers_send_it(name: str) -> None:
    chunks, says_done = WHOLE[name]
    said, finished = await outcome(*chunks, says_done=says_done)
    assert said.strip() == "Hello."
    assert not finished.is_cut


@pytest.mark.kind("streams that break")
@pytest.mark.parametrize(
    "bad",
    [
        b'data: {"error": {"message": "CUDA out of memory", "code": 500}}\n\n',
        b'event: error\ndata: {"error": "overloaded"}\n\n',
        b'{"error": {"message": "Internal server error"}}\n\n',
        b'data: {"object": "error", "message": "context length"}\n\n',
        b'data: {"choices": [{"delta": {"content": ""}, "finish_reason": "error"}]}\n\n',
    ],
)
async def test_an_error_in_mid_stream_fails_the_reply(bad: bytes) -> None:
    with pytest.raises(RuntimeError, match="reports an error"):
        await outcome(text("Hello "), bad)


async def test_an_error_behind_the_end_is_none() -> None:
    assert (await outcome(*HELLO, b'data: {"error": "too late"}\n\n'))[0] == "Hello."


@pytest.mark.kind("streams that break", inputs=3)
@pytest.mark.parametrize("words", ["Hello the", "Hello,", "Hello"])
async def test_a_stream_that_ends_in_mid_word_is_broken(words: str) -> None:
    with pytest.raises(BrokenOff):
        await outcome(text(words), says_done=False)


@pytest.mark.kind("streams that break")
async def test_a_connection_that_is_gone_breaks_the_reply() -> None:
    async with FakeOpenAi() as server:
        server.breaks_off = 1
        with pytest.raises(BrokenOff):
            await parts_of(server, text("Hello "))


@pytest.mark.kind("streams")
@pytest.mark.parametrize("reason", ["length", "max_tokens"])
async def test_a_reply_that_came_to_its_limit_says_so(reason: str) -> None:
    said, finished = await outcome(text("Hello. And th"), end(reason))
    assert (said, finished.is_cut) == ("Hello. And th", True)


THOUGHTS = {
    "reasoning_content": "hm",
    "reasoning": "hm",
    "reasoning_details": [{"type": "reasoning.text", "text": "hm"}],
    "reasoning_text": "hm",
    "thinking": "hm",
    "thinking_blocks": [{"thinking": "hm"}],
    "content": [{"type": "thinking", "thinking": "hm"}],
}


@pytest.mark.kind("thoughts beside the text")
@pytest.mark.parametrize("field", THOUGHTS)
async def test_thoughts_beside_the_text_are_progress_and_not_said(field: str) -> None:
    async with FakeOpenAi() as server:
        parts = await parts_of(server, delta(**{field: THOUGHTS[field]}), *HELLO)
    assert parts == [Thinking(), TextDelta("Hello."), Finished()]


async def test_thoughts_within_the_text_are_progress() -> None:
    async with FakeOpenAi() as server:
        parts = await parts_of(server, text("<think>"), text("hm"), text("</think>"), *HELLO)
    assert parts[:3] == [Thinking()] * 3


async def test_text_passes_as_it_comes() -> None:
    """But for a first word with which thoughts may begin, too."""
    pieces = ["We ", "open ", "at ", "nine."]
    async with FakeOpenAi() as server:
        parts = await parts_of(server, *map(text, pieces), end())
    assert [part.text for part in parts if isinstance(part, TextDelta)] == ["We open ", "at ", "nine."]


async def test_a_model_whose_thoughts_have_no_beginning_is_known_from_its_second_reply_on() -> None:
    async with FakeOpenAi() as server, connected(server) as backend:
        server.reply = [text("It is nine. </think>Hello."), end()]
        said = ["".join([p.text async for p in backend.generate(ASK) if isinstance(p, TextDelta)]) for _ in range(2)]
        server.reply = [text("No thought."), end()]
        said += ["".join([p.text async for p in backend.generate(ASK) if isinstance(p, TextDelta)])]
    assert [text.strip() for text in said[1:]] == ["Hello.", "No thought."]


@pytest.mark.kind("streams", inputs=3)
@pytest.mark.parametrize("content", ["x" * 1_000_000, "word " * 200_000, "<" * 1_000_000])
async def test_a_megabyte_in_one_delta_is_cut_to_what_can_be_said(content: str) -> None:
    said, finished = await outcome(text(content), end())
    assert len(said) <= 20_000
    assert finished.is_cut


async def test_a_line_without_an_end_is_given_up() -> None:
    with pytest.raises(BrokenOff, match="without an end"):
        await outcome(*[b"x" * 1_000_000] * 6)


async def test_tools_in_the_text_are_asked_for() -> None:
    said, finished = await outcome(
        text('One moment. <tool_call>{"name": "note", "argu'), text('ments": {"text": "x"}}</tool_call>'), end()
    )
    assert said.strip() == "One moment."
    assert finished.tool_calls == (ToolCall("call", "note", {"text": "x"}),)


async def test_a_tool_in_the_text_that_the_server_sends_besides_is_asked_for_once() -> None:
    call = {"index": 0, "id": "a", "function": {"name": "note", "arguments": '{"text": "x"}'}}
    said, finished = await outcome(text('note({"text": "x"})'), delta(tool_calls=[call]), end("tool_calls"))
    assert said.strip() == ""
    assert finished.tool_calls == (ToolCall("a", "note", {"text": "x"}),)


def test_fields_of_another_kind_count_as_missing() -> None:
    event = {"choices": [{"delta": {"content": 7, "tool_calls": "x"}, "finish_reason": 3}], "usage": [1]}
    assert ReadChunk.of(event) == ReadChunk()
    assert ReadChunk.of({"choices": [], "usage": {"prompt_tokens": None}}) == ReadChunk(usage=Usage())


_EVENTS = st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=9) | st.integers(), max_size=2), max_size=6)


@given(_EVENTS, st.sampled_from(["\n", "\r\n"]), st.lists(st.integers(0, 30), max_size=30))
def test_events_do_not_depend_on_packets(events: list[dict[str, Any]], line_end: str, sizes: list[int]) -> None:
    stream = "".join(f"data: {json.dumps(event)}{line_end}{line_end}" for event in events).encode()

    async def chunks() -> AsyncIterator[bytes]:
        at = 0
        for size in sizes:
            yield stream[at : at + size]
            at += size
        yield stream[at:]

    async def read() -> list[dict[str, Any]]:
        return [event async for event in ServerEvents(chunks())]

    assert asyncio.run(read()) == events
