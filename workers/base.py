"""The life of a worker process.

The engine starts ``python -m ringline.workers`` with a `WorkerSpec` on standard input and the exchange as an inherited
file descriptor. The worker loads its models, says `WorkerReady`, and then loops: wait, drain control, step, publish.
It beats its heartbeat word each time round, and dies with the engine.
"""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import logging
import os
import signal
import sys
import time
from typing import Any

import msgspec
from setproctitle import setproctitle

from ringline.engine.config import Config
from ringline.ipc import logs
from ringline.ipc.bus import WorkerBus
from ringline.ipc.exchange import Exchange, Layout
from ringline.ipc.messages import ShutDown, ToWorker, WorkerBehind, WorkerReady, WorkerRefused
from ringline.ipc.warm_up import warm_up
from ringline.workers import working
from ringline.workers.lag import Lag
from ringline.workers.pool import Pool
from ringline.workers.priority import step_back

log = logging.getLogger("ringline.worker")

KINDS = ("capture", "stt", "llm", "tts")

IDLE_WAIT_MS = 250.0
"""How long a worker with nothing to do waits at most: a quarter-second heartbeat costs nothing one can measure."""

MEASURE_S = 0.1
"""How often a worker looks how far its pool lags behind."""

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class CannotStart(Exception):
    """A worker lacks what it needs (a package, a model, a port); the message says what, and what to do about it."""


class WorkerSpec(msgspec.Struct, frozen=True):
    """What a worker process is told at its birth."""

    name: str
    """``stt-0``: how logs and ps call it."""
    kind: str
    index: int
    """Its heartbeat word, unique among the engine's workers."""
    bus_name: str
    """Its name on the bus; another one after each restart, so that nobody mistakes the dead for the living."""
    bus_address: str
    engine_pid: int
    exchange_fd: int
    layout: Layout
    config: Config
    """With the backend of the worker's own tier as its stage's main one."""


class Worker:
    """What every worker has: its spec, the exchange, its end of the bus."""

    def __init__(self, spec: WorkerSpec) -> None:
        self.spec = spec
        self.config = spec.config
        self.exchange = Exchange.attach(spec.exchange_fd, spec.layout)
        working.attach(self.exchange.working_words(spec.index))
        self.bus = WorkerBus(spec.bus_address, spec.bus_name)
        self.running = True
        self._lag = Lag()
        self._lag_told_s = 0.0
        self._measured_s = 0.0

    def ready(self, doors: tuple[str, ...] = ()) -> None:
        """Models are loaded: tell the engine. What was allocated so far is no garbage; the collector may forget it."""
        gc.collect()
        gc.freeze()
        self.beat()
        self.bus.send(WorkerReady(os.getpid(), doors))
        log.info("ready")

    def beat(self) -> None:
        """The main loop is alive."""
        self.exchange.beat(self.spec.index)

    def report(self, pool: Pool[Any] | None) -> None:
        """Tell the engine how far the pool lags behind, in tenths of a second, when that changes."""
        now_s = time.monotonic()
        if pool is None or now_s - self._measured_s < MEASURE_S:
            return
        self._measured_s = now_s
        lag_s = round(self._lag.update(pool.behind_s, now_s), 1)
        if lag_s != self._lag_told_s:
            self._lag_told_s = lag_s
            self.bus.send(WorkerBehind(lag_s))

    def next_messages(self, timeout_ms: float) -> list[ToWorker]:
        """For workers with a loop of their own: wait for messages, at most ``timeout_ms``; `ShutDown` ends the loop."""
        self.beat()
        if not self.bus.wait(min(timeout_ms, IDLE_WAIT_MS)):
            return []
        messages = list(self.bus.drain())
        if any(isinstance(message, ShutDown) for message in messages):
            self.running = False
        return messages


def is_nth(number: int, every: int) -> bool:
    """Whether the request of this number, counted from 1, is an ``every``-th one; 0 stands for never."""
    return every > 0 and number > 0 and number % every == 0


def _die_with_the_engine(engine_pid: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != engine_pid:  # it died before the line above
        os._exit(1)


def main() -> None:
    """Entry point of every worker process."""
    spec = msgspec.json.decode(sys.stdin.buffer.read(), type=WorkerSpec)
    _die_with_the_engine(spec.engine_pid)
    # Only the engine decides when a worker ends: ctrl-C, systemd's SIGTERM and a terminal that closes reach the whole
    # group, and so does a SIGHUP through `timeout` or `kill -- -PGID`, which is to reload the agent.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, all_threads=True)  # what the supervisor sends to a worker that hangs
    if spec.kind != "capture":
        step_back()
    setproctitle(f"ringline-{spec.name}")
    logs.set_up(spec.name, spec.config.engine.log_level, spec.config.engine.log_content)
    worker = Worker(spec)
    warm_up()
    try:
        match spec.kind:
            case "capture":
                from ringline.workers.capture.worker import run
            case "stt":
                from ringline.workers.stt.worker import run
            case "llm":
                from ringline.workers.llm.worker import run
            case "tts":
                from ringline.workers.tts.worker import run
            case _:
                raise CannotStart(f"there is no worker kind {spec.kind!r}")
        run(worker)
    except CannotStart as error:
        worker.bus.send(WorkerRefused(str(error)))
        worker.bus.close(linger_ms=1000)
        sys.exit(3)
    worker.bus.close()
    sys.stdout.flush()
    sys.stderr.flush()
    # A model may still be running on its thread, which the interpreter's end would tear out of native code: abort.
    os._exit(0)
