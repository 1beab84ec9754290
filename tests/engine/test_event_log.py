"""Event logs: what is written can be read again as it was, a log runs to the same actions, and no disk hurts a call."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from ringline import Agent, Tool, tool
from ringline.engine.call_setup import CallSetup
from ringline.engine.config import TurnConfig
from ringline.engine.conversation import Action, Event
from ringline.engine.conversation.events import CallStarted, HangUpAsked, TimePassed
from ringline.engine.event_format import (
    EventLogError,
    EventLogReader,
    decode_event,
    encode_entry,
    encode_fact,
    encode_header,
)
from ringline.engine.event_log import EventLogs
from ringline.ipc.messages import ReplyDelta, ReplyFinished, SpeechStarted, SpeechStopped, TranscriptFinal
from ringline.tools.cli import app
from ringline.tools.replay import render, replay_file

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=30)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a field's type."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return st.builds(kind, **{field.name: values(field.type) for field in msgspec.structs.fields(kind)})
    arguments = get_args(kind)
    if get_origin(kind) is Literal:
        return st.sampled_from(arguments)
    if get_origin(kind) in (Union, UnionType):
        return st.one_of([values(argument) for argument in arguments])
    if get_origin(kind) in (tuple, list):
        return st.lists(values(arguments[0]), max_size=3).map(get_origin(kind))
    if get_origin(kind) is dict:
        return st.dictionaries(values(arguments[0]), values(arguments[1]), max_size=3)
    return {
        int: st.integers(-(2**63), 2**63 - 1),
        float: st.floats(allow_nan=False, allow_infinity=False),
        bool: st.booleans(),
        str: st.text(),
        bytes: st.binary(),
        object: json_values,
        type(None): st.none(),
    }[kind]


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: kind.__name__)
@patient
@given(data=st.data())
def test_event_is_read_as_it_was_written(kind: type[Any], data: st.DataObject) -> None:
    event = data.draw(values(kind))
    encoded = encode_fact(event)
    decoded = decode_event(msgspec.json.decode(encoded, type=dict[str, msgspec.Raw]))
    assert type(decoded) is kind
    assert decoded == event
    assert encode_fact(decoded) == encoded


@pytest.mark.parametrize("kind", get_args(Action), ids=lambda kind: kind.__name__)
@patient
@given(data=st.data())
def test_action_has_one_encoding(kind: type[Any], data: st.DataObject) -> None:
    action = data.draw(values(kind))
    line = encode_entry(1, TimePassed(), [action])
    assert encode_fact(action) in line
    assert msgspec.json.decode(encode_fact(action))["type"] == kind.__name__


# --- the conversation's making ------------------------------------------------------------------------------------


@tool(timeout_s=3)
def book(day: str, people: int = 2) -> bool:
    """Book a table."""
    return True


AGENT = Agent(
    "test", "en-gb", 1.1, prompt="Be \u00fcber kind.", greeting="Hello. How are you?", tools={"book": Tool.of(book)}
)
SETUP = CallSetup(64, 3, AGENT, TurnConfig(endpoint_ms=300), 16_000)


def written(path: Path, *lines: bytes) -> Path:
    path.write_bytes(b"\n".join([*lines, b""]))
    return path


def test_setup_is_read_as_it_was_written(tmp_path: Path) -> None:
    setup = EventLogReader(written(tmp_path / "log", encode_header(SETUP))).setup
    plain = msgspec.structs.replace(setup, agent=msgspec.structs.replace(setup.agent, tools={}))
    assert plain == msgspec.structs.replace(SETUP, agent=msgspec.structs.replace(AGENT, tools={}))


def test_tool_of_a_log_is_described_but_cannot_run(tmp_path: Path) -> None:
    recorded = EventLogReader(written(tmp_path / "log", encode_header(SETUP))).setup.agent.tools["book"]
    assert recorded.schema() == AGENT.tools["book"].schema()
    assert recorded.timeout_s == 3
    with pytest.raises(NotImplementedError):
        recorded.function(day="Monday")


# --- replay -------------------------------------------------------------------------------------------------------

MS = 1_000_000
CALL: list[tuple[int, Event]] = [
    (0, CallStarted()),
    (1_000, SpeechStarted(64, 16_000, 1_000 * MS)),
    (1_500, SpeechStopped(64, 24_000, 1_400 * MS)),
    (1_700, TimePassed()),
    (1_750, TranscriptFinal(64, 1, "book a table", 0.9, 1_750 * MS)),
    (1_800, ReplyDelta(64, 2, 0, "For which day? ", 1_800 * MS)),
    (1_850, ReplyFinished(64, 2, 0, state=b"\x00\xff")),
    (9_000, HangUpAsked("bot")),
]


def recorded_call() -> list[bytes]:
    conversation = SETUP.conversation()
    lines = [encode_header(SETUP)]
    for now_ms, event in CALL:
        lines.append(encode_entry(now_ms * MS, event, conversation.handle(event, now_ms * MS)))
    return lines


def test_call_replays_to_the_same_actions(tmp_path: Path) -> None:
    result = replay_file(written(tmp_path / "log", *recorded_call()))
    assert result.difference is None
    assert (result.call, result.events, result.duration_s) == (64, len(CALL), 9.0)
    assert result.actions > len(CALL)


def test_other_actions_are_reported_with_their_event(tmp_path: Path) -> None:
    lines = recorded_call()
    lines[5] = lines[5].replace(b'"book a table"', b'"cook a table"', 1)
    result = replay_file(written(tmp_path / "log", *lines))
    assert result.difference is not None
    assert (result.difference.event, result.difference.call_s) == (5, 1.75)
    assert "cook a table" in render(result)
    assert "expected*" in render(result)


def test_error_of_the_conversation_is_replayed_too(tmp_path: Path) -> None:
    lines = recorded_call()
    lines[1] = encode_entry(0, CallStarted(), (), "KeyError: 'gone'")
    result = replay_file(written(tmp_path / "log", *lines))
    assert result.difference is not None
    assert result.difference.expected_error == "KeyError: 'gone'"
    assert "raised" in render(result)


def test_line_cut_off_by_a_crash_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"\n".join(recorded_call())[:-40])
    result = replay_file(path)
    assert result.difference is None
    assert result.truncated
    assert result.events == len(CALL) - 1
    assert "cut off" in render(result)


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ([b""], "no event log"),
        ([b"\xff\x00garbage"], "no event log"),
        ([b'{"ringline_event_log":99,"setup":{}}'], "format 99; this version reads 1"),
        ([b'{"ringline_event_log":1,"setup":{}}'], "line 1"),
        ([encode_header(SETUP).replace(b'"voice"', b'"voise"')], "no field 'voise'"),
        ([encode_header(SETUP), b"garbage", b"{}"], "line 2"),
        ([encode_header(SETUP), b'{"now_ns":1,"event":{"type":"Thunder"},"actions":[]}'], "no event"),
        ([encode_header(SETUP), b'{"now_ns":1,"event":{"type":"SpeechStarted","call":"x"},"actions":[]}'], "SpeechSt"),
    ],
)
def test_file_that_cannot_be_replayed_is_a_clear_error(tmp_path: Path, lines: list[bytes], complaint: str) -> None:
    with pytest.raises(EventLogError, match=complaint):
        replay_file(written(tmp_path / "log", *lines))


@pytest.mark.parametrize(
    ("change", "status", "printed"),
    [
        (lambda lines: lines, 0, "the same"),
        (lambda lines: [lines[0], *(line.replace(b"Hello.", b"Hullo.") for line in lines[1:])], 1, "event 1, 0.000 s"),
        (lambda lines: [b"garbage"], 2, "no event log"),
    ],
    ids=["same", "other", "garbage"],
)
def test_command_tells_by_its_exit_status(tmp_path: Path, change: Any, status: int, printed: str) -> None:
    path = written(tmp_path / "log", *change(recorded_call()))
    result = CliRunner().invoke(app, ["replay", str(path), "--verbose"], env={"COLUMNS": "300"})
    assert result.exit_code == status
    assert printed in result.output


def test_command_prints_one_json_object(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["replay", str(written(tmp_path / "log", *recorded_call())), "--json"])
    assert msgspec.json.decode(result.stdout)["events"] == len(CALL)


def test_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["replay", str(tmp_path / "none")], env={"COLUMNS": "300"})
    assert result.exit_code == 2
    assert "No such file" in result.output


# --- writing ------------------------------------------------------------------------------------------------------


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[EventLogs]:
    made = EventLogs(tmp_path / "calls")
    yield made
    made.close()


@pytest.fixture
def errors(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> pytest.LogCaptureFixture:
    monkeypatch.setattr(logging.getLogger("ringline"), "propagate", True)
    return caplog


def write_call(logs: EventLogs, call_id: str = "some-id") -> None:
    event_log = logs.open(SETUP, call_id)
    conversation = SETUP.conversation()
    for now_ms, event in CALL:
        event_log.record(now_ms * MS, event, conversation.handle(event, now_ms * MS))
    event_log.close()


def test_written_call_is_replayed(logs: EventLogs, tmp_path: Path) -> None:
    write_call(logs)
    logs.close()
    (path,) = (tmp_path / "calls").iterdir()
    assert replay_file(path).difference is None


def test_only_the_user_may_read_a_log(logs: EventLogs, tmp_path: Path) -> None:
    write_call(logs)
    logs.close()
    (path,) = (tmp_path / "calls").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_call_that_goes_on_is_written_up_to_now_when_the_engine_ends(logs: EventLogs, tmp_path: Path) -> None:
    logs.open(SETUP, "some-id").record(0, CallStarted(), [])
    logs.close()
    (path,) = (tmp_path / "calls").iterdir()
    assert len(path.read_bytes().splitlines()) == 2


def test_name_from_the_wire_cannot_leave_the_folder(logs: EventLogs, tmp_path: Path) -> None:
    write_call(logs, "../../etc/passwd\x00" + "x" * 300)
    logs.close()
    (path,) = (tmp_path / "calls").iterdir()
    assert path.name.endswith("x.jsonl")
    assert len(path.name) < 120


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_is_one_error_and_no_exception(
    logs: EventLogs, errors: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open
    monkeypatch.setattr(os, "open", lambda path, *rest: real("/dev/full", os.O_WRONLY))
    for _ in range(3):
        write_call(logs)
    logs.close()
    assert [record.problem for record in errors.records] == ["No space left on device"]  # type: ignore[attr-defined]


def test_folder_that_cannot_be_made_is_one_error_and_no_exception(
    tmp_path: Path, errors: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    logs = EventLogs(tmp_path / "file" / "calls")
    write_call(logs)
    write_call(logs)
    logs.close()
    assert len(errors.records) == 1


def test_what_json_cannot_hold_costs_the_log_and_not_the_call(
    logs: EventLogs, errors: pytest.LogCaptureFixture
) -> None:
    event_log = logs.open(SETUP, "some-id")
    event_log.record(0, HangUpAsked("\ud800"), [])
    event_log.record(1, CallStarted(), [])
    assert len(errors.records) == 1
