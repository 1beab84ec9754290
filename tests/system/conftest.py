"""Whole engines: real processes, real sockets on loopback, synthetic or embedded stages."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from ringline import Agent, Engine
from ringline.engine.config import parse
from ringline.ipc.messages import FromWorker
from ringline.tools.caller.events import Event
from ringline.tools.caller.report import RunResult
from ringline.tools.caller.run import run_calls
from ringline.tools.caller.script import Item

SYNTHETIC = """
[engine]
max_calls = {max_calls}
log_level = "warning"
hung_s = 1.0
{engine}
[[door]]
url = "audiosocket://127.0.0.1:0"
[[door]]
url = "twilio://127.0.0.1:0/media"
[stt]
backend = "synthetic"
final_ms = {stage_ms}
{stt}
{llm_table}
{tts_table}
[turn]
endpoint_ms = 300
endpoint_min_ms = 300
endpoint_max_ms = 300
prosody = false
{turn}
"""
SYNTHETIC_LLM = """
[llm]
backend = "synthetic"
first_token_ms = {stage_ms}
tokens_per_s = 200
text = "{text}"
{llm}
"""
SYNTHETIC_TTS = """
[tts]
backend = "synthetic"
first_audio_ms = {stage_ms}
realtime_factor = {realtime_factor}
{tts}
"""


class Running:
    """An engine under test, and what its workers told it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.audiosocket, self.twilio = engine.doors
        self.messages: list[FromWorker] = []
        deliver = engine.switchboard.on_message

        def listen(bus_name: str, message: FromWorker) -> None:
            self.messages.append(message)
            deliver(bus_name, message)

        engine._bus.start(listen)

    def pid(self, worker: str) -> int:
        return next(w.pid for w in self.engine.supervisor.workers if w.name == worker)

    def kill(self, worker: str, signal_number: int) -> None:
        """Signal a worker, if it has a process at the moment."""
        if pid := self.pid(worker):
            os.kill(pid, signal_number)

    def of(self, *kinds: type) -> list[Any]:
        return [message for message in self.messages if isinstance(message, kinds)]

    async def call(
        self,
        url: str = "",
        say: tuple[str, ...] = ("hello",),
        num_calls: int = 1,
        on_event: Callable[[Event], None] | None = None,
        **options: Any,
    ) -> RunResult:
        """Place calls and wait until all is over and every slot is free."""
        items = [Item(text=text) for text in say]
        result = await run_calls(url or self.audiosocket, items, num_calls, on_event=on_event, **options)
        await self.engine.switchboard.wait_until_idle()
        return result

    async def until_ready(self) -> None:
        """All workers are there again."""
        while any(worker.state != "ready" for worker in self.engine.supervisor.workers):
            await asyncio.sleep(0.02)


Start = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture
def start() -> Start:
    """``async with start(max_calls=2) as running``: an engine with synthetic stages.

    ``stt``, ``llm``, ``tts``, ``engine`` and ``turn`` are further keys of these tables, ``llm_table`` and
    ``tts_table`` ones in place of the synthetic ones, ``extra`` further tables; ``agent`` one in place of the clinic.
    """

    @asynccontextmanager
    async def running(
        max_calls: int = 4,
        stage_ms: int = 20,
        realtime_factor: float = 0.1,
        text: str = "This is the first sentence. This is the second.",
        stt: str = "",
        llm: str = "",
        llm_table: str = "",
        tts: str = "",
        tts_table: str = "",
        engine: str = "",
        turn: str = "",
        extra: str = "",
        agent: Agent | None = None,
    ) -> AsyncIterator[Running]:
        source = SYNTHETIC.format(
            max_calls=max_calls,
            stage_ms=stage_ms,
            stt=stt,
            llm_table=llm_table or SYNTHETIC_LLM.format(stage_ms=stage_ms, text=text, llm=llm),
            engine=engine,
            turn=turn,
            tts_table=tts_table or SYNTHETIC_TTS.format(stage_ms=stage_ms, realtime_factor=realtime_factor, tts=tts),
        )
        async with Engine(parse(source + extra), agent) as engine:
            yield Running(engine)

    return running
