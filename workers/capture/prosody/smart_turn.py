"""Smart Turn v3 (pipecat-ai/smart-turn-v3, BSD 2-clause): a Whisper encoder with a head, as an ONNX file by path.

It takes Whisper's log-mel features [1, 80, 800] of the last 8 s, silence in front of shorter turns, the waveform
normalised to zero mean and unit variance; its output is a probability, the sigmoid included.

Over a telephone that output hardly tells ends from pauses; its encoder does. So for the file that it was fitted to
(``smart_turn.json``, by ``bench/smart_turn.py``) Ringline reads the encoder's upper layers at the end of the turn with
a linear head of its own; for any other file it takes the output. Either way the melody counts too.
"""

from __future__ import annotations

import hashlib
import importlib.util
import math
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ringline.workers.base import CannotStart
from ringline.workers.capture.prosody.frames import Samples, Values
from ringline.workers.capture.prosody.melody import Melody
from ringline.workers.capture.prosody.model import MEMORY_S
from ringline.workers.models.store import locate

INSTALLED = "pipecat"
"""In place of a path: the file that comes with an installed pipecat-ai."""
INSTALLED_FILE = "audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx"

NUM_MELS = 80
NUM_SAMPLES = MEMORY_S * 16_000
NUM_FRAMES = NUM_SAMPLES // 160
LAST_STEPS = 10
"""Steps of the encoder, 20 ms each, that the head reads: the last sounds and what silence is known of."""

_FINAL_NORM = "inner.encoder.layer_norm.weight"
"""Its output is the encoder's, in the files that pipecat publishes."""
_INNER_NORMS = tuple(f"inner.encoder.layers.{layer}.self_attn_layer_norm.weight" for layer in (2, 3))
"""What goes into these is the output of the layer before. The lower ones know more of sound, the last of the task."""

Features = np.ndarray[tuple[int, int], np.dtype[np.float32]]


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was fitted."""

    sha256: str
    """Of the file whose encoder it reads."""
    weights: tuple[float, ...]
    """One per feature of the encoder ..."""
    bias: float
    melody: float
    """Weight of the melody's log odds beside it."""
    output: tuple[float, float, float]
    """For other files: weight of the log odds of the output, weight of the melody's, bias."""


class Heard(msgspec.Struct, frozen=True, eq=False):
    """What the network makes of a turn."""

    output: float
    """Its own log odds of "finished"."""
    encoder: Values | None
    """float64 [1152] means over the last steps: of the encoder's output, its second layer's and its third's. None for a
    file whose encoder is not known."""


def find(path: str) -> Path:
    """The file of ``[turn] smart_turn``. Raises CannotStart, saying what to install."""
    if path != INSTALLED:
        try:
            found = locate(path)
        except CannotStart as error:
            raise CannotStart(f"[turn] smart_turn: {error}") from None
        return next(found.glob("*.onnx"), found) if found.is_dir() else found
    package = importlib.util.find_spec("pipecat")
    for folder in (package.submodule_search_locations or ()) if package else ():
        if (file := Path(folder) / INSTALLED_FILE).is_file():
            return file
    raise CannotStart(
        f"[turn] smart_turn: no installed pipecat has {INSTALLED_FILE}: `pip install --no-deps pipecat-ai` brings it"
    )


class SmartTurn:
    """`ProsodyModel` on such a file."""

    def __init__(self, path: str, head: Head | None = None) -> None:
        """``path``: a file or ``pipecat``; ``head``: another than the committed one. Raises CannotStart."""
        file = find(path)
        from faster_whisper.feature_extractor import FeatureExtractor

        self._head = head or committed()
        content = file.read_bytes()
        self._session, self._reads_encoder = _session(file, content)
        self._is_known = self._reads_encoder and hashlib.sha256(content).hexdigest() == self._head.sha256
        self._input = self._session.get_inputs()[0].name
        self._extractor = FeatureExtractor(feature_size=NUM_MELS, chunk_length=MEMORY_S)
        self._melody = Melody()

    def finished(self, speech: Samples, silence: Samples) -> float | None:
        melody = self._melody.log_odds(speech)
        if melody is None:
            return None
        heard = self.hear(speech, silence)
        if self._is_known and heard.encoder is not None:
            odds = float(np.array(self._head.weights) @ heard.encoder) + self._head.bias + self._head.melody * melody
        else:
            of_output, of_melody, bias = self._head.output
            odds = of_output * heard.output + of_melody * melody + bias
        return 1.0 / (1.0 + math.exp(-odds))

    def hear(self, speech: Samples, silence: Samples) -> Heard:
        """What the network makes of it."""
        features = self.features(np.concatenate([speech, silence]))[None]
        outputs = self._session.run(None, {self._input: features})
        probability = min(1.0 - 1e-4, max(1e-4, float(np.ravel(outputs[0])[0])))
        steps = [layer[0, -LAST_STEPS:].mean(axis=0) for layer in outputs[1:]]
        encoder = np.concatenate(steps).astype(np.float64) if self._reads_encoder else None
        return Heard(math.log(probability / (1.0 - probability)), encoder)

    def features(self, heard: Samples) -> Features:
        """float32 [80, 800] of int16 samples; the last 8 s of them count."""
        audio = np.zeros(NUM_SAMPLES, np.float32)
        last = heard[-NUM_SAMPLES:]
        audio[NUM_SAMPLES - last.shape[0] :] = last / np.float32(32_768)
        audio = (audio - audio.mean()) / np.sqrt(audio.var() + np.float32(1e-7))
        features: Features = np.asarray(self._extractor(audio, padding=0), np.float32)
        return features


@lru_cache(maxsize=1)
def committed() -> Head:
    """The head that comes with Ringline."""
    return msgspec.json.decode(files(__package__).joinpath("smart_turn.json").read_bytes(), type=Head)


def _session(file: Path, content: bytes) -> tuple[Any, bool]:
    """The network on one thread, and whether the encoder's layers are its further outputs. Raises CannotStart."""
    import onnx
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        model = onnx.load_from_string(content)
        norms = {node.input[1]: node for node in model.graph.node if node.op_type == "LayerNormalization"}
        reads_encoder = {_FINAL_NORM, *_INNER_NORMS} <= norms.keys()
        if reads_encoder:
            layers = [norms[_FINAL_NORM].output[0], *(norms[name].input[0] for name in _INNER_NORMS)]
            model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(layer) for layer in layers)
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # those of onnx and onnxruntime share no base class
        raise CannotStart(f"[turn] smart_turn: {file} is no ONNX model: {error}") from error
    inputs = session.get_inputs()
    if len(inputs) != 1 or list(inputs[0].shape[1:]) != [NUM_MELS, NUM_FRAMES]:
        raise CannotStart(f"[turn] smart_turn: {file} is no Smart Turn v3 model: it takes {inputs[0].shape}")
    return session, reads_encoder
