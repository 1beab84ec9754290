"""The LLM worker's schedule: replies first, prompts that are sent ahead when there is nothing else to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from ringline.ipc.messages import (
    CallReleased,
    CancelReply,
    ChatMessage,
    Generate,
    Message,
    PromptWarmed,
    ReleaseCall,
    ReplyDelta,
    ReplyFailed,
    ReplyFinished,
    Usage,
    WarmPrompt,
)
from ringline.workers.llm.backend import Finished, TextDelta, Thinking
from ringline.workers.llm.server_events import BrokenOff
from ringline.workers.llm.worker import LlmWorker
from ringline.workers.retry import ServiceError

ASK = Generate(1, 1, 0, "speech", (ChatMessage("user", "hello"),))
WARM = WarmPrompt(1, (ChatMessage("system", "You are a test."),))
STATUSES = {21: 401, 22: 400, 23: 503, 24: 429, 25: None}
"""Turn -> what it is answered with."""
FOR_ALL = WarmPrompt(0, WARM.messages)


class Backend:
    """Answers when it is let."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.warmed: list[str] = []

    async def warm_up(self) -> None:
        """Nothing to load."""

    async def generate(self, request: Generate) -> AsyncIterator[TextDelta | Finished]:
        await self.may_answer.wait()
        if request.turn == 13:
            raise RuntimeError("unlucky")
        if request.turn in STATUSES:
            raise ServiceError("no", STATUSES[request.turn])
        if request.turn == 14 and "Hello" not in request.said:
            yield TextDelta("Hello.")
            yield Thinking()
            yield Thinking()
            raise BrokenOff("in the middle")
        if request.turn == 15:
            raise BrokenOff("at once")
        yield TextDelta("Hello.")
        yield Finished(usage=Usage(3, 2, 1))

    async def warm_prompt(self, request: WarmPrompt) -> None:
        try:
            await self.may_answer.wait()
            self.warmed.append("done")
        except asyncio.CancelledError:
            self.warmed.append("cancelled")
            raise

    async def close(self) -> None:
        self.warmed.append("closed")


class Rig:
    """A worker and what it says."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.backend = Backend()
        worker: Any = SimpleNamespace(bus=SimpleNamespace(send=self.sent.append))
        self.worker = LlmWorker(worker, self.backend)

    async def until_idle(self) -> None:
        """All that is under way is over."""
        while len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0)


async def test_a_reply_and_its_usage_reach_the_engine() -> None:
    rig = Rig()
    rig.backend.may_answer.set()
    rig.worker.handle(ASK)
    await rig.until_idle()
    delta, finished = rig.sent
    assert isinstance(delta, ReplyDelta)
    assert isinstance(finished, ReplyFinished)
    assert (delta.text, finished.usage) == ("Hello.", Usage(3, 2, 1))


async def test_a_reply_that_fails_is_reported() -> None:
    rig = Rig()
    rig.backend.may_answer.set()
    rig.worker.handle(Generate(1, 13, 0, "speech", ()))
    await rig.until_idle()
    assert rig.sent == [ReplyFailed(1, 13, 0, "RuntimeError: unlucky")]


@pytest.mark.parametrize("turn", STATUSES)
async def test_a_reply_that_the_server_refuses_is_not_to_be_asked_for_again(turn: int) -> None:
    rig = Rig()
    rig.backend.may_answer.set()
    rig.worker.handle(Generate(1, turn, 0, "speech", ()))
    await rig.until_idle()
    (failed,) = rig.sent
    assert isinstance(failed, ReplyFailed)
    assert failed.is_final == (STATUSES[turn] in (400, 401))


async def test_a_cancelled_reply_says_nothing_more() -> None:
    rig = Rig()
    rig.worker.handle(ASK)
    await asyncio.sleep(0)
    rig.worker.handle(CancelReply(1, 1))
    await rig.until_idle()
    assert rig.sent == []


async def test_a_released_call_has_no_replies() -> None:
    rig = Rig()
    rig.worker.handle(ASK)
    rig.worker.handle(ReleaseCall(1))
    await rig.until_idle()
    assert rig.sent == [CallReleased(1)]


async def test_a_prompt_is_warmed_while_there_is_nothing_to_do() -> None:
    rig = Rig()
    rig.backend.may_answer.set()
    rig.worker.handle(WARM)
    await rig.until_idle()
    assert rig.backend.warmed == ["done"]


async def test_warming_gives_way_to_a_reply() -> None:
    rig = Rig()
    rig.worker.handle(WARM)
    await asyncio.sleep(0)
    rig.worker.handle(ASK)
    rig.backend.may_answer.set()
    await rig.until_idle()
    assert rig.backend.warmed == ["cancelled"]
    assert len(rig.sent) == 2


async def test_nothing_is_warmed_while_a_reply_is_under_way() -> None:
    rig = Rig()
    rig.worker.handle(ASK)
    rig.worker.handle(WARM)
    rig.backend.may_answer.set()
    await rig.until_idle()
    assert rig.backend.warmed == []


async def test_a_prompt_for_calls_to_come_is_answered_when_it_is_computed() -> None:
    rig = Rig()
    rig.worker.handle(FOR_ALL)
    await asyncio.sleep(0)
    assert rig.sent == []
    rig.backend.may_answer.set()
    await rig.until_idle()
    assert rig.sent == [PromptWarmed()]
    assert rig.backend.warmed == ["done"]


async def test_a_prompt_for_calls_to_come_is_answered_where_there_is_no_time_for_it() -> None:
    rig = Rig()
    rig.worker.handle(ASK)
    rig.worker.handle(FOR_ALL)
    assert rig.sent == [PromptWarmed()]
    rig.backend.may_answer.set()
    await rig.until_idle()
    assert rig.backend.warmed == []


async def test_a_prompt_for_calls_to_come_is_answered_when_a_reply_breaks_it_off() -> None:
    rig = Rig()
    rig.worker.handle(FOR_ALL)
    await asyncio.sleep(0)
    rig.worker.handle(ASK)
    rig.backend.may_answer.set()
    await rig.until_idle()
    assert rig.backend.warmed == ["cancelled"]
    assert PromptWarmed() in rig.sent


async def test_closing_breaks_off_what_is_under_way() -> None:
    rig = Rig()
    rig.worker.handle(ASK)
    await asyncio.sleep(0)
    await rig.worker.close()
    assert rig.sent == []
    assert rig.backend.warmed == ["closed"]


async def test_a_reply_that_breaks_off_behind_its_first_words_is_asked_for_once_more_from_there() -> None:
    rig = Rig()
    rig.backend.may_answer.set()
    rig.worker.handle(msgspec.structs.replace(ASK, turn=14))
    await rig.until_idle()
    texts = [message.text for message in rig.sent if isinstance(message, ReplyDelta)]
    assert texts == ["Hello.", "", "Hello."]  # thoughts are told of, but not each of them
    assert isinstance(rig.sent[-1], ReplyFinished)


async def test_a_reply_that_breaks_off_at_once_has_failed() -> None:
    rig = Rig()
    rig.backend.may_answer.set()
    rig.worker.handle(msgspec.structs.replace(ASK, turn=15))
    await rig.until_idle()
    [failed] = rig.sent
    assert isinstance(failed, ReplyFailed)
