"""Cartesia: all phrases over one WebSocket, each a context of its own, through the vendor's SDK."""

from __future__ import annotations

import base64
from collections.abc import Callable, Hashable, Iterable
from typing import Any

from ringline.engine.config import CartesiaTts
from ringline.workers.extras import require
from ringline.workers.retry import ServiceError
from ringline.workers.secrets import secret
from ringline.workers.tts.backend import Order
from ringline.workers.tts.hosted import RATE_HZ, HostedBackend, websocket_options
from ringline.workers.tts.line import Event, Line, word

SLOWEST, FASTEST = 0.6, 1.5
"""``generation_config.speed``"""


class CartesiaBackend(HostedBackend):
    """`TtsBackend` on Cartesia's ``/tts/websocket``."""

    vendor = "cartesia"

    def __init__(self, config: CartesiaTts, wake: Callable[[], None] = lambda: None) -> None:
        super().__init__(config.api_key, wake)
        self._config = config
        self._client: Any = None

    def prepare(self) -> None:
        """See `HostedBackend.prepare`."""
        sdk = require("cartesia", CartesiaTts.extra)
        require("websockets", CartesiaTts.extra)
        url = self._config.base_url
        self._client = sdk.AsyncCartesia(
            api_key=secret(self._config.api_key), base_url=url, websocket_base_url=url.replace("http", "ws", 1)
        )

    def line_key(self, order: Order) -> Hashable:
        """See `HostedBackend.line_key`. Voice and language are said with each request."""
        return "all"

    async def connect(self, key: Hashable) -> Line:
        """See `HostedBackend.connect`."""
        manager = self._client.tts.websocket_connect(websocket_connection_options=websocket_options())
        # Of the SDK's connection only the events are used: the queues and the reconnecting it has on top neither end
        # when the connection does, nor come back from a loss.
        return Line(await manager.enter(), _parse, self.lost)

    def requests(self, order: Order, text: str, context: str) -> Iterable[Any]:
        """See `HostedBackend.requests`."""
        config = self._config
        request: dict[str, Any] = {
            "context_id": context,
            "model_id": config.model,
            "transcript": text,
            "voice": {"id": order.voice or config.voice},
            "output_format": {"container": "raw", "encoding": "pcm_s16le", "sample_rate": RATE_HZ},
            "continue": False,  # the text is whole ...
            "max_buffer_delay_ms": 0,  # ... and nothing is gained by waiting for more
            "add_timestamps": True,
            "use_normalized_timestamps": False,
        }
        if language := order.language or config.language:
            request["language"] = language.partition("-")[0].lower()
        generation: dict[str, Any] = {}
        if (speed := min(max(order.speed, SLOWEST), FASTEST)) != 1.0:
            generation["speed"] = speed
        if config.volume != 1.0:
            generation["volume"] = config.volume
        if config.emotion:
            generation["emotion"] = config.emotion
        if generation:
            request["generation_config"] = generation
        yield request

    def cancellations(self, context: str) -> Iterable[Any]:
        """See `HostedBackend.cancellations`."""
        yield {"context_id": context, "cancel": True}


def _parse(event: Any) -> tuple[str | None, list[Event]]:
    match event.type:
        case "chunk":
            return event.context_id, [base64.b64decode(event.data, validate=True)]
        case "timestamps":
            words = event.word_timestamps
            return event.context_id, [word(*pair) for pair in zip(words.words, words.start, strict=True)]
        case "error":
            told = ": ".join(part for part in (event.title, event.message, event.error_code) if part)
            return event.context_id, [ServiceError(told or "an error", event.status_code)]
        case "done":
            return event.context_id, [None]
    return event.context_id, []
