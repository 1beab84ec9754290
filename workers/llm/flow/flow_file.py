"""The flow file (TOML): its tables, read and checked piece by piece so that every error names file, table and key.

    start = "hello"                      the state that a call begins in
    [hours]                              open, close: what "at two" means
    [slots.day]                          a value the flow works with: type = "date", "time", "yes_no", "digits",
                                         "choice" or "name", and the type's own keys
    [rules]                              named patterns, for use as <name>
    [defaults]                           no_match, no_input, otherwise: for states that have none of their own
    [global]                             dtmf and [[global.expect]]: what callers may say or key in every state
    [state.hello]                        see `StateTable`

A pattern is described in `pattern`. Where a state is named, ``@repeat`` says the last words again, and ``@back`` goes
back to the state that waited for the caller last.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ringline.engine.text_file import TextFileError, read_text
from ringline.workers.llm.flow.slots import Hours, SlotTable

FLOW_FILE = "flow.toml"

REPEAT = "@repeat"
BACK = "@back"


class FlowError(ValueError):
    """The flow is wrong; the message names file, table and key."""


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Expect(_Table, frozen=True):
    """``[[state.NAME.expect]]``: something the caller may say."""

    phrases: tuple[str, ...]
    """Patterns; whatever slots they hold are filled."""
    understood: tuple[str, ...] = ()
    """More of them, for transcripts only: they stay out of the grammar, which is the better heard the less it holds."""
    goto: str = ""
    """The next state; empty: the same one, which goes on if it has what it asked for."""
    set: dict[str, str] = {}
    """Slots that this fills by itself."""
    clear: tuple[str, ...] = ()
    """Slots to forget first."""


class Key(_Table, frozen=True):
    """``[state.NAME.dtmf]``: ``"1" = "state"``, or a table like this."""

    goto: str = ""
    set: dict[str, str] = {}
    clear: tuple[str, ...] = ()


class Branch(_Table, frozen=True):
    """``[[state.NAME.on]]``: where a tool's result leads."""

    when: dict[str, str | int | bool]
    """Fields of the result and the values they must have."""
    goto: str
    take: dict[str, str] = {}
    """Slot -> the result's field that fills it."""
    clear: tuple[str, ...] = ()


class StateTable(_Table, frozen=True):
    """``[state.NAME]``. It either waits for the caller (``expect``, ``ask``, ``confirm``) or goes on at once."""

    say: str | tuple[str, ...] = ""
    """Said on entering; several texts take turns. ``{slot}`` is read as people say it."""
    expect: tuple[Expect, ...] = ()
    also: tuple[str, ...] = ()
    """States whose phrases and keys count here too."""
    dtmf: dict[str, str | Key] = {}
    ask: str = ""
    """A slot. If it is filled already, the state is passed without a word; once it is, ``goto`` follows."""
    confirm: tuple[str, ...] = ()
    """Slots that ``say`` reads back: ``yes`` follows on agreement; a correction ("no, tuesday") is read back again."""
    yes: str = ""
    no: str = ""
    """Follows on a plain no, which forgets the slots of ``confirm``."""
    goto: str = ""
    tool: str = ""
    """A tool to run; ``on``, ``on_ok`` and ``on_error`` follow its result."""
    arguments: dict[str, str] = {}
    """``"{slot}"`` or text; an argument whose slot is empty is left out."""
    on: tuple[Branch, ...] = ()
    """The first branch that fits its result is taken."""
    on_ok: str = ""
    on_error: str = ""
    """The result says ``"ok": false``, or there is none."""
    hang_up: bool = False
    transfer: str = ""
    """Hands the caller to a person; the reason."""
    no_match: tuple[str, ...] | None = None
    """Said when the caller was not understood, one text after the other; ``{prompt}`` is what ``say`` said."""
    no_input: tuple[str, ...] | None = None
    otherwise: str = ""
    """Follows when those texts are used up."""

    @property
    def waits(self) -> bool:
        """Whether the caller speaks next."""
        return bool(self.expect or self.also or self.dtmf or self.ask or self.confirm)

    @property
    def says(self) -> tuple[str, ...]:
        """The texts of ``say``."""
        return (self.say,) if isinstance(self.say, str) else self.say


class Defaults(_Table, frozen=True):
    """``[defaults]``"""

    no_match: tuple[str, ...] = ("Sorry, I did not understand that. {prompt}", "I still did not get that. {prompt}")
    no_input: tuple[str, ...] = ("Are you still there? {prompt}", "I cannot hear you. {prompt}")
    otherwise: str = ""


class Global(_Table, frozen=True):
    """``[global]``"""

    expect: tuple[Expect, ...] = ()
    dtmf: dict[str, str | Key] = {}


class FlowTables(msgspec.Struct, frozen=True):
    """A whole flow file as it was written."""

    file: str
    start: str
    hours: Hours
    slots: dict[str, SlotTable]
    rules: dict[str, str]
    defaults: Defaults
    everywhere: Global
    states: dict[str, StateTable]


_TOP_KEYS = ("start", "hours", "slots", "rules", "defaults", "global", "state")

_T = TypeVar("_T")


def read(folder: str | Path) -> FlowTables:
    """The flow file of an agent's folder. Raises FlowError; OSError if it cannot be read."""
    path = Path(folder) / FLOW_FILE
    try:
        return parse(read_text(path), str(path))
    except TextFileError as error:
        raise FlowError(str(error)) from None


def parse(source: str, file: str = FLOW_FILE) -> FlowTables:
    """The tables in a TOML text. Raises FlowError. Whether they fit together is for `compile`."""
    try:
        document = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise FlowError(f"{file}: {error}") from None
    for key in document:
        if key not in _TOP_KEYS:
            raise FlowError(f"{file}: {key}: no such table; there are {', '.join(_TOP_KEYS)}")

    def convert(kind: type[_T], table: Any, where: str) -> _T:
        try:
            return msgspec.convert(table, kind)
        except msgspec.ValidationError as error:
            what, _, path = str(error).replace("`object`", "`table`").partition(" - at `$")  # as TOML calls it
            raise FlowError(f"{file}: {where}{path.rstrip('`')}: {what}") from None

    def entries(key: str) -> dict[str, Any]:
        return convert(dict[str, Any], document.get(key, {}), key)

    return FlowTables(
        file=file,
        start=convert(str, document.get("start", ""), "start"),
        hours=convert(Hours, document.get("hours", {}), "hours"),
        slots={
            # mypy takes no union for a type[T]
            name: convert(SlotTable, table, f"slots.{name}")  # type: ignore[arg-type]
            for name, table in entries("slots").items()
        },
        rules={name: convert(str, text, f"rules.{name}") for name, text in entries("rules").items()},
        defaults=convert(Defaults, document.get("defaults", {}), "defaults"),
        everywhere=convert(Global, document.get("global", {}), "global"),
        states={name: convert(StateTable, table, f"state.{name}") for name, table in entries("state").items()},
    )
