"""Voices in Piper's format, with a network small enough to be made by each test run.

The inputs and outputs are those of the real one, and the lengths of its phonemes are rounded by a Ceil as there; in
between, each phoneme has a duration and a tone of its own.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper, numpy_helper

RATE_HZ = 22_050
HOP = 256
SPECIAL = "_^$ "
SILENT = "_^$ !'(),-.:;?\"ˈˌː"
LETTERS = "!'(),-.:;?abcdefhijklmnopqrstuvwxyzæçðøħŋœɐɑɒɓɔɕɖɗɘəɚɛɜɞɟɠɡɢɣɤɥɦɧɨɪɫɬɭɮɯɰɱɲɳɴɵɶɸɹɺɻɽɾʀʁʂʃʄʈʉʊʋʌʍʎʏʐʑʒʔʕ"
LETTERS += 'ʘʙʛʜʝʟʡʢʲˈˌːˑ˞βθχᵻⱱ\u0327\u0303\u032a\u032f\u0329ʰˤε"—'


def make_piper(folder: Path, name: str = "en_US-test-medium", *, espeak: str = "en-us", speakers: int = 1) -> Path:
    """A folder with one voice in it. Its speakers are called s0, s1 ..., each half as loud as the one before."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(network(speakers), folder / f"{name}.onnx")
    letters = SPECIAL + LETTERS
    description = {
        "audio": {"sample_rate": RATE_HZ, "quality": "medium"},
        "espeak": {"voice": espeak},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_type": "espeak",
        "phoneme_map": {},
        "phoneme_id_map": {letter: [number] for number, letter in enumerate(letters)},
        "num_symbols": 256,
        "num_speakers": speakers,
        "speaker_id_map": {f"s{number}": number for number in range(speakers)} if speakers > 1 else {},
        "piper_version": "1.0.0",
    }
    (folder / f"{name}.onnx.json").write_text(json.dumps(description), encoding="utf-8")
    return folder


def network(speakers: int) -> onnx.ModelProto:
    """A letter's tone and duration follow from its number."""
    numbers = np.arange(256)
    letters = SPECIAL + LETTERS
    amplitude = np.full(256, 0.1)
    amplitude[[letters.index(letter) for letter in SILENT]] = 0.0
    amplitude[letters.index("_")] = 0.05
    constants = {
        "units": (2.0 + numbers % 4).astype(np.float32),
        "amplitude": amplitude.astype(np.float32),
        "hz": (150 + numbers * 7).astype(np.float32),
        "loudness": (0.5 ** np.arange(speakers)).astype(np.float32),
        "zero": np.array([0], np.int64),
        "zero_i": np.array(0, np.int64),
        "one_i": np.array(1, np.int64),
        "one": np.array([1], np.int64),
        "last": np.array([-1], np.int64),
        "shape": np.array([-1], np.int64),
        "shape3": np.array([1, 1, -1], np.int64),
        "shape4": np.array([1, 1, 1, -1], np.int64),
        "swell": np.sin(np.pi * np.arange(HOP) / HOP).astype(np.float32)[None, :],
        "time": (np.arange(HOP) * 2 * np.pi / RATE_HZ).astype(np.float32)[None, :],
    }
    node = helper.make_node
    nodes = [
        node("Reshape", ["input", "shape"], ["flat"]),
        node("Gather", ["units", "flat"], ["normal"]),
        node("Gather", ["scales", "one"], ["length_scale"]),
        node("Mul", ["normal", "length_scale"], ["w"]),
        node("Reshape", ["w", "shape3"], ["w3"]),
        node("Ceil", ["w3"], ["w_ceil"]),
        node("Reshape", ["w_ceil", "shape"], ["w_flat"]),
        node("Cast", ["w_flat"], ["w_int"], to=T.INT64),
        node("CumSum", ["w_int", "zero_i"], ["ends"]),
        node("Gather", ["ends", "last"], ["total1"]),
        node("Squeeze", ["total1"], ["total"]),
        node("Range", ["zero_i", "total", "one_i"], ["frames"]),
        node("Unsqueeze", ["frames", "one"], ["frames_col"]),
        node("LessOrEqual", ["ends", "frames_col"], ["past"]),
        node("Cast", ["past"], ["past_i"], to=T.INT64),
        node("ReduceSum", ["past_i", "one"], ["index"], keepdims=0),
        node("Gather", ["flat", "index"], ["letters"]),
        node("Gather", ["hz", "letters"], ["pitch"]),
        node("Gather", ["amplitude", "letters"], ["level"]),
        node("Unsqueeze", ["pitch", "one"], ["pitch_col"]),
        node("Mul", ["pitch_col", "time"], ["phase"]),
        node("Sin", ["phase"], ["wave"]),
        node("Mul", ["wave", "swell"], ["tone"]),
        node("Unsqueeze", ["level", "one"], ["level_col"]),
        node("Gather", ["loudness", "sid" if speakers > 1 else "zero"], ["loud"]),
        node("Mul", ["level_col", "loud"], ["scaled"]),
        node("Mul", ["tone", "scaled"], ["sound"]),
        node("Reshape", ["sound", "shape4"], ["output"]),
    ]
    inputs = [
        helper.make_tensor_value_info("input", T.INT64, [1, "n"]),
        helper.make_tensor_value_info("input_lengths", T.INT64, [1]),
        helper.make_tensor_value_info("scales", T.FLOAT, [3]),
    ]
    if speakers > 1:
        inputs.append(helper.make_tensor_value_info("sid", T.INT64, [1]))
    graph = helper.make_graph(
        nodes,
        "piper",
        inputs,
        [helper.make_tensor_value_info("output", T.FLOAT, [1, 1, 1, "num_samples"])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model
