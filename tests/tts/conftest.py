"""A TTS worker without its process: its bus is a list, its exchange is private."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from bench.models.kokoro import make_kokoro
from bench.models.piper import make_piper
from voice_servers import SERVERS

from ringline.engine.config import EspeakTts, KokoroTts, PiperTts, SyntheticTts, TtsConfig
from ringline.ipc.exchange import REPLY_POSITION, Exchange, Layout, Slot
from ringline.ipc.messages import Message, PhraseFinished, Speak
from ringline.workers.tts import make_backend
from ringline.workers.tts.worker import TtsWorker

BACKENDS: dict[str, Callable[[Path, contextlib.ExitStack], TtsConfig]] = {
    "espeak": lambda folder, stack: EspeakTts(),
    "synthetic": lambda folder, stack: SyntheticTts(first_audio_ms=0, realtime_factor=0.0),
    "coded": lambda folder, stack: SyntheticTts(first_audio_ms=0, realtime_factor=0.0, coded=True),
    "piper": lambda folder, stack: PiperTts(model=str(make_piper(folder))),
    "kokoro": lambda folder, stack: KokoroTts(model=str(make_kokoro(folder))),
    "elevenlabs": lambda folder, stack: stack.enter_context(SERVERS["elevenlabs"]()).config(),
    "cartesia": lambda folder, stack: stack.enter_context(SERVERS["cartesia"]()).config(),
}


@pytest.fixture(scope="package", params=BACKENDS)
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with contextlib.ExitStack() as stack:
        made = make_backend(BACKENDS[request.param](tmp_path_factory.mktemp(request.param), stack))
        if close := getattr(made, "close", None):
            stack.callback(close)
        made.warm_up()
        yield made


class Speaking:
    """A worker, one call, and what was sent and spoken."""

    def __init__(self, backend: Any, wire_rate_hz: int) -> None:
        self.exchange = Exchange.create(Layout(max_calls=1))
        self.exchange.admit(True)
        slot = self.exchange.claim(0, wire_rate_hz)
        assert slot is not None
        self.slot: Slot = slot
        self.sent: list[Message] = []
        self.start(backend)

    def start(self, backend: Any) -> None:
        """A new process takes over; what the old one had in hand is gone."""
        worker: Any = SimpleNamespace(exchange=self.exchange, bus=SimpleNamespace(send=self.sent.append))
        self.worker = TtsWorker(worker, backend)

    def speak(self, text: str = "", turn: int = 1, phrase: int = 0, **fields: Any) -> None:
        self.worker.handle(Speak(self.slot.call, 0, turn, phrase, text, fields.pop("last", True), **fields))

    def steps(self, until: Callable[[], object]) -> None:
        while not until():
            self.worker.step()

    def finish(self) -> None:
        """Work until nothing is left to do; all that was spoken counts as played at once, so that there is room."""
        while any(speaker.busy for speaker in self.worker.speakers.values()):
            self.worker.step()
            self.slot.store(REPLY_POSITION, self.slot.reply.written)

    def of(self, kind: type) -> list[Any]:
        return [message for message in self.sent if isinstance(message, kind)]

    def spoken(self) -> Any:
        """All samples in the ring, up to 16 s."""
        return np.array(self.slot.reply.read(0, self.slot.reply.written).samples)

    @property
    def finished(self) -> PhraseFinished:
        (message,) = self.of(PhraseFinished)
        return message


@pytest.fixture
def speaking() -> Callable[..., Speaking]:
    """``speaking(backend)`` or ``speaking(backend, wire_rate_hz)``."""
    return lambda backend, wire_rate_hz=8_000: Speaking(backend, wire_rate_hz)
