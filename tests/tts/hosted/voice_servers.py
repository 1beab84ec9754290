"""Servers on loopback that speak the vendors' WebSocket protocols as documented, and note what they are told."""

from __future__ import annotations

import asyncio
import base64
import http
import json
import re
import threading
from collections.abc import Callable
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs, urlsplit

import numpy as np
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from ringline.engine.config import CartesiaTts, ElevenLabsTts, TtsConfig
from ringline.workers.tts.coded import coded_phrase

RATE_HZ = 16_000
CHARACTER_MS = 30
CHUNK_SAMPLES = RATE_HZ * 80 // 1000
LEAD_SAMPLES = RATE_HZ * 120 // 1000
"""Silence before each phrase, as voices have it."""
PATIENCE_S = 20.0
KEY = "the-key"


class VoiceServer:
    """What both vendors' servers share. Its attributes may be set from any thread."""

    vendor: ClassVar[str]

    def __init__(self) -> None:
        self.handshakes: list[Request] = []
        self.messages: list[dict[str, Any]] = []
        """All that clients sent, in order."""
        self.num_open = 0
        self.spoken: list[str] = []
        """The contexts whose sound was sent to the end."""
        self.refusals: list[tuple[int, dict[str, str]]] = []
        """The next upgrades are refused: status, headers."""
        self.errors: list[dict[str, Any]] = []
        """The next texts are answered by these messages."""
        self.hold_after: int | None = None
        """Of each text, no more chunks than these are sent until `release`."""
        self.holding = 0
        self.raw: list[str | bytes] = []
        """Sent instead of the next text's sound."""
        self.num_lost = 0
        """Of so many of the next texts nothing is ever said."""
        self.breaks_after: int | None = None
        """The next text's sound is not gone on with behind so many chunks, and nothing is said of that."""
        self.is_closed = False
        """Whoever connects is hung up on."""
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="voice-server", daemon=True)
        self._released = asyncio.Event()
        self._server: Server
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._start())
        return self

    def __exit__(self, *error: object) -> None:
        self._do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def config(self, port: int = 0, **fields: Any) -> TtsConfig:
        """A table for this server, or for a proxy before it."""
        raise NotImplementedError

    @property
    def num_asked(self) -> int:
        """Texts that clients have sent."""
        return sum("transcript" in message or bool(message.get("flush")) for message in self.messages)

    def release(self) -> None:
        """What is held goes on."""
        self.hold_after = None
        self._loop.call_soon_threadsafe(self._released.set)

    def hang_up(self) -> None:
        """Close all connections."""
        self._do(self._hang_up())

    def wait_for(self, condition: Callable[[], object]) -> None:
        """Block until ``condition()`` holds, looked at whenever something happens here."""
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE_S), "it never came to pass"

    # --- the server's thread -----------------------------------------------------------------------------------------

    def _do(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    async def _start(self) -> None:
        self._server = await serve(self._serve, "127.0.0.1", 0, process_request=self._greet, compression=None)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        self._released.set()
        self._server.close()
        await self._server.wait_closed()

    async def _hang_up(self) -> None:
        await asyncio.gather(*(connection.close() for connection in self._server.connections))

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _greet(self, connection: ServerConnection, request: Request) -> Response | None:
        self.handshakes.append(request)
        self._notify()
        if not self.refusals:
            return None
        status, headers = self.refusals.pop(0)
        response = connection.respond(http.HTTPStatus(status), "no")
        for name, value in headers.items():
            response.headers[name] = value
        return response

    async def _serve(self, connection: ServerConnection) -> None:
        self.num_open += 1
        self._notify()
        try:
            if self.is_closed:
                return
            async with asyncio.TaskGroup() as tasks:
                await self.converse(connection, tasks)
                raise asyncio.CancelledError
        except* (ConnectionClosed, asyncio.CancelledError):
            pass
        finally:
            self.num_open -= 1
            self._notify()

    async def messages_of(self, connection: ServerConnection) -> Any:
        async for raw in connection:
            message = json.loads(raw)
            self.messages.append(message)
            self._notify()
            yield message

    async def converse(self, connection: ServerConnection, tasks: asyncio.TaskGroup) -> None:
        raise NotImplementedError

    async def pieces(self, text: str, speed: float, context: str) -> Any:
        """(first sample, samples, words that begin in them) in turn; words as (text, sample)."""
        text = text.strip()
        num_samples = round(len(text) * CHARACTER_MS * RATE_HZ / 1000 / speed)
        sound = np.concatenate((np.zeros(LEAD_SAMPLES, np.int16), coded_phrase(text, num_samples, RATE_HZ)))
        words = [
            (match.group(), LEAD_SAMPLES + round(match.start() * num_samples / len(text)))
            for match in re.finditer(r"\S+", text)
        ]
        if self.num_lost:
            self.num_lost -= 1
            await asyncio.Event().wait()
        breaks_after, self.breaks_after = self.breaks_after, None
        for number, start in enumerate(range(0, sound.size, CHUNK_SAMPLES)):
            if number == breaks_after:
                await asyncio.Event().wait()
            if self.hold_after is not None and number >= self.hold_after:
                self.holding += 1
                self._notify()
                await self._released.wait()
                self.holding -= 1
            end = start + CHUNK_SAMPLES
            yield start, sound[start:end], [word for word in words if start <= word[1] < end]
        self.spoken.append(context)
        self._notify()


class CartesiaServer(VoiceServer):
    vendor = "cartesia"

    def __init__(self) -> None:
        super().__init__()
        self.words_at = "with"
        """Words are told "with" the sound they begin in, or all "before" any, or "after"."""
        self.halves_samples = False
        """Messages begin and end within samples."""

    def config(self, port: int = 0, **fields: Any) -> TtsConfig:
        return CartesiaTts(base_url=f"http://127.0.0.1:{port or self.port}", api_key=KEY, **fields)

    async def converse(self, connection: ServerConnection, tasks: asyncio.TaskGroup) -> None:
        speaking: dict[str, asyncio.Task[None]] = {}
        async for message in self.messages_of(connection):
            context = message["context_id"]
            if message.get("cancel"):
                if context in speaking:
                    speaking[context].cancel()
            else:
                speaking[context] = tasks.create_task(self._speak(connection, message))

    async def _speak(self, connection: ServerConnection, request: dict[str, Any]) -> None:
        context = request["context_id"]

        async def send(kind: str, done: bool = False, **fields: Any) -> None:
            told = {"type": kind, "done": done, "status_code": 200 if done else 206, "context_id": context, **fields}
            await connection.send(json.dumps(told))

        if self.errors:
            await connection.send(json.dumps({"context_id": context, **self.errors.pop(0)}))
            return
        if self.raw:
            await connection.send(self.raw.pop(0))
            return
        speed = request.get("generation_config", {}).get("speed", 1.0)

        async def send_words(words: list[tuple[str, int]]) -> None:
            starts = [sample / RATE_HZ for _, sample in words]
            told = {"words": [word for word, _ in words], "start": starts, "end": starts}
            await send("timestamps", word_timestamps=told)

        async def send_sound(data: bytes) -> None:
            await send("chunk", data=base64.b64encode(data).decode(), step_time=1.0)

        pieces = self.pieces(request["transcript"], speed, context)
        if self.words_at != "with":
            gathered = [piece async for piece in pieces]
            all_words = [word for _, _, words in gathered for word in words]
            if self.words_at == "before":
                await send_words(all_words)
            for _, samples, _ in gathered:
                await send_sound(samples.tobytes())
            if self.words_at == "after":
                await send_words(all_words)
        else:
            async for _, samples, words in pieces:
                if words:
                    await send_words(words)
                data = samples.tobytes()
                cut = 101 if self.halves_samples else 0
                for part in filter(None, (data[:cut], data[cut:])):
                    await send_sound(part)
        await send("done", done=True)


class ElevenLabsServer(VoiceServer):
    vendor = "elevenlabs"
    max_contexts = 5

    def __init__(self) -> None:
        super().__init__()
        self.sounding: set[str] = set()
        """Contexts of which a sound was sent."""

    def config(self, port: int = 0, **fields: Any) -> TtsConfig:
        return ElevenLabsTts(base_url=f"http://127.0.0.1:{port or self.port}", api_key=KEY, **fields)

    def queries(self) -> list[dict[str, list[str]]]:
        """What the addresses of the connections said."""
        return [parse_qs(urlsplit(request.path).query) for request in self.handshakes]

    async def converse(self, connection: ServerConnection, tasks: asyncio.TaskGroup) -> None:
        texts: dict[str, str] = {}
        speeds: dict[str, float] = {}
        speaking: dict[str, asyncio.Task[None]] = {}
        open_contexts: set[str] = set()

        async def finish(context: str) -> None:
            if context in speaking:
                if context not in self.sounding:  # as the real one may do: closed too soon, it is lost
                    speaking[context].cancel()
                    return
                await asyncio.wait([speaking[context]])
            open_contexts.discard(context)
            await connection.send(json.dumps({"isFinal": True, "contextId": context}))

        async for message in self.messages_of(connection):
            context = message["context_id"]
            if message.get("close_context"):
                tasks.create_task(finish(context))
                continue
            if context not in open_contexts:
                assert message["text"] == " "
                if len(open_contexts) >= self.max_contexts:
                    told = {"error": "max_active_conversations", "message": "too many contexts", "code": 1008}
                    await connection.send(json.dumps(told))
                    await connection.close(1008, "too many contexts")
                    return
                open_contexts.add(context)
                speeds[context] = message.get("voice_settings", {}).get("speed", 1.0)
            texts[context] = texts.get(context, "") + message["text"]
            if message.get("flush"):
                speaking[context] = tasks.create_task(
                    self._speak(connection, context, texts.pop(context), speeds[context])
                )

    async def _speak(self, connection: ServerConnection, context: str, text: str, speed: float) -> None:
        if self.errors:
            error = self.errors.pop(0)
            await connection.send(json.dumps({"contextId": context, **error}))
            if error.get("code") == 1008:
                await connection.close(1008, error["message"][:100])
            return
        if self.raw:
            await connection.send(self.raw.pop(0))
            return
        async for start, samples, words in self.pieces(text, speed, context):
            alignment = {"chars": [], "charStartTimesMs": [], "charDurationsMs": []}
            for word, sample in words:
                start_ms = round((sample - start) * 1000 / RATE_HZ)
                for char in f"{word} ":
                    alignment["chars"].append(char)
                    alignment["charStartTimesMs"].append(start_ms)
                    alignment["charDurationsMs"].append(0)
            self.sounding.add(context)
            audio = base64.b64encode(samples.tobytes()).decode()
            told = {"audio": audio, "alignment": alignment if words else None, "normalizedAlignment": None}
            await connection.send(json.dumps({**told, "contextId": context}))


SERVERS = {server.vendor: server for server in (CartesiaServer, ElevenLabsServer)}
