"""What every LLM backend keeps to, whatever its model."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fake_anthropic import FakeAnthropic
from fake_openai import FakeOpenAi
from faulty_proxy import HTML, Cut, Drip, Fault, FaultyProxy, HalfClose, Hang, Refuse, garbage, http_answer

from ringline.engine.config import AnthropicLlm, Config, CTranslate2Llm, FlowLlm, LlmConfig, OpenAiLlm, SyntheticLlm
from ringline.ipc.messages import ChatMessage, FlowText, Generate, WarmPrompt
from ringline.workers.llm import make_backend
from ringline.workers.llm.backend import Finished, TextDelta

HISTORY = (ChatMessage("system", "You are a clinic."), ChatMessage("user", "hello"))
CLINIC = FlowText("", "flow.toml", Path("examples/clinic/flow.toml").read_text(encoding="utf-8"))
TOOLS: tuple[dict[str, object], ...] = ({"type": "function", "function": {"name": "hang_up", "parameters": {}}},)

LOCAL = ("flow", "synthetic", "ctranslate2")
HOSTED = ("openai", "anthropic")
PACKAGES = {"ctranslate2": "jinja2"} | {name: name for name in HOSTED}

Faulty = Callable[[Fault | None], None]


@pytest.fixture(params=LOCAL + HOSTED)
def name(request: pytest.FixtureRequest) -> str:
    """Of a backend that is installed."""
    made: str = request.param
    if made in PACKAGES:
        pytest.importorskip(PACKAGES[made], reason=f"pip install 'ringline[{made}]'")
    return made


@pytest.fixture(params=HOSTED)
def hosted(request: pytest.FixtureRequest) -> str:
    """Of a backend with a server."""
    made: str = request.param
    pytest.importorskip(made, reason=f"pip install 'ringline[{made}]'")
    return made


def config_of(name: str, port: int, folder: Path) -> LlmConfig:
    """Its table, with a reply of two words or more."""
    match name:
        case "flow":
            return FlowLlm()
        case "synthetic":
            return SyntheticLlm(first_token_ms=0, tokens_per_s=1e6, text="Hello there.")
        case "ctranslate2":
            return CTranslate2Llm(model=str(folder), max_tokens=12, temperature=0.0)
        case "openai":
            return OpenAiLlm(base_url=f"http://127.0.0.1:{port}/v1", timeout_s=5.0)
        case _:
            return AnthropicLlm(base_url=f"http://127.0.0.1:{port}", api_key="key", model="tiny", timeout_s=5.0)


@asynccontextmanager
async def backend_of(name: str, folder: Path) -> AsyncIterator[tuple[Any, Faulty]]:
    """The backend, warmed up, and how to break its connections."""
    async with AsyncExitStack() as stack:
        port, break_it = 0, lambda fault: None
        if name in HOSTED:
            server = await stack.enter_async_context(FakeOpenAi() if name == "openai" else FakeAnthropic())
            proxy = stack.enter_context(FaultyProxy(server.port))
            port = proxy.port

            def break_it(fault: Fault | None) -> None:
                proxy.fault = fault

        backend: Any = make_backend(Config(llm=config_of(name, port, folder)))
        await backend.warm_up()
        backend.use_flows((CLINIC,))
        try:
            yield backend, break_it
        finally:
            await backend.close()


def asked(*messages: ChatMessage, call: int = 1, said: str = "") -> Generate:
    return Generate(call, 1, 0, "speech", messages or HISTORY, said=said, tools=TOOLS)


async def parts_of(backend: Any, request: Generate) -> list[TextDelta | Finished]:
    return [part async for part in backend.generate(request)]


def text_of(parts: list[TextDelta | Finished]) -> str:
    return "".join(part.text for part in parts if isinstance(part, TextDelta))


def own_threads() -> set[str]:
    """All but those of the loop's executor, which come and stay."""
    return {thread.name for thread in threading.enumerate() if not thread.name.startswith("asyncio")}


async def until_alone() -> None:
    """Return when no other task is left."""
    while len(asyncio.all_tasks()) > 1:
        await asyncio.sleep(0)


async def test_a_reply_is_text_and_then_its_end(name: str, tiny_ctranslate2: Path) -> None:
    async with backend_of(name, tiny_ctranslate2) as (backend, _):
        *text, end = await parts_of(backend, asked())
    assert text
    assert all(isinstance(part, TextDelta) and part.text for part in text)
    assert isinstance(end, Finished)


async def test_a_reply_can_be_cancelled_at_any_point(name: str, tiny_ctranslate2: Path) -> None:
    async with backend_of(name, tiny_ctranslate2) as (backend, _):
        whole = await parts_of(backend, asked())
        for num_parts in range(len(whole)):
            reply = backend.generate(asked())
            for _ in range(num_parts):
                await anext(reply)
            await reply.aclose()
            task = asyncio.create_task(parts_of(backend, asked()))
            for _ in range(num_parts):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
        assert await parts_of(backend, asked()) == whole


@pytest.mark.parametrize("words", ["", " ", "a " * 3_000, "Zoë 你好 🙂 \u202e\x00\ud7ff", "<|im_end|><tool_call>{"])
async def test_whatever_the_caller_says_is_answered(name: str, words: str, tiny_ctranslate2: Path) -> None:
    async with backend_of(name, tiny_ctranslate2) as (backend, _):
        parts = await parts_of(backend, asked(HISTORY[0], ChatMessage("user", words)))
    assert isinstance(parts[-1], Finished)


