"""Kokoro's network: on ONNX Runtime, or on torch by the publishers' own package."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from ringline.workers.base import CannotStart
from ringline.workers.extras import require
from ringline.workers.tts.kokoro.convolutions import give_sign, has_vnni
from ringline.workers.tts.kokoro.halves import CannotHalve, Halves, Statistics, durations
from ringline.workers.tts.kokoro.stretches import audible, cuts, joined
from ringline.workers.tts.kokoro.voices import STYLE
from ringline.workers.tts.loudness import FloatSamples
from ringline.workers.tts.onnx_session import onnx_session, with_output

log = logging.getLogger("ringline.tts")

TRIAL = [0, 50, 83, 54, 16, 0]
"""Tokens on which a network is tried: any will do."""

Studied = Callable[[], Statistics | None]
"""What `Runtime.study` found of a voice."""


class Speech(NamedTuple):
    """What the network says of some tokens."""

    sounds: Iterator[FloatSamples]
    """In order, without a seam between them. Each is made when it is asked for."""
    sizes: list[int]
    """About how many samples each has."""
    durations: Any
    """How long each token is, in any unit; None where the network does not say."""
    num_samples: int
    """Of all the tokens."""
    start_sample: int = 0
    """Of these, where the first sound begins: silence before it was not made."""


class Runtime(Protocol):
    """The network."""

    in_stretches: bool
    """Whether a sentence is made as several sounds."""

    def study(self, tokens: list[int], style: Any) -> Statistics | None:
        """What a voice is like in this style, measured while it says these tokens. None: nothing is needed."""

    def run(self, tokens: list[int], style: Any, speed: float, studied: Studied) -> Speech:
        """Say the tokens. ``style``: float32 [1, 256]. ``studied``: what `study` found; called if needed."""


class OnnxRuntime:
    """An ONNX export. They differ in the names and types of their inputs, and in what they are built of: the known ones
    are run in `Halves`, others whole."""

    def __init__(self, file: Path, device: str, threads: int) -> None:
        """Raises CannotStart."""
        onnx = require("onnx", "kokoro")
        try:
            model = onnx.load(str(file))
        except Exception as error:  # protobuf's own, and OSError
            raise CannotStart(f"[tts] model: {file} cannot be loaded: {error}") from error
        numbers = {value.name: value.type.tensor_type.elem_type for value in model.graph.input}
        self._types = {name: onnx.helper.tensor_dtype_to_np_dtype(number) for name, number in numbers.items()}
        self._tokens = "tokens" if "tokens" in self._types else "input_ids"
        if set(self._types) != {self._tokens, "style", "speed"}:
            raise CannotStart(f"[tts] model: {file} is no Kokoro: its inputs are {', '.join(self._types)}")

        if device == "cpu" and has_vnni():
            give_sign(model)

        def open_(content: bytes) -> Any:
            return onnx_session(file, device, threads, content)

        self._halves: Halves | None = None
        try:
            self._halves = Halves(model, open_, self._inputs(TRIAL, np.zeros((1, STYLE), np.float32), 1.0))
        except CannotHalve as error:
            log.warning("this export is run whole: the voice is heard late", extra={"reason": str(error)})
            if (tensor := durations(model.graph)) is None and len(model.graph.output) < 2:
                log.warning("this export does not tell where words begin: what was heard is placed by letters")
            self._whole = open_(with_output(model, tensor))
        self.in_stretches = self._halves is not None

    def study(self, tokens: list[int], style: Any) -> Statistics | None:
        """See `Runtime.study`."""
        if self._halves is None:
            return None
        inputs = self._inputs(tokens, style, 1.0)
        return self._halves.statistics(self._halves.utterance(inputs), inputs["style"])

    def run(self, tokens: list[int], style: Any, speed: float, studied: Studied) -> Speech:
        """See `Runtime.run`. An export whose speed is an integer knows only whole ones."""
        inputs = self._inputs(tokens, style, speed)
        if self._halves is None:
            audio, *others = self._whole.run(None, inputs)
            lengths = next((other.reshape(-1) for other in others if other.size == len(tokens)), None)
            samples = audio.reshape(-1).astype(np.float32)
            return Speech(iter((samples,)), [samples.shape[0]], lengths, samples.shape[0])
        halves, said = self._halves, self._halves.utterance(inputs)
        begin, end = audible(said.loudness)
        parts = cuts(said.loudness, begin, end)
        by = studied() if len(parts) > 1 else None  # one that has no neighbours is best normalised by itself

        def make(first: int, last: int) -> Any:
            return halves.sound(said, inputs["style"], first, last, by)

        sounds = joined(make, parts, halves.frame)
        sizes = [(last - first) * halves.frame for first, last in parts]
        return Speech(sounds, sizes, said.durations, said.num_frames * halves.frame, begin * halves.frame)

    def _inputs(self, tokens: list[int], style: Any, speed: float) -> dict[str, Any]:
        values = {
            self._tokens: np.array([tokens]),
            "style": style,
            "speed": np.array([max(1, round(speed)) if self._types["speed"] == np.int32 else speed]),
        }
        return {name: value.astype(self._types[name]) for name, value in values.items()}


class TorchRuntime:
    """The package ``kokoro``, for GPUs: fast enough to make a sentence in one go."""

    in_stretches = False

    def __init__(self, file: Path, folder: Path, device: str) -> None:
        """Raises CannotStart."""
        kokoro = require("kokoro", "kokoro-torch")
        self._torch: Any = require("torch", "kokoro-torch")
        if device != "cpu" and not self._torch.cuda.is_available():
            raise CannotStart(f"[tts] device: torch finds no {device}")
        model = kokoro.KModel(repo_id="hexgrad/Kokoro-82M", config=str(folder / "config.json"), model=str(file))
        self._model = model.to(device).eval()
        self._device = device

    def study(self, tokens: list[int], style: Any) -> None:
        """See `Runtime.study`."""

    def run(self, tokens: list[int], style: Any, speed: float, studied: Studied) -> Speech:
        """See `Runtime.run`."""
        ids = self._torch.tensor([tokens], dtype=self._torch.long, device=self._device)
        audio, lengths = self._model.forward_with_tokens(ids, self._torch.from_numpy(style).to(self._device), speed)
        samples = audio.reshape(-1).float().cpu().numpy()
        return Speech(iter((samples,)), [samples.shape[0]], lengths.reshape(-1).cpu().numpy(), samples.shape[0])
