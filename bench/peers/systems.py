"""What is compared: Ringline and both peers in their set-ups, each a server of its own that takes Twilio's streams."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import numpy as np
from rich.console import Console

from bench.peers import environments
from bench.processes import tree
from bench.telephone import resampled
from ringline.workers.tts import synthetic

BOTS = Path(__file__).parent
WIRE_HZ = 8_000
START_TIMEOUT_S = 180.0
QUIET = {"LOGURU_LEVEL": "ERROR"}
"""Pipecat's log: everything, unless it is told before it is imported."""


class Stages(msgspec.Struct, frozen=True):
    """How long the stages take and when a turn is over: the same for all."""

    reply: str = "This is a synthetic reply. It has two sentences."
    greeting: str = "Hello, how can I help you?"
    transcript: str = "this is a synthetic transcript"
    stt_ms: int = 100
    """From the question to the final transcript."""
    llm_ms: int = 100
    """To the first token."""
    tokens_per_s: float = 1000.0
    tts_ms: int = 50
    """To the first sound."""
    realtime_factor: float = 0.1
    """Seconds of work per second of speech."""
    endpoint_ms: int = 400
    """Silence after which a turn is over."""
    onset_ms: int = 64
    """Of speech in a row, and ..."""
    release_ms: int = 96
    """... of silence, after which the VAD says so."""
    threshold: float = 0.5
    """The VAD's: Silero's own default."""

    @property
    def sum_ms(self) -> int:
        """What a response takes that does nothing in advance."""
        return self.endpoint_ms + self.stt_ms + self.llm_ms + self.tts_ms


class System(msgspec.Struct, frozen=True):
    """One of what is compared."""

    name: str
    program: str
    """``ringline``, ``pipecat`` or ``livekit``."""
    variant: str
    per_call: bool = False
    """Whether each call has a process of its own."""

    @contextlib.asynccontextmanager
    async def running(self, stages: Stages, calls: int, out: Console) -> AsyncIterator[Server]:
        """A server that can take so many calls, from its first moment on loopback to its end."""
        command = [*self._command(out), "--voice", str(_voice()), "--variant", self.variant]
        command += ["--processes", str(calls if self.per_call else 0), "--calls", str(calls)]
        for name, value in msgspec.to_builtins(stages).items():
            command += [f"--{name.replace('_', '-')}", str(value)]
        async with started(command) as server:
            yield server

    def _command(self, out: Console) -> list[str]:
        if self.program == "ringline":
            return [sys.executable, "-m", "bench.peers.ringline_bot"]
        return [str(environments.python_of(self.program, out)), str(BOTS / f"{self.program}_bot.py")]


class Server(msgspec.Struct, frozen=True):
    """A system that takes calls."""

    url: str
    pid: int

    def pids(self) -> list[int]:
        """All its processes, now."""
        return tree(self.pid)


@contextlib.asynccontextmanager
async def started(command: list[str]) -> AsyncIterator[Server]:
    """The server that this command is, from the moment when it says its port to its end."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, env=os.environ | QUIET
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            port = int(await process.stdout.readline())
        yield Server(f"twilio://127.0.0.1:{port}/media", process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), 5)
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


SYSTEMS = {
    system.name: system
    for system in (
        System("ringline", "ringline", "draft"),
        System("ringline, no drafts", "ringline", "no draft"),
        System("pipecat", "pipecat", "same"),
        System("pipecat, per call", "pipecat", "same", per_call=True),
        System("pipecat, its VAD defaults", "pipecat", "documented"),
        System("pipecat, eager", "pipecat", "eager"),
        System("livekit", "livekit", "same"),
        System("livekit, per call", "livekit", "same", per_call=True),
        System("livekit, its VAD defaults", "livekit", "documented"),
        System("livekit, TTS ahead", "livekit", "preemptive tts"),
    )
}


def _voice() -> Path:
    """One second of the synthetic voice at the wire's rate, for those who cannot import it."""
    path = environments.FOLDER / "voice.wav"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        second = synthetic._second()
        narrow = resampled(np.concatenate([second] * 3), synthetic.RATE_HZ, WIRE_HZ)[WIRE_HZ : 2 * WIRE_HZ]
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, WIRE_HZ, 0, "NONE", ""))
            file.writeframes(narrow.tobytes())
    return path
