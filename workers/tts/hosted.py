"""What hosted voices share: a thread with an asyncio loop, connections kept open, and phrases handed over from it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any

from ringline.workers.base import CannotStart
from ringline.workers.retry import ServiceError, is_refusal
from ringline.workers.tts.backend import Mark, Order, Samples, check_speed
from ringline.workers.tts.line import Line, Word, failure
from ringline.workers.tts.persistence import Persistence
from ringline.workers.tts.sound import Sound
from ringline.workers.tts.text import segments, speakable

log = logging.getLogger("ringline.tts")

RATE_HZ = 16_000
"""What is asked for: the rate of wideband calls, halved for the others by Ringline's own resampler. 8 kHz would save
half of some 340 kbit/s per phrase under way, and take the upper octave from wideband calls."""
OPEN_S = 1.5
"""For TCP, TLS and the upgrade together: some 0.2 s to another continent, and a second more if a packet is lost."""
CLOSE_S = 1.0
PING_S = 10.0
LONGEST_SEGMENT_S = 300.0
"""More sound than any segment of text has. A server that sends more would fill the memory."""
SETTLED_S = 10.0
"""A connection that was lost sooner is not opened again before it is needed: the server does not want it."""
_LOOK_MS = 2.0


def websocket_options() -> dict[str, Any]:
    """For `websockets.connect`. Base64 sound hardly shrinks, and compression costs time; pings find a dead connection
    before a phrase does."""
    return {"compression": None, "close_timeout": CLOSE_S, "ping_interval": PING_S, "ping_timeout": PING_S}


class HostedBackend(ABC):
    """`TtsBackend` over WebSockets that phrases share."""

    rate_hz = RATE_HZ
    pool = None
    vendor: str
    max_contexts: int | None = None
    """Of one connection; None: there is no limit."""

    def __init__(self, api_key: str, wake: Callable[[], None]) -> None:
        """``api_key``: as it is configured."""
        self._key_name = api_key.removeprefix("$") if api_key.startswith("$") else "[tts] api_key"
        self._wake = wake
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread | None = None
        self._lines: dict[Line, Hashable] = {}
        self._opening: dict[Hashable, asyncio.Task[Line]] = {}
        self._kept: Hashable = None
        """What the connection is for that is opened again when it is lost: that of the last phrase."""
        self._contexts = itertools.count(1)
        self._persistence = Persistence(self.vendor, RATE_HZ)

    @abstractmethod
    def prepare(self) -> None:
        """Import the vendor's package, read the key. Raises CannotStart."""

    @abstractmethod
    def line_key(self, order: Order) -> Hashable:
        """Phrases of the same key may share a connection."""

    @abstractmethod
    async def connect(self, key: Hashable) -> Line:
        """A new connection. Raises what the SDK raises."""

    @abstractmethod
    def requests(self, order: Order, text: str, context: str) -> Iterable[Any]:
        """The messages that have a text spoken."""

    def closings(self, context: str) -> Iterable[Any]:
        """The messages that say that no more text comes, if `requests` does not. They are sent behind the first sound:
        a server that is told sooner may end before it has begun."""
        return ()

    @abstractmethod
    def cancellations(self, context: str) -> Iterable[Any]:
        """The messages that stop it; none: it ends by itself, and counts until then."""

    def warm_up(self) -> None:
        """Speak a word: shows that key, voice and model are good, and leaves a connection open."""
        self.prepare()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"tts-{self.vendor}", daemon=True)
        self._thread.start()
        try:
            for part in self.synthesize(Order("Ready.")):
                if part is None:
                    time.sleep(_LOOK_MS / 1000)
        except ServiceError as error:
            if error.status in (401, 403):
                raise CannotStart(f"{self.vendor} does not accept the key in {self._key_name}: {error}") from error
            if is_refusal(error.status):
                raise CannotStart(f"{self.vendor} refuses [tts]: {error}") from error
            raise

    def synthesize(self, order: Order) -> Iterator[Samples | Mark | None]:
        """See `TtsBackend.synthesize`. A speed the vendor does not offer becomes the nearest that it does."""
        check_speed(order.speed)
        return self._phrase(order)

    def close(self) -> None:
        """Hang up, and end the thread, if it was started."""
        if self._thread is None:
            return
        self._submit(self._close()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _phrase(self, order: Order) -> Iterator[Samples | Mark | None]:
        text, _ = speakable(order.text)
        sound = Sound(order.text, RATE_HZ)
        for _, segment in segments(text):
            if not any(char.isalnum() for char in segment):
                continue  # nothing to say: some refuse it
            parts: deque[bytes | Word] = deque()
            job = self._submit(self._fetch(order, segment, parts))
            try:
                while True:
                    is_last = job.done()
                    while parts:
                        yield from sound.heard(parts.popleft())
                    if is_last:
                        job.result()
                        break
                    yield None
            finally:
                job.cancel()
            sound.end_segment()
        yield from sound.finish()

    def _submit(self, work: Coroutine[Any, Any, None]) -> Future[None]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    # --- the loop's thread -------------------------------------------------------------------------------------------

    async def _fetch(self, order: Order, text: str, parts: deque[bytes | Word]) -> None:
        asked: list[tuple[Line, float]] = []
        num_bytes = 0
        try:
            spoken = self._persistence.spoken(lambda: self._hear(order, text, asked))
            async with contextlib.aclosing(spoken) as heard:
                async for part in heard:
                    num_bytes += len(part) if isinstance(part, bytes) else 0
                    if num_bytes > LONGEST_SEGMENT_S * RATE_HZ * 2:
                        raise ServiceError(f"{self.vendor} sends more sound than the text can have", 500)
                    parts.append(part)
                    self._wake()
        finally:
            self._wake()

    async def _hear(
        self, order: Order, text: str, asked: list[tuple[Line, float]]
    ) -> AsyncGenerator[bytes | Word, None]:
        """Have a text spoken. Raises ServiceError, TimeoutError. Closed before its end, it cancels the rest.

        ``asked``: where it was asked for before, and when: not there again, if nothing at all has come from there.
        """
        context = f"phrase-{next(self._contexts)}"
        silent = [line for line, asked_s in asked if not line.lost and line.heard_s < asked_s]
        line = await self._line(self.line_key(order), silent)
        asked.append((line, time.monotonic()))
        line.begin(context)
        is_closed = False
        try:
            for message in self.requests(order, text, context):
                await line.send(message)
            while (event := await line.receive(context)) is not None:
                yield event
                if not is_closed and isinstance(event, bytes):
                    is_closed = True
                    for message in self.closings(context):
                        await line.send(message)
        finally:
            await self._cancel(line, context, is_closed)

    async def _cancel(self, line: Line, context: str, is_closed: bool) -> None:
        """Nothing is to be done for a context that has ended."""
        if line.lost:
            return
        with contextlib.suppress(ServiceError):  # the connection is lost, and all on it
            if not is_closed:
                for message in self.closings(context):
                    await line.send(message)
            if not line.has(context):
                return
            line.ignore(context)
            for message in self.cancellations(context):
                line.end(context)
                await line.send(message)

    async def _line(self, key: Hashable, silent: Sequence[Line] = ()) -> Line:
        """An open connection with room for one more context, which the caller begins at once; none of the ``silent``.
        Raises ServiceError."""
        self._kept = key
        while True:
            for line, of in sorted(
                self._lines.items(), key=lambda item: -item[0].heard_s
            ):  # those that are alive first
                if (
                    of == key
                    and line not in silent
                    and (self.max_contexts is None or line.num_contexts < self.max_contexts)
                ):
                    return line
            opened = await asyncio.shield(self._open(key))
            if opened.lost:
                raise opened.lost

    def _open(self, key: Hashable) -> asyncio.Task[Line]:
        """Several phrases may wait for one connection; it is opened even if they are cancelled."""
        if key not in self._opening:
            self._opening[key] = task = asyncio.create_task(self._add_line(key))
            task.add_done_callback(lambda task: self._opened(key, task))
        return self._opening[key]

    async def _add_line(self, key: Hashable) -> Line:
        try:
            async with asyncio.timeout(OPEN_S):
                line = await self.connect(key)
        except Exception as error:  # each SDK has exceptions of its own
            raise failure(error) from error
        if not line.lost:
            self._lines[line] = key
        return line

    def _opened(self, key: Hashable, task: asyncio.Task[Line]) -> None:
        del self._opening[key]
        if not task.cancelled() and (error := task.exception()):
            log.warning("no connection", extra={"vendor": self.vendor, "error": str(error)})

    def lost(self, line: Line) -> None:
        """A connection was closed."""
        key = self._lines.pop(line, None)
        was_settled = time.monotonic() - line.opened_s >= SETTLED_S
        if key is not None and key == self._kept and key not in self._lines.values() and was_settled:
            self._open(key)

    async def _close(self) -> None:
        self._kept = None
        for task in list(self._opening.values()):
            task.cancel()
        await asyncio.gather(*(line.close() for line in list(self._lines)))
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)
