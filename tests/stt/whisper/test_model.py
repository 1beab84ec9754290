"""The model: batches, guesses, languages, files that are missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ringline.engine.config import WhisperStt
from ringline.workers.base import CannotStart
from ringline.workers.stt.whisper.features import SILENCE
from ringline.workers.stt.whisper.model import (
    MAX_PREVIOUS_TOKENS,
    PREVIOUS_STEP,
    Pass,
    WhisperModel,
    num_frames,
)

FREE = (0, 1, 2, 3)


@pytest.fixture(scope="module")
def loaded(model: Callable[..., Path]) -> WhisperModel:
    return WhisperModel(WhisperStt(model=str(model("one two three four", free=FREE)), device="cpu"))


def make_pass(seed: int, audio_s: float = 1.0, **settings: Any) -> Pass:
    rng = np.random.default_rng(seed)
    window = (rng.normal(0, 0.2, (80, num_frames(audio_s, 500))) + rng.normal(0, 1.0, (80, 1))).astype(np.float32)
    window[:, -50:] = SILENCE
    return Pass(seed, 0, window, audio_s, **settings)


def test_a_batch_gives_what_each_gives_alone(loaded: WhisperModel) -> None:
    lengths = (1.0, 2.0, 1.0, 3.0)
    together = [make_pass(seed, length) for seed, length in enumerate(lengths)]
    loaded.run(together)
    for seed, length in enumerate(lengths):
        alone = make_pass(seed, length)
        loaded.run([alone])
        assert alone.tokens == together[seed].tokens
        assert alone.log_prob == pytest.approx(together[seed].log_prob, abs=0.02)


def test_it_hears_a_difference(loaded: WhisperModel) -> None:
    passes = [make_pass(seed) for seed in range(4)]
    loaded.run(passes)
    assert len({one.tokens for one in passes}) > 1


def test_text_ends_in_time(model: Callable[..., Path]) -> None:
    loaded = WhisperModel(WhisperStt(model=str(model("word " * 60)), device="cpu"))
    short = make_pass(1, 0.5)
    loaded.run([short])
    assert len(short.tokens) == 14


def test_texts_of_different_lengths_before_are_one_batch(loaded: WhisperModel) -> None:
    texts = ("", "one", "one two three", "one two")
    together = [make_pass(seed, previous=loaded.previous(text)) for seed, text in enumerate(texts)]
    assert all(loaded.fits(together[0], one) for one in together)
    loaded.run(together)
    for seed, text in enumerate(texts):
        alone = make_pass(seed, previous=loaded.previous(text))
        loaded.run([alone])
        assert alone.tokens == together[seed].tokens


def test_of_a_long_text_before_the_end_counts(loaded: WhisperModel) -> None:
    short, long = loaded.previous("four"), loaded.previous("one two three " * 60 + "four")
    assert long[-len(short) :] == short
    assert len(long) == MAX_PREVIOUS_TOKENS
    assert len(loaded.previous("one two three " * 6)) % PREVIOUS_STEP == 0
    assert loaded.previous(" ") == ()


def test_what_leads_a_long_text_before_is_kept(loaded: WhisperModel) -> None:
    lead, long = loaded.previous("four"), loaded.previous("one two three " * 60, "four")
    assert long[: len(lead)] == lead
    assert len(long) == MAX_PREVIOUS_TOKENS
    assert loaded.previous("one two", "four") == loaded.previous("four one two")
    half = MAX_PREVIOUS_TOKENS // 2
    assert len(loaded.previous("", "four " * 60)) == MAX_PREVIOUS_TOKENS
    assert loaded.previous("two " * 60, "four " * 60)[half:] == loaded.previous("two " * 60)[half:]


def test_the_text_before_stands_where_whisper_expects_it(loaded: WhisperModel) -> None:
    previous = loaded.previous("one")
    head = loaded._head(make_pass(1, previous=previous))
    words = [loaded._tokenizer.id_to_token(token) for token in head]
    assert (words[0], *words[-2:]) == ("<|startofprev|>", "<|startoftranscript|>", "<|notimestamps|>")
    assert tuple(head[1:-2]) == previous


def test_languages_go_by_the_vocabulary(model: Callable[..., Path], loaded: WhisperModel) -> None:
    other = WhisperModel(WhisperStt(model=str(model("eins zwei", multilingual=True)), device="cpu"))
    assert loaded.languages == {"en"}
    assert other.is_multilingual
    assert {"de", "en", "fr"} <= other.languages
    one = make_pass(1, language="de")
    other.run([one])
    assert other.text(one.tokens) == "eins zwei"


def test_a_missing_model_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGLINE_MODELS", str(tmp_path))
    with pytest.raises(CannotStart, match="nowhere"):
        WhisperModel(WhisperStt(model="nowhere", device="cpu"))


def test_a_folder_that_is_no_model_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"model\.bin"):
        WhisperModel(WhisperStt(model=str(tmp_path)))


@pytest.mark.parametrize("own", ["<|startoftranscript|>", "<|endoftext|>", "<|startofprev|>", "<|notimestamps|>"])
def test_whispers_own_tokens_in_the_text_before_are_not_read(loaded: WhisperModel, own: str) -> None:
    assert loaded.previous(f"one{own} two") == loaded.previous("one two")
