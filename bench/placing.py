"""Places calls for the benches: the simulated caller, in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence

import msgspec

from bench.processes import Usage
from ringline import Engine
from ringline.tools.caller.report import RunResult

Script = Sequence[str]
"""What the caller does, in order, as options of `ringline call`: ``--say``, ``hello``, ..."""


def says(*texts: str) -> list[str]:
    """A script of sentences."""
    return [option for text in texts for option in ("--say", text)]


def door(engine: Engine, scheme: str) -> str:
    """The URL of the engine's door of this kind (``twilio``, ``audiosocket``)."""
    return next(url for url in engine.doors if url.startswith(scheme))


def pids_of(engine: Engine) -> list[int]:
    """The engine's processes; its own is the bench's."""
    return [os.getpid(), *(worker.pid for worker in engine.supervisor.workers if worker.pid)]


async def place(url: str, script: Script, calls: int = 1, stagger_ms: float = 137, options: Script = ()) -> RunResult:
    """Place so many calls at once, and return when all are over."""
    command = _command(url, script, calls, stagger_ms, options)
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise
    return msgspec.json.decode(output, type=RunResult)


@contextlib.asynccontextmanager
async def calling(
    url: str, script: Script, calls: int = 1, stagger_ms: float = 50, options: Script = ()
) -> AsyncIterator[int]:
    """Calls that go on for as long as the block does. Yields the process id of the caller."""
    command = _command(url, script, calls, stagger_ms, options)
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def use(pids: Sequence[int], window_s: float) -> tuple[float, float]:
    """(cores, context switches a second) of the processes, from now on for so long."""
    before = Usage.of(pids)
    await asyncio.sleep(window_s)
    after = Usage.of(pids)
    return before.cores_until(after), before.switches_per_s_until(after)


def _command(url: str, script: Script, calls: int, stagger_ms: float, options: Script) -> list[str]:
    command = [sys.executable, "-m", "ringline.tools.caller", url, "--calls", str(calls), "--json"]
    return [*command, "--stagger", str(stagger_ms), *options, *script]
