"""One chunk of a stream of chat completions, as servers in the field send it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ringline.ipc.messages import Usage

_THOUGHTS = [
    "reasoning_content",
    "reasoning",
    "reasoning_details",
    "reasoning_text",
    "thinking",
    "thinking_content",
    "thinking_blocks",
    "thought",
    "thoughts",
]
"""Fields of a delta that hold what the model thinks."""

Piece = tuple[int | None, str, str, str | Mapping[str, object] | None]
"""Of a tool call: index, id, name, arguments."""

MAX_ERROR_CHARS = 300


class Chunk(msgspec.Struct, frozen=True):
    """What of a chunk matters here."""

    text: str = ""
    is_thought: bool = False
    """It holds thoughts."""
    tool_calls: tuple[Piece, ...] = ()
    finish_reason: str = ""
    usage: Usage | None = None
    error: str = ""
    """The server has failed, and says why."""

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Chunk:
        """Read one; fields of another kind than they should have count as missing."""
        usage = _usage(event.get("usage"))
        if error := _error(event):
            return cls(usage=usage, error=error[:MAX_ERROR_CHARS])
        choices = event.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict):
            return cls(usage=usage)
        delta: dict[str, Any] = next(
            (choice[key] for key in ("delta", "message") if isinstance(choice.get(key), dict)), {}
        )
        content = delta.get("content") or delta.get("refusal") or choice.get("text")
        reason = choice.get("finish_reason")
        if reason == "error":
            return cls(usage=usage, error="finish_reason is error")
        return cls(
            text=_text(content),
            is_thought=any(delta.get(key) for key in _THOUGHTS) or _has_thoughts(content),
            tool_calls=tuple(_pieces(delta)),
            finish_reason=reason if isinstance(reason, str) else "",
            usage=usage,
        )


def _text(content: object) -> str:
    """The text of content, which may be a list of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(map(_text, content))
    if isinstance(content, dict) and content.get("type", "text") in ("text", "output_text", "refusal"):
        return _text(content.get("text") or content.get("content") or content.get("value") or content.get("refusal"))
    return ""


def _has_thoughts(content: object) -> bool:
    return isinstance(content, list) and any(isinstance(part, dict) and part.get("type") != "text" for part in content)


def _pieces(delta: Mapping[str, Any]) -> Iterator[Piece]:
    calls = delta.get("tool_calls")
    listed = calls if isinstance(calls, list) else [calls] if isinstance(calls, dict) else []
    if isinstance(legacy := delta.get("function_call"), dict):
        listed = [*listed, {"function": legacy}]
    for call in listed:
        if isinstance(call, dict):
            inner = call.get("function")
            function: dict[str, Any] = inner if isinstance(inner, dict) else call
            index, arguments = call.get("index"), function.get("arguments")
            if isinstance(index, str) and index.isdecimal():
                index = int(index)
            if arguments is None:
                arguments = function.get("parameters")
            yield (
                index
                if isinstance(index, int)
                else int(index)
                if isinstance(index, str) and index.isdecimal()
                else None,
                _string(call.get("id")),
                _string(function.get("name")),
                arguments if isinstance(arguments, str | dict) else None,
            )


def _string(value: object) -> str:
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else ""


def _error(event: Mapping[str, Any]) -> str:
    error = event.get("error")
    if not error and event.get("object") != "error" and event.get("type") != "error":
        return ""
    if isinstance(error, dict):
        return str(error.get("message") or error)
    return str(error or event.get("message") or event.get("detail") or "no reason given")


def _usage(counted: object) -> Usage | None:
    if not isinstance(counted, dict):
        return None
    details = counted.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else 0
    return Usage(_count(counted.get("prompt_tokens")), _count(cached), _count(counted.get("completion_tokens")))


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0
