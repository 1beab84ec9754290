"""A model in the format of Kokoro's ONNX exports, with a network small enough to be made by each test run.

The inputs and outputs are those of the real one, and so are its two halves with what they hand over; in between, each
token has a duration and a tone of its own.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper, numpy_helper

RATE_HZ = 24_000
FRAME = 600
"""Samples per unit of a token's duration, as in the real one."""
LETTERS = ';:,.!?¡¿—…"()“” \u0303ʣʥʦʨᵝꭧAIOQSTWYᵊ'
LETTERS += "abcdefhijklmnopqrstuvwxyzɑɐɒæβɔɕçɖðʤəɚɛɜɟɡɥɨɪʝɯɰŋɳɲɴøɸθœɹɾɻʁɽʂʃʈʧʊʋʌɣɤχʎʒʔˈˌːʰʲ↓→↗↘ᵻ"
SILENT = ';:,.!?¡¿—…"()“” ˈˌː'
NUM_TOKENS = 178


def vocabulary() -> dict[str, int]:
    """Number 0 is the silence at both ends."""
    return {letter: 1 + index for index, letter in enumerate(LETTERS)}


def make_kokoro(
    folder: Path,
    *,
    durations: bool = True,
    old_names: bool = True,
    int_speed: bool = False,
    halves: bool = True,
    rounds: int = 1,
) -> Path:
    """A model's folder: network, config.json and voices."""
    folder.mkdir(parents=True, exist_ok=True)
    made = network(durations=durations, old_names=old_names, int_speed=int_speed, halves=halves, rounds=rounds)
    onnx.save(made, folder / "model.onnx")
    (folder / "config.json").write_text(json.dumps({"vocab": vocabulary()}), encoding="utf-8")
    loudness = {"af_heart": 1.0, "am_adam": 0.25, "bf_emma": 2.0, "ef_dora": 1.0, "ff_siwis": 0.5, "jf_alpha": 1.0}
    styles = {name: np.full((510, 1, 256), value, np.float32) for name, value in loudness.items()}
    with (folder / "voices-v1.0.bin").open("wb") as file:
        np.savez(file, **styles)
    return folder


