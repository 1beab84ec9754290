"""What every STT backend keeps to, whatever its model."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from bench.models.whisper import write_whisper
from models.transducer import write_transducer
from servers import deepgram_server, google_backend, google_server, openai_server

from ringline.engine.config import (
    DeepgramStt,
    GoogleStt,
    OpenAiStt,
    PocketsphinxStt,
    SherpaStt,
    SttConfig,
    SyntheticStt,
    WhisperStt,
)
from ringline.ipc.messages import Expectation, Transcribe
from ringline.workers.stt import make_backend

YES_OR_NO = Transcribe(1, 0, 1, 0, Expectation(grammar="#JSGF V1.0;\ngrammar g;\npublic <turn> = yes | no;\n"))
SECOND = np.zeros(16_000, np.int16)
WOKEN = threading.Event()
"""Set by the backends that work on threads of their own."""


@contextmanager
def local(config: SttConfig) -> Iterator[Any]:
    yield make_backend(config, wake=WOKEN.set)


@contextmanager
def whisper(folder: Path) -> Iterator[Any]:
    made: Any = make_backend(WhisperStt(model=str(write_whisper(folder, says="yes")), device="cpu"), wake=WOKEN.set)
    yield made
    made.close()


@contextmanager
def sherpa(folder: Path) -> Iterator[Any]:
    pytest.importorskip("sherpa_onnx", reason="the sherpa extra is not installed")
    made: Any = make_backend(SherpaStt(model=str(write_transducer(folder))), wake=WOKEN.set)
    yield made
    made.close()


@contextmanager
def openai(folder: Path) -> Iterator[Any]:
    pytest.importorskip("openai", reason="the openai extra is not installed")
    with openai_server() as server:
        made: Any = make_backend(OpenAiStt(base_url=f"http://127.0.0.1:{server.port}/v1"), wake=WOKEN.set)
        yield made
        made.close()


@contextmanager
def deepgram(model: str) -> Iterator[Any]:
    pytest.importorskip("deepgram", reason="the deepgram extra is not installed")
    with deepgram_server() as server:
        config = DeepgramStt(base_url=f"ws://127.0.0.1:{server.port}", model=model, api_key="key")
        made: Any = make_backend(config, wake=WOKEN.set)
        yield made
        made.close()


@contextmanager
def google(folder: Path) -> Iterator[Any]:
    pytest.importorskip("google.cloud.speech_v2", reason="the google extra is not installed")
    with google_server() as server:
        made = google_backend(GoogleStt(), server.port, WOKEN.set)
        yield made
        made.close()


BACKENDS: dict[str, Callable[[Path], AbstractContextManager[Any]]] = {
    "pocketsphinx": lambda folder: local(PocketsphinxStt(decoders=2)),
    "synthetic": lambda folder: local(SyntheticStt(final_ms=0)),
    "whisper": whisper,
    "sherpa": sherpa,
    "openai": openai,
    "deepgram-nova": lambda folder: deepgram("nova-3"),
    "deepgram-flux": lambda folder: deepgram("flux-general-en"),
    "google": google,
}


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with BACKENDS[request.param](tmp_path_factory.mktemp("model")) as made:
        made.warm_up()
        yield made


def finish(backend: Any, stream: Any) -> str:
    """Finalise and step, in virtual time or whenever woken, until the transcript is there."""
    stream.finalise()
    now_ns = 2**61  # whatever clock the backend stamped the request with, it is due by then
    for _ in range(400):
        WOKEN.clear()
        now_ns += 100_000_000
        backend.step([stream], now_ns)
        if stream.final is not None:
            return str(stream.final)
        WOKEN.wait(0.05)
    raise AssertionError("no final")


def settles(condition: Callable[[], bool]) -> bool:
    """Whether it comes to hold: connections take a moment to end."""
    pause = threading.Event()
    return any(condition() or pause.wait(0.02) for _ in range(500))


def test_final_is_unknown_until_asked_for(backend: Any) -> None:
    stream = backend.open(YES_OR_NO, 0)
    stream.feed(SECOND)
    assert stream.final is None
    stream.close()


def test_empty_utterance_has_a_final(backend: Any) -> None:
    stream = backend.open(YES_OR_NO, 0)
    assert isinstance(finish(backend, stream), str)
    stream.close()


def test_odd_chunks_are_taken(backend: Any) -> None:
    stream = backend.open(YES_OR_NO, 0)
    for size in (0, 1, 7, 159, 161, 4_001):
        stream.feed(np.ones(size, np.int16))
    assert isinstance(finish(backend, stream), str)
    stream.close()


def test_stream_can_be_closed_at_any_point_and_twice(backend: Any) -> None:
    for steps in range(4):
        stream = backend.open(YES_OR_NO, 0)
        if steps > 0:
            stream.feed(SECOND)
        if steps > 1:
            stream.finalise()
        stream.close()
        stream.close()
    stream = backend.open(YES_OR_NO, 0)
    assert stream is not None
    stream.close()


def test_long_utterance_is_survived(backend: Any) -> None:
    rng = np.random.default_rng(1)
    stream = backend.open(YES_OR_NO, 0)
    for _ in range(40):
        stream.feed(rng.normal(0, 500, 16_000).astype(np.int16))
    assert isinstance(finish(backend, stream), str)
    stream.close()


def test_streams_do_not_disturb_each_other(backend: Any) -> None:
    first, second = backend.open(YES_OR_NO, 0), backend.open(YES_OR_NO, 0)
    first.feed(SECOND)
    second.feed(SECOND)
    finish(backend, first)
    second.feed(SECOND)
    finish(backend, second)
    first.close()
    second.close()


def test_stable_part_is_a_beginning_of_the_partial(backend: Any) -> None:
    rng = np.random.default_rng(2)
    stream = backend.open(YES_OR_NO, 0)
    for step in range(20):
        stream.feed(rng.normal(0, 3_000, 3_200).astype(np.int16))
        backend.step([stream], step * 200_000_000)
        assert 0 <= stream.stable <= len(stream.partial)
    finish(backend, stream)
    stream.close()


def test_expected_phrases_in_any_script_are_taken(backend: Any) -> None:
    phrases = ("Dr. Müller", "日本語", "🙂", "مرحبا", "a/b\nc", "", "x" * 500)
    stream = backend.open(Transcribe(1, 0, 1, 0, Expectation(phrases=phrases), language="de-DE"), 0)
    stream.feed(SECOND)
    assert isinstance(finish(backend, stream), str)
    stream.close()


def test_final_stays(backend: Any) -> None:
    stream = backend.open(YES_OR_NO, 0)
    stream.feed(SECOND)
    text = finish(backend, stream)
    stream.feed(SECOND)
    stream.finalise()
    backend.step([stream], 2**62)
    assert stream.final == text
    stream.close()


def test_confidence_is_a_probability(backend: Any) -> None:
    stream = backend.open(YES_OR_NO, 0)
    stream.feed(np.random.default_rng(3).normal(0, 2_000, 16_000).astype(np.int16))
    finish(backend, stream)
    assert 0 <= stream.confidence <= 1
    stream.close()


def test_what_it_knows_of_a_sound_beside_its_words_is_a_probability_or_nothing(backend: Any) -> None:
    stream = backend.open(msgspec.structs.replace(YES_OR_NO, overlap=True), 0)
    stream.feed(np.random.default_rng(4).normal(0, 2_000, 24_000).astype(np.int16))
    finish(backend, stream)
    assert stream.other_words is None or 0 <= stream.other_words <= 1
    assert isinstance(stream.closed_vocabulary, bool)
    stream.close()


def test_of_what_is_not_said_over_the_bot_it_gives_only_the_words(backend: Any) -> None:
    stream = backend.open(YES_OR_NO, 0)
    stream.feed(np.random.default_rng(4).normal(0, 2_000, 24_000).astype(np.int16))
    finish(backend, stream)
    assert stream.other_words is None
    stream.close()


def test_threads_and_files_are_back_where_they_were(backend: Any) -> None:
    def one_utterance() -> None:
        stream = backend.open(YES_OR_NO, 0)
        stream.feed(SECOND)
        finish(backend, stream)
        stream.close()

    def in_use() -> tuple[int, int]:
        return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))

    one_utterance()  # what is kept for the next one is there now
    before = in_use()
    for _ in range(5):
        one_utterance()
    assert settles(lambda: all(now <= then for now, then in zip(in_use(), before, strict=True)))
