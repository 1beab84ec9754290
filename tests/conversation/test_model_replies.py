"""Replies of models that think, that come to their limit, and that ask for tools in vain."""

from __future__ import annotations

from typing import Any

import pytest

from ringline import Agent
from ringline.engine.conversation.actions import BotSaid, Escalate, HungUp, RunTool
from ringline.ipc.messages import Generate, ReplyDelta, ReplyFinished, ToolCall

S = 1_000


def agent() -> Agent:
    made = Agent("test", greeting="Hello.")

    @made.tool
    def note(text: str) -> dict[str, bool]:
        """Write something down."""
        return {"ok": True}

    return made


def note(text: str, id: str = "a", problem: str = "") -> ToolCall:  # noqa: A002
    return ToolCall(id, "note", {"text": text}, problem)


def called(world: Any, **turn: object) -> Any:
    """A call in which the caller has said something."""
    made = world(agent(), **turn)
    made.answer()
    made.run(3 * S)
    made.speaks(0, 1 * S)
    return made


def thinking(made: Any, until_ms: int) -> None:
    """The LLM's answer to the last request: that it thinks."""

    def say(request: Generate) -> str:
        for at_ms in range(0, until_ms, 500):
            made.at(at_ms, ReplyDelta(1, request.turn, request.step, "", 0))
        made.at(until_ms, ReplyDelta(1, request.turn, request.step, "We open at nine.", 0))
        made.at(until_ms, ReplyFinished(1, request.turn, request.step))
        return ""

    made.say, made.llm_ms = say, 10**6


def test_a_model_that_thinks_is_waited_for_with_fillers(world: Any) -> None:
    made = called(world)
    thinking(made, 12 * S)
    made.run(22 * S)
    last = made.transcript()[-1]
    assert last.startswith("bot: One moment, please.")
    assert last.endswith("We open at nine.")
    assert not made.of(Escalate)


def test_a_model_that_thinks_without_end_is_given_up_with_an_apology(world: Any) -> None:
    made = called(world)
    thinking(made, 300 * S)
    made.run(50 * S)
    assert "sorry" in made.of(BotSaid)[-1].text
    assert made.of(HungUp)


def test_a_thought_is_no_text_of_the_reply(world: Any) -> None:
    made = called(world)
    thinking(made, 3 * S)
    made.run(12 * S)
    trace = made.of(BotSaid)[-1].trace
    assert trace.first_text_ns - trace.started_ns >= 3 * S * 1_000_000


@pytest.mark.kind("replies at their limit")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("We open at nine. On Sundays we are clo", "We open at nine."),
        ("We open at nine. On Sundays,", "We open at nine."),
        ("We open at nine. We close at five.", "We open at nine. We close at five."),
        ("We open at nine on Mondays and on Tuesdays at te", "We open at nine on Mondays and on Tuesdays at te"),
    ],
)
def test_a_reply_that_came_to_its_limit_ends_with_its_last_whole_sentence(world: Any, text: str, said: str) -> None:
    made = called(world)

    def say(request: Generate) -> str:
        made.at(5, ReplyDelta(1, request.turn, request.step, text, 0))
        made.at(6, ReplyFinished(1, request.turn, request.step, is_cut=True))
        return ""

    made.say, made.llm_ms = say, 10**6
    made.run(12 * S)
    assert made.transcript()[-1] == f"bot: {said}"


def test_a_tool_runs_once_however_often_a_reply_asks_for_it(world: Any) -> None:
    made = called(world)
    made.say = lambda request: ("", (note("x", f"id{request.step}"),)) if request.step < 2 else "It is noted."
    made.run(6 * S)
    assert len(made.of(RunTool)) == 1
    assert made.transcript()[-1] == "bot: It is noted."
    assert "asked for exactly this before" in made.history()[-2][1]


def test_what_another_reply_asks_for_is_run_again(world: Any) -> None:
    made = called(world)
    made.say = lambda request: ("", (note("x"),)) if request.step == 0 else "It is noted."
    made.run(6 * S)
    made.speaks(0, 1 * S)
    made.run(6 * S)
    assert len(made.of(RunTool)) == 2


@pytest.mark.kind("models that ask again and again")
@pytest.mark.parametrize("problem", ["", "the arguments are not valid JSON"])
def test_a_model_that_asks_in_vain_again_and_again_is_given_up_with_an_apology(world: Any, problem: str) -> None:
    made = called(world)
    made.say = lambda request: ("", (note("x", f"id{request.step}", problem),))
    made.run(20 * S)
    assert len(made.of(RunTool)) == (0 if problem else 1)
    assert len(made.of(Generate)) <= 6  # a draft, and the reply
    assert "sorry" in made.of(BotSaid)[-1].text
    assert made.of(HungUp)


@pytest.mark.kind("models that ask again and again")
def test_a_model_that_asks_for_ever_new_things_is_given_up_with_an_apology(world: Any) -> None:
    made = called(world)
    made.say = lambda request: ("", (note(f"{request.step}", f"id{request.step}"),))
    made.run(60 * S)
    assert len(made.of(Generate)) <= 12
    assert "sorry" in made.of(BotSaid)[-1].text


@pytest.mark.kind("models that ask again and again")
def test_rounds_that_are_slow_are_bounded_by_time(world: Any) -> None:
    made = called(world)
    made.llm_ms = 3_500
    made.say = lambda request: ("", (note(f"{request.step}", f"id{request.step}"),))
    made.run(60 * S)
    assert len(made.of(Generate)) <= 10
    assert "One moment, please." in made.of(BotSaid)[1].text
    assert "sorry" in made.of(BotSaid)[-1].text


def test_a_model_is_told_once_what_cannot_be_run(world: Any) -> None:
    made = called(world)
    made.say = lambda request: ("", (note("x", "a", "no JSON"),)) if request.step == 0 else "Sorry, here I am."
    made.run(6 * S)
    assert ("tool", '{"error":"no JSON"}') in made.history()
    assert made.transcript()[-1] == "bot: Sorry, here I am."
