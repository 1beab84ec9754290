"""What both peers' bots share: their command line, their processes, and stages that take time and do nothing.

Runs inside the peers' virtual environments: nothing but the standard library and uvloop, and nothing of Ringline.

One process takes all calls, or (``--processes N``) each call has a process of its own: N of them wait, warm, and each
takes the next connection of the one listening socket when its last call is over. They are forked from a server that has
imported everything (`multiprocessing`'s forkserver), as LiveKit Agents does it, so they share what was loaded.
"""

from __future__ import annotations

import argparse
import array
import asyncio
import dataclasses
import functools
import multiprocessing
import os
import re
import socket
import sys
import threading
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

import uvloop

Accept = Callable[[socket.socket], Awaitable[asyncio.BaseTransport]]
"""Begins to serve a connection."""
Of = TypeVar("Of")
RATE_HZ = 8_000
CHARACTER_MS = 60
SHORTEST_MS = 200
CHUNK_MS = 80
"""As in `ringline.workers.tts.synthetic`."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a bot is told by the bench."""

    voice: str
    """A WAV of one second that can be repeated without a seam, at RATE_HZ."""
    reply: str
    greeting: str
    transcript: str
    stt_ms: int
    llm_ms: int
    tokens_per_s: float
    tts_ms: int
    realtime_factor: float
    endpoint_ms: int
    onset_ms: int
    release_ms: int
    threshold: float
    variant: str
    """Which of the bot's set-ups."""
    processes: int
    """0: one for all calls."""
    calls: int
    """At the same time, at most."""


async def words(settings: Settings) -> AsyncIterator[str]:
    """The reply as a language model streams it. Each word is due at an absolute time."""
    loop = asyncio.get_running_loop()
    due_s = loop.time() + settings.llm_ms / 1000
    for word in re.findall(r"\s*\S+", settings.reply):
        await asyncio.sleep(due_s - loop.time())
        yield word
        due_s += 1 / settings.tokens_per_s


class Voice:
    """Sound of the length that a text takes to say."""

    def __init__(self, settings: Settings) -> None:
        with wave.open(settings.voice, "rb") as file:
            assert file.getframerate() == RATE_HZ
            second = array.array("h", file.readframes(RATE_HZ))
        self._second = second.tobytes()
        self._settings = settings

    async def speak(self, text: str) -> AsyncIterator[bytes]:
        """int16 PCM at RATE_HZ in chunks of CHUNK_MS: the first after ``tts_ms``, the others as they are made."""
        settings = self._settings
        duration_ms = max(len(text.strip()) * CHARACTER_MS, SHORTEST_MS)
        loop = asyncio.get_running_loop()
        first_s = loop.time() + settings.tts_ms / 1000
        for start_ms in range(0, duration_ms, CHUNK_MS):
            await asyncio.sleep(first_s + start_ms / 1000 * settings.realtime_factor - loop.time())
            yield self._sound(start_ms, min(start_ms + CHUNK_MS, duration_ms))

    def _sound(self, start_ms: int, end_ms: int) -> bytes:
        scale = 2 * RATE_HZ // 1000
        start, size = start_ms % 1000 * scale, (end_ms - start_ms) * scale
        return (self._second[start:] + self._second)[:size]


def main(make_accept: Callable[[Settings], Accept]) -> None:
    """The bot's program."""
    settings = settings_from(sys.argv[1:], Settings)
    serve(functools.partial(make_accept, settings), settings.processes)


def serve(make_accept: Callable[[], Accept], processes: int) -> None:
    """Prints the port once calls can be taken, and ends with the standard input."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    listener.setblocking(False)
    if not processes:
        uvloop.run(_serve(listener, make_accept(), None))
        return
    # By its own name: that of the main module is not passed on (https://github.com/python/cpython/issues/126631).
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([Path(sys.argv[0]).stem])
    ready = []
    for _ in range(processes):
        here, there = context.Pipe()
        context.Process(target=_worker, args=(make_accept, listener, there), daemon=True).start()
        ready.append(here)
    for pipe in ready:
        pipe.recv()
    _say_port(listener)
    sys.stdin.read()


def _worker(make_accept: Callable[[], Accept], listener: socket.socket, pipe: Connection) -> None:
    listener.setblocking(False)
    uvloop.run(_serve(listener, make_accept(), pipe))


async def _serve(listener: socket.socket, accept: Accept, ready: Connection | None) -> None:
    loop = asyncio.get_running_loop()
    if ready is not None:
        ready.send(None)
    else:
        _say_port(listener)
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    while True:
        connection, _ = await loop.sock_accept(listener)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport = await accept(connection)
        while ready is not None and not transport.is_closing():  # noqa: ASYNC110  # servers tell nobody
            await asyncio.sleep(0.1)


def _end_with_stdin() -> None:
    sys.stdin.read()
    os._exit(0)


def _say_port(listener: socket.socket) -> None:
    print(listener.getsockname()[1], flush=True)


def settings_from(options: list[str], kind: Callable[..., Of]) -> Of:
    """A dataclass, from options for all of its fields."""
    parser = argparse.ArgumentParser()
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        of = {"str": str, "int": int, "float": float}[str(field.type)]
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=of, required=True)
    return kind(**vars(parser.parse_args(options)))
