"""Anthropic's messages API through the official SDK."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

from ringline.engine.config import AnthropicLlm
from ringline.ipc.messages import ChatMessage, FlowText, Generate, Usage, WarmPrompt
from ringline.workers.extras import require
from ringline.workers.llm.backend import Finished, TextDelta
from ringline.workers.llm.chat import ANY_TURN, GO_ON, Continuation, ToolCalls, turns
from ringline.workers.llm.sdk import http_client, list_models, open_stream
from ringline.workers.secrets import secret

CACHED: dict[str, object] = {"cache_control": {"type": "ephemeral"}}
"""On a block: the service keeps what it has computed up to there."""

Block = dict[str, Any]


class AnthropicBackend:
    """One pool of connections for all calls of the worker."""

    pool = None

    def __init__(self, config: AnthropicLlm, max_calls: int) -> None:
        self._config = config
        self._max_calls = max_calls
        self._sdk: Any = None
        self._client: Any = None

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

    async def generate(self, request: Generate) -> AsyncIterator[TextDelta | Finished]:
        """The reply. Closing the iterator closes the connection."""
        messages = turns(request)
        if request.said:
            messages += (ChatMessage("assistant", request.said), ChatMessage("user", GO_ON))
        body = self._body(messages, request.tools, self._config.max_tokens)
        stream = await open_stream(self._sdk, lambda: self._client.messages.create(**body))
        text, calls = Continuation(request.said), ToolCalls(request.messages)
        usage: dict[str, int] = {}
        is_complete = False
        try:
            async for event in stream:
                match event.type:
                    case "message_start":
                        usage |= event.message.usage.to_dict()
                    case "content_block_start" if event.content_block.type == "tool_use":
                        calls.add(event.index, event.content_block.id, event.content_block.name)
                    case "content_block_delta" if event.delta.type == "input_json_delta":
                        calls.add(event.index, arguments=event.delta.partial_json)
                    case "content_block_delta" if event.delta.type == "text_delta":
                        if new := text.feed(event.delta.text):
                            yield TextDelta(new)
                    case "message_delta":
                        usage |= {name: count for name, count in event.usage.to_dict().items() if count is not None}
                        is_complete = is_complete or event.delta.stop_reason is not None
        finally:
            await stream.close()
        if not is_complete:
            raise ConnectionError("the server ended the reply in the middle")
        yield Finished(calls.made(), usage=_usage(usage))

    async def warm_prompt(self, request: WarmPrompt) -> None:
        """Have the service cache the prompt, for one token that nobody reads."""
        body = self._body((*request.messages, ANY_TURN), request.tools, 1)
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
    """The system prompt's blocks, and the turns: they alternate, and tools answer in the caller's."""
    system: list[Block] = []
    told: list[Block] = []
    for message in messages:
        if message.role == "system":
            system.append({"type": "text", "text": message.content} | CACHED)
            continue
        role = "assistant" if message.role == "assistant" else "user"
        blocks = _blocks(message)
        if not told and role == "assistant" and blocks:
            told.append({"role": "user", "content": [{"type": "text", "text": ANY_TURN.content}]})
        if told and told[-1]["role"] == role:
            told[-1]["content"] += blocks
        elif blocks:
            told.append({"role": role, "content": blocks})
    if not told or told[-1]["role"] == "assistant":
        told.append({"role": "user", "content": [{"type": "text", "text": ANY_TURN.content}]})
    told[-1]["content"][-1] |= CACHED
    return system, told


def _blocks(message: ChatMessage) -> list[Block]:
    if message.role == "tool":
        return [{"type": "tool_result", "tool_use_id": message.tool_call_id, "content": message.content}]
    blocks: list[Block] = []
    if text := message.content.strip():  # the service refuses blank text
        blocks.append({"type": "text", "text": text})
    calls = message.tool_calls
    return blocks + [{"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments} for call in calls]


def _tool(schema: dict[str, Any]) -> Block:
    function = schema["function"]
    parameters = function.get("parameters", {"type": "object", "properties": {}})
    return {"name": function["name"], "description": function.get("description", ""), "input_schema": parameters}


def _usage(counts: dict[str, int]) -> Usage:
    cached = counts.get("cache_read_input_tokens") or 0
    new = (counts.get("input_tokens") or 0) + (counts.get("cache_creation_input_tokens") or 0)
    return Usage(new + cached, cached, counts.get("output_tokens") or 0)
