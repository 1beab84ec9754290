"""A network that normalises each stretch by the statistics it is given, and not by its own.

Kokoro's second half brings its channels to one mean and variance over all of a sentence, again and again. Those of half
a second are others, so that a stretch normalised by itself is louder or softer, and of another colour, than the one
before. Measured over some sentences, they tell of a voice; given for every stretch, there is nothing to hear between.
"""

from __future__ import annotations

from typing import Any

MEASURE = "measure"
"""Input of a network so changed: whether statistics are measured, or else taken as given."""
GIVEN = "_given"
"""Behind a statistic's name: the input that gives it. [1, channels, 1]"""
AXES_GIVEN = 18
"""From this opset on ReduceMean takes its axes as an input, and no longer as an attribute."""


def take_statistics(model: Any) -> list[str]:
    """Let an `onnx.ModelProto` take the statistics of its normalisations over time; the names of those it has.

    Each becomes an output too: what was measured, or what was given.
    """
    import onnx

    graph = model.graph
    opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    nodes = [new for node in graph.node for new in _spelt_out(node, onnx.helper.make_node, opset >= AXES_GIVEN)]
    names: list[str] = []
    for index, node in enumerate(nodes):
        if node.op_type == "ReduceMean":
            (name,) = node.output
            names.append(name)
            given = onnx.helper.make_node("Identity", [name + GIVEN], [f"{name}_taken"])
            node.output[0] = f"{name}_measured"
            branches = {"then_branch": _branch(onnx, node), "else_branch": _branch(onnx, given)}
            nodes[index] = onnx.helper.make_node("If", [MEASURE], [name], name=node.name, **branches)
    del graph.node[:]
    graph.node.extend(nodes)
    if names:
        graph.input.append(onnx.helper.make_tensor_value_info(MEASURE, onnx.TensorProto.BOOL, []))
    for name in names:
        graph.input.append(onnx.helper.make_tensor_value_info(name + GIVEN, onnx.TensorProto.FLOAT, [None] * 3))
        graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    return names


def _branch(onnx: Any, node: Any) -> Any:
    return onnx.helper.make_graph([node], "branch", [], [onnx.helper.make_empty_tensor_value_info(node.output[0])])


def _spelt_out(node: Any, make: Any, axes_given: bool) -> list[Any]:
    """An InstanceNormalization as the operators it stands for, other nodes as they are."""
    if node.op_type != "InstanceNormalization":
        return [node]
    (y,) = node.output
    x, scale, bias = node.input
    epsilon = next((attribute.f for attribute in node.attribute if attribute.name == "epsilon"), 1e-5)
    name = {suffix: f"{y}_{suffix}" for suffix in ("last", "mean", "off", "square", "variance", "epsilon", "safe")}
    name |= {suffix: f"{y}_{suffix}" for suffix in ("deviation", "unit", "rows", "scale", "bias", "scaled")}

    def mean_of(values: str, suffix: str) -> Any:
        if axes_given:
            return make("ReduceMean", [values, name["last"]], [name[suffix]], name=f"{node.name}_{suffix}")
        return make("ReduceMean", [values], [name[suffix]], name=f"{node.name}_{suffix}", axes=[-1])

    return [
        make("Constant", [], [name["last"]], value_ints=[-1]),
        make("Constant", [], [name["rows"]], value_ints=[-1, 1]),
        make("Constant", [], [name["epsilon"]], value_float=epsilon),
        mean_of(x, "mean"),
        make("Sub", [x, name["mean"]], [name["off"]]),
        make("Mul", [name["off"], name["off"]], [name["square"]]),
        mean_of(name["square"], "variance"),
        make("Add", [name["variance"], name["epsilon"]], [name["safe"]]),
        make("Sqrt", [name["safe"]], [name["deviation"]]),
        make("Div", [name["off"], name["deviation"]], [name["unit"]]),
        make("Reshape", [scale, name["rows"]], [name["scale"]]),
        make("Reshape", [bias, name["rows"]], [name["bias"]]),
        make("Mul", [name["unit"], name["scale"]], [name["scaled"]]),
        make("Add", [name["scaled"], name["bias"]], [y]),
    ]
