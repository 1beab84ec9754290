"""An ONNX export of Kokoro in halves: what is said and how, and the sound of any stretch of that.

The first half (a tenth of the work) reads the text and decides all that makes prosody: how long each token is, the
melody, the loudness. The second makes sound of it, frame by frame, and looks no further than some frames around. Run
apart, a sentence is heard after its first half second has been made, and is made in stretches between which others may
have the model; whole, it would be heard when it is complete.

No file is changed: the halves are cut in memory, between the modules that torch's exporter names in its nodes' names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ringline.workers.tts.kokoro.norms import GIVEN, MEASURE, take_statistics

Run = Callable[[dict[str, Any]], list[Any]]
"""A part of the network: its inputs by name -> its outputs."""
Open = Callable[[bytes], Any]
"""Makes a session of a part's content."""

SECOND_HALF = "decoder"
"""In the names of its nodes."""
EXCITED = "noise_convs"
"""In the names of the nodes that take the voice's excitation in, the sum of a hum and its overtones: it is made for all
of the sentence at once, so that stretches that overlap are in phase."""
NONE_GIVEN = np.zeros((1, 1, 1), np.float32)


class CannotHalve(Exception):
    """The export is not built as the known ones are."""


Statistics = dict[str, Any]
"""What the second half normalises by, see `ringline.workers.tts.kokoro.norms`."""


class Utterance(NamedTuple):
    """What the first half makes of a text. All but the durations in the network's own terms."""

    durations: Any
    """Frames of each token."""
    features: dict[str, Any]
    """Input of the second half -> values, the last axis time, of any rate."""
    loudness: Any
    """About its logarithm, [frames]: below -2 is silence."""

    @property
    def num_frames(self) -> int:
        """Of the whole."""
        return int(self.loudness.shape[0])


class Halves:
    """A network's two halves, as sessions."""

    def __init__(self, model: Any, open_: Open, tokens: dict[str, Any]) -> None:
        """``model``: an `onnx.ModelProto`. ``tokens``: inputs of some text, to try the halves on.

        Raises CannotHalve.
        """
        inputs = {value.name: value for value in model.graph.input}
        text = [name for name in inputs if name != "style"]
        crossing, excitation, melody = _seams(model.graph, text)
        duration = durations(model.graph)
        if duration is None:
            raise CannotHalve("nothing tells the durations")
        names = [duration, *crossing]
        self._names = names
        self._first = open_(_part(model, list(inputs.values()), names).SerializeToString())
        values = dict(zip(names, self._first.run(names, tokens), strict=True))
        self._hum = open_(_part(model, [_typed(melody, values[melody])], [excitation]).SerializeToString())
        self._melody, self._excitation = melody, excitation
        frames = int(values[duration].sum())
        sizes = {name: values[name].shape[-1] for name in crossing}
        features = [name for name in crossing if sizes[name] == frames]
        curves = [name for name in crossing if sizes[name] == 2 * frames and name != melody]
        if len(features) != 1 or len(curves) != 1 or sizes[melody] != 2 * frames:
            raise CannotHalve(f"what the halves hand over is of unknown form, {sizes} for {frames} frames")
        self._loudness = curves[0]
        hum = self._hum.run([excitation], {melody: values[melody]})[0]
        self._steps = (hum.shape[-1] - 1) // frames
        if hum.shape[-1] != self._steps * frames + 1:
            raise CannotHalve(f"the excitation has {hum.shape[-1]} steps for {frames} frames")
        seam = [_typed(name, value) for name, value in {**values, excitation: hum}.items() if name != duration]
        audio = model.graph.output[0].name
        second = _part(model, [*seam, inputs["style"]], [audio])
        self._statistics = take_statistics(second)
        self._second = open_(second.SerializeToString())
        samples, measured = self._run(self.utterance(tokens), tokens["style"], 0, frames, None)
        if not all(values.ndim == 3 and values.shape[0] == values.shape[2] == 1 for values in measured.values()):
            raise CannotHalve("it normalises over something else than time")
        self.frame = samples.shape[0] // frames
        """Samples of one."""
        if samples.shape[0] != self.frame * frames:
            raise CannotHalve(f"{samples.shape[0]} samples for {frames} frames")

    def utterance(self, inputs: dict[str, Any]) -> Utterance:
        """Run the first half."""
        values = dict(zip(self._names, self._first.run(self._names, inputs), strict=True))
        tokens = values.pop(self._names[0]).reshape(-1)
        values[self._excitation] = self._hum.run([self._excitation], {self._melody: values[self._melody]})[0]
        loudness = values[self._loudness].reshape(-1, 2).max(axis=1)
        return Utterance(tokens, values, loudness)

    def statistics(self, utterance: Utterance, style: Any) -> Statistics:
        """Run the second half on all of it, to measure what `sound` is to normalise by."""
        return self._run(utterance, style, 0, utterance.num_frames, None)[1]

    def sound(self, utterance: Utterance, style: Any, begin: int, end: int, statistics: Statistics | None) -> Any:
        """Run the second half on these frames: float32 [frames * frame]. None: normalised by what they are like."""
        return self._run(utterance, style, begin, end, statistics)[0]

    def _run(
        self, utterance: Utterance, style: Any, begin: int, end: int, statistics: Statistics | None
    ) -> tuple[Any, Statistics]:
        of_all = utterance.num_frames
        inputs = {}
        for name, values in utterance.features.items():
            rate = values.shape[-1] // of_all
            more = values.shape[-1] - rate * of_all  # the excitation has one step more than its frames
            inputs[name] = np.ascontiguousarray(values[..., begin * rate : end * rate + more])
        if self._statistics:
            inputs[MEASURE] = np.array(statistics is None)
        for name in self._statistics:
            inputs[name + GIVEN] = NONE_GIVEN if statistics is None else statistics[name]
        audio, *measured = self._second.run(None, {**inputs, "style": style})
        return audio.reshape(-1).astype(np.float32), dict(zip(self._statistics, measured, strict=True))


