"""Ringline as a server of its own, told what the peers' bots are told: ``python -m bench.peers.ringline_bot``."""

from __future__ import annotations

import asyncio
import sys

import uvloop

from bench.peers.serving import Settings, settings_from
from bench.placing import door
from ringline import Agent, Engine
from ringline.engine.config import parse
from ringline.ipc import logs

CONFIG = """
[engine]
max_calls = {calls}
log_level = "warning"
[[door]]
url = "twilio://127.0.0.1:0/media"
[vad]
threshold = {threshold}
onset_ms = {onset_ms}
release_ms = {release_ms}
[stt]
backend = "synthetic"
final_ms = {stt_ms}
text = "{transcript}"
[llm]
backend = "synthetic"
first_token_ms = {llm_ms}
tokens_per_s = {tokens_per_s}
text = "{reply}"
[tts]
backend = "synthetic"
first_audio_ms = {tts_ms}
realtime_factor = {realtime_factor}
[turn]
endpoint_ms = {endpoint_ms}
endpoint_min_ms = {endpoint_ms}
endpoint_max_ms = {endpoint_ms}
prosody = false
draft = {draft}
"""
"""The endpoint is fixed and the melody is not heard, as with the peers, whose turn detectors are left out."""


async def _serve(settings: Settings) -> None:
    values = vars(settings) | {"draft": str(settings.variant == "draft").lower()}
    agent = Agent("bench", greeting=settings.greeting, max_sentences=0)
    async with Engine(parse(CONFIG.format(**values)), agent) as engine:
        print(door(engine, "twilio").rsplit(":", 1)[1].split("/")[0], flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    logs.set_up("engine", "warning")
    uvloop.run(_serve(settings_from(sys.argv[1:], Settings)))
