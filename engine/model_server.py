"""A model server that the engine starts and watches: ``[llm] serve``.

It belongs to the engine and not to a worker: it serves all workers of its tier, and a worker's death must not cost
the minutes in which it has loaded its model.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shlex
import sys
import time
from urllib.parse import urlsplit

import aiohttp

from ringline.engine.config import Config, OpenAiLlm
from ringline.engine.config.llm import FILE
from ringline.engine.supervisor import BACKOFF_S, STABLE_S, EngineFailed
from ringline.workers.base import CannotStart
from ringline.workers.llm.llama_cpp import find

log = logging.getLogger("ringline.server")

LOOK_S = 0.25
"""How often a server that loads is asked whether it is ready."""
SHUT_DOWN_S = 5.0
"""How long it may take to exit when asked to."""
MAX_LINE_CHARS = 2_000
"""Of its log."""


class ModelServer:
    """One server, and its successive processes."""

    def __init__(self, config: OpenAiLlm) -> None:
        """Raises EngineFailed where the model's file is missing."""
        url = urlsplit(config.base_url)
        values = {
            "{model}": config.model,
            "{host}": url.hostname or "",
            "{port}": str(url.port or 80),
            "{python}": sys.executable,
        }
        if FILE in config.serve:
            values[FILE] = _file(config.model)
        self._command = [_filled_in(word, values) for word in shlex.split(config.serve)]
        self._config = config
        self.name = os.path.basename(self._command[0]) if self._command else ""
        self.restarts = 0
        self._process: asyncio.subprocess.Process | None = None
        self._life: asyncio.Task[None] | None = None
        self._first_end: asyncio.Future[int] | None = None

    @property
    def pid(self) -> int:
        """Of the process that guards it; 0 while it is down."""
        return self._process.pid if self._process is not None else 0

    def start(self) -> None:
        """Start it, and start it again whenever it ends."""
        self._first_end = asyncio.get_running_loop().create_future()
        self._life = asyncio.get_running_loop().create_task(self._live(self._first_end))

    async def until_ready(self) -> None:
        """Wait for its answer. Raises EngineFailed if it ends before, or takes too long."""
        assert self._first_end is not None
        ready = asyncio.get_running_loop().create_task(self._until_answer())
        try:
            await asyncio.wait(
                (ready, self._first_end), timeout=self._config.serve_ready_s, return_when=asyncio.FIRST_COMPLETED
            )
            if ready.done():
                ready.result()
                log.info("model server ready", extra={"server": self.name})
            elif self._first_end.done():
                raise EngineFailed(f"{self.name} ended with status {self._first_end.result()}: its log says why")
            else:
                raise EngineFailed(f"{self.name} is not ready after {self._config.serve_ready_s:g} s")
        finally:
            ready.cancel()

    async def stop(self) -> None:
        """End it and all its processes."""
        if self._life is not None:
            self._life.cancel()
            await asyncio.wait([self._life])

    async def _live(self, first_end: asyncio.Future[int]) -> None:
        failures = 0
        while True:
            started_s = time.monotonic()
            status = await self._run()
            if not first_end.done():
                first_end.set_result(status)
            failures = 0 if time.monotonic() - started_s > STABLE_S else failures
            log.error("model server died", extra={"server": self.name, "status": status})
            await asyncio.sleep(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])
            failures += 1
            self.restarts += 1

    async def _run(self) -> int:
        """One process from its birth to its end, which cancelling this brings about. Returns its exit status."""
        log.info("model server starts", extra={"server": self.name, "command": shlex.join(self._command)})
        guard = (sys.executable, "-m", "ringline.engine.server_guard", str(os.getpid()), str(SHUT_DOWN_S))
        process = await asyncio.create_subprocess_exec(
            *guard, *self._command,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        self._process = process
        assert process.stdout is not None
        reading = asyncio.get_running_loop().create_task(self._log(process.stdout))
        try:
            return await process.wait()
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()
            await reading
            self._process = None

    async def _log(self, output: asyncio.StreamReader) -> None:
        """Its output, line by line, in Ringline's log."""
        while True:
            try:
                line = await output.readuntil(b"\n")
            except asyncio.IncompleteReadError as error:
                line = error.partial
            except asyncio.LimitOverrunError as error:  # no end of line in sight
                line = await output.read(error.consumed)
            if not line:
                return
            text = line.decode(errors="replace").rstrip()[:MAX_LINE_CHARS]
            log.info("model server says", extra={"server": self.name, "line": text})

    async def _until_answer(self) -> None:
        """vLLM, llama.cpp and ollama list their models as soon as they can answer, and not before."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2.0)) as session:
            while True:
                try:
                    async with session.get(f"{self._config.base_url.rstrip('/')}/models") as response:
                        if response.status < 500:  # a key may be wanted, which is the worker's business
                            return
                except (aiohttp.ClientError, TimeoutError):
                    pass
                await asyncio.sleep(LOOK_S)


def _file(model: str) -> str:
    try:
        return str(find(model))
    except CannotStart as error:
        raise EngineFailed(str(error)) from error


def _filled_in(word: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        word = word.replace(name, value)
    return word


class ModelServers:
    """All servers of a configuration."""

    def __init__(self, config: Config) -> None:
        """Raises EngineFailed where a model's file is missing."""
        tables = [table for table in config.tiers("llm") if isinstance(table, OpenAiLlm) and table.serve]
        self.all = [ModelServer(table) for table in tables]
        self._is_main_served = bool(tables) and tables[0] is config.llm

    async def start(self) -> None:
        """Start all; return when the main backend's is ready. Raises EngineFailed if it does not come up."""
        for server in self.all:
            server.start()
        if self._is_main_served:
            await self.all[0].until_ready()

    async def stop(self) -> None:
        """End all."""
        await asyncio.gather(*(server.stop() for server in self.all))
