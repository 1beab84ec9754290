"""Any server that speaks OpenAI's chat completions, through the official SDK: vLLM, llama.cpp, OpenAI itself, ..."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

from ringline.engine.config import OpenAiLlm
from ringline.ipc.messages import ChatMessage, FlowText, Generate, Usage, WarmPrompt
from ringline.workers.base import CannotStart
from ringline.workers.extras import require
from ringline.workers.llm.backend import Finished, ModelLoads, TextDelta
from ringline.workers.llm.chat import GO_ON, Continuation, ToolCalls, openai_messages
from ringline.workers.llm.loading import Loading
from ringline.workers.llm.roles import LearnedRoles, Roles, in_order
from ringline.workers.llm.sdk import CONNECT_S, http_client, list_models, open_stream
from ringline.workers.secrets import secret

log = logging.getLogger("ringline.llm.openai")

CONTINUES = {"vllm": {"add_generation_prompt": False, "continue_final_message": True}, "llama.cpp": {}}
"""Servers that continue a message of the assistant's, and the fields that tell them to."""

REFUSALS = frozenset({400, 404, 422, 500, 501})
"""With which servers answer messages that their chat template does not take."""

COMMITTED, DRAFT, WARMING = 0, 1, 2
"""Priorities: vLLM takes the lowest first."""


class OpenAiBackend:
    """One pool of connections for all calls of the worker."""

    pool = None

    def __init__(self, config: OpenAiLlm, max_calls: int) -> None:
        self._config = config
        self._max_calls = max_calls
        self._model = config.model
        self._roles = LearnedRoles(Roles(system=config.system_role, continues=config.server in CONTINUES))
        self._loading = Loading(not config.remote_host or config.warms_prompt, config.serve_ready_s)
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
        await self._loading.close()
        await self._client.close()

    def use_flows(self, flows: tuple[FlowText, ...]) -> None:
        """It follows none."""

    async def generate(self, request: Generate) -> AsyncIterator[TextDelta | ModelLoads | Finished]:
        """The reply. Closing the iterator closes the connection, by which servers notice that nobody reads on."""
        opening = asyncio.ensure_future(self._open(lambda roles: self._messages(request, roles), self._body(request)))
        try:
            async for part in self._loading.told(opening):
                yield part
            stream = await opening
        finally:
            opening.cancel()
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
        body = self._common(request.tools, 1, WARMING)
        if self._config.server != "llama.cpp" or request.call:
            await self._warm(request, body)
            return
        for slot in range(await self._num_slots()):
            await self._warm(request, {**body, "extra_body": {**body["extra_body"], "id_slot": slot}})

    async def _warm(self, request: WarmPrompt, body: dict[str, Any]) -> None:
        stream = await self._open(lambda roles: in_order(request.messages, roles), body)
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

    def _messages(self, request: Generate, roles: Roles) -> list[ChatMessage]:
        messages = in_order(request.messages, roles)
        if request.said:
            messages.append(ChatMessage("assistant", request.said))
            if not roles.continues:
                messages.append(ChatMessage("user", GO_ON))
        return messages

    def _body(self, request: Generate) -> dict[str, Any]:
        priority = DRAFT if request.draft else COMMITTED
        return self._common(request.tools, self._config.max_tokens, priority)

    def _common(self, tools: tuple[dict[str, object], ...], max_tokens: int, priority: int) -> dict[str, Any]:
        """All of a request but its messages."""
        config = self._config
        extra = dict(config.extra_body)
        if config.priority:
            extra["priority"] = priority
        body: dict[str, Any] = {
            "model": self._model,
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

    async def _open(self, messages_for: Callable[[Roles], list[ChatMessage]], body: dict[str, Any]) -> Any:
        """The answer to a request, of which nothing is read yet. A server that refuses the order of its messages is
        asked again in another one."""
        while True:
            roles = self._roles.now
            messages = messages_for(roles)
            try:
                return await self._loading.answer(functools.partial(self._ask, messages, body))
            except self._sdk.APIStatusError as error:
                if error.status_code not in REFUSALS or not self._roles.refused(str(error), messages, roles):
                    raise

    async def _ask(self, messages: list[ChatMessage], body: dict[str, Any]) -> Any:
        body = {**body, "messages": openai_messages(messages)}
        if messages[-1].role == "assistant":
            body["extra_body"] = {**body["extra_body"], **CONTINUES[self._config.server]}
        if self._loading.is_cold:
            body["timeout"] = self._sdk.Timeout(self._loading.load_s, connect=CONNECT_S)
        return await open_stream(self._sdk, lambda: self._client.chat.completions.create(**body))


def _usage(counted: Any) -> Usage:
    details = counted.prompt_tokens_details
    return Usage(counted.prompt_tokens or 0, (details and details.cached_tokens) or 0, counted.completion_tokens or 0)
