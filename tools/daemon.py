"""``ringline run``: the engine as a daemon."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from ringline.engine.agent import Agent, AgentError
from ringline.engine.config import Config, ConfigError, ControlConfig, load
from ringline.engine.control import Control
from ringline.engine.engine import Engine
from ringline.engine.supervisor import EngineFailed
from ringline.ipc import logs

log = logging.getLogger("ringline.daemon")


async def serve(config: Config, path: Path | None, profile: str = "") -> int:
    """Answer calls until SIGTERM or SIGINT; SIGHUP reloads the agent for new calls. Returns the exit status."""
    logs.set_up("engine", config.engine.log_level, config.engine.log_content)
    loop = asyncio.get_running_loop()
    asked, insisted = asyncio.Event(), asyncio.Event()

    def stop() -> None:
        (insisted if asked.is_set() else asked).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    engine = Engine(config)
    loop.add_signal_handler(
        signal.SIGHUP, _reload, engine, path, profile
    )  # before the start: its default ends the process
    control = Control(engine, config.control or ControlConfig())
    try:
        if not await _until(engine.start(), asked):
            log.info("stopped before it was open for calls")
            return 0
        await control.start()
    except EngineFailed as error:
        for line in str(error).splitlines():
            log.error("cannot start: %s", line)
        await engine.stop()
        return 1
    _notify("READY=1")
    try:
        await asked.wait()
        _notify("STOPPING=1")
        await _until(engine.drain(), insisted)
    finally:
        await control.stop()
        await engine.stop()
    log.info("stopped")
    return 0


async def _until(work: Coroutine[Any, Any, None], enough: asyncio.Event) -> bool:
    """Do something, but break it off at the event: whoever stops the engine need not wait for models to load. Returns
    whether it was done."""
    task, stop = asyncio.ensure_future(work), asyncio.ensure_future(enough.wait())
    await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if task.done():
        task.result()
        return True
    task.cancel()
    await asyncio.wait({task})
    return False


def _reload(engine: Engine, path: Path | None, profile: str) -> None:
    try:
        config = load(path, profile) if path else engine.config
        engine.use(Agent.load(config.agent.path))
        log.info("agent reloaded for new calls")
    except (AgentError, ConfigError, OSError) as error:
        log.error("agent not reloaded, the old one stays", extra={"error": str(error)})


def _notify(state: str) -> None:
    """Tell systemd, where it listens (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as client:
            client.connect("\0" + address[1:] if address.startswith("@") else address)
            client.sendall(state.encode())
