"""What the other process does in the tests: one role a function, started by conftest.py.

Arguments come as a line of JSON on stdin; results leave as lines of JSON on stdout.
"""

from __future__ import annotations

import json
import mmap
import os
import random
import socket
import sys
from typing import Any

import numpy as np

from ringline.ipc.atomics import (
    fetch_add,
    load_acquire,
    load_acquire_at,
    store_release_at,
)
from ringline.ipc.exchange import (
    CALL,
    MIN_TURN,
    PLAY_TURN,
    REPLY_POSITION,
    UNDERRUNS,
    Exchange,
    Layout,
)
from ringline.ipc.jit import compiled
from ringline.ipc.reply import PLAYED_OUT, ReplyWriter, reply_take
from ringline.ipc.ring import CLAIMED, WRITTEN, ring_read, ring_write

CONTROL_WORDS = 32
"""Of a ring in a memfd of its own: a cache line for the ring, and one for each of these."""
GO = 8
DONE = 16
READ = 24


def say(value: Any) -> None:
    print(json.dumps(value), flush=True)


def map_ring(fd: int, capacity: int) -> tuple[Any, Any]:
    block = np.frombuffer(mmap.mmap(fd, 8 * CONTROL_WORDS + 2 * capacity), np.uint8)
    return block[: 8 * CONTROL_WORDS].view(np.int64), block[8 * CONTROL_WORDS :].view(np.int16)


# --- the ring -----------------------------------------------------------------------------------------------------


@compiled
def sample_at(index):  # type: ignore[no-untyped-def]
    """The sample that belongs to an absolute index: an old one in its place, or half of one, does not fit."""
    return np.int16(((index * -7046029254386353131) >> 40) & 0xFFFF)


@compiled
def copy_slowly(words, samples, start, source):  # type: ignore[no-untyped-def]
    """So slowly that a reader comes in between even where both share a processor."""
    for i in range(source.shape[0]):
        samples[(start + i) % samples.shape[0]] = source[i]
        for _ in range(20):
            load_acquire_at(words, GO)


@compiled
def write_too_early(words, samples, source):  # type: ignore[no-untyped-def]
    """`ring_write` with the error the checker is there for: it publishes before it copies."""
    start = load_acquire_at(words, WRITTEN)
    end = start + source.shape[0]
    store_release_at(words, CLAIMED, end)
    store_release_at(words, WRITTEN, end)
    copy_slowly(words, samples, start, source)
    return end


@compiled
def write_unclaimed(words, samples, source):  # type: ignore[no-untyped-def]
    """`ring_write` with another error: it does not say what it is about to overwrite."""
    start = load_acquire_at(words, WRITTEN)
    end = start + source.shape[0]
    copy_slowly(words, samples, start, source)
    store_release_at(words, CLAIMED, end)
    store_release_at(words, WRITTEN, end)
    return end


@compiled
def write_stream(words, samples, end, max_chunk, seed, error):  # type: ignore[no-untyped-def]
    """Write up to index ``end`` in chunks of changing size, at a changing pace: lapping the reader, and starving it."""
    source = np.empty(max_chunk, np.int16)
    position = load_acquire_at(words, WRITTEN)
    while position < end and load_acquire_at(words, DONE) == 0:
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        count = min(end - position, max_chunk if seed & 0x300 else 1 + (seed >> 8) % max_chunk)
        for i in range(count):
            source[i] = sample_at(position + i)
        if error == 1:
            position = write_too_early(words, samples, source[:count])
        elif error == 2:
            position = write_unclaimed(words, samples, source[:count])
        else:
            position = ring_write(words, samples, source[:count])
        pace = (seed >> 12) & 0xF
        for _ in range(0 if pace < 6 else 100 if pace < 10 else 20_000):
            if pace >= 10 and load_acquire_at(words, READ) == position:
                break
            load_acquire_at(words, GO)
    return position


@compiled
def read_stream(words, samples, position, end, max_chunk, seed):  # type: ignore[no-untyped-def]
    """Read up to index ``end``. Returns (received, lost, wrong); stops at the first chunk with wrong samples."""
    target = np.empty(max_chunk, np.int16)
    received = 0
    lost = 0
    while position < end:
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        wanted = max_chunk if seed & 0x300 else 1 + (seed >> 8) % max_chunk
        first, count = ring_read(words, samples, position, target[:wanted])
        lost += first - position
        position = first + count
        store_release_at(words, READ, position)
        received += count
        wrong = 0
        for i in range(count):
            if target[i] != sample_at(first + i):
                wrong += 1
        if wrong:
            return received, lost, wrong
    return received, lost, 0


