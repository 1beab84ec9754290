"""Agents and their tools."""

from __future__ import annotations

import asyncio
import logging
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ringline import Agent, AgentError, Tool, tool
from ringline.engine.toolbox import MAX_RESULT_BYTES, MAX_RUNS_PER_CALL, Toolbox
from ringline.ipc.messages import ToolCall


def write_agent(folder: Path, agent: str = 'name = "test"\n', tools: str = "") -> Path:
    (folder / "agent.toml").write_text(agent)
    if tools:
        (folder / "tools.py").write_text(tools)
    return folder


def test_agent_is_read_from_its_folder(tmp_path: Path) -> None:
    agent = Agent.load(write_agent(tmp_path, 'name = "test"\nvoice = "en-gb"\nspeed = 1.2\n'))
    assert (agent.name, agent.voice, agent.speed) == ("test", "en-gb", 1.2)


def test_example_is_found_wherever_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "book" in Agent.load("examples/clinic").tools


def test_missing_agent_is_named() -> None:
    with pytest.raises(AgentError, match=r"no agent at nowhere"):
        Agent.load("nowhere")


def test_unknown_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="voise"):
        Agent.load(write_agent(tmp_path, 'name = "test"\nvoise = "x"\n'))


def test_broken_tools_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match=r"tools\.py.*SyntaxError"):
        Agent.load(write_agent(tmp_path, tools="def broken(:\n"))


def test_two_agents_do_not_share_state(tmp_path: Path) -> None:
    write_agent(
        tmp_path,
        tools="from ringline import tool\nseen = []\n"
        "@tool\ndef add(x: int) -> int:\n    seen.append(x)\n    return len(seen)\n",
    )
    first, second = Agent.load(tmp_path), Agent.load(tmp_path)
    first.tools["add"].function(x=1)
    assert second.tools["add"].function(x=1) == 1


def test_schema_comes_from_signature_and_docstring() -> None:
    @tool
    def book(day: str, people: int = 2) -> bool:
        """Book a table."""
        return True

    function = Tool.of(book).schema()["function"]
    assert function["name"] == "book"
    assert function["description"] == "Book a table."
    assert function["parameters"]["required"] == ["day"]
    assert function["parameters"]["properties"]["people"] == {"type": "integer", "default": 2}


def test_parameter_without_type_is_an_error() -> None:
    @tool
    def book(day) -> bool:  # type: ignore[no-untyped-def]
        return True

    with pytest.raises(AgentError, match="day"):
        Tool.of(book)


async def run(function: Any, **arguments: object) -> Any:
    made = Tool.of(function)
    return msgspec.json.decode(await Toolbox({made.name: made}).run(ToolCall("1", made.name, arguments)))


async def test_plain_tool_runs() -> None:
    @tool
    def double(x: int) -> dict[str, int]:
        return {"x": 2 * x}

    assert await run(double, x=4) == {"x": 8}


async def test_async_tool_runs() -> None:
    @tool
    async def double(x: int) -> int:
        return 2 * x

    assert await run(double, x=4) == 8


async def test_wrong_arguments_are_an_error_for_the_model() -> None:
    @tool
    def double(x: int) -> int:
        return 2 * x

    assert "x" in (await run(double, x="four"))["error"]


async def test_unknown_argument_is_an_error_for_the_model() -> None:
    @tool
    def double(x: int) -> int:
        return 2 * x

    assert "error" in await run(double, x=1, y=2)


async def test_raising_tool_is_an_error_for_the_model() -> None:
    @tool
    def fail() -> None:
        raise RuntimeError("no diary")

    assert (await run(fail))["error"] == "RuntimeError: no diary"


async def test_hanging_tool_is_given_up() -> None:
    release = threading.Event()

    @tool(timeout_s=0.05)
    def hang() -> None:
        release.wait(10)

    result = await run(hang)
    release.set()
    assert "0.05 s" in result["error"]


async def test_unknown_tool_is_an_error_for_the_model() -> None:
    result = msgspec.json.decode(await Toolbox({}).run(ToolCall("1", "fly", {})))
    assert "fly" in result["error"]


async def test_result_json_cannot_hold_is_an_error_for_the_model() -> None:
    @tool
    def thing() -> object:
        return object()

    assert "error" in await run(thing)


async def test_result_that_is_too_long_is_an_error_for_the_model() -> None:
    @tool
    def everything() -> str:
        return "x" * MAX_RESULT_BYTES

    assert f"at most {MAX_RESULT_BYTES}" in (await run(everything))["error"]


