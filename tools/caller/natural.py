"""A caller with a natural voice: what it will say is spoken by Kokoro once, before any call, and kept as files."""

from __future__ import annotations

import hashlib
import time
import wave
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ringline.engine.config import KokoroTts
from ringline.tools.caller.wire import Samples
from ringline.workers.tts import make_backend
from ringline.workers.tts.backend import Order, TtsBackend

POLL_S = 0.01
SLUG = 40


def record(texts: Iterable[str], voice: str, model: Path, folder: Path) -> dict[str, Path]:
    """Each text -> its recording, int16 mono at the model's rate, in ``folder``; what lies there already is taken.

    Raises CannotStart.
    """
    files = {text: folder / _name(text, voice) for text in texts}
    backend: TtsBackend | None = None
    for text, path in files.items():
        if path.exists():
            continue
        if backend is None:
            backend = make_backend(KokoroTts(model=str(model), voice=voice))
            backend.warm_up()
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, _speak(backend, text, voice), backend.rate_hz)
    if close := getattr(backend, "close", None):
        close()  # whoever goes on with a call needs the model's memory and no second one's thread
    return files


def _speak(backend: TtsBackend, text: str, voice: str) -> Samples:
    parts = []
    for part in backend.synthesize(Order(text, voice)):
        if isinstance(part, np.ndarray):
            parts.append(part)
        elif part is None:  # still being made
            time.sleep(POLL_S)
    spoken: Samples = np.concatenate(parts)
    return spoken


def _name(text: str, voice: str) -> str:
    """To be known by ear's owner, and by the computer."""
    slug = "".join(c if c.isalnum() else "-" for c in text.lower())[:SLUG].strip("-")
    return f"{voice}/{slug}-{hashlib.sha256(text.encode()).hexdigest()[:8]}.wav"


def _write(path: Path, samples: Samples, rate_hz: int) -> None:
    making = path.with_suffix(".part")
    with wave.open(str(making), "wb") as file:
        file.setparams((1, 2, rate_hz, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    making.replace(path)
