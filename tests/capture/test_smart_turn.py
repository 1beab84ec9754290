"""Smart Turn's input and output, with a small model of the same signature, and with the real one where there is one."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from ringline.engine.config import TurnConfig
from ringline.workers.base import CannotStart
from ringline.workers.capture.judge import load_model
from ringline.workers.capture.prosody.smart_turn import INSTALLED, NUM_FRAMES, NUM_MELS, SmartTurn, committed, find


def save(path: Path, frames: int = NUM_FRAMES) -> str:
    """A sigmoid over the mean of the last 100 frames."""
    taken = helper.make_tensor("first", TensorProto.INT64, [1], [frames - 100])
    ends = helper.make_tensor("last", TensorProto.INT64, [1], [frames])
    axes = helper.make_tensor("axes", TensorProto.INT64, [1], [2])
    graph = helper.make_graph(
        [
            helper.make_node("Slice", ["input_features", "first", "last", "axes"], ["end"]),
            helper.make_node("ReduceMean", ["end"], ["mean"], axes=[1, 2], keepdims=0),
            helper.make_node("Sigmoid", ["mean"], ["sigmoid"]),
            helper.make_node("Unsqueeze", ["sigmoid", "one"], ["logits"]),
        ],
        "smart_turn",
        [helper.make_tensor_value_info("input_features", TensorProto.FLOAT, ["batch", NUM_MELS, frames])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 1])],
        [taken, ends, axes, helper.make_tensor("one", TensorProto.INT64, [1], [1])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return str(path)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> SmartTurn:
    return SmartTurn(save(tmp_path_factory.mktemp("smart") / "turn.onnx"))


@pytest.fixture(scope="module")
def installed() -> Path:
    """The real file."""
    try:
        return find(INSTALLED)
    except CannotStart as error:
        pytest.skip(str(error))


def reference(file: Path) -> Any:
    """Pipecat's own feature extraction, without importing pipecat."""
    source = file.parent.parent / "_whisper_features.py"
    spec = importlib.util.spec_from_file_location("whisper_features_of_pipecat", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.compute_whisper_log_mel_features


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(-3_000, 3_000, samples, np.int16)


def test_features_have_the_shape_of_eight_seconds(model: SmartTurn) -> None:
    features = model.features(noise(48_000))
    assert features.shape == (NUM_MELS, NUM_FRAMES)
    assert features.dtype == np.float32


def test_short_turns_stand_at_the_end_of_the_window(model: SmartTurn) -> None:
    features = model.features(noise(16_000))
    assert features[:, :690].std() < 0.05
    assert features[:, 710:].mean() > features[:, :690].mean() + 0.5


def test_only_the_last_eight_seconds_count(model: SmartTurn) -> None:
    sound = noise(160_000)
    np.testing.assert_array_equal(model.features(sound), model.features(sound[-128_000:]))


def test_features_do_not_depend_on_level(model: SmartTurn) -> None:
    sound = noise(128_000)
    np.testing.assert_allclose(model.features(sound), model.features(sound * 4), atol=0.01)


def test_probability_comes_from_speech_and_silence(model: SmartTurn) -> None:
    quiet = np.zeros(16_000, np.int16)
    speaking, silent = model.finished(noise(64_000), quiet[:0]), model.finished(noise(64_000), quiet)
    assert speaking is not None
    assert silent is not None
    assert 0.0 <= silent < speaking <= 1.0


def test_nothing_heard_is_no_opinion(model: SmartTurn) -> None:
    assert model.finished(np.zeros(16_000, np.int16), np.zeros(0, np.int16)) is None


@pytest.mark.parametrize("samples", [3_000, 48_000, 128_000, 150_000])
def test_features_are_those_of_pipecat(installed: Path, model: SmartTurn, samples: int) -> None:
    sound = noise(samples)
    window = np.zeros(128_000, np.float32)
    window[max(0, 128_000 - samples) :] = sound[-128_000:] / np.float32(32_768)
    np.testing.assert_allclose(model.features(sound), reference(installed)(window), atol=1e-4)


def test_installed_file_is_found_without_importing_pipecat(installed: Path) -> None:
    loaded = set(sys.modules)
    load_model(TurnConfig(smart_turn=INSTALLED))
    assert not any(name.split(".")[0] == "pipecat" for name in set(sys.modules) - loaded)


def test_the_committed_head_reads_the_encoder_of_the_installed_file(installed: Path) -> None:
    heard = SmartTurn(str(installed)).hear(noise(64_000), noise(3_200) // 100)
    assert heard.encoder is not None
    assert heard.encoder.shape == (len(committed().weights),)


def save_with_encoder(path: Path) -> str:
    """The encoder's output is 7, its second layer's 2, its third's 3; the network's own word is 0.5."""
    inputs = [helper.make_tensor_value_info("input_features", TensorProto.FLOAT, ["batch", NUM_MELS, NUM_FRAMES])]
    constants = {"none": 0.0, "two": 2.0, "three": 3.0}
    of_channels = {"inner.encoder.layer_norm.bias": 7.0, "bias": 0.0, "inner.encoder.layer_norm.weight": 0.0} | {
        f"inner.encoder.layers.{layer}.self_attn_layer_norm.weight": 1.0 for layer in (2, 3)
    }
    norm = "LayerNormalization"
    graph = helper.make_graph(
        [
            helper.make_node("Transpose", ["input_features"], ["steps"], perm=[0, 2, 1]),
            helper.make_node("Mul", ["steps", "none"], ["zero"]),
            helper.make_node("Add", ["zero", "two"], ["second"]),
            helper.make_node("Add", ["zero", "three"], ["third"]),
            helper.make_node(norm, ["second", "inner.encoder.layers.2.self_attn_layer_norm.weight", "bias"], ["n2"]),
            helper.make_node(norm, ["third", "inner.encoder.layers.3.self_attn_layer_norm.weight", "bias"], ["n3"]),
            helper.make_node("Add", ["n2", "n3"], ["sum"]),
            helper.make_node(
                norm, ["sum", "inner.encoder.layer_norm.weight", "inner.encoder.layer_norm.bias"], ["encoder"]
            ),
            helper.make_node("ReduceMean", ["zero"], ["mean"], axes=[2], keepdims=0),
            helper.make_node("Sigmoid", ["mean"], ["logits"]),
        ],
        "smart_turn",
        inputs,
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", NUM_FRAMES])],
        [helper.make_tensor(name, TensorProto.FLOAT, [], [value]) for name, value in constants.items()]
        + [helper.make_tensor(name, TensorProto.FLOAT, [80], [value] * 80) for name, value in of_channels.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return str(path)


def test_encoder_is_its_output_and_the_two_layers_below(tmp_path: Path) -> None:
    heard = SmartTurn(save_with_encoder(tmp_path / "turn.onnx")).hear(noise(64_000), noise(3_200) // 100)
    assert heard.encoder is not None
    np.testing.assert_array_equal(heard.encoder, np.repeat([7.0, 2.0, 3.0], NUM_MELS))


def test_a_network_without_a_known_encoder_has_its_own_word(model: SmartTurn) -> None:
    assert model.hear(noise(64_000), noise(3_200) // 100).encoder is None


def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CannotStart, match="pip install --no-deps pipecat-ai"):
        find(INSTALLED)


def test_configuration_names_the_file(tmp_path: Path) -> None:
    path = save(tmp_path / "turn.onnx")
    assert isinstance(load_model(TurnConfig(smart_turn=path)), SmartTurn)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"\[turn\] smart_turn: there is no model"):
        load_model(TurnConfig(smart_turn=str(tmp_path / "none.onnx")))


def test_model_of_the_store_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGLINE_MODELS", str(tmp_path))
    file = tmp_path / "smart-turn-v3" / "smart-turn-v3.2-cpu.onnx"
    file.parent.mkdir()
    file.touch()
    assert find("smart-turn-v3") == file


def test_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(CannotStart, match="no ONNX model"):
        SmartTurn(str(tmp_path / "text.onnx"))


def test_model_of_another_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="no Smart Turn v3 model"):
        SmartTurn(save(tmp_path / "other.onnx", frames=400))
