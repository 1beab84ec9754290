"""The audio ring in one process: indexes, laps, wrap-around, and a plain model to compare with."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ringline.ipc.ring import CLAIMED, WRITTEN, AudioRing, RingReader, Samples, ring_write


def samples_at(start: int, count: int) -> Samples:
    """What belongs at these indexes: a function of the index alone."""
    index = np.arange(start, start + count, dtype=np.int64)
    return ((index * -7046029254386353131) >> 40).astype(np.int16)


def ring_at(index: int, capacity: int) -> AudioRing:
    ring = AudioRing.private(capacity)
    ring.words[CLAIMED] = ring.words[WRITTEN] = index
    return ring


def test_what_is_written_is_read() -> None:
    ring = AudioRing.private(64)
    assert ring.write(samples_at(0, 10)) == 10
    chunk = ring.read(3, 100)
    assert (chunk.start, chunk.lost) == (3, 0)
    np.testing.assert_array_equal(chunk.samples, samples_at(3, 7))


def test_nothing_is_read_that_is_not_written_yet() -> None:
    ring = AudioRing.private(64)
    ring.write(samples_at(0, 10))
    chunk = ring.read(12, 5)
    assert (chunk.samples.shape[0], chunk.start, chunk.lost) == (0, 12, 0)


def test_a_lapped_reader_is_told_which_samples_it_lost() -> None:
    ring = AudioRing.private(16)
    for start in range(0, 48, 12):
        ring.write(samples_at(start, 12))
    chunk = ring.read(5, 100)
    assert (chunk.start, chunk.lost) == (32, 27)
    np.testing.assert_array_equal(chunk.samples, samples_at(32, 16))


def test_nothing_lies_before_index_0() -> None:
    ring = AudioRing.private(16)
    ring.samples[:] = 99  # the caller before
    ring.write(samples_at(0, 4))
    chunk = ring.read(-5, 100)
    assert (chunk.start, chunk.lost) == (0, 5)
    np.testing.assert_array_equal(chunk.samples, samples_at(0, 4))


def test_a_write_may_fill_the_whole_ring() -> None:
    ring = ring_at(5, 16)
    ring.write(samples_at(5, 16))
    np.testing.assert_array_equal(ring.read(5, 16).samples, samples_at(5, 16))


def test_a_write_beyond_the_capacity_is_refused() -> None:
    ring = AudioRing.private(16)
    with pytest.raises(ValueError, match="17 samples do not fit"):
        ring.write(samples_at(0, 17))
    assert ring.written == 0


def test_samples_of_another_kind_are_refused() -> None:
    ring = AudioRing.private(16)
    with pytest.raises(ValueError, match="int16 samples, these are float64"):
        ring.write(np.zeros(4))  # type: ignore[arg-type]


def test_read_only_and_strided_samples_are_written_without_compiling_anew() -> None:
    ring = AudioRing.private(16)
    ring.write(samples_at(0, 4))
    num_compiled = len(ring_write.signatures)  # type: ignore[attr-defined]
    ring.write(np.frombuffer(samples_at(4, 4).tobytes(), np.int16))
    ring.write(samples_at(8, 8)[::2])
    assert len(ring_write.signatures) == num_compiled  # type: ignore[attr-defined]
    expected = np.concatenate((samples_at(0, 8), samples_at(8, 8)[::2]))
    np.testing.assert_array_equal(ring.read(0, 12).samples, expected)


def test_a_new_writer_does_not_make_a_half_overwritten_sample_look_whole() -> None:
    ring = ring_at(0, 16)
    ring.write(samples_at(0, 16))
    ring.words[CLAIMED] = 24  # the writer claimed 8 samples, copied some of them, and died
    ring.samples[:6] = -1
    ring.write(samples_at(16, 1))  # its successor writes less
    chunk = ring.read(1, 100)
    assert chunk.start == 8
    np.testing.assert_array_equal(chunk.samples, samples_at(8, 9))


def test_reset_starts_again_at_0() -> None:
    ring = ring_at(1000, 16)
    ring.reset()
    assert ring.written == 0
    assert ring.read(0, 16).samples.shape[0] == 0


@pytest.mark.parametrize("capacity", [1, 7, 160, 512])
@pytest.mark.parametrize("boundary", [2**31, 2**32, 2**31 * 160, 2**62])
def test_indexes_pass_every_boundary(boundary: int, capacity: int) -> None:
    start = boundary - 3 * capacity - 1
    ring = ring_at(start, capacity)
    reader = RingReader(ring, start)
    position = start
    while position < boundary + 3 * capacity:
        count = 1 + position % capacity
        assert ring.write(samples_at(position, count)) == position + count
        chunk = reader.read(capacity)
        assert chunk.start == position
        np.testing.assert_array_equal(chunk.samples, samples_at(position, count))
        position += count
    assert reader.lost_samples == 0
    assert reader.position == position


class RingModel(RuleBasedStateMachine):
    """The ring against a plain list of everything that was ever written."""

    @initialize(
        capacity=st.sampled_from([1, 2, 3, 8, 50]), start=st.sampled_from([0, 1, 2**31 - 5, 2**32 - 5, 2**40 + 3])
    )
    def begin(self, capacity: int, start: int) -> None:
        self.ring = ring_at(start, capacity)
        self.capacity = capacity
        self.start = self.written = self.claimed = start
        self.readers = [RingReader(self.ring, start)]
        self.positions = [start]
        self.lost = [0]

    @rule(share=st.floats(0, 1))
    def write(self, share: float) -> None:
        count = round(share * self.capacity)
        assert self.ring.write(samples_at(self.written, count)) == self.written + count
        self.written += count
        self.claimed = max(self.claimed, self.written)

    @rule(share=st.floats(0, 1), copied=st.floats(0, 1))
    def die_in_the_middle_of_a_write(self, share: float, copied: float) -> None:
        count = round(share * self.capacity)
        self.claimed = max(self.claimed, self.written + count)
        self.ring.words[CLAIMED] = self.claimed
        for i in range(round(count * copied)):
            self.ring.samples[(self.written + i) % self.capacity] = -1

    @rule(back=st.integers(0, 120))
    def another_reader(self, back: int) -> None:
        position = max(self.start, self.written - back)
        self.readers.append(RingReader(self.ring, position))
        self.positions.append(position)
        self.lost.append(0)

    @rule(which=st.integers(0, 99), count=st.integers(0, 120))
    def read(self, which: int, count: int) -> None:
        n = which % len(self.readers)
        chunk = self.readers[n].read(count)
        # Once a write has died half-way, what it had begun to overwrite is lost too.
        oldest = max(self.positions[n], self.claimed - self.capacity)
        if chunk.samples.shape[0] == 0:
            assert self.positions[n] <= chunk.start <= max(self.positions[n], oldest)
            assert count == 0 or chunk.start >= self.written or chunk.start == oldest
        else:
            assert chunk.start == oldest
        np.testing.assert_array_equal(chunk.samples, samples_at(chunk.start, chunk.samples.shape[0]))
        assert chunk.lost == chunk.start - self.positions[n]
        assert chunk.start + chunk.samples.shape[0] <= self.written
        self.lost[n] += chunk.lost
        self.positions[n] = chunk.start + chunk.samples.shape[0]

    @precondition(lambda self: hasattr(self, "ring"))
    @rule(which=st.integers(0, 99))
    def read_all(self, which: int) -> None:
        """Liveness: whoever reads on gets to the end."""
        n = which % len(self.readers)
        for _ in range(3):
            self.read(n, self.capacity)
        assert self.positions[n] == self.written

    @invariant()
    def every_sample_is_accounted_for(self) -> None:
        for n, reader in enumerate(getattr(self, "readers", [])):
            assert reader.position == self.positions[n]
            assert reader.lost_samples == self.lost[n]
        if hasattr(self, "ring"):
            assert self.ring.written == self.written


TestRingModel = RingModel.TestCase
TestRingModel.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
