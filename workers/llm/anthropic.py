"""Anthropic's messages API through the official SDK."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable
from typing import Any

from ringline.engine.config import AnthropicLlm
from ringline.ipc.messages import ChatMessage, FlowText, Generate, Usage, WarmPrompt
from ringline.workers.extras import require
from ringline.workers.llm.backend import Finished, Part, TextDelta, Thinking
from ringline.workers.llm.chat import GO_ON
from ringline.workers.llm.reply_text import Habits, ReplyText
from ringline.workers.llm.roles import in_order
from ringline.workers.llm.sdk import http_client, list_models, open_stream
from ringline.workers.llm.server_events import BrokenOff
from ringline.workers.secrets import secret

CACHED: dict[str, object] = {"cache_control": {"type": "ephemeral"}}
"""On a block: the service keeps what it has computed up to there."""

_NOT_IN_IDS = re.compile(r"[^a-zA-Z0-9_-]")

Block = dict[str, Any]


class AnthropicBackend:
    """One pool of connections for all calls of the worker."""

    pool = None

    def __init__(self, config: AnthropicLlm, max_calls: int) -> None:
        self._config = config
        self._max_calls = max_calls
        self._sdk: Any = None
        self._client: Any = None
        self._habits = Habits()

    async def warm_up(self) -> None:
        """Connect and ask for the models: a wrong key is found now."""
        config = self._config
        self._sdk = require("anthropic", "anthropic")
        self._client = self._sdk.AsyncAnthropic(
            api_key=secret(config.api_key),
            base_url=config.base_url,
            max_retries=0,
            http_client=http_client(self._sdk, "anthropic", config.timeout_s, self._max_calls),
        )
        await list_models(self._sdk, self._client, config.api_key)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    def use_flows(self, flows: tuple[FlowText, ...]) -> None:
        """It follows none."""

    async def generate(self, request: Generate) -> AsyncIterator[Part]:
        """The reply. Closing the iterator closes the connection."""
        messages = in_order(request.messages)
        if request.said:
            messages += [ChatMessage("assistant", request.said), ChatMessage("user", GO_ON)]
        body = self._body(messages, request.tools, self._config.max_tokens)
        stream = await open_stream(self._sdk, lambda: self._client.messages.create(**body))
        reply = ReplyText(request, self._habits)
        usage: dict[str, int] = {}
        stop_reason = ""
        try:
            async for event in stream:
                match event.type:
                    case "message_start":
                        usage |= event.message.usage.to_dict()
                    case "content_block_start" if event.content_block.type == "tool_use":
                        reply.piece(event.index, event.content_block.id, event.content_block.name)
                        yield Thinking()
                    case "content_block_delta" if event.delta.type == "input_json_delta":
                        reply.piece(event.index, arguments=event.delta.partial_json)
                        yield Thinking()
                    case "content_block_delta" if event.delta.type == "text_delta":
                        new = reply.feed(event.delta.text)
                        yield TextDelta(new) if new else Thinking()
                    case "content_block_delta":  # a thought, or its signature
                        yield Thinking()
                    case "message_delta":
                        usage |= {name: count for name, count in event.usage.to_dict().items() if count is not None}
                        stop_reason = event.delta.stop_reason or stop_reason
                if reply.is_too_long:
                    stop_reason = "max_tokens"
                    break
        finally:
            await stream.close()
        if not stop_reason:
            raise BrokenOff("the server ended the reply in the middle")
        is_cut = stop_reason in ("max_tokens", "model_context_window_exceeded")
        rest, tool_calls = reply.finish(is_cut)
        if rest:
            yield TextDelta(rest)
        yield Finished(tool_calls, usage=_usage(usage), is_cut=is_cut)

    async def warm_prompt(self, request: WarmPrompt) -> None:
        """Have the service cache the prompt, for one token that nobody reads."""
        body = self._body(in_order(request.messages), request.tools, 1)
        stream = await open_stream(self._sdk, lambda: self._client.messages.create(**body))
        try:
            async for _ in stream:
                pass
        finally:
            await stream.close()

    def _body(
        self, messages: Iterable[ChatMessage], tools: tuple[dict[str, object], ...], max_tokens: int
    ) -> dict[str, Any]:
        system, told = anthropic_messages(messages)
        body: dict[str, Any] = {
            "model": self._config.model,
            "messages": told,
            "max_tokens": max_tokens,
            "stream": True,
            "extra_body": self._config.extra_body,
        }
        if system:
            body["system"] = system
        if tools:
            body["tools"] = [_tool(schema) for schema in tools]
        return body


def anthropic_messages(messages: Iterable[ChatMessage]) -> tuple[list[Block], list[Block]]:
    """The system prompt's blocks, and the turns, of messages that are `in_order`: tools answer in the caller's."""
    system: list[Block] = []
    told: list[Block] = []
    for message in messages:
        if message.role == "system":
            system.append({"type": "text", "text": message.content} | CACHED)
            continue
        role = "assistant" if message.role == "assistant" else "user"
        blocks = _blocks(message)
        if told and told[-1]["role"] == role:  # the results of several tools
            told[-1]["content"] += blocks
        else:
            told.append({"role": role, "content": blocks})
    told[-1]["content"][-1] |= CACHED
    return system, told


def _blocks(message: ChatMessage) -> list[Block]:
    if message.role == "tool":
        return [{"type": "tool_result", "tool_use_id": _id(message.tool_call_id), "content": message.content}]
    blocks: list[Block] = []
    if text := message.content.strip():  # the service refuses blank text
        blocks.append({"type": "text", "text": text})
    calls = message.tool_calls
    return blocks + [
        {"type": "tool_use", "id": _id(call.id), "name": call.name, "input": call.arguments} for call in calls
    ]


def _id(id: str) -> str:  # noqa: A002
    """As the service takes it: another model's, before this one took over, may hold anything."""
    return _NOT_IN_IDS.sub("_", id)


def _tool(schema: dict[str, Any]) -> Block:
    function = schema["function"]
    parameters = function.get("parameters", {"type": "object", "properties": {}})
    return {"name": function["name"], "description": function.get("description", ""), "input_schema": parameters}


def _usage(counts: dict[str, int]) -> Usage:
    cached = counts.get("cache_read_input_tokens") or 0
    new = (counts.get("input_tokens") or 0) + (counts.get("cache_creation_input_tokens") or 0)
    return Usage(new + cached, cached, counts.get("output_tokens") or 0)
