"""What `ringline doctor` finds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bench.models.kokoro import make_kokoro
from typer.testing import CliRunner, Result

from ringline.engine.config import Config, WebRtcVad, parse
from ringline.tools import doctor
from ringline.tools.cli import app

GB = 1 << 30


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a store that holds Kokoro, and nothing in the Hugging Face cache."""
    monkeypatch.setenv("RINGLINE_MODELS", str(tmp_path / "store"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    make_kokoro(tmp_path / "store" / "kokoro")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, columns: int = 80) -> Result:
    return CliRunner().invoke(app, [*arguments], env={"COLUMNS": str(columns)})


@pytest.mark.parametrize("module", ["google.no_such_part.speech", "no_such_package"])
def test_missing_package_is_a_finding(module: str) -> None:
    found = doctor._packages("stt", "google", (module,), "google")
    assert found == doctor.Finding("stt", f"google: missing {module}", False, "pip install 'ringline[google]'")


def test_models_that_want_more_threads_than_there_are_cores_are_a_warning_with_what_to_do() -> None:
    config = parse('[stt]\nbackend = "whisper"\nthreads = 4\n[tts]\nbackend = "kokoro"\nthreads = 3\n')
    found = doctor.cores_for(config, 2)
    assert found.ok
    assert found.warning
    assert found.found == "2, and the models want 4 at once (stt 4, tts 3)"
    assert "Set `threads` in [stt] and [tts]" in found.advice
    assert not doctor.cores_for(config, 8).warning


def test_threads_of_a_model_server_count_too() -> None:
    serve = "{python} -m ringline.workers.llm.llama_cpp {file} --threads 3"
    llm = f'[llm]\nbackend = "openai"\nbase_url = "http://127.0.0.1:1/v1"\nmodel = "m"\nserve = "{serve}"\n'
    assert doctor.cores_for(parse(llm), 2).found == "2, and the models want 3 at once (llm 3)"


def test_language_model_and_voice_compute_at_the_same_time() -> None:
    assert doctor.cores_for(parse("", profile="cpu-llm"), 2).warning
    assert not doctor.cores_for(parse("", profile="cpu-llm"), 4).warning


def test_stages_that_hardly_compute_want_no_cores_of_their_own() -> None:
    assert not doctor.cores_for(parse("", profile="embedded"), 2).warning


def test_cpu_profile_fits_the_two_cores_that_it_is_for() -> None:
    assert not doctor.cores_for(parse("", profile="cpu"), 2).warning
    assert doctor.cores_for(parse("", profile="cpu"), 1).warning


def test_models_that_do_not_fit_into_memory_are_a_warning(here: Path) -> None:
    network = here / "store" / "kokoro" / "model.onnx"
    with network.open("ab") as file:
        file.truncate(2 * GB)
    config = parse('[tts]\nbackend = "kokoro"\nworkers = 2\n')
    assert doctor.memory_for(config, 4 * GB).warning
    assert not doctor.memory_for(config, 16 * GB).warning


def test_container_is_told_what_it_may_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    (tmp_path / "memory.max").write_text(f"{GB}\n")
    monkeypatch.setattr(doctor, "CGROUP", tmp_path)
    assert doctor.num_cores() == 1
    assert doctor.memory_bytes() == GB
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert doctor.num_cores() >= 1
    assert doctor.memory_bytes() > 0


def test_voice_that_the_worker_would_refuse_is_an_error(here: Path) -> None:
    (here / "ringline.toml").write_text('[tts]\nbackend = "kokoro"\nvoice = "af_hart"\n')
    for command in (("doctor",), ("models", "check")):
        done = run(*command, "--json")
        assert done.exit_code == 1
        (found,) = [finding for finding in json.loads(done.stdout)["findings"] if finding["what"] == "tts model"]
        assert not found["ok"]
        assert "did you mean af_heart" in found["advice"]


def test_flow_that_cannot_be_read_is_a_finding(here: Path) -> None:
    (here / "agent").mkdir()
    (here / "agent" / "agent.toml").write_text('name = "test"\n')
    (here / "agent" / "flow.toml").write_text('start = "gone"\n')
    (here / "ringline.toml").write_text('[agent]\npath = "agent"\n')
    result = run("doctor")
    assert result.exit_code == 1
    assert "!!  flow " in result.output
    assert "agent/flow.toml: start: " in " ".join(result.output.split())


def test_agent_of_a_language_model_needs_no_flow(here: Path) -> None:
    (here / "agent").mkdir()
    (here / "agent" / "agent.toml").write_text('name = "test"\n')
    config = parse('[llm]\nbackend = "synthetic"\n[agent]\npath = "agent"\n')
    assert [finding.what for finding in doctor.examine(config)][-1] == "agent"


def test_voice_of_the_agent_is_checked_too(here: Path) -> None:
    (here / "agent").mkdir()
    (here / "agent" / "agent.toml").write_text('name = "test"\nvoice = "af_hart"\n')
    (here / "ringline.toml").write_text('[tts]\nbackend = "kokoro"\n[agent]\npath = "agent"\n')
    done = run("models", "check")
    assert done.exit_code == 1
    assert "did you mean af_heart" in " ".join(done.stdout.split())


def test_models_can_be_loaded_as_the_workers_will(here: Path) -> None:
    (here / "ringline.toml").write_text('[tts]\nbackend = "kokoro"\n')
    assert "loaded in" in run("models", "check", "--load").stdout
    (here / "store" / "kokoro" / "model.onnx").write_bytes(b"no network")
    assert run("models", "check").exit_code == 0
    done = run("models", "check", "--load")
    assert done.exit_code == 1
    assert "cannot be loaded" in " ".join(done.stdout.split())


def test_findings_are_readable_at_80_columns(here: Path) -> None:
    lines = run("doctor", "--profile", "cpu").stdout.splitlines()
    assert [line for line in lines if len(line) > 80 and len(line.split()) > 1] == []  # a path is never broken
    assert any(line.startswith(" !!  stt model ") and "faster-whisper-base: missing" in line for line in lines)


def test_the_vads_package_is_looked_for_and_its_extra_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_is_installed", lambda module: module != "webrtcvad")
    webrtc, silero = (next(doctor._backends(config)) for config in (Config(vad=WebRtcVad()), Config()))
    missing = "webrtc: missing webrtcvad"
    assert webrtc == doctor.Finding("vad backend", missing, False, "pip install 'ringline[webrtc]'")
    assert silero.ok
