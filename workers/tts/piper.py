"""Piper's voices (VITS networks) on ONNX Runtime: a file each, with its alphabet beside it.

Made for this format, not with Piper's own package, which is under GPL-3; the phonemes come from espeak-ng as there.
"""

from __future__ import annotations

import difflib
import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ringline.engine.config import PiperTts
from ringline.workers.base import CannotStart
from ringline.workers.models.store import locate, store
from ringline.workers.tts.backend import Order
from ringline.workers.tts.computed import Sound
from ringline.workers.tts.espeak_library import library
from ringline.workers.tts.onnx_session import onnx_session, with_output, word_samples
from ringline.workers.tts.phonemes import spoken_words
from ringline.workers.tts.pieces import Piece

BEGIN, END, PAD = "^", "$", "_"
SLOWEST, FASTEST = 0.5, 2.0


class _Audio(msgspec.Struct):
    sample_rate: int


class _Espeak(msgspec.Struct):
    voice: str


class _Inference(msgspec.Struct):
    noise_scale: float = 0.667
    length_scale: float = 1.0
    noise_w: float = 0.8


class VoiceFile(msgspec.Struct):
    """What stands in a voice's ``.onnx.json``."""

    audio: _Audio
    espeak: _Espeak
    phoneme_id_map: dict[str, list[int]]
    inference: _Inference = msgspec.field(default_factory=_Inference)
    phoneme_type: str = "espeak"
    num_speakers: int = 1
    speaker_id_map: dict[str, int] = {}


class PiperModel:
    """See `ringline.workers.tts.computed.Model`. A voice is a file's name without ``.onnx``, and where it has several
    speakers, one of them behind ``#``: ``en_US-libritts-high#p3922``."""

    rate_hz = 0
    first_s: float | None = None

    def __init__(self, config: PiperTts) -> None:
        self._config = config
        self._files: dict[str, VoiceFile] = {}
        self._sessions: dict[str, Any] = {}

    def open(self) -> str:
        library()
        path = locate(self._config.model)
        self._folder = path.parent if path.is_file() else path
        names = [path.stem] if path.is_file() else sorted(file.stem for file in path.glob("*.onnx"))
        self._default = self._config.voice or (names[0] if len(names) == 1 else "")
        if not self._default:
            found = ", ".join(names) or "none"
            raise CannotStart(f"[tts] voice: name one of the voices in {path} (there are: {found})")
        name = self._default.partition("#")[0]
        self.rate_hz = self._read(name).audio.sample_rate
        if not self._network(name).is_file():
            raise CannotStart(f"[tts] model: {self._network(name)} is missing")
        return f"{self._default}, {self.rate_hz} Hz"

    def load(self) -> None:
        self.open()
        self._session(self._default.partition("#")[0])

    def check(self, order: Order) -> None:
        name, _, speaker = (order.voice or self._default).partition("#")
        file = self._read(name)
        self._speaker(file, speaker)
        if file.audio.sample_rate != self.rate_hz:
            raise ValueError(f"the voice `{name}` has {file.audio.sample_rate} Hz, this worker's have {self.rate_hz}")

    def speak(self, piece: Piece, order: Order) -> Iterator[Sound]:
        name, _, speaker = (order.voice or self._default).partition("#")
        file, session = self._read(name), self._session(name)
        pad = file.phoneme_id_map[PAD]
        ids = [*file.phoneme_id_map[BEGIN], *pad]
        words = []
        for word in spoken_words(piece.text, file.espeak.voice, dictionary=order.phonemes):
            words.append((word.char, len(ids)))
            for phoneme in unicodedata.normalize("NFD", word.phonemes):
                if phoneme in file.phoneme_id_map:
                    ids += [*file.phoneme_id_map[phoneme], *pad]
        if not words:
            return
        ids += file.phoneme_id_map[END]
        speed = min(max(order.speed, SLOWEST), FASTEST)
        settings = file.inference
        inputs = {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array([settings.noise_scale, settings.length_scale / speed, settings.noise_w], np.float32),
        }
        if file.num_speakers > 1:
            inputs["sid"] = np.array([self._speaker(file, speaker)], np.int64)
        audio, *others = session.run(None, inputs)
        durations = next((other.reshape(-1) for other in others if other.size == len(ids)), None)
        samples = audio.reshape(-1)
        yield Sound(samples, word_samples(words, durations, samples.shape[0]))

    def _read(self, name: str) -> VoiceFile:
        """The voice's description. Raises ValueError: there is none."""
        if name not in self._files:
            path = self._network(name).with_suffix(".onnx.json")
            if not path.is_file():
                known = sorted(file.stem for file in self._folder.glob("*.onnx") if file.stem != name)
                similar = difflib.get_close_matches(name, known, 1)
                put = f"put {name}.onnx and {path.name} into {path.parent}"
                raise ValueError(f"Piper has no voice `{name}`: {f'did you mean {similar[0]}?' if similar else put}")
            try:
                file = msgspec.convert(json.loads(path.read_bytes()), VoiceFile)
            except (msgspec.ValidationError, json.JSONDecodeError) as error:
                raise ValueError(f"{path}: {error}") from error
            if file.phoneme_type != "espeak":
                raise ValueError(f"the voice `{name}` needs {file.phoneme_type} in place of espeak-ng's phonemes")
            self._files[name] = file
        return self._files[name]

    def _network(self, name: str) -> Path:
        """Its file: beside the one that was configured, or in a folder of its own in the store."""
        file = self._folder / f"{name}.onnx"
        other = store() / name / f"{name}.onnx"
        return other if other.is_file() and not file.is_file() else file

    def _session(self, name: str) -> Any:
        if name not in self._sessions:
            file = self._network(name)
            self._sessions[name] = onnx_session(file, self._config.device, self._config.threads, with_durations(file))
        return self._sessions[name]

    def _speaker(self, file: VoiceFile, speaker: str) -> int:
        """Raises ValueError: it has none of this name."""
        if not speaker:
            return 0
        if speaker not in file.speaker_id_map:
            raise ValueError(f"there is no speaker `{speaker}`; there are {', '.join(file.speaker_id_map) or 'none'}")
        return file.speaker_id_map[speaker]


def with_durations(file: Path) -> bytes:
    """The network, giving the length of each phoneme too, where it can: that is what its only Ceil rounds.

    Raises CannotStart.
    """
    import onnx

    try:
        model = onnx.load(str(file))
    except Exception as error:  # protobuf's own, and OSError
        raise CannotStart(f"[tts] model: {file} is no ONNX model: {error}") from error
    rounded = [node.output[0] for node in model.graph.node if node.op_type == "Ceil"]
    return with_output(model, rounded[0] if len(rounded) == 1 else None)
