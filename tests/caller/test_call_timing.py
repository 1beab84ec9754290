"""When a call says its item began and ended: driven tick by tick in virtual time, without a wire."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from ringline.tools.caller.call import Call
from ringline.tools.caller.dialogue import Dialogue, Manners
from ringline.tools.caller.script import Item, render
from ringline.tools.caller.wire import parse_url

MS = 1_000_000
TARGET = parse_url("audiosocket://localhost")


class Wire:
    """Takes everything."""

    call_id, continuous = "", True

    def send_frame(self, slot: int, frame: bytes) -> None: ...

    def send_digit(self, digit: str) -> None: ...

    def elapse(self, now_ns: int) -> None: ...


@pytest.fixture
def said(run: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Says an item from 20 ms on, each frame sent ``late_ms`` after its deadline; returns what was noted of it."""

    def say(item: Item, late_ms: float = 0) -> Any:
        async def scenario() -> Any:
            manners = Manners(patience_ms=0, waits_for_greeting=False)
            (script,) = render([item], TARGET)
            call = Call(0, Wire(), TARGET, [script], b"", manners)  # type: ignore[arg-type]
            call._dialogue = Dialogue(manners, [item], 0)
            clock = SimpleNamespace(monotonic_ns=lambda: 0)
            monkeypatch.setattr("ringline.tools.caller.call.time", clock)
            call._slot = 1
            deadline_ns: int | None = 20 * MS
            while deadline_ns is not None and not (call.log.said and call.log.said[-1].end_ns is not None):
                now_ns = deadline_ns + round(late_ms * MS)
                clock.monotonic_ns = lambda now_ns=now_ns: now_ns
                deadline_ns = call.tick(now_ns)
            return call.log.said[0]

        return run(scenario())

    return say


def test_an_item_ends_with_its_last_audible_sample_and_not_with_its_last_frame(
    said: Callable[..., Any], wav: Callable[..., str]
) -> None:
    # 50 ms of silence, 100 ms of tone: sample 1200 is the middle of the eighth frame, which left at 160 ms.
    assert said(Item(wav=wav(ms=100, lead_ms=50, tail_ms=300))).end_ns == 170 * MS


def test_an_item_begins_with_its_first_audible_sample(said: Callable[..., Any], wav: Callable[..., str]) -> None:
    # Within the third frame, which left at 60 ms; the tone's first samples are too quiet to be heard.
    assert said(Item(wav=wav(ms=100, lead_ms=50))).start_ns == pytest.approx(70 * MS, abs=MS // 4)


def test_a_frame_that_left_late_moves_the_items_end(said: Callable[..., Any], wav: Callable[..., str]) -> None:
    assert said(Item(wav=wav(ms=100, lead_ms=50)), late_ms=3).end_ns == 173 * MS


def test_keys_end_when_the_last_one_is_sent(said: Callable[..., Any]) -> None:
    assert said(Item(keys="12")).end_ns == 220 * MS
