"""A model that has nothing to say: it is asked again, then its fallbacks, then the engine speaks for it."""

from __future__ import annotations

from typing import Any

import pytest

from ringline import Agent
from ringline.engine.conversation.actions import BotSaid, HungUp, NothingToSay
from ringline.engine.conversation.bot import IN_WORDS, MAX_STEPS
from ringline.engine.conversation.wording import phrasebook
from ringline.engine.tool import Tool, ToolOptions
from ringline.ipc.messages import Generate, Speak, ToolCall

BOOK = phrasebook("en")
EMPTY = [
    "",
    "   ",
    "\n\n\t \n",
    "...",
    "\u2026",
    "?!",
    "\U0001f600" * 20,
    "\U0001f44d\U0001f3fd \u2764\ufe0f",
    "---",
    "***",
    "> ",
    "|---|---|",
    "```\nprint('hello')\n```",
    "<br><br/>",
    "&nbsp;",
    "What's [interrupted]",
    "<think>The caller",
    "\u200b\u200d\ufeff",
]


def started(world: Any, agent: Agent | None = None, **turn: object) -> Any:
    """A call in which the bot has already opened."""
    call = world(agent, **turn)
    call.answer()
    call.run(2_000)
    call.actions.clear()
    call.audible_ms.clear()
    return call


def look_up() -> str:
    """Look something up."""
    return ""


CLERK = Agent("clerk", tools={"look_up": Tool.of(look_up, ToolOptions(safe_to_draft=True))})


def wants_tool(text: str = "") -> tuple[str, tuple[ToolCall, ...]]:
    return text, (ToolCall("a", "look_up", {}),)


def remedies(call: Any) -> list[str]:
    return [action.remedy for action in call.of(NothingToSay)]


def longest_silence_ms(call: Any, begin_ms: int, end_ms: int) -> int:
    """Within this time of the call, the bot's sound alone counted."""
    heard = sorted((began, ended) for _, began, ended in call.audible_ms if ended > begin_ms and began < end_ms)
    edges = [begin_ms, *(edge for span in heard for edge in span), end_ms]
    return max(after - before for before, after in zip(edges[::2], edges[1::2], strict=True))


@pytest.mark.kind("empty replies")
@pytest.mark.parametrize("empty", EMPTY)
def test_reply_that_cannot_be_spoken_is_asked_for_again_at_once_and_told_why(world: Any, empty: str) -> None:
    call = started(world)
    call.say = lambda request: "Fine. And you?" if request.messages[-1].content.endswith(IN_WORDS) else empty
    call.speaks(0, 500)
    call.run(3_000)
    assert [request.cause for request in call.of(Generate)] == ["speech", "speech"]
    assert [request.step for request in call.of(Generate)] == [0, 1]
    assert call.transcript() == ["caller: hello", "bot: Fine. And you?"]
    assert call.history()[-2:] == [("user", "hello"), ("assistant", "Fine. And you?")]
    assert call.of(BotSaid)[0].trace.num_empty == 1
    assert remedies(call) == ["ask again"]


@pytest.mark.kind("empty replies")
@pytest.mark.parametrize("empty", EMPTY)
def test_model_that_never_has_an_answer_is_apologised_for_and_no_silence_is_long(world: Any, empty: str) -> None:
    call = started(world)
    call.say = lambda request: empty
    call.speaks(0, 500)
    call.run(25_000)
    assert call.transcript() == ["caller: hello", f"bot: {BOOK.again}", f"bot: {BOOK.apology}", "hung up"]
    assert remedies(call) == ["ask again", "say so", "ask again", "give up"]
    spoken_ms = 500 + 2_000
    over_ms = max(ended for _, _, ended in call.audible_ms)
    assert longest_silence_ms(call, spoken_ms, over_ms) <= call.config.no_input_ms + 100
    assert call.history()[-1] == ("assistant", BOOK.apology)


def test_fallback_is_asked_before_the_caller_is(world: Any) -> None:
    call = started(world, setup={"llm_tiers": 3})
    call.say = lambda request: "From the second one." if request.step == 3 else ""
    call.speaks(0, 500)
    call.run(4_000)
    assert [request.elsewhere for request in call.of(Generate)] == [False, False, True, True]
    assert remedies(call) == ["ask again", "ask the fallback", "ask the fallback"]
    assert call.transcript() == ["caller: hello", "bot: From the second one."]


def test_fallback_that_answers_lets_the_next_turn_begin_anew(world: Any) -> None:
    call = started(world, setup={"llm_tiers": 2})
    call.say = lambda request: "Fine." if request.elsewhere else ""
    for index in range(3):
        call.speaks(5_000 * index, 500)
    call.run(14_000)
    assert [line for line in call.transcript() if line.startswith("bot")] == ["bot: Fine."] * 3


def test_model_that_cannot_answer_twice_running_ends_the_call(world: Any) -> None:
    call = started(world)
    call.say = lambda request: ""
    call.speaks(0, 500)
    call.speaks(4_000, 500)
    call.run(20_000)
    assert call.transcript() == [
        "caller: hello",
        f"bot: {BOOK.again}",
        "caller: hello",
        f"bot: {BOOK.apology}",
        "hung up",
    ]


