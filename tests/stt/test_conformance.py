"""What every STT backend keeps to, whatever its model."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest

from ringline.engine.config import PocketsphinxStt, SttConfig, SyntheticStt, WhisperStt
from ringline.ipc.messages import Expectation, Transcribe
from ringline.workers.stt import make_backend

BACKENDS: list[SttConfig] = [PocketsphinxStt(decoders=2), SyntheticStt(final_ms=0), WhisperStt(device="cpu")]
YES_OR_NO = Transcribe(1, 0, 1, 0, Expectation(grammar="#JSGF V1.0;\ngrammar g;\npublic <turn> = yes | no;\n"))
SECOND = np.zeros(16_000, np.int16)


@pytest.fixture(scope="module", params=BACKENDS, ids=lambda config: config.__struct_config__.tag)
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    config = request.param
    if isinstance(config, WhisperStt):
        from bench.models.whisper import write_whisper

        folder = write_whisper(tmp_path_factory.mktemp("whisper"), says="yes")
        config = msgspec.structs.replace(config, model=str(folder))
    woken = threading.Event()
    made = make_backend(config, wake=woken.set)
    made.woken = woken
    made.warm_up()
    yield made
    if hasattr(made, "close"):
        made.close()


def finish(backend: Any, stream: Any) -> str:
    """Finalise and step, in virtual time, until the transcript is there."""
    stream.finalise()
    now_ns = 2**61  # whatever clock the backend stamped the request with, it is due by then
    for _ in range(100):
        if stream.final is not None:
            return str(stream.final)
        now_ns += 100_000_000
        backend.step([stream], now_ns)
        if hasattr(backend, "pool") and stream.final is None:
            assert backend.woken.wait(20)
            backend.woken.clear()
    raise AssertionError("no final")


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


def test_threads_are_back_where_they_were(backend: Any) -> None:
    before = threading.active_count()
    stream = backend.open(YES_OR_NO, 0)
    stream.feed(SECOND)
    finish(backend, stream)
    stream.close()
    assert threading.active_count() == before
