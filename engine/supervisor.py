"""Starts, watches and restarts the worker processes.

A worker is *starting* until it says that it is ready, *ready* while its heartbeat moves, and *down* when its process is
gone. A worker that hangs is asked for its stacks (SIGUSR1, into the log), then killed. What is down is started again,
with growing pauses while it keeps dying.

A stage's workers form pools, one per tier: tier 0 serves, the others are its fallbacks. Without a main pool there is no
engine; a fallback pool that cannot start is an error in the log.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import msgspec

from ringline.engine.config import STAGES, Config, Stage
from ringline.engine.environment import worker_environment
from ringline.ipc.exchange import Exchange
from ringline.ipc.messages import ShutDown, ToWorker
from ringline.workers.base import WorkerSpec

log = logging.getLogger("ringline.supervisor")

CHECK_S = 0.1
"""How often heartbeats are looked at."""
DUMP_S = 0.2
"""How long a hung worker gets to write its stacks."""
BACKOFF_S = (0.0, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Pause before the first, second, ... restart in a row."""
STABLE_S = 30.0
"""A worker that lived so long starts the row anew."""
STILL_S = 10.0
"""How often it is said at the start who still loads."""
SHUT_DOWN_S = 3.0
"""How long a worker may take to exit when asked to."""


class EngineFailed(RuntimeError):
    """The engine cannot start or go on; the message says why."""


class WorkerProcess:
    """One worker and its successive processes."""

    def __init__(self, kind: str, number: int, index: int, config: Config, tier: int = 0) -> None:
        self.kind = kind
        self.number = number
        self.index = index
        self.config = config
        """With the tier's backend as the main one."""
        self.tier = tier
        self.state = "down"
        self.lag_s = 0.0
        """How far its model lags behind, as it says itself."""
        self.bus_name = ""
        self.restarts = 0
        self.failures_in_a_row = 0
        self.started_s = 0.0
        self.beat = 0
        self.beat_s = 0.0
        self.dumped_s = 0.0
        self.refusal = ""
        self.doors: tuple[str, ...] = ()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """``stt-0``; ``stt-fallback1-0`` in the first fallback pool."""
        pool = f"{self.kind}-fallback{self.tier}" if self.tier else self.kind
        return f"{pool}-{self.number}"

    @property
    def pid(self) -> int:
        """Process id, 0 while down."""
        return self.process.pid if self.process else 0


