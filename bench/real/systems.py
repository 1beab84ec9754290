"""Where the weights are, what the bots are told, and the systems that are compared."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import numpy as np
from rich.console import Console

from bench.peers import environments
from bench.peers.systems import Server, started
from bench.real.settings import RealSettings
from ringline.tools.real_models import FOLDER, find_real_models
from ringline.workers.base import CannotStart

PROMPT = "You are a friendly assistant on the telephone. Answer every question in one short sentence."
GREETING = "Hello, how can I help you?"
VOICE = "af_heart"
MAX_TOKENS = 40
TEMPERATURE = 0.7
"""Not 0: calls that hear the same words again would have a voice that is kept."""
HERE = Path(__file__).parent


class System(msgspec.Struct, frozen=True):
    """One of what is compared."""

    name: str

    @contextlib.asynccontextmanager
    async def running(self, settings: RealSettings, out: Console) -> AsyncIterator[Server]:
        """A server that can take so many calls as the settings say, with all weights loaded."""
        if self.name == "ringline":
            command = [sys.executable, "-m", "bench.real.ringline_bot"]
        else:
            command = [str(environments.python_of("pipecat-real", out)), str(HERE / "pipecat_bot.py")]
        for name, value in dataclasses.asdict(settings).items():
            command += [f"--{name.replace('_', '-')}", str(value)]
        async with started(command) as server:
            yield server

    def told(self, settings: RealSettings) -> RealSettings:
        """The network of Kokoro and its voices as this system wants them."""
        folder = Path(settings.kokoro)
        if self.name == "ringline":
            return settings
        return dataclasses.replace(settings, kokoro=str(_network(folder)), voices=str(_archive(folder / "voices")))


SYSTEMS = {name: System(name) for name in ("ringline", "pipecat")}


def llm_file() -> Path:
    """A small chat model in GGUF's format. Raises CannotStart."""
    folder = Path(os.environ.get(FOLDER, "")) / "smollm2"
    found = sorted(folder.glob("*.gguf")) if FOLDER in os.environ else []
    if not found:
        raise CannotStart(f"no language model: put a GGUF file of a chat model into smollm2/ of the folder ${FOLDER}")
    return found[0]


def settings(llm: str, calls: int, threads: int, tts_workers: int) -> RealSettings:
    """For Ringline; see `System.told`. Raises CannotStart where weights are missing."""
    models = find_real_models()
    notes = Path(tempfile.mkdtemp(prefix="ringline-real-")) / "notes.txt"
    return RealSettings(
        whisper=str(models.whisper),
        kokoro=str(models.kokoro),
        voices="-",
        voice=VOICE,
        llm=llm,
        prompt=PROMPT,
        greeting=GREETING,
        max_tokens=MAX_TOKENS,
        temperature=TEMPERATURE,
        threads=threads,
        tts_workers=tts_workers,
        calls=calls,
        notes=str(notes),
    )


def _network(folder: Path) -> Path:
    return next(path for path in sorted(folder.rglob("*.onnx")))


def _archive(voices: Path) -> Path:
    """All voices in one file, as kokoro-onnx reads them."""
    path = environments.FOLDER / "voices-v1.0.bin"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        styles = {file.stem: np.fromfile(file, np.float32).reshape(-1, 1, 256) for file in sorted(voices.glob("*.bin"))}
        with path.open("wb") as file:
            np.savez(file, **styles)  # type: ignore[arg-type]
    return path
