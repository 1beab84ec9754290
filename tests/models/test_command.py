"""``ringline models`` and what ``ringline doctor`` says of models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ringline.tools.cli import app

SMART_TURN = '[turn]\nsmart_turn = "smart-turn-v3"\n'


def ringline(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments], env={"COLUMNS": "300"})


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Needs a model that is not in a package."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ringline.toml").write_text(SMART_TURN)
    return tmp_path / "ringline.toml"


def test_list_shows_what_licences_bind_the_user_to(store: Path) -> None:
    shown = " ".join(ringline("models", "list").stdout.split())  # as wide as the terminal is
    assert "xtts-v2" in shown
    assert "may not be used commercially" in shown


def test_list_says_where_models_lie(store: Path) -> None:
    rows = {row["name"]: row for row in json.loads(ringline("models", "list", "--json").stdout)}
    assert "faster_whisper" in rows["silero-vad"]["where"]
    assert rows["kokoro"]["where"] == ""


def test_list_says_where_the_store_is(store: Path) -> None:
    assert str(store) in ringline("models", "list").stdout


def test_embedded_default_needs_nothing(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert ringline("models", "check").exit_code == 0


def test_check_fails_for_a_missing_model_and_says_which_file_goes_where(store: Path, config: Path) -> None:
    done = ringline("models", "check")
    assert done.exit_code == 1
    assert f"put into {store / 'smart-turn-v3'}:" in " ".join(done.stdout.split())
    assert "smart-turn-v3.2-cpu.onnx" in done.stdout


def test_check_is_content_when_it_was_pulled(store: Path, config: Path, tmp_path: Path) -> None:
    (tmp_path / "usb" / "smart-turn-v3").mkdir(parents=True)
    (tmp_path / "usb" / "smart-turn-v3" / "smart-turn-v3.2-cpu.onnx").write_bytes(b"a network")
    assert ringline("models", "pull", "smart-turn-v3", "--from", str(tmp_path / "usb")).exit_code == 0
    done = ringline("models", "check")
    assert done.exit_code == 0
    assert "intact" in done.stdout


def test_check_finds_a_damaged_file(store: Path, config: Path, tmp_path: Path) -> None:
    test_check_is_content_when_it_was_pulled(store, config, tmp_path)
    (store / "smart-turn-v3" / "smart-turn-v3.2-cpu.onnx").write_bytes(b"A network")
    done = ringline("models", "check")
    assert done.exit_code == 1
    assert "another sha256" in done.stdout


def test_pull_that_fails_says_what_to_put_where_by_hand(store: Path, tmp_path: Path) -> None:
    done = ringline("models", "pull", "xtts-v2", "--from", str(tmp_path))
    assert done.exit_code == 1
    assert "may not be used commercially" in done.stdout
    assert f"put into {store / 'xtts-v2'}:" in " ".join(done.stdout.split())
    assert "model.pth" in done.stdout


def test_pull_of_an_unknown_name_is_refused(store: Path) -> None:
    done = ringline("models", "pull", "nobodys")
    assert done.exit_code == 1
    assert "ringline models list" in done.stdout


def test_doctor_names_the_same(store: Path, config: Path) -> None:
    findings: list[Any] = json.loads(ringline("doctor", "--json").stdout)["findings"]
    found = next(finding for finding in findings if finding["what"] == "smart turn")
    assert not found["ok"]
    assert "smart-turn-v3.2-cpu.onnx" in found["advice"]


def test_list_is_readable_at_80_columns(store: Path) -> None:
    shown = CliRunner().invoke(app, ["models", "list"], env={"COLUMNS": "80"}).stdout.splitlines()
    assert [line for line in shown if len(line) > 80 and len(line.split()) > 1] == []
    assert any(line.split() == ["faster-whisper-base", "148", "MIT", "-"] for line in shown)
    assert any(line.split()[:3] == ["xtts-v2", "1876", "CPML"] for line in shown)


def test_hint_what_to_put_where_is_readable_at_80_columns(store: Path) -> None:
    done = CliRunner().invoke(app, ["models", "check", "--profile", "cpu"], env={"COLUMNS": "80"})
    lines = done.stdout.splitlines()
    assert [line for line in lines if len(line) > 80 and len(line.split()) > 1] == []
    assert "  onnx/model_quantized.onnx, tokenizer.json, voices/*.bin" in lines
