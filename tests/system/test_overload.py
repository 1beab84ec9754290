"""One voice for many calls: what only waits is waited for, and where that goes on, no more calls are let in."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ringline import BotSaid
from ringline.engine.conversation.wording import phrasebook
from ringline.engine.overload import Level

SLOW = '[tts]\nbackend = "synthetic"\none_at_a_time = true\nfirst_audio_ms = 600\nrealtime_factor = 0.0\ncache_mb = 4\n'
"""A model that takes 600 ms for each piece, whatever its length: four calls' first phrases wait up to 2.4 s."""
NO_PATIENCE = "tts_timeout_ms = 500\nreply_timeout_ms = 60000\n"


def said_in(running: Any) -> list[str]:
    said: list[str] = []
    running.engine.subscribe(lambda call, event: said.append(event.text) if isinstance(event, BotSaid) else None)
    return said


async def test_calls_that_queue_for_one_voice_hear_no_apology(start: Any) -> None:
    async with start(tts_table=SLOW, turn=NO_PATIENCE) as running:
        said = said_in(running)
        result = await running.call(num_calls=4, say=("hello", "how are you"))
    assert result.turns_answered == 8
    assert result.succeeded
    apology = phrasebook("en").apology
    assert not [text for text in said if apology[:20] in text]


async def test_calls_are_refused_while_the_voice_lags_behind_and_then_no_longer(start: Any) -> None:
    async with start(tts_table=SLOW, turn=NO_PATIENCE) as running:
        worker = next(worker for worker in running.engine.supervisor.workers if worker.kind == "tts")
        switchboard = running.engine.switchboard
        worker.lag_s = 3.0
        switchboard._look_at_lags()
        assert switchboard.overload.worst == Level.CALLS
        refused = await running.call()
        worker.lag_s = 0.0
        switchboard._look_at_lags()
        accepted = await running.call()
    assert refused.call_results[0].outcome == "refused"
    assert accepted.succeeded


async def test_calls_are_not_refused_where_that_is_not_wanted(start: Any) -> None:
    async with start(tts_table=SLOW, turn=NO_PATIENCE, engine="refuse_calls = false\n") as running:
        running.engine.supervisor.workers[-1].lag_s = 3.0
        running.engine.switchboard._look_at_lags()
        result = await running.call()
    assert result.succeeded


async def test_overload_that_ends_does_not_open_a_draining_engine(start: Any) -> None:
    async with start() as running:
        await running.engine.drain()
        worker = running.engine.supervisor.workers[-1]
        for lag_s in (3.0, 0.0):
            worker.lag_s = lag_s
            running.engine.switchboard._look_at_lags()
        result = await running.call()
    assert not result.succeeded


async def test_rehearsing_engine_is_not_overloaded(start: Any, caplog: pytest.LogCaptureFixture) -> None:
    async with start(tts_table=SLOW) as running:
        await asyncio.sleep(3.0)
        assert running.engine.switchboard.overload.worst == Level.NOTHING
    assert "overload" not in caplog.text
