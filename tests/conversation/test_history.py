"""What a model is given of a call, and what is left of it when the call grows long."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringline.engine.conversation.gist import gist
from ringline.engine.conversation.history import (
    MESSAGE_TOKENS,
    VOICE_RULES,
    WHOLE_EXCHANGES,
    History,
    caller_keyed,
    caller_said,
    estimate_tokens,
    tools_asked,
)
from ringline.ipc.messages import ChatMessage, ToolCall

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=150)

text = st.text(st.sampled_from("ab 7.?NÄж語 "), max_size=200) | st.sampled_from(
    ["Yes.", "My name is Lee.", "Shall I book Tuesday?", "It is 555 1234. " * 20, "well you know " * 60]
)
step = st.one_of(
    st.tuples(st.just("caller"), text),
    st.tuples(st.just("keyed"), st.text("0123456789#*", min_size=1, max_size=8)),
    st.tuples(st.just("bot"), text),
    st.tuples(st.just("interrupted"), text),
    st.tuples(st.just("call"), st.integers(1, 3)),
    st.tuples(st.just("return"), st.integers(0, 5), st.integers(0, 2000)),
    st.tuples(st.just("remember"), st.text("fact 123", min_size=1, max_size=20)),
)


class Told:
    """A history, and what it was told."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.facts: list[str] = []
        self.last_user: ChatMessage | None = None
        self.open: list[str] = []
        self.num_calls = 0

    def do(self, kind: str, *values: Any) -> None:
        history = self.history
        match kind, *values:
            case "caller", text:
                history.extend([caller_said(text)])
                self.last_user = ChatMessage("user", text)
            case "keyed", digits:
                history.extend([caller_keyed(digits)])
                self.last_user = ChatMessage("user", f"[keyed {digits}]", keyed=digits)
            case "bot", text:
                history.bot(text)
            case "interrupted", text:
                history.bot(text, interrupted=True)
            case "call", number:
                ids = [f"id-{self.num_calls + index}" for index in range(number)]
                self.num_calls += number
                self.open += ids
                history.extend(tools_asked("", tuple(ToolCall(one, "book", {"day": "2026-11-24"}) for one in ids)))
            case "return", index, size:
                if self.open:
                    one = self.open.pop(index % len(self.open))
                    history.tool_returned(one, msgspec.json.encode({"ok": True, "text": "x" * size}).decode())
            case "remember", fact:
                history.remember(fact)
                self.facts.append(" ".join(fact.split()))


def tokens(messages: tuple[ChatMessage, ...]) -> int:
    size = 0
    for message in messages:
        size += MESSAGE_TOKENS + estimate_tokens(message.content)
        for call in message.tool_calls:
            size += MESSAGE_TOKENS + estimate_tokens(call.name + msgspec.json.encode(call.arguments).decode())
    return size


@patient
@given(steps=st.lists(step, max_size=60), budget=st.sampled_from([50, 300, 1000, 4000]))
def test_whatever_is_said_the_messages_are_legal_and_hold_what_they_must(steps: list[Any], budget: int) -> None:
    told = Told(History("", budget_tokens=budget))
    for one in steps:
        told.do(*one)
        messages = told.history.messages()
        assert messages == told.history.messages()
        check_order(messages)
        assert all(fact in messages[0].content for fact in told.facts if fact)
        if told.last_user is not None:
            assert [message for message in messages if message.role == "user"][-1] == told.last_user
        if tokens(messages) > budget:
            check_irreducible(messages)


def check_order(messages: tuple[ChatMessage, ...]) -> None:
    """One system message at the head, and every tool call answered right behind it, once."""
    assert all(message.role != "system" for message in messages[1:])
    expected: list[str] = []
    for message in messages:
        if message.role == "tool":
            assert message.tool_call_id == expected.pop(0)
        else:
            assert not expected
            expected = [call.id for call in message.tool_calls]
    assert not expected


def check_irreducible(messages: tuple[ChatMessage, ...]) -> None:
    """Facts, the caller's last message, the bot's last step, its results as short as they get: no more."""
    rest = [message for message in messages if message.role != "system"]
    assert sum(message.role == "user" for message in rest) <= 1
    assert sum(message.role == "assistant" for message in rest) <= 1
    assert all(len(message.content) <= 220 for message in rest if message.role == "tool")
    assert "Earlier in this call" not in messages[0].content


@patient
@given(steps=st.lists(step, max_size=40))
def test_same_call_gives_same_messages(steps: list[Any]) -> None:
    first, second = Told(History("Be kind.", budget_tokens=200)), Told(History("Be kind.", budget_tokens=200))
    for one in steps:
        first.do(*one)
        first.history.messages()  # asked for or not
        second.do(*one)
    assert first.history.messages() == second.history.messages()


def long_call(budget: int = 600, exchanges: int = 40) -> History:
    history = History("You are a receptionist.", budget_tokens=budget)
    history.bot("Good morning, how can I help?")
    for index in range(exchanges):
        history.extend([caller_said(f"well I wanted to ask you something about my thing and order {1000 + index}")])
        history.bot("Of course, let me see what that was about then. Anything else?")
    return history


def test_last_exchanges_stay_whole() -> None:
    messages = long_call().messages()
    users = [message.content for message in messages if message.role == "user"]
    assert len(users) >= WHOLE_EXCHANGES
    assert users == [
        f"well I wanted to ask you something about my thing and order {1040 - len(users) + index}"
        for index in range(len(users))
    ]
    assert messages[1].role == "user"


