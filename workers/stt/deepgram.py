"""Deepgram's live recognition: Nova over ``/v1/listen``, Flux over ``/v2/listen``.

Each utterance has a connection of its own. It is opened when the caller begins to speak, so speech hides what that
takes; hot words and language are those of the turn (they stand in the URL), nothing of an earlier utterance comes back
late, and calls in which nobody speaks hold no connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from ringline.engine.config import DeepgramStt
from ringline.ipc.messages import Transcribe
from ringline.workers.extras import require
from ringline.workers.secrets import secret
from ringline.workers.stt.backend import Stream
from ringline.workers.stt.hosted import (
    BYTES_PER_S,
    CLOSE_S,
    OPEN_S,
    RATE_HZ,
    HostedBackend,
    HostedStream,
    ServiceError,
)

MAX_HOTWORD_CHARS = 1_500
"""Of all together. Deepgram refuses more than 500 tokens, and they stand in the URL."""

UNHEARD_S = 0.3
"""A turn that the service has found complete is answered at once if no more than this was fed since: the silence of the
draft, in which no word has room."""

CHUNK_BYTES = BYTES_PER_S // 4
"""What is sent in one message at most, when an utterance is caught up with. Deepgram advises 20 to 250 ms."""


class Transport:
    """The SDK's WebSocket, with limits: its own waits ten seconds for a server that does not close."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self._opening = asyncio.ensure_future(_open(url, headers))

    async def send(self, data: str | bytes) -> None:
        await (await self._opening).send(data)

    async def recv(self) -> str | bytes:
        message: str | bytes = await (await self._opening).recv()
        return message

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        async for message in await self._opening:
            yield message

    async def close(self) -> None:
        self._opening.cancel()
        await asyncio.wait([self._opening])
        if not self._opening.cancelled() and self._opening.exception() is None:
            websocket = self._opening.result()
            try:
                await websocket.close()
            finally:  # the loop may end while it waits for the server
                websocket.transport.abort()


async def _open(url: str, headers: dict[str, str]) -> Any:
    return await require("websockets.asyncio.client", "deepgram").connect(
        url, additional_headers=headers, compression=None, open_timeout=OPEN_S, close_timeout=CLOSE_S
    )


