"""The STT worker and a backend that fails."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from bench.telephone import Voices, over_the_phone

from ringline.ipc.exchange import Exchange, Layout
from ringline.ipc.messages import Finalise, Transcribe, TranscriptFailed, TranscriptFinal
from ringline.workers.stt.worker import SttWorker


class FailingStream:
    """It was finalised, and then its service went away."""

    partial = ""
    confidence = 0.0
    is_closed = False

    @property
    def final(self) -> str | None:
        raise RuntimeError("the service went away")

    def close(self) -> None:
        self.is_closed = True


def test_recognition_that_fails_after_the_end_of_the_utterance_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    sent: list[Any] = []
    backend: Any = SimpleNamespace(step=lambda streams, now_ns: None)
    worker: Any = SimpleNamespace(bus=SimpleNamespace(send=sent.append))
    stream = FailingStream()
    stt = SttWorker(worker, backend)
    utterance: Any = SimpleNamespace(
        request=Transcribe(1, 0, 2, 0), stream=stream, finalised=True, reported="", urgency=(False, 1)
    )
    stt.utterances[(1, 2)] = utterance
    stt.step()
    assert sent == [TranscriptFailed(1, 2, "RuntimeError: the service went away")]
    assert stream.is_closed
    assert not stt.utterances
    assert "recognition failed" in caplog.text


class WordsOnly:
    """A recogniser without an opinion beside its words, or with one."""

    partial, stable, confidence, closed_vocabulary = "", 0, 0.5, False

    def __init__(self, other_words: float | None) -> None:
        self.final: str | None = None
        self.other_words = other_words

    def feed(self, samples: Any) -> None: ...

    def finalise(self, due_ns: int = 0) -> None:
        self.final = "right"

    def close(self) -> None: ...


def heard_over_the_bot(
    samples: Any, overlap: bool = True, other_words: float | None = None, language: str = "en"
) -> TranscriptFinal:
    """What the worker says of a sound that stands in a caller ring."""
    exchange = Exchange.create(Layout(1, 4 * 16_000, 4 * 16_000, 4 * 8_000))
    try:
        slot = exchange.slots[0]
        slot.caller.write(samples)
        sent: list[Any] = []
        worker: Any = SimpleNamespace(bus=SimpleNamespace(send=sent.append), exchange=exchange)
        backend: Any = SimpleNamespace(
            step=lambda streams, now_ns: None, open=lambda request, now_ns: WordsOnly(other_words)
        )
        stt = SttWorker(worker, backend)
        stt.handle(Transcribe(1, 0, 1, 0, overlap=overlap, language=language))
        stt.handle(Finalise(1, 1, samples.shape[0], 0))
        for _ in range(10):
            stt.step()
        (final,) = sent
        assert isinstance(final, TranscriptFinal)
        return final
    finally:
        exchange.close()


@pytest.fixture(scope="module")
def said() -> Any:
    """text -> int16 at 16 kHz."""
    voices = Voices()
    return lambda text: over_the_phone(voices.speak(text, "en-us+f3"), voices.rate_hz, "mulaw")


def test_the_ear_listens_over_the_bot_whatever_the_recogniser(said: Any) -> None:
    assert (heard_over_the_bot(said("tuesday")).other_words or 0.0) > 0.5
    assert (heard_over_the_bot(said("okay")).other_words or 0.0) < 0.5


@pytest.mark.parametrize(("language", "listens"), [("en-GB", True), ("", True), ("de", False), ("es-MX", False)])
def test_the_ear_listens_to_the_language_it_was_fitted_to(said: Any, language: str, listens: bool) -> None:
    assert (heard_over_the_bot(said("tuesday"), language=language).other_words is not None) == listens


def test_the_ear_does_not_listen_where_nothing_is_talked_over(said: Any) -> None:
    assert heard_over_the_bot(said("tuesday"), overlap=False).other_words is None


def test_what_the_recogniser_knows_beside_its_words_counts_more_than_the_ear(said: Any) -> None:
    assert heard_over_the_bot(said("okay"), other_words=1.0).other_words == 1.0


def test_a_long_sound_is_left_to_the_recogniser() -> None:
    assert heard_over_the_bot(np.full(3 * 16_000, 500, np.int16)).other_words is None
