"""The exchange: the one block of shared memory through which all audio of an engine flows.

A memfd, made by the engine and inherited by its workers as a file descriptor: it has no name to collide or to leak, and
the kernel frees it with the last process that maps it. It holds a header and ``max_calls`` slots; a slot holds the
control words and the three rings of one call:

    caller  what the caller said, 16 kHz; written by capture
    line    what was really sent to the caller, 16 kHz, on the caller ring's time line; written by capture
    reply   what TTS made, at the wire's rate; written by TTS, gated by turn (see reply.py)

Every cache line of control words has one writer, named below. The one exception is the word that claims a slot.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from typing import Any

import msgspec
import numpy as np

from ringline.ipc.atomics import compare_exchange, fetch_add, load_acquire, store_release
from ringline.ipc.ring import AudioRing

MEDIA_RATE_HZ = 16_000
"""Rate of the caller and line rings: what Silero, pocketsphinx and Whisper take."""

LINE_WORDS = 8  # int64 words in a 64-byte cache line

# Header words.
ADMIT = 0  # engine: 1 while new calls are welcome
LAYOUT = ADMIT + 1  # engine, once: the sizes by which it laid out the block
NEXT_CALL = 1 * LINE_WORDS  # any capture worker, atomically: calls claimed so far
HEARTBEATS = 2 * LINE_WORDS  # one line per worker, written by that worker: its count of beats, ...
WORKING = 1  # ... when what its model runs should come on (CLOCK_MONOTONIC in ns), or when it last did ...
WORKING_CALLS = 2  # ... and in the line's other words the calls whose jobs that are, as far as it can name them
MAX_WORKERS = 64
HEADER_WORDS = HEARTBEATS + MAX_WORKERS * LINE_WORDS

# Slot words.
CALL = 0 * LINE_WORDS  # capture claims (0 -> call), engine frees (call -> 0)
PLAY_TURN = 1 * LINE_WORDS  # engine: the turn that may be heard, 0 for none
MIN_TURN = PLAY_TURN + 1  # engine: turns below are dead, their audio may be discarded
WIRE_RATE_HZ = 2 * LINE_WORDS  # capture: rate of the reply ring
REPLY_POSITION = WIRE_RATE_HZ + 1  # capture: reply samples below are played or discarded
PLAYED_TURN = WIRE_RATE_HZ + 2  # capture: the turn played last ...
PLAYED_SAMPLE = WIRE_RATE_HZ + 3  # ... and the reply index up to which it was played
CALLER_LEVEL = WIRE_RATE_HZ + 4  # capture: RMS of what arrived last
FRAMES_MISSED = WIRE_RATE_HZ + 5  # capture: 20 ms frames that were not sent in time
UNDERRUNS = WIRE_RATE_HZ + 6  # capture: frames of silence inside a turn, because TTS was late
PLAYING = WIRE_RATE_HZ + 7  # capture: the turn that is being sent, 0 for none
CALLER_RING = 3 * LINE_WORDS  # capture
LINE_RING = 4 * LINE_WORDS  # capture
REPLY_RING = 5 * LINE_WORDS  # TTS
SPEAK_TURN = 6 * LINE_WORDS  # TTS: the phrase being written, for whoever must write on after a crash:
SPEAK_PHRASE = SPEAK_TURN + 1  # 2 * its number in the turn, + 1 until its last sample is in the ring,
PHRASE_START = SPEAK_TURN + 2  # and its first reply sample
TURN_TABLE = 7 * LINE_WORDS  # TTS: entry (turn % TURN_ENTRIES) is (turn, start sample, end sample or -1, unused)
TURN_ENTRIES = 8
TURN_ENTRY_WORDS = 4
SLOT_WORDS = TURN_TABLE + TURN_ENTRIES * TURN_ENTRY_WORDS


class Layout(msgspec.Struct, frozen=True):
    """The sizes of an exchange; the engine tells them to its workers."""

    max_calls: int = 32
    caller_samples: int = 32 * MEDIA_RATE_HZ
    """32 s: a worker that dies and comes back finds the whole utterance, model loading included."""
    line_samples: int = 32 * MEDIA_RATE_HZ
    reply_samples: int = 16 * MEDIA_RATE_HZ
    """At the wire's rate: 32 s of reply ahead at 8 kHz, 16 s at 16 kHz."""

    @property
    def words(self) -> tuple[int, ...]:
        """What the header says of the layout: at most 7 words. The slot's is there to tell versions apart."""
        return self.max_calls, self.caller_samples, self.line_samples, self.reply_samples, SLOT_WORDS

    @property
    def num_bytes(self) -> int:
        """Size of the whole block."""
        audio = self.caller_samples + self.line_samples + self.reply_samples
        return 8 * (HEADER_WORDS + SLOT_WORDS * self.max_calls) + 2 * audio * self.max_calls


class Slot:
    """One call's part of the exchange."""

    def __init__(self, exchange: Exchange, index: int) -> None:
        self.index = index
        self.words = exchange.slot_words[index]
        self.caller = AudioRing(self.words[CALLER_RING : CALLER_RING + LINE_WORDS], exchange.caller[index])
        self.line = AudioRing(self.words[LINE_RING : LINE_RING + LINE_WORDS], exchange.line[index])
        self.reply = AudioRing(self.words[REPLY_RING : REPLY_RING + LINE_WORDS], exchange.reply[index])

    @property
    def call(self) -> int:
        """The call that holds the slot, 0 while it is free."""
        return load_acquire(self.words, CALL)

    def load(self, word: int) -> int:
        """Load-acquire one of the slot's words."""
        return load_acquire(self.words, word)

    def store(self, word: int, value: int) -> None:
        """Store-release one of the slot's words. Only for the word's writer."""
        store_release(self.words, word, value)


