"""The bus: who may speak to whom, what is lost and what is not, on both event loops."""

from __future__ import annotations

import asyncio
import os
import socket
import uuid
from collections.abc import Callable, Iterator
from typing import Any, get_args

import msgspec
import pytest
import uvloop
import zmq

from ringline.ipc import bus as bus_module
from ringline.ipc.bus import EngineBus, WorkerBus
from ringline.ipc.messages import (
    CallReleased,
    ChatMessage,
    FromWorker,
    Generate,
    HangUp,
    ReleaseCall,
    ShutDown,
    ToWorker,
    TranscriptPartial,
    WorkerReady,
    encode,
)

WATCHDOG_S = 30
NUM_BURST = 3000


@pytest.fixture
def engine() -> Iterator[EngineBus]:
    bus = EngineBus(uuid.uuid4().hex)
    yield bus
    bus.close()


@pytest.fixture
def connect(engine: EngineBus) -> Iterator[Callable[..., WorkerBus]]:
    """Connects a worker under a name, to our engine or another one."""
    buses: list[WorkerBus] = []

    def make(name: str, to: EngineBus | None = None) -> WorkerBus:
        buses.append(WorkerBus((to or engine).address, name))
        return buses[-1]

    yield make
    for bus in buses:
        bus.close(linger_ms=0)


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def runner(request: pytest.FixtureRequest) -> Iterator[asyncio.Runner]:
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield runner


class Inbox:
    """Collects what a bus delivers, and lets a test wait for it."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self._arrived = asyncio.Event()

    def __call__(self, *arguments: Any) -> None:
        self.got.append(arguments[0] if len(arguments) == 1 else arguments)
        self._arrived.set()

    async def until(self, count: int) -> list[Any]:
        async with asyncio.timeout(WATCHDOG_S):
            while len(self.got) < count:
                self._arrived.clear()
                await self._arrived.wait()
        return self.got


def blank(kind: type[Any]) -> Any:
    """A message of this kind, as short as it can be."""
    plain: dict[Any, Any] = {int: 1, str: "text", float: 0.5, bool: True}
    fields = [field for field in msgspec.structs.fields(kind) if field.required]
    return kind(*(plain.get(field.type, "opening" if field.name == "cause" else ()) for field in fields))


def receive(worker: WorkerBus) -> Any:
    """The next message of a worker without an event loop."""
    assert worker.wait(WATCHDOG_S * 1000)
    return next(worker.drain())


def test_a_worker_process_reports_ready_and_answers(
    engine: EngineBus, runner: asyncio.Runner, start_peer: Callable[..., Any]
) -> None:
    async def talk() -> None:
        inbox = Inbox()
        engine.start(inbox)
        worker = start_peer("bus_worker", address=engine.address, name="stt-0")
        assert await inbox.until(1) == [("stt-0", WorkerReady(worker.pid))]
        for call in range(NUM_BURST):
            assert engine.send("stt-0", HangUp(call))
        answers = await inbox.until(1 + NUM_BURST)
        assert answers[1:] == [("stt-0", TranscriptPartial(call, call, "HangUp")) for call in range(NUM_BURST)]
        assert engine.send("stt-0", ShutDown())
        assert worker.result() == NUM_BURST

    runner.run(talk())


def test_every_kind_of_message_reaches_the_engine(
    engine: EngineBus, connect: Callable[..., WorkerBus], runner: asyncio.Runner
) -> None:
    sent = [blank(kind) for kind in get_args(FromWorker)]

    async def talk() -> None:
        inbox = Inbox()
        engine.start(inbox)
        worker = connect("w")
        for message in sent:
            worker.send(message)
        assert await inbox.until(len(sent)) == [("w", message) for message in sent]

    runner.run(talk())


def test_every_kind_of_message_reaches_a_worker(
    engine: EngineBus, connect: Callable[..., WorkerBus], runner: asyncio.Runner
) -> None:
    sent = [blank(kind) for kind in get_args(ToWorker)]

    async def talk() -> None:
        at_engine, at_worker = Inbox(), Inbox()
        engine.start(at_engine)
        worker = connect("w")
        worker.start(at_worker)
        worker.send(WorkerReady(1))
        await at_engine.until(1)
        assert all(engine.send("w", message) for message in sent)
        assert await at_worker.until(len(sent)) == sent

    runner.run(talk())


def test_nothing_is_stuck_when_both_ends_send_while_they_receive(
    engine: EngineBus, connect: Callable[..., WorkerBus], runner: asyncio.Runner
) -> None:
    """ZeroMQ's file descriptor tells of a message once; a send may swallow that."""

    async def talk() -> None:
        at_worker = Inbox()
        worker = connect("w")

        def answer(name: str, message: FromWorker) -> None:
            assert isinstance(message, (TranscriptPartial, WorkerReady))
            if isinstance(message, TranscriptPartial):
                assert engine.send(name, HangUp(message.call))

        engine.start(answer)
        worker.start(at_worker)
        worker.send(WorkerReady(1))
        for call in range(NUM_BURST):
            worker.send(TranscriptPartial(call, 0, "x"))
            if call % 100 == 0:
                await asyncio.sleep(0)
        assert await at_worker.until(NUM_BURST) == [HangUp(call) for call in range(NUM_BURST)]

    runner.run(talk())


