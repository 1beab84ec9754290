"""Which agent answers which call, and which flows LLM workers are given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from ringline.engine.agent import Agent, AgentError, FlowFile
from ringline.engine.agents import Agents
from ringline.engine.config import Config, parse
from ringline.engine.supervisor import WorkerProcess
from ringline.ipc.messages import FlowText, UseFlows

CLINIC = Agent.load("clinic")
CHAT = parse('[llm]\nbackend = "openai"\nbase_url = "http://127.0.0.1:1/v1"\n')
CHAT_BEFORE_FLOW = parse(
    '[llm]\nbackend = "openai"\nbase_url = "http://127.0.0.1:1/v1"\n[[llm.fallback]]\nbackend = "flow"\n'
)


def edited(text: str) -> Agent:
    """The clinic with another flow."""
    return msgspec.structs.replace(CLINIC, flow=FlowFile(text, "edited.toml"))


SUNDAY = edited(CLINIC.flow.text.replace("Monday to Friday", "only on Sunday"))


class Rig:
    """Agents with LLM workers of which only the names are real."""

    def __init__(self, config: Config | None = None, agent: Agent = CLINIC) -> None:
        config = config or Config()
        self.workers = [WorkerProcess("llm", 0, 0, config), WorkerProcess("tts", 0, 1, config)]
        for worker in self.workers:
            worker.bus_name, worker.state = worker.name, "ready"
        self.sent: list[Any] = []
        self.agents = Agents(config, agent, self, self._send)  # type: ignore[arg-type]

    def _send(self, bus_name: str, message: Any) -> bool:
        assert bus_name == self.workers[0].bus_name, "no other stage knows flows"
        self.sent.append(message)
        return True

    def given(self) -> set[str]:
        """Agents whose flows the worker has now."""
        last = self.sent[-1]
        assert isinstance(last, UseFlows)
        return {flow.agent for flow in last.flows}


def test_a_worker_that_starts_is_given_the_flow() -> None:
    rig = Rig()
    rig.sent.clear()
    rig.agents.worker_ready(rig.workers[0])
    assert rig.sent == [UseFlows((FlowText(CLINIC.key, CLINIC.flow.file, CLINIC.flow.text),))]


def test_another_flow_is_another_key() -> None:
    assert SUNDAY.key != CLINIC.key == Agent.load("clinic").key


def test_a_call_keeps_the_agent_with_which_it_began() -> None:
    rig = Rig()
    assert rig.agents.begin(1) is CLINIC
    rig.agents.use(SUNDAY)
    assert rig.agents.begin(2) is SUNDAY
    assert (rig.agents.of(1), rig.agents.of(2)) == (CLINIC, SUNDAY)
    assert rig.given() == {CLINIC.key, SUNDAY.key}


def test_a_flow_is_kept_until_the_last_call_with_it_is_over() -> None:
    rig = Rig()
    rig.agents.begin(1)
    rig.agents.begin(2)
    rig.agents.use(SUNDAY)
    rig.agents.end(1)
    assert rig.given() == {CLINIC.key, SUNDAY.key}
    rig.agents.end(2)
    assert rig.given() == {SUNDAY.key}


def test_nothing_is_sent_for_an_agent_that_is_loaded_again_unchanged() -> None:
    rig = Rig()
    rig.sent.clear()
    rig.agents.use(Agent.load("clinic"))
    assert rig.sent == []


def test_fixed_texts_are_those_of_the_current_flow() -> None:
    rig = Rig()
    assert "We are open Monday to Friday" in " ".join(rig.agents.fixed_texts)
    rig.agents.use(SUNDAY)
    assert "We are open only on Sunday" in " ".join(rig.agents.fixed_texts)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (CLINIC.flow.text + "\n[state.broken\n", r"edited.toml: .* \(at line"),
        ('start = "nowhere"', r"edited.toml: start: there is no \[state.nowhere\]"),
        ("", "the agent Clinic reception has no flow"),
    ],
)
def test_an_agent_whose_flow_is_wrong_leaves_the_old_one(text: str, error: str) -> None:
    rig = Rig()
    rig.sent.clear()
    with pytest.raises(AgentError, match=error):
        rig.agents.use(edited(text))
    assert (rig.agents.current, rig.sent) == (CLINIC, [])


def test_a_model_needs_no_flow() -> None:
    rig = Rig(CHAT, Agent("plain"))
    assert (rig.sent, rig.agents.fixed_texts) == ([], ())


def test_a_fallback_that_is_a_flow_needs_one() -> None:
    with pytest.raises(AgentError, match="plain has no flow"):
        Rig(CHAT_BEFORE_FLOW, Agent("plain"))


def test_what_a_fallback_would_say_is_not_made_for_every_call() -> None:
    assert Rig(CHAT_BEFORE_FLOW).agents.fixed_texts == ()


def test_a_flow_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").write_text('name = "x"')
    (tmp_path / "flow.toml").mkdir()
    with pytest.raises(AgentError, match=r"flow\.toml: .*directory"):
        Agent.load(tmp_path)
