"""What backends of chat models share: the form of messages, replies that go on."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ringline.ipc.messages import ChatMessage

GO_ON = (
    "You were interrupted by a fault while you said your last message; the caller heard all of it. Write only what "
    "follows directly behind it, without repeating any of it."
)
"""For models that cannot be made to continue a message of their own."""


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
