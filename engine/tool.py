"""Python functions as tools of a bot: what a model is told of them, and how its arguments are checked.

A tool's schema comes from its signature, its words from its docstring::

    @agent.tool(timeout_s=3, filler="Let me check the diary.")
    async def free_times(day: date, doctor: Literal["Lee", "Meyer"] = "Lee") -> list[str]:
        \"\"\"The free times of a day.

        Args:
            day: The day, as YYYY-MM-DD.
        \"\"\"
"""

from __future__ import annotations

import copy
import inspect
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_type_hints, overload

import docstring_parser
import msgspec
from docstring_parser.common import DocstringParam

F = TypeVar("F", bound=Callable[..., Any])

BUILT_IN_NAMES = frozenset({"collect_digits", "hang_up", "remember", "send_dtmf", "transfer"})
"""The engine's own tools (`ringline.engine.conversation.builtin_tools`); no tool of an agent may be named so."""

_MARK = "__ringline_tool__"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")  # what all chat APIs take


class AgentError(ValueError):
    """The agent is wrong; the message says which file or tool, and what."""


class ToolOptions(msgspec.Struct, frozen=True):
    """What the `tool` decorator may be given."""

    timeout_s: float = 10.0
    """Given up after so long."""
    safe_to_draft: bool = False
    """It has no side effects: it may run before the caller's turn is known to be over, and in vain."""
    filler: str = ""
    """Said while a slow run goes on."""
    confirm: bool = False
    """It has effects that need the caller's yes: a language model's call of it runs only where the caller's last words
    are a plain yes to a question of the bot's, and is otherwise answered with what the model has to ask first."""


class Tool(msgspec.Struct, frozen=True):
    """A Python function the bot may call."""

    name: str
    description: str
    function: Callable[..., Any]
    arguments: type[msgspec.Struct]
    """The function's parameters as a struct; arguments from a model are checked against it."""
    parameters: dict[str, object]
    """JSON schema of the arguments."""
    timeout_s: float
    safe_to_draft: bool = False
    filler: str = ""
    confirm: bool = False

    @classmethod
    def of(cls, function: Callable[..., Any], options: ToolOptions | None = None) -> Tool:
        """The tool that a typed function is; without ``options``, as it was marked with `tool`.

        Raises AgentError, which names the tool and the parameter, for a signature that no schema can describe.
        """
        if not (inspect.isfunction(function) or inspect.ismethod(function)):
            raise AgentError(f"{function!r} is no function, and cannot be a tool")
        name = function.__name__
        if not _NAME.fullmatch(name):
            raise AgentError(f"tool {name}: a name has at most 64 letters, digits, _ and -")
        if name in BUILT_IN_NAMES:
            raise AgentError(f"tool {name}: the name of a built-in tool; choose another")
        if options is None:
            options = getattr(function, _MARK, ToolOptions())
        if not (math.isfinite(options.timeout_s) and options.timeout_s > 0):
            raise AgentError(f"tool {name}: timeout_s must be above 0, not {options.timeout_s:g}")
        if options.confirm and options.safe_to_draft:
            raise AgentError(f"tool {name}: safe_to_draft says that it has no effects, confirm that it has")
        arguments = _arguments(name, function)
        description, of_parameters = _words(function)
        parameters = json_schema(arguments)
        properties: Any = parameters["properties"]
        for key, text in of_parameters.items():
            if key in properties and text:
                properties[key].setdefault("description", text)
        return cls(name, description, function, arguments, parameters, *msgspec.structs.astuple(options))

    def schema(self) -> dict[str, object]:
        """The tool in the form chat models take."""
        return chat_schema(self.name, self.description, self.parameters)

    def bind(self, arguments: Mapping[str, object]) -> dict[str, object]:
        """Checked keyword arguments; the function's own defaults fill the rest. Raises msgspec.ValidationError."""
        checked = msgspec.convert(dict(arguments), self.arguments, str_keys=True)
        return {name: getattr(checked, name) for name in arguments}


