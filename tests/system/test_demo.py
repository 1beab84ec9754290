"""The demo, as a newcomer runs it."""

from __future__ import annotations

import json
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """(exit status, what ``ringline demo --json`` printed)."""
    out = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [sys.executable, "-m", "ringline.tools", "demo", "--json", "--out", str(out)],
        capture_output=True,
        text=True,
        timeout=220,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


def test_booking_is_really_made(demo: Any) -> None:
    status, result = demo
    assert result["goal_reached"], result
    assert status == 0


def test_engine_and_wire_agree_within_a_frame_on_every_turn(demo: Any) -> None:
    _, result = demo
    assert len(result["turns"]) == 5
    assert all(abs(turn["response_ms"] - turn["engine_response_ms"]) <= 20 for turn in result["turns"])


def test_every_turn_is_understood_and_traced(demo: Any) -> None:
    _, result = demo
    for turn in result["turns"]:
        assert turn["heard"] == turn["caller"].lower()
        assert turn["bot"]
        assert [stage for stage, _, _ in turn["stages"]] == ["endpoint", "stt", "llm", "phrase", "tts", "playout"]


def test_recording_is_stereo(demo: Any) -> None:
    _, result = demo
    with wave.open(str(Path(result["recording"]))) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (2, 2)
        assert file.getnframes() > 10 * file.getframerate()
