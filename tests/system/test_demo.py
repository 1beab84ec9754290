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


def check(demo: Any, name: str) -> Any:
    """What the demo found of one of the things that callers do."""
    _, result = demo
    return next(found for found in result["checks"] if found["name"] == name)


def test_booking_is_really_made(demo: Any) -> None:
    status, result = demo
    assert result["goal_reached"], result
    assert status == 0


def test_engine_and_wire_agree_within_a_frame_on_every_spoken_turn(demo: Any) -> None:
    _, result = demo
    spoken = [turn for turn in result["turns"] if turn["engine_response_ms"] is not None]
    assert [turn["caller"] for turn in spoken] == [
        "I'd like to book ... an appointment", "on Monday", "half past ten", "no, Tuesday", "no, thank you",
    ]  # fmt: skip
    assert all(abs(turn["response_ms"] - turn["engine_response_ms"]) <= 20 for turn in spoken)


def test_every_turn_is_understood(demo: Any) -> None:
    _, result = demo
    assert [turn["heard"] for turn in result["turns"]] == [
        "i'd like to book an appointment", "on monday", "half past ten", "ok", "no tuesday", "1", "no thank you",
    ]  # fmt: skip


def test_every_spoken_turn_is_traced(demo: Any) -> None:
    _, result = demo
    for turn in result["turns"]:
        if turn["engine_response_ms"] is not None:
            assert [stage for stage, _, _ in turn["stages"]] == ["endpoint", "stt", "llm", "phrase", "tts", "playout"]


def test_sentence_with_a_long_pause_in_it_is_one_turn(demo: Any) -> None:
    assert check(demo, "pause in a sentence")["passed"], demo


def test_interruption_stops_the_bot(demo: Any) -> None:
    assert check(demo, "interruption")["passed"], demo
    _, result = demo
    assert result["turns"][-1]["cut_ms"] is not None


def test_bot_goes_on_behind_a_backchannel(demo: Any) -> None:
    assert check(demo, "backchannel")["passed"], demo
    _, result = demo
    read_back = next(turn["bot"] for turn in result["turns"] if turn["caller"] == "half past ten")
    assert read_back.endswith("Is that right?")
    assert read_back.count("ten thirty") == 1


def test_correction_is_understood(demo: Any) -> None:
    assert check(demo, "correction")["passed"], demo


def test_key_is_an_answer(demo: Any) -> None:
    assert check(demo, "keys")["passed"], demo


def test_recording_is_stereo(demo: Any) -> None:
    _, result = demo
    with wave.open(str(Path(result["recording"]))) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (2, 2)
        assert file.getnframes() > 10 * file.getframerate()
