"""What both bots are told. Runs inside the peer's virtual environment too: the standard library and nothing else."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class RealSettings:
    """The same for all."""

    whisper: str
    """Folder of Whisper's weights for CTranslate2."""
    kokoro: str
    """The network's file."""
    voices: str
    """What the system reads Kokoro's voices from."""
    voice: str
    llm: str
    """``base_url`` of an OpenAI-compatible server."""
    prompt: str
    greeting: str
    max_tokens: int
    temperature: float
    threads: int
    """Of each of Ringline's models; the peer's keep their defaults."""
    tts_workers: int
    """Processes of Ringline's voice."""
    calls: int
    notes: str
    """File to which the bot writes what it hears and says, and what goes wrong, a line each."""


class Notes:
    """``KIND<tab>TEXT`` lines."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def __call__(self, kind: str, text: str) -> None:
        """Kinds: heard, said, apology, problem."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{kind}\t{time.monotonic_ns()}\t{' '.join(text.split())}\n")