def test_a_single_message_that_arrives_during_a_send_is_delivered(
    engine: EngineBus, connect: Callable[..., WorkerBus], runner: asyncio.Runner
) -> None:
    """Again and again, with nothing behind it that would wake the loop up: one stuck message hangs the test."""

    async def talk() -> None:
        at_engine = Inbox()
        engine.start(at_engine)
        worker = connect("w")
        worker.send(WorkerReady(1))
        await at_engine.until(1)
        for n in range(500):
            worker.send(TranscriptPartial(n, 0, "x"))
            for call in range(n % 7):
                engine.send("w", HangUp(call))
            await at_engine.until(n + 2)

    runner.run(talk())


def test_a_handler_that_raises_does_not_hold_up_the_messages_behind(
    engine: EngineBus, connect: Callable[..., WorkerBus], runner: asyncio.Runner
) -> None:
    async def talk() -> None:
        raised: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: raised.append(context["exception"]))
        inbox = Inbox()

        def handle(name: str, message: FromWorker) -> None:
            if message == CallReleased(1):
                raise RuntimeError("a bug")
            inbox(message)

        worker = connect("w")
        for call in range(4):
            worker.send(CallReleased(call))
        engine.start(handle)
        assert await inbox.until(3) == [CallReleased(0), CallReleased(2), CallReleased(3)]
        assert [str(error) for error in raised] == ["a bug"]

    runner.run(talk())


