from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ringline.tools.caller.playout import Playout

MS = 1_000_000


def test_a_lone_message_is_heard_when_it_arrives() -> None:
    assert Playout(8_000, 20 * MS).feed(7 * MS, 160) == 7 * MS


def test_messages_ahead_of_time_queue_up() -> None:
    playout = Playout(8_000, 20 * MS)
    assert [playout.feed(0, 160), playout.feed(1 * MS, 160), playout.feed(2 * MS, 160)] == [0, 20 * MS, 40 * MS]


def test_a_message_late_within_the_jitter_buffer_keeps_its_place() -> None:
    playout = Playout(8_000, 20 * MS)
    playout.feed(0, 160)
    assert playout.feed(40 * MS, 160) == 20 * MS


def test_a_message_later_than_that_starts_anew() -> None:
    playout = Playout(8_000, 20 * MS)
    playout.feed(0, 160)
    assert playout.feed(41 * MS, 160) == 41 * MS


def test_clear_drops_what_was_not_heard() -> None:
    playout = Playout(8_000, 20 * MS)
    playout.feed(0, 80_000)
    playout.clear()
    assert playout.feed(110 * MS, 160) == 110 * MS


def test_the_buffer_is_empty_when_its_delay_is_over_too() -> None:
    playout = Playout(8_000, 20 * MS)
    assert playout.empty_at_ns() == 0
    playout.feed(5 * MS, 160)
    assert playout.empty_at_ns() == 45 * MS


@given(st.lists(st.tuples(st.integers(0, 100 * MS), st.integers(1, 1_000), st.booleans()), max_size=50))
def test_nothing_is_heard_twice_or_out_of_order(steps: list[tuple[int, int, bool]]) -> None:
    playout = Playout(8_000, 20 * MS)
    now_ns, end_ns = 10**9, 0
    for wait_ns, num_samples, clear in steps:
        now_ns += wait_ns
        if clear:
            playout.clear()
            end_ns = min(end_ns, now_ns)
        start_ns = playout.feed(now_ns, num_samples)
        assert start_ns >= end_ns
        assert start_ns >= now_ns - 20 * MS
        end_ns = start_ns + num_samples * 125_000