class Supervisor:
    """All worker processes of an engine."""

    def __init__(
        self,
        config: Config,
        exchange: Exchange,
        bus_address: str,
        send: Callable[[str, ToWorker], bool],
        on_ready: Callable[[WorkerProcess], None],
        on_down: Callable[[WorkerProcess, str], None],
    ) -> None:
        """``on_down`` gets the worker and the bus name under which it will not be heard again."""
        self._config = config
        self._exchange = exchange
        self._bus_address = bus_address
        self._send = send
        self._on_ready = on_ready
        self._on_down = on_down
        self.workers = [WorkerProcess("capture", 0, 0, config)]
        for stage in STAGES:
            for tier, table in enumerate(config.tiers(stage)):
                own = config.at_tier(stage, tier)
                for number in range(table.workers):
                    self.workers.append(WorkerProcess(stage, number, len(self.workers), own, tier))
        self._stopping = self._is_started = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._main_settled = asyncio.Event()

    # --- from the switchboard -------------------------------------------------------------------------------------

    def by_bus_name(self, bus_name: str) -> WorkerProcess | None:
        """The living worker of that name on the bus."""
        return next((worker for worker in self.workers if worker.bus_name == bus_name), None)

    def ready(self, kind: str, tier: int = 0) -> list[WorkerProcess]:
        """The workers of a pool that can take requests."""
        return [worker for worker in self._pool(kind, tier) if worker.state == "ready"]

    def expected(self, kind: str, tier: int) -> bool:
        """Whether a pool has a worker that can take requests, or will have one when it has loaded its models."""
        return any(worker.state in ("ready", "starting") for worker in self._pool(kind, tier))

    def lags_s(self) -> dict[Stage, float]:
        """How far each stage's main workers lag behind: those of them that do so least."""
        return {stage: min((worker.lag_s for worker in self.ready(stage)), default=0.0) for stage in STAGES}

    def overdue_s(self, bus_name: str) -> float | None:
        """How long ago a worker's model should have come on with what it runs, by what such runs have cost; negative
        before that. If it runs nothing, how long ago it last did. None: it cannot say."""
        worker = self.by_bus_name(bus_name)
        due_ns = self._exchange.run_due_ns(worker.index) if worker is not None else 0
        return (time.monotonic_ns() - due_ns) / 1e9 if due_ns else None

    def _pool(self, kind: str, tier: int) -> list[WorkerProcess]:
        return [worker for worker in self.workers if worker.kind == kind and worker.tier == tier]

    def worker_ready(self, worker: WorkerProcess, doors: tuple[str, ...]) -> None:
        """It said so."""
        worker.doors = doors
        worker.state = "ready"
        worker.beat_s = time.monotonic()
        log.info("worker ready", extra={"worker": worker.name, "pid": worker.pid})
        self._on_ready(worker)
        if all(other.state == "ready" for other in self.workers if other.tier == 0):
            self._main_settled.set()

    def worker_refused(self, worker: WorkerProcess, reason: str) -> None:
        """It cannot start."""
        worker.refusal = reason
        if worker.tier or self._is_started:  # else `EngineFailed` says so
            log.error("worker cannot start: %s", reason, extra={"worker": worker.name})
        if worker.tier == 0:
            self._main_settled.set()

    # --- life -----------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start all workers and wait until the main ones are ready. Raises EngineFailed."""
        log.info("workers start", extra={"workers": " ".join(worker.name for worker in self.workers)})
        for worker in self.workers:
            self._start(worker)
        self._spawn(self._watch())
        self._spawn(self._tell_who_is_late())
        try:
            async with asyncio.timeout(self._config.engine.ready_s):
                await self._main_settled.wait()
        except TimeoutError:
            late = ", ".join(worker.name for worker in self.workers if worker.tier == 0 and worker.state != "ready")
            raise EngineFailed(f"not ready after {self._config.engine.ready_s:g} s: {late}") from None
        refused = [worker for worker in self.workers if worker.refusal and worker.tier == 0]
        if refused:
            raise EngineFailed("\n".join(f"{worker.name}: {worker.refusal}" for worker in refused))
        self._is_started = True

    async def _tell_who_is_late(self) -> None:
        """Somebody who looks at a log in which nothing happens is to know what it waits for."""
        while not self._main_settled.is_set():
            await asyncio.sleep(STILL_S)
            late = " ".join(worker.name for worker in self.workers if worker.tier == 0 and worker.state == "starting")
            if late and not self._main_settled.is_set():
                log.info("workers load (the first start compiles, too)", extra={"workers": late})

    async def stop(self) -> None:
        """Ask all workers to exit, then make them."""
        self._stopping = True
        for worker in self.workers:
            if worker.process is not None and not self._send(worker.bus_name, ShutDown()):
                worker.process.kill()
        deadline_s = time.monotonic() + SHUT_DOWN_S
        while any(worker.process is not None for worker in self.workers) and time.monotonic() < deadline_s:
            await asyncio.sleep(0.01)
        for worker in self.workers:
            if worker.process is not None:
                if worker.state == "ready":  # one that still loads its models hears nothing
                    log.warning("worker killed: it did not exit", extra={"worker": worker.name})
                worker.process.kill()
        while any(worker.process is not None for worker in self.workers):
            await asyncio.sleep(0.01)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def kill(self, worker: WorkerProcess) -> None:
        """End its process, whatever it does."""
        if worker.process is not None:
            worker.process.kill()

    def _start(self, worker: WorkerProcess) -> None:
        worker.bus_name = f"{worker.name}-{secrets.token_hex(4)}"
        worker.state, worker.lag_s = "starting", 0.0
        worker.started_s = worker.beat_s = time.monotonic()
        worker.dumped_s = 0.0
        spec = WorkerSpec(
            worker.name, worker.kind, worker.index, worker.bus_name, self._bus_address, os.getpid(),
            self._exchange.fd, self._exchange.layout, worker.config,
        )  # fmt: skip
        threads = getattr(getattr(worker.config, worker.kind, None), "threads", 1)
        environment = os.environ | worker_environment(threads, self._config.engine.offline)
        process = subprocess.Popen(
            [sys.executable, "-m", "ringline.workers"],
            stdin=subprocess.PIPE,
            stdout=2,  # standard output belongs to the program around the engine
            pass_fds=(self._exchange.fd,),
            env=environment,
        )
        worker.process = process
        assert process.stdin is not None
        try:
            process.stdin.write(msgspec.json.encode(spec))
            process.stdin.close()
        except BrokenPipeError:
            log.error("worker died at once", extra={"worker": worker.name})
        # A pidfd becomes readable when the process ends: no signal handler to fight over with the embedding program.
        pidfd = os.pidfd_open(process.pid)
        asyncio.get_running_loop().add_reader(pidfd, self._ended, worker, process, pidfd)

    def _ended(self, worker: WorkerProcess, process: subprocess.Popen[bytes], pidfd: int) -> None:
        asyncio.get_running_loop().remove_reader(pidfd)
        os.close(pidfd)
        status = process.wait()
        worker.process = None
        worker.state = "down"
        bus_name, worker.bus_name = worker.bus_name, ""
        if self._stopping:
            return
        log.error("worker died", extra={"worker": worker.name, "pid": process.pid, "status": status})
        self._on_down(worker, bus_name)
        if worker.refusal:
            return
        if time.monotonic() - worker.started_s > STABLE_S:
            worker.failures_in_a_row = 0
        pause_s = BACKOFF_S[min(worker.failures_in_a_row, len(BACKOFF_S) - 1)]
        worker.failures_in_a_row += 1
        worker.restarts += 1
        self._spawn(self._restart(worker, pause_s))

    async def _restart(self, worker: WorkerProcess, pause_s: float) -> None:
        await asyncio.sleep(pause_s)
        if not self._stopping:
            self._start(worker)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(CHECK_S)
            now_s = time.monotonic()
            for worker in self.workers:
                if worker.state == "ready":
                    self._check_heartbeat(worker, now_s)
                elif worker.state == "starting" and now_s - worker.started_s > self._config.engine.ready_s:
                    log.error("worker killed: not ready in time", extra={"worker": worker.name})
                    self.kill(worker)

    def _check_heartbeat(self, worker: WorkerProcess, now_s: float) -> None:
        beat = self._exchange.heartbeat(worker.index)
        if beat != worker.beat:
            worker.beat, worker.beat_s, worker.dumped_s = beat, now_s, 0.0
        elif worker.dumped_s:
            if now_s - worker.dumped_s > DUMP_S:
                self.kill(worker)
        elif now_s - worker.beat_s > self._config.engine.hung_s and worker.process is not None:
            log.error("worker hangs: its stacks follow, then it is killed", extra={"worker": worker.name})
            worker.process.send_signal(signal.SIGUSR1)
            worker.dumped_s = now_s

    def _spawn(self, coroutine: object) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)  # type: ignore[arg-type, var-annotated]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
