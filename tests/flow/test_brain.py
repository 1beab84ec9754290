"""What one step of a flow does, apart from any example."""

from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringline.ipc.messages import ChatMessage, Generate
from ringline.workers.llm.flow.brain import CallState, answer
from ringline.workers.llm.flow.compile import Flow
from ringline.workers.llm.flow.flow_file import FlowError

SHOP = """
start = "hello"
[slots.colour]
type = "choice"
values = { red = "red", blue = "blue" }
[slots.day]
type = "date"
[defaults]
otherwise = "end"
[global]
dtmf = { "0" = "end", "*" = "@repeat" }
[[global.expect]]
phrases = ["help"]
goto = "help"
[state.help]
say = "Say a colour."
goto = "@back"
[state.hello]
say = ["Hello. Which one?", "Which one?"]
dtmf = { "1" = { goto = "buy", set = { colour = "red" } } }
[[state.hello.expect]]
phrases = ["{colour}"]
goto = "buy"
[state.buy]
say = "One moment."
tool = "buy"
arguments = { item = "a {colour} one", day = "{day}" }
on_ok = "bought"
on_error = "end"
[[state.buy.on]]
when = { reason = "sold out" }
goto = "instead"
take = { colour = "instead" }
[[state.buy.on]]
when = { ok = false, times = 2 }
goto = "hello"
clear = ["colour"]
[state.instead]
confirm = ["colour"]
say = "{colour} instead?"
yes = "buy"
no = "hello"
[state.bought]
say = "The {colour} one is yours."
goto = "hello"
[state.end]
say = "Bye."
hang_up = true
"""

Talker = Callable[..., Any]


def selling(result: Any) -> SimpleNamespace:
    """Tools of which ``buy`` returns ``result``, or the next of a list of results."""
    results = result if isinstance(result, list) else [result]
    return SimpleNamespace(buy=lambda **arguments: results.pop(0) if len(results) > 1 else results[0])


def test_the_tool_gets_the_slots_and_its_result_decides(talk_to: Talker) -> None:
    talk = talk_to(SHOP, selling({"ok": True}))
    talk.open()
    assert talk.say("red") == "One moment. The red one is yours. Which one?"
    assert talk.tool_results == [("buy", {"item": "a red one"})]


def test_a_tools_failure_takes_the_error_branch(talk_to: Talker) -> None:
    talk = talk_to(SHOP, selling({"error": "TimeoutError"}))
    talk.open()
    assert talk.say("red") == "One moment. Bye."
    assert talk.ended == "hang_up"


def test_the_first_branch_that_fits_is_taken_and_takes_its_slots(talk_to: Talker) -> None:
    talk = talk_to(SHOP, selling([{"ok": False, "reason": "sold out", "instead": "blue"}, {"ok": True}]))
    talk.open()
    assert talk.say("red") == "One moment. blue instead?"
    assert talk.say("yes") == "One moment. The blue one is yours. Which one?"


def test_a_branch_needs_all_its_fields(talk_to: Talker) -> None:
    talk = talk_to(SHOP, selling([{"ok": False, "times": 2}, {"ok": False, "times": 3}]))
    talk.open()
    assert talk.say("red") == "One moment. Which one?"
    assert talk.say("red") == "One moment. Bye."


def test_a_result_that_is_no_object_is_fine(talk_to: Talker) -> None:
    talk = talk_to(SHOP, selling("sold"))
    talk.open()
    assert "yours" in talk.say("red")


def test_a_result_that_cannot_be_the_slot_is_an_error(talk_to: Talker) -> None:
    talk = talk_to(SHOP, selling({"ok": False, "reason": "sold out", "instead": "green"}))
    talk.open()
    with pytest.raises(FlowError, match=r"state.buy.on: the result's `instead` cannot be the slot `colour`"):
        talk.say("red")


def test_a_caller_who_speaks_while_the_tool_runs_is_told_its_result(talk_to: Talker) -> None:
    talk = talk_to(SHOP)
    talk.open()
    talk.messages.append(ChatMessage("user", "red"))
    talk.turn = 2
    assert talk.generate("speech") == "One moment."
    (tool_call,) = talk.finished.tool_calls
    talk.messages += [ChatMessage("tool", '{"ok": true}', tool_call_id=tool_call.id), ChatMessage("user", "hurry up")]
    talk.turn = 3
    assert talk.generate("speech") == "The red one is yours. Which one?"


def test_a_caller_who_speaks_before_there_is_a_result_is_heard_and_the_result_still_counts(talk_to: Talker) -> None:
    talk = talk_to(SHOP)
    talk.open()
    talk.messages.append(ChatMessage("user", "red"))
    talk.generate("speech")
    (tool_call,) = talk.finished.tool_calls
    talk.messages.append(ChatMessage("user", "help"))
    talk.turn += 1
    assert talk.generate("speech") == "Say a colour. Which one?"
    talk.messages += [ChatMessage("tool", '{"ok": true}', tool_call_id=tool_call.id), ChatMessage("user", "hello")]
    talk.turn += 1
    assert talk.generate("speech").startswith("The red one is yours.")


def test_a_missing_result_is_a_failure(talk_to: Talker) -> None:
    talk = talk_to(SHOP)
    talk.open()
    talk.messages.append(ChatMessage("user", "red"))
    talk.generate("speech")
    assert talk.generate("tools", 1) == "Bye."


