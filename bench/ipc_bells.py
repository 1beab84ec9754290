"""The ways to wake another process up that `bench.ipc` compares.

Each object goes to the other process as it is (by spawn), and is then used from one end only on each side.
"""

from __future__ import annotations

import ctypes
import multiprocessing as mp
import os
import platform
import time
import uuid
from multiprocessing.reduction import DupFd
from typing import Any, Protocol

import numpy as np
import zmq

from bench.ipc_movers import LINE_WORDS, shared_memory
from ringline.ipc.atomics import load_acquire, store_release


class Bell(Protocol):
    """``ring`` sends the time of now; ``wait`` returns the times that have come, at least one."""

    name: str

    def ring(self) -> None: ...
    def wait(self) -> list[int]: ...


class PipeBell:
    """A blocking read of a multiprocessing.Pipe."""

    name = "mp.Pipe"

    def __init__(self) -> None:
        self.reader, self.writer = mp.get_context("spawn").Pipe(duplex=False)

    def ring(self) -> None:
        self.writer.send_bytes(time.monotonic_ns().to_bytes(8, "little"))

    def wait(self) -> list[int]:
        return [int.from_bytes(self.reader.recv_bytes(), "little")]


class ZmqBell:
    """DEALER to ROUTER over ipc, without our bus around them."""

    name = "zmq ipc DEALER->ROUTER"

    def __init__(self, address: str = "") -> None:
        self.address = address or f"ipc://@ringline-bench-{uuid.uuid4().hex}"
        self._dealer: Any = None
        self._router: Any = None
        if not address:
            self._router = zmq.Context.instance().socket(zmq.ROUTER)
            self._router.bind(self.address)

    def __reduce__(self) -> Any:
        return ZmqBell, (self.address,)

    def ring(self) -> None:
        if self._dealer is None:
            self._dealer = zmq.Context.instance().socket(zmq.DEALER)
            self._dealer.connect(self.address)
        self._dealer.send(time.monotonic_ns().to_bytes(8, "little"))

    def wait(self) -> list[int]:
        _, stamp = self._router.recv_multipart()
        return [int.from_bytes(stamp, "little")]


class _WordBell:
    """Times in shared memory, and the count of them in a word: the subclass says how one learns of it."""

    MAX_RINGS = 1 << 16

    def __init__(self, fd: int = -1, event: int = -1) -> None:
        num_bytes = 8 * (LINE_WORDS + self.MAX_RINGS)
        if fd < 0:
            fd = os.memfd_create("ringline-bench", os.MFD_CLOEXEC)
            os.ftruncate(fd, num_bytes)
            event = os.eventfd(0, os.EFD_CLOEXEC)
        self.fd, self.event = fd, event
        block = shared_memory(fd, num_bytes)
        self.words: Any = block[: 8 * LINE_WORDS].view(np.int64)
        self.times: Any = block[8 * LINE_WORDS :].view(np.int64)
        self.seen = 0

    def __reduce__(self) -> Any:
        return _rebuild_bell, (type(self), DupFd(self.fd), DupFd(self.event))

    def ring(self) -> None:
        count = int(self.words[0])
        self.times[count % self.MAX_RINGS] = time.monotonic_ns()
        store_release(self.words, 0, count + 1)
        self.wake()

    def wait(self) -> list[int]:
        while (count := load_acquire(self.words, 0)) == self.seen:
            self.sleep()
        times = [int(self.times[n % self.MAX_RINGS]) for n in range(self.seen, count)]
        self.seen = count
        return times

    def wake(self) -> None:
        """After the word has changed."""

    def sleep(self) -> None:
        """Until the word may have changed."""


def _rebuild_bell(kind: Any, fd: Any, event: Any) -> Any:
    return kind(fd.detach(), event.detach())


class EventBell(_WordBell):
    """A word, and an eventfd to sleep on."""

    name = "word + eventfd"

    def wake(self) -> None:
        os.eventfd_write(self.event, 1)

    def sleep(self) -> None:
        os.eventfd_read(self.event)


_SYS_FUTEX = {"x86_64": 202, "aarch64": 98}.get(platform.machine(), 0)
_libc = ctypes.CDLL(None)


class FutexBell(_WordBell):
    """A word, and a futex on it, through ctypes."""

    name = "word + futex"
    _WAIT, _WAKE = 0, 1

    def wake(self) -> None:
        _libc.syscall(_SYS_FUTEX, ctypes.c_void_p(self.words.ctypes.data), self._WAKE, 1, None, None, 0)

    def sleep(self) -> None:
        seen = ctypes.c_uint32(self.seen & 0xFFFFFFFF)
        _libc.syscall(_SYS_FUTEX, ctypes.c_void_p(self.words.ctypes.data), self._WAIT, seen, None, None, 0)


class PollBell(_WordBell):
    """A word that is looked at every millisecond."""

    name = "word, polled every 1 ms"

    def sleep(self) -> None:
        time.sleep(0.001)


class SpinBell(_WordBell):
    """A word that is looked at all the time: the floor, at the price of a processor."""

    name = "word, spinning"


def bells() -> list[Bell]:
    """All ways to wake somebody up but our bus, which needs an event loop (see bench.ipc)."""
    every: list[Bell] = [ZmqBell(), PipeBell(), EventBell(), PollBell(), SpinBell()]
    return [*every, FutexBell()] if _SYS_FUTEX else every
