"""Any server with OpenAI's ``/audio/transcriptions``: it gets whole utterances, so the final costs a request.

With ``partial_ms``, what was said so far is sent in between, too.
"""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import Callable
from typing import Any

from ringline.engine.config import OpenAiStt
from ringline.engine.conversation.language_tags import primary_language
from ringline.ipc.messages import Transcribe
from ringline.workers.extras import require
from ringline.workers.retry import ServiceError
from ringline.workers.secrets import secret
from ringline.workers.stt.backend import Stream
from ringline.workers.stt.hosted import (
    ANSWER_S,
    BYTES_PER_S,
    OPEN_S,
    RATE_HZ,
    HostedBackend,
    HostedStream,
)

SHORTEST_BYTES = BYTES_PER_S // 10
"""OpenAI refuses less than 0.1 s, and nothing is said in it."""

DEFAULT_KEY = "$OPENAI_API_KEY"


class OpenAiBackend(HostedBackend):
    """`SttBackend` over HTTP; connections are kept open between requests."""

    def __init__(self, config: OpenAiStt, wake: Callable[[], None] = lambda: None) -> None:
        super().__init__("the transcription server", config.api_key.removeprefix("$"), wake)
        self.config = config
        self._sdk: Any = None
        self._client: Any = None

    def warm_up(self) -> None:
        self._sdk = require("openai", "openai")
        needs_no_key = self.config.api_key == DEFAULT_KEY and not self.config.remote_host
        self._client = self._sdk.AsyncOpenAI(
            api_key="none" if needs_no_key else secret(self.config.api_key),
            base_url=self.config.base_url,
            max_retries=0,  # workers/retry.py decides
            timeout=self._sdk.Timeout(ANSWER_S, connect=OPEN_S),
        )
        self.start_up()

    async def probe(self) -> None:
        await self.transcribe(bytes(BYTES_PER_S // 2), {}, lambda text: None)

    async def hang_up(self) -> None:
        await self._client.close()

    def open(self, request: Transcribe, now_ns: int) -> Stream | None:
        options = {}
        if request.asked:  # it stands for what was said before, and a list there is gone on with
            options["prompt"] = request.asked
        if request.language:
            options["language"] = primary_language(request.language)  # ISO 639-1
        return _OpenAiStream(self, options)

    def failure(self, error: Exception) -> ServiceError:
        response = getattr(error, "response", None)
        status = getattr(error, "status_code", None)
        retry_after = None if response is None else response.headers.get("retry-after")
        return ServiceError(f"{type(error).__name__}: {error}", status, retry_after)

    async def transcribe(self, audio: bytes, options: dict[str, str], show: Callable[[str], None]) -> str:
        """The text of 16-bit sound at 16 kHz. ``show`` gets it piece by piece, with `OpenAiStt.stream`."""
        answer = await self._client.audio.transcriptions.create(
            file=("utterance.wav", _wav(audio), "audio/wav"),
            model=self.config.model,
            response_format="json",
            stream=self.config.stream,
            **options,
        )
        if not self.config.stream:
            text = getattr(answer, "text", None)
            if not isinstance(text, str):
                raise ServiceError("the server's answer is no transcription")
            return text
        text = ""
        async with answer:
            async for event in answer:
                if event.type == "transcript.text.delta":
                    text += event.delta
                    show(text)
                elif event.type == "transcript.text.done":
                    return str(event.text)
        raise ServiceError("the server's answer has no end")


class _OpenAiStream(HostedStream):
    def __init__(self, backend: OpenAiBackend, options: dict[str, str]) -> None:
        self._openai, self._options = backend, options
        super().__init__(backend)

    async def recognise(self) -> tuple[str, float]:
        await self._show_partials()
        if len(self.audio) < SHORTEST_BYTES:
            return "", 0.0
        text = await self._openai.transcribe(bytes(self.audio), self._options, self.show)
        return text, 1.0 if text.strip() else 0.0

    async def _show_partials(self) -> None:
        """Until the utterance is complete; the final does not wait for one that is under way."""
        partial_bytes = self._openai.config.partial_ms * BYTES_PER_S // 1000
        num_heard = 0
        partial: asyncio.Task[None] | None = None
        try:
            while not self.is_complete:
                await self.changed()
                if partial is not None and partial.done():
                    partial.result()
                    partial = None
                if partial_bytes and partial is None and len(self.audio) - num_heard >= partial_bytes:
                    num_heard = len(self.audio)
                    partial = asyncio.create_task(self._show_partial())
        finally:
            if partial is not None:
                partial.cancel()
                await asyncio.gather(partial, return_exceptions=True)

    async def _show_partial(self) -> None:
        text = await self._openai.transcribe(bytes(self.audio), self._options, lambda text: None)
        self.show(text.strip())


def _wav(audio: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE_HZ)
        writer.writeframes(audio)
    return file.getvalue()