@overload
def tool(function: F) -> F: ...
@overload
def tool(
    *, timeout_s: float = ..., safe_to_draft: bool = ..., filler: str = ..., confirm: bool = ...
) -> Callable[[F], F]: ...
def tool(
    function: F | None = None,
    *,
    timeout_s: float = 10.0,
    safe_to_draft: bool = False,
    filler: str = "",
    confirm: bool = False,
) -> F | Callable[[F], F]:
    """Mark a typed function, plain or async, as a tool of the agent whose tools.py it stands in.

    It runs off the engine's loop. See `ToolOptions` for the options.
    """

    def mark(marked: F) -> F:
        setattr(marked, _MARK, ToolOptions(timeout_s, safe_to_draft, filler, confirm))
        return marked

    return mark if function is None else mark(function)


def is_marked(value: object) -> bool:
    """Whether it is a function that was marked with `tool`."""
    return inspect.isfunction(value) and hasattr(value, _MARK)


def chat_schema(name: str, description: str, parameters: Mapping[str, object]) -> dict[str, object]:
    """A tool in the form chat models take; ``parameters`` is the JSON schema of its arguments."""
    function = {"name": name, "description": description, "parameters": dict(parameters)}
    return {"type": "function", "function": function}


def json_schema(struct: type[msgspec.Struct]) -> dict[str, object]:
    """A struct's JSON schema without references: not every model server follows them.

    Raises TypeError for types that JSON cannot hold, ValueError for types that contain themselves.
    """
    (reference,), components = msgspec.json.schema_components([struct])
    whole = _inlined(reference, components, ())
    return {key: whole[key] for key in ("type", "properties", "required")}


def _inlined(schema: Any, components: Mapping[str, Any], inside: tuple[str, ...]) -> Any:
    if isinstance(schema, list):
        return [_inlined(part, components, inside) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" not in schema:
        return {key: _inlined(part, components, inside) for key, part in schema.items()}
    name = str(schema["$ref"]).rpartition("/")[2]
    if name in inside:
        raise ValueError(f"the type {name} contains itself")
    beside = {key: part for key, part in schema.items() if key != "$ref"}
    return _inlined(components[name], components, (*inside, name)) | beside


def _arguments(tool_name: str, function: Callable[..., Any]) -> type[msgspec.Struct]:
    try:
        hints = get_type_hints(function, include_extras=True)
    except (NameError, TypeError) as error:
        raise AgentError(f"tool {tool_name}: {error}") from None
    fields: list[Any] = []
    for name, parameter in inspect.signature(function).parameters.items():
        where = f"tool {tool_name}: parameter {name!r}"
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise AgentError(f"{where} stands for any number of arguments; name each one")
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise AgentError(f"{where} is positional-only; arguments are passed by name")
        if name not in hints:
            raise AgentError(f"{where} has no type")
        field = (name, hints[name], *_default(parameter))
        try:
            alone = msgspec.defstruct(tool_name, [field], kw_only=True)
            msgspec.json.Decoder(alone)  # finds unions that cannot be told apart
            json_schema(alone)
        except (TypeError, ValueError, RecursionError) as error:
            raise AgentError(f"{where} cannot be described to a model: {error}") from None
        fields.append(field)
    return msgspec.defstruct(tool_name, fields, forbid_unknown_fields=True, kw_only=True)


def _default(parameter: inspect.Parameter) -> tuple[Any, ...]:
    if parameter.default is parameter.empty:
        return ()
    if isinstance(parameter.default, list | dict | set) and parameter.default:
        return (msgspec.field(default_factory=lambda: copy.deepcopy(parameter.default)),)
    return (parameter.default,)


def _words(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """The docstring without its list of parameters, and what that says of each."""
    text = inspect.getdoc(function) or ""
    try:
        parsed = docstring_parser.parse(text)
    except docstring_parser.ParseError:
        return text, {}
    of_parameters = {one.arg_name: " ".join((one.description or "").split()) for one in parsed.params}
    if not of_parameters:
        return text, {}
    parsed.meta = [part for part in parsed.meta if not isinstance(part, DocstringParam)]
    return docstring_parser.compose(parsed).strip(), of_parameters
