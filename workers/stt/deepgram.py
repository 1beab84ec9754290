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
from ringline.workers.retry import ServiceError
from ringline.workers.secrets import secret
from ringline.workers.stt.backend import Stream
from ringline.workers.stt.deepgram_streams import FluxStream, NovaStream, check
from ringline.workers.stt.hosted import BYTES_PER_S, CLOSE_S, OPEN_S, RATE_HZ, HostedBackend

MAX_HOTWORDS, MAX_HOTWORD_CHARS = 100, 1_500
"""Of all together. Deepgram is made for 100 and refuses more than 500 tokens, and they stand in the URL."""


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
        try:
            await asyncio.wait([self._opening])
            if websocket := self._opened():
                await websocket.close()
        finally:  # cancelled anywhere above: the loop may end before the server has closed
            if websocket := self._opened():
                websocket.transport.abort()

    def _opened(self) -> Any:
        """The WebSocket, or None if there is none."""
        is_open = self._opening.done() and not self._opening.cancelled() and self._opening.exception() is None
        return self._opening.result() if is_open else None


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
                check(message)

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
        return FluxStream(self, options) if self.is_flux else NovaStream(self, options)

    def failure(self, error: Exception) -> ServiceError:
        response = getattr(error, "response", None)
        if response is not None:  # the upgrade was refused
            return ServiceError(
                f"HTTP {response.status_code}", response.status_code, response.headers.get("Retry-After")
            )
        return ServiceError(f"{type(error).__name__}: {error}", getattr(error, "status_code", None))


def _hotwords(phrases: Sequence[str]) -> list[str]:
    """Each once, as many as may be, from the first on."""
    chosen: list[str] = []
    num_chars = 0
    for phrase in dict.fromkeys(phrase.strip() for phrase in phrases):
        num_chars += len(phrase)
        if num_chars > MAX_HOTWORD_CHARS or len(chosen) == MAX_HOTWORDS:
            break
        if phrase:
            chosen.append(phrase)
    return chosen