@pytest.mark.parametrize(
    "parts",
    [
        [b""],
        [b"hello"],
        [b"\x92\xb1TranscriptPartial"],
        [b"\x94\xb1TranscriptPartial\x01\x01\xa2\xff\xfe"],
        [encode(HangUp(1))],
        [encode(CallReleased(1)), encode(CallReleased(2))],
        [b"", encode(CallReleased(1))],
    ],
    ids=["empty", "text", "cut off", "not UTF-8", "other direction", "two parts", "envelope"],
)
def test_what_is_no_message_is_dropped_and_logged(
    parts: list[bytes],
    engine: EngineBus,
    connect: Callable[..., WorkerBus],
    runner: asyncio.Runner,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def talk() -> None:
        inbox = Inbox()
        engine.start(inbox)
        worker = connect("w")
        worker._socket.send_multipart(parts)
        worker.send(CallReleased(9))
        assert await inbox.until(1) == [("w", CallReleased(9))]

    runner.run(talk())
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "hello" not in caplog.text


def test_a_worker_drops_what_is_no_message(caplog: pytest.LogCaptureFixture) -> None:
    address = f"ipc://@ringline-test-{uuid.uuid4().hex}"
    with zmq.Context() as context, context.socket(zmq.ROUTER, socket_class=zmq.Socket) as router:
        router.bind(address)
        worker = WorkerBus(address, "w")
        worker.send(WorkerReady(1))
        assert router.poll(WATCHDOG_S * 1000)
        name, _ = router.recv_multipart()
        for payload in (b"\xc1", encode(WorkerReady(1)), encode(HangUp(3))):
            router.send_multipart((name, payload))
        received: list[Any] = []
        while not received:
            assert worker.wait(WATCHDOG_S * 1000)
            received.extend(worker.drain())
        assert received == [HangUp(3)]
        assert len(caplog.records) == 2
        worker.close()


def test_a_message_of_too_many_bytes_ends_that_connection_only(
    engine: EngineBus, connect: Callable[..., WorkerBus], runner: asyncio.Runner
) -> None:
    async def talk() -> None:
        inbox = Inbox()
        engine.start(inbox)
        good, bad = connect("good"), connect("bad")
        bad._socket.set(zmq.RECONNECT_IVL, -1)
        for worker in (good, bad):
            worker.send(WorkerReady(1))
        await inbox.until(2)
        bad._socket.send(bytes(bus_module.MAX_MESSAGE_BYTES + 1))
        async with asyncio.timeout(WATCHDOG_S):
            while engine.send("bad", HangUp(1)):
                list(bad.drain())  # a full queue would be refused too
                await asyncio.sleep(0)
        good.send(CallReleased(1))
        assert (await inbox.until(3))[2:] == [("good", CallReleased(1))]

    runner.run(talk())


def test_a_message_for_an_unknown_worker_is_refused(engine: EngineBus) -> None:
    assert not engine.send("nobody", ShutDown())


def test_a_message_for_a_worker_that_was_killed_is_refused(
    engine: EngineBus, runner: asyncio.Runner, start_peer: Callable[..., Any]
) -> None:
    async def talk() -> None:
        inbox = Inbox()
        engine.start(inbox)
        worker = start_peer("bus_worker", address=engine.address, name="tts-0")
        await inbox.until(1)
        assert engine.send("tts-0", HangUp(1))
        worker.kill()
        async with asyncio.timeout(WATCHDOG_S):
            while engine.send("tts-0", HangUp(1)):
                await asyncio.sleep(0)
        assert not engine.send("tts-0", HangUp(1))

    runner.run(talk())


def test_the_queue_to_a_worker_that_hangs_is_bounded(
    engine: EngineBus, connect: Callable[..., WorkerBus], runner: asyncio.Runner
) -> None:
    """Full means False; the other workers notice nothing."""

    async def talk() -> None:
        inbox = Inbox()
        engine.start(inbox)
        for name in ("hangs", "works"):
            connect(name).send(WorkerReady(1))
        await inbox.until(2)
        long = Generate(1, 1, 0, "speech", (ChatMessage("user", "x" * 2000),))
        sent = 0
        while engine.send("hangs", long):
            sent += 1
        # One queue at each end, and what the kernel holds between them.
        assert bus_module.MAX_QUEUED_MESSAGES <= sent <= 2.5 * bus_module.MAX_QUEUED_MESSAGES
        assert engine.send("works", long)

    runner.run(talk())


def test_a_worker_learns_that_the_engine_does_not_read(engine: EngineBus, connect: Callable[..., WorkerBus]) -> None:
    worker = connect("w")

    def flood() -> None:
        for call in range(3 * bus_module.MAX_QUEUED_MESSAGES):
            worker.send(TranscriptPartial(call, 0, "x" * 2000))

    with pytest.raises(zmq.Again):
        flood()


def test_a_worker_waits_for_messages_no_longer_than_told(
    engine: EngineBus, connect: Callable[..., WorkerBus], runner: asyncio.Runner
) -> None:
    worker = connect("w")
    worker.send(WorkerReady(1))

    async def greet() -> None:
        inbox = Inbox()
        engine.start(inbox)
        await inbox.until(1)
        assert not worker.wait(1)
        assert list(worker.drain()) == []
        assert engine.send("w", ReleaseCall(5))

    runner.run(greet())
    assert receive(worker) == ReleaseCall(5)


def test_what_a_worker_sent_before_it_closed_arrives(
    engine: EngineBus, connect: Callable[..., WorkerBus], runner: asyncio.Runner
) -> None:
    async def talk() -> None:
        inbox = Inbox()
        engine.start(inbox)
        worker = connect("w")
        for call in range(200):
            worker.send(CallReleased(call))
        worker.close(linger_ms=WATCHDOG_S * 1000)
        assert len(await inbox.until(200)) == 200

    runner.run(talk())


def test_two_engines_do_not_meet(engine: EngineBus, connect: Callable[..., WorkerBus], runner: asyncio.Runner) -> None:
    async def talk() -> None:
        other = EngineBus(uuid.uuid4().hex)
        inbox, other_inbox = Inbox(), Inbox()
        engine.start(inbox)
        other.start(other_inbox)
        worker, other_worker = connect("stt-0"), connect("stt-0", other)
        for call in range(100):
            worker.send(CallReleased(call))
            other_worker.send(CallReleased(1000 + call))
        assert await inbox.until(100) == [("stt-0", CallReleased(call)) for call in range(100)]
        assert await other_inbox.until(100) == [("stt-0", CallReleased(1000 + call)) for call in range(100)]
        assert engine.send("stt-0", HangUp(1))
        assert other.send("stt-0", HangUp(2))
        assert (receive(worker), receive(other_worker)) == (HangUp(1), HangUp(2))
        other.close()

    runner.run(talk())


def test_an_address_is_taken_once(engine: EngineBus) -> None:
    with pytest.raises(zmq.ZMQError, match="Address already in use"):
        EngineBus(engine.address.removeprefix("ipc://@ringline-"))


def test_there_is_no_socket_file(engine: EngineBus) -> None:
    name = engine.address.removeprefix("ipc://")
    assert name.startswith("@")
    with open("/proc/net/unix") as sockets:
        assert any(line.split()[-1] == name for line in sockets)


def test_the_name_goes_with_its_process(start_peer: Callable[..., Any]) -> None:
    peer = start_peer("bus_engine", run_id=uuid.uuid4().hex)
    name = peer.line().removeprefix("ipc://@")
    assert knock(name)
    peer.kill()
    with pytest.raises(ConnectionRefusedError):
        knock(name)


def test_our_own_user_may_connect(engine: EngineBus) -> None:
    assert knock(engine.address.removeprefix("ipc://@"))


def test_a_user_that_is_not_the_engines_may_not_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "getuid", lambda: 54_321)
        engine = EngineBus(uuid.uuid4().hex)
    assert not knock(engine.address.removeprefix("ipc://@"))
    engine.close()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_another_user_may_not_connect(engine: EngineBus, start_peer: Callable[..., Any]) -> None:
    name = engine.address.removeprefix("ipc://@")
    assert start_peer("visitor", user=0, name=name).result() == 1
    assert start_peer("visitor", user=65_534, name=name).result() == 0


def knock(name: str) -> bool:
    """Whether the engine greets a connection, instead of closing it."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(WATCHDOG_S)
        connection.connect(f"\0{name}")
        try:
            return connection.recv(1) == b"\xff"  # the first byte of ZeroMQ's greeting
        except ConnectionResetError:
            return False


def test_worker_that_is_woken_knows_it() -> None:
    bus = WorkerBus("ipc://@ringline-test-nobody", "worker")
    bus.wake()
    assert bus.wait(1_000)
    assert bus.was_woken
    assert not bus.wait(0)
    assert not bus.was_woken
    bus.close()


def test_wake_behind_the_close_is_harmless() -> None:
    bus = WorkerBus("ipc://@ringline-test-nobody", "worker")
    bus.close()
    bus.wake()
