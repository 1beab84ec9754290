"""A server that loads its model with the first request, and gives that up when its client goes away."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ringline.engine.config import OpenAiLlm
from ringline.ipc.messages import ChatMessage, Generate, WarmPrompt
from ringline.workers.llm import loading
from ringline.workers.llm.backend import Finished, ModelLoads, TextDelta

pytest.importorskip("openai", reason="pip install 'ringline[openai]'")

from fake_openai import FakeOpenAi

from ringline.workers.llm.openai import OpenAiBackend

HISTORY = (ChatMessage("system", "You are a clinic."), ChatMessage("user", "hello"))
ASK = Generate(1, 1, 0, "speech", HISTORY)
WARM = WarmPrompt(1, HISTORY[:1])


class Cold:
    """A backend whose server has yet to load its model."""

    def __init__(self, **settings: Any) -> None:
        self.server = FakeOpenAi()
        self.server.is_loaded.clear()
        self._settings = settings

    async def __aenter__(self) -> Cold:
        await self.server.__aenter__()
        self.backend = OpenAiBackend(OpenAiLlm(base_url=self.server.url, **self._settings), max_calls=4)
        await self.backend.warm_up()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.backend.close()
        await self.server.__aexit__(*error)

    async def asked(self, num: int = 1) -> None:
        """So many requests have reached the server."""
        while len(self.server.bodies) < num:
            await asyncio.sleep(0.001)

    async def gives_up(self, work: Any) -> None:
        """Ask, and be cancelled as soon as the server knows of it."""
        num = len(self.server.bodies)
        task = asyncio.ensure_future(work)
        await self.asked(num + 1)
        task.cancel()
        await asyncio.wait({task})

    async def read(self) -> list[Any]:
        return [part async for part in self.backend.generate(ASK)]


@pytest.fixture(autouse=True)
def told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "TOLD_AFTER_S", 0.0)
    monkeypatch.setattr(loading, "POLL_S", 0.0)


async def test_a_warm_up_without_an_answer_goes_on_when_it_is_cancelled() -> None:
    async with Cold() as cold:
        await cold.gives_up(cold.backend.warm_prompt(WARM))
        reply = asyncio.ensure_future(cold.read())
        await cold.asked(2)
        cold.server.is_loaded.set()
        assert TextDelta("Hello ") in await reply
        assert cold.server.num_given_up == 0


async def test_a_reply_without_an_answer_goes_on_when_its_caller_has_hung_up() -> None:
    async with Cold() as cold:
        await cold.gives_up(cold.read())
        cold.server.is_loaded.set()
        assert isinstance((await cold.read())[-1], Finished)
        assert cold.server.num_given_up == 0


async def test_one_request_is_enough_to_keep_a_load_going() -> None:
    async with Cold() as cold:
        for _ in range(3):
            await cold.gives_up(cold.read())
        while cold.server.num_given_up < 2:
            await asyncio.sleep(0.001)
        cold.server.is_loaded.set()
        await cold.read()
        assert cold.server.num_given_up == 2


async def test_the_engine_hears_that_a_model_is_loaded() -> None:
    async with Cold() as cold:
        parts: list[Any] = []
        async for part in cold.backend.generate(ASK):
            parts.append(part)
            cold.server.is_loaded.set()
        assert parts[0] == ModelLoads()
        assert parts.count(ModelLoads()) == 1
        assert isinstance(parts[-1], Finished)


async def test_a_server_that_has_answered_loads_no_more() -> None:
    async with Cold() as cold:
        cold.server.is_loaded.set()
        await cold.read()
        cold.server.is_loaded.clear()
        await cold.gives_up(cold.read())
        reply = asyncio.ensure_future(cold.read())
        await cold.asked(3)
        cold.server.is_loaded.set()
        assert ModelLoads() not in await reply
        assert cold.server.num_given_up == 1


async def test_a_server_that_nobody_has_asked_for_minutes_may_load_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Cold() as cold:
        cold.server.is_loaded.set()
        await cold.read()
        monkeypatch.setattr(loading, "UNLOADED_AFTER_S", 0.0)
        cold.server.is_loaded.clear()
        await cold.gives_up(cold.backend.warm_prompt(WARM))
        cold.server.is_loaded.set()
        await cold.read()
        assert cold.server.num_given_up == 0


async def test_a_server_that_says_it_is_loading_is_asked_until_it_has_its_model() -> None:
    async with Cold() as cold:
        cold.server.is_loaded.set()
        cold.server.status, cold.server.bad_requests, cold.server.problem = 503, 7, "Loading model"
        parts = await cold.read()
        assert isinstance(parts[-1], Finished)
        assert cold.server.bad_requests == 0


async def test_a_service_elsewhere_loads_nothing() -> None:
    hosted = loading.Loading(may_load=False, load_s=300.0)
    assert not hosted.is_cold


async def test_a_load_may_take_longer_than_a_server_may_be_silent() -> None:
    async with Cold(timeout_s=0.05) as cold:
        reply = asyncio.ensure_future(cold.read())
        await cold.asked()
        await asyncio.sleep(0.2)
        cold.server.is_loaded.set()
        assert isinstance((await reply)[-1], Finished)


async def test_a_worker_that_ends_waits_for_no_load() -> None:
    async with Cold() as cold:
        await cold.gives_up(cold.backend.warm_prompt(WARM))
    assert cold.server.num_given_up == 1
