"""``ringline replay``: runs a call's events through the conversation again and compares the actions, bit for bit."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ringline.engine.conversation import Event
from ringline.engine.event_format import EventLogReader, decode_event, encode_fact


class Difference(msgspec.Struct, frozen=True):
    """Where the replay first did something else than the call."""

    event: int
    """Number of the event, from 1; it stands on the next line of the file."""
    call_s: float
    """Time since the first event."""
    told: Any
    """The event."""
    expected: list[Any]
    """The actions of the call ..."""
    got: list[Any]
    """... and of the replay."""
    expected_error: str = ""
    got_error: str = ""


class Replay(msgspec.Struct, frozen=True):
    """What came of a replay."""

    file: str
    call: int
    events: int
    actions: int
    duration_s: float
    truncated: bool
    """The log's last line was cut off; what stands before it was replayed."""
    difference: Difference | None


OnEntry = Callable[[float, Event, Sequence[bytes]], None]
"""Gets the time since the first event in seconds, the event, and the encoded actions of the replay."""


def replay_file(path: Path, on_entry: OnEntry | None = None) -> Replay:
    """Replay a log up to the first difference. Raises EventLogError; OSError if it cannot be read."""
    reader = EventLogReader(path)
    conversation = reader.setup.conversation()
    num_events = num_actions = 0
    first_ns: int | None = None
    call_s = 0.0
    difference = None
    for entry in reader.entries():
        event = decode_event(entry.event)
        first_ns = entry.now_ns if first_ns is None else first_ns
        num_events += 1
        call_s = (entry.now_ns - first_ns) / 1e9
        error = ""
        got: list[bytes] = []
        try:
            got = [encode_fact(action) for action in conversation.handle(event, entry.now_ns)]
        except Exception as raised:  # noqa: BLE001  (whatever the conversation raises is what came of the event)
            error = f"{type(raised).__name__}: {raised}"
        num_actions += len(got)
        if on_entry is not None:
            on_entry(call_s, event, got)
        expected = [bytes(action) for action in entry.actions]
        if got != expected or error != entry.error:
            difference = Difference(
                num_events, call_s, msgspec.json.decode(encode_fact(event)), _decoded(expected), _decoded(got),
                entry.error, error,
            )  # fmt: skip
            break
    return Replay(str(path), reader.setup.call, num_events, num_actions, call_s, reader.truncated, difference)


def show(call_s: float, event: Event, actions: Sequence[bytes]) -> None:
    """Print an event and its actions."""
    lines = [f"{call_s:9.3f} s  {encode_fact(event).decode()}"]
    lines += [f"             -> {action.decode()}" for action in actions]
    sys.stdout.write("\n".join(lines) + "\n")


def render(replay: Replay) -> str:
    """The outcome for people."""
    note = "the log's last line was cut off and left out\n" if replay.truncated else ""
    found = replay.difference
    if found is None:
        return (
            f"call {replay.call}: {replay.events} events in {replay.duration_s:.1f} s led to the same "
            f"{replay.actions} actions\n{note}"
        )
    lines = [f"call {replay.call}: event {found.event}, {found.call_s:.3f} s into the call, led to something else", ""]
    lines += [f"event     {_line(found.told)}"]
    for name, actions, error in (
        ("expected", found.expected, found.expected_error),
        ("got", found.got, found.got_error),
    ):
        other = found.got if name == "expected" else found.expected
        lines += [f"raised    {error}"] if error else []
        for number, action in enumerate(actions):
            mark = " " if number < len(other) and other[number] == action else "*"
            lines.append(f"{name:<8}{mark} {_line(action)}")
        if not actions and not error:
            lines.append(f"{name:<8}  nothing")
    return "\n".join(lines) + f"\n{note}"


def _decoded(actions: Sequence[bytes]) -> list[Any]:
    return [msgspec.json.decode(action) for action in actions]


def _line(value: Any) -> str:
    return msgspec.json.encode(value).decode()
