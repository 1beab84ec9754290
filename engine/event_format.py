"""The form of an event log: what a call's conversation was made of, then what it was told and what it wanted done.

JSON lines. The first is the header, each further one an `Entry`: one `Conversation.handle`. Events and actions are
objects with their type's name under ``type`` and their fields, whatever form they have on the bus. Integers are exact,
bytes are base64. A conversation is a pure function, so the log is enough to run it again (``ringline replay``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec

from ringline.engine.agent import Agent
from ringline.engine.call_setup import CallSetup
from ringline.engine.conversation import Action, Event
from ringline.engine.tool import Tool

T = TypeVar("T")

VERSION = 1
"""Of the format. Another one is needed when a log of this one could be misread."""

_EVENTS: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Event)}
_CODE = ("function", "arguments")
"""What of a tool cannot be written down; its schema can."""


class EventLogError(ValueError):
    """A file is no event log that this version can read; the message says where and why."""


class RecordedTool(Tool, frozen=True, kw_only=True):
    """A tool from a log: it can be described but not run."""

    recorded_schema: dict[str, object]

    def schema(self) -> dict[str, object]:
        """As it was when the call was recorded."""
        return self.recorded_schema


class Header(msgspec.Struct, frozen=True):
    """The first line."""

    ringline_event_log: int
    """`VERSION`"""
    setup: dict[str, msgspec.Raw]


class Entry(msgspec.Struct, frozen=True):
    """An event, and the actions that came of it."""

    now_ns: int
    event: dict[str, msgspec.Raw]
    actions: tuple[msgspec.Raw, ...]
    error: str = ""
    """What the conversation raised instead."""


def encode_fact(fact: Event | Action) -> bytes:
    """An event or action as JSON."""
    return msgspec.json.encode(_plain(fact))


def encode_entry(now_ns: int, event: Event, actions: Sequence[Action], error: str = "") -> bytes:
    """A line of the log, without its end. Raises TypeError or ValueError for what JSON cannot hold."""
    entry = {"now_ns": now_ns, "event": _plain(event), "actions": [_plain(action) for action in actions]}
    return msgspec.json.encode(entry | {"error": error} if error else entry)


def encode_header(setup: CallSetup) -> bytes:
    """The log's first line, without its end."""
    agent = setup.agent
    tools = {
        name: {"schema": tool.schema()}
        | {field: value for field, value in msgspec.structs.asdict(tool).items() if field not in _CODE}
        for name, tool in agent.tools.items()
    }
    plain_agent = msgspec.structs.asdict(agent) | {"tools": tools}
    del plain_agent["flow"]  # what came of it stands in the replies
    plain_setup = msgspec.structs.asdict(setup) | {"agent": plain_agent}
    return msgspec.json.encode({"ringline_event_log": VERSION, "setup": plain_setup})


def decode_event(fields: Mapping[str, msgspec.Raw]) -> Event:
    """The event that was encoded. Raises EventLogError."""
    try:
        name = msgspec.json.decode(fields["type"], type=str)
        kind = _EVENTS[name]
    except (KeyError, msgspec.DecodeError):
        raise EventLogError(f"no event of this version: {_text(fields)}") from None
    event: Event = _build(kind, {key: value for key, value in fields.items() if key != "type"})
    return event


class EventLogReader:
    """An event log that is read again."""

    def __init__(self, path: Path) -> None:
        """Raises EventLogError; OSError if it cannot be read."""
        self.truncated = False
        """Whether the last line was cut off, as by a crash. Known when `entries` is through."""
        self._path = path
        with path.open("rb") as file:
            self.setup = self._decode_header(file.readline())

    def entries(self) -> Iterator[Entry]:
        """All that is there. Raises EventLogError at a line that is none."""
        with self._path.open("rb") as file:
            file.readline()
            for number, line in enumerate(file, start=2):
                try:
                    yield msgspec.json.decode(line, type=Entry)
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                    if line.endswith(b"\n"):
                        raise EventLogError(f"{self._path}, line {number}: {error}") from None
                    self.truncated = True

    def _decode_header(self, line: bytes) -> CallSetup:
        try:
            header = msgspec.json.decode(line, type=Header)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise EventLogError(f"{self._path} is no event log") from None
        if header.ringline_event_log != VERSION:
            raise EventLogError(
                f"{self._path} is an event log of format {header.ringline_event_log}; this version reads {VERSION}"
            )
        try:
            fields = dict(header.setup)
            agent = _decode_agent(msgspec.json.decode(fields.pop("agent"), type=dict[str, msgspec.Raw]))
            return _build(CallSetup, fields, agent=agent)
        except (KeyError, msgspec.DecodeError, EventLogError) as error:
            raise EventLogError(f"{self._path}, line 1: {error}") from None


def _plain(fact: Event | Action) -> dict[str, Any]:
    return {"type": type(fact).__name__, **msgspec.structs.asdict(fact)}


def _decode_agent(fields: dict[str, msgspec.Raw]) -> Agent:
    tools = {}
    for name, tool in msgspec.json.decode(fields.pop("tools"), type=dict[str, dict[str, msgspec.Raw]]).items():
        schema = msgspec.json.decode(tool.pop("schema"), type=dict[str, object])
        tools[name] = _build(RecordedTool, tool, function=_cannot_run, arguments=msgspec.Struct, recorded_schema=schema)
    return _build(Agent, fields, tools=tools)


def _build(kind: type[T], fields: Mapping[str, msgspec.Raw], **known: Any) -> T:
    """A struct from its encoded fields and those that are known already. Fields that the log lacks have defaults."""
    types = {field.name: field.type for field in msgspec.structs.fields(kind)}  # type: ignore[arg-type]
    try:
        return kind(**{name: msgspec.json.decode(value, type=types[name]) for name, value in fields.items()}, **known)
    except KeyError as error:
        raise EventLogError(f"{kind.__name__} has no field {error} in this version") from None
    except (msgspec.DecodeError, TypeError) as error:
        raise EventLogError(f"{kind.__name__}: {error}") from None


def _cannot_run(**arguments: object) -> object:
    raise NotImplementedError("a tool from an event log cannot run")


def _text(fields: Mapping[str, msgspec.Raw]) -> str:
    return msgspec.json.encode(fields).decode()[:200]
