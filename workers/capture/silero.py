"""Silero VAD: the network over one window of many streams, and what it remembers of each call.

The file in faster-whisper's wheel takes many windows of *one* stream and is written anew for many (`silero_graph.py`).
Silero's own ONNX files (input, state, sr) have a batch axis and work as they are.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from ringline.ipc.jit import compiled
from ringline.workers.base import CannotStart
from ringline.workers.capture.silero_graph import many_streams
from ringline.workers.capture.windows import CONTEXT, WINDOW, Indexes, Probabilities, Windows

RATE_HZ = 16_000
MEMORY = 128
"""Width of the LSTM's two state vectors."""

Memory = np.ndarray[tuple[int, int, int], np.dtype[np.float32]]

_FILE = "silero_vad_v6.onnx"


class SileroModel:
    """The network, on one thread. Holds nothing of a stream."""

    def __init__(self, path: str = "") -> None:
        """``path``: a Silero ONNX file; empty: the one in the faster-whisper wheel. Raises CannotStart."""
        import onnxruntime

        file = Path(path) if path else _bundled_file()
        if not file.is_file():
            raise CannotStart(f"there is no Silero VAD file at {file}: check vad.model")
        options = onnxruntime.SessionOptions()
        # One thread, and none that spins between windows: the media clock and other workers need the cores.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        options.log_severity_level = 3  # errors only; it warns of each initializer that an export left unused
        try:
            self._session = _session(onnxruntime, file.read_bytes(), options)
            inputs = {node.name for node in self._session.get_inputs()}
            if inputs != _HC_INPUTS and not {"input", "state"} <= inputs <= _STATE_INPUTS:
                raise CannotStart(f"{file} is no Silero VAD that Ringline knows: it takes {', '.join(sorted(inputs))}")
            self._has_state = "state" in inputs
            self._constants = {"sr": np.array(RATE_HZ, np.int64)} if "sr" in inputs else {}
            self.run(np.zeros((2, CONTEXT + WINDOW), np.float32), np.zeros((2, 2, MEMORY), np.float32))
        except _model_errors() as error:
            raise CannotStart(f"{file} cannot be used as the Silero VAD: {error}") from error

    def run(self, windows: Windows, memory: Memory) -> tuple[Probabilities, Memory]:
        """One step of B streams.

        ``windows``: float32 [B, CONTEXT + WINDOW] in -1 to 1. ``memory``: float32 [2, B, MEMORY], zeros at a stream's
        start. Returns speech probabilities, float32 [B], and the memory for each stream's next window.
        """
        if self._has_state:
            feeds = {"input": windows, "state": memory, **self._constants}
            speech, memory = self._session.run(["output", "stateN"], feeds)
            return speech.reshape(-1), memory
        feeds = {"input": windows, "h": memory[:1], "c": memory[1:]}
        speech, hidden, cell = self._session.run(["speech_probs", "hn", "cn"], feeds)
        return speech.reshape(-1), np.concatenate((hidden, cell))


class SileroStreams:
    """The network and its memory of every call: a `SpeechModel`."""

    def __init__(self, num_slots: int, path: str = "") -> None:
        """``path``: as in `SileroModel`. Raises CannotStart."""
        self._model = SileroModel(path)
        self._memory: Memory = np.zeros((2, num_slots, MEMORY), np.float32)
        self._heard: Indexes = np.zeros(num_slots, np.int64)  # sample behind each call's last full window

    def judge(self, slots: Indexes, ends: Indexes, windows: Windows) -> Probabilities:
        """See `SpeechModel.judge`."""
        memory: Memory = np.empty((2, slots.shape[0], MEMORY), np.float32)
        _recall(self._memory, self._heard, slots, ends, memory)
        speech, memory = self._model.run(windows, memory)
        _remember(self._memory, self._heard, slots, ends, memory)
        return speech

    def reset(self, slot: int) -> None:
        """See `SpeechModel.reset`."""
        self._memory[:, slot] = 0
        self._heard[slot] = 0


@compiled
def _recall(all_memory: Memory, heard: Indexes, slots: Indexes, ends: Indexes, memory: Memory) -> None:
    for i in range(slots.shape[0]):
        if ends[i] - heard[slots[i]] <= WINDOW:
            memory[:, i] = all_memory[:, slots[i]]
        else:
            memory[:, i] = 0


@compiled
def _remember(all_memory: Memory, heard: Indexes, slots: Indexes, ends: Indexes, memory: Memory) -> None:
    for i in range(slots.shape[0]):
        if ends[i] - heard[slots[i]] >= WINDOW:
            all_memory[:, slots[i]] = memory[:, i]
            heard[slots[i]] = ends[i]


_HC_INPUTS = {"input", "h", "c"}
_STATE_INPUTS = {"input", "state", "sr"}


def _bundled_file() -> Path:
    # Not imported: it would load CTranslate2 and the tokenizers for the sake of a path.
    spec = importlib.util.find_spec("faster_whisper")
    if spec is None or spec.origin is None:
        raise CannotStart("the Silero VAD file comes with faster-whisper, which is not installed; or set vad.model")
    return Path(spec.origin).parent / "assets" / _FILE


def _session(onnxruntime: Any, source: bytes, options: Any) -> Any:
    session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    if {node.name for node in session.get_inputs()} != _HC_INPUTS:
        return session
    return onnxruntime.InferenceSession(many_streams(source), options, providers=["CPUExecutionProvider"])


def _model_errors() -> tuple[type[Exception], ...]:
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    return (
        state.InvalidProtobuf,
        state.InvalidGraph,
        state.InvalidArgument,
        state.Fail,
        state.NotImplemented,
        state.RuntimeException,
    )