def ring_writer(fd: int) -> None:
    """Writes one stream for each line on stdin."""
    for line in sys.stdin:
        stream = json.loads(line)
        words, samples = map_ring(fd, stream["capacity"])
        start = int(words[WRITTEN])
        write_stream(words, samples, start, stream["max_chunk"], 1, 0)  # compile
        say("ready")
        while not load_acquire(words, GO):
            pass
        end = start + stream["num_samples"]
        say(write_stream(words, samples, end, stream["max_chunk"], stream["seed"], stream["error"]))


def ring_reader(fd: int) -> None:
    """Reads one stream for each line on stdin."""
    for line in sys.stdin:
        stream = json.loads(line)
        words, samples = map_ring(fd, stream["capacity"])
        start = int(words[WRITTEN])
        read_stream(words, samples, start, start, stream["max_chunk"], 1)
        say("ready")
        while not load_acquire(words, GO):
            pass
        end = start + stream["num_samples"]
        received, lost, wrong = read_stream(words, samples, start, end, stream["max_chunk"], stream["seed"])
        if wrong:
            fetch_add(words, DONE, 1)
        say({"received": received, "lost": lost, "wrong": wrong})


# --- the reply gate -----------------------------------------------------------------------------------------------


def attach(fd: int, layout: dict[str, int]) -> Exchange:
    return Exchange.attach(fd, Layout(**layout))


def turn_length(turn: int) -> int:
    return 1 + turn * 7919 % 2500


def turn_samples(turn: int, start: int, count: int) -> Any:
    """What turn ``turn`` says from its sample ``start`` on: no two turns are alike anywhere near."""
    index = np.arange(start, start + count, dtype=np.int64) + turn * 1_000_003
    return ((index * -7046029254386353131) >> 40).astype(np.int16)


