"""The compiled code really contains the atomics: on x86 nothing else would tell, until it runs on ARM."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest

from ringline.ipc import atomics
from ringline.ipc.reply import reply_take
from ringline.ipc.ring import ring_read, ring_write

WORDS = np.zeros(128, np.int64)
SAMPLES = np.zeros(64, np.int16)
FRAME = np.zeros(16, np.int16)


def emitted(function: Callable[..., Any], *arguments: Any) -> str:
    """The LLVM IR of a function compiled for these arguments; not from the cache, which holds machine code only."""
    fresh = numba.njit(nogil=True)(function.py_func)  # type: ignore[attr-defined]
    fresh(*arguments)
    (ir,) = fresh.inspect_llvm().values()
    return str(ir)


LOAD = r"load atomic i64, .* acquire, align 8"
STORE = r"store atomic i64 .* release, align 8"


def test_load_acquire_is_an_atomic_load() -> None:
    assert re.search(LOAD, emitted(atomics.load_acquire, WORDS, 0))


def test_store_release_is_an_atomic_store() -> None:
    assert re.search(STORE, emitted(atomics.store_release, WORDS, 0, 1))


def test_compare_exchange_is_one_instruction() -> None:
    ir = emitted(atomics.compare_exchange, WORDS, 1, 0, 0)
    assert re.search(r"cmpxchg .* acq_rel acquire", ir)


def test_fetch_add_is_one_instruction() -> None:
    assert re.search(r"atomicrmw add .* acq_rel", emitted(atomics.fetch_add, WORDS, 1, 0))


def test_ring_write_fences_its_copy_off_from_its_claim() -> None:
    ir = emitted(ring_write, WORDS, SAMPLES, FRAME)
    assert len(re.findall(STORE, ir)) == 2  # CLAIMED, WRITTEN
    assert re.search(STORE + r"\n\s*fence release\n", ir)


def test_ring_read_fences_its_look_at_the_claim_off_from_its_copy() -> None:
    ir = emitted(ring_read, WORDS, SAMPLES, 0, FRAME)
    assert re.search(r"fence acquire\n\s*%\S+ = " + LOAD, ir)


def test_reply_take_loads_the_index_and_the_table_with_acquire() -> None:
    ir = emitted(reply_take, WORDS, SAMPLES, FRAME)
    # PLAY_TURN, WRITTEN, the entry's turn, start, end, and the turn once more.
    assert len(re.findall(LOAD, ir)) >= 6
    assert re.search(STORE, ir)


def test_compare_exchange_has_one_winner() -> None:
    words = np.zeros(8, np.int64)
    assert atomics.compare_exchange(words, 3, 0, 7)
    assert not atomics.compare_exchange(words, 3, 0, 8)
    assert atomics.load_acquire(words, 3) == 7


def test_fetch_add_returns_what_stood_there_before() -> None:
    words = np.zeros(8, np.int64)
    assert [atomics.fetch_add(words, 2, 5) for _ in range(3)] == [0, 5, 10]


@pytest.mark.parametrize("words", [np.zeros(8, np.int32), np.zeros((2, 4), np.int64)], ids=["int32", "two dimensions"])
def test_words_of_another_kind_are_refused(words: Any) -> None:
    with pytest.raises(numba.TypingError):
        atomics.load_acquire(words, 0)
