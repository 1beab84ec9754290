from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from ringline.tools.caller.ticker import Ticker

MS = 1_000_000


class Counter:
    """Ticks ``num`` times, ``period_ns`` apart on absolute deadlines."""

    def __init__(self, start_ns: int, period_ns: int, num: int) -> None:
        self.deadline_ns, self.period_ns, self.num = start_ns, period_ns, num
        self.early = 0
        self.done = asyncio.Event()
        self.error: Exception | None = None

    def tick(self, now_ns: int) -> int | None:
        self.early += now_ns < self.deadline_ns
        self.num -= 1
        if not self.num:
            self.done.set()
            return None
        self.deadline_ns += self.period_ns
        return self.deadline_ns

    def fail(self, error: Exception) -> None:
        self.error = error
        self.done.set()


def test_every_deadline_is_woken_for_and_none_before_its_time(run: Callable[[Any], Any]) -> None:
    async def scenario() -> list[Counter]:
        with Ticker() as ticker:
            now_ns = time.monotonic_ns()
            counters = [Counter(now_ns + index * MS, (index + 1) * MS, 20) for index in range(5)]
            for counter in counters:
                ticker.add(counter.deadline_ns, counter)
            for counter in counters:
                await counter.done.wait()
        return counters

    counters = run(scenario())
    assert [counter.num for counter in counters] == [0] * 5
    assert [counter.early for counter in counters] == [0] * 5


def test_deadlines_missed_are_woken_for_all_the_same(run: Callable[[Any], Any]) -> None:
    async def scenario() -> Counter:
        with Ticker() as ticker:
            counter = Counter(time.monotonic_ns() - 100 * MS, 20 * MS, 6)
            ticker.add(counter.deadline_ns, counter)
            await counter.done.wait()
        return counter

    assert run(scenario()).num == 0


def test_an_earlier_deadline_added_later_comes_first(run: Callable[[Any], Any]) -> None:
    async def scenario() -> bool:
        with Ticker() as ticker:
            late = Counter(time.monotonic_ns() + 3_600_000 * MS, MS, 1)
            soon = Counter(time.monotonic_ns() + MS, MS, 1)
            ticker.add(late.deadline_ns, late)
            ticker.add(soon.deadline_ns, soon)
            await soon.done.wait()
            return late.done.is_set()

    assert run(scenario()) is False


def test_an_error_ends_the_one_it_belongs_to(run: Callable[[Any], Any]) -> None:
    class Broken(Counter):
        def tick(self, now_ns: int) -> int | None:
            raise ValueError("broken")

    async def scenario() -> tuple[Counter, Counter]:
        with Ticker() as ticker:
            now_ns = time.monotonic_ns()
            broken, sound = Broken(now_ns, MS, 5), Counter(now_ns, MS, 5)
            ticker.add(now_ns, broken)
            ticker.add(now_ns, sound)
            await broken.done.wait()
            await sound.done.wait()
        return broken, sound

    broken, sound = run(scenario())
    assert isinstance(broken.error, ValueError)
    assert sound.num == 0


@pytest.mark.parametrize("num_missed", [0, 1, 2, 3, 50])
def test_a_late_caller_sends_at_most_two_missed_frames_and_skips_the_rest(
    run: Callable[[Any], Any], num_missed: int
) -> None:
    from ringline.tools.caller.call import Call
    from ringline.tools.caller.dialogue import Dialogue, Manners
    from ringline.tools.caller.wire import parse_url

    class Wire:
        call_id, continuous = "", True

        def __init__(self) -> None:
            self.slots: list[int] = []

        def send_frame(self, slot: int, frame: bytes) -> None:
            self.slots.append(slot)

        def elapse(self, now_ns: int) -> None: ...

    async def scenario() -> tuple[Call, Wire, int | None]:
        wire = Wire()
        call = Call(0, wire, parse_url("audiosocket://localhost"), [], b"", Manners())  # type: ignore[arg-type]
        call._dialogue = Dialogue(Manners(), [], 0)
        return call, wire, call.tick(num_missed * 20 * MS)

    call, wire, next_ns = run(scenario())
    first = max(0, num_missed - 2)
    assert wire.slots == list(range(first, num_missed + 1))
    assert call.log.num_skipped == first
    assert next_ns == (num_missed + 1) * 20 * MS
