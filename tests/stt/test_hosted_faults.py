"""Hosted recognisers behind networks and servers that fail: what can be saved is saved, and nothing stays open."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from faulty_proxy import HTML, Cut, Drip, Fault, FaultyProxy, HalfClose, Hang, Refuse, garbage, http_answer
from hosted_utterances import PLAIN, SPOKEN, Wake, speak, transcribe
from servers import TEXT, deepgram_server, google_backend, google_server, openai_server

from ringline.engine.config import DeepgramStt, GoogleStt, OpenAiStt
from ringline.workers.base import CannotStart
from ringline.workers.retry import PAUSE_S, ServiceError, retry_pause_s
from ringline.workers.stt import google, hosted, make_backend

pytest.importorskip("openai", reason="the openai extra is not installed")
pytest.importorskip("deepgram", reason="the deepgram extra is not installed")
pytest.importorskip("google.cloud.speech_v2", reason="the google extra is not installed")

KINDS = ("openai", "openai-stream", "nova", "flux", "google")
SERVERS: dict[str, Any] = {"openai": openai_server, "google": google_server}
HEARD = {"nova": "I'd like a table for", "flux": "I'd like a table for"}


class Rig:
    """A backend, its server, and the proxy between them."""

    def __init__(self, kind: str, server: Any, proxy: FaultyProxy) -> None:
        self.kind, self.server, self.proxy = kind, server, proxy
        self.wake = Wake()
        self.heard = HEARD.get(kind, TEXT)
        self.backend: Any = self._make()

    def _make(self) -> Any:
        port = self.proxy.port
        if self.kind == "google":
            return google_backend(GoogleStt(), port, self.wake)
        if self.kind.startswith("openai"):
            config = OpenAiStt(
                base_url=f"http://127.0.0.1:{port}/v1", api_key="$MY_KEY", stream=self.kind == "openai-stream"
            )
            return make_backend(config, wake=self.wake)
        model = "flux-general-en" if self.kind == "flux" else "nova-3"
        config = DeepgramStt(base_url=f"ws://127.0.0.1:{port}", model=model, api_key="$MY_KEY")
        return make_backend(config, wake=self.wake)

    def tasks(self) -> int:
        """Of the backend's loop."""
        return len(asyncio.all_tasks(self.backend._loop))


@contextmanager
def rig_of(kind: str) -> Iterator[Rig]:
    serve = SERVERS.get(kind.partition("-")[0], deepgram_server)
    with serve() as server, FaultyProxy(server.port) as proxy:
        yield Rig(kind, server, proxy)


