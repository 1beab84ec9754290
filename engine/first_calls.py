"""What is made before anybody calls, so that a first call is like any other: the LLM has computed its prompt, TTS has
spoken the greeting, and makes whatever else is said in the same words in every call."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import msgspec

from ringline.engine.agents import Agents
from ringline.engine.config import Config
from ringline.engine.conversation.fixed_phrases import rehearsal
from ringline.engine.conversation.prompt_ahead import prompt_ahead
from ringline.engine.supervisor import Supervisor, WorkerProcess
from ringline.ipc.messages import PromptWarmed, Rehearsed, ToWorker

log = logging.getLogger("ringline.switchboard")


class FirstCalls:
    """Sends what is to be made to each worker that becomes ready, and again when the agent changes."""

    def __init__(
        self, config: Config, agents: Agents, supervisor: Supervisor, send: Callable[[str, ToWorker], bool]
    ) -> None:
        self._config = config
        self._agents = agents
        self._supervisor = supervisor
        self._send = send
        self._number = 0
        self._awaited: dict[str, int] = {}
        """Bus name -> number of the rehearsal, 0 for the prompt, of main workers that have not answered."""
        self._changed = asyncio.Event()

    async def until_made(self, timeout_s: float) -> None:
        """Return when all is made that a call begins with, or after so long."""
        try:
            async with asyncio.timeout(timeout_s):
                while self._awaited:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            late = sorted(worker.name for worker in self._supervisor.workers if worker.bus_name in self._awaited)
            log.warning("calls are let in before the first is prepared", extra={"late": " ".join(late)})

    def agent_changed(self) -> None:
        """New calls will be answered by another agent."""
        for worker in self._supervisor.workers:
            if worker.state == "ready":
                self.worker_ready(worker)

    def worker_ready(self, worker: WorkerProcess) -> None:
        """Give it its part."""
        if worker.kind == "tts":
            self._rehearse(worker)
        elif worker.kind == "llm" and worker.config.llm.warms_prompt:
            self._ask(worker, prompt_ahead(self._agents.current, self._config.turn), 0)

    def worker_down(self, bus_name: str) -> None:
        """The next process of the worker will be asked anew."""
        self._answered(bus_name)

    def take(self, worker: WorkerProcess, message: PromptWarmed | Rehearsed) -> None:
        """What a worker says of it."""
        match message:
            case PromptWarmed():
                self._answered(worker.bus_name)
            case Rehearsed(number) if number == self._awaited.get(worker.bus_name):
                self._answered(worker.bus_name)

    def _rehearse(self, worker: WorkerProcess) -> None:
        self._number += 1
        rehearse = rehearsal(self._agents.current, self._agents.fixed_texts, self._number)
        if worker.config.tts.name != self._config.tts.name:  # the agent's voice is not one of its
            rehearse = msgspec.structs.replace(rehearse, voice="")
        self._ask(worker, rehearse, self._number)

    def _ask(self, worker: WorkerProcess, message: ToWorker, number: int) -> None:
        if self._send(worker.bus_name, message) and not worker.tier:
            self._awaited[worker.bus_name] = number

    def _answered(self, bus_name: str) -> None:
        self._awaited.pop(bus_name, None)
        self._changed.set()