def test_model_that_cannot_answer_twice_running_hands_the_call_over_where_that_is_configured(world: Any) -> None:
    call = started(world, on_failure="transfer")
    call.say = lambda request: ""
    call.speaks(0, 500)
    call.speaks(4_000, 500)
    call.run(20_000)
    assert call.transcript()[-2:] == [f"bot: {BOOK.transfer}", "hung up"]
    assert call.of(HungUp)[0].reason == "transfer"


def test_one_answer_lets_the_caller_be_asked_to_repeat_again(world: Any) -> None:
    call = started(world)
    answers = iter(["", "", "Fine. And you?", "", ""])
    call.say = lambda request: next(answers)
    for index in range(3):
        call.speaks(6_000 * index, 500)
    call.run(20_000)
    assert [line for line in call.transcript() if line.startswith("bot")] == [
        f"bot: {BOOK.again}",
        "bot: Fine. And you?",
        f"bot: {BOOK.again}",
    ]


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_call_that_a_model_opens_with_nothing_begins_with_a_greeting(world: Any, language: str) -> None:
    call = world(Agent("test", language=language))
    call.say = lambda request: ""
    call.answer()
    call.run(4_000)
    assert call.of(BotSaid)[0].text == phrasebook(language).hello


def test_caller_who_says_nothing_to_a_mute_model_is_asked_and_told_goodbye(world: Any) -> None:
    call = started(world, no_input_ms=3_000, max_no_inputs=0)
    call.say = lambda request: ""
    call.run(20_000)
    assert call.transcript() == [f"bot: {BOOK.goodbye}", "hung up"]


def test_caller_who_says_nothing_is_asked_where_the_model_does_not(world: Any) -> None:
    call = started(world, no_input_ms=3_000)
    call.say = lambda request: ""
    call.run(4_000)
    assert call.transcript() == [f"bot: {BOOK.still_there}"]


def test_caller_who_says_nothing_may_be_left_in_silence_by_an_author(world: Any) -> None:
    """A flow's first ``no_input`` may be empty."""
    call = started(world, setup={"is_authored": True}, no_input_ms=3_000)
    call.say = lambda request: ""
    call.run(4_000)
    call.say = lambda request: "Are you still there?"
    call.run(4_000)
    assert call.transcript() == ["bot: ", "bot: Are you still there?"]


@pytest.mark.kind("empty replies")
@pytest.mark.parametrize("before", ["", "Let me look that up."])
@pytest.mark.parametrize("empty", EMPTY[::4])
def test_tool_whose_result_yields_nothing_is_asked_about_again(world: Any, before: str, empty: str) -> None:
    call = started(world, CLERK)
    answers = iter([wants_tool(before), empty, "We open at nine."])
    call.say = lambda request: next(answers)
    call.speaks(0, 500)
    call.run(5_000)
    assert call.transcript() == ["caller: hello", f"bot: {before} We open at nine.".replace("  ", " ")]
    assert [request.cause for request in call.of(Generate)] == ["speech", "tools", "tools"]


@pytest.mark.parametrize(("before", "after"), [("", BOOK.again), ("Let me look that up.", BOOK.lost_thread)])
def test_tool_whose_result_never_yields_anything_is_apologised_for(world: Any, before: str, after: str) -> None:
    call = started(world, CLERK)
    call.say = lambda request: wants_tool(before) if request.cause == "speech" else ""
    call.speaks(0, 500)
    call.run(6_000)
    assert call.transcript()[1] == f"bot: {before} {after}".replace("  ", " ")


def test_question_before_a_tool_needs_nothing_behind_it(world: Any) -> None:
    call = started(world, CLERK)
    call.say = lambda request: wants_tool("Noted. Anything else?") if request.cause == "speech" else ""
    call.speaks(0, 500)
    call.run(6_000)
    assert call.transcript() == ["caller: hello", "bot: Noted. Anything else?"]
    assert not remedies(call)


def test_keys_that_were_sent_need_no_words(world: Any) -> None:
    call = started(world)
    keys = ToolCall("a", "send_dtmf", {"keys": "12"})
    call.say = lambda request: ("", (keys,)) if request.cause == "speech" else ""
    call.speaks(0, 500)
    call.run(1_200)
    assert [speak.keys for speak in call.of(Speak) if speak.keys] == ["12"]
    assert not remedies(call)


def test_model_that_only_ever_asks_for_tools_is_apologised_for(world: Any) -> None:
    call = started(world, CLERK)
    call.say = lambda request: wants_tool()
    call.speaks(0, 500)
    call.run(5_000)
    assert call.transcript() == ["caller: hello", f"bot: {BOOK.apology}", "hung up"]
    assert len(call.of(Generate)) < MAX_STEPS


@pytest.mark.parametrize("llm_ms", [10, 1_500, 3_500])
def test_slow_model_that_has_nothing_to_say_is_bridged(world: Any, llm_ms: int) -> None:
    call = started(world)
    call.llm_ms = llm_ms
    call.say = lambda request: ""
    begin_ms = call.now_ms + 500
    call.speaks(0, 500)
    call.run(500 + 2 * llm_ms + 2_500)
    assert BOOK.again in call.of(Speak)[-1].text
    assert longest_silence_ms(call, begin_ms, call.now_ms) < call.config.dead_air_ms + 700
