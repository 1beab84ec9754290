"""An LLM whose server loads its model while the caller waits."""

from __future__ import annotations

import itertools
from typing import Any

from ringline.engine.conversation.actions import BotSaid, HungUp
from ringline.ipc.messages import Generate, ReplyAwaitsModel, ReplyDelta, ReplyFinished


def waiting(world: Any, **turn: object) -> Any:
    """A call whose caller has asked something; the LLM has not answered."""
    call = world(**turn)
    call.answer()
    call.run(5_000)
    call.llm_ms = 1e9
    call.speaks(0, 500)
    call.run(1_500)
    return call


def awaits_model(call: Any) -> None:
    request = call.of(Generate)[-1]
    call.handle(ReplyAwaitsModel(1, request.turn, request.step))


def apologised(call: Any) -> bool:
    return bool(call.of(HungUp)) or any("sorry" in said.text.lower() for said in call.of(BotSaid))


def test_the_reply_has_as_long_as_loading_may_take(world: Any) -> None:
    call = waiting(world, model_load_ms=30_000, reply_timeout_ms=5_000)
    awaits_model(call)
    call.run(25_000)
    assert not apologised(call)
    request = call.of(Generate)[-1]
    call.handle(ReplyDelta(1, request.turn, request.step, "We open at nine.", 0))
    call.handle(ReplyFinished(1, request.turn, request.step))
    call.run(5_000)
    assert call.of(BotSaid)[-1].text.endswith("We open at nine.")


def test_nobody_waits_longer_than_that(world: Any) -> None:
    call = waiting(world, model_load_ms=10_000, reply_timeout_ms=5_000)
    awaits_model(call)
    call.run(25_000)
    assert apologised(call)


def test_meanwhile_the_caller_hears_that_it_takes_a_moment(world: Any) -> None:
    call = waiting(world, model_load_ms=30_000, dead_air_ms=2_000)
    awaits_model(call)
    call.run(20_000)
    heard = [(start, end) for _, start, end in call.audible_ms if start > 6_000]
    assert len(heard) > 4
    assert all(after[0] - before[1] <= 2_100 for before, after in itertools.pairwise(heard))


def test_a_reply_that_has_begun_has_no_longer_than_any_other(world: Any) -> None:
    call = waiting(world, model_load_ms=60_000, reply_timeout_ms=5_000)
    awaits_model(call)
    request = call.of(Generate)[-1]
    call.handle(ReplyDelta(1, request.turn, request.step, "Well, ", 0))
    call.run(25_000)
    assert apologised(call)
