"""Two processes on one ring, every sample checked: a function of its index, so that a stale or torn one shows."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from ringline.ipc.atomics import store_release
from ringline.ipc.ring import CLAIMED, WRITTEN

FRAME_SAMPLES = 160
MAX_FRAMES = 64
CONTROL_WORDS, GO = 32, 8

Stress = Callable[..., list[dict[str, int]]]


@pytest.fixture(scope="module")
def stress(start_lasting_peer: Callable[..., Any]) -> Iterator[Stress]:
    """Runs one stream of samples from one process to one or two others."""
    num_bytes = 8 * CONTROL_WORDS + 2 * MAX_FRAMES * FRAME_SAMPLES
    fd = os.memfd_create("ringline-test", os.MFD_CLOEXEC)
    os.ftruncate(fd, num_bytes)
    words = np.frombuffer(mmap.mmap(fd, num_bytes), np.int64, CONTROL_WORDS)
    writer = start_lasting_peer("ring_writer", fds=(fd,), fd=fd)
    readers = [start_lasting_peer("ring_reader", fds=(fd,), fd=fd) for _ in range(2)]

    def run(
        num_frames: int, num_samples: int, *, start: int = 0, num_readers: int = 1, error: int = 0
    ) -> list[dict[str, int]]:
        words[:] = 0
        words[CLAIMED] = words[WRITTEN] = start
        stream = {"capacity": num_frames * FRAME_SAMPLES, "num_samples": num_samples, "max_chunk": FRAME_SAMPLES}
        for seed, peer in enumerate((writer, *readers[:num_readers])):
            peer.tell(stream | {"seed": seed, "error": error})
            assert peer.line() == "ready"
        store_release(words, GO, 1)
        results = [reader.line() for reader in readers[:num_readers]]
        writer.line()
        return results

    yield run
    os.close(fd)


@pytest.mark.parametrize("num_frames", [1, 2, 3, MAX_FRAMES])
def test_every_sample_is_received_or_reported_lost(num_frames: int, stress: Stress) -> None:
    num_samples = 20_000_000
    (result,) = stress(num_frames, num_samples)
    assert result["wrong"] == 0
    assert result["received"] + result["lost"] == num_samples
    assert result["received"] > 0


def test_two_readers_do_not_disturb_each_other(stress: Stress) -> None:
    num_samples = 5_000_000
    for result in stress(3, num_samples, num_readers=2):
        assert result["wrong"] == 0
        assert result["received"] + result["lost"] == num_samples


def test_indexes_pass_2_to_the_32_under_load(stress: Stress) -> None:
    num_samples = 5_000_000
    (result,) = stress(3, num_samples, start=2**32 - num_samples // 2)
    assert result["wrong"] == 0
    assert result["received"] + result["lost"] == num_samples


@pytest.mark.parametrize(("error", "name"), [(1, "publishes before it copies"), (2, "overwrites without a claim")])
def test_the_checker_catches_a_writer_that(error: int, name: str, stress: Stress) -> None:
    (result,) = stress(2, 2_000_000_000, error=error)
    assert result["wrong"] > 0, f"a writer that {name} went unseen"
