"""Smart Turn v3 (pipecat-ai/smart-turn-v3, BSD 2-clause): a Whisper encoder with a head, as an ONNX file by path.

It takes Whisper's log-mel features [1, 80, 800] of the last 8 s, silence in front of shorter turns, the waveform
normalised to zero mean and unit variance; its output is a probability, the sigmoid included.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ringline.workers.base import CannotStart
from ringline.workers.capture.prosody.frames import Samples
from ringline.workers.capture.prosody.model import MEMORY_S

NUM_MELS = 80
NUM_SAMPLES = MEMORY_S * 16_000
NUM_FRAMES = NUM_SAMPLES // 160

Features = np.ndarray[tuple[int, int], np.dtype[np.float32]]


class SmartTurn:
    """`ProsodyModel` on such a file."""

    def __init__(self, path: str) -> None:
        """Raises CannotStart if the file is missing or is no such model."""
        if not Path(path).is_file():
            raise CannotStart(f"[turn] smart_turn: there is no file {path}")
        import onnxruntime
        from faster_whisper.feature_extractor import FeatureExtractor

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions share no base class
            raise CannotStart(f"[turn] smart_turn: {path} is no ONNX model: {error}") from error
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or list(inputs[0].shape[1:]) != [NUM_MELS, NUM_FRAMES]:
            raise CannotStart(f"[turn] smart_turn: {path} is no Smart Turn v3 model: it takes {inputs[0].shape}")
        self._input = inputs[0].name
        self._extractor = FeatureExtractor(feature_size=NUM_MELS, chunk_length=MEMORY_S)

    def finished(self, speech: Samples, silence: Samples) -> float | None:
        heard = np.concatenate([speech, silence])
        if not heard.any():
            return None
        (output,) = self._session.run(None, {self._input: self.features(heard)[None]})
        return min(1.0, max(0.0, float(np.ravel(output)[0])))

    def features(self, heard: Samples) -> Features:
        """float32 [80, 800] of int16 samples; the last 8 s of them count."""
        audio = np.zeros(NUM_SAMPLES, np.float32)
        last = heard[-NUM_SAMPLES:]
        audio[NUM_SAMPLES - last.shape[0] :] = last / np.float32(32_768)
        audio = (audio - audio.mean()) / np.sqrt(audio.var() + np.float32(1e-7))
        features: Features = np.asarray(self._extractor(audio, padding=0), np.float32)
        return features
