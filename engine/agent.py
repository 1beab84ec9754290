"""What a bot is: its voice, its words, its tools. An agent is a folder:

agent.toml   name, voice, speed, language, prompt, greeting
flow.toml    what it says and expects to hear (for the flow brain)
tools.py     Python functions it may call, each marked with `tool`
"""

from __future__ import annotations

import importlib.util
import inspect
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, TypeVar, get_type_hints, overload

import msgspec
from msgspec import Meta

F = TypeVar("F", bound=Callable[..., Any])

_MARK = "__ringline_tool__"


class AgentError(ValueError):
    """The agent's folder is wrong; the message says which file and what."""


class Tool(msgspec.Struct, frozen=True):
    """A Python function the bot may call."""

    name: str
    description: str
    function: Callable[..., Any]
    arguments: type[msgspec.Struct]
    """The function's parameters as a struct; arguments from a model are checked against it."""
    timeout_s: float

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Tool:
        """The tool that a function marked with `tool` is. Raises AgentError for a parameter without a type."""
        hints = get_type_hints(function)
        fields: list[Any] = []
        for name, parameter in inspect.signature(function).parameters.items():
            if name not in hints:
                raise AgentError(f"tool {function.__name__}: parameter {name!r} has no type")
            if parameter.default is inspect.Parameter.empty:
                fields.append((name, hints[name]))
            else:
                fields.append((name, hints[name], parameter.default))
        arguments = msgspec.defstruct(function.__name__, fields, forbid_unknown_fields=True, kw_only=True)
        return cls(function.__name__, inspect.getdoc(function) or "", function, arguments, getattr(function, _MARK))

    def schema(self) -> dict[str, object]:
        """The tool in the form chat models take."""
        (reference,), components = msgspec.json.schema_components([self.arguments])
        parameters = components[str(reference["$ref"]).rsplit("/", 1)[-1]]
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": {key: parameters[key] for key in ("type", "properties", "required")},
            },
        }

    def bind(self, arguments: Mapping[str, object]) -> dict[str, object]:
        """Checked keyword arguments for the function. Raises msgspec.ValidationError."""
        return msgspec.structs.asdict(msgspec.convert(dict(arguments), self.arguments))


@overload
def tool(function: F) -> F: ...
@overload
def tool(*, timeout_s: float = ...) -> Callable[[F], F]: ...
def tool(function: F | None = None, *, timeout_s: float = 10.0) -> F | Callable[[F], F]:
    """Mark a typed function, plain or async, as a tool of the agent.

    Its JSON schema comes from the signature, its description from the docstring. It runs off the engine's loop, and is
    given up after ``timeout_s``.
    """

    def mark(marked: F) -> F:
        setattr(marked, _MARK, timeout_s)
        return marked

    return mark if function is None else mark(function)


class _AgentFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    voice: str = ""
    speed: Annotated[float, Meta(gt=0.2, lt=5)] = 1.0
    language: str = "en"
    prompt: str = ""
    greeting: str = ""


class Agent(msgspec.Struct, frozen=True):
    """A bot, as the engine uses it."""

    name: str
    voice: str = ""
    """As the TTS backend names it; empty for its default."""
    speed: float = 1.0
    language: str = "en"
    prompt: str = ""
    """System prompt of chat models."""
    greeting: str = ""
    """Spoken when a call begins; empty: the LLM opens the call."""
    tools: dict[str, Tool] = {}

    @classmethod
    def load(cls, path: str | Path) -> Agent:
        """Read an agent's folder. Raises AgentError."""
        folder = find_agent(path)
        try:
            table = tomllib.loads((folder / "agent.toml").read_text(encoding="utf-8"))
            file = msgspec.convert(table, _AgentFile)
        except (tomllib.TOMLDecodeError, msgspec.ValidationError, OSError) as error:
            raise AgentError(f"{folder / 'agent.toml'}: {error}") from None
        tools = {}
        if (folder / "tools.py").exists():
            tools = tools_of(_import(folder / "tools.py"))
        return cls(file.name, file.voice, file.speed, file.language, file.prompt, file.greeting, tools)


def tools_of(module: ModuleType) -> dict[str, Tool]:
    """The functions of a module that are marked with `tool`, by name."""
    return {name: Tool.of(value) for name, value in vars(module).items() if callable(value) and hasattr(value, _MARK)}


def find_agent(path: str | Path) -> Path:
    """The agent's folder: as given, or among the examples that come with Ringline. Raises AgentError."""
    packaged = Path(__file__).parent.parent  # the repository, or site-packages/ringline
    for folder in (Path(path), packaged / path, packaged / "examples" / path):
        if (folder / "agent.toml").is_file():
            return folder.resolve()
    raise AgentError(f"no agent at {path}: there is no {Path(path) / 'agent.toml'}")


def _import(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"ringline_agent_{file.parent.name}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise AgentError(f"{file}: {type(error).__name__}: {error}") from error
    return module