def test_numbers_of_folded_exchanges_are_kept() -> None:
    history = long_call(budget=1200)
    assert "order 1010" in history.messages()[0].content
    assert "let me see" not in history.messages()[0].content


def test_oldest_extracts_make_room_for_later_ones() -> None:
    summary = long_call(exchanges=200).messages()[0].content
    assert "order 1000" not in summary
    assert "Earlier in this call:" in summary


def test_prompt_is_no_part_of_the_budget() -> None:
    history = History("word " * 10_000, budget_tokens=300)
    history.extend([caller_said("hello")])
    history.bot("Hello.")
    assert [message.content for message in history.messages()[1:]] == ["hello", "Hello."]


def test_beginning_of_the_messages_stays_for_many_turns() -> None:
    """What a model has computed for it is used again."""
    history = History("Be kind.", budget_tokens=1000)
    heads = []
    for index in range(60):
        history.extend([caller_said(f"this is sentence {index} of many that I am going to say to you today")])
        history.bot("I see.")
        heads.append(history.messages()[:2])
    changes = sum(before != after for before, after in itertools.pairwise(heads))
    assert changes <= 6


def test_compaction_is_spread_over_the_call() -> None:
    """A turn costs no more late in a call than early: what is folded is never looked at again."""
    history = long_call(budget=1000, exchanges=500)
    assert len(history.messages()) < 60
    assert sum(len(exchange) for exchange in history._exchanges) < 60


def test_short_answer_keeps_its_question() -> None:
    lines = gist([ChatMessage("user", "yes please")], "I have Tuesday. Shall I book that?", "en")
    assert lines == ['You: "Shall I book that?" Caller: yes please']


@pytest.mark.parametrize(
    ("said", "language", "kept"),
    [
        ("my name is john smith and I have a question about something", "en", True),
        ("could we make that next tuesday at ten thirty in the morning please", "en", True),
        ("please write to lee@example.com when you know more about it", "en", True),
        ("I would like to talk to Doctor Meyer about this thing again", "en", True),
        ("well you know it is like this and so on and so forth really", "en", False),
        ("also ich hätte gern am dienstag um halb zehn etwas bei ihnen", "de", True),
        ("also ich weiß gerade gar wirklich auch so recht was ich will", "de", False),
        ("je voudrais venir lundi prochain vers la fin de la matinée", "fr", True),
        ("me gustaría venir el miércoles por la tarde si es posible", "es", True),
    ],
)
def test_sentences_that_tell_something_are_kept(said: str, language: str, kept: bool) -> None:
    assert gist([ChatMessage("user", said)], "", language) == ([f"Caller: {said}"] if kept else [])


def test_tools_are_kept_with_their_results_shortened() -> None:
    call = ToolCall("1", "book", {"day": "2026-11-24"})
    result = '{"ok":true,"text":"' + "x" * 500 + '"}'
    (line,) = gist([ChatMessage("assistant", "", (call,)), ChatMessage("tool", result, tool_call_id="1")], "", "en")
    assert line.startswith('Tool book {"day":"2026-11-24"}: {"ok":true')
    assert len(line) < 220


def test_keyed_digits_are_told_to_models_in_words() -> None:
    history = History("")
    history.extend([caller_keyed("1234")])
    assert history.messages() == (ChatMessage("user", "[keyed 1234]", keyed="1234"),)


def test_running_tool_has_a_stand_in_until_it_answers() -> None:
    history = History("")
    history.extend(tools_asked("One moment.", (ToolCall("a", "book", {}), ToolCall("b", "look", {}))))
    history.extend([caller_said("hurry up")])
    assert [message.pending for message in history.messages()] == [False, True, True, False]
    history.tool_returned("b", "2")
    history.tool_returned("a", "1")
    assert [message.content for message in history.messages()] == ["One moment.", "1", "2", "hurry up"]


def test_result_of_a_forgotten_tool_call_is_kept_in_words() -> None:
    history = History("")
    history.tool_returned("long ago", '{"ok":true}')
    assert '{"ok":true}' in history.messages()[0].content


def test_fact_is_remembered_once() -> None:
    history = History("Be kind.", voice_rules="")
    history.remember("Her name is Lee.")
    history.remember("Her name is Lee.")
    assert history.messages() == (ChatMessage("system", "Be kind.\n\nRemember:\n- Her name is Lee."),)


def test_voice_rules_stand_behind_the_prompt() -> None:
    (message,) = History("Be kind.", language="de").messages()
    assert message.content == "Be kind.\n\n" + VOICE_RULES.replace("{language}", "de")


@pytest.mark.parametrize(("rules", "content"), [("", "Be kind."), ("Sing.", "Be kind.\n\nSing.")])
def test_voice_rules_can_be_switched_off_or_replaced(rules: str, content: str) -> None:
    assert History("Be kind.", voice_rules=rules).messages() == (ChatMessage("system", content),)


def test_without_a_prompt_there_are_no_rules() -> None:
    assert History("").messages() == ()


@pytest.mark.parametrize(("said", "expected"), [("", 0), ("abcd" * 10, 10), ("äöüß", 1), ("привет", 3), ("日本語", 3)])
def test_tokens_are_estimated_by_script(said: str, expected: int) -> None:
    assert estimate_tokens(said) == expected
