"""Ringline with real models, as a server of its own: ``python -m bench.real.ringline_bot``."""

from __future__ import annotations

import asyncio
import sys

import uvloop

from bench.peers.serving import settings_from
from bench.placing import door
from bench.real.settings import Notes, RealSettings
from ringline import Agent, Engine
from ringline.engine.call import Call, CallEvent
from ringline.engine.config import Config, parse
from ringline.engine.conversation.actions import BotSaid, CallerSaid, HungUp
from ringline.engine.conversation.wording import phrasebook
from ringline.ipc import logs

CONFIG = """
[engine]
max_calls = {calls}
log_level = "warning"
[[door]]
url = "twilio://127.0.0.1:0/media"
[stt]
backend = "whisper"
model = "{whisper}"
device = "cpu"
compute_type = "int8"
threads = {threads}
[llm]
backend = "openai"
server = "llama.cpp"
base_url = "{llm}"
max_tokens = {max_tokens}
temperature = {temperature}
[tts]
backend = "kokoro"
model = "{kokoro}"
voice = "{voice}"
threads = {threads}
workers = {tts_workers}
"""
"""The rest as it comes."""


def configured(settings: RealSettings) -> tuple[Config, Agent]:
    """As the README of this folder says."""
    agent = Agent("bench", prompt=settings.prompt, greeting=settings.greeting, voice_rules="", max_sentences=0)
    return parse(CONFIG.format(**vars(settings))), agent


def note(notes: Notes, event: CallEvent) -> None:
    """What is worth a line."""
    match event:
        case CallerSaid(text=text):
            notes("heard", text)
        case BotSaid(text=text):
            notes("apology" if phrasebook("en").apology in text else "said", text)
        case HungUp(reason=reason):
            notes("problem", f"hung up: {reason}")


async def _serve(settings: RealSettings) -> None:
    notes = Notes(settings.notes)

    def on_event(call: Call, event: CallEvent) -> None:
        note(notes, event)

    async with Engine(*configured(settings)) as engine:
        engine.subscribe(on_event)
        print(door(engine, "twilio").rsplit(":", 1)[1].split("/")[0], flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    logs.set_up("engine", "warning")
    uvloop.run(_serve(settings_from(sys.argv[1:], RealSettings)))
