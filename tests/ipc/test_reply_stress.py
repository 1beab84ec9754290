"""Engine, TTS and capture, each in its own process, on one reply ring: what is heard is checked sample by sample."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from ringline.ipc.exchange import (
    MIN_TURN,
    PLAY_TURN,
    PLAYED_SAMPLE,
    PLAYED_TURN,
    TURN_ENTRIES,
    TURN_ENTRY_WORDS,
    TURN_TABLE,
    Exchange,
    Slot,
)


@pytest.mark.parametrize(("reply_samples", "seed"), [(160, 1), (487, 2), (4000, 3)])
def test_only_the_turn_that_may_be_heard_is_heard_and_all_of_it(
    reply_samples: int, seed: int, make_exchange: Callable[..., Exchange], start_peer: Callable[..., Any]
) -> None:
    num_turns = 200
    exchange = make_exchange(reply_samples=reply_samples)
    slot = exchange.claim(0, 8000)
    assert slot is not None
    shared = {"fd": exchange.fd, "layout": msgspec.to_builtins(exchange.layout), "num_turns": num_turns}
    tts = start_peer("speaker", fds=(exchange.fd,), max_drafts=3, seed=seed, **shared)
    capture = start_peer("player", fds=(exchange.fd,), frame_samples=160, **shared)
    for peer in (tts, capture):
        assert peer.line() == "ready"

    chance = random.Random(seed)
    num_whole = 0
    for turn in range(1, num_turns + 1):
        slot.store(PLAY_TURN, turn)
        for _ in range(chance.choice((0, 0, 1, 3))):
            rest(chance)
            slot.store(PLAY_TURN, 0)  # the caller says something; was it meant for us?
            rest(chance)
            slot.store(PLAY_TURN, turn)
        if turn == num_turns or chance.random() < 0.4:
            num_whole += 1
            while not played_out(slot, turn):
                assert all(peer.process.poll() in (None, 0) for peer in (tts, capture)), "a peer has failed"
                os.sched_yield()
        else:
            rest(chance)
        slot.store(MIN_TURN, turn + 1 if turn < num_turns else turn)
    result = capture.result()
    assert result["finished"] >= num_whole
    assert tts.result() >= result["heard"]


def rest(chance: random.Random) -> None:
    """Let the others run for a while, of a length that is no multiple of anything."""
    for _ in range(chance.choice((0, 1, 3, 30))):
        os.sched_yield()


def played_out(slot: Slot, turn: int) -> bool:
    entry = TURN_TABLE + turn % TURN_ENTRIES * TURN_ENTRY_WORDS
    if slot.load(entry) != turn:
        return False  # not begun yet
    start, end = slot.load(entry + 1), slot.load(entry + 2)
    return end == start or (slot.load(PLAYED_TURN) == turn and slot.load(PLAYED_SAMPLE) == end)
