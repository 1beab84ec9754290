"""Piper: its voices, their speakers, word times."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from bench.models.piper import RATE_HZ, make_piper

from ringline.engine.config import PiperTts
from ringline.workers.base import CannotStart
from ringline.workers.tts.backend import Order
from ringline.workers.tts.pieces import Piece
from ringline.workers.tts.piper import PiperModel, with_durations


def loaded(folder: Path, **keys: Any) -> PiperModel:
    model = PiperModel(PiperTts(model=str(folder), **keys))
    model.load()
    return model


def sound(model: PiperModel, text: str, **fields: Any) -> Any:
    (made,) = model.speak(Piece(text, 0, 0), Order(text, **fields))
    return made


def test_network_is_made_to_tell_how_long_its_phonemes_are(tmp_path: Path) -> None:
    folder = make_piper(tmp_path)
    names = [
        output.name for output in onnx.load_from_string(with_durations(folder / "en_US-test-medium.onnx")).graph.output
    ]
    assert names == ["output", "w_ceil"]
    assert [char for char, _ in sound(loaded(folder), "Good morning.").words] == [0, 5]


def test_rate_is_that_of_the_voice(tmp_path: Path) -> None:
    assert loaded(make_piper(tmp_path)).rate_hz == RATE_HZ


def test_speaker_is_named_behind_the_voice(tmp_path: Path) -> None:
    model = loaded(make_piper(tmp_path, speakers=3))
    loud, quiet = (sound(model, "Good morning.", voice=f"en_US-test-medium{name}") for name in ("", "#s1"))
    assert np.allclose(loud.samples, 2 * quiet.samples)
    with pytest.raises(ValueError, match=r"nobody.*s0, s1, s2"):
        model.check(Order("Hello.", "en_US-test-medium#nobody"))


def test_folder_of_several_voices_asks_for_one(tmp_path: Path) -> None:
    make_piper(tmp_path)
    make_piper(tmp_path, "de_DE-test-medium", espeak="de")
    with pytest.raises(CannotStart, match=r"de_DE-test-medium, en_US-test-medium"):
        loaded(tmp_path)
    model = loaded(tmp_path, voice="en_US-test-medium")
    english, german = (sound(model, "Tag", voice=name) for name in ("", "de_DE-test-medium"))
    assert not np.array_equal(english.samples, german.samples)


def test_voice_may_lie_in_a_folder_of_its_own_in_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGLINE_MODELS", str(tmp_path))
    make_piper(tmp_path / "en_US-test-medium")
    make_piper(tmp_path / "de_DE-test-medium", "de_DE-test-medium", espeak="de")
    model = PiperModel(PiperTts(model="en_US-test-medium"))
    model.load()
    assert sound(model, "Tag", voice="de_DE-test-medium").samples.size


def test_voice_that_is_missing_is_named_with_its_place(tmp_path: Path) -> None:
    model = loaded(make_piper(tmp_path))
    with pytest.raises(ValueError, match=r"fr_FR-x\.onnx and fr_FR-x\.onnx\.json into"):
        model.check(Order("Hello.", "fr_FR-x"))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"phoneme_type": "pinyin"}, "pinyin"),
        ({"audio": {"sample_rate": 16_000}}, "16000 Hz"),
        ({"audio": {}}, "sample_rate"),
    ],
    ids=["phonemes", "rate", "broken"],
)
def test_voice_that_cannot_be_used_is_refused(tmp_path: Path, change: dict[str, Any], problem: str) -> None:
    model = loaded(make_piper(tmp_path))
    make_piper(tmp_path, "en_US-other-low")
    file = tmp_path / "en_US-other-low.onnx.json"
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | change), encoding="utf-8")
    with pytest.raises(ValueError, match=problem):
        model.check(Order("Hello.", "en_US-other-low"))


def test_network_that_is_none_is_named(tmp_path: Path) -> None:
    folder = make_piper(tmp_path)
    (folder / "en_US-test-medium.onnx").write_bytes(b"no network")
    with pytest.raises(CannotStart, match=r"en_US-test-medium\.onnx"):
        loaded(folder)
