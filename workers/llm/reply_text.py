"""One reply of a chat model, from what its server sends to what is said and which tools are run."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from ringline.engine.conversation.model_text import ModelText, tools_of
from ringline.ipc.messages import Generate, ToolCall
from ringline.workers.llm.chat import Continuation
from ringline.workers.llm.tool_calls import ToolCalls

log = logging.getLogger("ringline.llm")

MAX_CHARS = 200_000
"""Of a reply, thoughts included; what writes more does not end."""
MAX_SPOKEN_CHARS = 20_000
"""20 minutes of speech."""

FORGET_AFTER = 3
"""Replies in a row without the end of a thought, after which the model is not taken for one whose prompt begins it."""


class Habits:
    """What was learnt of a model from its replies."""

    def __init__(self) -> None:
        self.thinks_first = False
        """Its prompt ends with the tag that opens a thought, so that its text holds only the tag that closes it."""
        self._num_without = 0

    def learn(self, text: ModelText, is_cut: bool) -> None:
        """A reply is complete."""
        if text.has_orphan_end:
            if not self.thinks_first:
                log.warning("the model's thoughts have no beginning: from now on replies wait for their end")
            self.thinks_first, self._num_without = True, 0
        elif self.thinks_first and not is_cut:
            self._num_without += 1
            self.thinks_first = self._num_without < FORGET_AFTER


class ReplyText:
    """What comes in, in order, and what is to be made of it."""

    def __init__(self, request: Generate, habits: Habits, said_is_known: bool = False) -> None:
        """``said_is_known``: the model itself goes on behind what was said, and repeats none of it."""
        tools = tools_of(request.tools)
        self._call = request.call
        self._habits = habits
        self._text = ModelText(tools, habits.thinks_first)
        self._continuation = Continuation("" if said_is_known else request.said)
        self._calls = ToolCalls(request.messages, tools)
        self._num_chars = self._num_spoken = 0
        self.is_too_long = False
        """Nothing more of it is wanted."""
        self.ends_sentence = False
        """What there is of it ends like a sentence."""

    def feed(self, text: str) -> str:
        """A piece of its text. Returns what of it is to be said."""
        text = text[: MAX_CHARS - self._num_chars]
        self._num_chars += len(text)
        if text.strip():
            self.ends_sentence = text.rstrip().rstrip("\"'”\u2019)*").endswith((".", "!", "?", "…", "。"))
        return self._spoken(self._text.feed(text))

    def piece(
        self,
        index: int | None,
        id: str | None = None,  # noqa: A002
        name: str | None = None,
        arguments: str | Mapping[str, object] | None = None,
    ) -> None:
        """A piece of a tool call: see `ToolCalls.add`."""
        self._calls.add(index, id, name, arguments)

    def finish(self, is_cut: bool) -> tuple[str, tuple[ToolCall, ...]]:
        """It is complete, or ``is_cut`` off by its limit. Returns what is to be said besides, and the tools that it
        asks for."""
        said = self._spoken(self._text.flush(is_cut))
        self._habits.learn(self._text, is_cut)
        for call in self._text.calls:
            self._calls.add_written(call)
        if self._text.calls:
            fields = {"call": self._call, "num_calls": len(self._text.calls), "text": self._text.omitted}
            log.warning("tools stand in the reply's text", extra=fields)
        elif self._text.omitted:
            log.warning(
                "markup in the reply's text is not said", extra={"call": self._call, "text": self._text.omitted}
            )
        if is_cut and not self._num_spoken and self._text.has_thoughts:
            log.warning("the model's thoughts have taken all of max_tokens", extra={"call": self._call})
        return said, self._calls.made()

    def _spoken(self, text: str) -> str:
        text = self._continuation.feed(text)[: MAX_SPOKEN_CHARS - self._num_spoken]
        self._num_spoken += len(text)
        self.is_too_long = self._num_chars >= MAX_CHARS or self._num_spoken >= MAX_SPOKEN_CHARS
        return text
