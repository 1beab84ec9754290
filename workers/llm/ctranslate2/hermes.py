"""Tool calls in a model's text, in the form of Hermes and Qwen: ``<tool_call>{"name": ..., "arguments": ...}``."""

from __future__ import annotations

import msgspec

from ringline.workers.llm.chat import MAX_QUOTED_CHARS, ToolCalls

BEGIN, END = "<tool_call>", "</tool_call>"


class ToolCallText:
    """Tells what is to be said from what is to be run, as the text comes."""

    def __init__(self, calls: ToolCalls) -> None:
        """``calls`` gets what is found."""
        self._calls = calls
        self._num_calls = 0
        self._held = ""
        self._is_inside = False

    def feed(self, text: str) -> str:
        """The next piece of text. Returns what of it is to be said."""
        self._held += text
        said = ""
        while True:
            mark = END if self._is_inside else BEGIN
            before, found, behind = self._held.partition(mark)
            if not found:
                break
            self._held = behind
            if self._is_inside:
                self._add(before)
            else:
                said += before
            self._is_inside = not self._is_inside
        if not self._is_inside:
            keep = _overlap(self._held, BEGIN)
            said += self._held[: len(self._held) - keep]
            self._held = self._held[len(self._held) - keep :]
        return said

    def flush(self) -> str:
        """The reply is complete. Returns what was held back of its text."""
        held, self._held = self._held, ""
        if self._is_inside:
            self._add(held)  # some models leave out the end
            return ""
        return held

    def _add(self, source: str) -> None:
        try:
            call = msgspec.json.decode(source.strip(), type=_Call)
            name, arguments = call.name, msgspec.json.encode(call.arguments).decode()
        except msgspec.DecodeError:
            name, arguments = "", source.strip()[:MAX_QUOTED_CHARS] or "nothing"
        self._calls.add(self._num_calls, None, name, arguments)
        self._num_calls += 1


class _Call(msgspec.Struct):
    name: str
    arguments: dict[str, object] = {}


def _overlap(text: str, mark: str) -> int:
    """How much of the text's end may be the mark's beginning."""
    return next((size for size in range(min(len(text), len(mark) - 1), 0, -1) if text.endswith(mark[:size])), 0)
