"""Hosted voices whose server, or the way to it, is broken: a phrase fails and says why, and the next one is spoken."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from faulty_proxy import HTML, Cut, Drip, FaultyProxy, HalfClose, Hang, Refuse, garbage, http_answer
from voice_servers import CartesiaServer, ElevenLabsServer, VoiceServer

from ringline.ipc.messages import CancelSpeech, PhraseFailed
from ringline.workers.base import CannotStart
from ringline.workers.retry import ServiceError
from ringline.workers.tts import make_backend
from ringline.workers.tts.backend import Order

BUSY = {
    "cartesia": {"type": "error", "done": True, "title": "Too many requests", "status_code": 429},
    "elevenlabs": {"error": "system_busy", "message": "try again", "code": 1013},
}
REFUSED = {
    "cartesia": {"type": "error", "done": True, "title": "Invalid voice", "message": "no such", "status_code": 404},
    "elevenlabs": {"error": "quota_exceeded", "message": "0 credits remain", "code": 1013},
}
BAD_KEY = {"error": "invalid_api_key", "message": "Invalid API key", "code": 1008}


@pytest.fixture
def proxy(server: VoiceServer) -> Iterator[FaultyProxy]:
    with FaultyProxy(server.port) as made:
        yield made


@contextlib.contextmanager
def impatient() -> Iterator[None]:
    """Servers are given up sooner."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ringline.workers.tts.line.ANSWER_S", 0.2)
        patch.setattr("ringline.workers.tts.hosted.OPEN_S", 0.2)
        patch.setattr("ringline.workers.tts.hosted.CLOSE_S", 0.1)
        yield


def resources(backend: Any) -> tuple[int, int, int]:
    """Threads, file descriptors, tasks of the backend's loop."""

    async def num_tasks() -> int:
        return len(asyncio.all_tasks()) - 1

    tasks = asyncio.run_coroutine_threadsafe(num_tasks(), backend._loop).result()
    return threading.active_count(), len(os.listdir("/proc/self/fd")), tasks


