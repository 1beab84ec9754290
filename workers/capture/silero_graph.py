"""Silero's network of one stream, written anew for many: the same weights, one product of matrices per layer.

The file in faster-whisper's wheel takes many windows of *one* stream, along the time axis of its LSTM. Here each window
belongs to a stream of its own, and time comes first: a layer's input is [time, stream, feature], and its convolution
over three steps is one product of the steps of all streams with its weights. As convolutions, ONNX Runtime would work
them off stream by stream, in products too small to be fast: 80 us a window instead of 20, from eight streams on
(``python -m bench.silero``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ringline.workers.base import CannotStart

WINDOW_AND_CONTEXT = 576
HOP, FRAME = 128, 256
"""Samples from one spectrum to the next, and in one."""
FRAMES = 4
"""In a window with its context, and as much of its end again, mirrored, as the last frame lacks."""
BINS = FRAME // 2 + 1

_WEIGHTS = {
    "encoder.feature_extractor.forward_basis_buffer": (2 * BINS, 1, FRAME),
    "encoder.conv_layers.0.weight": (128, BINS, 3),
    "encoder.conv_layers.1.weight": (64, 128, 3),
    "encoder.conv_layers.2.weight": (64, 64, 3),
    "encoder.conv_layers.3.weight": (128, 64, 3),
    "decoder.conv1d.weight": (1, 128, 1),
}
_STRIDES = [("Conv", HOP), ("Conv", 1), ("Conv", 2), ("Conv", 2), ("Conv", 1), ("LSTM", 1), ("Conv", 1)]
"""The layers of the file, in order."""
_UNKNOWN = "the Silero VAD file has not the layout of the one in faster-whisper 1.2"


def many_streams(source: bytes) -> bytes:
    """The file, turned from one stream of many windows into one window of many streams.

    Takes ``input`` [streams, 576] and the LSTM's ``h`` and ``c`` [1, streams, 128]; gives ``speech_probs`` [streams],
    ``hn`` and ``cn``. Raises CannotStart where the file is not the network that this knows.
    """
    import onnx

    old = onnx.load_from_string(source)
    weights = {one.name: onnx.numpy_helper.to_array(one) for one in old.graph.initializer}
    has_shapes = all(name in weights and weights[name].shape == shape for name, shape in _WEIGHTS.items())
    if not has_shapes or _strides(old) != _STRIDES:
        raise CannotStart(_UNKNOWN)
    graph = _Graph(onnx)
    spectrum = _spectrum(graph, weights)
    # [4, streams, 129] -> [4, streams, 128] -> [2, streams, 64] -> [1, streams, 64] -> [1, streams, 128]
    first = _steps(graph, 0, graph.padded(spectrum, 1, 1), (0, 1, 2), 4, 1, weights)
    second = _steps(graph, 1, graph.padded(first, 1, 0), (0, 1, 2), 4, 2, weights)
    third = _steps(graph, 2, second, (1, 2), 1, 1, weights)
    fourth = _steps(graph, 3, third, (1,), 1, 1, weights)
    lstm = next(node for node in old.graph.node if node.op_type == "LSTM")
    kept = [graph.weight(name, weights[name]) for name in lstm.input[1:4]]
    graph.add("LSTM", [fourth, *kept, "", "h", "c"], ["", "hn", "cn"], hidden_size=128)
    hidden = graph.add("Relu", ["hn"])
    weight = graph.weight("decoder.weight", weights["decoder.conv1d.weight"].reshape(128, 1))
    product = graph.add("MatMul", [hidden, weight])
    speech = graph.add("Add", [product, graph.weight("decoder.bias", weights["decoder.conv1d.bias"])])
    graph.add("Reshape", [graph.add("Sigmoid", [speech]), graph.numbers(-1)], ["speech_probs"])
    return graph.model(old)


def _strides(model: Any) -> list[tuple[str, int]]:
    found = []
    for node in model.graph.node:
        strides = [attribute.ints[0] for attribute in node.attribute if attribute.name == "strides"]
        if node.op_type in ("Conv", "LSTM"):
            found.append((node.op_type, strides[0] if strides else 1))
    return found


def _spectrum(graph: _Graph, weights: dict[str, Any]) -> str:
    """Magnitudes [4, streams, 129] of the overlapping frames."""
    lacking = FRAME + (FRAMES - 1) * HOP - WINDOW_AND_CONTEXT
    last = WINDOW_AND_CONTEXT - 2
    mirrored = graph.cut("input", 1, last, last - lacking, -1)
    whole = graph.add("Concat", ["input", mirrored], axis=1)
    frames = [
        graph.add("Unsqueeze", [graph.cut(whole, 1, k * HOP, k * HOP + FRAME), graph.numbers(0)]) for k in range(FRAMES)
    ]
    basis = weights["encoder.feature_extractor.forward_basis_buffer"][:, 0].T
    both = graph.add("MatMul", [graph.add("Concat", frames, axis=0), graph.weight("basis", basis)])
    squares = []
    for start in (0, BINS):
        part = graph.cut(both, 2, start, start + BINS)
        squares.append(graph.add("Mul", [part, part]))
    return graph.add("Sqrt", [graph.add("Add", squares)])


def _steps(
    graph: _Graph, n: int, source: str, taps: tuple[int, ...], span: int, stride: int, weights: dict[str, Any]
) -> str:
    """Convolution ``n`` over time and its Relu: ``taps`` of its three, each reading ``span`` steps every ``stride``."""
    parts = [graph.cut(source, 0, at, at + span, stride) for at in range(len(taps))]
    joined = graph.add("Concat", parts, axis=2) if len(parts) > 1 else parts[0]
    kernel = weights[f"encoder.conv_layers.{n}.weight"]
    stacked = np.concatenate([kernel[:, :, tap].T for tap in taps])
    product = graph.add("MatMul", [joined, graph.weight(f"{n}.weight", stacked)])
    bias = graph.weight(f"{n}.bias", weights[f"encoder.conv_layers.{n}.bias"])
    return graph.add("Relu", [graph.add("Add", [product, bias])])


class _Graph:
    """Nodes and weights as they are put together."""

    def __init__(self, onnx: Any) -> None:
        self._onnx = onnx
        self._nodes: list[Any] = []
        self._weights: list[Any] = []

    def add(self, kind: str, inputs: list[str], outputs: list[str] | None = None, **attributes: Any) -> str:
        """A node. Returns its first output's name."""
        outputs = outputs or [f"{kind}_{len(self._nodes)}"]
        self._nodes.append(self._onnx.helper.make_node(kind, inputs, outputs, **attributes))
        return outputs[0]

    def weight(self, name: str, values: Any) -> str:
        """A constant of the graph."""
        self._weights.append(self._onnx.numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def numbers(self, *values: int) -> str:
        """Indexes, as nodes take them."""
        return self.weight(f"numbers_{len(self._weights)}", np.array(values, np.int64))

    def cut(self, source: str, axis: int, start: int, end: int, step: int = 1) -> str:
        """Slices ``source[start:end:step]`` along an axis."""
        bounds = [self.numbers(start), self.numbers(end), self.numbers(axis), self.numbers(step)]
        return self.add("Slice", [source, *bounds])

    def padded(self, source: str, before: int, behind: int) -> str:
        """Zeros before and behind, along the first of three axes."""
        return self.add("Pad", [source, self.numbers(before, 0, 0, behind, 0, 0)])

    def model(self, old: Any) -> bytes:
        """The file, of the same versions as ``old``."""
        helper = self._onnx.helper

        def named(name: str, *shape: object) -> Any:
            return helper.make_tensor_value_info(name, self._onnx.TensorProto.FLOAT, list(shape))

        inputs = [named("input", "streams", WINDOW_AND_CONTEXT)]
        inputs += [named(name, 1, "streams", 128) for name in ("h", "c")]
        outputs = [named("speech_probs", "streams"), named("hn", 1, "streams", 128), named("cn", 1, "streams", 128)]
        graph = helper.make_graph(self._nodes, "silero", inputs, outputs, self._weights)
        model = helper.make_model(graph, opset_imports=old.opset_import, ir_version=old.ir_version)
        written: bytes = model.SerializeToString()
        return written
