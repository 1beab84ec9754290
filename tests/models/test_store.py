"""Where models are looked for, and what is said where they are not."""

from __future__ import annotations

import re
import tomllib
import typing
from pathlib import Path
from typing import Any

import pytest

from ringline.engine.config import LlmConfig, SttConfig, TtsConfig
from ringline.engine.config.load import PROFILES
from ringline.workers.base import CannotStart
from ringline.workers.models.catalogue import catalogue, find
from ringline.workers.models.store import locate, place

TABLES = [table for union in (SttConfig, LlmConfig, TtsConfig) for table in typing.get_args(union)]
DE = "de_DE-thorsten-medium"


def put(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


def in_hub_cache(tmp_path: Path, repository: str, *names: str) -> Path:
    """As other programs leave it there."""
    repo = tmp_path / "hub" / f"models--{repository.replace('/', '--')}"
    put(repo, "refs/main")
    (repo / "refs" / "main").write_text("abc")
    return put(repo / "snapshots" / "abc", *names)


def test_path_is_taken_as_it_is(store: Path, tmp_path: Path) -> None:
    assert locate(str(put(tmp_path / "mine", "a"))) == tmp_path / "mine"


def test_name_is_a_folder_of_the_store(store: Path) -> None:
    put(store / "mine", "a")
    assert locate("mine") == store / "mine"
    assert locate("mine/a") == store / "mine" / "a"


def test_known_model_lacking_a_file_is_not_taken(store: Path) -> None:
    put(store / DE, f"{DE}.onnx")
    with pytest.raises(CannotStart, match=re.escape("its description (*.onnx.json) is missing")):
        locate(DE)


def test_known_model_is_found_in_the_hub_cache_by_any_of_its_names(store: Path, tmp_path: Path) -> None:
    tiny = find("faster-whisper-tiny")
    found = in_hub_cache(tmp_path, tiny.source, *tiny.files)
    assert locate("faster-whisper-tiny") == found
    assert locate("Systran/faster-whisper-tiny") == found
    assert locate("tiny") == found


def test_model_within_a_repository_is_found_in_the_hub_cache(store: Path, tmp_path: Path) -> None:
    folder = "de/de_DE/thorsten/medium"
    found = in_hub_cache(tmp_path, "rhasspy/piper-voices", f"{folder}/{DE}.onnx", f"{folder}/{DE}.onnx.json")
    assert locate(DE) == found / folder


def test_unfinished_download_in_the_hub_cache_is_not_taken(store: Path, tmp_path: Path) -> None:
    in_hub_cache(tmp_path, "Systran/faster-whisper-tiny", "config.json")
    with pytest.raises(CannotStart):
        locate("faster-whisper-tiny")


def test_any_repository_in_the_hub_cache_is_found(store: Path, tmp_path: Path) -> None:
    found = in_hub_cache(tmp_path, "me/mine", "model.bin")
    assert locate("me/mine") == found


def test_missing_model_is_named_with_the_command_and_each_file_and_its_place(store: Path) -> None:
    with pytest.raises(CannotStart) as raised:
        locate(DE)
    text = str(raised.value)
    assert f"`ringline models pull {DE}`" in text
    assert "CC0-1.0" in text
    assert f"put into {store / DE}," in text
    for name in (f"{DE}.onnx", f"{DE}.onnx.json"):
        assert f"de/de_DE/thorsten/medium/{name}" in text


def test_unknown_model_is_named_with_its_place(store: Path) -> None:
    with pytest.raises(CannotStart, match=re.escape(str(store / "nobodys"))):
        locate("nobodys")


def test_names_of_the_catalogue_are_unique() -> None:
    names = [name for model in catalogue() for name in (model.name, *model.also)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("model", catalogue(), ids=lambda model: model.name)
def test_model_of_the_catalogue_says_where_it_comes_from_and_what_it_takes(model: Any) -> None:
    assert bool(model.source) != bool(model.package)
    assert model.mb > 0
    assert model.licence
    assert model.stage in ("vad", "turn", "stt", "llm", "tts")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__struct_config__.tag)
def test_backend_that_reads_models_says_which_of_its_keys_name_them(table: Any) -> None:
    """Or else `ringline models check` would not look for them. Servers find theirs themselves."""
    name = table.__struct_config__.tag
    if name != "openai" and any(model.source and model.backend == name for model in catalogue()):
        assert table.model_keys


@pytest.mark.parametrize("profile", sorted(PROFILES.glob("*.toml")), ids=lambda profile: profile.stem)
def test_models_of_a_profile_are_in_the_catalogue(profile: Path) -> None:
    for table in tomllib.loads(profile.read_text()).values():
        if "model" in table:
            assert find(table["model"]).backend == table["backend"]


@pytest.mark.parametrize("name", ["silero-vad", "pocketsphinx-en-us", "espeak-ng-data"])
def test_models_of_the_plain_install_are_in_its_packages(store: Path, name: str) -> None:
    assert place(find(name))


@pytest.mark.parametrize("name", ["nobodys", "./a/b", "a/b/c", "~/b", "/b", "a/..", "../a"])
def test_what_is_neither_a_name_nor_a_repository_is_not_known(name: str) -> None:
    with pytest.raises(KeyError):
        find(name)
