from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ringline.workers.capture.doors.backlog import STALL_LIMIT_S, Backlog

unhurried = settings(deadline=None)
"""How long an example takes says nothing on a busy machine."""


class Wire:
    """A transport's buffer and a clock, both set by hand."""

    def __init__(self) -> None:
        self.buffered = 0
        self.now_s = 100.0
        self.backlog = Backlog(lambda: self.buffered, 1_000, lambda: self.now_s)


def test_audio_is_written_up_to_the_limit_and_skipped_beyond() -> None:
    wire = Wire()
    wire.buffered = 1_000
    assert wire.backlog.has_room()
    wire.buffered = 1_001
    assert not wire.backlog.has_room()
    assert wire.backlog.skipped == 1


def test_a_peer_is_given_up_when_it_has_not_read_for_too_long() -> None:
    wire = Wire()
    wire.buffered = 1_001
    wire.backlog.has_room()
    wire.now_s += STALL_LIMIT_S
    assert not wire.backlog.given_up
    wire.now_s += 0.1
    assert wire.backlog.given_up


def test_reading_again_starts_the_wait_anew() -> None:
    wire = Wire()
    wire.buffered = 1_001
    wire.backlog.has_room()
    wire.now_s += STALL_LIMIT_S + 1
    wire.buffered = 0
    assert wire.backlog.has_room()
    assert not wire.backlog.given_up


def test_control_messages_may_go_beyond_the_limit_but_not_without_end() -> None:
    wire = Wire()
    wire.buffered = 2_000
    assert wire.backlog.has_room_for_control()
    wire.buffered = 2_001
    assert not wire.backlog.has_room_for_control()


@unhurried
@given(st.lists(st.tuples(st.integers(1, 400), st.integers(0, 400)), max_size=200))
def test_the_buffer_stays_bounded_whatever_the_peer_reads(steps: list[tuple[int, int]]) -> None:
    wire = Wire()
    for written, read in steps:
        if wire.backlog.has_room():
            wire.buffered += written
        assert wire.buffered <= 1_400
        wire.buffered = max(0, wire.buffered - read)
