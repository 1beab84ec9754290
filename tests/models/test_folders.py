"""A folder that was put together by hand is found under its documented name, if it holds what its backend opens."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from bench.models.kokoro import make_kokoro
from bench.models.whisper import write_whisper

from ringline.engine.config import KokoroTts, PiperTts, SttConfig, TtsConfig, WhisperStt
from ringline.workers.base import CannotStart
from ringline.workers.models.catalogue import catalogue, find
from ringline.workers.models.folders import FOLDERS, problems
from ringline.workers.models.store import how_to_get, locate, parts_of
from ringline.workers.stt import examine as examine_stt
from ringline.workers.tts import examine as examine_tts
from ringline.workers.tts.kokoro.files import find as find_kokoro

from .test_store import in_hub_cache, put

REAL = os.environ.get("RINGLINE_REAL_MODELS", "")
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 522240\n"


@pytest.mark.parametrize("network", ["model.onnx", "onnx/model_quantized.onnx", "kokoro-v1.0.int8.onnx"])
@pytest.mark.parametrize("alphabet", ["config.json", "tokenizer.json"])
@pytest.mark.parametrize("voices", ["voices/af_heart.bin", "voices/af_heart.npy", "voices-v1.0.bin", "voices.npz"])
def test_kokoro_is_found_in_every_documented_layout(store: Path, network: str, alphabet: str, voices: str) -> None:
    put(store / "kokoro", network, alphabet, voices)
    assert locate("kokoro") == store / "kokoro"


@pytest.mark.parametrize("vocabulary", ["vocabulary.txt", "vocabulary.json"])
def test_whisper_is_found_with_the_vocabulary_of_older_and_newer_converters(store: Path, vocabulary: str) -> None:
    put(store / "faster-whisper-base", "model.bin", "tokenizer.json", vocabulary)
    assert locate("faster-whisper-base") == store / "faster-whisper-base"


@pytest.mark.parametrize("folder", ["faster-whisper-base", "whisper-base", "base"])
@pytest.mark.parametrize("name", ["faster-whisper-base", "whisper-base", "base", "Systran/faster-whisper-base"])
def test_whisper_is_found_by_each_of_its_names_in_a_folder_of_any_of_them(store: Path, folder: str, name: str) -> None:
    put(store / folder, "model.bin", "tokenizer.json", "vocabulary.json")
    assert locate(name) == store / folder


@pytest.mark.parametrize(
    ("name", "lacks"),
    [("kokoro", "the network"), ("kokoro", "voices"), ("faster-whisper-base", "the tokenizer")],
)
def test_folder_that_lacks_a_part_is_named_with_the_part(store: Path, name: str, lacks: str) -> None:
    for part in FOLDERS[find(name).backend]:
        if part.what != lacks:
            put(store / name, part.names[0].replace("*", "x"))
    with pytest.raises(CannotStart) as raised:
        locate(name)
    assert f"{store / name} is not all of the model {name}: {lacks} (" in str(raised.value)


def test_file_that_only_points_to_git_lfs_is_none(store: Path) -> None:
    put(store / "kokoro", "model.onnx", "config.json", "voices/af_heart.bin")
    (store / "kokoro" / "model.onnx").write_bytes(POINTER)
    with pytest.raises(CannotStart, match=r"model\.onnx only points to the file in Git LFS"):
        locate("kokoro")


@pytest.mark.parametrize("model", [m for m in catalogue() if m.files and not m.package], ids=lambda model: model.name)
def test_what_the_hub_has_of_a_model_is_what_its_backend_opens(model: object, tmp_path: Path) -> None:
    assert not problems(put(tmp_path, *model.files), parts_of(model))  # type: ignore[attr-defined]


def test_quantised_export_is_taken_by_its_name_from_a_copy_of_the_whole_repository(store: Path, tmp_path: Path) -> None:
    source = find("kokoro-int8").source
    networks = ("onnx/model.onnx", "onnx/model_quantized.onnx", "onnx/model_fp16.onnx")
    folder = in_hub_cache(tmp_path, source, *networks, "tokenizer.json", "voices/af_heart.bin")
    for name, network in zip(("kokoro", "kokoro-int8", "kokoro-fp16"), networks, strict=True):
        assert find_kokoro(name, ".onnx") == (folder, folder / network)


def test_files_of_one_kind_are_told_in_a_word(store: Path) -> None:
    lines = how_to_get(find("kokoro")).splitlines()
    assert lines[-2] == "onnx/model.onnx, tokenizer.json, voices/*.bin"


@pytest.mark.parametrize("name", ["kokoro", "faster-whisper-base"])
def test_all_names_are_told_by_which_the_backend_finds_a_file(store: Path, name: str) -> None:
    told = how_to_get(find(name)).splitlines()[-1]
    assert all(pattern in told for part in parts_of(find(name)) for pattern in part.names)


# --- what lies inside ---------------------------------------------------------------------------------------------


def kokoro(folder: Path, **keys: str) -> TtsConfig:
    return KokoroTts(model=str(make_kokoro(folder)), **keys)


def test_kokoro_is_looked_into_without_its_network_being_loaded(tmp_path: Path) -> None:
    config = kokoro(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"not loaded")
    assert examine_tts(config, "", "en") == "model.onnx, 6 voices, af_heart"


def test_voice_that_is_misspelt_is_named_with_the_one_that_was_meant(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="no voice `af_hart` here: did you mean af_heart"):
        examine_tts(kokoro(tmp_path, voice="af_hart"), "", "en")


def test_voice_of_the_agent_is_looked_for_too(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"the agent's voice .* `am_adm` here: did you mean am_adam"):
        examine_tts(kokoro(tmp_path), "am_adm", "en")


def test_language_of_the_agent_must_be_one_that_the_voice_speaks(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="does not speak the language `de`"):
        examine_tts(kokoro(tmp_path), "", "de")


def test_kokoro_without_its_alphabet_cannot_start(tmp_path: Path) -> None:
    config = kokoro(tmp_path)
    (tmp_path / "config.json").unlink()
    with pytest.raises(CannotStart, match="no alphabet"):
        examine_tts(config, "", "en")


def test_alphabet_within_the_network_is_enough(tmp_path: Path) -> None:
    import onnx

    config = kokoro(tmp_path)
    network = onnx.load(str(tmp_path / "model.onnx"))
    network.metadata_props.add(key="kokoro_config", value=(tmp_path / "config.json").read_text())
    onnx.save(network, str(tmp_path / "model.onnx"))
    (tmp_path / "config.json").unlink()
    assert "6 voices" in examine_tts(config, "", "en")


def test_file_that_is_no_voice_is_told_from_one(tmp_path: Path) -> None:
    config = kokoro(tmp_path, voice="af_bella")
    put(tmp_path, "voices/af_bella.bin")
    (tmp_path / "voices" / "af_bella.bin").write_bytes(bytes(128))
    with pytest.raises(CannotStart, match="`af_bella` holds 32 numbers"):
        examine_tts(config, "", "en")


def test_archive_of_voices_that_broke_off_is_named(tmp_path: Path) -> None:
    config = kokoro(tmp_path)
    archive = tmp_path / "voices-v1.0.bin"
    archive.write_bytes(archive.read_bytes()[:1000])
    with pytest.raises(CannotStart, match=r"voices-v1\.0\.bin cannot be read"):
        examine_tts(config, "", "en")


def test_voice_of_piper_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    from bench.models.piper import make_piper

    config = PiperTts(model=str(make_piper(tmp_path)))
    assert "Hz" in examine_tts(config, "", "en")
    with pytest.raises(CannotStart, match="Piper has no voice `nobody`"):
        examine_tts(config, "nobody", "en")


def whisper(folder: Path, **keys: str) -> SttConfig:
    write_whisper(folder, says="one two")
    return WhisperStt(model=str(folder), **keys)


def test_whisper_is_looked_into_without_its_network_being_loaded(tmp_path: Path) -> None:
    config = whisper(tmp_path)
    (tmp_path / "model.bin").write_bytes(b"not loaded")
    assert examine_stt(config)


def test_language_that_whisper_does_not_know_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="does not know 'xx'"):
        examine_stt(whisper(tmp_path, language="xx"))


@pytest.mark.skipif(not REAL, reason="RINGLINE_REAL_MODELS names no folder with real weights")
def test_real_models_put_there_by_hand_are_found_and_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGLINE_MODELS", REAL)
    assert examine_tts(KokoroTts(), "", "en") == "model.onnx, 54 voices, af_heart"
    assert examine_stt(WhisperStt(model="faster-whisper-base")) == "99 languages"
