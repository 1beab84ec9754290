"""A worker's side of the doors, faked: it records what a call heard, and lets tests wait for it."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
import uvloop

from ringline.engine.config import DoorConfig
from ringline.workers.capture.doors import open_door
from ringline.workers.capture.doors.door import Leg

WATCHDOG_S = 20.0


class FakeCall:
    """An `Admission` that records."""

    def __init__(self, reception: FakeReception, leg: Leg, door_url: str) -> None:
        self.leg = leg
        self.door_url = door_url
        self.heard = b""
        self.digits = ""
        self.reasons: list[str] = []
        self._reception = reception

    def audio(self, payload: bytes | memoryview) -> None:
        assert not self.reasons, "audio after the end"
        assert payload, "audio of no bytes"
        self.heard += bytes(payload)
        self._reception.changed()

    def dtmf(self, digit: str) -> None:
        assert not self.reasons, "a digit after the end"
        self.digits += digit
        self._reception.changed()

    def closed(self, reason: str) -> None:
        self.reasons.append(reason)
        self._reception.changed()

    async def until_heard(self, num_bytes: int) -> bytes:
        await self._reception.until(lambda: len(self.heard) >= num_bytes)
        return self.heard

    async def until_digits(self, count: int) -> str:
        await self._reception.until(lambda: len(self.digits) >= count)
        return self.digits

    async def ended(self) -> str:
        """Waits for the end; returns its reason."""
        await self._reception.until(lambda: bool(self.reasons))
        assert len(self.reasons) == 1
        return self.reasons[0]


class FakeReception:
    """A `Reception` with room for as many calls as it is told."""

    def __init__(self) -> None:
        self.room = 1_000
        self.has_room_says: bool | None = None
        self.calls: list[FakeCall] = []
        self._change = asyncio.Event()

    def has_room(self) -> bool:
        return self.room > len(self.calls) if self.has_room_says is None else self.has_room_says

    def arrive(self, leg: Leg, door_url: str) -> FakeCall | None:
        if len(self.calls) >= self.room:
            return None
        call = FakeCall(self, leg, door_url)
        self.calls.append(call)
        self.changed()
        return call

    def changed(self) -> None:
        self._change.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._change.clear()
            await self._change.wait()

    async def call(self, number: int = 0) -> FakeCall:
        """Waits until so many calls are there."""
        await self.until(lambda: len(self.calls) > number)
        return self.calls[number]


def num_fds() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture(scope="session", autouse=True)
def signal_pipe() -> None:
    """libuv opens a pipe with its first loop and keeps it: it must be there before file descriptors are counted."""
    uvloop.new_event_loop().close()


Run = Callable[[Callable[[], Coroutine[Any, Any, None]]], None]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a test's coroutine on either event loop, under a watchdog; errors nobody caught fail the test."""

    def run_it(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        uncaught: list[dict[str, Any]] = []

        async def watched() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda loop, context: uncaught.append(context))
            async with asyncio.timeout(WATCHDOG_S):
                await main()

        factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop
        gc.collect()  # what earlier tests have left would be closed some time during this one
        before = num_fds()
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(watched())
        assert uncaught == []
        assert num_fds() == before

    return run_it


OpenDoor = Callable[..., AbstractAsyncContextManager[tuple[Any, FakeReception]]]


@pytest.fixture
def opened() -> OpenDoor:
    """``async with opened(url, **config) as (door, reception)``; no connection may be left of what happened inside."""

    @asynccontextmanager
    async def context(url: str, **config: Any) -> AsyncIterator[tuple[Any, FakeReception]]:
        reception = FakeReception()
        door: Any = open_door(DoorConfig(url, **config), reception)
        await door.open()
        listening = num_fds()
        try:
            yield door, reception
            await gone(lambda: num_fds() <= listening)
        finally:
            await door.close()
        for call in reception.calls:
            assert len(call.reasons) == 1

    return context


async def gone(condition: Callable[[], bool]) -> None:
    """Waits for something nobody tells of: the kernel's list of sockets. The watchdog bounds it."""
    while not condition():
        await asyncio.sleep(0.005)


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    return gone
