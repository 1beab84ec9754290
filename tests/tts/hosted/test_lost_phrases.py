"""A service that loses a phrase, in silence: it is asked for once more, soon, and heard once."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import AsyncGenerator, Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from voice_servers import ElevenLabsServer, VoiceServer

from ringline.workers.retry import ServiceError
from ringline.workers.tts.line import Word
from ringline.workers.tts.persistence import LATEST_S, SOONEST_S, STALL_S, Persistence

RATE_HZ = 1_000
"""Of the scripted services: a byte is half a millisecond."""
FIRST_S = 0.3


# --- servers on loopback --------------------------------------------------------------------------------------------


@pytest.mark.kind("lost phrases")
@pytest.mark.parametrize("text", ["Good morning.", "Which of the two would suit you better, Monday or Tuesday?"])
def test_phrase_that_is_lost_is_asked_for_again_and_heard_once(
    server: VoiceServer, started: Callable[..., Any], say: Callable[..., Any], text: str
) -> None:
    backend = started(server.config())
    whole, marks = say(backend, text)
    server.num_lost = 1
    asked = server.num_asked
    samples, again = say(backend, text)
    assert np.array_equal(samples, whole)
    assert again == marks
    assert server.num_asked == asked + 2


@pytest.mark.kind("lost phrases")
@pytest.mark.parametrize("breaks_after", [1, 3, 6])
def test_phrase_that_breaks_off_in_silence_goes_on_where_it_broke_off(
    server: VoiceServer, started: Callable[..., Any], say: Callable[..., Any], breaks_after: int
) -> None:
    backend = started(server.config())
    whole, marks = say(backend, "We open at nine on Monday.")
    server.breaks_after = breaks_after
    samples, again = say(backend, "We open at nine on Monday.")
    assert np.array_equal(samples, whole)
    assert again == marks


def test_phrase_that_is_lost_every_time_fails(
    server: VoiceServer, started: Callable[..., Any], say: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = started(server.config())
    monkeypatch.setattr("ringline.workers.tts.line.ANSWER_S", 1.5)
    server.num_lost = 2
    with pytest.raises((ServiceError, TimeoutError)):
        say(backend)
    assert say(backend)[0].size


def test_context_is_closed_when_its_first_sound_is_there(
    started: Callable[..., Any], begin: Callable[..., Any]
) -> None:
    with ElevenLabsServer() as server:
        backend = started(server.config())
        server.messages.clear()
        server.hold_after = 0
        phrase = backend.synthesize(_order("Good morning."))
        assert next(phrase) is None
        server.wait_for(lambda: server.holding)
        assert not any(message.get("close_context") for message in server.messages)
        server.release()
        server.wait_for(lambda: any(message.get("close_context") for message in server.messages))
        phrase.close()


def test_context_that_is_cancelled_before_its_first_sound_is_closed(started: Callable[..., Any]) -> None:
    """A connection takes five."""
    with ElevenLabsServer() as server:
        backend = started(server.config())
        server.hold_after = 0
        for number in range(12):
            phrase = backend.synthesize(_order("Good morning."))
            assert next(phrase) is None
            server.wait_for(lambda number=number: server.num_asked > number + 1)
            phrase.close()
        server.wait_for(lambda: sum(bool(message.get("close_context")) for message in server.messages) >= 12)


def test_phrase_that_is_lost_with_its_connection_is_spoken_over_another(
    server: VoiceServer, started: Callable[..., Any], say: Callable[..., Any]
) -> None:
    backend = started(server.config())
    whole = say(backend)[0]
    server.num_lost = 1
    assert say(backend)[0].size == whole.size
    assert len(server.handshakes) == 2


def _order(text: str) -> Any:
    from ringline.workers.tts.backend import Order

    return Order(text)


# --- scripted services, in virtual time -----------------------------------------------------------------------------


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time passes as soon as nothing else is to be done."""

    def __init__(self) -> None:
        self.now_s = 0.0
        super().__init__(_Jumping(self))

    def time(self) -> float:
        return self.now_s


