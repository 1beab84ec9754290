"""Tools with effects wait for the caller's yes, whatever a language model thinks it has heard."""

from __future__ import annotations

from typing import Any

import pytest

from ringline import Agent, Tool
from ringline.engine.conversation.actions import RunTool
from ringline.engine.conversation.consent import WITHHELD, has_agreed
from ringline.engine.tool import AgentError, ToolOptions
from ringline.ipc.messages import ChatMessage, Generate, ToolCall

ASKED = "Tuesday at ten. Is that right?"


def book(day: str) -> dict[str, bool]:
    """Book."""
    return {"ok": True}


def held(world: Any, said: str, asked: str = ASKED, language: str = "en") -> Any:
    """A call whose model asks, hears ``said``, books at once, and has one word to say after any tool."""
    call = world(
        Agent("test", language=language, greeting=asked, tools={"book": Tool.of(book, ToolOptions(confirm=True))})
    )
    call.heard_texts = said
    call.say = lambda request: ("", (ToolCall("a", "book", {"day": "x"}),)) if request.cause == "speech" else "Well."
    call.answer()
    call.run(5_000)
    call.actions.clear()
    call.speaks(0, 500)
    call.run(6_000)
    return call


@pytest.mark.kind("consent to a model's action")
@pytest.mark.parametrize(
    "said", ["Yes.", "Yes, Tuesday at ten, please.", "Mm-hmm.", "That's right, thank you.", "Sure, why not?"]
)
def test_a_plain_yes_to_a_question_lets_the_tool_run(world: Any, said: str) -> None:
    assert len(held(world, said).of(RunTool)) == 1


@pytest.mark.kind("consent to a model's action")
@pytest.mark.parametrize(
    "said",
    [
        "No.",
        "Absolutely not.",
        "Yes, no, wait.",
        "I guess.",
        "What?",
        "Yes, but at eleven.",
        "Yes, cancel.",
        "I want Tuesday.",
    ],
)
def test_anything_else_is_withheld_and_the_model_is_told_to_ask(world: Any, said: str) -> None:
    call = held(world, said)
    assert call.of(RunTool) == []
    assert call.of(Generate)[-1].messages[-1].content == WITHHELD
    assert call.transcript()[-1] == "bot: Well."


def test_a_yes_to_no_question_is_none(world: Any) -> None:
    assert held(world, "Yes.", asked="I can book Tuesday at ten.").of(RunTool) == []


def test_german_is_understood(world: Any) -> None:
    assert len(held(world, "Ja, genau.", "Am Dienstag um zehn, richtig?", "de").of(RunTool)) == 1
    assert held(world, "Natürlich nicht.", "Am Dienstag um zehn, richtig?", "de").of(RunTool) == []


def test_keys_are_no_yes() -> None:
    asked = ChatMessage("assistant", ASKED)
    assert has_agreed([asked, ChatMessage("user", "yes")], "en")
    assert not has_agreed([asked, ChatMessage("user", "[keyed 1]", keyed="1")], "en")
    assert not has_agreed([asked, ChatMessage("user", "[keyed 1]", keyed="1"), ChatMessage("user", "yes")], "en")


def test_an_answer_in_pieces_is_taken_whole() -> None:
    said = [ChatMessage("assistant", ASKED), ChatMessage("user", "no"), ChatMessage("user", "yes")]
    assert not has_agreed(said, "en")


def test_a_tool_that_needs_a_yes_is_not_safe_to_draft() -> None:
    with pytest.raises(AgentError, match="tool book: safe_to_draft"):
        Tool.of(book, ToolOptions(confirm=True, safe_to_draft=True))
