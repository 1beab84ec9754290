"""Kokoro's network: on ONNX Runtime, or on torch by the publishers' own package."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ringline.workers.base import CannotStart
from ringline.workers.extras import require
from ringline.workers.tts.loudness import FloatSamples
from ringline.workers.tts.onnx_session import onnx_session

_DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
}


class Runtime(Protocol):
    """The network."""

    def run(self, tokens: list[int], style: Any, speed: float) -> tuple[FloatSamples, Any]:
        """The sound of the tokens, and how long each is, in any unit; None where the network does not say.

        ``style``: float32 [1, 256].
        """


class OnnxRuntime:
    """An ONNX export. They differ in the names and types of their inputs, and in whether they give durations."""

    def __init__(self, file: Path, device: str, threads: int) -> None:
        """Raises CannotStart."""
        self._session = onnx_session(file, device, threads)
        self._types = {node.name: _DTYPES[node.type] for node in self._session.get_inputs()}
        self._tokens = "tokens" if "tokens" in self._types else "input_ids"
        if set(self._types) != {self._tokens, "style", "speed"}:
            raise CannotStart(f"[tts] model: {file} is no Kokoro: its inputs are {', '.join(self._types)}")

    def run(self, tokens: list[int], style: Any, speed: float) -> tuple[FloatSamples, Any]:
        """See `Runtime.run`. An export whose speed is an integer knows only whole ones."""
        values = {
            self._tokens: np.array([tokens]),
            "style": style,
            "speed": np.array([max(1, round(speed)) if self._types["speed"] is np.int32 else speed]),
        }
        inputs = {name: value.astype(self._types[name]) for name, value in values.items()}
        audio, *others = self._session.run(None, inputs)
        durations = next((other.reshape(-1) for other in others if other.size == len(tokens)), None)
        return audio.reshape(-1).astype(np.float32), durations


class TorchRuntime:
    """The package ``kokoro``, for GPUs."""

    def __init__(self, file: Path, folder: Path, device: str) -> None:
        """Raises CannotStart."""
        kokoro = require("kokoro", "kokoro-torch")
        self._torch: Any = require("torch", "kokoro-torch")
        if device != "cpu" and not self._torch.cuda.is_available():
            raise CannotStart(f"[tts] device: torch finds no {device}")
        model = kokoro.KModel(repo_id="hexgrad/Kokoro-82M", config=str(folder / "config.json"), model=str(file))
        self._model = model.to(device).eval()
        self._device = device

    def run(self, tokens: list[int], style: Any, speed: float) -> tuple[FloatSamples, Any]:
        """See `Runtime.run`."""
        ids = self._torch.tensor([tokens], dtype=self._torch.long, device=self._device)
        audio, durations = self._model.forward_with_tokens(ids, self._torch.from_numpy(style).to(self._device), speed)
        return audio.reshape(-1).float().cpu().numpy(), durations.reshape(-1).cpu().numpy()
