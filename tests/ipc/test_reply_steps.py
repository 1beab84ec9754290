"""The gate between any two stores: a writer that dies there, and a reader that looks there.

A writer's stores are recorded on a copy of the slot, and then done one by one on the slot itself.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from ringline.ipc import reply
from ringline.ipc.exchange import (
    MIN_TURN,
    PLAY_TURN,
    REPLY_RING,
    TURN_ENTRIES,
    TURN_ENTRY_WORDS,
    TURN_TABLE,
    Exchange,
    Layout,
    Slot,
)
from ringline.ipc.reply import PLAYED_OUT, ReplyWriter, reply_take
from ringline.ipc.ring import CLAIMED, WRITTEN, AudioRing, Samples

CAPACITY = 256
FRAME_SAMPLES = 8

Step = tuple[str, int, Any]
"""("word", its index, the value) or ("samples", their index, the samples)."""
Request = tuple[int, int, int, bool]
"""Of a phrase: turn, phrase, its number of samples, whether it is the turn's last."""


class RecordingRing(AudioRing):
    def __init__(self, ring: AudioRing, steps: list[Step]) -> None:
        super().__init__(ring.words, ring.samples)
        self.steps = steps

    def write(self, source: Samples) -> int:
        start = self.written
        end = super().write(source)
        self.steps.append(("word", REPLY_RING + CLAIMED, end))
        self.steps.append(("samples", start, source.copy()))
        self.steps.append(("word", REPLY_RING + WRITTEN, end))
        return end


class RecordingSlot(Slot):
    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange, 0)
        self.steps: list[Step] = []
        self.reply = RecordingRing(self.reply, self.steps)

    def store(self, word: int, value: int) -> None:
        super().store(word, value)
        self.steps.append(("word", word, value))


def new_slot() -> Slot:
    exchange = Exchange.create(Layout(1, 8, 8, CAPACITY))
    exchange.close()  # the views keep the memory
    return exchange.slots[0]


def record(state: Slot, operation: Callable[[ReplyWriter], None]) -> list[Step]:
    """The stores of an operation, in their order, on a copy of the slot."""
    exchange = Exchange.create(Layout(1, 8, 8, CAPACITY))
    exchange.close()
    slot = RecordingSlot(exchange)
    slot.words[:] = state.words
    slot.reply.samples[:] = state.reply.samples
    operation(ReplyWriter(slot))
    return slot.steps


def do(slot: Slot, steps: list[Step]) -> None:
    for kind, index, value in steps:
        if kind == "word":
            slot.words[index] = value
        else:
            for i, sample in enumerate(value):
                slot.reply.samples[(index + i) % CAPACITY] = sample


def copy_of(slot: Slot) -> Slot:
    copy = new_slot()
    copy.words[:] = slot.words
    copy.reply.samples[:] = slot.reply.samples
    return copy


def turn_samples(turn: int, start: int, count: int) -> Samples:
    return (np.arange(start, start + count) + 1000 * turn).astype(np.int16)


def speak(writer: ReplyWriter, requests: list[Request]) -> None:
    """What the TTS worker does with its requests, whether they come for the first time or once more."""
    lengths: dict[int, int] = {}
    for turn, phrase, num_samples, last in requests:
        offset = lengths.get(turn, 0)
        lengths[turn] = offset + num_samples
        if writer.has(turn, phrase):
            if last and writer.turn == turn:
                writer.end(turn)
            continue
        writer.begin(turn)
        done = writer.begin_phrase(phrase)
        while done < num_samples:
            count = min(5, num_samples - done)
            writer.write(turn_samples(turn, phrase_start(turn, phrase) + done, count))
            done += count
        writer.end_phrase(phrase)
        if last:
            writer.end(turn)


REQUESTS: list[Request] = [(1, 0, 12, False), (1, 1, 7, False), (1, 2, 0, True), (2, 0, 3, True)]
# A draft that is given up for a newer one, and a turn in the place that turn 1 has in the table.
REQUESTS += [(3, 0, 6, False), (4, 0, 9, False), (4, 1, 4, True), (1 + TURN_ENTRIES, 0, 11, True)]


def phrase_start(turn: int, phrase: int) -> int:
    return sum(length for other, number, length, _ in REQUESTS if other == turn and number < phrase)


def turn_length(turn: int) -> int:
    return phrase_start(turn, 99)


FULL = record(new_slot(), lambda writer: speak(writer, REQUESTS))


