"""A streaming LSTM transducer in sherpa-onnx's format, small and with random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

NUM_MELS, HIDDEN, CHUNK_FRAMES, SHIFT_FRAMES, CONTEXT = 80, 32, 13, 8, 2
TOKENS = ("<blk>", "<sos/eos>", "<unk>", "▁YES", "▁NO", "▁T", "WO", "▁", "S", "E", "O")


def write_transducer(folder: Path, suffix: str = ".onnx", seed: int = 1) -> Path:
    """Encoder, decoder, joiner and tokens.txt, as icefall exports them. Returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    _save(folder / f"encoder-epoch-99-avg-1{suffix}", _encoder(rng))
    _save(folder / f"decoder-epoch-99-avg-1{suffix}", _decoder(rng))
    _save(folder / f"joiner-epoch-99-avg-1{suffix}", _joiner(rng))
    lines = "".join(f"{token} {number}\n" for number, token in enumerate(TOKENS))
    (folder / "tokens.txt").write_text(lines, encoding="utf-8")
    return folder


def _encoder(rng: np.random.Generator) -> onnx.ModelProto:
    weights = {
        "w": rng.normal(0, 0.1, (1, 4 * HIDDEN, NUM_MELS)),
        "r": rng.normal(0, 0.3, (1, 4 * HIDDEN, HIDDEN)),
    }
    nodes = [
        # Every fourth frame, as the convolutions of a real encoder leave.
        helper.make_node("Slice", ["x", "start", "end", "axis", "step"], ["frames"]),
        helper.make_node("Transpose", ["frames"], ["by_time"], perm=[1, 0, 2]),
        helper.make_node(
            "LSTM", ["by_time", "w", "r", "", "", "h", "c"], ["y", "next_h", "next_c"], hidden_size=HIDDEN
        ),
        helper.make_node("Squeeze", ["y", "axis"], ["out_by_time"]),
        helper.make_node("Transpose", ["out_by_time"], ["encoder_out"], perm=[1, 0, 2]),
    ]
    state = [1, "N", HIDDEN]
    model = _model(
        nodes,
        [_floats("x", ["N", CHUNK_FRAMES, NUM_MELS]), _floats("h", state), _floats("c", state)],
        [_floats("encoder_out", ["N", "T", HIDDEN]), _floats("next_h", state), _floats("next_c", state)],
        weights,
        {"start": [0], "end": [SHIFT_FRAMES], "axis": [1], "step": [4]},
    )
    metadata = {
        "model_type": "lstm", "version": "1", "model_author": "test", "num_encoder_layers": 1, "T": CHUNK_FRAMES,
        "decode_chunk_len": SHIFT_FRAMES, "rnn_hidden_size": HIDDEN, "d_model": HIDDEN,
    }  # fmt: skip
    helper.set_model_props(model, {key: str(value) for key, value in metadata.items()})
    return model


def _decoder(rng: np.random.Generator) -> onnx.ModelProto:
    nodes = [
        helper.make_node("Gather", ["embedding", "y"], ["embedded"], axis=0),
        helper.make_node("ReduceMean", ["embedded"], ["decoder_out"], axes=[1], keepdims=0),
    ]
    model = _model(
        nodes,
        [helper.make_tensor_value_info("y", TensorProto.INT64, ["N", CONTEXT])],
        [_floats("decoder_out", ["N", HIDDEN])],
        {"embedding": rng.normal(0, 1, (len(TOKENS), HIDDEN))},
    )
    helper.set_model_props(model, {"vocab_size": str(len(TOKENS)), "context_size": str(CONTEXT)})
    return model


def _joiner(rng: np.random.Generator) -> onnx.ModelProto:
    weight = rng.normal(0, 1, (HIDDEN, len(TOKENS)))
    weight[:, 1:3] = 0  # <sos/eos> and <unk> are no words
    nodes = [
        helper.make_node("Add", ["encoder_out", "decoder_out"], ["sum"]),
        helper.make_node("Tanh", ["sum"], ["joined"]),
        helper.make_node("MatMul", ["joined", "weight"], ["logit"]),
    ]
    model = _model(
        nodes,
        [_floats("encoder_out", ["N", HIDDEN]), _floats("decoder_out", ["N", HIDDEN])],
        [_floats("logit", ["N", len(TOKENS)])],
        {"weight": weight},
    )
    helper.set_model_props(model, {"joiner_dim": str(HIDDEN)})
    return model


def _floats(name: str, shape: list[int | str]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _model(
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
    weights: dict[str, np.ndarray],
    indexes: dict[str, list[int]] | None = None,
) -> onnx.ModelProto:
    constants = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()]
    constants += [numpy_helper.from_array(np.array(value, np.int64), name) for name, value in (indexes or {}).items()]
    graph = helper.make_graph(nodes, "transducer", inputs, outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def _save(path: Path, model: onnx.ModelProto) -> None:
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