@pytest.mark.parametrize("raised", [SystemExit(1), asyncio.CancelledError(), StopIteration(), KeyboardInterrupt()])
async def test_whatever_a_tool_raises_ends_only_its_run(raised: BaseException) -> None:
    @tool
    def fail() -> None:
        raise raised

    assert type(raised).__name__ in (await run(fail))["error"]


async def test_timeout_inside_a_tool_is_reported_as_its_own() -> None:
    @tool
    def fail() -> None:
        raise TimeoutError("the diary does not answer")

    assert (await run(fail))["error"] == "TimeoutError: the diary does not answer"


async def test_error_that_is_no_text_is_still_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger("ringline.tools"), "disabled", True)  # pytest-xdist cannot pass it on

    @tool
    def fail() -> None:
        raise RuntimeError("\udcff")

    assert "RuntimeError" in (await run(fail))["error"]


async def test_async_tool_is_stopped_when_it_is_given_up() -> None:
    stopped = threading.Event()

    @tool(timeout_s=0.05)
    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    assert "0.05 s" in (await run(hang))["error"]
    assert await asyncio.to_thread(stopped.wait, 10)


async def test_call_that_runs_too_many_tools_is_told_so() -> None:
    release = threading.Event()
    begun = threading.Semaphore(0)

    @tool
    def hang() -> str:
        begun.release()
        release.wait(10)
        return "done"

    made = Tool.of(hang)
    toolbox, another = Toolbox({"hang": made}), Toolbox({"hang": made})
    runs = [asyncio.create_task(toolbox.run(ToolCall(str(i), "hang", {}))) for i in range(MAX_RUNS_PER_CALL)]
    for _ in runs:
        await asyncio.to_thread(begun.acquire)
    assert "too many tools" in await toolbox.run(ToolCall("more", "hang", {}))
    of_another_call = asyncio.create_task(another.run(ToolCall("1", "hang", {})))
    await asyncio.to_thread(begun.acquire)
    release.set()
    assert await asyncio.gather(*runs, of_another_call) == ['"done"'] * (MAX_RUNS_PER_CALL + 1)
    assert await toolbox.run(ToolCall("again", "hang", {})) == '"done"'


def test_marked_tool_of_a_built_in_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="hang_up"):
        Agent.load(write_agent(tmp_path, tools="from ringline import tool\n@tool\ndef hang_up() -> None: ...\n"))


def test_a_second_name_for_a_tool_is_no_second_tool(tmp_path: Path) -> None:
    tools = "from ringline import tool\n@tool\ndef book() -> None: ...\nreserve = book\n"
    assert list(Agent.load(write_agent(tmp_path, tools=tools)).tools) == ["book"]


def test_two_tools_of_one_name_are_an_error(tmp_path: Path) -> None:
    tools = "from ringline import tool\n@tool\ndef book() -> None: ...\nfirst = book\n@tool\ndef book() -> None: ...\n"
    with pytest.raises(AgentError, match="tool book: two functions"):
        Agent.load(write_agent(tmp_path, tools=tools))


TOOLS = """from ringline import tool


@tool
def opening() -> str:
    \"\"\"Où ?\"\"\"
    return "là"
"""


@pytest.mark.kind("files of any editor")
@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + TOOLS.encode(),
        TOOLS.encode("utf-16"),
        TOOLS.replace("\n", "\r\n").encode(),
        ("# -*- coding: latin-1 -*-\n" + TOOLS).encode("latin-1"),
    ],
)
def test_tools_are_read_as_editors_save_them(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "agent.toml").write_text('name = "a"\n')
    (tmp_path / "tools.py").write_bytes(content)
    assert list(Agent.load(tmp_path).tools) == ["opening"]


@pytest.mark.kind("files of any editor")
@pytest.mark.parametrize("content", [b"# caf\xe9\n", b"# \x80\n", b"# a\0\n", "# a".encode("utf-16-le")])
def test_tools_in_another_encoding_are_named_with_their_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "agent.toml").write_text('name = "a"\n')
    (tmp_path / "tools.py").write_bytes(content)
    with pytest.raises(AgentError, match=r"tools\.py, line 1: .*save the file as UTF-8"):
        Agent.load(tmp_path)


@pytest.mark.parametrize("line", ["1 / 0", "raise SystemExit(3)", "import sys; sys.exit()", "import no_such_module"])
def test_tools_that_cannot_be_imported_are_an_error_of_the_agent(tmp_path: Path, line: str) -> None:
    (tmp_path / "agent.toml").write_text('name = "a"\n')
    (tmp_path / "tools.py").write_text(line + "\n")
    with pytest.raises(AgentError, match=r"tools\.py"):
        Agent.load(tmp_path)
