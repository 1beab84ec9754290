"""What backends of chat models share: the form of messages, tool calls that come in pieces, replies that go on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from ringline.ipc.messages import ChatMessage, ToolCall

GO_ON = (
    "You were interrupted by a fault while you said your last message; the caller heard all of it. Write only what "
    "follows directly behind it, without repeating any of it."
)
"""For models that cannot be made to continue a message of their own."""

MAX_QUOTED_CHARS = 200
"""Of what a model wrote by mistake."""


def openai_messages(messages: Iterable[ChatMessage]) -> list[dict[str, object]]:
    """In the form of OpenAI's chat completions, which chat templates take, too."""
    return [_openai_message(message) for message in messages]


def _openai_message(message: ChatMessage) -> dict[str, object]:
    made: dict[str, object] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        made["content"] = message.content or None
        made["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": _json(call.arguments)}}
            for call in message.tool_calls
        ]
    if message.role == "tool":
        made["tool_call_id"] = message.tool_call_id
    return made


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


class ToolCalls:
    """The tools that a reply asks for, put together from pieces."""

    def __init__(self, messages: Iterable[ChatMessage]) -> None:
        """``messages``: those that the reply follows; its calls have other ids than theirs."""
        self._ids = {call.id for message in messages for call in message.tool_calls}
        self._calls: dict[int, _ToolCall] = {}

    def add(self, index: int, id: str | None = None, name: str | None = None, arguments: str | None = None) -> None:  # noqa: A002
        """A piece of the call at this position of the reply."""
        call = self._calls.setdefault(index, _ToolCall())
        call.id = call.id or id or ""
        call.name = call.name or name or ""
        call.arguments += arguments or ""

    def made(self) -> tuple[ToolCall, ...]:
        """All of them, complete, each with an id of its own."""
        return tuple(self._made(call) for _, call in sorted(self._calls.items()))

    def _made(self, call: _ToolCall) -> ToolCall:
        base = call.id or "call"
        unique, number = base, 1
        while not unique or unique in self._ids:
            number += 1
            unique = f"{base}-{number}"
        self._ids.add(unique)
        return parse_tool_call(unique, call.name, call.arguments)


class _ToolCall:
    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.arguments = ""


def parse_tool_call(id: str, name: str, arguments: str) -> ToolCall:  # noqa: A002
    """A call with ``arguments`` as JSON; its ``problem`` says so if they are none."""
    try:
        parsed = msgspec.json.decode(arguments or "{}")
    except msgspec.DecodeError as error:
        return ToolCall(id, name, {}, f"the arguments are not valid JSON ({error}): {arguments[:MAX_QUOTED_CHARS]}")
    if not isinstance(parsed, Mapping):
        return ToolCall(id, name, {}, f"the arguments are not a JSON object: {arguments[:MAX_QUOTED_CHARS]}")
    return ToolCall(id, name, dict(parsed))


class Continuation:
    """The text of a reply of which a part was said before: models that begin again are cut to what is new."""

    def __init__(self, said: str) -> None:
        self._said = said
        self._held = ""

    def feed(self, text: str) -> str:
        """The next piece. Returns what is new of it; what is held back to the end was nothing new."""
        if not self._said:
            return text
        self._held += text
        begin = self._held.lstrip()
        said = self._said.lstrip()
        if len(begin) < len(said) and said.startswith(begin):
            return ""
        new = begin[len(said) :] if begin.startswith(said) else self._held
        self._said = self._held = ""
        return new
