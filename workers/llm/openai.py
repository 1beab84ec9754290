"""Any server that speaks OpenAI's chat completions, through the official SDK: vLLM, llama.cpp, OpenAI itself, ..."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

from ringline.engine.config import OpenAiLlm
from ringline.ipc.messages import ChatMessage, FlowText, Generate, Usage, WarmPrompt
from ringline.workers.base import CannotStart
from ringline.workers.extras import require
from ringline.workers.llm.backend import Finished, Part, TextDelta, Thinking
from ringline.workers.llm.chat import GO_ON, openai_messages
from ringline.workers.llm.loading import Loading
from ringline.workers.llm.openai_chunk import Chunk
from ringline.workers.llm.reply_text import Habits, ReplyText
from ringline.workers.llm.roles import LearnedRoles, Roles, in_order
from ringline.workers.llm.sdk import CONNECT_S, connection_errors, http_client, list_models, open_stream
from ringline.workers.llm.server_events import BrokenOff, ServerEvents
from ringline.workers.secrets import secret

log = logging.getLogger("ringline.llm.openai")

CONTINUES = {"vllm": {"add_generation_prompt": False, "continue_final_message": True}, "llama.cpp": {}}
"""Servers that continue a message of the assistant's, and the fields that tell them to."""

REFUSALS = frozenset({400, 404, 422, 500, 501})
"""With which servers answer messages that their chat template does not take."""
LENGTH = ("length", "max_tokens", "MAX_TOKENS")
"""Reasons for which a reply ended before its end."""

SLICE_CHARS = 4_096
"""Of a delta, read at once."""

COMMITTED, DRAFT, WARMING = 0, 1, 2
"""Priorities: vLLM takes the lowest first."""


class _Reported(RuntimeError):
    """An error in the stream, where some servers report what others refuse a request for."""

    def __init__(self, message: str, has_begun: bool) -> None:
        super().__init__(message)
        self.has_begun = has_begun


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
        self._habits = Habits()
        self._connection_errors: tuple[type[Exception], ...] = ()

    async def warm_up(self) -> None:
        """Connect and ask for the models: a wrong key is found now. A server that is not there may come later."""
        config = self._config
        self._sdk = require("openai", "openai")
        self._connection_errors = connection_errors("openai")
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

    async def generate(self, request: Generate) -> AsyncIterator[Part]:
        """The reply. Closing the iterator closes the connection, by which servers notice that nobody reads on."""
        while True:
            roles = self._roles.now
            try:
                async for part in self._reply(request):
                    yield part
                return
            except _Reported as error:
                if error.has_begun or not self._roles.refused(str(error), self._messages(request, roles), roles):
                    raise

    async def _reply(self, request: Generate) -> AsyncIterator[Part]:
        opening = asyncio.ensure_future(self._open(lambda roles: self._messages(request, roles), self._body(request)))
        try:
            async for part in self._loading.told(opening):
                yield part
            stream = await opening
        finally:
            opening.cancel()
        reply = ReplyText(request, self._habits)
        events = ServerEvents(stream.response.aiter_bytes())
        usage = Usage()
        finish_reason = ""
        has_begun = has_calls = False
        try:
            async for event in events:
                chunk = Chunk.of(event)
                if chunk.error and not finish_reason:
                    raise _Reported(f"the server reports an error in its reply: {chunk.error}", has_begun)
                has_begun = True
                usage = chunk.usage or usage
                finish_reason = chunk.finish_reason or finish_reason
                for piece in chunk.tool_calls:
                    has_calls = True
                    reply.piece(*piece)
                if chunk.tool_calls or chunk.is_thought:
                    yield Thinking()
                for start in range(0, len(chunk.text), SLICE_CHARS):
                    new = reply.feed(chunk.text[start : start + SLICE_CHARS])
                    yield TextDelta(new) if new else Thinking()
                    if reply.is_too_long:
                        break
                    if len(chunk.text) > SLICE_CHARS:
                        await asyncio.sleep(0)  # others' replies come on meanwhile
                if reply.is_too_long:
                    finish_reason = "length"
                    break
            if not (finish_reason or events.is_done or (reply.ends_sentence and not has_calls)):
                raise BrokenOff("the server ended the reply in the middle")
            is_cut = finish_reason in LENGTH
            rest, tool_calls = reply.finish(is_cut)
            if rest:
                yield TextDelta(rest)
            yield Finished(tool_calls, usage=usage, is_cut=is_cut)
            if events.is_done:
                with contextlib.suppress(*self._connection_errors):
                    await events.drain()
        except self._connection_errors as error:
            raise BrokenOff(f"{type(error).__name__}: {error}") from error
        finally:
            await stream.close()

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
