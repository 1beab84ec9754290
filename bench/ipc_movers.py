"""The ways to carry a frame from one process to another that `bench.ipc` compares.

Each object goes to the other process as it is (by spawn), and is then used from one end only on each side.
"""

from __future__ import annotations

import mmap
import multiprocessing as mp
import os
import uuid
from multiprocessing.reduction import DupFd
from typing import Any, Protocol

import numpy as np
import zmq

from ringline.ipc.jit import compiled
from ringline.ipc.ring import AudioRing, ring_read, ring_write

FRAME_SAMPLES = 320
"""20 ms at 16 kHz."""
LINE_WORDS = 8

Samples = np.ndarray[tuple[int], np.dtype[np.int16]]


def shared_memory(fd: int, num_bytes: int) -> Any:
    """A view of a memfd's bytes."""
    return np.frombuffer(mmap.mmap(fd, num_bytes), np.uint8)


class Mover(Protocol):
    """Carries frames: ``write`` on one side; ``read`` on the other waits for the next one."""

    name: str

    def write(self, frame: Samples) -> None: ...
    def read(self, frame: Samples) -> None: ...


class _SharedRing:
    """What the two rings have in common: two cache lines of words and the samples in a memfd, and a reader's place."""

    def __init__(self, num_frames: int, fd: int = -1) -> None:
        self.num_frames = num_frames
        num_bytes = 8 * 2 * LINE_WORDS + 2 * FRAME_SAMPLES * num_frames
        if fd < 0:
            fd = os.memfd_create("ringline-bench", os.MFD_CLOEXEC)
            os.ftruncate(fd, num_bytes)
        self.fd = fd
        block = shared_memory(fd, num_bytes)
        self.words: Any = block[: 8 * LINE_WORDS].view(np.int64)
        self.samples: Any = block[8 * 2 * LINE_WORDS :].view(np.int16)
        self.position = 0

    def __reduce__(self) -> Any:
        return _rebuild, (type(self), self.num_frames, DupFd(self.fd))


def _rebuild(kind: Any, num_frames: int, fd: Any) -> Any:
    return kind(num_frames, fd.detach())


class Ring(_SharedRing):
    """Our ring, called from Python."""

    name = "ring"

    def __init__(self, num_frames: int, fd: int = -1) -> None:
        super().__init__(num_frames, fd)
        self.ring = AudioRing(self.words, self.samples)

    def write(self, frame: Samples) -> None:
        self.ring.write(frame)

    def read(self, frame: Samples) -> None:
        count = 0
        while not count:
            self.position, count = ring_read(self.words, self.samples, self.position, frame)
        self.position += count


class PlainRing(_SharedRing):
    """The same with numpy alone. Nothing orders its stores: right on x86 by luck, and on ARM not at all."""

    name = "numpy ring, no atomics"

    def write(self, frame: Samples) -> None:
        written = int(self.words[0])
        offset = written % self.samples.shape[0]
        head = min(FRAME_SAMPLES, self.samples.shape[0] - offset)
        self.samples[offset : offset + head] = frame[:head]
        if head < FRAME_SAMPLES:
            self.samples[: FRAME_SAMPLES - head] = frame[head:]
        self.words[0] = written + FRAME_SAMPLES

    def read(self, frame: Samples) -> None:
        while self.words[0] < self.position + FRAME_SAMPLES:
            pass
        offset = self.position % self.samples.shape[0]
        head = min(FRAME_SAMPLES, self.samples.shape[0] - offset)
        frame[:head] = self.samples[offset : offset + head]
        if head < FRAME_SAMPLES:
            frame[head:] = self.samples[: FRAME_SAMPLES - head]
        self.position += FRAME_SAMPLES


class Pipe:
    """multiprocessing.Pipe, bytes; by far its faster way."""

    name = "mp.Pipe"

    def __init__(self) -> None:
        self.reader, self.writer = mp.get_context("spawn").Pipe(duplex=False)

    def write(self, frame: Samples) -> None:
        self.writer.send_bytes(frame)

    def read(self, frame: Samples) -> None:
        self.reader.recv_bytes_into(frame)


class Queue:
    """multiprocessing.Queue, bytes: a pipe behind a feeder thread and a lock."""

    name = "mp.Queue"

    def __init__(self) -> None:
        self.queue: Any = mp.get_context("spawn").Queue()

    def write(self, frame: Samples) -> None:
        self.queue.put(frame.tobytes())

    def read(self, frame: Samples) -> None:
        frame[:] = np.frombuffer(self.queue.get(), np.int16)


class Zmq:
    """zmq PUSH to PULL over ipc."""

    name = "zmq ipc"

    def __init__(self, address: str = "") -> None:
        self.bound = not address
        self.address = address or f"ipc://@ringline-bench-{uuid.uuid4().hex}"
        self._pull: Any = None
        self._push: Any = None
        if self.bound:
            self._pull = zmq.Context.instance().socket(zmq.PULL)
            self._pull.set(zmq.RCVHWM, 0)
            self._pull.bind(self.address)

    def __reduce__(self) -> Any:
        return Zmq, (self.address,)

    def write(self, frame: Samples) -> None:
        if self._push is None:
            self._push = zmq.Context.instance().socket(zmq.PUSH)
            self._push.set(zmq.SNDHWM, 0)
            self._push.connect(self.address)
        self._push.send(frame, copy=True)

    def read(self, frame: Samples) -> None:
        frame[:] = np.frombuffer(self._pull.recv(), np.int16)


def movers(num_frames: int) -> list[Mover]:
    """All ways to carry frames; the rings hold ``num_frames``, as a ring's writer does not wait."""
    return [Ring(num_frames), PlainRing(num_frames), Pipe(), Queue(), Zmq()]


@compiled
def ring_compiled(words, samples, frame, num_frames):  # type: ignore[no-untyped-def]
    """Write and read so many frames without going through Python in between, as the media clock does for all calls."""
    position = 0
    for _ in range(num_frames):
        end = ring_write(words, samples, frame)
        position, _ = ring_read(words, samples, end - frame.shape[0], frame)
    return position
