"""Commands on terminals that lack what ours has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ringline.tools.waterfall import waterfall
from ringline.workers.models.store import store


@pytest.mark.kind("terminals")
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437:strict"])
@pytest.mark.parametrize("command", [["--help"], ["models", "list"], ["models", "list", "--json"]])
def test_a_command_says_what_it_can_in_any_encoding(encoding: str, command: list[str]) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "40", "PYTHONUTF8": "0", "LC_ALL": "C"}
    done = subprocess.run([sys.executable, "-m", "ringline.tools", *command], env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert b"Traceback" not in done.stderr


@pytest.mark.kind("terminals")
def test_a_reader_that_goes_away_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ringline.tools", "models", "list"], stdout=writer, stderr=subprocess.PIPE
        )
    finally:
        os.close(writer)
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


def test_a_waterfall_can_be_drawn_in_ascii() -> None:
    drawn = waterfall([("stt", 0.0, 10.0), ("llm", 10.0, 30.0)], block="#").plain
    assert drawn.isascii()
    assert drawn.count("#") == 40


def test_the_store_of_a_user_without_a_home_is_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("RINGLINE_MODELS", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert store() == Path("/var/cache/ringline/models")
