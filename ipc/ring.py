"""Audio ring: one writer, many readers, in shared memory, without locks.

Indexes are absolute sample counts that only grow: index ``i`` names one moment of a call in every process, and stands
at ``samples[i % capacity]``. The writer of a `AudioRing` never waits; a reader that was lapped is told exactly which
samples it lost. Where the writer must not overrun (replies), it asks `room` first.

Control words (int64, one cache line, one writer):
    CLAIMED   samples up to here may be half written; never goes back, not even when a new writer writes less than
              the one that died in the middle of a write
    WRITTEN   samples up to here are whole
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ringline.ipc.atomics import (
    Words,
    fence_acquire,
    fence_release,
    load_acquire,
    load_acquire_at,
    store_release,
    store_release_at,
)
from ringline.ipc.jit import compiled

Samples = np.ndarray[tuple[int], np.dtype[np.int16]]

CLAIMED = 0
WRITTEN = 1


@compiled
def ring_write(words: Words, samples: Samples, source: Samples) -> int:
    """Append ``source`` (at most the capacity). Returns the new end index. Only the ring's one writer may call it."""
    capacity = samples.shape[0]
    start: int = load_acquire_at(words, WRITTEN)
    end = start + source.shape[0]
    store_release_at(words, CLAIMED, max(end, load_acquire_at(words, CLAIMED)))
    # SYNC POINT a (with ring_read): a reader that sees any of the samples below also sees the claim above.
    fence_release()
    offset = start % capacity
    head = min(source.shape[0], capacity - offset)
    samples[offset : offset + head] = source[:head]
    samples[: source.shape[0] - head] = source[head:]
    # SYNC POINT b (with ring_read): a reader that sees the index also sees the samples.
    store_release_at(words, WRITTEN, end)
    return end


@compiled
def ring_read(words: Words, samples: Samples, start: int, target: Samples) -> tuple[int, int]:
    """Copy the samples from ``start`` on that are published and fit into ``target``.

    Returns (first, count): ``target[:count]`` holds the samples ``first`` to ``first + count - 1``. Where ``first`` is
    greater than ``start``, the writer has lapped the reader and samples ``start`` to ``first - 1`` are lost. Nothing
    lies before index 0: what stands there in memory is the audio of the slot's last call.
    """
    capacity = samples.shape[0]
    first = max(start, 0)
    while True:
        written = load_acquire_at(words, WRITTEN)  # SYNC POINT b
        first = max(first, written - capacity)
        count = min(written - first, target.shape[0])
        if count <= 0:
            return first, 0
        offset = first % capacity
        head = min(count, capacity - offset)
        target[:head] = samples[offset : offset + head]
        target[head:count] = samples[: count - head]
        # SYNC POINT a: what was copied is whole if no claim had reached it by now.
        fence_acquire()
        oldest = load_acquire_at(words, CLAIMED) - capacity
        if oldest <= first:
            return first, count
        if oldest < first + count:  # the front of the copy was overwritten; its rest is whole
            torn = oldest - first
            for i in range(count - torn):
                target[i] = target[i + torn]
            return oldest, count - torn
        first = oldest  # lapped during the copy: start again behind the writer


class Chunk(NamedTuple):
    """Samples read from a ring: int16, the index of the first, and how many before it were lost to lapping."""

    samples: Samples
    start: int
    lost: int


class AudioRing:
    """One ring: its control words and its samples (int16, mono), views of shared memory."""

    def __init__(self, words: Words, samples: Samples) -> None:
        self.words = words
        self.samples = samples
        self.capacity = samples.shape[0]

    @classmethod
    def private(cls, capacity: int) -> AudioRing:
        """A ring in this process's own memory, for tests and tools."""
        return cls(np.zeros(8, np.int64), np.zeros(capacity, np.int16))

    @property
    def written(self) -> int:
        """The index behind the last published sample."""
        return load_acquire(self.words, WRITTEN)

    def write(self, source: Samples) -> int:
        """Append int16 samples, as many as the capacity at most. Returns the new end index.

        Raises ValueError for more samples than the ring holds, and for samples of another kind.
        """
        if source.shape[0] > self.capacity:
            raise ValueError(f"{source.shape[0]} samples do not fit into a ring of {self.capacity}")
        if source.dtype != np.int16:
            raise ValueError(f"a ring holds int16 samples, these are {source.dtype}")
        if not source.flags.carray:
            source = source.copy()  # numba would compile for read-only or strided arrays, in the middle of a call
        return ring_write(self.words, self.samples, source)

    def read(self, start: int, max_samples: int) -> Chunk:
        """Up to ``max_samples`` published samples from ``start`` on, copied; empty when there are none yet."""
        target: Samples = np.empty(max_samples, np.int16)
        first, count = ring_read(self.words, self.samples, start, target)
        return Chunk(target[:count], first, first - start)

    def reset(self) -> None:
        """Start again at index 0. Only while no process reads or writes the ring."""
        store_release(self.words, WRITTEN, 0)
        store_release(self.words, CLAIMED, 0)


class RingReader:
    """A reader's place in a ring, and the count of samples it lost to lapping."""

    def __init__(self, ring: AudioRing, start: int = 0) -> None:
        self.ring = ring
        self.position = start
        self.lost_samples = 0

    def read(self, max_samples: int) -> Chunk:
        """The next samples; moves on behind them."""
        chunk = self.ring.read(self.position, max_samples)
        self.lost_samples += chunk.lost
        self.position = chunk.start + chunk.samples.shape[0]
        return chunk
