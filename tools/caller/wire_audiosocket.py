"""The caller's end of an AudioSocket: what Asterisk does on one.

Asterisk is the TCP client. It names the call in the first frame, sends one 20 ms frame per write, and ends the call by
closing the connection: it never sends a hang-up frame. It gives up a call on which it is sent anything but audio or a
hang-up, or audio without samples.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import time
import uuid

import numpy as np

from ringline.tools.caller.playout import Playout
from ringline.tools.caller.wire import (
    AUDIOSOCKET_KINDS,
    CONNECT_TIMEOUT_S,
    CallRefusedError,
    Listener,
    Samples,
    Target,
    WireBrokenError,
)

_HANG_UP, _UUID, _DTMF = 0x00, 0x01, 0x03
_HEADER = struct.Struct(">BH")
_READ_BYTES = 65_536

JITTER_NS = 40_000_000
"""Asterisk passes each frame on as it comes, so the telephone's jitter buffer decides: 40 ms is a common one."""
PAYLOAD_WAIT_NS = 5_000_000
"""Asterisk waits so long for the rest of a frame, then drops the call (``res_audiosocket.c``)."""


def pack(samples: Samples, rate_hz: int) -> bytes:
    """One audio frame."""
    payload = samples.astype("<i2", copy=False).tobytes()
    return _HEADER.pack(AUDIOSOCKET_KINDS[rate_hz], len(payload)) + payload


class AudioSocketWire:
    """`Wire` over a plain socket: each frame is one ``send`` at its moment, never a buffer that leaves later."""

    continuous = True

    def __init__(self, target: Target) -> None:
        self._target = target
        self._kind = AUDIOSOCKET_KINDS[target.rate_hz]
        self._uuid = uuid.uuid4()
        self.call_id = str(self._uuid)
        self._playout = Playout(target.rate_hz, JITTER_NS)
        self._pending = b""
        self._pending_since_ns = 0
        self._socket: socket.socket | None = None
        self._listener: Listener | None = None

    async def connect(self, listener: Listener) -> None:
        """See `Wire`."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                peer = await self._dial()
        except TimeoutError:
            raise CallRefusedError(f"no connection within {CONNECT_TIMEOUT_S:g} s") from None
        except OSError as error:
            raise CallRefusedError(plainly(error)) from None
        self._socket, self._listener = peer, listener
        loop.add_reader(peer, self._readable)
        self._send(_HEADER.pack(_UUID, 16) + self._uuid.bytes)

    async def _dial(self) -> socket.socket:
        loop = asyncio.get_running_loop()
        failed = OSError(f"{self._target.host} has no address")
        for family, kind, protocol, _, address in await loop.getaddrinfo(
            self._target.host, self._target.port, type=socket.SOCK_STREAM
        ):
            peer = socket.socket(family, kind, protocol)
            peer.setblocking(False)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                await loop.sock_connect(peer, address)
            except OSError as error:
                failed = error
                peer.close()
            except asyncio.CancelledError:
                peer.close()
                raise
            else:
                return peer
        raise failed

    def send_frame(self, slot: int, frame: bytes) -> None:
        """See `Wire`."""
        self._send(frame)

    def send_digit(self, digit: str) -> None:
        """See `Wire`."""
        self._send(_HEADER.pack(_DTMF, 1) + digit.encode("ascii"))

    def elapse(self, now_ns: int) -> None:
        """Nothing: Asterisk plays what comes, when it comes."""

    def hang_up(self) -> None:
        """See `Wire`."""
        peer, self._socket = self._socket, None
        if peer is None:
            return
        asyncio.get_running_loop().remove_reader(peer)
        # Closing a socket with unread data in it would send a reset, which the bot could not tell from a fault.
        try:
            while peer.recv(_READ_BYTES):
                pass
        except OSError:
            pass
        peer.close()

    async def closed(self) -> None:
        """At once: a close needs no answer."""

    def _send(self, data: bytes) -> None:
        if self._socket is None:
            return
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            # What the bot sent before it closed may still be there to be read, its hang-up first of all.
            self._readable()
            self._end("bot", f"the bot closed the connection ({plainly(error)})")
            return
        if sent != len(data):
            raise WireBrokenError("the bot does not read: its receive buffer is full")

    def _readable(self) -> None:
        now_ns = time.monotonic_ns()
        if self._socket is None:
            return
        try:
            data = self._socket.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._end("bot", plainly(error))
            return
        if not data:
            self._end("bot", "the bot closed the connection")
            return
        self._cut(now_ns, data)

    def _cut(self, now_ns: int, data: bytes) -> None:
        assert self._listener is not None
        if self._pending:
            late_ns = now_ns - self._pending_since_ns
            if late_ns > PAYLOAD_WAIT_NS and len(self._pending) >= _HEADER.size:
                self._listener.on_wire_error(
                    f"the rest of a frame came {late_ns / 1e6:.0f} ms later (Asterisk drops the call)"
                )
            data = self._pending + data
        start = 0
        while len(data) - start >= _HEADER.size and self._socket is not None:
            kind, length = _HEADER.unpack_from(data, start)
            # A frame is judged by its header: the payload of one that must not be may never come.
            if not self._is_welcome(kind, length):
                return
            end = start + _HEADER.size + length
            if end > len(data):
                break
            if kind == self._kind:
                # Copied: behind a header of three bytes the samples are not aligned.
                samples = np.frombuffer(data, "<i2", length // 2, start + _HEADER.size).astype(np.int16)
                self._listener.on_audio(now_ns, self._playout.feed(now_ns, samples.shape[0]), samples)
            start = end
        if not self._pending or start:
            self._pending_since_ns = now_ns
        self._pending = data[start:]

    def _is_welcome(self, kind: int, length: int) -> bool:
        if kind == _HANG_UP:
            self._end("bot", "hang-up frame")
        elif kind not in AUDIOSOCKET_KINDS.values():
            self._end("error", f"frame of kind 0x{kind:02x} (Asterisk drops the call)")
        elif length == 0 or length % 2:
            self._end("error", f"audio frame of {length} bytes (Asterisk drops the call)")
        elif kind != self._kind:
            assert self._listener is not None
            self._listener.on_wire_error(f"audio of kind 0x{kind:02x} on a {self._target.rate_hz} Hz call")
            return True
        else:
            return True
        return False

    def _end(self, ended_by: str, reason: str) -> None:
        if self._socket is None or self._listener is None:
            return
        self.hang_up()
        self._listener.on_closed(time.monotonic_ns(), ended_by, reason)


def plainly(error: OSError) -> str:
    """What the system says went wrong, without numbers and addresses."""
    # asyncio puts the address into strerror; a resolver's numbers are negative and not the system's.
    known = error.errno is not None and error.errno > 0
    return (os.strerror(error.errno) if known else error.strerror or str(error)).lower()  # type: ignore[arg-type]
