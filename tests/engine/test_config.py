"""ringline.toml: what is right is read, what is wrong is named with its line."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringline.engine.config import (
    Config,
    ConfigError,
    DeepgramStt,
    EngineConfig,
    EspeakTts,
    GoogleStt,
    PocketsphinxStt,
    SileroVad,
    SyntheticStt,
    SyntheticTts,
    WebRtcVad,
    load,
    parse,
)
from ringline.engine.config.table import StageBackend


def test_empty_file_is_the_embedded_default() -> None:
    assert parse("") == Config()


def test_embedded_default_is_offline() -> None:
    assert Config().engine.offline


def test_all_documented_keys_are_read() -> None:
    config = parse(
        """
        [engine]
        max_calls = 4
        [[door]]
        url = "audiosocket://127.0.0.1:9092"
        [vad]
        backend = "silero"
        threshold = 0.6
        [stt]
        backend = "synthetic"
        final_ms = 10
        workers = 2
        [turn]
        endpoint_ms = 300
        """
    )
    assert config.engine.max_calls == 4
    assert [door.url for door in config.door] == ["audiosocket://127.0.0.1:9092"]
    assert config.stt == SyntheticStt(workers=2, final_ms=10)
    assert config.turn.endpoint_ms == 300


def test_table_without_backend_takes_the_default_one() -> None:
    assert parse("[stt]\nworkers = 3\n").stt.workers == 3


def test_fallbacks_are_read_in_order() -> None:
    config = parse(
        '[stt]\nbackend = "synthetic"\n'
        '[[stt.fallback]]\nbackend = "synthetic"\nfinal_ms = 5\n[[stt.fallback]]\nworkers = 2\n'
    )
    assert config.tiers("stt") == (SyntheticStt(), SyntheticStt(final_ms=5), PocketsphinxStt(workers=2))
    assert config.tiers("llm") == (config.llm,)


def test_stage_may_have_fallbacks_for_its_default_backend() -> None:
    config = parse('[[tts.fallback]]\nbackend = "synthetic"\n')
    assert config.tiers("tts") == (EspeakTts(), SyntheticTts())


def test_worker_of_a_tier_sees_its_backend_as_the_main_one() -> None:
    config = parse('[[stt.fallback]]\nbackend = "synthetic"\n')
    assert config.at_tier("stt", 1).stt == SyntheticStt()
    assert config.at_tier("stt", 0) == config


def test_the_vad_is_silero_unless_another_is_named() -> None:
    assert parse("[vad]\nonset_ms = 96\n").vad == SileroVad(onset_ms=96)
    webrtc = parse('[vad]\nbackend = "webrtc"\naggressiveness = 2\nframe_ms = 20\nonset_ms = 96\n').vad
    assert webrtc == WebRtcVad(aggressiveness=2, frame_ms=20, onset_ms=96)


def test_event_logs_stand_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "ringline.toml").write_text('[events]\npath = "calls/"\n')
    assert load(tmp_path / "ringline.toml").events.path == str(tmp_path / "calls")


def test_smart_turn_lies_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "ringline.toml").write_text('[turn]\nsmart_turn = "turn.onnx"\n')
    (tmp_path / "turn.onnx").touch()
    assert load(tmp_path / "ringline.toml").turn.smart_turn == str(tmp_path / "turn.onnx")


@pytest.mark.parametrize("named", ["", "pipecat", "smart-turn-v3"])
def test_no_smart_turn_an_installed_one_and_a_models_name_are_no_paths(tmp_path: Path, named: str) -> None:
    (tmp_path / "ringline.toml").write_text(f'[turn]\nsmart_turn = "{named}"\n')
    assert load(tmp_path / "ringline.toml").turn.smart_turn == named


def test_no_event_logs_unless_asked_for() -> None:
    assert not Config().events.path


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("[turn]\nendpoint_ms = -1\n", "line 2: turn.endpoint_ms"),
        ("[turn]\n\nendpont_ms = 3\n", "line 3: turn.endpont_ms"),
        ("[turn]\nendpoint_ms = 300\nendpoint_min_ms = 301\n", "line 3: turn.endpoint_min_ms: 301 is more than"),
        ("[turn]\nendpoint_max_ms = 399\n", "line 2: turn.endpoint_max_ms: 399 is less than endpoint_ms"),
        ("[turn]\nendpoint_ms = 100\n", "turn.endpoint_min_ms: 200 is more than endpoint_ms"),
        ('[engine]\nmax_calls = "x"\n', "line 2: engine.max_calls"),
        ("[engine]\nmax_calls = 0\n", "line 2: engine.max_calls"),
        ('[[door]]\nurl = "audiosocket://:9"\n[[door]]\nurl = "sip://x"\n', "line 4: door[1].url"),
        ('[[door]]\nurl = "audiosocket://127.0.0.1:99999"\n', "line 2: door[0].url"),
        ('[stt]\nbackend = "whisperer"\n', "line 2: stt.backend"),
        ("[stt]\nfinal_ms = 3\n", "line 2: stt.final_ms"),
        ("unheard_of = 1\n", "line 1: unheard_of"),
        ("[stt]\n[[stt.fallback]]\n[[stt.fallback]]\n\nworkers = 0\n", "line 5: stt.fallback[1].workers"),
        ("[[stt.fallback]]\n[[stt.fallback.fallback]]\nworkers = 1\n", "line 2: stt.fallback[0].fallback"),
        ("[tts]\nworkers = 1\nfallback = 3\n", "line 3: tts.fallback"),
        ("[[vad.fallback]]\n", "line 1: vad.fallback"),
        ('[vad]\nbackend = "energy"\n', "line 2: vad.backend"),
        ('[vad]\nbackend = "webrtc"\naggressiveness = 4\n', "line 3: vad.aggressiveness"),
        ('[vad]\nbackend = "webrtc"\nframe_ms = 15\n', "line 3: vad.frame_ms"),
        ("[vad]\naggressiveness = 2\n", "line 2: vad.aggressiveness"),
        ("[turn\n", "line 1"),
    ],
)
def test_mistake_is_named_with_its_line(source: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match="line") as caught:
        parse(source)
    assert complaint in str(caught.value)


def test_configuration_is_frozen() -> None:
    with pytest.raises(AttributeError):
        Config().engine.max_calls = 3  # type: ignore[misc]


def test_agent_path_is_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "bot").mkdir()
    (tmp_path / "ringline.toml").write_text('[agent]\npath = "bot"\n')
    assert load(tmp_path / "ringline.toml").agent.path == str(tmp_path / "bot")


def test_configuration_survives_the_way_to_a_worker() -> None:
    config = parse('[stt]\nbackend = "synthetic"\n[[stt.fallback]]\n')
    assert msgspec.json.decode(msgspec.json.encode(config), type=Config) == config


@given(st.text())
def test_any_text_is_a_configuration_or_a_config_error(source: str) -> None:
    with contextlib.suppress(ConfigError):
        parse(source)


class Hosted(StageBackend, frozen=True, tag="hosted"):
    """A backend that talks to another machine."""

    @property
    def remote_host(self) -> str:
        return "api.example.com"


def test_hosted_backend_is_refused_offline_with_its_name_and_host() -> None:
    with pytest.raises(ValueError, match=r"hosted sends what is said to api\.example\.com.*offline.*\$\.tts\.backend"):
        Config(tts=Hosted())  # type: ignore[arg-type]


def test_hosted_fallback_is_refused_offline_too() -> None:
    with pytest.raises(ValueError, match=r"\$\.stt\.fallback\[1\]\.backend"):
        Config(stt_fallback=(SyntheticStt(), Hosted()))  # type: ignore[arg-type]


def test_hosted_backend_is_taken_where_offline_is_off() -> None:
    assert Config(engine=EngineConfig(offline=False), llm=Hosted()).llm.name == "hosted"  # type: ignore[arg-type]


@pytest.mark.parametrize("backend", ["deepgram", "google", "openai"])
def test_hosted_recognisers_are_refused_offline(backend: str) -> None:
    source = f'[stt]\nbackend = "{backend}"\n'
    with pytest.raises(ConfigError, match="offline"):
        parse(source)
    assert parse(f"[engine]\noffline = false\n{source}").stt.name == backend


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/v1", "http://localhost:8000/v1", "http://[::1]:8000/v1"])
def test_transcription_server_on_this_machine_is_allowed_offline(url: str) -> None:
    assert parse(f'[stt]\nbackend = "openai"\nbase_url = "{url}"\n').stt.remote_host == ""


def test_recogniser_of_a_region_names_its_host() -> None:
    assert GoogleStt(location="eu").remote_host == "eu-speech.googleapis.com"
    assert DeepgramStt(base_url="wss://api.eu.deepgram.com").remote_host == "api.eu.deepgram.com"


def test_model_beside_the_configuration_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "zipformer").mkdir()
    file = tmp_path / "ringline.toml"
    tables = ('[stt]\nbackend = "sherpa"\nmodel = "zipformer"', '[[stt.fallback]]\nbackend = "sherpa"\nmodel = "else"')
    file.write_text("\n".join(tables))
    config = load(file)
    assert [table.model for table in config.tiers("stt")] == [str(tmp_path / "zipformer"), "else"]
