"""A server on loopback that speaks OpenAI's chat completions, as far as Ringline uses them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, Self

from aiohttp import web

Chunk = dict[str, Any]


def text(content: str) -> Chunk:
    """A piece of a reply's text."""
    return {"choices": [{"index": 0, "delta": {"content": content}, "finish_reason": None}]}


def tool(index: int, arguments: str, name: str | None = None, id: str | None = None) -> Chunk:  # noqa: A002
    """A piece of a tool call; the first one names it."""
    function = {"arguments": arguments} | ({"name": name} if name else {})
    call = {"index": index, "function": function} | ({"id": id, "type": "function"} if id is not None else {})
    return {"choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}]}


def end(reason: str = "stop") -> Chunk:
    """The last piece of a reply."""
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}


def usage(prompt: int, cached: int, completion: int) -> Chunk:
    """What ``include_usage`` brings."""
    details = {"cached_tokens": cached}
    counts = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    return {"choices": [], "usage": counts | {"prompt_tokens_details": details}}


class FakeOpenAi:
    """``async with FakeOpenAi() as server``: what it answers can be set at any time."""

    def __init__(self) -> None:
        self.reply: list[Chunk | bytes] = [text("Hello "), text("there."), end(), usage(12, 8, 2)]
        """Bytes are sent as they are."""
        self.hang_after: int | None = None
        """So many pieces are sent, and then nothing more."""
        self.end_after_s = 0.0
        """So much later than the last piece the response ends, which is a packet of its own."""
        self.says_done = True
        self.breaks_off = 0
        """So many replies end with a connection that is gone."""
        self.status = 200
        self.problem = "no"
        """What it says then."""
        self.headers: dict[str, str] = {}
        self.bad_requests = 0
        """So many requests are answered with ``status``; -1: all."""
        self.models = ["tiny"]
        self.listing: web.Response | None = None
        """Instead of those, what a server answers that is none."""
        self.refuse: Callable[[list[dict[str, Any]]], str] = lambda messages: ""
        """Why it does not take these messages; empty: it does."""
        self.is_loaded = asyncio.Event()
        """No reply before that; a load that its client does not wait for is given up."""
        self.is_loaded.set()
        self.num_given_up = 0
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.peers: set[object] = set()
        """Each connection's own address."""
        self.cancelled = asyncio.Event()
        """A client went away before its reply was complete."""
        self.open = 0

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/v1/models", self._list)
        app.router.add_post("/v1/chat/completions", self._complete)
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port: int = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        """For ``base_url``."""
        return f"http://127.0.0.1:{self.port}/v1"

    def _refusal(self, request: web.Request) -> web.Response | None:
        self.keys.append(request.headers.get("Authorization", ""))
        if self.status == 200 or self.bad_requests == 0:
            return None
        self.bad_requests -= 1
        return web.json_response({"error": {"message": self.problem}}, status=self.status, headers=self.headers)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        models = [{"id": name, "object": "model", "created": 0, "owned_by": "tests"} for name in self.models]
        return self._refusal(request) or self.listing or web.json_response({"object": "list", "data": models})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.json())
        self.peers.add(request.transport and request.transport.get_extra_info("peername"))
        if refusal := self._refusal(request):
            return refusal
        if reason := self.refuse(self.bodies[-1]["messages"]):
            return web.json_response({"error": {"message": reason}}, status=400)
        try:
            await self.is_loaded.wait()
        except asyncio.CancelledError:
            self.num_given_up += 1
            raise
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        self.open += 1
        try:
            await response.prepare(request)
            for number, chunk in enumerate(self.reply):
                if number == self.hang_after:
                    await asyncio.Event().wait()
                if isinstance(chunk, bytes):
                    await response.write(chunk)
                    continue
                data = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "tiny"} | chunk
                await response.write(b"data: " + json.dumps(data).encode() + b"\n\n")
            if self.hang_after is not None:
                await asyncio.Event().wait()
            if self.breaks_off and request.transport is not None:
                self.breaks_off -= 1
                await asyncio.sleep(0.01)  # what was written is on its way
                request.transport.abort()
                return response
            if self.says_done:
                await response.write(b"data: [DONE]\n\n")
            await asyncio.sleep(self.end_after_s)
            await response.write_eof()
        except (asyncio.CancelledError, ConnectionError):
            self.cancelled.set()
            raise
        finally:
            self.open -= 1
        return response
