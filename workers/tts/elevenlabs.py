"""ElevenLabs: up to five phrases over one WebSocket, each a context of its own.

The vendor's SDK has no client for this protocol. It brings the messages, the addresses and the WebSocket library.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Hashable, Iterable
from typing import Any

import msgspec

from ringline.engine.config import ElevenLabsTts
from ringline.workers.extras import require
from ringline.workers.retry import ServiceError
from ringline.workers.secrets import secret
from ringline.workers.tts.backend import Order
from ringline.workers.tts.hosted import RATE_HZ, HostedBackend, websocket_options
from ringline.workers.tts.line import Event, Line, word

SLOWEST, FASTEST = 0.7, 1.2
"""``voice_settings.speed``"""
INACTIVITY_S = 180
"""The longest that the server lets a connection be idle for, if asked."""
MULTILINGUAL = ("eleven_flash_v2_5", "eleven_turbo_v2_5")
"""The models that take a language; others refuse it and go by the text."""

_STATUSES = {
    "invalid_api_key": 401,
    "missing_permissions": 403,
    "quota_exceeded": 402,
    "voice_not_found": 404,
    "voice_id_does_not_exist": 404,
    "model_not_found": 404,
    "max_active_conversations": 429,
    "too_many_concurrent_requests": 429,
    "concurrent_limit_exceeded": 429,
    "rate_limit_exceeded": 429,
    "system_busy": 503,
    "internal_error": 500,
}
"""The ``error`` of a message -> the HTTP status that the same word has elsewhere in the API."""


class _Alignment(msgspec.Struct):
    chars: list[str]
    start_times_ms: list[float] = msgspec.field(name="charStartTimesMs")


class _Message(msgspec.Struct):
    """From the server. The SDK's own classes check nothing, and have no errors."""

    context: str | None = msgspec.field(name="contextId", default=None)
    audio: str | None = None
    alignment: _Alignment | None = None
    is_final: bool | None = msgspec.field(name="isFinal", default=None)
    error: str | None = None
    message: str | None = None


class ElevenLabsBackend(HostedBackend):
    """`TtsBackend` on ElevenLabs' ``/v1/text-to-speech/{voice}/multi-stream-input``."""

    vendor = "elevenlabs"
    max_contexts = 5

    def __init__(self, config: ElevenLabsTts, wake: Callable[[], None] = lambda: None) -> None:
        super().__init__(config.api_key, wake)
        self._config = config
        self._api_key = ""
        self._types: Any = None

    def prepare(self) -> None:
        """See `HostedBackend.prepare`."""
        self._types = require("elevenlabs.types", ElevenLabsTts.extra)
        self._api_key = secret(self._config.api_key)

    def line_key(self, order: Order) -> Hashable:
        """See `HostedBackend.line_key`. (voice, language): they stand in the address."""
        language = (order.language or self._config.language).partition("-")[0].lower()
        return order.voice or self._config.voice, language if self._config.model in MULTILINGUAL else ""

    async def connect(self, key: Any) -> Line:
        """See `HostedBackend.connect`."""
        from elevenlabs.url_utils import build_ws_url
        from websockets.asyncio.client import connect

        voice, language = key
        settings = {
            "model_id": self._config.model,
            "output_format": f"pcm_{RATE_HZ}",
            "auto_mode": "true",  # each text is whole: nothing is gained by waiting for more
            "sync_alignment": "true",
            "inactivity_timeout": str(INACTIVITY_S),
            **({"language_code": language} if language else {}),
        }
        url = build_ws_url(self._config.base_url, ["v1", "text-to-speech", voice, "multi-stream-input"], settings)
        headers = {"xi-api-key": self._api_key}
        socket = await connect(url, additional_headers=headers, **websocket_options())
        return Line(socket, _Parser(), self.lost)

    def requests(self, order: Order, text: str, context: str) -> Iterable[Any]:
        """See `HostedBackend.requests`. The text is spoken at once, because it is flushed."""
        config = self._config
        speed = min(max(order.speed, SLOWEST), FASTEST)
        settings = {
            "stability": config.stability,
            "similarity_boost": config.similarity_boost,
            "style": config.style,
            "speed": speed if speed != 1.0 else None,
        }
        settings = {name: value for name, value in settings.items() if value is not None}  # the SDK would send null
        told = {"voice_settings": self._types.RealtimeVoiceSettings(**settings)} if settings else {}
        messages = (
            self._types.InitializeConnectionMulti(text=" ", context_id=context, **told),
            self._types.SendTextMulti(text=f"{text} ", context_id=context, flush=True),
        )
        return [message.json(exclude_none=True) for message in messages]

    def closings(self, context: str) -> Iterable[Any]:
        """See `HostedBackend.closings`. A context that is flushed and closed ends with its last sound, and says so; one
        that is closed before its first sound may end without any, and without a word (pipecat-ai/pipecat#4681)."""
        yield self._types.CloseContext(context_id=context, close_context=True).json(exclude_none=True)

    def cancellations(self, context: str) -> Iterable[Any]:
        """See `HostedBackend.cancellations`. It is closed, and no message stops what was flushed."""
        return ()


class _Parser:
    """Times are counted from the beginning of the message's own sound."""

    def __init__(self) -> None:
        self._contexts: dict[str, _Spoken] = {}

    def __call__(self, data: str | bytes) -> tuple[str | None, list[Event]]:
        message = msgspec.json.decode(data, type=_Message)
        if message.error:
            told = f"{message.error}: {message.message or ''}"
            return message.context, [ServiceError(told, _STATUSES.get(message.error, 500))]
        if message.context is None:
            return None, []
        spoken = self._contexts.setdefault(message.context, _Spoken())
        events = spoken.events(message)
        if message.is_final:
            del self._contexts[message.context]
            events.append(None)
        return message.context, events


class _Spoken:
    """A context's sound, and the letters that are spoken in it."""

    def __init__(self) -> None:
        self._num_bytes = 0
        self._letters = ""
        """Of a word whose end has not come yet."""
        self._start_s = 0.0

    def events(self, message: _Message) -> list[Event]:
        """Words come before the sound they begin in, if they end in it, too; else with the next."""
        events: list[Event] = []
        if message.alignment is not None:
            begin_s = self._num_bytes / (2 * RATE_HZ)
            for char, start_ms in zip(message.alignment.chars, message.alignment.start_times_ms, strict=True):
                if char.isspace():
                    events.extend(self._word())
                elif not self._letters:
                    self._letters, self._start_s = char, begin_s + start_ms / 1000
                else:
                    self._letters += char
        if message.is_final:
            events.extend(self._word())
        if message.audio:
            audio = base64.b64decode(message.audio, validate=True)
            self._num_bytes += len(audio)
            events.append(audio)
        return events

    def _word(self) -> list[Event]:
        letters, self._letters = self._letters, ""
        return [word(letters, self._start_s)] if letters else []
