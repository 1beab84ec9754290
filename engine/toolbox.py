"""Runs the agent's tools, off the engine's loop: a slow or broken tool delays no call."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

import msgspec

from ringline.engine.agent import Tool
from ringline.ipc.messages import ToolCall

log = logging.getLogger("ringline.tools")


class Toolbox:
    """The tools of one agent."""

    def __init__(self, tools: Mapping[str, Tool]) -> None:
        self._tools = tools

    async def run(self, tool_call: ToolCall) -> str:
        """The tool's result as JSON; an object with the key ``error`` where it failed. Never raises."""
        tool = self._tools.get(tool_call.name)
        if tool is None:
            return _error(f"there is no tool {tool_call.name}")
        try:
            arguments = tool.bind(tool_call.arguments)
            async with asyncio.timeout(tool.timeout_s):
                result = await asyncio.wrap_future(_in_thread(tool, arguments))
            return msgspec.json.encode(result).decode()
        except TimeoutError:
            log.error("tool timed out", extra={"tool": tool.name})
            return _error(f"no answer within {tool.timeout_s:g} s")
        except Exception as error:
            log.exception("tool failed", extra={"tool": tool.name})
            return _error(f"{type(error).__name__}: {error}")


def _error(text: str) -> str:
    return msgspec.json.encode({"error": text}).decode()


def _in_thread(tool: Tool, arguments: dict[str, object]) -> Future[Any]:
    """A daemon thread per run: one that never returns must neither block others nor keep the process alive."""
    future: Future[Any] = Future()

    def run() -> None:
        try:
            result = tool.function(**arguments)
            if inspect.iscoroutine(result):
                result = asyncio.run(result)
        except BaseException as error:  # noqa: BLE001  (it travels to the future's owner)
            if not future.cancelled():
                future.set_exception(error)
        else:
            if not future.cancelled():
                future.set_result(result)

    threading.Thread(target=run, name=f"tool-{tool.name}", daemon=True).start()
    return future
