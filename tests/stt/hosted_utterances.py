"""Driving a hosted backend as the worker does: feed, finalise, wait to be woken."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from ringline.ipc.messages import Expectation, Transcribe

REQUEST = Transcribe(
    1, 0, 1, 0, Expectation(phrases=("table for two", "Dr. Müller")), language="en-GB", asked="For how many?"
)
PLAIN = Transcribe(1, 0, 1, 0)
SPOKEN = np.random.default_rng(7).integers(-9_000, 9_000, 32_000).astype(np.int16)
PATIENCE_S = 20.0
"""What is waited for takes so long only if it never comes."""

LOOK_S = 0.01


class Wake:
    """A backend's ``wake``, and who waits for it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()

    def __call__(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def wait_for(self, condition: Callable[[], object]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE_S), "it never came to pass"

    def wait_for_quiet(self, condition: Callable[[], object]) -> None:
        """Of things that end without a word: look again and again."""
        with self._changed:
            for _ in range(int(PATIENCE_S / LOOK_S)):
                if condition():
                    return
                self._changed.wait(LOOK_S)
        raise AssertionError("it never came to pass")


def speak(stream: Any, samples: Any = SPOKEN) -> None:
    for start in range(0, samples.size, 320):
        stream.feed(samples[start : start + 320])


def transcribe(backend: Any, wake: Wake, request: Transcribe = REQUEST, samples: Any = SPOKEN) -> str:
    """The final of one utterance. Raises what the stream raises."""
    stream = backend.open(request, 0)
    try:
        speak(stream, samples)
        stream.finalise()
        wake.wait_for(lambda: stream.final is not None)
        return str(stream.final)
    finally:
        stream.close()
