"""The agent of an engine that runs is replaced: new calls have the new one, flow included; calls that go on theirs."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import pytest

from ringline import Agent, AgentError, Engine, FlowFile
from ringline.engine.call import Call, CallEvent
from ringline.engine.config import parse
from ringline.engine.conversation.actions import BotSaid

FLOW_LLM = '[llm]\nbackend = "flow"\n'
FLOW = """
start = "hello"
[state.hello]
say = "This is {name}."
expect = [{{ phrases = ["hello"], goto = "bye" }}]
no_match = []
otherwise = "bye"
[state.bye]
say = "{name} says goodbye."
hang_up = true
"""


def agent(name: str) -> Agent:
    return Agent("bot", flow=FlowFile(FLOW.format(name=name)))


class Said:
    """What the bot said, by call."""

    def __init__(self, engine: Engine) -> None:
        self.texts: dict[int, list[str]] = {}
        engine.subscribe(self._take)

    def _take(self, call: Call, event: CallEvent) -> None:
        if isinstance(event, BotSaid):
            self.texts.setdefault(call.number, []).append(event.text)

    def calls(self) -> list[str]:
        return [" ".join(texts) for texts in self.texts.values()]


async def test_new_calls_hear_the_new_flow_and_a_restarted_worker_knows_it(start: Any) -> None:
    async with start(llm_table=FLOW_LLM, agent=agent("Anna")) as running:
        engine, said = running.engine, Said(running.engine)
        await running.call()
        engine.use(agent("Berta"))
        await running.call()
        with pytest.raises(AgentError, match=r"flow.toml: start: there is no \[state.nowhere\]"):
            engine.use(Agent("bot", flow=FlowFile('start = "nowhere"')))
        running.kill("llm-0", signal.SIGKILL)
        await asyncio.sleep(0.1)
        await running.until_ready()
        await running.call()
    first, second, third = said.calls()
    assert (first[:13], second[:14]) == ("This is Anna.", "This is Berta.")
    assert "Anna" not in second
    assert second == third


async def test_a_call_that_goes_on_keeps_its_flow(start: Any) -> None:
    async with start(llm_table=FLOW_LLM, agent=agent("Anna")) as running:
        engine, said = running.engine, Said(running.engine)

        def replace(call: Call, event: CallEvent) -> None:
            if isinstance(event, BotSaid) and event.turn == 1:
                engine.use(agent("Berta"))

        engine.subscribe(replace)
        await running.call()
    (text,) = said.calls()
    assert "Anna says goodbye." in text
    assert "Berta" not in text


def test_an_agent_without_a_flow_is_an_error_where_the_flow_answers() -> None:
    with pytest.raises(AgentError, match="the agent bicycles has no flow"):
        Engine(parse(FLOW_LLM), Agent("bicycles", prompt="You sell bicycles."))
