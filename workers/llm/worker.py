"""The LLM worker: streams the replies of all calls from one model. It remembers nothing of a call."""

from __future__ import annotations

import asyncio
import logging
import time

import uvloop

from ringline.ipc.messages import (
    CallReleased,
    CancelReply,
    Generate,
    PromptWarmed,
    ReleaseCall,
    ReplyDelta,
    ReplyFailed,
    ReplyFinished,
    ShutDown,
    ToWorker,
    UseFlows,
    WarmPrompt,
)
from ringline.workers.base import IDLE_WAIT_MS, Worker
from ringline.workers.llm import make_backend
from ringline.workers.llm.backend import Finished, LlmBackend, TextDelta
from ringline.workers.working import exit_out_of_memory, set_alone

log = logging.getLogger("ringline.llm")

Key = tuple[int, int, int]


class LlmWorker:
    """One task per reply under way."""

    def __init__(self, worker: Worker, backend: LlmBackend) -> None:
        self.worker = worker
        self.backend = backend
        self.replies: dict[Key, asyncio.Task[None]] = {}
        self.warming: asyncio.Task[None] | None = None
        self.stopped = asyncio.Event()

    def handle(self, message: ToWorker) -> None:
        """One message from the engine."""
        match message:
            case Generate():
                set_alone(message.call, message.alone)
                self._stop_warming()
                key = (message.call, message.turn, message.step)
                if key not in self.replies:
                    task = asyncio.get_running_loop().create_task(self._reply(message))
                    self.replies[key] = task
                    task.add_done_callback(lambda _: self.replies.pop(key, None))
            case UseFlows(flows):
                self.backend.use_flows(flows)
            case WarmPrompt():
                if not self.replies:  # else the model has better things to do, and very likely this prompt already
                    self._stop_warming()
                    self.warming = asyncio.get_running_loop().create_task(self._warm(message))
                elif not message.call:
                    self.worker.bus.send(PromptWarmed())
            case CancelReply(call=call, turn=turn):
                self._cancel(key for key in self.replies if key[0] == call and key[1] <= turn)
            case ReleaseCall(call=call):
                self._cancel(key for key in self.replies if key[0] == call)
                self.worker.bus.send(CallReleased(call))
            case ShutDown():
                self.stopped.set()

    def _cancel(self, keys: object) -> None:
        for key in list(keys):  # type: ignore[call-overload]
            self.replies[key].cancel()

    async def close(self) -> None:
        """Break off what is under way."""
        tasks = [*self.replies.values(), *([self.warming] if self.warming else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.backend.close()

    def _stop_warming(self) -> None:
        if self.warming is not None:
            self.warming.cancel()
            self.warming = None

    async def _warm(self, request: WarmPrompt) -> None:
        try:
            await self.backend.warm_prompt(request)
        except Exception:
            log.warning("the prompt was not sent ahead", extra={"call": request.call}, exc_info=True)
        finally:
            if not request.call:
                self.worker.bus.send(PromptWarmed())

    async def _reply(self, request: Generate) -> None:
        key = (request.call, request.turn, request.step)
        send = self.worker.bus.send
        try:
            async for part in self.backend.generate(request):
                if isinstance(part, TextDelta):
                    send(ReplyDelta(*key, part.text, time.monotonic_ns()))
                elif isinstance(part, Finished):
                    now_ns = time.monotonic_ns()
                    send(ReplyFinished(*key, part.tool_calls, part.state, part.expect, now_ns, part.usage))
        except MemoryError as error:
            exit_out_of_memory(error)
        except Exception as error:
            log.exception("reply failed", extra={"call": request.call, "turn": request.turn})
            send(ReplyFailed(*key, f"{type(error).__name__}: {error}"))


async def _main(worker: Worker) -> None:
    backend = make_backend(worker.config)
    await backend.warm_up()
    llm = LlmWorker(worker, backend)
    worker.bus.start(llm.handle)
    worker.ready()
    while not llm.stopped.is_set():
        worker.beat()
        worker.report(backend.pool)
        try:
            async with asyncio.timeout(IDLE_WAIT_MS / 1000):
                await llm.stopped.wait()
        except TimeoutError:
            continue
    await llm.close()


def run(worker: Worker) -> None:
    """The worker's main loop."""
    uvloop.run(_main(worker))
