"""The bus: small facts and requests between the engine and its workers, over ZeroMQ.

A star: the engine binds one ROUTER, each worker connects one DEALER under its name, and every message goes through the
engine. The address is in Linux's abstract namespace, so there is no socket file to leave behind, and the kernel lets
nobody connect but processes of the same user.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Iterator

import msgspec
import zmq

from ringline.ipc.messages import FromWorker, ToWorker, decode_from_worker, decode_to_worker, encode

log = logging.getLogger("ringline.bus")

MAX_QUEUED_MESSAGES = 10_000
"""Per worker and direction. A worker of 128 calls gets a few hundred a second: a full queue means it hangs."""

MAX_MESSAGE_BYTES = 4 << 20

_POLLIN = int(zmq.POLLIN)  # the enum's own `&` costs a microsecond, at every message
_MALFORMED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)  # all that msgspec raises on hostile bytes


def _socket(kind: int) -> zmq.Socket[bytes]:
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(kind)
    socket.set(zmq.LINGER, 0)
    socket.set(zmq.SNDHWM, MAX_QUEUED_MESSAGES)
    socket.set(zmq.RCVHWM, MAX_QUEUED_MESSAGES)
    socket.set(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
    return socket


class _Wakeup:
    """Calls ``drain`` on an asyncio loop whenever a ZeroMQ socket has messages.

    ZeroMQ's file descriptor is edge-triggered: whoever used the socket must look again whether it has become readable.
    """

    def __init__(self, socket: zmq.Socket[bytes], loop: asyncio.AbstractEventLoop, drain: Callable[[], None]) -> None:
        self._socket = socket
        self._loop = loop
        self._drain = drain
        self._fd = int(socket.get(zmq.FD))
        loop.add_reader(self._fd, self._run)
        loop.call_soon(self._run)

    def _run(self) -> None:
        if self._readable():
            try:
                self._drain()
            finally:
                self.look_again()  # whoever handles a message may raise: the messages behind it must not wait

    def look_again(self) -> None:
        if self._readable():
            self._loop.call_soon(self._run)

    def _readable(self) -> bool:
        return not self._socket.closed and bool(int(self._socket.get(zmq.EVENTS)) & _POLLIN)

    def close(self) -> None:
        self._loop.remove_reader(self._fd)


class EngineBus:
    """The engine's end."""

    def __init__(self, run_id: str) -> None:
        self.address = f"ipc://@ringline-{run_id}"
        self._socket = _socket(zmq.ROUTER)
        self._socket.set(zmq.ROUTER_MANDATORY, 1)  # a message for a worker that is not there is an error, not lost
        self._socket.set(zmq.IPC_FILTER_UID, os.getuid())
        try:
            self._socket.bind(self.address)
        except zmq.ZMQError:
            self._socket.close()
            raise
        self._wakeup: _Wakeup | None = None

    def start(self, on_message: Callable[[str, FromWorker], None]) -> None:
        """Deliver messages as ``on_message(worker name, message)`` on the running loop."""

        def drain() -> None:
            while not self._socket.closed:
                try:
                    name, payload = self._socket.recv_multipart(zmq.NOBLOCK)
                except zmq.Again:
                    return
                except ValueError:
                    log.warning("dropped a message of another shape than ours")
                    continue
                try:
                    message = decode_from_worker(payload)
                except _MALFORMED as error:
                    log.warning("dropped a malformed message", extra={"worker": repr(name), "error": str(error)})
                    continue
                on_message(name.decode(errors="replace"), message)

        self._wakeup = _Wakeup(self._socket, asyncio.get_running_loop(), drain)

    def send(self, worker: str, message: ToWorker) -> bool:
        """Queue a message. Returns False if the worker is not connected or its queue is full."""
        try:
            self._socket.send_multipart((worker.encode(), encode(message)), zmq.NOBLOCK)
        except zmq.ZMQError as error:
            if error.errno in (zmq.EHOSTUNREACH, zmq.EAGAIN):
                return False
            raise
        finally:
            if self._wakeup is not None:
                self._wakeup.look_again()
        return True

    def close(self) -> None:
        """Close the socket; what is queued is dropped."""
        if self._wakeup is not None:
            self._wakeup.close()
        self._socket.close()


class WorkerBus:
    """A worker's end."""

    def __init__(self, address: str, name: str) -> None:
        self._socket = _socket(zmq.DEALER)
        self._socket.set(zmq.IDENTITY, name.encode())
        self._socket.connect(address)
        self._wakeup: _Wakeup | None = None
        self._woken = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.was_woken = False
        """Whether `wake` ended the last `wait`, or came during it."""
        self._poller = zmq.Poller()
        self._poller.register(self._socket, zmq.POLLIN)
        self._poller.register(self._woken, zmq.POLLIN)

    def start(self, on_message: Callable[[ToWorker], None]) -> None:
        """For workers with an asyncio loop: deliver messages on it."""

        def drain() -> None:
            for message in self.drain():
                on_message(message)

        self._wakeup = _Wakeup(self._socket, asyncio.get_running_loop(), drain)

    def wait(self, timeout_ms: float) -> bool:
        """For workers with a loop of their own: wait until there is a message, or `wake` is called. Returns whether
        either was the case."""
        ready = self._poller.poll(max(0, round(timeout_ms)))
        self.was_woken = any(source == self._woken for source, _ in ready)
        if self.was_woken:
            os.eventfd_read(self._woken)
        return bool(ready)

    def wake(self) -> None:
        """End the current or the next `wait`. From any thread; harmless once the bus is closed."""
        with contextlib.suppress(OSError, ValueError):  # no more a file descriptor
            os.eventfd_write(self._woken, 1)

    def drain(self) -> Iterator[ToWorker]:
        """The messages that are there."""
        while not self._socket.closed:
            try:
                payload = self._socket.recv(zmq.NOBLOCK)
            except zmq.Again:
                return
            try:
                message = decode_to_worker(payload)
            except _MALFORMED as error:
                log.warning("dropped a malformed message", extra={"error": str(error)})
                continue
            yield message

    def send(self, message: FromWorker) -> None:
        """Queue a message to the engine. Raises zmq.Again if the engine has not read for long."""
        self._socket.send(encode(message), zmq.NOBLOCK)
        if self._wakeup is not None:
            self._wakeup.look_again()

    def close(self, linger_ms: int = 200) -> None:
        """Close the socket, giving what is queued a moment to leave."""
        if self._wakeup is not None:
            self._wakeup.close()
        self._socket.close(linger_ms)
        woken, self._woken = self._woken, -1
        if woken >= 0:
            os.close(woken)
