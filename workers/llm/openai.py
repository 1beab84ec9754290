"""Any server that speaks OpenAI's chat completions, through the official SDK: vLLM, llama.cpp, OpenAI itself, ..."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

from ringline.engine.config import OpenAiLlm
from ringline.ipc.messages import FlowText, Generate, Usage, WarmPrompt
from ringline.workers.base import CannotStart
from ringline.workers.extras import require
from ringline.workers.llm.backend import Finished, TextDelta
from ringline.workers.llm.chat import ANY_TURN, GO_ON, Continuation, ToolCalls, openai_messages, turns
from ringline.workers.llm.sdk import http_client, list_models, open_stream
from ringline.workers.secrets import secret

log = logging.getLogger("ringline.llm.openai")

COMMITTED, DRAFT, WARMING = 0, 1, 2
"""Priorities: vLLM takes the lowest first."""


class OpenAiBackend:
    """One pool of connections for all calls of the worker."""

    pool = None

    def __init__(self, config: OpenAiLlm, max_calls: int) -> None:
        self._config = config
        self._max_calls = max_calls
        self._model = config.model
        self._sdk: Any = None
        self._client: Any = None

    async def warm_up(self) -> None:
        """Connect and ask for the models: a wrong key is found now. A server that is not there may come later."""
        config = self._config
        self._sdk = require("openai", "openai")
        self._client = self._sdk.AsyncOpenAI(
            api_key=self._key(),
            base_url=config.base_url,
            max_retries=0,
            http_client=http_client(self._sdk, "openai", config.timeout_s, self._max_calls),
        )
        names = await list_models(self._sdk, self._client, config.api_key)
        if not self._model and names:
            self._model = names[0]
        elif names and self._model not in names:
            log.warning("the server does not list the model", extra={"model": self._model, "lists": names[:10]})

    def _key(self) -> str:
        try:
            return secret(self._config.api_key) or "none"
        except CannotStart:
            if self._config.remote_host:
                raise
            return "none"  # the SDK insists on one, the server does not

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    def use_flows(self, flows: tuple[FlowText, ...]) -> None:
        """It follows none."""

    async def generate(self, request: Generate) -> AsyncIterator[TextDelta | Finished]:
        """The reply. Closing the iterator closes the connection, by which servers notice that nobody reads on."""
        stream = await self._open(self._body(request))
        text, calls = Continuation(request.said), ToolCalls(request.messages)
        usage = Usage()
        is_complete = False
        try:
            async for chunk in stream:
                if chunk.usage is not None:
                    usage = _usage(chunk.usage)
                if not chunk.choices:
                    continue
                choice = chunk.choices[0]
                is_complete = is_complete or choice.finish_reason is not None
                if choice.delta is None:
                    continue
                for piece in choice.delta.tool_calls or ():
                    function = piece.function
                    calls.add(piece.index, piece.id, function and function.name, function and function.arguments)
                if new := text.feed(choice.delta.content or choice.delta.refusal or ""):
                    yield TextDelta(new)
        finally:
            await stream.close()
        if not is_complete:
            raise ConnectionError("the server ended the reply in the middle")
        yield Finished(calls.made(), usage=usage)

    async def warm_prompt(self, request: WarmPrompt) -> None:
        """Have the server compute the prompt, for one token that nobody reads. llama.cpp keeps it slot by slot, so for
        the calls to come each of its slots is asked, by number: left alone, it takes a slot that knows the prompt."""
        messages = openai_messages((*request.messages, ANY_TURN))
        body = self._common(messages, request.tools, 1, WARMING)
        if self._config.server != "llama.cpp" or request.call:
            await self._warm(body)
            return
        for slot in range(await self._num_slots()):
            await self._warm({**body, "extra_body": {**body["extra_body"], "id_slot": slot}})

    async def _warm(self, body: dict[str, Any]) -> None:
        stream = await self._open(body)
        try:
            async for _ in stream:
                pass
        finally:
            await stream.close()

    async def _num_slots(self) -> int:
        """How many replies llama.cpp's server writes at once; 1 if it does not say."""
        root = self._config.base_url.rstrip("/").removesuffix("/v1")
        try:
            props = await self._client.get(f"{root}/props", cast_to=dict[str, object])
            return min(max(1, int(props.get("total_slots", 1))), self._max_calls)
        except (self._sdk.OpenAIError, TypeError, ValueError):
            return 1

    def _body(self, request: Generate) -> dict[str, Any]:
        messages = openai_messages(turns(request))
        priority = DRAFT if request.draft else COMMITTED
        body = self._common(messages, request.tools, self._config.max_tokens, priority)
        if request.said:
            messages.append({"role": "assistant", "content": request.said})
            if self._config.server == "vllm":
                body["extra_body"] |= {"add_generation_prompt": False, "continue_final_message": True}
            elif self._config.server != "llama.cpp":  # which continues by itself
                messages.append({"role": "system", "content": GO_ON})
        return body

    def _common(
        self, messages: list[dict[str, object]], tools: tuple[dict[str, object], ...], max_tokens: int, priority: int
    ) -> dict[str, Any]:
        config = self._config
        extra = dict(config.extra_body)
        if config.priority:
            extra["priority"] = priority
        body: dict[str, Any] = {
            "model": self._model,
            "messages": messages,
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_completion_tokens" if config.server == "openai" else "max_tokens": max_tokens,
            "extra_body": extra,
        }
        if tools:
            body["tools"] = list(tools)
        if config.temperature is not None:
            body["temperature"] = config.temperature
        return body

    async def _open(self, body: dict[str, Any]) -> Any:
        return await open_stream(self._sdk, lambda: self._client.chat.completions.create(**body))


def _usage(counted: Any) -> Usage:
    details = counted.prompt_tokens_details
    return Usage(counted.prompt_tokens or 0, (details and details.cached_tokens) or 0, counted.completion_tokens or 0)
