"""Workers die, at every moment of a turn: the call stays up and the turn is answered."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import pytest

from ringline.ipc.messages import CallEnded, PhraseFinished, TranscriptFinal
from ringline.tools.caller.dialogue import Manners
from ringline.tools.caller.events import Event

STAGE_MS = 250

# Phase of the second turn -> the caller's event that begins it, and the delay from there.
PHASES = {
    "caller speaks": ("caller_speaks", 150),
    "endpoint silence": ("caller_quiet", 150),
    "transcribing": ("caller_quiet", 300 + STAGE_MS // 2),
    "generating": ("caller_quiet", 300 + STAGE_MS + STAGE_MS // 2),
    "synthesizing": ("caller_quiet", 300 + 2 * STAGE_MS + STAGE_MS // 2),
    "bot speaks": ("bot_speaks", 300),
}


def once_at(phase: str, action: Any) -> Any:
    """An ``on_event`` that acts once, in this phase of the first turn."""
    kind, delay_ms = PHASES[phase]
    done: list[bool] = []

    def on_event(event: Event) -> None:
        if event.event == kind and event.turn == 0 and not done:
            done.append(True)
            asyncio.get_running_loop().call_later(delay_ms / 1000, action)

    return on_event


@pytest.mark.parametrize("worker", ["stt-0", "llm-0", "tts-0"])
async def test_worker_killed_in_any_phase_costs_no_turn(start: Any, worker: str) -> None:
    # On a busy machine a new process takes longer than the bot would wait before it fills the silence, or apologises.
    patience = ("dead_air_ms", "stt_timeout_ms", "llm_timeout_ms", "tts_timeout_ms", "reply_timeout_ms")
    patient = "".join(f"{key} = 60000\n" for key in patience)
    async with start(stage_ms=STAGE_MS, realtime_factor=0.5, text="This is the sentence.", extra=patient) as running:
        for phase in PHASES:
            before = running.pid(worker)
            result = await running.call(on_event=once_at(phase, lambda: running.kill(worker, signal.SIGKILL)))
            await running.until_ready()
            assert running.pid(worker) != before, phase
            assert result.succeeded, (phase, result.failed)
            assert result.turns_answered == 1, phase
        # Nothing of what the caller said was lost, and what the bot said is whole: the same text has always the same
        # number of samples (0 stands for a phrase that was complete already when it was asked for again).
        assert all(final.lost_samples == 0 for final in running.of(TranscriptFinal))
        lengths = {phrase.end_sample - phrase.start_sample for phrase in running.of(PhraseFinished)}
        assert len(lengths - {0}) == 1


async def test_worker_killed_while_the_greeting_plays_costs_nothing(start: Any) -> None:
    async with start(realtime_factor=0.5, text="This is the sentence.") as running:
        done: list[bool] = []

        def kill(event: Event) -> None:
            if event.event == "bot_speaks" and not done:
                done.append(True)
                running.kill("tts-0", signal.SIGKILL)

        result = await running.call(on_event=kill)
    assert result.succeeded
    lengths = {phrase.end_sample - phrase.start_sample for phrase in running.of(PhraseFinished)}
    assert len(lengths - {0}) == 1


@pytest.mark.parametrize("worker", ["stt-0", "llm-0", "tts-0"])
async def test_hung_worker_is_replaced(start: Any, worker: str) -> None:
    async with start() as running:
        before = running.pid(worker)
        stop = once_at("endpoint silence", lambda: running.kill(worker, signal.SIGSTOP))
        result = await running.call(on_event=stop)
        await running.until_ready()
        assert running.pid(worker) != before
        assert result.succeeded


async def test_capture_death_ends_its_calls_and_new_ones_work(start: Any) -> None:
    async with start(max_calls=1) as running:
        kill = once_at("caller speaks", lambda: running.kill("capture-0", signal.SIGKILL))
        first = await running.call(on_event=kill)
        assert first.failed
        await running.until_ready()
        running.audiosocket, running.twilio = running.engine.doors
        second = await running.call()
        assert second.succeeded
        assert [ended.reason for ended in running.of(CallEnded)] == ["caller"]


async def test_request_under_which_workers_keep_dying_is_failed(start: Any) -> None:
    """The bot apologises and hangs up, instead of trying for ever."""

    async with start(stage_ms=400) as running:

        async def keep_killing() -> None:
            for _ in range(2):
                await running.until_ready()
                while len(running.engine.switchboard.requests) == 0:
                    await asyncio.sleep(0.001)
                victim = running.pid("llm-0")
                running.kill("llm-0", signal.SIGKILL)
                while running.pid("llm-0") == victim:
                    await asyncio.sleep(0.01)

        killer = asyncio.create_task(keep_killing())
        result = await running.call(manners=Manners(timeout_ms=60_000))
        await killer
    assert result.call_results[0].ended_by == "bot"


@pytest.mark.parametrize(("stage", "worker"), [("stt", "stt-0"), ("llm", "llm-0")])
async def test_worker_that_runs_out_of_memory_is_replaced_and_its_jobs_are_sent_again(
    start: Any, stage: str, worker: str
) -> None:
    """The llm's first request is the greeting, so its second, and the third after the restart, is the caller's."""
    async with start(**{stage: "out_of_memory_every = 2"}) as running:
        before = running.pid(worker)
        result = await running.call(say=("hello", "how are you"))
        await running.until_ready()
        assert running.pid(worker) != before
    assert result.succeeded, result.failed
    assert result.turns_answered == 2


async def test_job_for_which_no_worker_has_the_memory_is_failed(start: Any) -> None:
    async with start(llm="out_of_memory_every = 1") as running:
        result = await running.call(manners=Manners(timeout_ms=60_000))
        restarts = next(w.restarts for w in running.engine.supervisor.workers if w.name == "llm-0")
    assert result.call_results[0].ended_by == "bot"
    assert restarts == 2
