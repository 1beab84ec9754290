"""Hosted voices against servers on loopback."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from voice_servers import SERVERS, VoiceServer

from ringline.workers.tts import make_backend
from ringline.workers.tts.backend import Order


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[VoiceServer]:
    with SERVERS[request.param]() as made:
        yield made


@pytest.fixture
def started() -> Iterator[Callable[..., Any]]:
    """``started(config)``: a backend that has warmed up."""
    with contextlib.ExitStack() as stack:

        def start(config: Any) -> Any:
            made = make_backend(config)
            made.warm_up()
            stack.callback(made.close)
            return made

        yield start


def parts(phrase: Any) -> Iterator[Any]:
    """What comes, waiting for it."""
    with contextlib.closing(phrase):
        for part in phrase:
            if part is None:
                time.sleep(0.001)
            else:
                yield part


@pytest.fixture
def say() -> Callable[..., Any]:
    """``say(backend, text, **order)``: (samples, marks)."""

    def run(backend: Any, text: str = "Good morning.", **fields: Any) -> Any:
        heard = list(parts(backend.synthesize(Order(text, **fields))))
        sound = [part for part in heard if isinstance(part, np.ndarray)]
        marks = [part for part in heard if not isinstance(part, np.ndarray)]
        return np.concatenate([np.empty(0, np.int16), *sound]), marks

    return run


@pytest.fixture
def begin() -> Callable[..., Any]:
    """``begin(backend, text, **order)``: a phrase of which the first part has come."""

    def run(backend: Any, text: str = "Good morning.", **fields: Any) -> Any:
        phrase = parts(backend.synthesize(Order(text, **fields)))
        next(phrase)
        return phrase

    return run
