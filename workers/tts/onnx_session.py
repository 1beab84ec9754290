"""Networks of voices on ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ringline.workers.base import CannotStart


def onnx_session(file: Path, device: str, threads: int, content: bytes | None = None) -> Any:
    """A session for the network in ``file``, or for its ``content`` where that was changed. ``device``: cpu or cuda.

    Raises CannotStart for a file that is no network, or a device that is not there.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that wait for work would take the CPU from capture.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    provider = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}[device]
    if provider not in onnxruntime.get_available_providers():
        raise CannotStart(f"[tts] device: this onnxruntime has no {provider}: pip install onnxruntime-gpu in its place")
    try:
        return onnxruntime.InferenceSession(content or str(file), options, providers=[provider])
    except Exception as error:  # those of onnxruntime share no base class
        raise CannotStart(f"[tts] model: {file} cannot be loaded: {error}") from error


def with_output(model: Any, tensor: str | None) -> bytes:
    """An `onnx.ModelProto` that gives one of its inner tensors too, if it does not yet."""
    import onnx

    if tensor and tensor not in {output.name for output in model.graph.output}:
        model.graph.output.append(onnx.helper.make_empty_tensor_value_info(tensor))
    content: bytes = model.SerializeToString()
    return content


def word_samples(words: Sequence[tuple[int, int]], durations: Any, num_samples: int) -> list[tuple[int, int]]:
    """Where words begin in ``num_samples`` of sound, as (char, sample).

    ``words``: (char, number of the word's first token). ``durations``: of each token, in any unit; None: not known.
    """
    if durations is None:
        return []
    ends = np.cumsum(durations, dtype=np.float64)
    return [(char, round(ends[token - 1] / ends[-1] * num_samples) if token else 0) for char, token in words]
