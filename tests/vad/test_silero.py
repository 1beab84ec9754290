import numpy as np
import onnxruntime
import pytest

from ringline.workers.base import CannotStart
from ringline.workers.capture import silero
from ringline.workers.capture.silero import MEMORY, SileroModel
from ringline.workers.capture.windows import CONTEXT, WINDOW


def windows_of(samples):
    """[n, CONTEXT + WINDOW] float32: each window with the samples before it."""
    samples = samples[: len(samples) // WINDOW * WINDOW].astype(np.float32) / 32_768
    padded = np.concatenate([np.zeros(CONTEXT, np.float32), samples])
    return np.stack([padded[i : i + CONTEXT + WINDOW] for i in range(0, len(samples), WINDOW)])


@pytest.fixture
def streams(say):
    """Windows of six streams, [time, stream, CONTEXT + WINDOW]: speech at four levels and delays, noise, silence."""
    speech = say("I would like to book an appointment.")
    length = 40 * WINDOW
    made = []
    for index, gain in enumerate([1.0, 0.5, 0.1, 0.02]):
        made.append(np.concatenate([np.zeros(1_000 * index, np.int16), (speech * gain).astype(np.int16)]))
    made.append(np.random.default_rng(0).integers(-3_000, 3_000, length).astype(np.int16))
    made.append(np.zeros(length, np.int16))
    padded = [np.concatenate([each, np.zeros(length, np.int16)])[:length] for each in made]
    return np.stack([windows_of(each) for each in padded], axis=1)


def test_a_batch_gives_each_stream_what_the_unpatched_file_gives_it_alone(streams):
    original = onnxruntime.InferenceSession(silero._bundled_file(), providers=["CPUExecutionProvider"])
    start = np.zeros((1, 1, MEMORY), np.float32)
    alone = [
        original.run(["speech_probs"], {"input": streams[:, stream], "h": start, "c": start})[0]
        for stream in range(streams.shape[1])
    ]
    model = SileroModel()
    memory = np.zeros((2, streams.shape[1], MEMORY), np.float32)
    together = []
    for moment in streams:
        speech, memory = model.run(moment, memory)
        together.append(speech)
    # 0.0 where it was measured; another processor's kernels may sum a batch in another order.
    assert np.abs(np.stack(together) - np.stack(alone, axis=1)).max() <= 1e-5


def test_it_tells_speech_from_noise_and_silence(streams):
    model = SileroModel()
    memory = np.zeros((2, streams.shape[1], MEMORY), np.float32)
    together = []
    for moment in streams:
        speech, memory = model.run(moment, memory)
        together.append(speech)
    loudest = np.stack(together).max(axis=0)
    assert (loudest[:3] > 0.9).all()
    assert (loudest[4:] < 0.35).all()


@pytest.mark.parametrize("name", ["silero_vad.onnx", "silero_vad_16k_op15.onnx", "silero_vad_op18_ifless.onnx"])
def test_silero_s_own_files_work_too(speech, streams, name):
    file = speech / "models" / "silero-vad" / name
    if not file.is_file():
        pytest.skip(f"no {file}")
    model = SileroModel(str(file))
    memory = np.zeros((2, streams.shape[1], MEMORY), np.float32)
    loudest = np.zeros(streams.shape[1], np.float32)
    for moment in streams:
        probabilities, memory = model.run(moment, memory)
        loudest = np.maximum(loudest, probabilities)
    assert (loudest[:3] > 0.9).all()
    assert (loudest[4:] < 0.5).all()


def test_a_missing_file_is_named():
    with pytest.raises(CannotStart, match=r"no Silero VAD file at /nowhere/silero\.onnx"):
        SileroModel("/nowhere/silero.onnx")


def test_a_file_that_is_no_model_is_named(tmp_path):
    file = tmp_path / "garbage.onnx"
    file.write_bytes(b"garbage")
    with pytest.raises(CannotStart, match=r"garbage\.onnx cannot be used"):
        SileroModel(str(file))


def test_another_model_is_named(tmp_path):
    onnx = pytest.importorskip("onnx")
    number = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    result = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "other", [number], [result])
    file = tmp_path / "other.onnx"
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9)
    file.write_bytes(model.SerializeToString())
    with pytest.raises(CannotStart, match=r"no Silero VAD that Ringline knows: it takes x"):
        SileroModel(str(file))


def test_a_wheel_with_another_graph_is_named():
    onnx = pytest.importorskip("onnx")
    model = onnx.load(silero._bundled_file())
    strides = [one for node in model.graph.node for one in node.attribute if one.name == "strides"]
    strides[2].ints[0] = 3
    with pytest.raises(CannotStart, match=r"layout of the one in faster-whisper"):
        silero.many_streams(model.SerializeToString())


def test_without_faster_whisper_it_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(silero.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CannotStart, match="faster-whisper, which is not installed"):
        SileroModel()
