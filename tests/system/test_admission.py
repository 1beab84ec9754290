"""Exact admission, and everything back where it was after every way in which a call can end."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ringline.tools.caller.run import run_calls
from ringline.tools.caller.script import Item

FRAME = b"\x10\x01\x40" + bytes(320)


async def connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A call over AudioSocket, up to its first frame both ways."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(b"\x01\x00\x10" + uuid.uuid4().bytes + FRAME)
    await reader.readexactly(len(FRAME))
    return reader, writer


async def gone(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read until the other side has closed, then close."""
    try:
        while await reader.read(65_536):
            pass
    except ConnectionError:
        pass
    writer.close()


async def caller_closes(running: Any) -> None:
    reader, writer = await connect(running.audiosocket)
    writer.close()
    del reader


async def caller_half_closes(running: Any) -> None:
    reader, writer = await connect(running.audiosocket)
    writer.write_eof()
    await gone(reader, writer)


async def caller_resets(running: Any) -> None:
    _, writer = await connect(running.audiosocket)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def caller_sends_garbage(running: Any) -> None:
    reader, writer = await connect(running.audiosocket)
    writer.write(os.urandom(64).replace(b"\x10", b"\x77") * 8)
    writer.write(b"\x77\xff\xff" + bytes(70_000))
    await gone(reader, writer)


async def bot_hangs_up(running: Any) -> None:
    reader, writer = await connect(running.audiosocket)
    while not running.engine.calls:
        await asyncio.sleep(0.01)
    running.engine.hang_up(running.engine.calls[0].number)
    await gone(reader, writer)


async def whole_call(running: Any) -> None:
    assert (await running.call(running.twilio)).succeeded


ENDINGS = [caller_closes, caller_half_closes, caller_resets, caller_sends_garbage, bot_hangs_up, whole_call]


def resources(running: Any) -> dict[str, tuple[int, int]]:
    """Open files and threads of every process of the engine."""
    pids = {worker.name: worker.pid for worker in running.engine.supervisor.workers}
    return {
        name: (len(os.listdir(f"/proc/{pid}/fd")), len(os.listdir(f"/proc/{pid}/task"))) for name, pid in pids.items()
    }


async def until(condition: Callable[[], bool]) -> None:
    """Wait for it; the watchdog of the test bounds it."""
    while not condition():
        await asyncio.sleep(0.02)


async def test_after_every_ending_all_is_back_where_it_was(start: Any) -> None:
    async with start(max_calls=2) as running:
        await whole_call(running)
        before = resources(running)
        for ending in ENDINGS:
            await ending(running)
            await until(lambda: all(slot.call == 0 for slot in running.engine.exchange.slots))
            await running.engine.switchboard.wait_until_idle()
            await until(lambda: resources(running) == before)
        assert len(running.engine.switchboard.requests) == 0


async def test_memory_does_not_grow_with_calls(start: Any) -> None:
    def rss_mb(pid: int) -> float:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    async def flood(num_calls: int) -> None:
        for _ in range(num_calls):
            await caller_closes(running)
            await running.engine.switchboard.wait_until_idle()

    async with start(max_calls=2) as running:
        await flood(60)
        workers = running.engine.supervisor.workers
        before = {worker.name: rss_mb(worker.pid) for worker in workers}
        await flood(120)
        growth = {worker.name: rss_mb(worker.pid) - before[worker.name] for worker in workers}
    assert max(growth.values()) < 6.0, growth


@pytest.mark.parametrize("door", ["audiosocket", "twilio"])
async def test_call_beyond_max_calls_is_refused_and_the_others_go_on(start: Any, door: str) -> None:
    async with start(max_calls=2) as running:
        result = await running.call(getattr(running, door), num_calls=3, stagger_ms=50)
    assert result.answered == 2
    assert result.completed == 2
    assert sum(result.refused.values()) == 1
    if door == "twilio":
        assert "503" in next(iter(result.refused))


async def test_refused_call_leaves_no_slot_behind(start: Any) -> None:
    async with start(max_calls=1) as running:
        await running.call(num_calls=2, stagger_ms=50)
        assert (await running.call()).succeeded


async def test_no_calls_are_let_in_while_draining(start: Any) -> None:
    async with start() as running:
        _, writer = await connect(running.audiosocket)
        await until(lambda: bool(running.engine.calls))
        draining = asyncio.create_task(running.engine.drain())
        await asyncio.sleep(0)
        result = await run_calls(running.twilio, [Item(text="hello")])
        writer.close()
        await draining
    assert sum(result.refused.values()) == 1
