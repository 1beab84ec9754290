"""Two processes on one ring, every sample checked: each is a function of its index, so that a stale or torn one shows."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ringline.ipc.atomics import store_release
from ringline.ipc.ring import CLAIMED, WRITTEN

FRAME_SAMPLES = 160
CONTROL_WORDS, GO = 32, 8


def stress(
    start_peer: Callable[..., Any],
    fd: int,
    capacity: int,
    *,
    num_samples: int,
    start: int = 0,
    num_readers: int = 1,
    error: int = 0,
) -> list[dict[str, int]]:
    words = np.frombuffer(mmap.mmap(fd, 8 * CONTROL_WORDS), np.int64)
    words[CLAIMED] = words[WRITTEN] = start
    ring = {"fd": fd, "capacity": capacity, "num_samples": num_samples, "max_chunk": FRAME_SAMPLES}
    writer = start_peer("ring_writer", fds=(fd,), seed=1, error=error, **ring)
    readers = [start_peer("ring_reader", fds=(fd,), seed=2 + n, **ring) for n in range(num_readers)]
    for peer in (writer, *readers):
        assert peer.line() == "ready"
    store_release(words, GO, 1)
    results = [reader.result() for reader in readers]
    writer.result()
    return results


@pytest.mark.parametrize("num_frames", [1, 2, 3, 64])
def test_every_sample_is_received_or_reported_lost(
    num_frames: int, start_peer: Callable[..., Any], shared_fd: Callable[[int], int]
) -> None:
    capacity, num_samples = num_frames * FRAME_SAMPLES, 20_000_000
    fd = shared_fd(8 * CONTROL_WORDS + 2 * capacity)
    (result,) = stress(start_peer, fd, capacity, num_samples=num_samples)
    assert result["wrong"] == 0
    assert result["received"] + result["lost"] == num_samples
    assert result["received"] > 0


def test_two_readers_do_not_disturb_each_other(
    start_peer: Callable[..., Any], shared_fd: Callable[[int], int]
) -> None:
    capacity, num_samples = 3 * FRAME_SAMPLES, 10_000_000
    fd = shared_fd(8 * CONTROL_WORDS + 2 * capacity)
    for result in stress(start_peer, fd, capacity, num_samples=num_samples, num_readers=2):
        assert result["wrong"] == 0
        assert result["received"] + result["lost"] == num_samples


def test_indexes_pass_2_to_the_32_under_load(start_peer: Callable[..., Any], shared_fd: Callable[[int], int]) -> None:
    capacity, num_samples = 3 * FRAME_SAMPLES, 4_000_000
    fd = shared_fd(8 * CONTROL_WORDS + 2 * capacity)
    (result,) = stress(start_peer, fd, capacity, num_samples=num_samples, start=2**32 - num_samples // 2)
    assert result["wrong"] == 0
    assert result["received"] + result["lost"] == num_samples


@pytest.mark.parametrize(("error", "name"), [(1, "publishes before it copies"), (2, "overwrites without a claim")])
def test_the_checker_catches_a_writer_that(
    error: int, name: str, start_peer: Callable[..., Any], shared_fd: Callable[[int], int]
) -> None:
    capacity = 2 * FRAME_SAMPLES
    fd = shared_fd(8 * CONTROL_WORDS + 2 * capacity)
    (result,) = stress(start_peer, fd, capacity, num_samples=2_000_000_000, error=error)
    assert result["wrong"] > 0, f"a writer that {name} went unseen"
