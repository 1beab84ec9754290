"""What models write that no message to the engine could carry."""

from __future__ import annotations

import msgspec
import pytest

from ringline.engine.conversation.model_text import ModelText
from ringline.workers.llm.tool_calls import ToolCalls

TOOLS = {"book": {"day": "string", "n": "integer"}}


@pytest.mark.parametrize(
    "text",
    [
        "book(day=...)",
        "book(n=1+2j)",
        f"<tool_call>a{'.a' * 2500}()</tool_call>",
        '{"name": "book", "arguments": {"n": 123456789012345678901234567890}}',
        '{"name": "book", "arguments": {"day": "\\ud83d"}}',
    ],
)
def test_a_call_whose_arguments_are_no_json_becomes_a_problem(text: str) -> None:
    written = ModelText(TOOLS)
    written.feed(text)
    written.flush()
    calls = ToolCalls((), TOOLS)
    for call in written.calls:
        calls.add_written(call)
    (made,) = calls.made()
    assert made.problem
    msgspec.msgpack.encode(made)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"response": "Hi \\ud83d there"}', "Hi \ufffd there"),
        ('{"response": "Hi \\ud83d\\ude00 there', "Hi \U0001f600 there"),
        ('{"response": "Hi \\ud83d', "Hi \ufffd"),
    ],
)
def test_half_a_surrogate_pair_is_replaced_and_a_whole_one_joined(text: str, said: str) -> None:
    written = ModelText(TOOLS)
    assert (written.feed(text) + written.flush()).strip() == said
