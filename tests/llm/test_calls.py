"""Whole calls whose replies come from a server that speaks OpenAI's API."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringline import BotSaid, Engine
from ringline.engine.config import parse
from ringline.tools.caller.report import RunResult
from ringline.tools.caller.run import run_calls
from ringline.tools.caller.script import Item

pytest.importorskip("openai", reason="pip install 'ringline[openai]'")

from fake_openai import FakeOpenAi, end, text, usage
from ports import free_port

CONFIG = """
[engine]
max_calls = 2
log_level = "warning"
[[door]]
url = "audiosocket://127.0.0.1:0"
[stt]
backend = "synthetic"
text = "when do you open"
[tts]
backend = "synthetic"
realtime_factor = 0.1
[turn]
endpoint_ms = 300
endpoint_min_ms = 300
endpoint_max_ms = 300
prosody = false
[llm]
backend = "openai"
"""


async def call(engine: Engine) -> tuple[RunResult, list[BotSaid]]:
    """One call, in which the caller says one thing."""
    said: list[BotSaid] = []
    engine.subscribe(lambda call, event: said.append(event) if isinstance(event, BotSaid) else None)
    result = await run_calls(engine.doors[0], [Item(text="hello")], 1)
    await engine.switchboard.wait_until_idle()
    return result, said


async def test_a_call_is_answered_by_a_server_that_got_the_prompt_ahead(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").write_text('name = "Test"\ngreeting = "Welcome."\nprompt = "You are a test."\n')
    async with FakeOpenAi() as server:
        server.reply = [text("We open "), text("at nine."), end(), usage(50, 40, 5)]
        agent = f'[agent]\npath = "{tmp_path}"\n'
        async with Engine(parse(CONFIG + f'base_url = "{server.url}"\n' + agent)) as engine:
            result, said = await call(engine)
        assert result.succeeded
        assert result.turns_answered == 1
        assert said[-1].text == "We open at nine."
        trace = said[-1].trace
        assert (trace.prompt_tokens, trace.cached_tokens, trace.completion_tokens) == (50, 40, 5)
        warming, *replies = server.bodies
        assert warming["max_completion_tokens"] == 1
        assert replies[0]["messages"][0] == warming["messages"][0]
        assert replies[0]["tools"] == warming["tools"]
        assert server.open == 0


async def test_a_call_is_answered_by_a_llama_cpp_server_that_the_engine_runs(tiny_gguf_file: Path) -> None:
    pytest.importorskip("xllamacpp", reason="pip install xllamacpp")
    server = f"""
server = "llama.cpp"
base_url = "http://127.0.0.1:{free_port()}/v1"
model = "{tiny_gguf_file}"
serve = "{{python}} -m ringline.workers.llm.llama_cpp {{file}} --port {{port}} --slots 2 --threads 1"
max_tokens = 30
"""
    async with Engine(parse(CONFIG + server)) as engine:
        result, said = await call(engine)
    assert result.succeeded
    assert result.turns_answered == 1
    assert said[-1].trace.completion_tokens > 0