FAULTS: dict[str, Any] = {
    "refuse": Refuse(),
    "hang": Hang(),
    "reset": Cut(),
    "half-close": HalfClose(),
    "garbage": garbage(),
    "web page": HTML,
    "unauthorized": http_answer(401, "no"),
    "too many": http_answer(429, "slow down"),
    "too many for long": http_answer(429, "slow down", retry_after="30"),
    "broken": http_answer(500, "oops"),
    "overloaded": http_answer(503, "later"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_service_that_cannot_be_reached_fails_the_phrase_and_leaves_nothing_open(
    server: VoiceServer, proxy: FaultyProxy, started: Callable[..., Any], say: Callable[..., Any], fault: Any
) -> None:
    backend = started(server.config(proxy.port))
    whole = say(backend)[0]
    before = resources(backend)
    server.hang_up()
    proxy.wait_for(lambda: proxy.num_open == 0)
    proxy.fault = fault
    with impatient(), pytest.raises((ServiceError, TimeoutError)):
        say(backend)
    proxy.fault = None
    assert say(backend)[0].size == whole.size
    proxy.wait_for(lambda: proxy.num_open == 1)
    server.wait_for(lambda: server.num_open == 1)
    assert resources(backend) == before


@pytest.mark.parametrize("fault", [Hang(9000), Cut(9000), HalfClose(9000)], ids=["hang", "cut", "half-close"])
def test_sound_that_breaks_off_again_and_again_fails_the_phrase_and_leaves_nothing_open(
    server: VoiceServer, proxy: FaultyProxy, started: Callable[..., Any], say: Callable[..., Any],
    begin: Callable[..., Any], fault: Any
) -> None:  # fmt: skip
    backend = started(server.config(proxy.port))
    whole = say(backend)[0]
    before = resources(backend)
    proxy.fault = fault
    with impatient():
        phrase = begin(backend)
        asked = server.num_asked
        with pytest.raises((ServiceError, TimeoutError)):
            list(phrase)
    assert server.num_asked <= asked + 2  # what broke off is asked for again, and not for ever
    proxy.fault = None
    assert say(backend)[0].size == whole.size
    proxy.wait_for(lambda: proxy.num_open == 1)
    server.wait_for(lambda: server.num_open == 1)
    assert resources(backend) == before


def test_phrase_can_be_cancelled_while_it_waits_for_a_connection(
    server: VoiceServer, proxy: FaultyProxy, started: Callable[..., Any], say: Callable[..., Any]
) -> None:
    backend = started(server.config(proxy.port))
    whole = say(backend)[0]
    server.hang_up()
    proxy.wait_for(lambda: proxy.num_open == 0)
    proxy.fault = Hang()
    num_connections = len(proxy.connections)
    phrase = backend.synthesize(Order("Good morning."))
    assert next(phrase) is None
    proxy.wait_for(lambda: len(proxy.connections) > num_connections)
    phrase.close()
    proxy.fault = None
    assert say(backend)[0].size == whole.size
    assert len(proxy.connections) == num_connections + 1


def test_worker_says_why_a_phrase_failed_and_speaks_the_next_turn(
    server: VoiceServer, started: Callable[..., Any], speaking: Callable[..., Any]
) -> None:
    call = speaking(started(server.config()))
    server.errors = [REFUSED[server.vendor]]
    call.speak("Good morning.", turn=1)
    call.steps(until=lambda: call.of(PhraseFailed))
    assert "Invalid voice" in call.of(PhraseFailed)[0].reason or "quota_exceeded" in call.of(PhraseFailed)[0].reason
    call.worker.handle(CancelSpeech(call.slot.call, 1))
    call.speak("Good morning.", turn=2)
    call.finish()
    assert call.finished.turn == 2


def test_bytes_that_drip_in_are_the_same_sound(
    server: VoiceServer, proxy: FaultyProxy, started: Callable[..., Any], say: Callable[..., Any]
) -> None:
    backend = started(server.config(proxy.port))
    whole, marks = say(backend)
    proxy.fault = Drip(7)
    samples, dripped_marks = say(backend)
    assert np.array_equal(samples, whole)
    assert dripped_marks == marks


def test_passing_trouble_is_tried_again_once(
    server: VoiceServer, started: Callable[..., Any], say: Callable[..., Any]
) -> None:
    backend = started(server.config())
    whole = say(backend)[0]
    server.errors = [BUSY[server.vendor]]
    assert say(backend)[0].size == whole.size
    server.errors = [BUSY[server.vendor], BUSY[server.vendor]]
    with pytest.raises(ServiceError):
        say(backend)
    assert server.errors == []


def test_refusal_is_not_tried_again_and_others_go_on(
    server: VoiceServer, started: Callable[..., Any], say: Callable[..., Any], begin: Callable[..., Any]
) -> None:
    backend = started(server.config())
    whole = say(backend)[0]
    server.hold_after = 2
    other = begin(backend)
    server.errors = [REFUSED[server.vendor], REFUSED[server.vendor]]
    with pytest.raises(ServiceError, match=r"Invalid voice: no such|quota_exceeded: 0 credits remain"):
        say(backend)
    assert len(server.errors) == 1
    server.errors.clear()
    server.release()
    list(other)
    assert say(backend)[0].size == whole.size
    assert len(server.handshakes) == 1


@pytest.mark.parametrize("retry_after", [{}, {"Retry-After": "0.05"}], ids=["no time", "soon"])
def test_upgrade_that_is_refused_for_now_is_tried_again(
    server: VoiceServer, started: Callable[..., Any], retry_after: dict[str, str]
) -> None:
    server.refusals = [(429, retry_after)]
    started(server.config())
    assert len(server.handshakes) == 2


def test_upgrade_that_is_refused_for_long_is_not_tried_again(server: VoiceServer) -> None:
    server.refusals = [(429, {"Retry-After": "30"})]
    with pytest.raises(ServiceError, match="429"):
        warmed(server.config())
    assert len(server.handshakes) == 1


def warmed(config: Any) -> None:
    backend: Any = make_backend(config)
    try:
        backend.warm_up()
    finally:
        backend.close()


@pytest.mark.parametrize("status", [401, 403])
def test_key_that_is_refused_is_named(server: VoiceServer, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    monkeypatch.setenv("MY_VOICE_KEY", "wrong")
    server.refusals = [(status, {})]
    config: Any = server.config()
    with pytest.raises(CannotStart, match="MY_VOICE_KEY"):
        warmed(type(config)(base_url=config.base_url, api_key="$MY_VOICE_KEY"))


def test_key_that_is_refused_by_a_message_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELEVENLABS_API_KEY", "wrong")
    with ElevenLabsServer() as server:
        server.errors = [BAD_KEY]
        config: Any = server.config()
        with pytest.raises(CannotStart, match="ELEVENLABS_API_KEY"):
            warmed(type(config)(base_url=config.base_url))


def test_key_that_is_not_set_is_named(server: VoiceServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    config: Any = server.config()
    with pytest.raises(CannotStart, match="NO_SUCH_KEY"):
        warmed(type(config)(base_url=config.base_url, api_key="$NO_SUCH_KEY"))
    assert server.handshakes == []


def test_voice_that_does_not_exist_is_said_at_the_start() -> None:
    with CartesiaServer() as server:
        server.errors = [REFUSED["cartesia"]]
        with pytest.raises(CannotStart, match="Invalid voice"):
            warmed(server.config())


def test_server_that_hangs_up_at_once_is_tried_twice(
    server: VoiceServer, started: Callable[..., Any], say: Callable[..., Any]
) -> None:
    backend = started(server.config())
    server.is_closed = True
    server.hang_up()
    with pytest.raises(ServiceError, match="closed the connection"):
        say(backend)
    assert len(server.handshakes) <= 3
    server.is_closed = False
    assert say(backend)[0].size > 0


MALFORMED: dict[str, list[str | bytes]] = {
    "no JSON": ["}{"],
    "binary": [b"\xff\xfe\x00"],
    "another shape": ["[1, 2]"],
    "no base64": ['{"type": "chunk", "context_id": "phrase-2", "contextId": "phrase-2", "data": "!", "audio": "!"}'],
    "no words": [
        '{"type": "timestamps", "context_id": "phrase-2", "contextId": "phrase-2", "word_timestamps": {"words": ["a"],'
        ' "start": [NaN]}, "alignment": {"chars": ["a"], "charStartTimesMs": ["x"]}}'
    ],
}


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED)
def test_malformed_message_fails_the_phrase_and_the_next_is_spoken(
    server: VoiceServer, started: Callable[..., Any], say: Callable[..., Any], raw: list[str | bytes]
) -> None:
    backend = started(server.config())
    whole = say(backend)[0]
    server.raw = [*raw * 2]
    backend._contexts = iter(["2", "2", *map(str, range(9, 99))])
    with pytest.raises(ServiceError):
        say(backend)
    assert say(backend)[0].size == whole.size


def test_end_without_a_sound_is_a_failure(started: Callable[..., Any], say: Callable[..., Any]) -> None:
    with CartesiaServer() as server:
        backend = started(server.config())
        server.raw = ['{"type": "done", "done": true, "context_id": "phrase-1"}'] * 2
        backend._contexts = iter("11")
        with pytest.raises(ServiceError, match="no sound"):
            say(backend)


def test_more_sound_than_a_text_can_have_is_a_failure(
    server: VoiceServer, started: Callable[..., Any], say: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = started(server.config())
    monkeypatch.setattr("ringline.workers.tts.hosted.LONGEST_SEGMENT_S", 0.2)
    with pytest.raises(ServiceError, match="more sound"):
        say(backend)
