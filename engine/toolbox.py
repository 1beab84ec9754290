"""Runs the agent's tools, off the engine's loop: a slow or broken tool delays no call."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from collections.abc import Mapping
from concurrent.futures import Future

import msgspec

from ringline.engine.tool import Tool
from ringline.ipc.messages import ToolCall

log = logging.getLogger("ringline.tools")

MAX_RUNS_PER_CALL = 8
"""At the same time, those included that were given up and still run: more than a model asks for at once."""
MAX_RUNS = 256
"""... of all calls of the process: each is a thread."""
MAX_RESULT_BYTES = 64 * 1024
"""Of JSON: more than a model can read while a caller waits."""
_MAX_ERROR_CHARS = 500
_STOPPED_AFTER_S = 0.5
"""An async tool is cancelled so long after nobody waits for it any more: the caller's side reports the timeout."""

_all_runs = threading.BoundedSemaphore(MAX_RUNS)


class Toolbox:
    """The tools of one agent, for one call."""

    def __init__(self, tools: Mapping[str, Tool]) -> None:
        self._tools = tools
        self._runs = threading.BoundedSemaphore(MAX_RUNS_PER_CALL)

    async def run(self, tool_call: ToolCall) -> str:
        """The tool's result as JSON; an object with the key ``error`` where it failed. Never raises."""
        if tool_call.problem:
            return _error(tool_call.problem)
        tool = self._tools.get(tool_call.name)
        if tool is None:
            return _error(f"there is no tool {tool_call.name}")
        try:
            arguments = tool.bind(tool_call.arguments)
        except msgspec.ValidationError as error:
            return _error(f"{error}")
        if not self._runs.acquire(blocking=False):
            return _error("too many tools are running in this call")
        if not _all_runs.acquire(blocking=False):
            self._runs.release()
            log.error("too many tools are running", extra={"tool": tool.name})
            return _error("too many tools are running")
        future: Future[str] = Future()
        future.set_running_or_notify_cancel()  # nobody can cancel it from here on: a late result is just not read

        def in_thread() -> None:
            try:
                future.set_result(_result(tool, arguments))
            finally:
                self._release()

        try:
            # A daemon thread per run: one that never returns must neither block others nor keep the process alive.
            threading.Thread(target=in_thread, name=f"tool-{tool.name}", daemon=True).start()
        except RuntimeError as error:  # the system has no more threads
            self._release()
            return _error(f"{error}")
        try:
            async with asyncio.timeout(tool.timeout_s):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            log.error("tool timed out", extra={"tool": tool.name})
            return _error(f"no answer within {tool.timeout_s:g} s")

    def _release(self) -> None:
        _all_runs.release()
        self._runs.release()


def _result(tool: Tool, arguments: dict[str, object]) -> str:
    """Run the tool to its end; an async one in a loop of its own, and hardly longer than it is waited for."""
    try:
        result = tool.function(**arguments)
        if inspect.iscoroutine(result):
            result = asyncio.run(asyncio.wait_for(result, tool.timeout_s + _STOPPED_AFTER_S))
    except BaseException as error:  # a tool that calls sys.exit() ends its run and not the engine
        log.error("tool failed", extra={"tool": tool.name}, exc_info=True)
        return _error(f"{type(error).__name__}: {error}")
    try:
        made = msgspec.json.encode(result)
    except Exception as error:
        log.error("tool returned what JSON cannot hold", extra={"tool": tool.name}, exc_info=True)
        return _error(f"the result cannot be written as JSON: {type(error).__name__}: {error}")
    if len(made) > MAX_RESULT_BYTES:
        log.error("tool returned too much", extra={"tool": tool.name, "bytes": len(made)})
        return _error(f"the result is too long: {len(made)} bytes of JSON, at most {MAX_RESULT_BYTES} can be used")
    return made.decode()


def _error(text: str) -> str:
    readable = text[:_MAX_ERROR_CHARS].encode(errors="replace").decode()  # an exception may quote what is no text
    return msgspec.json.encode({"error": readable}).decode()