def completed(steps: list[Step]) -> int:
    """How many phrases had been reported as finished at the latest, when the writer died after these steps."""
    for count in range(len(REQUESTS) + 1):
        if len(record(new_slot(), lambda writer, count=count: speak(writer, REQUESTS[:count]))) > len(steps):
            return count - 1
    return len(REQUESTS)


@pytest.mark.parametrize("num_steps", range(len(FULL) + 1))
def test_a_writer_that_dies_after_any_store_is_continued_exactly(num_steps: int) -> None:
    """The engine sends again every phrase whose end it has not heard of; that may have been lost with the writer."""
    died = new_slot()
    do(died, FULL[:num_steps])
    if num_steps < len(FULL) and FULL[num_steps][0] == "samples":
        do(died, [("samples", FULL[num_steps][1], FULL[num_steps][2][:2] * 0 - 1)])  # half copied
    for first in range(completed(FULL[:num_steps]) + 1):
        slot = copy_of(died)
        speak(ReplyWriter(slot), REQUESTS[first:])
        for turn in {request[0] for request in REQUESTS}:
            entry = TURN_TABLE + turn % TURN_ENTRIES * TURN_ENTRY_WORDS
            if turn == 1:
                continue  # its place in the table is taken; its samples were compared on the way
            number, start, end = (int(word) for word in slot.words[entry : entry + 3])
            assert number == turn
            assert end - start == turn_length(turn)
            index = np.arange(start, end) % CAPACITY
            np.testing.assert_array_equal(slot.reply.samples[index], turn_samples(turn, 0, turn_length(turn)))
        assert slot.reply.written == sum(turn_length(turn) for turn in (1, 2, 3, 4, 1 + TURN_ENTRIES))


@pytest.mark.parametrize("num_steps", range(len(FULL) + 1))
def test_has_is_right_after_every_store(num_steps: int) -> None:
    slot = new_slot()
    do(slot, FULL[:num_steps])
    writer = ReplyWriter(slot)
    for count, (turn, phrase, num_samples, _) in enumerate(REQUESTS):
        if not writer.has(turn, phrase):
            # Nothing later is there, and the phrase was not finished before.
            assert count >= completed(FULL[:num_steps])
            assert not any(writer.has(*later[:2]) for later in REQUESTS[count:])
            break
        end = phrase_start(turn, phrase) + num_samples + sum(turn_length(t) for t in range(1, turn))
        assert slot.reply.written >= end


def python_take(between: Callable[[], None]) -> Callable[[Slot], tuple[Samples, int, int]]:
    """`reply_take` as Python code, which calls ``between`` before each of its loads."""

    def load(words: Any, index: int) -> int:
        between()
        return int(words[index])

    def store(words: Any, index: int, value: int) -> None:
        words[index] = value

    scope = {**vars(reply), "load_acquire_at": load, "store_release_at": store}
    for name in ("_discard_dead", "reply_take"):
        compiled: Any = getattr(reply, name)
        scope[name] = types.FunctionType(compiled.py_func.__code__, scope, name)

    def take(slot: Slot) -> tuple[Samples, int, int]:
        frame: Samples = np.zeros(FRAME_SAMPLES, np.int16)
        count, turn, flags = scope["reply_take"](slot.words, slot.reply.samples, frame)
        return frame[:count], turn, flags

    return take


def check_interleavings(before: Slot, steps: list[Step], offset: int, num_samples: int) -> None:
    """Takes one frame with the writer's stores ``[i:j]`` before its k-th load, for every i, j and k, and then the rest.

    The turn that may be heard goes on at its sample ``offset``, and ``num_samples`` of it follow.
    """
    for i in range(len(steps) + 1):
        for j in range(i, len(steps) + 1):
            if i == j and i:
                continue
            num_loads = 1
            k = 0
            while k < num_loads:
                slot = copy_of(before)
                do(slot, steps[:i])
                loads = 0

                def between(slot: Slot = slot, i: int = i, j: int = j, k: int = k) -> None:
                    nonlocal loads
                    if loads == k:
                        do(slot, steps[i:j])
                    loads += 1

                heard: list[int] = []
                samples, _, flags = python_take(between)(slot)
                num_loads = loads
                heard.extend(samples.tolist())
                do(slot, steps[j:])
                for _ in range(20):
                    frame: Samples = np.zeros(FRAME_SAMPLES, np.int16)
                    count, _, more = reply_take(slot.words, slot.reply.samples, frame)
                    heard.extend(frame[:count].tolist())
                    flags |= more
                turn = slot.load(PLAY_TURN)
                expected = turn_samples(turn, offset, num_samples).tolist()
                assert heard == expected, f"stores {i} to {j} before load {k}"
                k += 1


