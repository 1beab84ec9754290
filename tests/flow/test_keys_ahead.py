"""Callers who know the way key ahead of the questions."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

from ringline.ipc.messages import ChatMessage

from .conftest import Talk

pytestmark = pytest.mark.kind("keys ahead of the question")

BANK = """
start = "pin"
defaults.otherwise = "end"
slots.pin = { type = "digits", length = 4 }
slots.sum = { type = "digits", length = 2 }
state.pin = { say = "Your PIN?", ask = "pin", goto = "menu" }
state.menu = { say = "One for transfers, two for goodbye.", dtmf = { 1 = "sum", 2 = "end" } }
state.sum = { say = "How much?", ask = "sum", goto = "sure" }
state.sure = { say = "{sum} dollars. Is that right?", confirm = ["sum"], yes = "send", no = "sum" }
state.send = { tool = "send", arguments = { sum = "{sum}" }, on_ok = "sent", on_error = "end" }
state.sent = { say = "It is sent. Anything else?", dtmf = { 1 = "menu" } }
state.end = { say = "Goodbye.", hang_up = true }
"""


@pytest.fixture
def bank(talk_to: Callable[..., Talk]) -> Talk:
    tools = ModuleType("tools")
    tools.send = lambda **arguments: {"ok": True}  # type: ignore[attr-defined]
    talk = talk_to(BANK, tools)
    talk.open()
    return talk


def keyed_ahead(talk: Talk, *turns: str) -> str:
    """All of it before the bot is heard again."""
    for digits in turns[:-1]:
        talk.messages.append(ChatMessage("user", f"[keyed {digits}]", keyed=digits))
    return talk.key(turns[-1])


def test_each_answers_its_own_question(bank: Talk) -> None:
    assert keyed_ahead(bank, "4711", "1") == "How much?"


def test_what_is_read_back_must_be_heard_first(bank: Talk) -> None:
    assert keyed_ahead(bank, "4711", "1", "50", "1") == "five zero dollars. Is that right?"
    assert not bank.tool_results
    assert bank.key("1").startswith("It is sent.")


def test_what_means_nothing_is_passed_over(bank: Talk) -> None:
    assert keyed_ahead(bank, "47", "4711", "9", "1") == "How much?"


def test_of_what_means_nothing_at_all_the_question_comes_again(bank: Talk) -> None:
    assert keyed_ahead(bank, "47", "12") == "Sorry, I did not understand that. Your PIN?"


def test_what_was_answered_is_not_answered_again(bank: Talk) -> None:
    bank.key("4711")
    assert bank.key("1") == "How much?"
    assert bank.key("50") == "five zero dollars. Is that right?"


def test_nothing_is_keyed_past_the_end(bank: Talk) -> None:
    assert keyed_ahead(bank, "4711", "2", "1") == "Goodbye."
    assert bank.ended
