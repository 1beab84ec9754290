"""The flow brain as an LLM backend."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from pathlib import Path

from ringline.engine.agent import AgentError, find_agent
from ringline.engine.config import FlowLlm
from ringline.ipc.messages import Generate, WarmPrompt
from ringline.workers.base import CannotStart
from ringline.workers.llm.backend import Finished, TextDelta
from ringline.workers.llm.flow.brain import answer
from ringline.workers.llm.flow.compile import Flow, load
from ringline.workers.llm.flow.fixed_texts import fixed_texts
from ringline.workers.llm.flow.flow_file import FlowError

_SENTENCE_END = re.compile(r"(?<=[.?!])\s+")


class FlowBackend:
    """Answers from the agent's flow file."""

    pool = None

    def __init__(self, config: FlowLlm, agent_path: str | Path, clock: Callable[[], datetime] = datetime.now) -> None:
        """``clock`` gives the local time at which a call begins."""
        self._agent_path = agent_path
        self._clock = clock
        self._flow: Flow | None = None

    async def warm_up(self) -> None:
        """Read the flow file. Raises `CannotStart`."""
        try:
            self._flow = load(find_agent(self._agent_path))
        except (AgentError, FlowError, OSError) as error:
            raise CannotStart(str(error)) from None

    @property
    def fixed_texts(self) -> tuple[str, ...]:
        """What is said whatever the caller says."""
        return fixed_texts(self._flow) if self._flow is not None else ()

    async def generate(self, request: Generate) -> AsyncIterator[TextDelta | Finished]:
        """The reply, a sentence at a time. Raises FlowError where the flow cannot go on."""
        if self._flow is None:
            raise RuntimeError("generate before warm_up")
        text, finished = answer(self._flow, request, self._clock())
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
