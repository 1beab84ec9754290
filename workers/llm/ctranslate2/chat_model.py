"""A chat model's folder: its tokenizer, and how a conversation becomes its prompt."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from ringline.ipc.messages import ChatMessage
from ringline.workers.base import CannotStart
from ringline.workers.extras import require
from ringline.workers.llm.chat import openai_messages
from ringline.workers.llm.roles import LearnedRoles, Roles, in_order
from ringline.workers.models.folders import FOLDERS, problems


class ChatModel:
    """Text to tokens, by the files that chat models come with."""

    def __init__(self, folder: Path) -> None:
        """Raises CannotStart with the file that is missing."""
        if what := problems(folder, FOLDERS["ctranslate2"]):
            raise CannotStart(
                f"{folder}: {'; '.join(what)}: `ct2-transformers-converter --model ... --output_dir {folder} "
                "--quantization int8 --copy_files tokenizer.json tokenizer_config.json` writes all that is needed"
            )
        settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        source = settings.get("chat_template")
        if (folder / "chat_template.jinja").exists():
            source = (folder / "chat_template.jinja").read_text(encoding="utf-8")
        if isinstance(source, list):  # several, by name
            source = next((entry["template"] for entry in source if entry["name"] == "default"), None)
        if not source:
            raise CannotStart(f"{folder}: neither tokenizer_config.json nor chat_template.jinja has a chat template")
        self._roles = LearnedRoles(Roles())
        self._template = _environment().from_string(source)
        self._tokenizer = require("tokenizers", "ctranslate2").Tokenizer.from_file(str(folder / "tokenizer.json"))
        end = settings.get("eos_token") or json.loads((folder / "config.json").read_text(encoding="utf-8"))["eos_token"]
        self.end_tokens = [str(end["content"] if isinstance(end, dict) else end)]
        """End a reply."""
        self._special = {
            name: value.get("content", "") if isinstance(value, dict) else value
            for name, value in settings.items()
            if name.endswith("_token") and isinstance(value, str | dict)
        }

    def prompt(
        self, messages: Iterable[ChatMessage], tools: tuple[dict[str, object], ...], said: str = ""
    ) -> list[str]:
        """The tokens that a reply follows; it begins with ``said``."""
        while True:
            roles = self._roles.now
            turns = in_order(messages, roles)
            try:
                text = self._render(turns, tools)
                break
            except _Refused as refusal:
                if not self._roles.refused(str(refusal), turns, roles):
                    raise
        tokens: list[str] = self._tokenizer.encode(text + said, add_special_tokens=False).tokens
        return tokens

    def _render(self, messages: list[ChatMessage], tools: tuple[dict[str, object], ...]) -> str:
        turns = openai_messages(messages)
        for turn, message in zip(turns, messages, strict=True):
            turn["content"] = message.content  # never null, which some templates would write as a word
            for call, made in zip(message.tool_calls, turn.get("tool_calls") or (), strict=True):  # type: ignore[call-overload]
                made["function"]["arguments"] = call.arguments  # templates write the JSON themselves
        text: str = self._template.render(
            messages=turns, tools=list(tools) or None, add_generation_prompt=True, **self._special
        )
        return text

    def stream(self) -> TextStream:
        """For the tokens of one reply."""
        return TextStream(self._tokenizer)


class _Refused(ValueError):
    pass


class TextStream:
    """One reply's tokens as text. A character that is not complete is held back."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._stream = require("tokenizers.decoders", "ctranslate2").DecodeStream(skip_special_tokens=True)

    def feed(self, token_id: int) -> str:
        """The next token's text."""
        return self._stream.step(self._tokenizer, token_id) or ""


def _environment() -> Any:
    """Templates as model makers write them, without access to anything but the conversation."""
    sandbox = require("jinja2.sandbox", "ctranslate2")
    environment = sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _refuse
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return environment


def _to_json(value: object, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _refuse(reason: str) -> NoReturn:
    raise _Refused(f"the model's chat template refuses the conversation: {reason}")
