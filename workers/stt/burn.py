"""The load of a model without the model: threads that keep processors or memory busy while the process lives."""

from __future__ import annotations

import mmap
import threading

import numpy as np

MATRIX = 512
"""A product of two such matrices takes some milliseconds of a core: the interpreter matters little."""
MEMORY_BYTES = 64 << 20
"""More than any cache holds, and little enough for any machine."""


def burn(num_threads: int, kind: str) -> None:
    """Start so many threads that are busy without end.

    ``matrices``   multiply: NumPy gives up the interpreter's lock meanwhile, so each thread has a core if BLAS has no
                   threads of its own (`worker_environment`)
    ``python``     run Python: together they have one core, and the interpreter's lock all the time
    ``memory``     take memory, touch every page of it and give it back: the kernel is what is busy
    """
    work = {"matrices": _multiply, "python": _interpret, "memory": _page}[kind]
    for number in range(num_threads):
        threading.Thread(target=work, name=f"burn-{number}", daemon=True).start()


def _multiply() -> None:
    matrix = np.random.default_rng(1).standard_normal((MATRIX, MATRIX), np.float32)
    product = np.empty_like(matrix)
    while True:
        np.matmul(matrix, matrix, out=product)


def _interpret() -> None:
    while True:
        sum(number * number for number in range(1_000))


def _page() -> None:
    while True:
        with mmap.mmap(-1, MEMORY_BYTES) as memory:
            pages = np.frombuffer(memory, np.uint8)
            pages.fill(1)
            del pages  # a view keeps the memory from being given back