def durations(graph: Any) -> str | None:
    """The tensor of the tokens' durations, in frames: what the network's only Round makes; None where there is no such.

    Behind it they are kept at 1 or more.
    """
    rounds = [node.output[0] for node in graph.node if node.op_type == "Round"]
    if len(rounds) != 1:
        return None
    readers = [node for node in graph.node if rounds[0] in node.input]
    if len(readers) == 1 and readers[0].op_type in ("Clip", "Max"):
        return str(readers[0].output[0])
    return str(rounds[0])


def _seams(graph: Any, text: Sequence[str]) -> tuple[list[str], str, str]:
    """What the second half takes from the first; the excitation; and of the first ones, what that is made of.

    Raises CannotHalve.
    """
    makers = {name: node for node in graph.node for name in node.output if name}
    told = set(text)  # tensors that depend on the text; all others may belong to both halves
    second: set[str] = set()
    crossing: dict[str, None] = {}
    excitation: dict[str, None] = {}
    for node in graph.node:
        moving = [name for name in node.input if name in told]
        if not moving:
            continue
        told.update(node.output)
        if SECOND_HALF in node.name or any(name in second for name in moving):
            second.update(node.output)
            crossing.update(dict.fromkeys(_unquantised(name, makers) for name in moving if name not in second))
        if EXCITED in node.name:
            others = (_unquantised(name, makers) for name in moving if EXCITED not in makers[name].name)
            excitation.update(dict.fromkeys(others))
    if len(crossing) != 3 or len(excitation) != 1:
        raise CannotHalve(f"{len(crossing)} tensors lead to its decoder and {len(excitation)} to its excitation")
    (hum,) = excitation
    melody = [name for name in _reached(graph, [hum], set(crossing))[1] if name in crossing]
    if len(melody) != 1:
        raise CannotHalve(f"its excitation is made of {len(melody)} tensors")
    return list(crossing), hum, melody[0]


def _unquantised(name: str, makers: dict[str, Any]) -> str:
    """The tensor itself where this is one that it was quantised to."""
    while name in makers and makers[name].op_type == "DynamicQuantizeLinear":
        name = makers[name].input[0]
    return name


def _reached(graph: Any, outputs: Sequence[str], stops: set[str]) -> tuple[list[Any], set[str]]:
    """The nodes that make these, in order, and the tensors seen on the way, no further than ``stops``."""
    makers = {name: index for index, node in enumerate(graph.node) for name in node.output if name}
    found: set[int] = set()
    seen = set(outputs)
    stack = list(outputs)
    while stack:
        name = stack.pop()
        if name in stops or name not in makers or makers[name] in found:
            continue
        found.add(makers[name])
        inputs = [other for other in graph.node[makers[name]].input if other]
        seen.update(inputs)
        stack += inputs
    return [graph.node[index] for index in sorted(found)], seen


def _part(model: Any, inputs: Sequence[Any], outputs: Sequence[str]) -> Any:
    import onnx

    nodes, seen = _reached(model.graph, outputs, {value.name for value in inputs})
    known = {value.name: value for value in model.graph.output}
    results = [known.get(name) or onnx.helper.make_empty_tensor_value_info(name) for name in outputs]
    weights = [weight for weight in model.graph.initializer if weight.name in seen]
    graph = onnx.helper.make_graph(nodes, "part", inputs, results, weights)
    return onnx.helper.make_model(
        graph, opset_imports=model.opset_import, ir_version=model.ir_version, functions=model.functions
    )


def _typed(name: str, value: Any) -> Any:
    """As an input, of any size."""
    import onnx

    element = onnx.helper.np_dtype_to_tensor_dtype(value.dtype)
    return onnx.helper.make_tensor_value_info(name, element, [None] * value.ndim)