def spoken(requests: list[Request]) -> Slot:
    slot = new_slot()
    speak(ReplyWriter(slot), requests)
    return slot


def begin_and_write(turn: int, num_samples: int) -> Callable[[ReplyWriter], None]:
    def operation(writer: ReplyWriter) -> None:
        writer.begin(turn)
        writer.write(turn_samples(turn, 0, num_samples))
        writer.end(turn)

    return operation


def test_a_new_turn_is_never_heard_as_the_one_before() -> None:
    slot = new_slot()
    ReplyWriter(slot).begin(1)
    ReplyWriter(slot).write(turn_samples(1, 0, 12))
    slot.store(PLAY_TURN, 1)
    check_interleavings(slot, record(slot, begin_and_write(2, 20)), 0, 12)


def test_a_turn_is_heard_from_its_first_sample_on_even_if_the_gate_is_open_before_it_begins() -> None:
    slot = spoken([(1, 0, 20, True)])
    slot.store(PLAY_TURN, 2)
    slot.store(MIN_TURN, 2)
    check_interleavings(slot, record(slot, begin_and_write(2, 20)), 0, 20)


def test_a_turn_is_heard_from_its_first_sample_on_while_dead_ones_are_discarded() -> None:
    slot = spoken([(1, 0, 20, True), (2, 0, 20, True), (3, 0, 20, False)])
    slot.store(MIN_TURN, 9)
    slot.store(PLAY_TURN, 9)
    check_interleavings(slot, record(slot, begin_and_write(9, 20)), 0, 20)


def test_no_dead_draft_is_heard_when_a_finished_turns_place_in_the_table_is_used_again() -> None:
    """The caller hesitates eight times: the gate is still on the turn heard last, which loses its entry."""
    slot = spoken([(turn, 0, 16, True) for turn in range(1, TURN_ENTRIES + 1)])
    slot.store(PLAY_TURN, 1)
    for _ in range(2):
        frame: Samples = np.zeros(FRAME_SAMPLES, np.int16)
        _, _, flags = reply_take(slot.words, slot.reply.samples, frame)
    assert flags == PLAYED_OUT
    slot.store(MIN_TURN, TURN_ENTRIES + 1)
    check_interleavings(slot, record(slot, begin_and_write(TURN_ENTRIES + 1, 16)), 16, 0)


def test_requests_are_spoken_once_and_in_order() -> None:
    """The program of these tests, without any crash: what the ones above compare with."""
    slot = new_slot()
    do(slot, FULL)
    heard: list[int] = []
    for turn, later in [*pairwise((1 + TURN_ENTRIES,)), (1 + TURN_ENTRIES, 0)]:
        assert later == 0
        slot.store(PLAY_TURN, turn)
        for _ in range(4):
            frame: Samples = np.zeros(FRAME_SAMPLES, np.int16)
            count, _, _ = reply_take(slot.words, slot.reply.samples, frame)
            heard.extend(frame[:count].tolist())
    assert heard == turn_samples(1 + TURN_ENTRIES, 0, turn_length(1 + TURN_ENTRIES)).tolist()


def test_a_peek_between_any_two_stores_sees_nothing_but_its_turn() -> None:
    before = new_slot()
    speak(ReplyWriter(before), [(1, 0, 12, False)])
    steps = record(
        before, lambda writer: speak(writer, [(1, 0, 12, True), (2, 0, 9, True), (1 + TURN_ENTRIES, 0, 9, True)])
    )
    target: Samples = np.zeros(FRAME_SAMPLES, np.int16)
    for i in range(len(steps) + 1):
        for j in range(i, len(steps) + 1):
            for k in range(4):
                slot = copy_of(before)
                do(slot, steps[:i])
                loads = 0

                def load(words: Any, index: int, slot: Slot = slot, i: int = i, j: int = j, k: int = k) -> int:
                    nonlocal loads
                    if loads == k:
                        do(slot, steps[i:j])
                    loads += 1
                    return int(words[index])

                scope = {**vars(reply), "load_acquire_at": load}
                compiled: Any = reply.reply_peek
                peek = types.FunctionType(compiled.py_func.__code__, scope, "reply_peek")
                count = peek(slot.words, slot.reply.samples, 1, 8, target)
                np.testing.assert_array_equal(target[:count], turn_samples(1, 8, 4)[:count])
                if j == 0:
                    assert count == 4
