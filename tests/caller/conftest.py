"""Bots that speak the wire and nothing else. They are paced by the caller: one frame out for each frame in."""

from __future__ import annotations

import asyncio
import base64
import json
import wave
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import websockets.asyncio.server as websockets_server
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

WATCHDOG_S = 20.0
GREETING_FRAMES = 10
REPLY_FRAMES = 10
PAUSE_FRAMES = 5
"""Silent frames of the caller after which the bot answers."""


def tone(num_samples: int, rate_hz: int = 8_000) -> np.ndarray:
    """Audible from its second sample to its last but one."""
    return (8_000 * np.sin(2 * np.pi * 440 * np.arange(num_samples) / rate_hz)).astype(np.int16)


class Brain:
    """Greets, then answers each thing it heard after `PAUSE_FRAMES` of silence. Counts frames, knows no clock."""

    def __init__(self) -> None:
        self.heard = False
        self.silent = 0
        self.to_speak = GREETING_FRAMES

    def frame(self, caller_is_audible: bool) -> bool:
        """A frame came in. Whether the one that goes out is audible."""
        if caller_is_audible:
            self.heard, self.silent = True, 0
        else:
            self.silent += 1
        if self.heard and self.silent == PAUSE_FRAMES:
            self.heard, self.to_speak = False, REPLY_FRAMES
        if self.to_speak:
            self.to_speak -= 1
            return True
        return False


@dataclass
class AudioSocketBot:
    """An AudioSocket server on loopback."""

    url: str = ""
    frames: list[tuple[int, bytes]] = field(default_factory=list)
    """What the caller sent: kind and payload."""
    eof: asyncio.Event = field(default_factory=asyncio.Event)
    server: asyncio.Server | None = None

    async def start(
        self, serve: Callable[[AudioSocketBot, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
    ) -> None:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await serve(self, reader, writer)
            except ConnectionError:
                pass
            finally:
                self.eof.set()
                writer.close()

        self.server = await asyncio.start_server(connected, "127.0.0.1", 0)
        self.url = f"audiosocket://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        if self.server is not None:
            self.server.close()
            await self.server.wait_closed()

    async def read(self, reader: asyncio.StreamReader) -> tuple[int, bytes] | None:
        try:
            head = await reader.readexactly(3)
            frame = head[0], await reader.readexactly(int.from_bytes(head[1:], "big"))
        except asyncio.IncompleteReadError:
            return None
        self.frames.append(frame)
        return frame

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The whole of a polite bot."""
        brain = Brain()
        while (frame := await self.read(reader)) is not None:
            kind, payload = frame
            if kind in (0x10, 0x12):
                audible = brain.frame(bool(np.abs(np.frombuffer(payload, "<i2")).max() > 100))
                size = len(payload) // 2
                samples = tone(size) if audible else np.zeros(size, np.int16)
                writer.write(bytes([kind]) + len(payload).to_bytes(2, "big") + samples.tobytes())
            elif kind == 0x03:
                brain.heard, brain.silent = True, 0


MULAW_SILENCE = b"\xff" * 160
MULAW_LOUD = bytes([0x0F, 0x8F] * 80)


class TwilioBot:
    """A Media Streams server on loopback, by another WebSocket library than the caller's."""

    def __init__(self) -> None:
        self.url = ""
        self.messages: list[dict] = []
        self.stream_sids: dict[websockets_server.ServerConnection, str] = {}
        self.headers = Headers()
        self.path = ""
        self.status: int | None = None
        self.over = asyncio.Event()
        self.server: websockets_server.Server | None = None

    async def start(self, serve: Callable[[TwilioBot, websockets_server.ServerConnection], Awaitable[None]]) -> None:
        def request(connection: websockets_server.ServerConnection, request: Request) -> Response | None:
            self.headers, self.path = request.headers, request.path
            return connection.respond(self.status, "no\n") if self.status is not None else None

        async def connected(connection: websockets_server.ServerConnection) -> None:
            try:
                await serve(self, connection)
            except websockets_server.ConnectionClosed:
                pass
            finally:
                self.over.set()

        self.server = await websockets_server.serve(
            connected, "127.0.0.1", 0, process_request=request, compression=None
        )
        self.url = f"twilio://127.0.0.1:{next(iter(self.server.sockets)).getsockname()[1]}/media"

    async def close(self) -> None:
        if self.server is not None:
            self.server.close()
            await self.server.wait_closed()

    async def read(self, connection: websockets_server.ServerConnection) -> dict:
        message = json.loads(await connection.recv())
        self.messages.append(message)
        if message["event"] == "start":
            self.stream_sids[connection] = message["streamSid"]
        return message

    async def send(self, connection: websockets_server.ServerConnection, event: str, **fields: object) -> None:
        await connection.send(json.dumps({"event": event, "streamSid": self.stream_sids[connection], **fields}))

    async def say(self, connection: websockets_server.ServerConnection, payload: bytes) -> None:
        await self.send(connection, "media", media={"payload": base64.b64encode(payload).decode()})

    async def converse(self, connection: websockets_server.ServerConnection) -> None:
        """The whole of a polite bot: silent between replies, as Twilio's bots are."""
        brain = Brain()
        while True:
            message = await self.read(connection)
            if message["event"] == "media":
                payload = base64.b64decode(message["media"]["payload"])
                if brain.frame(payload != MULAW_SILENCE):
                    await self.say(connection, MULAW_LOUD)
            elif message["event"] == "dtmf":
                brain.heard, brain.silent = True, 0
            elif message["event"] == "stop":
                return


@pytest.fixture
def wav(tmp_path: Path) -> Callable[..., str]:
    """Writes a WAV of an audible tone: ``wav(ms=..., lead_ms=..., tail_ms=..., rate_hz=...)``."""

    def make(ms: int = 300, lead_ms: int = 0, tail_ms: int = 0, rate_hz: int = 8_000, channels: int = 1) -> str:
        silence = [np.zeros(rate_hz * part // 1000, np.int16) for part in (lead_ms, tail_ms)]
        samples = np.concatenate([silence[0], tone(rate_hz * ms // 1000, rate_hz), silence[1]])
        path = tmp_path / f"tone-{ms}-{lead_ms}-{tail_ms}-{rate_hz}-{channels}.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(channels)
            file.setsampwidth(2)
            file.setframerate(rate_hz)
            file.writeframes(np.repeat(samples, channels).tobytes())
        return str(path)

    return make


@pytest.fixture
def bots() -> list[AudioSocketBot | TwilioBot]:
    """All bots of the test, so that their servers are closed inside its loop."""
    return []


@pytest.fixture
def audiosocket_bot(bots: list[AudioSocketBot | TwilioBot]) -> Callable[[], AudioSocketBot]:
    def make() -> AudioSocketBot:
        bots.append(bot := AudioSocketBot())
        return bot

    return make


@pytest.fixture
def twilio_bot(bots: list[AudioSocketBot | TwilioBot]) -> Callable[[], TwilioBot]:
    def make() -> TwilioBot:
        bots.append(bot := TwilioBot())
        return bot

    return make


@pytest.fixture
def run(bots: list[AudioSocketBot | TwilioBot]) -> Callable[[Awaitable[object]], object]:
    """Runs a coroutine to its end, or fails after a while; then closes the bots."""

    def run(coroutine: Awaitable[object]) -> object:
        async def watched() -> object:
            try:
                async with asyncio.timeout(WATCHDOG_S):
                    return await coroutine
            finally:
                for bot in bots:
                    await bot.close()

        return asyncio.run(watched())

    return run
