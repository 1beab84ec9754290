"""What is made before the doors open: who is asked for it, and whom the doors wait for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ringline.engine.agent import Agent
from ringline.engine.agents import Agents
from ringline.engine.config import Config, parse
from ringline.engine.first_calls import FirstCalls
from ringline.engine.supervisor import WorkerProcess
from ringline.ipc.messages import PromptWarmed, Rehearse, Rehearsed, WarmPrompt

WATCHDOG_S = 10.0
LOCAL_LLM = '[llm]\nbackend = "openai"\nbase_url = "http://127.0.0.1:1/v1"\n'


class Rig:
    """First calls with workers of which only the names are real."""

    def __init__(self, source: str = "", agent: Agent | None = None) -> None:
        config = parse(source) if source else Config()
        stages = enumerate(("llm", "tts"))
        self.llm, self.tts = (WorkerProcess(stage, 0, index, config) for index, stage in stages)
        self.fallback = WorkerProcess("tts", 0, 2, config, tier=1)
        self.workers = [self.llm, self.tts, self.fallback]
        for worker in self.workers:
            worker.bus_name, worker.state = f"{worker.name}-abc", "ready"
        self.sent: list[tuple[str, Any]] = []
        self.agents = Agents(config, agent or Agent.load("clinic"), self, self._send)  # type: ignore[arg-type]
        self.first_calls = FirstCalls(config, self.agents, self, self._send)  # type: ignore[arg-type]
        self.sent.clear()

    def _send(self, bus_name: str, message: Any) -> bool:
        self.sent.append((bus_name, message))
        return True

    def to(self, worker: WorkerProcess, kind: type) -> list[Any]:
        return [message for name, message in self.sent if name == worker.bus_name and isinstance(message, kind)]

    async def opens(self) -> bool:
        """Whether the doors open at once."""
        waiting = asyncio.create_task(self.first_calls.until_made(WATCHDOG_S))
        for _ in range(3):
            await asyncio.sleep(0)
        is_open = waiting.done()
        waiting.cancel()
        return is_open


async def test_doors_wait_for_the_prompt_to_be_computed() -> None:
    rig = Rig(LOCAL_LLM, Agent("test", prompt="You are a test.", voice_rules=""))
    rig.first_calls.worker_ready(rig.llm)
    [asked] = rig.to(rig.llm, WarmPrompt)
    assert (asked.call, asked.messages[0].content) == (0, "You are a test.")
    assert not await rig.opens()
    rig.first_calls.take(rig.llm, PromptWarmed())
    assert await rig.opens()


async def test_doors_do_not_wait_where_no_prompt_is_kept() -> None:
    rig = Rig()
    rig.first_calls.worker_ready(rig.llm)
    assert rig.sent == []
    assert await rig.opens()


async def test_doors_wait_for_the_latest_greeting() -> None:
    rig = Rig()
    rig.first_calls.worker_ready(rig.tts)
    rig.first_calls.agent_changed()
    early, late = rig.to(rig.tts, Rehearse)
    rig.first_calls.take(rig.tts, Rehearsed(early.number))
    assert not await rig.opens()
    rig.first_calls.take(rig.tts, Rehearsed(late.number))
    assert await rig.opens()


async def test_doors_do_not_wait_for_a_fallback() -> None:
    rig = Rig()
    rig.first_calls.worker_ready(rig.fallback)
    assert len(rig.to(rig.fallback, Rehearse)) == 1
    assert await rig.opens()


def test_a_fallback_has_the_flows_texts_made_too() -> None:
    rig = Rig()
    rig.first_calls.worker_ready(rig.fallback)
    assert "Which day would you like?" in [phrase.text for phrase in rig.to(rig.fallback, Rehearse)[-1].phrases]


async def test_doors_do_not_wait_for_the_dead() -> None:
    rig = Rig()
    rig.first_calls.worker_ready(rig.tts)
    rig.first_calls.worker_down(rig.tts.bus_name)
    assert await rig.opens()


async def test_doors_open_in_the_end_whatever_is_missing(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    rig.first_calls.worker_ready(rig.tts)
    await rig.first_calls.until_made(0.0)
    assert "before the first is prepared" in caplog.text


def test_another_agent_has_its_own_greeting_and_prompt() -> None:
    rig = Rig(LOCAL_LLM)
    rig.agents.use(Agent("other", prompt="Another.", greeting="Good morning."))
    rig.first_calls.agent_changed()
    [asked] = rig.to(rig.tts, Rehearse)
    assert asked.phrases[0].text == "Good morning."
    assert rig.to(rig.llm, WarmPrompt)[0].messages[0].content.startswith("Another.")