def test_texts_take_turns(talk_to: Talker) -> None:
    talk = talk_to(SHOP)
    replies = [talk.open(), *(talk.say("help") for _ in range(2))]
    assert replies == ["Hello. Which one?", "Say a colour. Which one?", "Say a colour. Hello. Which one?"]


def test_repeat_says_the_last_words_again(talk_to: Talker) -> None:
    talk = talk_to(SHOP)
    talk.open()
    reply = talk.say("help")
    assert talk.key("*") == reply
    assert talk.key("*") == reply


def test_a_key_sets_what_it_stands_for(talk_to: Talker) -> None:
    talk = talk_to(SHOP, selling({"ok": True}))
    talk.open()
    assert "The red one is yours." in talk.key("1")


@pytest.mark.parametrize("digits", ["7", "", "#", "12", "٣", "1x"])
def test_keys_that_mean_nothing_are_no_match(talk_to: Talker, digits: str) -> None:
    talk = talk_to(SHOP)
    talk.open()
    assert talk.key(digits).startswith("Sorry")


def test_a_call_that_was_greeted_otherwise_starts_at_the_first_question(talk_to: Talker) -> None:
    talk = talk_to(SHOP, selling({"ok": True}))
    assert "The blue one is yours." in talk.say("blue")


def test_whoever_talks_on_after_goodbye_is_still_understood(talk_to: Talker) -> None:
    talk = talk_to(SHOP, selling({"ok": True}))
    talk.open()
    talk.key("0")
    assert talk.ended
    assert "The blue one is yours." in talk.say("blue")


ASKING = """
start = "ask"
[slots.day]
type = "date"
[defaults]
otherwise = "ask"
[state.ask]
ask = "day"
say = "When?"
goto = "end"
[state.end]
say = "{day}."
hang_up = true
"""


def test_the_day_of_the_call_stays_the_same_past_midnight(flow_of: Callable[[str], Flow]) -> None:
    flow = flow_of(ASKING)
    _, opened = answer(flow, Generate(1, 1, 0, "opening", ()), datetime(2026, 11, 23, 23, 59))
    request = Generate(1, 2, 0, "speech", (ChatMessage("user", "tomorrow"),), opened.state)
    text, _ = answer(flow, request, datetime(2026, 11, 24, 0, 1))
    assert text == "Tuesday, November twenty-fourth."


def test_an_end_expects_nothing(talk_to: Talker) -> None:
    talk = talk_to(SHOP)
    talk.open()
    assert "red" in talk.finished.expect.grammar
    talk.key("0")
    assert talk.finished.expect.grammar == ""


@pytest.mark.parametrize("state", [b"x", b"\xc1", msgspec.msgpack.encode({"now": "yesterday"})])
def test_a_broken_state_is_a_named_error(flow_of: Callable[[str], Flow], state: bytes) -> None:
    with pytest.raises(FlowError, match="state cannot be read"):
        answer(flow_of(SHOP), Generate(1, 2, 0, "no_input", (), state), datetime(2026, 11, 22))


@pytest.mark.parametrize("change", [{"at": "nowhere"}, {"tool": "nothing"}, {"slots": {"size": "1"}}])
def test_a_state_of_another_flow_is_a_named_error(flow_of: Callable[[str], Flow], change: dict[str, Any]) -> None:
    state = msgspec.structs.replace(CallState(datetime(2026, 11, 22), at="hello"), **change)
    with pytest.raises(FlowError, match=r"there is not|there are not"):
        answer(flow_of(SHOP), Generate(1, 2, 0, "no_input", (), msgspec.msgpack.encode(state)), datetime(2026, 11, 22))


def test_tools_that_lead_to_tools_without_end_are_a_named_error(talk_to: Talker) -> None:
    talk = talk_to(
        'start = "a"\n[state.a]\ntool = "buy"\non_ok = "a"\non_error = "b"\n[state.b]\nhang_up = true',
        selling({"ok": True}),
    )
    with pytest.raises(FlowError, match=r"state\.a: more than 10 tools in a row"):
        talk.open()


def test_states_that_skip_each_other_without_end_are_a_named_error(talk_to: Talker) -> None:
    talk = talk_to(
        'start = "a"\n[slots.day]\ntype = "date"\n[defaults]\notherwise = "a"\n'
        '[state.a]\nask = "day"\nsay = "When?"\ngoto = "b"\n[state.b]\nsay = "Again."\ngoto = "a"'
    )
    talk.open()
    with pytest.raises(FlowError, match="states without waiting"):
        talk.say("tomorrow")


STEPS = st.one_of(
    st.sampled_from(
        ["...", "book an appointment", "tuesday", "ten", "yes", "no", "move my appointment", "cancel my appointment",
         "repeat that", "start again", "when are you open", "no, tuesday at ten", "#1", "#2", "#24", "#1000", "#*"]
    ),
    st.text(max_size=60),
    st.text("0123456789*#", max_size=6).map(lambda digits: "#" + digits),
)  # fmt: skip


@given(st.lists(STEPS, max_size=12))
def test_whatever_a_caller_does_the_bot_has_an_answer(clinic: Flow, clinic_call_factory: Any, steps: list[str]) -> None:
    call = clinic_call_factory()
    assert call.open()
    for step in steps:
        reply = call.do(step)
        assert reply
        assert call.ended or call.finished.expect.grammar
        decoded = msgspec.msgpack.decode(call.state, type=CallState)
        assert msgspec.msgpack.encode(decoded) == call.state
        if call.ended:
            break
