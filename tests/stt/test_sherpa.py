"""sherpa-onnx on a small transducer with random weights, in the format of real ones."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hosted_utterances import PLAIN, Wake
from models.transducer import write_transducer

from ringline.engine.config import SherpaStt
from ringline.ipc.messages import Expectation, Transcribe
from ringline.workers.base import CannotStart
from ringline.workers.stt import make_backend

pytest.importorskip("sherpa_onnx", reason="the sherpa extra is not installed")

SPOKEN = np.random.default_rng(2).normal(0, 3_000, 32_000).astype(np.int16)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_transducer(tmp_path_factory.mktemp("models") / "transducer")


@pytest.fixture
def wake() -> Wake:
    return Wake()


@pytest.fixture
def backend(model: Path, wake: Wake, request: pytest.FixtureRequest) -> Iterator[Any]:
    made: Any = make_backend(SherpaStt(model=str(model), **getattr(request, "param", {})), wake=wake)
    made.warm_up()
    yield made
    made.close()


def step_until(backend: Any, wake: Wake, stream: Any, is_reached: Any) -> None:
    def stepped() -> bool:
        backend.step([stream], 0)
        return bool(is_reached())

    wake.wait_for(stepped)


def recognise(backend: Any, wake: Wake, samples: Any = SPOKEN, request: Transcribe = PLAIN, size: int = 320) -> str:
    stream = backend.open(request, 0)
    for start in range(0, samples.size, size):
        stream.feed(samples[start : start + size])
    stream.finalise()
    step_until(backend, wake, stream, lambda: stream.final is not None)
    stream.close()
    return str(stream.final)


def test_transcript_does_not_depend_on_the_chunks(backend: Any, wake: Wake) -> None:
    whole = recognise(backend, wake, size=SPOKEN.size)
    assert whole
    assert recognise(backend, wake, size=320) == recognise(backend, wake, size=777) == whole


def test_capitals_of_a_model_that_has_only_them_become_small(backend: Any, wake: Wake) -> None:
    assert recognise(backend, wake).islower()


def test_partial_grows_into_the_final(backend: Any, wake: Wake) -> None:
    stream = backend.open(PLAIN, 0)
    stream.feed(SPOKEN)
    step_until(backend, wake, stream, lambda: stream.partial)
    assert stream.final is None
    stream.finalise()
    step_until(backend, wake, stream, lambda: stream.final is not None)
    assert len(stream.final) >= len(stream.partial) > 0
    assert 0 < stream.confidence <= 1
    stream.close()


@pytest.mark.parametrize(("backend", "is_heard"), [({}, True), ({"tail_ms": 0}, False)], indirect=["backend"])
def test_end_of_the_utterance_is_heard_because_of_the_tail(backend: Any, wake: Wake, is_heard: bool) -> None:
    shorter_than_a_chunk = SPOKEN[:1_200]
    assert bool(recognise(backend, wake, shorter_than_a_chunk)) is is_heard


def test_utterances_decoded_together_are_what_they_are_alone(backend: Any, wake: Wake) -> None:
    sounds = [np.random.default_rng(seed).normal(0, 3_000, 8_000 + 1_600 * seed).astype(np.int16) for seed in range(6)]
    alone = [recognise(backend, wake, sound) for sound in sounds]
    streams = [backend.open(Transcribe(call, 0, 1, 0), 0) for call in range(6)]
    for start in range(0, 16_000, 800):
        for stream, sound in zip(streams, sounds, strict=True):
            stream.feed(sound[start : start + 800])
    for stream, sound in zip(streams, sounds, strict=True):
        stream.feed(sound[16_000:])
        stream.finalise()
    for stream in streams:
        step_until(backend, wake, stream, lambda stream=stream: stream.final is not None)
    assert [stream.final for stream in streams] == alone
    for stream in streams:
        stream.close()


@pytest.mark.parametrize("backend", [{"streams": 2}], indirect=True)
def test_pool_is_bounded_and_given_back(backend: Any) -> None:
    first, second = backend.open(PLAIN, 0), backend.open(PLAIN, 0)
    assert backend.open(PLAIN, 0) is None
    first.close()
    first.close()
    third = backend.open(PLAIN, 0)
    assert third is not None
    assert backend.open(PLAIN, 0) is None
    second.close()
    third.close()


def test_phrases_that_the_bot_expects_are_favoured(model: Path, tmp_path: Path, wake: Wake) -> None:
    folder = shutil.copytree(model, tmp_path / "with-vocabulary")
    tokens = [line.split()[0] for line in (folder / "tokens.txt").read_text("utf-8").splitlines()]
    (folder / "bpe.vocab").write_text("".join(f"{token}\t{-i}\n" for i, token in enumerate(tokens)), "utf-8")
    made: Any = make_backend(SherpaStt(model=str(folder), hotwords_score=5.0), wake=wake)
    made.warm_up()
    hot = Transcribe(1, 0, 1, 0, Expectation(phrases=("no no", "Zürich/日本")))
    without, with_phrases = recognise(made, wake), recognise(made, wake, request=hot)
    made.close()
    assert with_phrases.count("no no") > without.count("no no")


def test_without_a_vocabulary_phrases_change_nothing(backend: Any, wake: Wake) -> None:
    hot = Transcribe(1, 0, 1, 0, Expectation(phrases=("no no",)))
    assert recognise(backend, wake, request=hot) == recognise(backend, wake)


@pytest.mark.parametrize(("int8", "name"), [(True, ".int8.onnx"), (False, "1.onnx")])
def test_quantised_files_are_taken_if_wanted(tmp_path: Path, int8: bool, name: str) -> None:
    write_transducer(tmp_path)
    write_transducer(tmp_path, ".int8.onnx")
    made: Any = make_backend(SherpaStt(model=str(tmp_path), int8=int8))
    assert made._part(tmp_path, "encoder").name.endswith(name)


@pytest.mark.parametrize("part", ["encoder", "decoder", "joiner", "tokens.txt"])
def test_missing_file_is_named(model: Path, tmp_path: Path, part: str) -> None:
    folder = shutil.copytree(model, tmp_path / "broken")
    for file in folder.glob(f"{part}*"):
        file.unlink()
    with pytest.raises(CannotStart, match=part):
        make_backend(SherpaStt(model=str(folder))).warm_up()


@pytest.mark.parametrize("part", ["encoder", "decoder", "joiner"])
def test_file_that_is_no_model_is_no_reason_to_crash(model: Path, tmp_path: Path, part: str) -> None:
    folder = shutil.copytree(model, tmp_path / "broken")
    next(folder.glob(f"{part}*")).write_bytes(b"garbage")
    with pytest.raises(CannotStart, match="broken"):
        make_backend(SherpaStt(model=str(folder))).warm_up()


def test_model_of_another_kind_is_no_reason_to_crash(model: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(model, tmp_path / "broken")
    shutil.copy(next(folder.glob("joiner*")), next(folder.glob("encoder*")))
    with pytest.raises(CannotStart, match="streaming transducer"):
        make_backend(SherpaStt(model=str(folder))).warm_up()


def test_missing_folder_is_named() -> None:
    with pytest.raises(CannotStart, match="no-such-model"):
        make_backend(SherpaStt(model="no-such-model")).warm_up()


def test_model_that_fails_fails_the_utterance(backend: Any, wake: Wake, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(streams: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(backend.recognizer, "decode_streams", fail)
    with pytest.raises(RuntimeError, match="broken"):
        recognise(backend, wake)
