"""The flow brain as an LLM backend."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime

from ringline.ipc.messages import FlowText, Generate, WarmPrompt
from ringline.workers.llm.backend import Finished, TextDelta
from ringline.workers.llm.flow.brain import answer
from ringline.workers.llm.flow.compile import Flow, compile_flow
from ringline.workers.llm.flow.flow_file import FlowError, parse

_SENTENCE_END = re.compile(r"(?<=[.?!])\s+")


class FlowBackend:
    """Answers from the flow of the call's agent."""

    pool = None

    def __init__(self, clock: Callable[[], datetime] = datetime.now) -> None:
        """``clock`` gives the local time at which a call begins."""
        self._clock = clock
        self._flows: dict[str, Flow] = {}

    async def warm_up(self) -> None:
        """There is nothing to load: flows are sent."""

    def use_flows(self, flows: tuple[FlowText, ...]) -> None:
        """Raises FlowError for a broken flow; the engine sends none."""
        self._flows = {
            flow.agent: self._flows.get(flow.agent) or compile_flow(parse(flow.text, flow.file)) for flow in flows
        }

    async def generate(self, request: Generate) -> AsyncIterator[TextDelta | Finished]:
        """The reply, a sentence at a time. Raises FlowError where the flow cannot go on."""
        flow = self._flows.get(request.agent)
        if flow is None:
            raise FlowError(f"the agent {request.agent} has no flow here")
        text, finished = answer(flow, request, self._clock())
        for sentence in sentences(unsaid(text, request.said)):
            yield TextDelta(sentence)
        yield finished

    async def warm_prompt(self, request: WarmPrompt) -> None:
        """It reads no prompt."""

    async def close(self) -> None:
        """It holds nothing."""


def sentences(text: str) -> Iterator[str]:
    """The text in pieces that end behind a sentence and the space after it; together they are the text."""
    start = 0
    for end in _SENTENCE_END.finditer(text):
        yield text[start : end.end()]
        start = end.end()
    if start < len(text):
        yield text[start:]


def unsaid(text: str, said: str) -> str:
    """What is left of the text behind the words that were said of it."""
    if text.startswith(said):
        return text[len(said) :]
    # Only spaces can differ, where the engine joined what it had; the words are counted instead.
    spoken, words = said.split(), text.split()
    if words[: len(spoken)] == spoken:
        return " ".join(words[len(spoken) :])
    return text
