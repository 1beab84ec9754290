"""What a WebSocket library costs a server that carries thousands of small media messages a second.

    python -m bench.websocket_libraries [--calls 64] [--seconds 3] [--rounds 3] [--seed 1] [--json]

Each library runs as the server in a process of its own, on uvloop. This process is the callers: it sends 20 ms media
messages shaped as Twilio's, evenly spread over the 20 ms, and reads what comes back. For every message the server
decodes the JSON and the base64 and sends one media message back, with the same code for all libraries. Reported are the
server's CPU time per message (both directions together, from /proc) and how long a message takes from the caller's
write to the server's handler. The libraries take turns, in a seeded order, so that a noisy machine is noisy for all.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import multiprocessing as mp
import os
import random
import selectors
import socket
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from bench.reporting import Result, options_of, tell

FRAME_S = 0.02
WARM_UP_S = 0.5
STAMP_DIGITS = 19
PAYLOAD = base64.b64encode(bytes(range(160)))
REPLY = b'{"event":"media","streamSid":"MZ0123456789abcdef0123456789abcdef","media":{"payload":"' + PAYLOAD + b'"}}'
ANSWER_BYTES = 4 + len(REPLY)


class _Body(msgspec.Struct, gc=False):
    payload: bytes
    timestamp: str


class _Media(msgspec.Struct, tag_field="event", tag="media"):
    media: _Body


class Handled:
    """The handler all servers share: decode, note the delay, answer."""

    def __init__(self) -> None:
        self.delays_ns: list[int] = []
        self._decode = msgspec.json.Decoder(_Media).decode

    def message(self, text: bytes | memoryview | str) -> bytes:
        """Handle one message; returns the answer."""
        body = self._decode(text).media
        self.delays_ns.append(time.monotonic_ns() - int(body.timestamp))
        return REPLY


Serve = Callable[[Handled], Awaitable[int]]


async def serve_aiohttp(handled: Handled) -> int:
    """aiohttp, without compression. Returns the port, as all of these."""
    from aiohttp import WSMsgType, web

    async def stream(request: web.Request) -> web.WebSocketResponse:
        answer = web.WebSocketResponse(compress=False, max_msg_size=65_536)
        await answer.prepare(request)
        async for message in answer:
            if message.type is WSMsgType.TEXT:
                await answer.send_frame(handled.message(message.data), WSMsgType.TEXT)
        return answer

    app = web.Application()
    app.router.add_get("/media", stream)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port: int = runner.addresses[0][1]
    return port


async def serve_websockets(handled: Handled) -> int:
    """websockets, its asyncio server, without compression."""
    from websockets.asyncio.server import ServerConnection, serve

    async def stream(peer: ServerConnection) -> None:
        while True:
            await peer.send(handled.message(await peer.recv(decode=False)), text=True)

    server = await serve(stream, "127.0.0.1", 0, compression=None, max_size=65_536, ping_interval=None)
    port: int = next(iter(server.sockets)).getsockname()[1]
    return port


async def serve_picows(handled: Handled) -> int:
    """picows, on the event loop's own transports."""
    return await _serve_picows(handled, use_aiofastnet=False)


async def serve_picows_aiofastnet(handled: Handled) -> int:
    """picows, on those of aiofastnet, which is its own default."""
    return await _serve_picows(handled, use_aiofastnet=True)


async def _serve_picows(handled: Handled, use_aiofastnet: bool) -> int:
    from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server

    class Stream(WSListener):
        def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
            if frame.msg_type == WSMsgType.TEXT:
                transport.send(WSMsgType.TEXT, handled.message(frame.get_payload_as_memoryview()))

    server = await ws_create_server(lambda request: Stream(), "127.0.0.1", 0, use_aiofastnet=use_aiofastnet)
    port: int = server.sockets[0].getsockname()[1]
    return port


SERVERS: dict[str, Serve] = {
    "aiohttp": serve_aiohttp,
    "websockets": serve_websockets,
    "picows": serve_picows,
    "picows+aiofastnet": serve_picows_aiofastnet,
}


def run_server(name: str, control: Connection) -> None:
    """A server process. On "reset" it forgets its delays, on "report" it tells them; it ends with the control pipe."""
    import uvloop

    async def main() -> None:
        handled = Handled()
        control.send(await SERVERS[name](handled))
        loop, over = asyncio.get_running_loop(), asyncio.Event()

        def command() -> None:
            try:
                what = control.recv()
            except EOFError:
                over.set()
                return
            if what == "report":
                control.send(handled.delays_ns)
            handled.delays_ns = []
            control.send("done")

        loop.add_reader(control.fileno(), command)
        await over.wait()
        os._exit(0)  # the callers are still connected, and an orderly goodbye is not what is measured

    uvloop.run(main())


