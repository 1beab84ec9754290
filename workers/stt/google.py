"""Google Cloud Speech-to-Text v2: each utterance is a gRPC stream, half-closed at its end, on one shared channel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from ringline.engine.config import GoogleStt
from ringline.ipc.messages import Transcribe
from ringline.workers.base import CannotStart
from ringline.workers.extras import require
from ringline.workers.retry import ServiceError
from ringline.workers.secrets import secret
from ringline.workers.stt.backend import Stream
from ringline.workers.stt.hosted import BYTES_PER_S, OPEN_S, RATE_HZ, HostedBackend, HostedStream

STREAM_S = 240
"""Of sound in one stream: Google ends it after five minutes, in the middle of a word."""

CHUNK_BYTES = BYTES_PER_S // 4
"""What is sent in one message at most. Google refuses 25 KB."""

CHANNEL_OPTIONS = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)
"""A lost channel is opened anew after 0.1 to 1 s, where gRPC's own 1 to 120 s are too long for a caller."""

MAX_PHRASES, MAX_PHRASE_CHARS = 1_000, 100
"""Google refuses more than 1,200 phrases of a set, and longer ones."""


class GoogleBackend(HostedBackend):
    """`SttBackend` over one gRPC channel."""

    def __init__(self, config: GoogleStt, wake: Callable[[], None] = lambda: None) -> None:
        super().__init__("Google", config.credentials.removeprefix("$"), wake)
        self.config = config
        self.types: Any = None
        """The protocol's messages."""
        self.recognizer = ""
        self._sdk: Any = None
        self._transport: Any = None
        self._channel: Any = None
        self._client: Any = None
        self._credentials: Any = None
        self._exceptions: Any = None

    def warm_up(self) -> None:
        self._sdk = require("google.cloud.speech_v2", "google")
        self._transport = self._sdk.SpeechAsyncClient.get_transport_class("grpc_asyncio")
        self.types = require("google.cloud.speech_v2.types", "google").cloud_speech
        self._exceptions = require("google.api_core.exceptions", "google")
        self._credentials, project = self._load_credentials()
        project = self.config.project or project
        if not project:
            raise CannotStart("the key file names no project: set project in [stt]")
        self.recognizer = f"projects/{project}/locations/{self.config.location}/recognizers/_"
        self.start_up()

    def make_channel(self) -> Any:
        """A gRPC channel to Google, on the loop that it stays on."""
        return self._transport.create_channel(
            f"{self.config.remote_host}:443", credentials=self._credentials, options=CHANNEL_OPTIONS
        )

    def _load_credentials(self) -> tuple[Any, str]:
        path = secret(self.config.credentials)
        service_account = require("google.oauth2.service_account", "google")
        try:
            credentials = service_account.Credentials.from_service_account_file(
                path, scopes=["https://www.googleapis.com/auth/cloud-platform"]
            )
        except (OSError, ValueError) as error:
            raise CannotStart(f"[stt] credentials: Google cannot use the key file {path}: {error}") from error
        return credentials, credentials.project_id or ""

    async def probe(self) -> None:
        self._channel = self.make_channel()
        self._client = self._sdk.SpeechAsyncClient(transport=self._transport(channel=self._channel))
        # Not empty: a stream without sound is an error.
        async for _ in await self.converse(_sent(self.first_request("", ()), bytes(BYTES_PER_S // 10))):
            pass

    async def hang_up(self) -> None:
        if self._channel is not None:
            await self._channel.close()

    def open(self, request: Transcribe, now_ns: int) -> Stream | None:
        phrases = [phrase for phrase in request.expect.phrases if phrase.strip() and len(phrase) <= MAX_PHRASE_CHARS]
        return _GoogleStream(self, self.first_request(request.language, phrases[:MAX_PHRASES]))

    def failure(self, error: Exception) -> ServiceError:
        status = getattr(error, "code", None)
        if isinstance(error, self._exceptions.GoogleAPICallError):
            return ServiceError(f"{type(error).__name__}: {error}", int(status) if status else None)
        return ServiceError(f"{type(error).__name__}: {error}")

    def first_request(self, language: str, phrases: Sequence[str]) -> Any:
        """What a stream begins with."""
        types = self.types
        adaptation = None
        if phrases:
            phrase_set = types.PhraseSet(
                phrases=[types.PhraseSet.Phrase(value=phrase, boost=self.config.boost) for phrase in phrases]
            )
            adaptation = types.SpeechAdaptation(
                phrase_sets=[types.SpeechAdaptation.AdaptationPhraseSet(inline_phrase_set=phrase_set)]
            )
        config = types.RecognitionConfig(
            explicit_decoding_config=types.ExplicitDecodingConfig(
                encoding=types.ExplicitDecodingConfig.AudioEncoding.LINEAR16,
                sample_rate_hertz=RATE_HZ,
                audio_channel_count=1,
            ),
            model=self.config.model,
            language_codes=[language or self.config.language],
            features=types.RecognitionFeatures(enable_automatic_punctuation=True),
            adaptation=adaptation,
        )
        return types.StreamingRecognizeRequest(
            recognizer=self.recognizer,
            streaming_config=types.StreamingRecognitionConfig(
                config=config, streaming_features=types.StreamingRecognitionFeatures(interim_results=True)
            ),
        )

    async def converse(self, requests: AsyncIterator[Any]) -> Any:
        """The answers to a stream of requests, and its ``cancel()``."""
        # A lost channel comes back by itself, but fails at once whatever is asked of it until then.
        await asyncio.wait_for(self._channel.channel_ready(), OPEN_S)
        opening = asyncio.ensure_future(self._client.streaming_recognize(requests=requests, retry=None, timeout=None))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            # gRPC never ends a call that is cancelled while it begins: one of its tasks would stay.
            opening.add_done_callback(_cancel_call)
            raise


class _GoogleStream(HostedStream):
    def __init__(self, backend: GoogleBackend, first_request: Any) -> None:
        self._google, self._first = backend, first_request
        super().__init__(backend)

    async def recognise(self) -> tuple[str, float]:
        """One stream after the other, until the utterance is complete and each has said its last word."""
        self._num_sent = 0
        parts: list[tuple[str, float]] = []
        while not (self.is_complete and self._num_sent == len(self.audio)):
            await self._wait_for_sound()
            if self._num_sent < len(self.audio):
                answers = await self._google.converse(self._requests())
                try:
                    async for answer in answers:
                        self._take(answer, parts)
                finally:
                    answers.cancel()
        return " ".join(text for text, _ in parts), min((sure for _, sure in parts), default=0.0)

    async def _wait_for_sound(self) -> None:
        while self._num_sent == len(self.audio) and not self.is_complete:
            await self.changed()

    async def _requests(self) -> AsyncIterator[Any]:
        """What one stream sends; its end is the half close."""
        yield self._first
        end = self._num_sent + STREAM_S * BYTES_PER_S
        while self._num_sent < end:
            await self._wait_for_sound()
            chunk = bytes(self.audio[self._num_sent : min(end, self._num_sent + CHUNK_BYTES)])
            if not chunk:
                return
            self._num_sent += len(chunk)
            yield self._google.types.StreamingRecognizeRequest(audio=chunk)

    def _take(self, answer: Any, parts: list[tuple[str, float]]) -> None:
        interim = ""
        for result in answer.results:
            if not result.alternatives:
                continue
            best = result.alternatives[0]
            if result.is_final:
                parts.append((best.transcript.strip(), best.confidence))
            else:
                interim += best.transcript
        self.show(" ".join([*(text for text, _ in parts), interim.strip()]).strip())


def _cancel_call(opening: asyncio.Future[Any]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().cancel()


async def _sent(first: Any, audio: bytes) -> AsyncIterator[Any]:
    yield first
    yield type(first)(audio=audio)
