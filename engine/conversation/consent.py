"""Whether the caller has agreed to what a language model wants to do (`ToolOptions.confirm`)."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from ringline.engine.conversation import verdict
from ringline.engine.conversation.verdict import Verdict
from ringline.ipc.messages import ChatMessage

_QUESTION = re.compile(r"[?\uff1f\u061f\u037e]")

WITHHELD = msgspec.json.encode(
    {
        "error": "not done: the caller has not agreed to it. Read back to them exactly what you are about to do, ask"
        " whether that is right, and wait for a plain yes. If they correct you or are in doubt, ask again. Never say"
        " that it is done."
    }
).decode()
"""What a model gets instead of a tool's result."""


def has_agreed(messages: Sequence[ChatMessage], language: str) -> bool:
    """Whether the caller's last words are a plain yes to a question of the bot's, of which they may repeat words.

    Keys are none: only the model knows what it has made of them.
    """
    last = next((index for index in reversed(range(len(messages))) if messages[index].role == "user"), None)
    if last is None or messages[last].keyed:
        return False
    begin = last
    while begin and messages[begin - 1].role == "user":  # one answer in pieces
        begin -= 1
    if any(message.keyed for message in messages[begin:last]):
        return False
    asked = next((one.content for one in reversed(messages[:begin]) if one.role == "assistant" and one.content), "")
    if not _QUESTION.search(asked):
        return False
    said = " ".join(message.content for message in messages[begin : last + 1])
    known = frozenset(verdict.tokens_of(asked, language)) - {verdict.ASKS}
    return verdict.of(verdict.tokens_of(said, language), language, known=known) is Verdict.YES
