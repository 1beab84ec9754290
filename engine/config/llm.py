"""``[llm]`` and ``[[llm.fallback]]``."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from ringline.engine.config.table import Count, Milliseconds, StageBackend


class FlowLlm(StageBackend, frozen=True, tag="flow"):
    """``[llm] backend = "flow"``: the agent's flow file decides what to say."""


class SyntheticLlm(StageBackend, frozen=True, tag="synthetic"):
    """``[llm] backend = "synthetic"``"""

    first_token_ms: Milliseconds = 100
    tokens_per_s: Annotated[float, Meta(gt=0)] = 50.0
    text: str = "This is a synthetic reply. It has two sentences."
    fail_every: Count = 0
    """A worker fails every so many-th reply after its first word; 0: none. For tests of fallbacks."""
    hang_every: Count = 0
    """... and writes nothing more of every so many-th."""
    out_of_memory_every: Count = 0
    """... and runs out of memory over every so many-th that the process takes."""


LlmConfig = FlowLlm | SyntheticLlm