def speaker(fd: int, layout: dict[str, int], num_turns: int, max_drafts: int, seed: int) -> None:
    """TTS: speaks every turn in two phrases, as far ahead as the ring and the table let it; leaves dead turns."""
    slot = attach(fd, layout).slots[0]
    chance = random.Random(seed)
    writer = ReplyWriter(slot)
    say("ready")
    for turn in range(1, num_turns + 1):
        while turn > max(slot.load(PLAY_TURN), slot.load(MIN_TURN)) + max_drafts:
            os.sched_yield()
        writer.begin(turn)
        spoken, length = 0, turn_length(turn)
        for phrase, phrase_end in enumerate((length // 2, length)):
            writer.begin_phrase(phrase)
            while spoken < phrase_end and slot.load(MIN_TURN) <= turn:
                room = writer.room()
                if not 0 <= room <= slot.reply.capacity:
                    raise AssertionError(f"room for {room} samples")
                count = min(phrase_end - spoken, room, chance.choice((1, 37, 160, 400)))
                if count:
                    writer.write(turn_samples(turn, spoken, count))
                    spoken += count
                else:
                    os.sched_yield()
            writer.end_phrase(phrase)
        writer.end(turn)
    say(slot.reply.written)


def player(fd: int, layout: dict[str, int], num_turns: int, frame_samples: int) -> None:
    """Capture: takes frames, and checks that each holds the next samples of the turn that may be heard."""
    slot = attach(fd, layout).slots[0]
    frame = np.zeros(frame_samples, np.int16)
    heard: dict[int, int] = {}
    finished: set[int] = set()
    say("ready")
    newest = 0
    while num_turns not in finished:
        count, turn, flags = reply_take(slot.words, slot.reply.samples, frame)
        if turn < newest and (count or flags) and turn:
            raise AssertionError(f"turn {turn} was heard after turn {newest}")
        if not count:
            os.sched_yield()
        else:
            newest = turn
            start = heard.get(turn, 0)
            if not np.array_equal(frame[:count], turn_samples(turn, start, count)):
                raise AssertionError(f"turn {turn}: wrong samples from {start} on")
            heard[turn] = start + count
            if count < frame_samples and not flags & PLAYED_OUT:
                raise AssertionError(f"turn {turn}: half a frame in its middle")
        if flags & PLAYED_OUT and turn not in finished:
            finished.add(turn)
            if slot.load(MIN_TURN) <= turn and heard.get(turn, 0) != turn_length(turn):
                raise AssertionError(f"turn {turn}: {heard.get(turn, 0)} samples of {turn_length(turn)}")
    say({"heard": sum(heard.values()), "finished": len(finished), "turns": len(heard)})


# --- slots --------------------------------------------------------------------------------------------------------

OWNERS = CALL + 7
"""A word that nobody else uses: how many processes think that the slot is theirs."""


def claimer(fd: int, layout: dict[str, int], worker_index: int, num_calls: int) -> None:
    """Capture: claims slots and gives them up again, by a word in the slot that the test's engine looks at."""
    exchange = attach(fd, layout)
    say("ready")
    sys.stdin.readline()
    calls, refused = [], 0
    while len(calls) < num_calls:
        slot = exchange.claim(worker_index, 8000)
        if slot is None:
            refused += 1
            os.sched_yield()
            continue
        dirty = [int(word) for word in slot.words if word not in (0, slot.call, 8000)]
        if fetch_add(slot.words, OWNERS, 1) != 0 or dirty:
            raise AssertionError(f"slot {slot.index} was claimed twice, or not clean: {dirty}")
        calls.append(slot.call)
        slot.reply.write(np.ones(5, np.int16))
        slot.store(REPLY_POSITION, 3)
        fetch_add(slot.words, OWNERS, -1)
        slot.store(UNDERRUNS, 1)  # over: the engine may free it
    say({"calls": calls, "refused": refused})


def greedy(fd: int, layout: dict[str, int], worker_index: int) -> None:
    """Capture: claims until there is nothing left."""
    exchange = attach(fd, layout)
    say("ready")
    sys.stdin.readline()
    slots = []
    while (slot := exchange.claim(worker_index, 8000)) is not None:
        slots.append((slot.index, slot.call))
    say(slots)


# --- life and death -----------------------------------------------------------------------------------------------


def owner(layout: dict[str, int]) -> None:
    """An engine that makes an exchange, and a worker of its own that holds it too."""
    import subprocess

    exchange = Exchange.create(Layout(**layout))
    worker = subprocess.Popen(
        [sys.executable, __file__, "holder"], stdin=subprocess.PIPE, pass_fds=(exchange.fd,), text=True
    )
    assert worker.stdin is not None
    worker.stdin.write(json.dumps({"fd": exchange.fd, "layout": layout}) + "\n")
    worker.stdin.flush()
    sys.stdin.readline()


def holder(fd: int, layout: dict[str, int]) -> None:
    exchange = attach(fd, layout)
    say({"pids": [os.getppid(), os.getpid()], "inode": os.fstat(exchange.fd).st_ino})
    sys.stdin.readline()


def bus_worker(address: str, name: str) -> None:
    """A worker that says that it is ready, and then returns what it is asked for as partial transcripts."""
    from ringline.ipc.bus import WorkerBus
    from ringline.ipc.messages import ShutDown, TranscriptPartial, WorkerReady

    bus = WorkerBus(address, name)
    bus.send(WorkerReady(os.getpid()))
    num_received = 0
    while True:
        bus.wait(1000)
        for message in bus.drain():
            if isinstance(message, ShutDown):
                bus.close()
                say(num_received)
                return
            bus.send(TranscriptPartial(message.call, num_received, type(message).__name__))
            num_received += 1


def bus_engine(run_id: str) -> None:
    """An engine's end of the bus, and nothing else of it."""
    from ringline.ipc.bus import EngineBus

    say(EngineBus(run_id).address)
    sys.stdin.readline()


def visitor(user: int, name: str) -> None:
    """Another user's process, which tries to connect: says how many bytes of greeting it gets."""
    os.setuid(user)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(f"\0{name}")
        say(len(connection.recv(1)))


ROLES = (ring_writer, ring_reader, speaker, player, claimer, greedy, owner, holder, bus_worker, bus_engine, visitor)


def main() -> None:
    role = {function.__name__: function for function in ROLES}[sys.argv[1]]
    role(**json.loads(sys.stdin.readline()))


if __name__ == "__main__":
    main()