class _Jumping(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise AssertionError("it waits for ever")
        self._loop.now_s += max(0.0, timeout)
        return super().select(0)


WHOLE = bytes(range(256)) * 20
"""What the text sounds like, whoever speaks it: 2.56 s."""

Step = tuple[float, int]
"""(delay in s, bytes)."""


class Service:
    """Takes of the same sound: each comes in steps, and then ends, fails, or says nothing more."""

    def __init__(self, *takes: tuple[list[Step], str]) -> None:
        self.takes = list(takes)
        self.num_asked = self.num_closed = 0

    async def ask(self) -> AsyncGenerator[bytes | Word, None]:
        self.num_asked += 1
        steps, end = self.takes.pop(0) if self.takes else ([], "hangs")
        at = 0
        try:
            for delay_s, size in steps:
                await asyncio.sleep(delay_s)
                yield WHOLE[at : at + size]
                at += size
            if end == "fails":
                await asyncio.sleep(0.05)
                raise ServiceError("broken", 503)
            if end == "refuses":
                raise ServiceError("no", 401)
            if end == "hangs":
                await asyncio.sleep(5.0)
                raise TimeoutError
            while at < len(WHOLE):
                yield WHOLE[at : at + 400]
                at += 400
        finally:
            self.num_closed += 1


def heard(service: Service, persistence: Persistence | None = None) -> tuple[bytes, list[float], BaseException | None]:
    """What the caller hears, when each piece was there, and how it failed."""
    persistence = persistence or Persistence("fake", RATE_HZ)
    pieces: list[bytes] = []
    times_s: list[float] = []
    failure: list[BaseException] = []
    loop = VirtualLoop()

    async def run() -> None:
        try:
            async for part in persistence.spoken(service.ask):
                assert isinstance(part, bytes)
                pieces.append(part)
                times_s.append(loop.time())
        except (ServiceError, TimeoutError) as error:
            failure.append(error)
        assert service.num_closed == service.num_asked  # nothing is left open

    try:
        loop.run_until_complete(run())
    finally:
        loop.close()
    return b"".join(pieces), times_s, failure[0] if failure else None


def longest_gap_s(pieces: bytes, times_s: list[float]) -> float:
    """Silence before the first sound, or between sounds that are played as they come; pieces of 400 bytes or fewer are
    taken for 0.1 s each, which is less than they last."""
    gap_s, played_s = 0.0, 0.0
    for time_s in times_s:
        gap_s = max(gap_s, time_s - played_s)
        played_s = max(played_s, time_s) + 0.02
    return gap_s


GOOD = ([(FIRST_S, 200)], "ends")
TAKES = st.tuples(
    st.lists(st.tuples(st.floats(0.01, 2.0), st.integers(1, 600)), max_size=8),
    st.sampled_from(["hangs", "fails", "ends"]),
)


@pytest.mark.kind("lost phrases")
@pytest.mark.parametrize(
    "first",
    [
        ([], "hangs"),
        ([], "fails"),
        ([(0.3, 200)], "hangs"),
        ([(0.3, 1_999)], "hangs"),
        ([(0.3, 200), (0.1, 3_000)], "hangs"),
        ([(0.3, 200)], "fails"),
        ([(0.3, 201), (0.4, 33)], "fails"),
        ([(3.0, 200)], "ends"),
    ],
)
def test_caller_hears_all_of_it_once_without_two_seconds_of_nothing(first: tuple[list[Step], str]) -> None:
    service = Service(first, GOOD)
    sound, times_s, failure = heard(service)
    assert failure is None
    assert sound == WHOLE
    assert service.num_asked == 2
    assert longest_gap_s(sound, times_s) < 2.0 + sum(size for _, size in first[0]) / (2 * RATE_HZ)


@given(TAKES)
def test_whatever_the_first_answer_is_like_all_is_heard_once(first: tuple[list[Step], str]) -> None:
    service = Service(first, GOOD, GOOD, GOOD)
    sound, _, failure = heard(service)
    assert failure is None
    assert sound == WHOLE


@given(st.lists(TAKES, max_size=5))
def test_whatever_the_answers_are_like_nothing_is_heard_twice_or_out_of_order(takes: list[Any]) -> None:
    service = Service(*takes)
    sound, _, failure = heard(service)
    assert WHOLE.startswith(sound)
    assert (failure is None) == (sound == WHOLE)
    assert service.num_asked <= 4


def test_service_that_is_only_slow_is_heard_and_not_asked_twice_for_ever() -> None:
    persistence = Persistence("fake", RATE_HZ)
    slow = ([(0.8, 200)], "ends")
    num_asked = 0
    for _ in range(30):
        service = Service(slow, slow)
        assert heard(service, persistence)[0] == WHOLE
        num_asked = service.num_asked
    assert num_asked == 1
    assert SOONEST_S <= persistence.patience_s <= LATEST_S


def test_refusal_in_mid_sound_is_final() -> None:
    service = Service(([(0.3, 200)], "refuses"), GOOD)
    sound, _, failure = heard(service)
    assert sound == WHOLE[:200]
    assert isinstance(failure, ServiceError)
    assert service.num_asked == 1


def test_sound_that_is_well_ahead_of_the_caller_is_not_hurried() -> None:
    service = Service(([(0.3, 3_800), (STALL_S + 0.3, 1_000)], "ends"), GOOD)
    assert heard(service)[0] == WHOLE
    assert service.num_asked == 1
