"""One WebSocket to a vendor of voices, and the phrases that share it."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

from ringline.workers.retry import ServiceError

log = logging.getLogger("ringline.tts")

ANSWER_S = 5.0
"""A server that says nothing about a phrase for so long has lost it. The engine's own deadline is shorter."""


class Word(NamedTuple):
    """The voice says where it speaks a word."""

    text: str
    start_s: float
    """From the beginning of the context's sound."""


Event = bytes | Word | ServiceError | None
"""Of a context: 16-bit little-endian sound, a word, its failure, its end."""


class Socket(Protocol):
    """What a vendor's SDK, or the library beneath it, calls a connection."""

    async def send(self, message: Any, /) -> None: ...

    async def recv(self) -> Any: ...

    async def close(self) -> None: ...


class Line:
    """Events are sorted by context: a context is a segment of a phrase. All calls are made on one loop."""

    def __init__(
        self,
        socket: Socket,
        parse: Callable[[Any], tuple[str | None, Iterable[Event]]],
        on_lost: Callable[[Line], None],
    ) -> None:
        """``parse`` makes of what the socket receives the context (None, of a failure: all) and its events; whatever it
        raises ends the connection. ``on_lost`` is called when that has ended."""
        self.lost: ServiceError | None = None
        """Why it is closed."""
        self.opened_s = time.monotonic()
        self.heard_s = self.opened_s
        """When the server has last said anything."""
        self._contexts: dict[str, asyncio.Queue[Event] | None] = {}
        """None: nobody listens any more."""
        self._socket = socket
        self._parse = parse
        self._on_lost = on_lost
        self._reader = asyncio.create_task(self._read())

    @property
    def num_contexts(self) -> int:
        """Those that have not ended."""
        return len(self._contexts)

    def begin(self, context: str) -> None:
        """Keep the events of this context, for `receive`."""
        self._contexts[context] = asyncio.Queue()

    def has(self, context: str) -> bool:
        """Whether it was begun, and has not ended."""
        return context in self._contexts

    def ignore(self, context: str) -> None:
        """Drop its events; it counts until the server has ended it."""
        if context in self._contexts:
            self._contexts[context] = None

    def end(self, context: str) -> None:
        """Drop its events; it counts no more."""
        self._contexts.pop(context, None)

    async def send(self, message: Any) -> None:
        """Raises ServiceError."""
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._socket.send(message)
        except Exception as error:  # each SDK has exceptions of its own
            raise failure(error) from error

    async def receive(self, context: str) -> bytes | Word | None:
        """The next event of a context that was begun and has not ended; None: its end. Raises ServiceError;
        TimeoutError after ANSWER_S without one."""
        queue = self._contexts[context]
        assert queue is not None
        try:
            async with asyncio.timeout(ANSWER_S):
                event = await queue.get()
        except TimeoutError:
            if time.monotonic() - self.heard_s >= ANSWER_S:  # it is not this phrase alone
                self._reader.cancel()
            raise TimeoutError(f"the server has said nothing for {ANSWER_S:.0f} s") from None
        if event is None or isinstance(event, ServiceError):
            self.end(context)
        if isinstance(event, ServiceError):
            raise event
        return event

    async def close(self) -> None:
        """Hang up."""
        self._reader.cancel()
        await asyncio.wait([self._reader])

    async def _read(self) -> None:
        lost = ServiceError("the connection was closed")  # by this side
        try:
            while True:
                context, events = self._parse(await self._socket.recv())
                self.heard_s = time.monotonic()
                for event in events:
                    if context is not None or isinstance(event, ServiceError):
                        self._sort(context, event)
        except Exception as error:  # noqa: BLE001 - as above, and what was received may be anything
            lost = failure(error)
            log.info("a connection was lost", extra={"error": str(lost)})
        finally:
            self.lost = lost
            self._on_lost(self)
            self._sort(None, lost)
            await self._socket.close()

    def _sort(self, context: str | None, event: Event) -> None:
        for name in list(self._contexts) if context is None else [context]:
            queue = self._contexts.get(name)
            if queue is not None:
                queue.put_nowait(event)
            elif event is None or isinstance(event, ServiceError):
                self.end(name)


def word(text: Any, start_s: Any) -> Word:
    """Raises ValueError, TypeError for what is none."""
    if not isinstance(text, str) or not math.isfinite(start_s):
        raise ValueError(f"no word at {start_s!r} s")
    return Word(text, max(0.0, start_s))


def failure(error: BaseException) -> ServiceError:
    """What an exception of a socket means."""
    from websockets.exceptions import ConnectionClosed, InvalidStatus

    if isinstance(error, ServiceError):
        return error
    if isinstance(error, InvalidStatus):
        response = error.response
        body = (response.body or b"")[:200].decode(errors="replace")
        return ServiceError(
            f"HTTP {response.status_code} {body}".rstrip(), response.status_code, response.headers.get("Retry-After")
        )
    if isinstance(error, ConnectionClosed):
        reason = error.rcvd.reason if error.rcvd else "without a word"
        is_key = error.rcvd is not None and error.rcvd.code == 1008 and "api key" in reason.lower()
        return ServiceError(f"the server has closed the connection: {reason}", 401 if is_key else None)
    if isinstance(error, TimeoutError):
        return ServiceError("the server does not answer", 504)
    return ServiceError(f"{type(error).__name__}: {error}")
