"""Quantised convolutions, in the form that is fast on a CPU with VNNI.

The published int8 export quantises weights and activations to bytes without a sign. ONNX Runtime multiplies what is
convolved by VNNI only where it has one; so it is given one (x - 128, and the zero point with it), which changes no
result: the sums are of whole numbers. Without VNNI the same kernel saturates in between, so nothing is changed there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

CPUINFO = Path("/proc/cpuinfo")
SIGN = "sign_bit"
OPSET = 18
"""Has the operator that flips bits."""


def has_vnni(cpuinfo: Path = CPUINFO) -> bool:
    """Whether this machine's CPU multiplies bytes of both kinds exactly, four at a time."""
    flags = cpuinfo.read_text(encoding="ascii", errors="replace") if cpuinfo.is_file() else ""
    return any(flag in ("avx512_vnni", "avx_vnni") for flag in flags.split())


def give_sign(model: Any) -> int:
    """Make the activations of all quantised convolutions in an `onnx.ModelProto` signed; how many those are."""
    import onnx

    node, graph = onnx.helper.make_node, model.graph
    bytes_ = {weight.name for weight in graph.initializer if weight.data_type == onnx.TensorProto.UINT8}
    quantised = {name for node in graph.node if node.op_type == "DynamicQuantizeLinear" for name in node.output}
    opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    nodes: list[Any] = []
    signed: dict[str, str] = {}
    found = 0
    for old in graph.node:
        if (
            opset >= OPSET
            and old.op_type == "ConvInteger"
            and len(old.input) == 4
            and old.input[1] in bytes_
            and {old.input[0], old.input[2]} <= quantised
        ):
            for place in (0, 2):
                name = old.input[place]
                if name not in signed:
                    flipped, signed[name] = f"{name}_flipped", f"{name}_signed"
                    nodes.append(node("BitwiseXor", [name, SIGN], [flipped], name=f"{old.name}_{place}_flipped"))
                    nodes.append(
                        node("Cast", [flipped], [signed[name]], name=f"{old.name}_{place}", to=onnx.TensorProto.INT8)
                    )
                old.input[place] = signed[name]
            found += 1
        nodes.append(old)
    if found:
        graph.initializer.append(onnx.numpy_helper.from_array(np.array(128, np.uint8), SIGN))
        ordered = onnx.helper.make_graph(nodes, graph.name, [], []).node
        del graph.node[:]
        graph.node.extend(ordered)
    return found
