"""What this process's model is running, where the engine can read it even after the process's death; and what it runs
alone.

A worker that dies was probably killed by what it was working on. The engine fails what has killed two, so it must not
take for the killer what only waited in the same worker, or ran in the same batch. Nor must it take for late what only
waits: so long as the model comes on, whatever waits for it has its turn yet to come.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

import numpy as np

log = logging.getLogger("ringline.worker")

OUT_OF_MEMORY = ("out of memory", "cudaerrormemoryallocation", "failed to allocate", "alloc_failed", "bad_alloc")
"""How CUDA and its libraries, ONNX Runtime and CTranslate2 say it."""

EXIT_OUT_OF_MEMORY = 12
"""The worker's exit status then: the engine starts it anew and sends its jobs again."""

Words = np.ndarray[tuple[int], np.dtype[np.int64]]

_words: Words = np.zeros(7, np.int64)
_alone: set[int] = set()


def attach(words: Words) -> None:
    """From now on, say here what runs (`ringline.ipc.exchange.Exchange.working_words`): first when the run should be
    over, then its calls."""
    global _words
    words[:] = 0
    _words = words


@contextmanager
def working_on(calls: Sequence[int], due_ns: int = 0) -> Iterator[None]:
    """The model works on jobs of these calls. Of more than there are words for, none is named.

    ``due_ns``: when that should be done; 0 for at once. Afterwards the word says when it was done, so that between two
    runs the model does not seem idle.
    """
    named = calls if len(calls) < _words.shape[0] else ()
    _words[1 : 1 + len(named)] = named
    _words[0] = due_ns or time.monotonic_ns()
    try:
        yield
    finally:
        _words[1:] = 0
        _words[0] = time.monotonic_ns()


def came_on() -> None:
    """The run has made something and goes on. Only on the thread that runs the model."""
    _words[0] = time.monotonic_ns()


def set_alone(call: int, alone: bool) -> None:
    """Whether jobs of the call share no batch: a worker died while it worked on it, perhaps because of another job."""
    if alone:
        _alone.add(call)
    else:
        _alone.discard(call)


def is_alone(call: int) -> bool:
    """What `set_alone` said last."""
    return call in _alone


def is_out_of_memory(error: Exception) -> bool:
    """Whether that is what a model's error says."""
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in OUT_OF_MEMORY)


def exit_out_of_memory(error: Exception) -> NoReturn:
    """Whoever ran out of memory, the GPU's included, is not to be trusted with the next job."""
    log.critical("out of memory", extra={"error": str(error)})
    logging.shutdown()
    os._exit(EXIT_OUT_OF_MEMORY)