class Callers:
    """All calls to one server, on one thread: as cheap as Python allows, the machine is shared with the server."""

    def __init__(self, port: int, num_calls: int) -> None:
        self._selector = selectors.DefaultSelector()
        self._peers: list[socket.socket] = []
        self._owed_bytes = 0
        for _ in range(num_calls):
            peer = socket.create_connection(("127.0.0.1", port))
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer.sendall(
                b"GET /media HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + base64.b64encode(os.urandom(16)) + b"\r\n\r\n"
            )
            answer = b""
            while not answer.endswith(b"\r\n\r\n"):
                answer += peer.recv(4_096)
            assert answer.startswith(b"HTTP/1.1 101 "), answer
            peer.setblocking(False)
            self._selector.register(peer, selectors.EVENT_READ)
            self._peers.append(peer)
        head = b'{"event":"media","sequenceNumber":"1","media":{"track":"inbound","chunk":"1","timestamp":"'
        tail = b'","payload":"' + PAYLOAD + b'"},"streamSid":"MZ0123456789abcdef0123456789abcdef"}'
        size = len(head) + STAMP_DIGITS + len(tail)
        # Masked with zero, which leaves the bytes as they are; the server unmasks them all the same.
        self._head = b"\x81\xfe" + size.to_bytes(2, "big") + bytes(4) + head
        self._tail = tail

    def call(self, seconds: float) -> int:
        """Send for so long, and wait for the last answer. Returns the number of messages sent."""
        step_ns = int(FRAME_S * 1e9 / len(self._peers))
        count = int(seconds / FRAME_S) * len(self._peers)
        start_ns = time.monotonic_ns()
        for number in range(count):
            due_ns = start_ns + number * step_ns
            while (wait_ns := due_ns - time.monotonic_ns()) > 0:
                self._drain(wait_ns / 1e9)
            stamp = b"%0*d" % (STAMP_DIGITS, time.monotonic_ns())
            self._peers[number % len(self._peers)].send(self._head + stamp + self._tail)
            self._owed_bytes += ANSWER_BYTES
        while self._owed_bytes:
            self._drain(1.0)
        return count

    def _drain(self, wait_s: float) -> None:
        for key, _ in self._selector.select(wait_s):
            peer = key.fileobj
            assert isinstance(peer, socket.socket)
            data = peer.recv(65_536)
            if not data:
                raise SystemExit("a server has closed a connection")
            self._owed_bytes -= len(data)

    def close(self) -> None:
        """Hang up all."""
        self._selector.close()
        for peer in self._peers:
            peer.close()


def cpu_ns(pid: int) -> int:
    """CPU time a process has used, in ns: the sum over its threads' schedstat, finer than the ticks of getrusage."""
    return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat"))


class Server:
    """A running server process with its callers, and what was measured of it."""

    def __init__(self, name: str, num_calls: int) -> None:
        self.control, child = mp.Pipe()
        self.process = mp.get_context("spawn").Process(target=run_server, args=(name, child), daemon=True)
        self.process.start()
        child.close()
        self.callers = Callers(self.control.recv(), num_calls)
        self.cpu_ns = 0
        self.num_messages = 0
        self.delays_ns: list[int] = []
        self.callers.call(WARM_UP_S)

    def measure(self, seconds: float) -> None:
        """One turn."""
        self.callers.call(WARM_UP_S)
        self._command("reset")
        assert self.process.pid is not None
        before = cpu_ns(self.process.pid)
        self.num_messages += self.callers.call(seconds)
        self.cpu_ns += cpu_ns(self.process.pid) - before
        self.delays_ns += self._command("report")

    def _command(self, what: str) -> list[int]:
        self.control.send(what)
        delays = self.control.recv() if what == "report" else []
        self.control.recv()
        return list(delays)

    def close(self) -> dict[str, float]:
        """Ends it. Returns its figures."""
        self.control.close()
        self.process.join(5)
        self.callers.close()
        assert len(self.delays_ns) == self.num_messages, "messages were lost"
        p50, p99 = np.percentile(self.delays_ns, [50, 99])
        return {
            "messages": self.num_messages,
            "cpu_us_per_message": round(self.cpu_ns / self.num_messages / 1e3, 2),
            "delay_p50_us": round(p50 / 1e3, 1),
            "delay_p99_us": round(p99 / 1e3, 1),
        }


def measure(options: argparse.Namespace) -> Result:
    """All libraries, in turn."""
    servers = {name: Server(name, options.calls) for name in SERVERS}
    order = random.Random(options.seed)
    for _ in range(options.rounds):
        for name in order.sample(list(servers), len(servers)):
            servers[name].measure(options.seconds)
    libraries = {name: server.close() for name, server in servers.items()}
    best = min(figures["cpu_us_per_message"] for figures in libraries.values())
    for figures in libraries.values():
        figures["ratio"] = round(figures["cpu_us_per_message"] / best, 2)
    return {"calls": options.calls, "libraries": libraries}


def show(result: Result, out: Console) -> None:
    """The table, the cheapest first."""
    title = f"{result['calls']} calls, {result['calls'] * 50} messages a second each way"
    table = Table("library", "messages", "CPU us/message", "ratio", "delay p50 us", "delay p99 us", title=title)
    for name, figures in sorted(result["libraries"].items(), key=lambda item: item[1]["cpu_us_per_message"]):
        keys = ("messages", "cpu_us_per_message", "ratio", "delay_p50_us", "delay_p99_us")
        table.add_row(name, *(str(figures[key]) for key in keys))
    out.print(table)


if __name__ == "__main__":
    parser = options_of(__doc__, plots=False)
    parser.add_argument("--calls", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each turn")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    tell(measure(given), given, show)
