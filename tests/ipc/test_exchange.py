"""The shared block: who may map it, whose the slots are, and when it is gone."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from ringline.ipc.exchange import (
    HEADER_WORDS,
    LINE_WORDS,
    MAX_WORKERS,
    PLAY_TURN,
    SLOT_WORDS,
    UNDERRUNS,
    WIRE_RATE_HZ,
    Exchange,
    Layout,
    owner,
)

MakeExchange = Callable[..., Exchange]


def test_two_mappings_see_the_same_memory(make_exchange: MakeExchange) -> None:
    exchange = make_exchange()
    other = Exchange.attach(exchange.fd, exchange.layout)
    slot = exchange.claim(3, 8000)
    assert slot is not None
    slot.caller.write(np.arange(5, dtype=np.int16))
    assert other.slots[0].call == slot.call
    np.testing.assert_array_equal(other.slots[0].caller.read(0, 9).samples, np.arange(5))


def test_its_size_is_sealed(make_exchange: MakeExchange) -> None:
    exchange = make_exchange()
    for num_bytes in (0, exchange.layout.num_bytes + 4096):
        with pytest.raises(PermissionError):
            os.ftruncate(exchange.fd, num_bytes)


def test_it_has_no_name_in_the_file_system(make_exchange: MakeExchange) -> None:
    exchange = make_exchange()
    assert os.readlink(f"/proc/self/fd/{exchange.fd}") == f"/memfd:ringline-exchange-{os.getpid()} (deleted)"
    assert not any("ringline-exchange" in name for name in os.listdir("/dev/shm"))


def test_it_is_not_inherited_unless_handed_over(make_exchange: MakeExchange) -> None:
    assert not os.get_inheritable(make_exchange().fd)


def test_attaching_with_another_size_is_refused(make_exchange: MakeExchange) -> None:
    exchange = make_exchange()
    with pytest.raises(ValueError, match="bytes, its layout says"):
        Exchange.attach(exchange.fd, msgspec.structs.replace(exchange.layout, max_calls=2))


def test_attaching_with_another_layout_of_the_same_size_is_refused(make_exchange: MakeExchange) -> None:
    exchange = make_exchange(caller_samples=320, line_samples=640)
    swapped = msgspec.structs.replace(exchange.layout, caller_samples=640, line_samples=320)
    assert swapped.num_bytes == exchange.layout.num_bytes
    with pytest.raises(ValueError, match="laid out"):
        Exchange.attach(exchange.fd, swapped)


def test_control_words_of_different_writers_share_no_cache_line(make_exchange: MakeExchange) -> None:
    exchange = make_exchange(max_calls=3)
    assert HEADER_WORDS % LINE_WORDS == SLOT_WORDS % LINE_WORDS == 0
    assert exchange.slot_words.ctypes.data % 64 == 0


def test_no_two_rings_overlap(make_exchange: MakeExchange) -> None:
    exchange = make_exchange(max_calls=2, caller_samples=7, line_samples=11, reply_samples=13)
    rings = [ring for slot in exchange.slots for ring in (slot.caller, slot.line, slot.reply)]
    for number, ring in enumerate(rings, 1):
        ring.samples[:] = number
    for number, ring in enumerate(rings, 1):
        assert (ring.samples == number).all()
    assert not exchange.slot_words.any()


def test_a_view_outlives_its_exchange(make_exchange: MakeExchange) -> None:
    """A late reader reads old samples; it does not crash."""
    exchange = Exchange.create(Layout(1, 64, 64, 64))
    ring = exchange.slots[0].caller
    exchange.close()
    del exchange
    ring.write(np.arange(4, dtype=np.int16))
    assert ring.read(0, 9).samples.shape[0] == 4


def test_closing_twice_is_harmless() -> None:
    exchange = Exchange.create(Layout(1, 64, 64, 64))
    exchange.close()
    exchange.close()


def test_no_call_is_taken_before_calls_are_welcome() -> None:
    exchange = Exchange.create(Layout(1, 64, 64, 64))
    assert exchange.claim(0, 8000) is None
    exchange.admit(True)
    assert exchange.claim(0, 8000) is not None
    exchange.close()


def test_no_call_is_taken_while_draining(make_exchange: MakeExchange) -> None:
    exchange = make_exchange(max_calls=2)
    exchange.admit(False)
    assert exchange.claim(0, 8000) is None


def test_a_call_names_the_worker_that_claimed_it(make_exchange: MakeExchange) -> None:
    exchange = make_exchange(max_calls=2)
    for worker_index in (0, MAX_WORKERS - 1):
        slot = exchange.claim(worker_index, 16_000)
        assert slot is not None
        assert owner(slot.call) == worker_index
        assert slot.load(WIRE_RATE_HZ) == 16_000


def test_a_freed_slot_comes_back_clean_under_another_number(make_exchange: MakeExchange) -> None:
    exchange = make_exchange()
    slot = exchange.claim(0, 8000)
    assert slot is not None
    first = slot.call
    slot.words[1:] = 77
    exchange.free(slot)
    assert slot.call == 0
    again = exchange.claim(0, 16_000)
    assert again is not None
    assert again.call not in (0, first)
    assert again.load(WIRE_RATE_HZ) == 16_000
    again.store(WIRE_RATE_HZ, 0)
    assert not again.words[1:].any()
    assert again.caller.read(0, 640).samples.shape[0] == 0


def test_a_refused_call_leaves_no_trace(make_exchange: MakeExchange) -> None:
    exchange = make_exchange()
    slot = exchange.claim(0, 8000)
    assert slot is not None
    slot.store(PLAY_TURN, 5)
    before = exchange.slot_words.copy()
    assert exchange.claim(1, 16_000) is None
    np.testing.assert_array_equal(exchange.slot_words, before)


def test_each_worker_has_a_heartbeat_of_its_own(make_exchange: MakeExchange) -> None:
    exchange = make_exchange()
    exchange.beat(0)
    exchange.beat(0)
    exchange.beat(MAX_WORKERS - 1)
    assert [exchange.heartbeat(n) for n in (0, 1, MAX_WORKERS - 1)] == [2, 0, 1]
    assert not exchange.slot_words.any()


def test_processes_that_claim_at_once_get_exactly_all_slots(
    make_exchange: MakeExchange, start_peer: Callable[..., Any]
) -> None:
    exchange = make_exchange(max_calls=200, caller_samples=8, line_samples=8, reply_samples=8)
    shared = {"fd": exchange.fd, "layout": msgspec.to_builtins(exchange.layout)}
    peers = [start_peer("greedy", fds=(exchange.fd,), worker_index=index, **shared) for index in range(3)]
    for peer in peers:
        assert peer.line() == "ready"
    for peer in peers:
        peer.tell()
    claims = [(slot, call, index) for index, peer in enumerate(peers) for slot, call in peer.result()]
    assert sorted(slot for slot, _, _ in claims) == list(range(200))
    assert len({call for _, call, _ in claims}) == 200
    assert all(owner(call) == index for _, call, index in claims)
    assert all(exchange.slots[slot].call == call for slot, call, _ in claims)
    assert exchange.claim(0, 8000) is None


def test_no_slot_is_ever_held_twice_while_others_are_freed(
    make_exchange: MakeExchange, start_peer: Callable[..., Any]
) -> None:
    exchange = make_exchange(max_calls=3, caller_samples=8, line_samples=8, reply_samples=8)
    shared = {"fd": exchange.fd, "layout": msgspec.to_builtins(exchange.layout), "num_calls": 200}
    peers = [start_peer("claimer", fds=(exchange.fd,), worker_index=index, **shared) for index in range(3)]
    for peer in peers:
        assert peer.line() == "ready"
    for peer in peers:
        peer.tell()
    chance, freed = random.Random(7), 0
    while freed < 3 * 200:
        slot = chance.choice(exchange.slots)
        if slot.call and slot.load(UNDERRUNS):
            exchange.free(slot)
            freed += 1
        else:
            os.sched_yield()
        assert all(peer.process.poll() in (None, 0) for peer in peers)
    calls = [call for peer in peers for call in peer.result()["calls"]]
    assert len(calls) == len(set(calls)) == 600


def test_the_memory_is_gone_with_its_processes(start_peer: Callable[..., Any]) -> None:
    engine = start_peer("owner", layout=msgspec.to_builtins(Layout(1, 64, 64, 64)))
    held = engine.line()
    assert len(mappers(held["inode"])) == 2
    os.kill(held["pids"][1], 9)
    engine.kill()
    while mappers(held["inode"]):  # a killed process takes a moment to go; the suite's timeout is the watchdog
        os.sched_yield()


def mappers(inode: int) -> list[str]:
    """The processes that map the exchange with this inode."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            maps = (process / "maps").read_text()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it has just ended, or is not ours
        if any("ringline-exchange" in line and line.split()[4] == str(inode) for line in maps.splitlines()):
            found.append(process.name)
    return found
