"""Servers that load their model when the first request comes, and again when nobody has asked for a while.

Some give the load up when the client that asked first goes away: however often a call is given up, and the next one
asks again, the model never gets there. So a request that such a server has not yet answered stays open, whoever has
stopped waiting for it, until the model is loaded.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from ringline.workers.llm.backend import ModelLoads

log = logging.getLogger("ringline.llm")

UNLOADED_AFTER_S = 240.0
"""Without a request. Ollama unloads after five minutes, where it is not told otherwise."""

TOLD_AFTER_S = 1.0
"""A server that has its model answers within that; else the engine hears that it waits for more than a reply."""

POLL_S = 0.5
"""How often a server is asked again that says it is still loading, as llama.cpp does."""

NOT_THERE_YET = 503


class Loading:
    """The requests to one server, until it has answered one."""

    def __init__(self, may_load: bool, load_s: float) -> None:
        """``may_load``: whether it is a server that loads models, at all; ``load_s``: how long that may take."""
        self.load_s = load_s
        self._may_load = may_load
        self._answered_s = -math.inf
        self._left: asyncio.Task[Any] | None = None
        """A request that nobody waits for, but the model's load hangs on."""

    @property
    def is_cold(self) -> bool:
        """Whether the next request may have to wait until the model is loaded."""
        return self._may_load and time.monotonic() - self._answered_s > UNLOADED_AFTER_S

    async def answer(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        """The server's first word to a request: a stream. Cancelled before that came, the request goes on without us if
        the model may be loading for it."""
        asking = asyncio.ensure_future(self._until_loaded(ask))
        try:
            stream = await asyncio.shield(asking)
        except asyncio.CancelledError:
            if self.is_cold and self._left is None and not asking.done():
                self._left = asking
                asking.add_done_callback(self._let_go)
            else:
                asking.cancel()
            raise
        return stream

    async def told(self, answer: asyncio.Future[Any]) -> AsyncIterator[ModelLoads]:
        """Wait for an answer; says so where it takes as long as loading a model does."""
        has_said_so = False
        while not answer.done():
            await asyncio.wait({answer}, timeout=None if has_said_so else TOLD_AFTER_S)
            if not answer.done() and self.is_cold and not has_said_so:
                has_said_so = True
                yield ModelLoads()

    async def close(self) -> None:
        """Wait for nothing more."""
        if self._left is not None:
            self._left.cancel()
            await asyncio.wait({self._left})

    async def _until_loaded(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        deadline_s = time.monotonic() + self.load_s
        while True:
            try:
                stream = await ask()
            except Exception as error:
                says_so = getattr(error, "status_code", None) == NOT_THERE_YET and "loading" in str(error).lower()
                if not (self._may_load and says_so) or time.monotonic() > deadline_s:
                    raise
                self._answered_s = -math.inf
                await asyncio.sleep(POLL_S)
            else:
                self._answered_s = time.monotonic()
                return stream

    def _let_go(self, asking: asyncio.Task[Any]) -> None:
        self._left = None
        if asking.cancelled():
            return
        if (error := asking.exception()) is not None:
            log.warning("the model was not loaded", extra={"error": str(error)})
            return
        log.info("the model is loaded")
        self._left = closing = asyncio.ensure_future(asking.result().close())
        closing.add_done_callback(self._closed)

    def _closed(self, closing: asyncio.Task[Any]) -> None:
        self._left = None
        if not closing.cancelled():
            closing.exception()