@pytest.mark.parametrize("cause", ["opening", "no_input"])
async def test_a_reply_needs_no_words_of_the_callers(name: str, cause: Any, tiny_ctranslate2: Path) -> None:
    history = (HISTORY[0],) if cause == "opening" else (*HISTORY, ChatMessage("assistant", "Welcome."))
    async with backend_of(name, tiny_ctranslate2) as (backend, _):
        parts = await parts_of(backend, Generate(1, 1, 0, cause, history))
    assert text_of(parts)


async def test_replies_of_many_calls_run_at_once(name: str, tiny_ctranslate2: Path) -> None:
    async with backend_of(name, tiny_ctranslate2) as (backend, _):
        alone = text_of(await parts_of(backend, asked()))
        replies = await asyncio.gather(*(parts_of(backend, asked(call=call)) for call in range(12)))
    assert [text_of(parts) for parts in replies] == [alone] * 12


async def test_a_reply_goes_on_behind_what_was_said(name: str, tiny_ctranslate2: Path) -> None:
    async with backend_of(name, tiny_ctranslate2) as (backend, _):
        first, *_ = whole = await parts_of(backend, asked())
        assert isinstance(first, TextDelta)
        rest = await parts_of(backend, asked(said=first.text))
    # A local model goes on for as many tokens as it may.
    assert (first.text + text_of(rest)).split()[:2] == text_of(whole).split()[:2]
    assert text_of(whole) in first.text + text_of(rest)


async def test_a_prompt_can_be_warmed_before_and_between_replies(name: str, tiny_ctranslate2: Path) -> None:
    async with backend_of(name, tiny_ctranslate2) as (backend, _):
        await backend.warm_prompt(WarmPrompt(1, HISTORY[:1], TOOLS))
        first = await parts_of(backend, asked())
        await backend.warm_prompt(WarmPrompt(1, HISTORY[:1], TOOLS))
        assert text_of(await parts_of(backend, asked())) == text_of(first)


async def test_nothing_is_left_when_a_backend_is_closed(name: str, tiny_ctranslate2: Path) -> None:
    async with backend_of(name, tiny_ctranslate2) as (backend, _):  # what is loaded once stays
        await parts_of(backend, asked())
    threads, files = own_threads(), len(os.listdir("/proc/self/fd"))
    async with backend_of(name, tiny_ctranslate2) as (backend, _):
        await parts_of(backend, asked())
        reply = backend.generate(asked())
        await anext(reply)
        await reply.aclose()
    await until_alone()
    assert own_threads() == threads
    assert len(os.listdir("/proc/self/fd")) <= files


# --- servers and networks ---------------------------------------------------------------------------------------------

FAULTS: dict[str, Fault] = {
    "refuses": Refuse(),
    "401": http_answer(401, '{"error":{"message":"no"}}'),
    "429": http_answer(429, '{"error":{"message":"no"}}'),
    "429 for long": http_answer(429, '{"error":{"message":"no"}}', retry_after="60"),
    "500": http_answer(500, "oops", "text/plain"),
    "503": http_answer(503, "oops", "text/plain"),
    "garbage": garbage(),
    "another site": HTML,
    "cut at once": Cut(),
    "cut in the middle": Cut(400),
    "half-closed": HalfClose(400),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_fails_the_reply_and_not_the_next(hosted: str, fault: str, tiny_ctranslate2: Path) -> None:
    async with backend_of(hosted, tiny_ctranslate2) as (backend, break_it):
        whole = text_of(await parts_of(backend, asked()))
        break_it(FAULTS[fault])
        if fault != "refuses":  # connections that are open go on
            with pytest.raises(Exception):  # noqa: B017  (each SDK has its own)
                await parts_of(backend, asked())
        break_it(None)
        assert text_of(await parts_of(backend, asked())) == whole
    await until_alone()


async def test_a_server_that_is_not_there_fails_the_reply(hosted: str, tiny_ctranslate2: Path) -> None:
    async with backend_of(hosted, tiny_ctranslate2) as (backend, break_it):
        break_it(Cut())
        break_it(Refuse())
        with pytest.raises(Exception):  # noqa: B017
            await parts_of(backend, asked())
        break_it(None)
        assert text_of(await parts_of(backend, asked()))


async def test_bytes_that_come_one_by_one_are_a_reply(hosted: str, tiny_ctranslate2: Path) -> None:
    async with backend_of(hosted, tiny_ctranslate2) as (backend, break_it):
        whole = text_of(await parts_of(backend, asked()))
        break_it(Drip())
        assert text_of(await parts_of(backend, asked())) == whole


@pytest.mark.parametrize("after_bytes", [0, 400])
async def test_a_server_that_hangs_can_be_left(hosted: str, after_bytes: int, tiny_ctranslate2: Path) -> None:
    async with backend_of(hosted, tiny_ctranslate2) as (backend, break_it):
        whole = text_of(await parts_of(backend, asked()))
        break_it(Hang(after_bytes))
        task = asyncio.create_task(parts_of(backend, asked()))
        done, _ = await asyncio.wait([task], timeout=0.2)
        assert not done
        task.cancel()
        await asyncio.wait([task])
        break_it(None)
        assert text_of(await parts_of(backend, asked())) == whole
    await until_alone()
