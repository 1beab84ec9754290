"""Profiles: a configuration by name, and what a ringline.toml changes of it."""

from __future__ import annotations

import tomllib

import pytest

from ringline.engine.config import (
    Config,
    ConfigError,
    EspeakTts,
    PocketsphinxStt,
    SttConfig,
    SyntheticStt,
    parse,
)
from ringline.engine.config.load import PROFILES

NAMES = ["embedded", "cpu", "cpu-llm", "gpu", "hosted"]
BACKENDS = {
    "embedded": ("pocketsphinx", "flow", "espeak"),
    "cpu": ("whisper", "flow", "kokoro"),
    "cpu-llm": ("whisper", "openai", "kokoro"),
    "gpu": ("whisper", "openai", "kokoro"),
    "hosted": ("deepgram", "anthropic", "cartesia"),
}


def test_all_profiles_are_known() -> None:
    assert sorted(file.stem for file in PROFILES.glob("*.toml")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_profile_names_its_backends_and_its_hardware(name: str) -> None:
    source = (PROFILES / f"{name}.toml").read_text()
    table = tomllib.loads(source)
    assert tuple(table[stage]["backend"] for stage in ("stt", "llm", "tts")) == BACKENDS[name]
    assert "cores" in source.splitlines()[0]


@pytest.mark.parametrize("name", NAMES)
def test_profile_is_a_valid_configuration(name: str) -> None:
    config = parse("", profile=name)
    assert tuple(getattr(config, stage).name for stage in ("stt", "llm", "tts")) == BACKENDS[name]
    assert config.engine.offline == (name != "hosted")


def test_embedded_profile_is_the_default_with_fewer_calls() -> None:
    config = parse("", profile="embedded")
    assert (config.stt, config.llm, config.tts) == (Config().stt, Config().llm, Config().tts)
    assert config.engine.max_calls == 8


def test_keys_of_the_file_change_those_of_the_profile() -> None:
    config = parse("[engine]\nmax_calls = 3\n[stt]\nworkers = 2\n", profile="embedded")
    assert config.engine.max_calls == 3
    assert config.engine.offline
    assert config.stt == PocketsphinxStt(workers=2)


def test_another_backend_takes_nothing_over_of_the_profiles_table() -> None:
    config = parse('[stt]\nbackend = "synthetic"\n', profile="embedded")
    assert config.stt == SyntheticStt()
    assert config.tts == EspeakTts()


def test_fallbacks_of_the_file_replace_those_of_the_profile() -> None:
    config = parse('[[stt.fallback]]\nbackend = "synthetic"\n', profile="embedded")
    fallbacks: tuple[SttConfig, ...] = config.stt_fallback
    assert config.stt == PocketsphinxStt()
    assert fallbacks == (SyntheticStt(),)


def test_unknown_profile_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="choose one of cpu, cpu-llm, embedded, gpu, hosted"):
        parse("", profile="mainframe")
