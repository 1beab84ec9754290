"""CTranslate2's Generator as an LLM backend.

What decoding costs on a CPU is reading the weights once per token, whoever's token it is: replies that are written
together cost hardly more than one. But CTranslate2 cannot take a reply into a batch that runs: one that comes later
waits for its end. To stop a batch for it would mean to compute all prompts in it again, which takes as long as the
wait. And of prompts that differ in length, it reads what the longer ones have more at the speed at which it writes. So
together go only replies that are asked for while another batch runs, and whose prompts are about as long.

What all calls' prompts begin with is computed once and kept (`warm_prompt`); the rest of a prompt is short.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

from ringline.engine.config import CTranslate2Llm
from ringline.ipc.messages import ChatMessage, FlowText, Generate, Usage, WarmPrompt
from ringline.workers.base import CannotStart
from ringline.workers.extras import require
from ringline.workers.llm.backend import Finished, TextDelta
from ringline.workers.llm.chat import ANY_TURN, ToolCalls, turns
from ringline.workers.llm.ctranslate2.chat_model import ChatModel
from ringline.workers.llm.ctranslate2.hermes import ToolCallText
from ringline.workers.models.store import locate
from ringline.workers.pool import Job, Pool
from ringline.workers.working import came_on

MAX_PREFIXES = 8
"""CTranslate2 never forgets a prefix, and each takes some megabytes: one for each agent, not for each call's notes."""

MAX_UNEVEN_TOKENS = 8
"""So many tokens a prompt in a batch may be longer than the most urgent one: each delays its reply by a step."""

MIN_PROMPT_TOKENS = 2
"""Behind a prefix: with less, CTranslate2 takes the rest of the other prompts in the batch for text."""

DRAFT_PATIENCE_NS = 1_000_000_000
"""A draft's reply is needed later than one that the caller waits for."""


GREETING = ChatMessage("assistant", ".")
"""Some calls begin with the bot's words, some with the caller's: what all share ends before."""


class _Reply(Job):
    """A reply to be written."""

    def __init__(self, call: int, prompt: list[str], prefix: tuple[str, ...], max_tokens: int, draft: bool) -> None:
        patience_ns = DRAFT_PATIENCE_NS if draft else 0
        super().__init__(call, time.monotonic_ns() + patience_ns, len(prompt) - len(prefix))
        self.draft = draft
        self.prompt = prompt
        self.prefix = prefix
        """What the prompt begins with, as the model knows it already."""
        self.max_tokens = max_tokens
        self.written: list[str] = []
        self.tokens: asyncio.Queue[int | None] = asyncio.Queue()
        """Ids; None behind the last."""


class CTranslate2Backend:
    """One model for all calls of the worker."""

    def __init__(self, config: CTranslate2Llm) -> None:
        self._config = config
        self._prefixes: list[tuple[str, ...]] = []
        self._chat: ChatModel
        self._generator: Any = None
        self._loop: asyncio.AbstractEventLoop
        self.pool: Pool[_Reply]

    async def warm_up(self) -> None:
        """Load the model."""
        config = self._config
        folder = locate(config.model)
        self._chat = ChatModel(folder)
        ctranslate2 = require("ctranslate2", "ctranslate2")
        try:
            self._generator = ctranslate2.Generator(
                str(folder), device="cpu", compute_type=config.compute_type, intra_threads=config.threads
            )
        except (RuntimeError, ValueError) as error:
            raise CannotStart(f"the model in {folder} cannot be loaded: {error}") from error
        self._loop = asyncio.get_running_loop()
        self.pool = Pool(self._write, self._wake, config.max_batch, _fit)

    async def close(self) -> None:
        """Write no further reply."""
        await asyncio.to_thread(self.pool.close)

    def use_flows(self, flows: tuple[FlowText, ...]) -> None:
        """It follows none."""

    async def generate(self, request: Generate) -> AsyncIterator[TextDelta | Finished]:
        """The reply. Closing the iterator ends it with the token that is being computed."""
        prompt = self._chat.prompt(turns(request), request.tools, request.said)
        reply = self._submit(request.call, prompt, self._config.max_tokens, request.draft)
        calls = ToolCalls(request.messages)
        text, parts = self._chat.stream(), ToolCallText(calls)
        try:
            while (token := await reply.tokens.get()) is not None:
                if said := parts.feed(text.feed(token)):
                    yield TextDelta(said)
        finally:
            self.pool.cancel(reply)
        if reply.error is not None:
            raise reply.error
        if said := parts.flush():
            yield TextDelta(said)
        yield Finished(calls.made(), usage=Usage(len(prompt), len(reply.prefix), len(reply.written)))

    async def warm_prompt(self, request: WarmPrompt) -> None:
        """Compute the prefix that the prompts of an agent's calls share, once."""
        one = self._chat.prompt((*request.messages, ANY_TURN), request.tools)
        other = self._chat.prompt((*request.messages, GREETING, ANY_TURN), request.tools)
        prefix = tuple(one[: _shared(one, other)])
        if not prefix or prefix in self._prefixes or len(self._prefixes) >= MAX_PREFIXES:
            return
        self._prefixes.append(prefix)
        reply = self._submit(request.call, one, 1, draft=True)
        while await reply.tokens.get() is not None:
            pass

    def _submit(self, call: int, prompt: list[str], max_tokens: int, draft: bool) -> _Reply:
        room = len(prompt) - MIN_PROMPT_TOKENS
        fitting = (known for known in self._prefixes if len(known) <= room and tuple(prompt[: len(known)]) == known)
        reply = _Reply(call, prompt, max(fitting, key=len, default=()), max_tokens, draft)
        self.pool.submit(reply)
        return reply

    # --- the pool's thread ----------------------------------------------------------------------------------------

    def _write(self, replies: Sequence[_Reply]) -> None:
        """Write these replies together, a token of each at a time."""

        ends = self._chat.end_tokens

        def on_token(step: Any) -> bool:
            reply: _Reply = replies[step.batch_id]
            if not reply.is_cancelled and step.token not in ends:
                reply.written.append(step.token)
                self._loop.call_soon_threadsafe(reply.tokens.put_nowait, step.token_id)
            came_on()
            return reply.is_cancelled or len(reply.written) >= reply.max_tokens

        prefix = replies[0].prefix
        config = self._config
        self._generator.generate_batch(
            # A reply that failed together with others goes on where it was.
            [[*reply.prompt[len(prefix) :], *reply.written] for reply in replies],
            static_prompt=list(prefix) or None,
            max_length=config.max_tokens + MAX_UNEVEN_TOKENS,
            sampling_topk=config.top_k if config.temperature else 1,
            sampling_temperature=config.temperature or 1.0,
            end_token=ends,
            include_prompt_in_result=False,
            callback=on_token,
        )

    def _wake(self) -> None:
        self._loop.call_soon_threadsafe(self._finish)

    def _finish(self) -> None:
        for reply in self.pool.collect():
            # Its last tokens may still be on their way to the queue.
            self._loop.call_soon(reply.tokens.put_nowait, None)


def _fit(first: _Reply, other: _Reply) -> bool:
    """Whether ``other`` may go with the more urgent ``first``, without delaying that."""
    return first.prefix == other.prefix and 0 <= len(other.prompt) - len(first.prompt) <= MAX_UNEVEN_TOKENS


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many tokens both begin with."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
