"""The STT worker and a backend that fails."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ringline.ipc.messages import Transcribe, TranscriptFailed
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
