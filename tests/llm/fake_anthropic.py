"""A server on loopback that speaks Anthropic's messages API, as far as Ringline uses it."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Self

from aiohttp import web

Event = dict[str, Any]


def start(input_tokens: int = 4, cached: int = 8) -> Event:
    """The first event of a reply."""
    usage = {"input_tokens": input_tokens, "cache_read_input_tokens": cached, "output_tokens": 1}
    message = {"id": "m", "type": "message", "role": "assistant", "content": [], "model": "tiny", "usage": usage}
    return {"type": "message_start", "message": message}


def text(content: str, index: int = 0) -> Event:
    """A piece of a reply's text."""
    return {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": content}}


def tool(index: int, name: str, id: str) -> Event:  # noqa: A002
    """A tool call begins."""
    block = {"type": "tool_use", "id": id, "name": name, "input": {}}
    return {"type": "content_block_start", "index": index, "content_block": block}


def arguments(index: int, partial: str) -> Event:
    """A piece of its arguments."""
    delta = {"type": "input_json_delta", "partial_json": partial}
    return {"type": "content_block_delta", "index": index, "delta": delta}


def end(output_tokens: int = 2, reason: str = "end_turn") -> Event:
    """The reply is complete."""
    delta = {"stop_reason": reason, "stop_sequence": None}
    return {"type": "message_delta", "delta": delta, "usage": {"output_tokens": output_tokens}}


STOP: Event = {"type": "message_stop"}


class FakeAnthropic:
    """``async with FakeAnthropic() as server``: what it answers can be set at any time."""

    def __init__(self) -> None:
        self.reply: list[Event] = [start(), text("Hello "), text("there."), end(), STOP]
        self.hang_after: int | None = None
        """So many events are sent, and then nothing more."""
        self.status = 200
        self.bad_requests = 0
        """So many requests are answered with ``status``; -1: all."""
        self.bodies: list[dict[str, Any]] = []
        self.cancelled = asyncio.Event()
        self.open = 0

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/v1/models", self._list)
        app.router.add_post("/v1/messages", self._create)
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port: int = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._runner.cleanup()

    def _refusal(self) -> web.Response | None:
        if self.status == 200 or self.bad_requests == 0:
            return None
        self.bad_requests -= 1
        error = {"type": "error", "error": {"type": "overloaded_error", "message": "no"}}
        return web.json_response(error, status=self.status)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        return self._refusal() or web.json_response({"data": [], "has_more": False})

    async def _create(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.json())
        if refusal := self._refusal():
            return refusal
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        self.open += 1
        try:
            await response.prepare(request)
            for number, event in enumerate(self.reply):
                if number == self.hang_after:
                    await asyncio.Event().wait()
                await response.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
            await response.write_eof()
        except (asyncio.CancelledError, ConnectionError):
            self.cancelled.set()
            raise
        finally:
            self.open -= 1
        return response
