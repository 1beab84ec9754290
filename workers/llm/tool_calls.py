"""The tools that a reply asks for, put together from what servers send of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from ringline.engine.conversation.model_text import WrittenCall
from ringline.ipc.messages import ChatMessage, ToolCall

MAX_QUOTED_CHARS = 200
"""Of what a model wrote by mistake."""

MAX_CALLS = 32
"""Of one reply; what asks for more has lost its way."""


class ToolCalls:
    """The tools that a reply asks for.

    By OpenAI's API each has an index, and an id and a name in its first piece. Servers in the field leave out the
    index, give every call the same one, repeat id and name in each piece, or change the id from piece to piece; so a
    piece begins another call where it cannot belong to the one before.
    """

    def __init__(self, messages: Iterable[ChatMessage], names: Collection[str] = ()) -> None:
        """``messages``: those that the reply follows; its calls have other ids than theirs. ``names``: of the tools
        that are offered."""
        self._ids = {call.id for message in messages for call in message.tool_calls}
        self._names = frozenset(names)
        self._calls: list[_ToolCall] = []
        self._by_index: dict[int, _ToolCall] = {}

    def add(
        self,
        index: int | None,
        id: str | None = None,  # noqa: A002
        name: str | None = None,
        arguments: str | Mapping[str, object] | None = None,
    ) -> None:
        """A piece of a call; ``index``: its position in the reply, as far as the server says so."""
        last = self._calls[-1] if self._calls else None
        call = last if index is None else self._by_index.get(index)
        text = arguments if isinstance(arguments, str) else _json(arguments) if arguments is not None else ""
        if call is None or self._is_another(call, id or "", name or "", text):
            if len(self._calls) >= MAX_CALLS or not (id or name or text):
                return
            call = _ToolCall()
            self._calls.append(call)
        if index is not None:
            self._by_index[index] = call
        call.id = call.id or id or ""
        if name and name != call.name:
            call.name = name if name.startswith(call.name) or call.name in self._names else call.name + name
        if text != call.arguments or not call.is_whole:  # some send all of it again at the end
            call.arguments = (
                text if call.arguments.strip() in ("{}", "null") and text.strip() else call.arguments + text
            )

    def add_written(self, call: WrittenCall) -> None:
        """A call that stood in the reply's text; the same one beside it, as the server sends it, counts once."""
        made = _ToolCall()
        made.name, made.written = call.name, call.source
        try:
            made.arguments = _json(call.arguments)
        except (TypeError, ValueError, OverflowError, RecursionError):  # as of book(day=...), or half a surrogate pair
            made.written = call.source or "its arguments are no JSON"
        if len(self._calls) < MAX_CALLS:
            self._calls.append(made)

    def _is_another(self, call: _ToolCall, id: str, name: str, arguments: str) -> bool:  # noqa: A002
        """Whether a piece belongs to another call than the one that it seems to go on."""
        if call.written:
            return True
        if name and call.name and name != call.name and (call.arguments or name in self._names):
            goes_on = not call.arguments and (name.startswith(call.name) or call.name not in self._names)
            return not goes_on
        is_other_id = bool(id and call.id and id != call.id)
        if name and is_other_id:
            return True
        if name and arguments and call.is_whole:
            return arguments != call.arguments or is_other_id
        return is_other_id and call.is_whole

    def made(self) -> tuple[ToolCall, ...]:
        """All of them, complete, each once and with an id of its own."""
        made: list[ToolCall] = []
        for call in self._calls:
            one = call.made()
            if not any(
                (other.name, other.arguments, other.problem) == (one.name, one.arguments, one.problem) for other in made
            ):
                made.append(msgspec.structs.replace(one, id=self._unique(call.id or "call")))
        return tuple(made)

    def _unique(self, base: str) -> str:
        unique, number = base, 1
        while unique in self._ids:
            number += 1
            unique = f"{base}-{number}"
        self._ids.add(unique)
        return unique


class _ToolCall:
    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.arguments = ""
        self.written = ""
        """What stood in the text, where it cannot be read."""

    @property
    def is_whole(self) -> bool:
        """Whether the arguments are complete, as far as is known."""
        if not self.arguments.rstrip().endswith("}"):
            return False
        try:
            msgspec.json.decode(self.arguments)
        except msgspec.DecodeError:
            return False
        return True

    def made(self) -> ToolCall:
        """See `ToolCalls.made`."""
        if self.written:
            quoted = self.written[:MAX_QUOTED_CHARS]
            problem = f"this is no call of a tool that can be read; call the tool itself, or answer in words: {quoted}"
            return ToolCall("", self.name or "unknown", {}, problem)
        return parse_tool_call("", self.name, self.arguments)


def parse_tool_call(id: str, name: str, arguments: str) -> ToolCall:  # noqa: A002
    """A call with ``arguments`` as JSON; its ``problem`` says so if they are none."""
    try:
        parsed = msgspec.json.decode(arguments if arguments.strip() else "{}")
        if isinstance(parsed, str):  # written as JSON twice
            parsed = msgspec.json.decode(parsed if parsed.strip() else "{}")
    except msgspec.DecodeError as error:
        return ToolCall(id, name, {}, f"the arguments are not valid JSON ({error}): {arguments[:MAX_QUOTED_CHARS]}")
    if parsed is None:
        parsed = {}
    if not isinstance(parsed, Mapping):
        return ToolCall(id, name, {}, f"the arguments are not a JSON object: {arguments[:MAX_QUOTED_CHARS]}")
    try:
        msgspec.msgpack.encode(parsed)
    except OverflowError:  # JSON knows integers of any size, the bus those of 64 bits
        return ToolCall(id, name, {}, f"a number in the arguments is too large: {arguments[:MAX_QUOTED_CHARS]}")
    return ToolCall(id, name, dict(parsed))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
