"""What callers key is one turn, whatever brain the bot has."""

from __future__ import annotations

from typing import Any

import pytest

from ringline.engine.conversation.actions import BotSaid, CallerSaid
from ringline.engine.conversation.caller import MAX_KEYS
from ringline.ipc.messages import DtmfReceived, Generate

pytestmark = pytest.mark.kind("keys")


def asked(world: Any, question: str, **turn: Any) -> Any:
    """A call whose first question was heard."""
    call = world(**turn)
    call.say = lambda request: question
    call.answer()
    call.run(10_000 if len(question) > 60 else 6_000)
    call.say = lambda request: "Thank you, one moment while I check that for you."
    call.actions.clear()
    return call


def keyed(call: Any) -> list[str]:
    return [said.text for said in call.of(CallerSaid) if said.is_dtmf]


def last_request(call: Any) -> list[str]:
    """What the brain is told that the caller did, since it spoke last."""
    messages = list(call.of(Generate)[-1].messages)
    return [message.content for message in messages[1:] if message.role == "user"]


@pytest.mark.parametrize("apart_ms", [60, 250, 700, 1_200, 1_900])
def test_keys_are_one_turn_up_to_a_pause(world: Any, apart_ms: int) -> None:
    call = asked(world, "Please key in your number.")
    call.presses("4711", apart_ms)
    call.run(3 * apart_ms + 2_500)
    assert keyed(call) == ["4711"]
    assert len(call.of(Generate)) == 1


def test_a_longer_pause_ends_them(world: Any) -> None:
    call = asked(world, "Please key in your number.")
    call.presses("47", 2_500)
    call.run(6_000)
    assert keyed(call) == ["4", "7"]


def test_the_pause_is_the_configured_one(world: Any) -> None:
    call = asked(world, "Please key in your number.", dtmf_pause_ms=500)
    call.presses("4711", 100)
    call.run(850)
    assert keyed(call) == ["4711"]


def test_a_hash_ends_them_at_once(world: Any) -> None:
    call = asked(world, "Please key in your number.")
    call.presses("4711#", 100)
    call.run(450)
    assert keyed(call) == ["4711"]


@pytest.mark.parametrize(
    ("question", "keys"),
    [
        ("Please key in your four digit PIN.", "4711"),
        ("And the 6-digit code?", "123456"),
        ("For sales, press one. For support, press two.", "2"),
    ],
)
def test_as_many_as_were_asked_for_are_answered_at_once(world: Any, question: str, keys: str) -> None:
    call = asked(world, question)
    call.presses(keys, 100)
    call.run(100 * len(keys))
    assert keyed(call) == [keys]


def test_a_hash_behind_as_many_as_were_asked_for_cuts_nothing_off(world: Any) -> None:
    call = asked(world, "Please key in your four digit PIN, and then the hash key.")
    call.presses("4711", 100)
    call.at(1_500, DtmfReceived(1, "#", 0))
    call.run(8_000)
    assert keyed(call) == ["4711"]
    assert [said.interrupted for said in call.of(BotSaid)] == [False]


def test_a_hash_alone_is_a_key_like_any(world: Any) -> None:
    call = asked(world, "Press the hash key when you are ready.")
    call.presses("#")
    call.run(2_500)
    assert keyed(call) == ["#"]


def test_a_star_behind_keys_begins_anew(world: Any) -> None:
    call = asked(world, "Please key in your four digit PIN.")
    call.presses("47*4811", 100)
    call.run(1_000)
    assert keyed(call) == ["4811"]


def test_a_star_that_nothing_follows_leaves_the_caller_their_time(world: Any) -> None:
    call = asked(world, "Please key in your number.", no_input_ms=7_000)
    call.presses("47*", 100)
    call.run(6_500)
    assert call.of(Generate) == []
    call.run(1_000)
    assert [request.cause for request in call.of(Generate)] == ["no_input"]


def test_keys_over_the_question_are_one_turn(world: Any) -> None:
    call = world()
    call.say = lambda request: "Welcome to the bank. Please key in your customer number, and then the hash key."
    call.answer()
    call.run(1_500)
    call.presses("123456", 300)
    call.run(5_000)
    assert keyed(call) == ["123456"]
    assert call.of(BotSaid)[0].interrupted


def test_keys_while_the_bot_thinks_add_to_those_before(world: Any) -> None:
    call = asked(world, "Please key in your four digit PIN.")
    call.llm_ms = 1_000
    call.presses("4711", 100)
    call.at(600, DtmfReceived(1, "1", 0))
    call.run(3_000)
    assert last_request(call) == ["[keyed 4711]", "[keyed 1]"]


def test_words_between_keys_split_no_turn(world: Any) -> None:
    call = asked(world, "Please key in your number.")
    call.heard_texts = "just a second"
    call.presses("47", 100)
    call.speaks(200, 400)
    call.at(1_700, lambda: call.presses("11", 100))
    call.run(5_000)
    assert keyed(call) == ["4711"]
    assert last_request(call) == ["just a second", "[keyed 4711]"]
    assert len(call.of(Generate)) == 1


def test_keys_without_end_are_bounded(world: Any) -> None:
    call = asked(world, "Please key in your number.")
    call.presses("1" * (MAX_KEYS + 5), 100)
    call.run(100 * MAX_KEYS + 3_000)
    assert keyed(call) == ["1" * MAX_KEYS, "1" * 5]
