"""A TCP proxy on loopback that breaks connections as networks and servers do.

    with FaultyProxy(target_port) as proxy:
        proxy.fault = Cut(after_bytes=100)
        ...connect to 127.0.0.1:proxy.port...

A fault holds for the connections that are open and for those to come, until another one is set; None lets all pass.
The proxy runs on a thread of its own, so its user may block. Bytes are counted from the server, per connection, from
the moment at which the fault was set.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self

CHUNK = 65_536
PATIENCE_S = 20.0
"""What `FaultyProxy.wait_for` waits for takes so long only if it never comes."""


@dataclass(frozen=True)
class Refuse:
    """Nobody listens at the port. Connections that are open go on."""


@dataclass(frozen=True)
class Hang:
    """Of what the server sends, only the first bytes pass. They go on when another fault is set."""

    after_bytes: int = 0


@dataclass(frozen=True)
class Cut:
    """Reset (RST) after so many bytes; with 0 at once, and whoever connects anew is reset before any answer."""

    after_bytes: int = 0


@dataclass(frozen=True)
class HalfClose:
    """After so many bytes the server seems to have closed its side (FIN); what the client sends still arrives."""

    after_bytes: int = 0


@dataclass(frozen=True)
class Drip:
    """What the server sends arrives in pieces of so many bytes."""

    bytes_per_write: int = 1


@dataclass(frozen=True)
class Answer:
    """The client's first bytes are answered with ``data`` and the end of the stream; the server hears none of them, and
    what it says is lost: such a connection is reset when the fault is gone."""

    data: bytes


Fault = Refuse | Hang | Cut | HalfClose | Drip | Answer


def garbage(num_bytes: int = 512, seed: int = 1) -> Answer:
    """Bytes that are no protocol at all."""
    return Answer(random.Random(seed).randbytes(num_bytes))


def http_answer(status: int, body: str = "", content_type: str = "application/json", **headers: str) -> Answer:
    """A whole HTTP/1.1 response; ``retry_after="2"`` becomes ``Retry-After: 2``."""
    content = body.encode()
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"Content-Type: {content_type}"]
    lines += [f"{name.replace('_', '-').title()}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(content)}", "Connection: close", "", ""]
    return Answer("\r\n".join(lines).encode() + content)


HTML = http_answer(200, "<html><body>Welcome to the gateway!</body></html>", "text/html")
"""What a captive portal or a misconfigured reverse proxy says."""


class Connection:
    """One client's connection, and what went over it."""

    def __init__(
        self, client: socket.socket, target_port: int, fault: Fault | None, changed: Callable[[], None]
    ) -> None:
        self.from_client = bytearray()
        """What the client sent."""
        self.to_client = bytearray()
        """What it got, wherever that came from."""
        self.is_open = True
        self._client = client
        self._changed = changed
        self._wake = asyncio.Event()
        self._answered = False
        self._client_done = False
        self._muted = False
        self._swallowed = False
        """Something that the server sent is lost: nobody can go on with it."""
        self._task = asyncio.create_task(self._run(target_port))
        self._task.add_done_callback(self._ended)
        self.set(fault)

    def set(self, fault: Fault | None) -> None:
        if self._swallowed and not isinstance(fault, Answer):
            fault = Cut()
        self._fault = fault
        self._allowed = fault.after_bytes if isinstance(fault, Hang | Cut | HalfClose) else 0
        self._break_if_due()
        self._wake.set()

    async def close(self) -> None:
        """End it, if it is open."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self, target_port: int) -> None:
        """Pass bytes both ways until both sides, or the fault, have ended it."""
        loop = asyncio.get_running_loop()
        server = _socket()
        try:
            await loop.sock_connect(server, ("127.0.0.1", target_port))
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass_up(server))
                both.create_task(self._pass_down(server))
        except* OSError:  # one side is gone: so is the other
            _reset_at_close(self._client)
            _reset_at_close(server)
        finally:
            server.close()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._client.close()
        self.is_open = False
        self._changed()

    async def _pass_up(self, server: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while data := await loop.sock_recv(self._client, CHUNK):
            self.from_client += data
            self._changed()
            if not isinstance(self._fault, Answer):
                await loop.sock_sendall(server, data)
            elif not self._answered:
                self._answered = True
                await self._send(self._fault.data)
                self._finish()
        self._client_done = True
        self._wake.set()
        server.shutdown(socket.SHUT_WR)

    async def _pass_down(self, server: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while data := await loop.sock_recv(server, CHUNK):
            while data and not self._muted:
                data = await self._pass_some(data)
        if not isinstance(self._fault, Answer):
            self._finish()

    async def _pass_some(self, data: bytes) -> bytes:
        """Send what the fault lets pass now; returns the rest."""
        fault = self._fault
        if isinstance(fault, Answer):
            self._swallowed = True
            return b""
        num_bytes = len(data)
        if isinstance(fault, Drip):
            num_bytes = fault.bytes_per_write
        elif isinstance(fault, Hang | Cut | HalfClose):
            num_bytes = self._allowed
            if num_bytes == 0:
                if self._client_done:
                    return b""
                self._wake.clear()
                await self._wake.wait()
                return data
            self._allowed -= min(num_bytes, len(data))
        await self._send(data[:num_bytes])
        self._break_if_due()
        await asyncio.sleep(0)
        return data[num_bytes:]

    async def _send(self, data: bytes) -> None:
        self.to_client += data
        await asyncio.get_running_loop().sock_sendall(self._client, data)
        self._changed()

    def _break_if_due(self) -> None:
        if self._allowed > 0:
            return
        if isinstance(self._fault, Cut):
            _reset_at_close(self._client)
            self._task.cancel()
        elif isinstance(self._fault, HalfClose):
            self._finish()

    def _finish(self) -> None:
        """Nothing more will be sent to the client."""
        self._muted = True
        with contextlib.suppress(OSError):  # it is gone already
            self._client.shutdown(socket.SHUT_WR)


class FaultyProxy:
    """Between a client under test and the server at ``target_port``, both on loopback."""

    def __init__(self, target_port: int) -> None:
        self.connections: list[Connection] = []
        """All there were, in order."""
        self._target_port = target_port
        self._fault: Fault | None = None
        self._changed = threading.Condition()
        # Bound and never listening: keeps the port while connections are refused.
        self._place = _socket()
        self._place.bind(("127.0.0.1", 0))
        self.port: int = self._place.getsockname()[1]
        self._listener: socket.socket | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="faulty-proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._listen())
        return self

    def __exit__(self, *error: object) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._place.close()

    @property
    def fault(self) -> Fault | None:
        return self._fault

    @fault.setter
    def fault(self, fault: Fault | None) -> None:
        self._do(self._set(fault))

    @property
    def num_open(self) -> int:
        """Connections that are open."""
        return sum(connection.is_open for connection in self.connections)

    def wait_for(self, condition: Callable[[], object]) -> None:
        """Block until ``condition()`` holds, looked at whenever bytes pass or connections come and go."""
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE_S), "it never came to pass"

    # --- the proxy's thread -----------------------------------------------------------------------------------------

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    async def _set(self, fault: Fault | None) -> None:
        self._fault = fault
        if isinstance(fault, Refuse):
            self._refuse()
        elif self._listener is None:
            await self._listen()
        for connection in self.connections:
            if connection.is_open:
                connection.set(fault)

    async def _listen(self) -> None:
        self._listener = _socket()
        self._listener.bind(("127.0.0.1", self.port))
        self._listener.listen()
        # A task in sock_accept() that is cancelled may lose a socket it has accepted already.
        self._loop.add_reader(self._listener, self._accept, self._listener)

    def _refuse(self) -> None:
        if self._listener is not None:
            self._loop.remove_reader(self._listener)
            self._listener.close()
            self._listener = None

    def _accept(self, listener: socket.socket) -> None:
        try:
            client, _ = listener.accept()
        except OSError:  # it has gone again
            return
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connections.append(Connection(client, self._target_port, self._fault, self._notify))
        self._notify()

    async def _close(self) -> None:
        self._refuse()
        for connection in self.connections:
            await connection.close()


def _socket() -> socket.socket:
    made = socket.socket()
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return made


def _reset_at_close(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