@pytest.fixture(scope="module", params=KINDS)
def service(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """Warmed up. Afterwards, nothing of it is left."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MY_KEY", "k")
        with rig_of(request.param) as made:
            made.backend.warm_up()
            yield made
            made.backend.close()
            gc.collect()  # gRPC closes a channel's socket when the last of its cancelled calls is no more
            made.proxy.wait_for(lambda: made.proxy.num_open == 0)
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("stt-")]


@pytest.fixture
def rig(service: Rig) -> Iterator[Rig]:
    """After each test, nothing of its utterances is left."""
    yield service
    service.proxy.fault = None
    service.wake.wait_for_quiet(lambda: service.tasks() == 0)


@pytest.fixture
def healing(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int | None, str | None]]:
    """The fault is over when the backend thinks about trying again. What it knows then: status and Retry-After."""
    seen: list[tuple[int | None, str | None]] = []

    def heal(attempt: int, status: int | None, retry_after: str | None = None) -> float | None:
        seen.append((status, retry_after))
        rig.proxy.fault = None
        rig.wake()
        return PAUSE_S if attempt == 0 else None

    monkeypatch.setattr(hosted, "retry_pause_s", heal)
    return seen


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in earnest, but without the pause."""
    monkeypatch.setattr(hosted, "retry_pause_s", lambda *known: None if retry_pause_s(*known) is None else 0.0)


FAULTS: list[Fault] = [Refuse(), Cut(), Cut(1), garbage(), HTML, *(http_answer(status) for status in (401, 429, 503))]
NAMES = ["refused", "reset", "cut", "garbage", "HTML", "401", "429", "503"]


def break_new_connections(proxy: FaultyProxy, fault: Fault) -> None:
    """Those that are open are gone, too."""
    proxy.fault = Cut()
    proxy.wait_for(lambda: proxy.num_open == 0)
    proxy.fault = fault


@pytest.mark.parametrize("fault", FAULTS, ids=NAMES)
def test_service_that_is_broken_fails_the_utterance_and_serves_the_next(
    rig: Rig, fault: Fault, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_new_connections(rig.proxy, fault)
    with monkeypatch.context() as hurried:
        hurried.setattr(google, "OPEN_S", 0.1)
        with pytest.raises(ServiceError):
            transcribe(rig.backend, rig.wake)
    rig.proxy.fault = None
    assert transcribe(rig.backend, rig.wake) == rig.heard


@pytest.mark.parametrize("fault", [Refuse(), Cut(1), http_answer(503)], ids=["refused", "cut", "503"])
def test_fault_that_passes_costs_one_more_attempt(
    rig: Rig, healing: list[Any], fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_new_connections(rig.proxy, fault)
    with monkeypatch.context() as hurried:
        hurried.setattr(google, "OPEN_S", 0.1)
        stream = rig.backend.open(PLAIN, 0)
        speak(stream)
        stream.finalise()
        rig.wake.wait_for(lambda: healing)
    rig.wake.wait_for(lambda: stream.final is not None)
    assert stream.final == rig.heard
    assert len(healing) == 1
    stream.close()


def test_connection_lost_while_the_caller_speaks_costs_no_sound(rig: Rig, healing: list[Any]) -> None:
    stream = rig.backend.open(PLAIN, 0)
    speak(stream, SPOKEN[:16_000])
    if rig.kind in ("nova", "flux"):
        rig.wake.wait_for(lambda: stream.partial)
    rig.proxy.fault = Cut()
    rig.proxy.fault = None
    speak(stream, SPOKEN[16_000:])
    stream.finalise()
    rig.wake.wait_for(lambda: stream.final is not None)
    assert stream.final == rig.heard
    stream.close()


def test_half_closed_connection_is_a_lost_one(rig: Rig, healing: list[Any]) -> None:
    stream = rig.backend.open(PLAIN, 0)
    speak(stream)
    rig.proxy.fault = HalfClose()
    stream.finalise()
    rig.proxy.fault = None
    rig.wake.wait_for(lambda: stream.final is not None)
    assert stream.final == rig.heard
    stream.close()


def test_answer_that_arrives_byte_by_byte_is_understood(rig: Rig) -> None:
    rig.proxy.fault = Drip()
    assert transcribe(rig.backend, rig.wake) == rig.heard


@pytest.mark.parametrize("after_bytes", [0, 20])
def test_service_that_hangs_is_given_up(rig: Rig, monkeypatch: pytest.MonkeyPatch, after_bytes: int) -> None:
    monkeypatch.setattr(hosted, "ANSWER_S", 0.05)
    rig.proxy.fault = Hang(after_bytes)
    with pytest.raises(ServiceError, match="no answer"):
        transcribe(rig.backend, rig.wake)
    rig.proxy.fault = None


@pytest.mark.parametrize("fault", [None, Hang(), Refuse()], ids=["sound", "hanging", "refused"])
def test_utterance_can_be_dropped_at_any_point(rig: Rig, fault: Fault | None) -> None:
    rig.proxy.fault = fault
    for num_samples in (0, 320, 16_000, 32_000):
        for is_complete in (False, True):
            stream = rig.backend.open(PLAIN, 0)
            stream.feed(SPOKEN[:num_samples])
            if is_complete:
                stream.finalise()
            stream.close()
    rig.proxy.fault = None
    assert transcribe(rig.backend, rig.wake) == rig.heard


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("kind", ["openai", "nova", "flux"])
def test_key_that_is_not_accepted_is_named_at_the_start(
    kind: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "k")
    with rig_of(kind) as rig:
        rig.proxy.fault = http_answer(status)
        with pytest.raises(CannotStart, match="MY_KEY"):
            rig.backend.warm_up()


def test_credentials_that_google_does_not_accept_are_named_at_the_start() -> None:
    import grpc

    with rig_of("google") as rig:
        rig.server.refuses = grpc.StatusCode.UNAUTHENTICATED
        with pytest.raises(CannotStart, match="GOOGLE_APPLICATION_CREDENTIALS"):
            rig.backend.warm_up()


@pytest.mark.parametrize("kind", KINDS)
def test_service_that_is_away_at_the_start_is_no_reason_to_give_up(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "k")
    monkeypatch.setattr(google, "OPEN_S", 0.1)
    with rig_of(kind) as rig:
        rig.proxy.fault = Refuse()
        with pytest.raises(ServiceError):
            rig.backend.warm_up()


@pytest.mark.parametrize("service", ["openai", "nova"], indirect=True)
def test_status_and_retry_after_reach_the_retry_policy(rig: Rig, healing: list[Any]) -> None:
    break_new_connections(rig.proxy, http_answer(429, retry_after="0.5"))
    assert transcribe(rig.backend, rig.wake) == rig.heard
    assert healing == [(429, "0.5")]
