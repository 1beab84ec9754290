"""The OpenAI-compatible backend against llama.cpp's own server, with a tiny model of random weights."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ringline.engine.config import OpenAiLlm
from ringline.ipc.messages import ChatMessage, Generate, WarmPrompt

pytest.importorskip("openai", reason="pip install 'ringline[openai]'")

from ringline.workers.llm.backend import Finished, TextDelta
from ringline.workers.llm.openai import OpenAiBackend

PROMPT = ChatMessage("system", "You are the receptionist of a clinic. " * 20)


@asynccontextmanager
async def connected(url: str, **settings: Any) -> AsyncIterator[OpenAiBackend]:
    config = OpenAiLlm(base_url=url, server="llama.cpp", **({"max_tokens": 40, "temperature": 0.0} | settings))
    backend = OpenAiBackend(config, max_calls=4)
    await backend.warm_up()
    try:
        yield backend
    finally:
        await backend.close()


async def reply(backend: OpenAiBackend, request: Generate) -> tuple[str, Finished]:
    parts = [part async for part in backend.generate(request)]
    assert isinstance(parts[-1], Finished)
    return "".join(part.text for part in parts if isinstance(part, TextDelta)), parts[-1]


def asked(call: int, text: str, said: str = "") -> Generate:
    return Generate(call, 1, 0, "speech", (PROMPT, ChatMessage("user", text)), said=said)


async def busy(url: str) -> bool:
    """Whether the server generates anything."""

    def look() -> Any:
        with urllib.request.urlopen(url.removesuffix("/v1") + "/slots", timeout=10) as answer:
            return json.load(answer)

    return any(slot["is_processing"] for slot in await asyncio.to_thread(look))


async def test_text_and_usage_come_from_a_real_server(llama_cpp: str) -> None:
    async with connected(llama_cpp) as backend:
        said, finished = await reply(backend, asked(1, "hello"))
    assert len(said) == 40
    assert finished.usage.completion == 40
    assert finished.usage.prompt > 700


async def test_replies_are_generated_side_by_side(llama_cpp: str) -> None:
    async with connected(llama_cpp) as backend:
        replies = await asyncio.gather(*(reply(backend, asked(call, f"I am caller {call}")) for call in range(6)))
    assert [finished.usage.completion for _, finished in replies] == [40] * 6


async def test_a_prompt_that_was_warmed_is_not_computed_again(llama_cpp: str) -> None:
    prompt = ChatMessage("system", "Something that no other test says. " * 20)
    async with connected(llama_cpp) as backend:
        await backend.warm_prompt(WarmPrompt(1, (prompt,)))
        ask = Generate(1, 1, 0, "speech", (prompt, ChatMessage("user", "hello")))
        _, finished = await reply(backend, ask)
    assert finished.usage.cached > 690


async def test_a_prompt_for_calls_to_come_is_computed_in_every_slot(llama_cpp: str) -> None:
    prompt = ChatMessage("system", "Something that only this test says, and others do not. " * 20)
    async with connected(llama_cpp) as backend:
        await backend.warm_prompt(WarmPrompt(0, (prompt,)))
        asks = (Generate(n, 1, 0, "speech", (prompt, ChatMessage("user", f"hello {n}"))) for n in (1, 2))
        replies = await asyncio.gather(*(reply(backend, ask) for ask in asks))
    assert all(finished.usage.cached > 690 for _, finished in replies)


async def test_a_cancelled_reply_stops_the_server(llama_cpp: str) -> None:
    async with connected(llama_cpp, max_tokens=100_000, extra_body={"ignore_eos": True}) as backend:
        first = asyncio.Event()

        async def read() -> None:
            async for _ in backend.generate(asked(1, "tell me everything")):
                first.set()

        task = asyncio.create_task(read())
        await first.wait()
        task.cancel()
        await asyncio.wait([task])
        while await busy(llama_cpp):
            await asyncio.sleep(0.02)


async def test_a_reply_goes_on_behind_what_was_said(llama_cpp: str) -> None:
    async with connected(llama_cpp) as backend:
        whole, _ = await reply(backend, asked(1, "hello"))
        rest, _ = await reply(backend, asked(1, "hello", said=whole[:15]))
    assert (whole[:15] + rest).startswith(whole)


def test_a_model_that_is_not_there_is_named_without_a_traceback() -> None:
    pytest.importorskip("xllamacpp", reason="pip install 'ringline[llama-cpp]'")
    command = [sys.executable, "-m", "ringline.workers.llm.llama_cpp", "/nowhere/model.gguf"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("there is no model /nowhere/model.gguf")


async def test_a_call_that_the_bot_opens_is_answered(llama_cpp: str) -> None:
    async with connected(llama_cpp) as backend:
        said, _ = await reply(backend, Generate(1, 1, 0, "opening", (PROMPT,)))
    assert said
