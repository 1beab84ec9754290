"""What an LLM backend is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Protocol

import msgspec

from ringline.ipc.messages import Expectation, FlowText, Generate, ToolCall, Usage, WarmPrompt
from ringline.workers.pool import Pool


class TextDelta(msgspec.Struct, frozen=True):
    """A piece of the reply's text."""

    text: str


class Finished(msgspec.Struct, frozen=True):
    """The end of a reply; the last thing a backend yields."""

    tool_calls: tuple[ToolCall, ...] = ()
    state: bytes = b""
    expect: Expectation = Expectation()
    usage: Usage = Usage()


class LlmBackend(Protocol):
    """One model for all calls of the worker. Holds nothing of a call: `Generate` brings all there is to know."""

    @property
    def pool(self) -> Pool[Any] | None:
        """Where the model's work waits; None if it is done at once, or elsewhere."""

    async def warm_up(self) -> None:
        """Load what is needed. Raises `ringline.workers.base.CannotStart` with what is missing."""

    def use_flows(self, flows: tuple[FlowText, ...]) -> None:
        """Answer from these flows the requests that name their agents; any others may be forgotten."""

    def generate(self, request: Generate) -> AsyncIterator[TextDelta | Finished]:
        """Stream the reply; many requests run at once on one event loop, and any may be cancelled at any await.

        Text that ``request.said`` already holds is not yielded again.
        """

    async def warm_prompt(self, request: WarmPrompt) -> None:
        """Compute what the next prompt begins with, where the model keeps it. Cancelled when a reply is wanted.

        For no call (0): what all calls' prompts begin with, for as many at once as there may be.
        """

    async def close(self) -> None:
        """Let go of connections and threads; no reply is under way any more."""