def network(*, durations: bool, old_names: bool, int_speed: bool, halves: bool, rounds: int) -> onnx.ModelProto:
    """Loudness is the style's first number, a letter's tone and duration follow from its number.

    Without ``halves`` its nodes have no names to tell them apart by; with several ``rounds`` its durations are not
    found in it.
    """
    ids, audio = ("tokens", "audio") if old_names else ("input_ids", "waveform")
    numbers = np.arange(NUM_TOKENS)
    units = 3 + numbers % 4
    units[0] = 8
    amplitude = np.full(NUM_TOKENS, 0.1)
    amplitude[[0, *(vocabulary()[letter] for letter in SILENT)]] = 0.0
    constants = {
        "units": units.astype(np.float32),
        "amplitude": amplitude.astype(np.float32),
        "hz": (120 + numbers * 7).astype(np.float32),
        "one": np.array([1.0], np.float32),
        "zero_i": np.array(0, np.int64),
        "one_i": np.array(1, np.int64),
        "first": np.array([0], np.int64),
        "last": np.array([-1], np.int64),
        "axis1": np.array([1], np.int64),
        "rows": np.array([-1, FRAME], np.int64),
        "column": np.array([-1, 1], np.int64),
        "pairs": np.array([-1, 2], np.int64),
        "batch": np.array([1, -1], np.int64),
        "features": np.array([1, 1, -1], np.int64),
        "two": np.array([1, 2], np.int64),
        "zero": np.array([0.0], np.float32),
        "silence": np.array([-10.0], np.float32),
        "speech": np.array([5.0], np.float32),
        "mean": np.full((2, 1), 0.5, np.float32),
        "shape": np.array([-1], np.int64),
        "swell": np.sin(np.pi * np.arange(FRAME) / FRAME).astype(np.float32)[None, :],
        "time": (np.arange(FRAME) * 2 * np.pi / RATE_HZ).astype(np.float32)[None, :],
    }
    node = helper.make_node
    nodes = [
        node("Reshape", [ids, "shape"], ["flat"]),
        node("Gather", ["units", "flat"], ["slow"]),
        node("Cast", ["speed"], ["speed_f"], to=T.FLOAT),
        node("Div", ["slow", "speed_f"], ["fast"]),
        node("Round", ["fast"], ["rounded"]),
        node("Max", ["rounded", "one"], ["kept"]),
        node("Cast", ["kept"], ["duration"], to=T.INT64),
        node("CumSum", ["duration", "zero_i"], ["ends"]),
        node("Gather", ["ends", "last"], ["total1"]),
        node("Squeeze", ["total1"], ["total"]),
        node("Range", ["zero_i", "total", "one_i"], ["frames"]),
        node("Unsqueeze", ["frames", "axis1"], ["frames_col"]),
        node("LessOrEqual", ["ends", "frames_col"], ["past"]),
        node("Cast", ["past"], ["past_i"], to=T.INT64),
        node("ReduceSum", ["past_i", "axis1"], ["index"], keepdims=0),
        node("Gather", ["flat", "index"], ["letters"]),
        node("Gather", ["hz", "letters"], ["pitch"]),
        node("Gather", ["amplitude", "letters"], ["level"]),
        # What the halves hand over: features, melody and loudness, the last two with two values a frame.
        node("Reshape", ["level", "features"], ["asr"]),
        node("Unsqueeze", ["pitch", "axis1"], ["pitch_col"]),
        node("Tile", ["pitch_col", "two"], ["pitch_pairs"]),
        node("Reshape", ["pitch_pairs", "batch"], ["f0"]),
        node("Greater", ["level", "zero"], ["is_loud"]),
        node("Where", ["is_loud", "speech", "silence"], ["loudness"]),
        node("Unsqueeze", ["loudness", "axis1"], ["loudness_col"]),
        node("Tile", ["loudness_col", "two"], ["loudness_pairs"]),
        node("Reshape", ["loudness_pairs", "batch"], ["n"]),
    ]
    nodes += [node("Round", ["speed_f"], [f"round_{number}"]) for number in range(rounds - 1)]
    second = [
        node("Reshape", ["f0", "pairs"], ["f0_pairs"]),
        node("MatMul", ["f0_pairs", "mean"], ["hz_col"]),
        node("Mul", ["hz_col", "time"], ["phase"]),
        node("Sin", ["phase"], ["waves"]),
        node("Reshape", ["waves", "shape"], ["wave"]),
        node("Concat", ["wave", "zero"], ["hum"], axis=0),
        node("Slice", ["hum", "first", "last"], ["heard"], name="noise_convs"),
        node("Reshape", ["heard", "rows"], ["hum_rows"]),
        node("Mul", ["hum_rows", "swell"], ["tone"]),
        node("Reshape", ["n", "pairs"], ["n_pairs"]),
        node("MatMul", ["n_pairs", "mean"], ["n_col"]),
        node("Greater", ["n_col", "zero"], ["gate"]),
        node("Cast", ["gate"], ["gate_f"], to=T.FLOAT),
        node("Reshape", ["asr", "column"], ["level_col"]),
        node("Gather", ["style", "first"], ["loud_all"], axis=1),
        node("Mul", ["level_col", "loud_all"], ["scaled"]),
        node("Mul", ["scaled", "gate_f"], ["gated"]),
        node("Mul", ["tone", "gated"], ["sound"]),
        node("Reshape", ["sound", "shape"], [audio]),
    ]
    for index, one in enumerate(second):
        one.name = f"/decoder/generator/{one.name}/{index}" if halves else ""
    nodes += second
    outputs = [helper.make_tensor_value_info(audio, T.FLOAT, ["num_samples"])]
    if durations:
        outputs.append(helper.make_tensor_value_info("duration", T.INT64, ["n"]))
    graph = helper.make_graph(
        nodes,
        "kokoro",
        [
            helper.make_tensor_value_info(ids, T.INT64, [1, "n"]),
            helper.make_tensor_value_info("style", T.FLOAT, [1, 256]),
            helper.make_tensor_value_info("speed", T.INT32 if int_speed else T.FLOAT, [1]),
        ],
        outputs,
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model
