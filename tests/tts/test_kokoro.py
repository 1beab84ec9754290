"""Kokoro: its files in all their forms, voices and blends, languages, the alphabet."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench.kokoro_stretches import SENTENCES, joints
from bench.models.kokoro import make_kokoro, vocabulary
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import InferenceSession

from ringline.engine.config import KokoroTts
from ringline.workers.base import CannotStart
from ringline.workers.tts.backend import Order
from ringline.workers.tts.kokoro.alphabet import in_kokoros_letters
from ringline.workers.tts.kokoro.convolutions import give_sign
from ringline.workers.tts.kokoro.model import LENGTHS, MAX_TOKENS, KokoroModel
from ringline.workers.tts.kokoro.norms import GIVEN, MEASURE, take_statistics
from ringline.workers.tts.kokoro.voices import Voices, parse
from ringline.workers.tts.pieces import Piece


def loaded(folder: Path, **keys: Any) -> KokoroModel:
    model = KokoroModel(KokoroTts(model=str(folder), **keys))
    model.load()
    return model


def sounds(model: KokoroModel, text: str, **fields: Any) -> list[Any]:
    return list(model.speak(Piece(text, 0, 0), Order(text, **fields)))


@pytest.mark.parametrize("old_names", [True, False])
@pytest.mark.parametrize("int_speed", [True, False])
def test_exports_of_all_forms_are_taken(tmp_path: Path, old_names: bool, int_speed: bool) -> None:
    found = sounds(loaded(make_kokoro(tmp_path, old_names=old_names, int_speed=int_speed)), "Good morning.")
    assert sum(sound.samples.shape[0] for sound in found) > 12_000
    assert [char for sound in found for char, _ in sound.words] == [0, 5]


@pytest.mark.parametrize("halves", [True, False])
def test_durations_that_are_no_output_are_found_in_the_network(tmp_path: Path, halves: bool) -> None:
    found = sounds(loaded(make_kokoro(tmp_path, durations=False, halves=halves)), "Good morning.")
    assert [char for sound in found for char, _ in sound.words] == [0, 5]


def test_export_whose_durations_are_not_found_says_so_and_marks_no_words(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (sound,) = sounds(loaded(make_kokoro(tmp_path, durations=False, rounds=2)), "Good morning.")
    assert list(sound.words) == []
    assert sum("does not tell where words begin" in message for message in caplog.messages) == 1


def test_stretches_joined_are_what_the_network_makes_whole(tmp_path: Path) -> None:
    text = "Your appointment number twelve is on Monday morning"
    (whole,) = sounds(loaded(make_kokoro(tmp_path / "whole", halves=False)), text)
    parts = sounds(loaded(make_kokoro(tmp_path / "halves")), text)
    assert len(parts) > 2
    joined = np.concatenate([part.samples for part in parts])
    begin = int(np.flatnonzero(np.abs(whole.samples) > 1e-3)[0]) - int(np.flatnonzero(np.abs(joined) > 1e-3)[0])
    assert np.allclose(joined, whole.samples[begin : begin + joined.shape[0]], atol=1e-4)


def test_words_of_stretches_begin_where_those_of_the_whole_do(tmp_path: Path) -> None:
    text = "Your appointment number twelve is on Monday morning"
    (whole,) = sounds(loaded(make_kokoro(tmp_path / "whole", halves=False)), text)
    marks, start = [], 0
    for part in sounds(loaded(make_kokoro(tmp_path / "halves")), text):
        marks += [(char, start + sample) for char, sample in part.words]
        start += part.samples.shape[0]
    silence = whole.words[1][1] - marks[1][1]
    assert [(char, sample + silence) for char, sample in marks[1:]] == list(whole.words)[1:]


def test_each_sound_tells_how_long_the_next_will_be(tmp_path: Path) -> None:
    found = sounds(loaded(make_kokoro(tmp_path)), "Your appointment number twelve is on Monday morning")
    assert found[-1].next_s == 0
    for before, after in itertools.pairwise(found):
        assert abs(before.next_s - after.samples.shape[0] / 24_000) < 0.05


def test_layout_of_the_published_conversion_is_taken(tmp_path: Path) -> None:
    """onnx/model.onnx, tokenizer.json, voices/NAME.bin of raw floats, and a config.json without an alphabet."""
    folder = make_kokoro(tmp_path)
    (folder / "onnx").mkdir()
    (folder / "model.onnx").rename(folder / "onnx" / "model.onnx")
    (folder / "config.json").write_text('{"model_type": "style_text_to_speech_2"}', encoding="utf-8")
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocabulary()}}), encoding="utf-8")
    (folder / "voices-v1.0.bin").unlink()
    (folder / "voices").mkdir()
    np.ones((510, 1, 256), np.float32).tofile(folder / "voices" / "af_heart.bin")
    assert sounds(loaded(folder), "Good morning.")
    assert sounds(loaded(folder / "onnx" / "model.onnx"), "Good morning.")


@pytest.mark.parametrize(
    ("file", "named"), [("model.onnx", "onnx"), ("config.json", "config.json"), ("voices-v1.0.bin", "voices")]
)
def test_file_that_is_missing_is_named(tmp_path: Path, file: str, named: str) -> None:
    (make_kokoro(tmp_path) / file).unlink()
    with pytest.raises(CannotStart, match=named):
        loaded(tmp_path)


@pytest.mark.parametrize("text", ["[1]", "null", '"x"', "{", '{"vocab": [1]}', '{"vocab": {"a": null}}'])
@pytest.mark.parametrize("file", ["config.json", "tokenizer.json"])
def test_alphabet_that_is_none_is_refused_with_its_file(tmp_path: Path, file: str, text: str) -> None:
    folder = make_kokoro(tmp_path)
    (folder / "config.json").write_text("{}", encoding="utf-8")
    content = f'{{"model": {text}}}' if file == "tokenizer.json" else text
    (folder / file).write_text(content, encoding="utf-8")
    with pytest.raises(CannotStart, match=file):
        loaded(folder)


@pytest.mark.parametrize("content", [b"PK", b"PK\x03\x04 and no archive"])
def test_archive_of_voices_that_is_broken_is_refused_with_its_file(tmp_path: Path, content: bytes) -> None:
    folder = make_kokoro(tmp_path)
    (folder / "voices-v1.0.bin").write_bytes(content)
    with pytest.raises(CannotStart, match=r"voices-v1\.0\.bin"):
        loaded(folder)


def test_voice_whose_file_is_broken_is_refused_with_its_file(tmp_path: Path) -> None:
    folder = make_kokoro(tmp_path)
    (folder / "am_broken.npy").write_bytes(b"no numbers")
    with pytest.raises(ValueError, match=r"am_broken\.npy"):
        Voices(folder).styles("am_broken")


def test_network_that_is_another_is_refused(tmp_path: Path) -> None:
    folder = make_kokoro(tmp_path)
    (folder / "model.onnx").write_bytes(b"not a network")
    with pytest.raises(CannotStart, match=r"model\.onnx cannot be loaded"):
        loaded(folder)


def test_several_networks_in_a_folder_ask_for_a_name(tmp_path: Path) -> None:
    folder = make_kokoro(tmp_path)
    (folder / "model_q8.onnx").write_bytes((folder / "model.onnx").read_bytes())
    with pytest.raises(CannotStart, match=r"model\.onnx, model_q8\.onnx"):
        loaded(folder)
    assert sounds(loaded(folder / "model_q8.onnx"), "Good morning.")


def test_signed_convolutions_give_the_same_sums() -> None:
    generator = np.random.default_rng(1)
    weights = numpy_helper.from_array(generator.integers(0, 256, (8, 8, 3)).astype(np.uint8), "weights")
    zero = numpy_helper.from_array(np.array(131, np.uint8), "weights_zero")
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["bytes", "scale", "bytes_zero"]),
        helper.make_node("ConvInteger", ["bytes", "weights", "bytes_zero", "weights_zero"], ["y"], pads=[1, 1]),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 8, 40])
    y = helper.make_tensor_value_info("y", TensorProto.INT32, [1, 8, 40])
    graph = helper.make_graph(nodes, "one", [x], [y], [weights, zero])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    values = {"x": generator.standard_normal((1, 8, 40)).astype(np.float32)}
    plain = InferenceSession(model.SerializeToString()).run(None, values)[0]
    assert give_sign(model) == 1
    assert np.array_equal(InferenceSession(model.SerializeToString()).run(None, values)[0], plain)


def normalising(nodes: list[Any], weights: list[Any], opset: int) -> Any:
    """A network x -> y of 4 channels."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4, None]) for name in "xy")
    graph = helper.make_graph(nodes, "one", [x], [y], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


BY_OPERATOR = [helper.make_node("InstanceNormalization", ["x", "scale", "bias"], ["y"], name="norm")]
SPELT_OUT = [
    helper.make_node("ReduceMean", ["x", "time"], ["mean"]),
    helper.make_node("Sub", ["x", "mean"], ["off"]),
    helper.make_node("Mul", ["off", "off"], ["square"]),
    helper.make_node("ReduceMean", ["square", "time"], ["variance"]),
    helper.make_node("Sqrt", ["variance"], ["deviation"]),
    helper.make_node("Div", ["off", "deviation"], ["y"]),
]


@pytest.mark.parametrize(
    ("nodes", "opset"),
    [(BY_OPERATOR, 17), (BY_OPERATOR, 18), (SPELT_OUT, 18)],
    ids=["operator, older", "operator", "spelt out"],
)
def test_part_normalised_by_the_statistics_of_the_whole_is_that_part_of_the_whole(nodes: list[Any], opset: int) -> None:
    generator = np.random.default_rng(2)
    values = {name: generator.standard_normal(4).astype(np.float32) for name in ("scale", "bias")}
    weights = [numpy_helper.from_array(array, name) for name, array in {**values, "time": np.array([2])}.items()]
    x = (generator.standard_normal((1, 4, 90)) * np.linspace(1, 9, 90)).astype(np.float32)
    model = normalising(nodes, weights, opset)
    (plain,) = InferenceSession(model.SerializeToString()).run(None, {"x": x})
    names = take_statistics(model)
    assert len(names) == 2
    session = InferenceSession(model.SerializeToString())
    nothing = {name + GIVEN: np.zeros((1, 1, 1), np.float32) for name in names}
    whole, *measured = session.run(None, {"x": x, MEASURE: np.array(True), **nothing})
    assert np.allclose(whole, plain, atol=1e-5)
    given = {name + GIVEN: values for name, values in zip(names, measured, strict=True)}
    part = session.run(None, {"x": x[..., :30], MEASURE: np.array(False), **given})[0]
    assert np.allclose(part, plain[..., :30], atol=1e-5)


def test_blend_is_the_weighted_mean(tmp_path: Path) -> None:
    voices = Voices(make_kokoro(tmp_path))
    assert np.allclose(voices.styles("af_heart+am_adam"), (1.0 + 0.25) / 2)
    assert np.allclose(voices.styles("af_heart:0.7, am_adam:0.3"), 0.7 + 0.3 * 0.25)
    assert np.allclose(voices.styles("af_heart:2,bf_emma:2"), 1.5)


@pytest.mark.parametrize("voice", ["af_heart:x", "af_heart:-1", "af_heart:0", "af_heart:inf", "af_heart:nan"])
def test_weights_that_are_none_are_refused(voice: str) -> None:
    with pytest.raises(ValueError, match="weight"):
        parse(voice)


def test_unknown_voice_is_refused_with_those_there_are(tmp_path: Path) -> None:
    model = loaded(make_kokoro(tmp_path))
    with pytest.raises(ValueError, match=r"af_nobody.*am_adam"):
        model.check(Order("Hello.", "af_heart+af_nobody"))


def test_language_follows_the_voice_unless_the_agent_has_another(tmp_path: Path) -> None:
    model = loaded(make_kokoro(tmp_path))
    text = "casa bella"
    own = sounds(model, text, voice="ef_dora")[0].samples
    assert np.array_equal(own, sounds(model, text, voice="ef_dora", language="es-MX")[0].samples)
    assert not np.array_equal(own, sounds(model, text, voice="ef_dora", language="fr")[0].samples)


@pytest.mark.parametrize("fields", [{"voice": "jf_alpha"}, {"language": "de"}], ids=str)
def test_language_it_does_not_speak_is_refused(tmp_path: Path, fields: dict[str, str]) -> None:
    model = loaded(make_kokoro(tmp_path))
    with pytest.raises(ValueError, match="language"):
        model.check(Order("Hello.", **fields))


def test_text_of_more_tokens_than_fit_is_made_in_several_runs(tmp_path: Path) -> None:
    model = loaded(make_kokoro(tmp_path))
    text = "internationalisation " * 30
    found = sounds(model, text)
    assert len(found) > 2
    chars = [char for sound in found for char, _ in sound.words]
    assert chars == list(range(0, len(text), 21))
    assert MAX_TOKENS == 510


def test_dictionary_replaces_phonemes_of_its_words_only(tmp_path: Path) -> None:
    model = loaded(make_kokoro(tmp_path, halves=False))
    plain, other = (sounds(model, "Dear Nguyen, hello", phonemes=table)[0] for table in ({}, {"nguyen": "wˈɪn"}))
    assert [char for char, _ in plain.words] == [char for char, _ in other.words] == [0, 5, 13]
    assert plain.words[1] == other.words[1]
    assert plain.words[2] != other.words[2]


@pytest.mark.parametrize(
    ("espeak", "voice", "kokoro"),
    [
        ("həlˈo^ʊ", "en-us", "həlˈO"),
        ("həlˈə^ʊ", "en-gb", "həlˈQ"),
        ("tədˈe^ɪ", "en-us", "tədˈA"),
        ("bˈɜːd", "en-us", "bˈɜɹd"),
        ("t^ʃˈe^ə", "en-gb", "ʧˈɛː"),
        ("fˈɔː^ɹɾi", "en-us", "fˈɔɹTi"),
        ("lˈɪɾə^l", "en-us", "lˈɪTᵊl"),
        ("bˈʌʔn̩", "en-us", "bˈʌtn"),
        ("mˈut^ʃo", "es", "mˈuʧo"),
        ("pˈit^sa", "it", "pˈiʦa"),
    ],
)
def test_phonemes_are_written_in_the_models_letters(espeak: str, voice: str, kokoro: str) -> None:
    assert in_kokoros_letters(espeak, voice) == kokoro


def test_torch_runtime_without_its_package_says_how_to_get_it(tmp_path: Path) -> None:
    folder = make_kokoro(tmp_path)
    (folder / "kokoro-v1_0.pth").write_bytes(b"")
    with pytest.raises(CannotStart, match=r"ringline\[kokoro-torch\]"):
        loaded(folder, runtime="torch")


@pytest.mark.skipif(not os.environ.get("RINGLINE_REAL_MODELS"), reason="needs RINGLINE_REAL_MODELS with a Kokoro")
def test_real_export_is_run_in_halves_and_marks_every_word() -> None:
    model = loaded(Path(os.environ["RINGLINE_REAL_MODELS"]) / "kokoro", threads=1)
    text = "Your appointment is on Monday at half past ten in the morning"
    found = sounds(model, text)
    assert len(found) > 1
    assert len([char for sound in found for char, _ in sound.words]) == len(text.split())


@pytest.mark.skipif(not os.environ.get("RINGLINE_REAL_MODELS"), reason="needs RINGLINE_REAL_MODELS with a Kokoro")
def test_level_of_the_real_voice_does_not_step_where_stretches_join() -> None:
    model = loaded(Path(os.environ["RINGLINE_REAL_MODELS"]) / "kokoro", threads=1)
    assert joints(model, "bf_emma", SENTENCES[4:6]).figures()["joint p90 dB"] < 2


def test_an_agents_voice_is_studied_at_all_lengths_once(tmp_path: Path) -> None:
    model = KokoroModel(KokoroTts(model=str(make_kokoro(tmp_path, halves=True))))
    model.load()
    assert model.studies(Order("")) == []
    other = next(name for name in model._voices.names if name != KokoroTts().voice)
    studies = model.studies(Order("", voice=other))
    assert len(studies) == len(LENGTHS)
    for study in studies:
        study()
    assert model.studies(Order("", voice=other)) == []
