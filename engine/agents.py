"""The agents in use: that of new calls, and those of calls that began before it.

An agent is one value, its flow included. Workers know none: a request for a reply names the agent, and the LLM workers
that answer from flows are given those of all agents in use before any request can name them.
"""

from __future__ import annotations

from collections.abc import Callable

from ringline.engine.agent import Agent, AgentError
from ringline.engine.config import Config, FlowLlm
from ringline.engine.supervisor import Supervisor, WorkerProcess
from ringline.ipc.messages import FlowText, ToWorker, UseFlows
from ringline.workers.llm.flow.compile import Flow, compile_flow
from ringline.workers.llm.flow.fixed_texts import fixed_texts
from ringline.workers.llm.flow.flow_file import FlowError, parse


def flow_of(agent: Agent, config: Config) -> Flow | None:
    """The agent's flow, ready for use; None where no flow decides what is said.

    Raises AgentError if one is to and the agent has none, or a broken one.
    """
    if not any(isinstance(table, FlowLlm) for table in config.tiers("llm")):
        return None
    if not agent.flow.text:
        raise AgentError(
            f'[llm] backend = "flow", but the agent {agent.name} has no flow: give it a flow.toml, '
            "or configure a language model ([llm] in README.md)"
        )
    try:
        return compile_flow(parse(agent.flow.text, agent.flow.file))
    except FlowError as error:
        raise AgentError(str(error)) from None


class Agents:
    """Which agent answers which call."""

    def __init__(
        self, config: Config, agent: Agent, supervisor: Supervisor, send: Callable[[str, ToWorker], bool]
    ) -> None:
        """Raises AgentError, as `flow_of`."""
        self._config = config
        self._supervisor = supervisor
        self._send = send
        self._of_calls: dict[int, Agent] = {}
        self._given: dict[str, FlowText] = {}
        self.use(agent)

    def use(self, agent: Agent) -> None:
        """Let new calls be answered by this agent. Raises AgentError, as `flow_of`; the old one stays then."""
        flow = flow_of(agent, self._config)
        self.current = agent
        self.fixed_texts = fixed_texts(flow) if flow is not None and isinstance(self._config.llm, FlowLlm) else ()
        """What the current agent says in these very words whatever the caller says, what opens a call first."""
        self._give_flows()

    def begin(self, call: int) -> Agent:
        """The agent of a new call."""
        self._of_calls[call] = self.current
        return self.current

    def end(self, call: int) -> None:
        """The call is over."""
        self._of_calls.pop(call, None)
        self._give_flows()

    def of(self, call: int) -> Agent:
        """The agent of a call that goes on. Raises KeyError."""
        return self._of_calls[call]

    def worker_ready(self, worker: WorkerProcess) -> None:
        """A process of it has started, and knows nothing yet."""
        if worker.kind == "llm" and isinstance(worker.config.llm, FlowLlm):
            self._send(worker.bus_name, UseFlows(tuple(self._given.values())))

    def _give_flows(self) -> None:
        in_use = {agent.key: agent.flow for agent in (*self._of_calls.values(), self.current)}
        flows = {key: FlowText(key, flow.file, flow.text) for key, flow in in_use.items()}
        if flows.keys() != self._given.keys():
            self._given = flows
            for worker in self._supervisor.workers:
                if worker.state == "ready":
                    self.worker_ready(worker)
