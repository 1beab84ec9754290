"""The engine: brings up the exchange, the bus and the workers, and lets calls in."""

from __future__ import annotations

import asyncio
import gc
import logging
import secrets
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from ringline.engine.agent import Agent
from ringline.engine.agents import flow_of
from ringline.engine.call import Call, CallEvent
from ringline.engine.config import Config
from ringline.engine.event_log import EventLogs
from ringline.engine.model_server import ModelServers
from ringline.engine.supervisor import Supervisor, WorkerProcess
from ringline.engine.switchboard import Switchboard
from ringline.ipc.bus import EngineBus
from ringline.ipc.exchange import Exchange, Layout
from ringline.ipc.warm_up import warm_up

log = logging.getLogger("ringline.engine")


class Engine:
    """A running Ringline, inside any asyncio program.

    >>> async with Engine(config) as engine:  # doctest: +SKIP
    ...     engine.subscribe(lambda call, event: print(call.number, event))
    ...     await asyncio.Event().wait()
    """

    def __init__(self, config: Config | None = None, agent: Agent | None = None) -> None:
        """``agent`` replaces the one that the configuration names.

        Raises AgentError for an agent that is wrong, or has no flow where the flow brain is to answer.
        """
        self.config = config or Config()
        self.agent = agent or Agent.load(self.config.agent.path)
        flow_of(self.agent, self.config)
        self._subscribers: list[Callable[[Call, CallEvent], None]] = []
        self._running = False

    def subscribe(self, callback: Callable[[Call, CallEvent], None]) -> None:
        """``callback(call, event)`` is called on the engine's loop for everything that happens in calls."""
        self._subscribers.append(callback)

    async def start(self) -> None:
        """Bring up everything; returns when calls are let in. Raises EngineFailed, and leaves nothing behind then."""
        warm_up()
        self.model_servers = ModelServers(self.config)
        self.exchange = Exchange.create(Layout(max_calls=self.config.engine.max_calls))
        self._bus = EngineBus(secrets.token_hex(16))
        self._event_logs = EventLogs(Path(self.config.events.path)) if self.config.events.path else None
        self.switchboard = Switchboard(
            self.config, self.agent, self.exchange, self._bus.send, self._publish, self._event_logs
        )
        self.supervisor = Supervisor(
            self.config, self.exchange, self._bus.address, self._bus.send,
            self._on_worker_ready, self._on_worker_down,
        )  # fmt: skip
        self.switchboard.connect(self.supervisor)
        self._bus.start(self.switchboard.on_message)
        self._running = True
        try:
            await self.model_servers.start()
            await self.supervisor.start()
            await self.switchboard.first_calls.until_made(self.config.engine.prepare_s)
        except BaseException:
            await self.stop()
            raise
        gc.collect()
        gc.freeze()
        self.switchboard.open(True)
        log.info("open for calls", extra={"doors": " ".join(self.doors)})

    async def drain(self) -> None:
        """Let no new calls in and wait for the running ones, at most ``drain_s``; then they are hung up."""
        self.switchboard.open(False)
        log.info("draining", extra={"calls": len(self.switchboard.calls)})
        try:
            async with asyncio.timeout(self.config.engine.drain_s):
                await self.switchboard.wait_until_idle()
        except TimeoutError:
            log.warning("calls hung up: they did not finish in time", extra={"calls": len(self.switchboard.calls)})
            self.switchboard.hang_up_all("shutdown")

    async def stop(self) -> None:
        """End everything at once."""
        if not self._running:
            return
        self._running = False
        self.switchboard.open(False)
        self.switchboard.hang_up_all("shutdown")
        await self.supervisor.stop()
        await self.model_servers.stop()
        self._bus.close()
        self.exchange.close()
        if self._event_logs is not None:
            await asyncio.to_thread(self._event_logs.close)

    async def __aenter__(self) -> Engine:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def doors(self) -> list[str]:
        """URLs at which calls are taken, with the ports that were really bound."""
        return [url for worker in self.supervisor.workers for url in worker.doors]

    @property
    def calls(self) -> list[Call]:
        """The calls that are going on."""
        return list(self.switchboard.calls.values())

    def use(self, agent: Agent) -> None:
        """Let new calls be answered by this agent; calls that go on keep theirs.

        Raises AgentError for one that has no flow, or a broken one, where the flow brain is to answer; the old one
        stays then.
        """
        flow_of(agent, self.config)
        self.agent = agent
        if self._running:
            self.switchboard.use(agent)

    def hang_up(self, number: int) -> None:
        """End a call. Raises KeyError if there is none of that number."""
        self.switchboard.hang_up(number, "bot")

    def _publish(self, call: Call, event: CallEvent) -> None:
        for callback in self._subscribers:
            try:
                callback(call, event)
            except Exception:
                log.exception("a subscriber failed")

    def _on_worker_ready(self, worker: WorkerProcess) -> None:
        self.switchboard.on_worker_ready(worker)

    def _on_worker_down(self, worker: WorkerProcess, bus_name: str) -> None:
        self.switchboard.on_worker_down(worker, bus_name)
