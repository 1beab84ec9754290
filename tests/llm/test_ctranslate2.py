"""The CTranslate2 backend on a tiny model of random weights."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ringline.engine.config import CTranslate2Llm
from ringline.ipc.messages import ChatMessage, Generate, ToolCall, WarmPrompt
from ringline.workers.base import CannotStart

pytest.importorskip("jinja2", reason="pip install 'ringline[ctranslate2]'")


from ringline.workers.llm.backend import Finished, TextDelta
from ringline.workers.llm.ctranslate2.backend import CTranslate2Backend
from ringline.workers.llm.ctranslate2.chat_model import ChatModel

PROMPT = ChatMessage("system", "You are the receptionist of a clinic.")


@asynccontextmanager
async def loaded(folder: Path, **settings: Any) -> AsyncIterator[CTranslate2Backend]:
    backend = CTranslate2Backend(
        CTranslate2Llm(model=str(folder), **({"temperature": 0.0, "max_tokens": 20} | settings))
    )
    await backend.warm_up()
    try:
        yield backend
    finally:
        await backend.close()


def asked(call: int, text: str, said: str = "") -> Generate:
    return Generate(call, 1, 0, "speech", (PROMPT, ChatMessage("user", text)), said=said)


async def reply(backend: CTranslate2Backend, request: Generate) -> tuple[str, Finished]:
    parts = [part async for part in backend.generate(request)]
    assert isinstance(parts[-1], Finished)
    return "".join(part.text for part in parts if isinstance(part, TextDelta)), parts[-1]


async def test_text_streams_and_tokens_are_counted(tiny_ctranslate2: Path) -> None:
    async with loaded(tiny_ctranslate2) as backend:
        parts = [part async for part in backend.generate(asked(1, "hello"))]
    assert len(parts) == 21
    finished = parts[-1]
    assert isinstance(finished, Finished)
    assert (finished.usage.completion, finished.usage.cached) == (20, 0)


@pytest.mark.parametrize("is_warmed", [False, True])
async def test_replies_written_together_are_those_written_alone(is_warmed: bool, tiny_ctranslate2: Path) -> None:
    texts = ["hello", "hullo", "hello there", "good morning, I would like to come on Monday"]
    async with loaded(tiny_ctranslate2) as backend:
        if is_warmed:
            await backend.warm_prompt(WarmPrompt(1, (PROMPT,)))
        alone = [(await reply(backend, asked(1, text)))[0] for text in texts]
        together = await asyncio.gather(*(reply(backend, asked(call, text)) for call, text in enumerate(texts)))
    assert [said for said, _ in together] == alone


async def test_a_prompt_that_was_warmed_changes_no_word(tiny_ctranslate2: Path) -> None:
    async with loaded(tiny_ctranslate2) as backend:
        before, cold = await reply(backend, asked(1, "hello"))
        await backend.warm_prompt(WarmPrompt(1, (PROMPT,)))
        after, warm = await reply(backend, asked(1, "hello"))
    assert before == after
    assert cold.usage.cached == 0
    assert warm.usage.cached > len(PROMPT.content)


async def test_a_reply_goes_on_behind_what_was_said(tiny_ctranslate2: Path) -> None:
    async with loaded(tiny_ctranslate2) as backend:
        whole, _ = await reply(backend, asked(1, "hello"))
        rest, _ = await reply(backend, asked(1, "hello", said=whole[:7]))
    assert (whole[:7] + rest).startswith(whole)


async def test_a_cancelled_reply_leaves_the_model_to_others(tiny_ctranslate2: Path) -> None:
    async with loaded(tiny_ctranslate2, max_tokens=1_000_000) as backend:
        first = asyncio.Event()

        async def read() -> None:
            async for _ in backend.generate(asked(1, "hello")):
                first.set()

        task = asyncio.create_task(read())
        await first.wait()
        task.cancel()
        await asyncio.wait([task])
        async for _ in backend.generate(asked(2, "hello")):
            break


async def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"tokenizer\.json|model\.bin"):
        async with loaded(tmp_path):
            pass


def test_the_template_gets_tools_and_their_results(tiny_ctranslate2: Path) -> None:
    chat = ChatModel(tiny_ctranslate2)
    messages = (
        ChatMessage("user", "Zoë?"),
        ChatMessage("assistant", "", (ToolCall("a", "look_up", {"name": "Zoë"}),)),
        ChatMessage("tool", '{"found":true}', tool_call_id="a"),
    )
    tokens = chat.prompt(messages, ({"type": "function", "function": {"name": "look_up"}},))
    stream = chat.stream()
    text = "".join(stream.feed(stream._tokenizer.token_to_id(token)) for token in tokens)
    assert '<tool_call>{"name": "look_up", "arguments": {"name": "Zoë"}}</tool_call>' in text
    assert '{"type": "function", "function": {"name": "look_up"}}' in text