class DeepgramBackend(HostedBackend):
    """`SttBackend` over a WebSocket per utterance."""

    def __init__(self, config: DeepgramStt, wake: Callable[[], None] = lambda: None) -> None:
        super().__init__("Deepgram", config.api_key.removeprefix("$"), wake)
        self.config = config
        self.is_flux = config.model.startswith("flux")
        self._client: Any = None

    def warm_up(self) -> None:
        sdk = require("deepgram", "deepgram")
        environment = require("deepgram.environment", "deepgram").DeepgramClientEnvironment(
            base=self.config.base_url.replace("ws", "http", 1),
            production=self.config.base_url,
            agent=self.config.base_url,
            agent_rest=self.config.base_url.replace("ws", "http", 1),
        )
        self._client = sdk.AsyncDeepgramClient(
            api_key=secret(self.config.api_key), environment=environment, transport_factory=Transport
        )
        self.start_up()

    async def probe(self) -> None:
        """The upgrade shows that the key is good, the answer to what follows that the model is there."""
        async with self.connect({}) as socket:
            await socket.send_media(bytes(BYTES_PER_S // 10))
            await socket.send_close_stream()
            async for message in socket:
                _check(message)

    async def hang_up(self) -> None:
        """Connections belong to utterances: there is nothing else."""

    def connect(self, options: dict[str, Any]) -> Any:
        """A connection, as the SDK's asynchronous context manager."""
        common = {"model": self.config.model, "encoding": "linear16", "sample_rate": str(RATE_HZ), **options}
        if self.is_flux:
            return self._client.listen.v2.connect(eager_eot_threshold=str(self.config.eager_eot_threshold), **common)
        return self._client.listen.v1.connect(
            channels="1",
            interim_results="true",
            punctuate="true",
            endpointing=str(self.config.endpointing_ms),
            **common,
        )

    def open(self, request: Transcribe, now_ns: int) -> Stream | None:
        options: dict[str, Any] = {}
        if self.is_flux or self.config.model.startswith("nova-3"):
            options["keyterm"] = _hotwords(request.expect.phrases) or None
        else:
            words = [word for phrase in request.expect.phrases for word in phrase.split()]
            options["keywords"] = _hotwords(words) or None
        if request.language and not self.is_flux:
            options["language"] = request.language
        return _FluxStream(self, options) if self.is_flux else _NovaStream(self, options)

    def failure(self, error: Exception) -> ServiceError:
        response = getattr(error, "response", None)
        if response is not None:  # the upgrade was refused
            return ServiceError(
                f"HTTP {response.status_code}", response.status_code, response.headers.get("Retry-After")
            )
        return ServiceError(f"{type(error).__name__}: {error}", getattr(error, "status_code", None))


def _hotwords(phrases: Sequence[str]) -> list[str]:
    """Each once, as many as may be."""
    chosen: list[str] = []
    num_chars = 0
    for phrase in dict.fromkeys(phrase.strip() for phrase in phrases):
        num_chars += len(phrase)
        if num_chars > MAX_HOTWORD_CHARS:
            break
        if phrase:
            chosen.append(phrase)
    return chosen


class _DeepgramStream(HostedStream):
    """What both protocols share: audio goes out while messages come in."""

    def __init__(self, backend: DeepgramBackend, options: dict[str, Any]) -> None:
        self._deepgram, self._options = backend, options
        self._asked = False
        """The service was told that the utterance is complete."""
        super().__init__(backend)

    def begin(self) -> None:
        """Forget what an earlier connection said."""
        raise NotImplementedError

    def take(self, message: Any) -> tuple[str, float] | None:
        """One message of the service. Returns the final, if this is it."""
        raise NotImplementedError

    def settled(self) -> tuple[str, float] | None:
        """The final, if what the service has said already is enough for one."""
        raise NotImplementedError

    async def ask_for_the_end(self, socket: Any) -> None:
        raise NotImplementedError

    async def recognise(self) -> tuple[str, float]:
        self._asked = False
        self.begin()
        async with self._deepgram.connect(self._options) as socket:
            sending = asyncio.create_task(self._send(socket))
            hearing = asyncio.create_task(self._hear(socket))
            try:
                await asyncio.wait((sending, hearing), return_when=asyncio.FIRST_COMPLETED)
                if not hearing.done() and (final := sending.result()):
                    return final
                return await hearing
            finally:
                sending.cancel()
                hearing.cancel()
                await asyncio.gather(sending, hearing, return_exceptions=True)

    async def _send(self, socket: Any) -> tuple[str, float] | None:
        """Send the utterance to its end. Returns the final if nothing has to be waited for."""
        num_sent = 0
        while True:
            await self.changed()
            while num_sent < len(self.audio):
                chunk = bytes(self.audio[num_sent : num_sent + CHUNK_BYTES])
                num_sent += len(chunk)
                await socket.send_media(chunk)
            if self.is_complete and num_sent == len(self.audio):
                if not num_sent:
                    return "", 0.0
                if final := self.settled():
                    return final
                self._asked = True
                await self.ask_for_the_end(socket)
                return None

    async def _hear(self, socket: Any) -> tuple[str, float]:
        error: Exception | None = None
        try:
            async for message in socket:
                _check(message)
                if final := self.take(message):
                    if not self._asked:
                        break  # the service ended it while the caller speaks
                    return final
        except require("websockets.exceptions", "deepgram").ConnectionClosed as lost:
            error = lost
        if self.is_complete and (final := self.settled()):
            return final
        raise ServiceError(f"the connection ended before the final ({error})") from error


def _check(message: Any) -> None:
    """Raises ServiceError for a message that says that something is wrong."""
    if getattr(message, "type", None) == "Error":
        raise ServiceError(f"Deepgram: {message.description}", 400 if getattr(message, "variant", "") else None)


class _NovaStream(_DeepgramStream):
    def begin(self) -> None:
        self._parts: list[tuple[str, float]] = []
        self._interim = ""
        self._complete_s: float | None = None
        """How much of the utterance the service has found complete, if nothing was said since."""

    def take(self, message: Any) -> tuple[str, float] | None:
        if message.type == "Metadata":  # the answer to CloseStream: there is nothing more
            return self._joined()
        if message.type != "Results":
            return None
        best = message.channel.alternatives[0]
        if message.is_final:
            self._interim = ""
            if best.transcript:
                self._parts.append((best.transcript, best.confidence))
        else:
            self._interim = best.transcript
        if message.speech_final:
            self._complete_s = message.start + message.duration
        elif best.transcript:
            self._complete_s = None
        self.show(" ".join([*(text for text, _ in self._parts), self._interim]).strip())
        return self._joined() if message.from_finalize else None

    def settled(self) -> tuple[str, float] | None:
        if self._complete_s is None or len(self.audio) / BYTES_PER_S - self._complete_s > UNHEARD_S:
            return None
        return self._joined()

    async def ask_for_the_end(self, socket: Any) -> None:
        # Finalize is not always answered, if there is hardly any audio left; CloseStream is.
        await socket.send_finalize()
        await socket.send_close_stream()

    def _joined(self) -> tuple[str, float]:
        return " ".join(text for text, _ in self._parts), min((sure for _, sure in self._parts), default=0.0)


class _FluxStream(_DeepgramStream):
    def begin(self) -> None:
        self._turns: dict[int, tuple[str, float]] = {}
        self._heard_s = 0.0
        """How much of the utterance is transcribed."""
        self._is_over = False
        """The service believes that the turn is over: an eager end of it, or a sure one."""

    def take(self, message: Any) -> tuple[str, float] | None:
        if message.type != "TurnInfo":
            return None
        words = [word.confidence for word in message.words]
        self._turns[message.turn_index] = (message.transcript, sum(words) / len(words) if words else 0.0)
        self._heard_s = message.audio_window_end
        if message.event != "Update":
            self._is_over = message.event in ("EagerEndOfTurn", "EndOfTurn")
        self.show(self._joined()[0])
        return None

    def settled(self) -> tuple[str, float] | None:
        is_heard = len(self.audio) / BYTES_PER_S - self._heard_s <= UNHEARD_S
        return self._joined() if is_heard and (self._is_over or self._asked) else None

    async def ask_for_the_end(self, socket: Any) -> None:
        # ForceEndTurn would end the turn with what is transcribed so far; this has the rest transcribed first.
        await socket.send_close_stream()

    def _joined(self) -> tuple[str, float]:
        turns = [self._turns[index] for index in sorted(self._turns)]
        text = " ".join(text for text, _ in turns if text)
        return text, min((sure for text, sure in turns if text), default=0.0)