class Exchange:
    """The mapped block. ``Exchange.create`` in the engine, ``Exchange.attach`` in a worker."""

    def __init__(self, fd: int, layout: Layout) -> None:
        self.fd = fd
        self.layout = layout
        # np.frombuffer keeps the map alive as long as any view of it: a late reader cannot touch unmapped memory.
        block = np.frombuffer(mmap.mmap(fd, layout.num_bytes), np.uint8)
        offset = 0

        def take(dtype: type, *shape: int) -> Any:
            nonlocal offset
            num_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
            view: Any = block[offset : offset + num_bytes].view(dtype).reshape(shape)
            offset += num_bytes
            return view

        self.header: np.ndarray[tuple[int], np.dtype[np.int64]] = take(np.int64, HEADER_WORDS)
        self.slot_words: np.ndarray[tuple[int, int], np.dtype[np.int64]] = take(np.int64, layout.max_calls, SLOT_WORDS)
        self.caller: np.ndarray[tuple[int, int], np.dtype[np.int16]] = take(
            np.int16, layout.max_calls, layout.caller_samples
        )
        self.line: np.ndarray[tuple[int, int], np.dtype[np.int16]] = take(
            np.int16, layout.max_calls, layout.line_samples
        )
        self.reply: np.ndarray[tuple[int, int], np.dtype[np.int16]] = take(
            np.int16, layout.max_calls, layout.reply_samples
        )
        self.slots = [Slot(self, index) for index in range(layout.max_calls)]

    @classmethod
    def create(cls, layout: Layout) -> Exchange:
        """A new, empty exchange. Its size is sealed, so that no process can truncate it under another."""
        fd = os.memfd_create(f"ringline-exchange-{os.getpid()}", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(fd, layout.num_bytes)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
        exchange = cls(fd, layout)
        exchange.header[LAYOUT : LAYOUT + len(layout.words)] = layout.words
        return exchange

    @classmethod
    def attach(cls, fd: int, layout: Layout) -> Exchange:
        """The exchange behind an inherited file descriptor. Raises ValueError if it was laid out in another way."""
        if os.fstat(fd).st_size != layout.num_bytes:
            raise ValueError(f"the exchange has {os.fstat(fd).st_size} bytes, its layout says {layout.num_bytes}")
        exchange = cls(fd, layout)
        words = tuple(exchange.header[LAYOUT : LAYOUT + len(layout.words)].tolist())
        if words != layout.words:
            raise ValueError(f"the exchange was laid out as {words}, not as {layout.words}")
        return exchange

    def close(self) -> None:
        """Close the file descriptor. The memory goes with the last view of it."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def admit(self, welcome: bool) -> None:
        """Engine: open or shut the door for new calls."""
        store_release(self.header, ADMIT, int(welcome))

    def claim(self, worker_index: int, wire_rate_hz: int) -> Slot | None:
        """Capture: take a free slot for a new call; None when there is none or no calls are welcome.

        The call's number is unique in the life of the engine and names the claiming worker, so that the engine can free
        what a dead worker had claimed (see `owner`).
        """
        if not load_acquire(self.header, ADMIT):
            return None
        call = 0
        for slot in self.slots:
            if slot.call:
                continue
            call = call or ((fetch_add(self.header, NEXT_CALL, 1) + 1) * MAX_WORKERS + worker_index)
            if compare_exchange(slot.words, CALL, 0, call):
                slot.store(WIRE_RATE_HZ, wire_rate_hz)
                return slot
        return None

    def free(self, slot: Slot) -> None:
        """Engine: give the slot back. Only when no worker will touch it for its call any more."""
        slot.words[CALL + 1 :] = 0
        # SYNC POINT (with claim): who finds the slot free finds it clean.
        store_release(slot.words, CALL, 0)

    def beat(self, worker_index: int) -> None:
        """A worker's main loop is alive."""
        self.header[HEARTBEATS + worker_index * LINE_WORDS] += 1

    def heartbeat(self, worker_index: int) -> int:
        """The worker's count of beats."""
        return int(self.header[HEARTBEATS + worker_index * LINE_WORDS])

    def working_words(self, worker_index: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Where the worker writes when its model should come on or last did, and the calls it is working on."""
        line = HEARTBEATS + worker_index * LINE_WORDS
        return self.header[line + WORKING : line + LINE_WORDS]

    def working_on(self, worker_index: int) -> frozenset[int]:
        """The calls the worker is working on, or was when it died. Empty: none, or it cannot say."""
        return frozenset(self.working_words(worker_index)[WORKING_CALLS - WORKING :].tolist()) - {0}

    def run_due_ns(self, worker_index: int) -> int:
        """When what the worker's model is running should come on, by what such runs have cost; if it runs nothing, when
        it last did. 0: it has not yet run anything, or cannot say."""
        return int(self.working_words(worker_index)[0])


def owner(call: int) -> int:
    """Index of the capture worker that claimed the call."""
    return call % MAX_WORKERS
