"""What a bot is: its voice, its words, its tools. An agent is a folder:

agent.toml   name, voice, speed, language, prompt, voice_rules, greeting, [pronunciations]
flow.toml    what it says and expects to hear (for the flow brain), `FlowFile`
tools.py     Python functions it may call, each marked with `tool`

A program can also make one: ``agent = Agent("clinic", prompt=...)``, and give it functions with ``@agent.tool``.
"""

from __future__ import annotations

import hashlib
import importlib.util
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Annotated, Literal, overload

import msgspec
from msgspec import Meta

from ringline.engine.pronunciation import parse_dictionary
from ringline.engine.text_file import TextFileError, read_text
from ringline.engine.tool import AgentError as AgentError
from ringline.engine.tool import F, Tool, ToolOptions, is_marked


class _AgentFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    voice: str = ""
    speed: Annotated[float, Meta(gt=0.2, lt=5)] = 1.0
    language: str = "en"
    prompt: str = ""
    voice_rules: str | None = None
    greeting: str = ""
    barge_in: Literal["", "off", "low", "normal", "high"] = ""
    max_sentences: Annotated[int, Meta(ge=0)] | None = None
    pronunciations: dict[str, str] = {}


class FlowFile(msgspec.Struct, frozen=True):
    """A flow, in TOML, as it was read: whoever edits the file changes no agent that is in use."""

    text: str = ""
    file: str = "flow.toml"
    """Where it was read, for what is said of its errors."""

    @classmethod
    def read(cls, path: str | Path) -> FlowFile:
        """Read a flow file. Raises AgentError."""
        try:
            return cls(read_text(path), str(path))
        except TextFileError as error:
            raise AgentError(str(error)) from None
        except OSError as error:
            raise AgentError(f"{path}: {error.strerror}") from None


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
    voice_rules: str | None = None
    """How to speak on a telephone, behind the prompt: None for `ringline.engine.conversation.history.VOICE_RULES`, a
    text of one's own, or "" for none."""
    barge_in: str = ""
    """How easily the caller interrupts, as ``[turn] barge_in``; empty: as configured there."""
    max_sentences: int | None = None
    """A reply of the LLM ends behind so many sentences, 0 for any number; None: 3, but any number of a flow's."""
    pronunciations: dict[str, str] = {}
    """Word -> how it is said: a respelling (``shi-vawn``), for voices that take phonemes IPA (``/ʃɪvˈɔːn/``), or both
    (``shi-vawn /ʃɪvˈɔːn/``)."""
    flow: FlowFile = FlowFile()
    """What it says and expects to hear, where the flow brain answers (``[llm] backend = "flow"``)."""

    @property
    def key(self) -> str:
        """Names the agent with this very flow: what a call remembers of one flow means nothing to another."""
        return f"{self.name}-{hashlib.blake2b(self.flow.text.encode(), digest_size=6).hexdigest()}"

    @overload
    def tool(self, function: F) -> F: ...
    @overload
    def tool(self, *, timeout_s: float = ..., safe_to_draft: bool = ..., filler: str = ...) -> Callable[[F], F]: ...
    def tool(
        self, function: F | None = None, *, timeout_s: float = 10.0, safe_to_draft: bool = False, filler: str = ""
    ) -> F | Callable[[F], F]:
        """Give this agent a typed function, plain or async, as a tool: a decorator, with or without `ToolOptions`.

        Raises AgentError for a function that no schema can describe, or a name that is taken.
        """

        def add(added: F) -> F:
            made = Tool.of(added, ToolOptions(timeout_s, safe_to_draft, filler))
            if made.name in self.tools:
                raise AgentError(f"tool {made.name}: the agent {self.name} has a tool of this name already")
            self.tools[made.name] = made
            return added

        return add if function is None else add(function)

    @classmethod
    def load(cls, path: str | Path) -> Agent:
        """Read an agent's folder. Raises AgentError."""
        folder = find_agent(path)
        try:
            table = tomllib.loads(read_text(folder / "agent.toml"))
            file = msgspec.convert(table, _AgentFile)
            parse_dictionary(file.pronunciations)
        except TextFileError as error:
            raise AgentError(str(error)) from None
        except (ValueError, OSError) as error:
            raise AgentError(f"{folder / 'agent.toml'}: {error}") from None
        flow = FlowFile.read(folder / "flow.toml") if (folder / "flow.toml").exists() else FlowFile()
        agent = cls(**msgspec.structs.asdict(file), flow=flow)
        if (folder / "tools.py").exists():
            agent.tools.update(tools_of(_import(folder / "tools.py")))
        return agent


def tools_of(module: ModuleType) -> dict[str, Tool]:
    """The functions of a module that are marked with `tool`, by name. Raises AgentError."""
    functions = dict.fromkeys(value for value in vars(module).values() if is_marked(value))
    tools: dict[str, Tool] = {}
    for function in functions:
        made = Tool.of(function)
        if made.name in tools:
            raise AgentError(f"{module.__file__}: tool {made.name}: two functions have this name")
        tools[made.name] = made
    return tools


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
