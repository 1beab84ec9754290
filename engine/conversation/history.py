"""What was said, by both sides, in the form chat models take. Of an interrupted reply it holds what was heard."""

from __future__ import annotations

import msgspec

from ringline.ipc.messages import ChatMessage, ToolCall

INTERRUPTED = " [interrupted]"
"""Behind the words of a reply that the caller cut off: models trained on chats take it as it is meant."""


class SpokenPhrase(msgspec.Struct):
    """A phrase of a reply and where it stands in the reply ring."""

    text: str
    start_sample: int = -1
    end_sample: int = -1

    def heard(self, reply_sample: int) -> str:
        """Its words whose audio lies before ``reply_sample``; where in it a word lies is told by its letters."""
        if self.start_sample < 0 or reply_sample <= self.start_sample:
            return ""
        if self.end_sample < 0 or reply_sample >= self.end_sample:
            return self.text if self.end_sample >= 0 else ""
        share = (reply_sample - self.start_sample) / (self.end_sample - self.start_sample)
        letters = int(share * len(self.text))
        if letters < len(self.text) and not self.text[letters].isspace():
            letters = self.text.rfind(" ", 0, letters + 1) + 1  # a word cut in the middle was not heard
        return self.text[:letters].rstrip()


class History:
    """The messages of a call."""

    def __init__(self, prompt: str) -> None:
        self._messages = [ChatMessage("system", prompt)] if prompt else []

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self._messages)

    def messages(self) -> tuple[ChatMessage, ...]:
        """All so far."""
        return tuple(self._messages)

    def caller(self, text: str) -> None:
        """The caller's turn."""
        self._messages.append(ChatMessage("user", text))

    def take_back_caller(self) -> str:
        """The caller goes on: their last turn was none. Returns its text, empty if the last entry is not theirs."""
        if self._messages and self._messages[-1].role == "user":
            return self._messages.pop().content
        return ""

    def bot(self, text: str, interrupted: bool = False) -> None:
        """The bot's turn; of an interrupted one, what was heard."""
        if text or interrupted:
            self._messages.append(ChatMessage("assistant", text + INTERRUPTED if interrupted else text))

    def tools_called(self, text: str, tool_calls: tuple[ToolCall, ...]) -> None:
        """The bot asked for tools, after saying ``text``."""
        self._messages.append(ChatMessage("assistant", text, tool_calls))

    def tool_returned(self, tool_call_id: str, result: str) -> None:
        """A tool's answer."""
        self._messages.append(ChatMessage("tool", result, tool_call_id=tool_call_id))
