"""A whole call whose replies come from a server that speaks OpenAI's API."""

from __future__ import annotations

from typing import Any

import pytest

from ringline import BotSaid, Engine
from ringline.engine.config import parse

pytest.importorskip("openai", reason="pip install 'ringline[openai]'")

from fake_openai import FakeOpenAi, end, text, usage

CONFIG = """
[engine]
max_calls = 2
log_level = "warning"
[[door]]
url = "audiosocket://127.0.0.1:0"
[[door]]
url = "twilio://127.0.0.1:0/media"
[stt]
backend = "synthetic"
text = "when do you open"
[llm]
backend = "openai"
base_url = "{url}"
[tts]
backend = "synthetic"
realtime_factor = 0.1
[turn]
endpoint_ms = 300
endpoint_min_ms = 300
endpoint_max_ms = 300
prosody = false
"""


async def test_a_call_is_answered_by_a_server(running_with: Any) -> None:
    async with FakeOpenAi() as server:
        server.reply = [text("We open "), text("at nine."), end(), usage(50, 40, 5)]
        said: list[BotSaid] = []
        async with running_with(Engine(parse(CONFIG.format(url=server.url)))) as running:
            running.engine.subscribe(lambda call, event: said.append(event) if isinstance(event, BotSaid) else None)
            result = await running.call(say=("hello",))
        assert result.succeeded
        assert result.turns_answered == 1
        answer = said[-1]
        assert answer.text == "We open at nine."
        assert (answer.trace.prompt_tokens, answer.trace.cached_tokens, answer.trace.completion_tokens) == (50, 40, 5)
        assert server.open == 0
