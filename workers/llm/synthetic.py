"""An LLM of set speed, for capacity and latency work: the same words to everybody, each at its time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

from ringline.engine import config
from ringline.ipc.messages import FlowText, Generate, WarmPrompt
from ringline.workers.base import is_nth
from ringline.workers.llm.backend import Finished, TextDelta


class SyntheticLlm:
    """Streams ``text`` word by word: the first after ``first_token_ms``, then ``tokens_per_s``."""

    pool = None

    def __init__(self, settings: config.SyntheticLlm) -> None:
        self._first_token_s = settings.first_token_ms / 1000
        self._token_s = 1 / settings.tokens_per_s
        self._words = re.findall(r"\s*\S+", settings.text)
        self._settings = settings
        self._requests = 0

    async def warm_up(self) -> None:
        """Nothing to load."""

    def use_flows(self, flows: tuple[FlowText, ...]) -> None:
        """It follows none."""

    async def generate(self, request: Generate) -> AsyncIterator[TextDelta | Finished]:
        """The reply. Each word is due at an absolute time, so that a late one does not delay those behind it."""
        self._requests += 1
        number = self._requests
        loop = asyncio.get_running_loop()
        due_s = loop.time() + self._first_token_s
        said = len(request.said.split())
        for word in self._words[said:]:
            await asyncio.sleep(due_s - loop.time())
            yield TextDelta(word)
            due_s += self._token_s
            if is_nth(number, self._settings.fail_every):
                raise RuntimeError("this one fails, as configured")
            if is_nth(number, self._settings.out_of_memory_every):
                raise MemoryError("this one takes too much, as configured")
            if is_nth(number, self._settings.hang_every):
                await asyncio.Event().wait()
        yield Finished()

    async def warm_prompt(self, request: WarmPrompt) -> None:
        """It reads no prompt."""

    async def close(self) -> None:
        """It holds nothing."""
