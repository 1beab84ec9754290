from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from ringline.tools.caller.cli import call, mount, script_items
from ringline.tools.caller.script import Item, ScriptError

app = typer.Typer()
mount(app)

Call = Callable[..., Result]


@pytest.fixture
def phone(run: Callable[[Any], Any], audiosocket_bot: Callable[[], Any]) -> Call:
    """``ringline call`` on a polite bot."""

    def phone(*options: str, typed: str = "") -> Result:
        async def scenario() -> Result:
            bot = audiosocket_bot()
            await bot.start(type(bot).converse)
            arguments = [bot.url, "--patience", "100", "--no-realtime", *options]
            return await asyncio.to_thread(CliRunner().invoke, app, arguments, input=typed)

        result: Result = run(scenario())
        return result

    return phone


def test_json_is_one_object_and_nothing_else(phone: Call, wav: Callable[..., str]) -> None:
    result = phone("--wav", wav(), "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["turns_answered"] == 1


def test_items_are_said_in_the_order_given(phone: Call, wav: Callable[..., str]) -> None:
    result = phone("--keys", "1", "--wav", wav(), "--say", "hello", "--keys=2", "--json")
    turns = json.loads(result.stdout)["call_results"][0]["turns"]
    assert [turn["caller"] for turn in turns] == ["keys 1", "tone-300-0-0-8000-1.wav", "hello", "keys 2"]


def test_a_prompted_caller_says_what_standard_input_names(phone: Call) -> None:
    result = phone("--keys", "1", "--keys", "2", "--keys", "3", "--prompted", "--json", typed="2\n0\nend\n")
    turns = json.loads(result.stdout)["call_results"][0]["turns"]
    assert [turn["caller"] for turn in turns] == ["keys 3", "keys 1"]
    assert result.exit_code == 0


def test_only_one_call_can_be_prompted(phone: Call) -> None:
    assert phone("--keys", "1", "--prompted", "--calls", "2").exit_code == 2


def test_events_are_lines_before_the_result(phone: Call) -> None:
    *events, last = phone("--keys", "1", "--events").stdout.splitlines()
    kinds = [json.loads(event)["event"] for event in events]
    assert (kinds[0], kinds[-1]) == ("connected", "ended")
    assert json.loads(last)["completed"] == 1


def test_a_person_reads_the_call_and_its_result(phone: Call) -> None:
    text = phone("--keys", "1").stdout
    assert "caller: keys 1" in text
    assert "response on the wire" in text


def test_an_unanswered_call_exits_with_1() -> None:
    result = CliRunner().invoke(app, ["audiosocket://127.0.0.1:1", "--no-realtime", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["refused"] == {"connection refused": 1}


@pytest.mark.parametrize(
    "arguments",
    [
        ["http://localhost"],
        ["audiosocket://localhost", "--wav", "/nowhere.wav"],
        ["audiosocket://localhost", "--keys", "x"],
        ["audiosocket://localhost", "--say", " "],
        ["audiosocket://localhost", "--interrupt", "soon", "--say", "hello"],
        ["audiosocket://localhost", "--say", "hello", "--interrupt", "100"],
        ["audiosocket://localhost", "--say", "hello", "--aside", "100"],
        ["audiosocket://localhost", "--param", "name"],
    ],
)
def test_what_cannot_be_tried_exits_with_2_and_says_why(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, [*arguments, "--no-realtime", "--json"])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "ringline call: " in result.stderr


def test_an_interruption_belongs_to_the_next_item() -> None:
    order = [("say", "one"), ("interrupt", "300"), ("say", "two"), ("keys", "3")]
    assert script_items(order) == [Item(text="one"), Item(text="two", interrupt_ms=300), Item(keys="3")]


def test_an_aside_belongs_to_the_next_item_and_is_said_over_the_bot() -> None:
    order = [("aside", "300"), ("say", "uh huh"), ("say", "two")]
    assert script_items(order) == [Item(text="uh huh", interrupt_ms=300, aside=True), Item(text="two")]


def test_an_empty_item_is_refused() -> None:
    with pytest.raises(ScriptError, match="--say is empty"):
        script_items([("say", "")])


def test_the_command_can_be_mounted_plainly() -> None:
    plain = typer.Typer()
    plain.command()(call)
    result = CliRunner().invoke(plain, ["audiosocket://127.0.0.1:1", "--keys", "1", "--no-realtime", "--json"])
    assert json.loads(result.stdout)["call_results"][0]["unsaid"] == ["keys 1"]
