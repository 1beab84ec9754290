"""XTTS v2: voices cloned from some seconds of speech, in 17 languages, streamed as they are made.

All calls of the vendor's package stand in `Vendor`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ringline.engine.config import XttsTts
from ringline.engine.conversation.language_tags import primary_language
from ringline.workers.base import CannotStart
from ringline.workers.extras import require
from ringline.workers.models.folders import FOLDERS, problems
from ringline.workers.models.store import locate
from ringline.workers.tts.backend import Order
from ringline.workers.tts.computed import Sound
from ringline.workers.tts.loudness import FloatSamples
from ringline.workers.tts.pieces import Piece

SLOWEST, FASTEST = 0.5, 2.0


class Network(Protocol):
    """XTTS, as it is used here. What it knows of a voice is its own business."""

    rate_hz: int
    languages: tuple[str, ...]
    """``en``, ``zh-cn`` ..."""

    def speakers(self) -> dict[str, Any]:
        """The voices that come with it."""

    def clone(self, files: list[str]) -> Any:
        """The voice in these WAV files."""

    def stream(self, text: str, language: str, voice: Any, speed: float) -> Iterator[FloatSamples]:
        """Speak, in chunks that join without a seam. The same text sounds the same each time."""


class Vendor:
    """`Network` by the package coqui-tts (module ``TTS``), the fork that is kept up."""

    def __init__(self, folder: Path, device: str) -> None:
        """Raises CannotStart."""
        self._torch: Any = require("torch", "xtts")
        configs = require("TTS.tts.configs.xtts_config", "xtts")
        models = require("TTS.tts.models.xtts", "xtts")
        if device == "cuda" and not self._torch.cuda.is_available():
            raise CannotStart('[tts] device: torch finds no cuda; `device = "cpu"` works, slower than real time')
        config = configs.XttsConfig()
        config.load_json(str(folder / "config.json"))
        self._model = models.Xtts.init_from_config(config)
        self._model.load_checkpoint(config, checkpoint_dir=str(folder), eval=True)
        self._model.to(device)
        self.rate_hz = int(config.model_args.output_sample_rate)
        self.languages = tuple(config.languages)

    def speakers(self) -> dict[str, Any]:
        """See `Network.speakers`."""
        manager = self._model.speaker_manager
        return {name: tuple(known.values()) for name, known in manager.speakers.items()} if manager else {}

    def clone(self, files: list[str]) -> Any:
        """See `Network.clone`."""
        return self._model.get_conditioning_latents(audio_path=files)

    def stream(self, text: str, language: str, voice: Any, speed: float) -> Iterator[FloatSamples]:
        """See `Network.stream`."""
        self._torch.manual_seed(zlib.crc32(text.encode()))  # it draws lots; a phrase must be as long each time
        gpt_cond_latent, speaker_embedding = voice
        for chunk in self._model.inference_stream(text, language, gpt_cond_latent, speaker_embedding, speed=speed):
            yield chunk.float().cpu().numpy()


class XttsModel:
    """See `ringline.workers.tts.computed.Model`. It cannot tell where words begin."""

    rate_hz = 0
    first_s: float | None = None

    def __init__(self, config: XttsTts, network: Network | None = None) -> None:
        """``network``: in place of the vendor's."""
        self._config = config
        self._given = network
        self._voices: dict[str, Any] = {}

    def open(self) -> str:
        self._folder = Path() if self._given else _folder(self._config.model)
        for name, files in self._config.voices.items():
            for file in files:
                if not Path(file).is_file():
                    raise CannotStart(f"[tts] voices: {name}: there is no file {file}")
        return f"{len(self._config.voices)} voices of one's own"

    def load(self) -> None:
        self.open()
        self._network = self._given or Vendor(self._folder, self._config.device)
        self.rate_hz = self._network.rate_hz
        self._voices = self._network.speakers()
        for name, files in self._config.voices.items():
            self._voices[name] = self._network.clone(list(files))

    def check(self, order: Order) -> None:
        self._voice(order)
        self._language(order)

    def speak(self, piece: Piece, order: Order) -> Iterator[Sound]:
        if not any(map(str.isalnum, piece.text)):
            return
        speed = min(max(order.speed, SLOWEST), FASTEST)
        for samples in self._network.stream(piece.text, self._language(order), self._voice(order), speed):
            yield Sound(np.asarray(samples, np.float32).reshape(-1))

    def _voice(self, order: Order) -> Any:
        name = order.voice or self._config.voice
        if name not in self._voices:
            raise ValueError(f"XTTS has no voice `{name}`: add its recordings to [tts] voices")
        return self._voices[name]

    def _language(self, order: Order) -> str:
        """As the network calls it. Raises ValueError for one that it does not speak."""
        wanted = primary_language(order.language or self._config.language)
        for language in self._network.languages:
            if primary_language(language) == wanted:
                return language
        raise ValueError(f"XTTS does not speak the language `{order.language or self._config.language}`")


def _folder(model: str) -> Path:
    folder = locate(model)
    if what := problems(folder, FOLDERS["xtts"]):
        raise CannotStart(f"[tts] model: {folder}: {'; '.join(what)}: put the files of XTTS v2 there")
    return folder
