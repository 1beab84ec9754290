"""Acquire and release on words of shared memory, as numba intrinsics that emit LLVM atomics.

Plain numpy loads and stores may be reordered by compiler and processor. x86 hides the error and ARM shows it.
The word is element ``index`` of a one-dimensional, contiguous, 8-byte aligned int64 array.

Only compiled code may call the ``*_at`` intrinsics; Python code calls the functions below them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ringline.ipc.jit import compiled

Words = np.ndarray[tuple[int], np.dtype[np.int64]]


def emitting(function: Callable[..., Any]) -> Any:
    """numba's ``intrinsic``. The compiled call has one argument less than ``function``, which no type checker knows."""
    return intrinsic(function)


def _word_pointer(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    array_type, words, index = signature.args[0], args[0], args[1]
    array = context.make_array(array_type)(context, builder, words)
    pointer: Callable[..., Any] = cgutils.get_item_pointer
    return pointer(context, builder, array_type, array, [index])


def _is_words(words: Any) -> bool:
    return isinstance(words, types.Array) and words.dtype == types.int64 and words.ndim == 1


@emitting
def load_acquire_at(typing: Any, words: Any, index: Any) -> Any:
    """Nothing that stands after this load in the program may happen before it."""
    if not _is_words(words):
        return None

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load_atomic(_word_pointer(context, builder, signature, args), "acquire", 8)

    return types.int64(words, types.intp), codegen


@emitting
def store_release_at(typing: Any, words: Any, index: Any, value: Any) -> Any:
    """Nothing that stands before this store in the program may happen after it."""
    if not _is_words(words):
        return None

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store_atomic(args[2], _word_pointer(context, builder, signature, args), "release", 8)
        return context.get_dummy_value()

    return types.void(words, types.intp, types.int64), codegen


@emitting
def compare_exchange_at(typing: Any, words: Any, index: Any, expected: Any, value: Any) -> Any:
    """Store ``value`` where ``expected`` stands, in one indivisible step. Returns whether it did."""
    if not _is_words(words):
        return None

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = _word_pointer(context, builder, signature, args)
        result = builder.cmpxchg(pointer, args[2], args[3], "acq_rel", "acquire")
        return builder.extract_value(result, 1)

    return types.boolean(words, types.intp, types.int64, types.int64), codegen


@emitting
def fetch_add_at(typing: Any, words: Any, index: Any, value: Any) -> Any:
    """Add ``value`` in one indivisible step. Returns what stood there before."""
    if not _is_words(words):
        return None

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.atomic_rmw("add", _word_pointer(context, builder, signature, args), args[2], "acq_rel")

    return types.int64(words, types.intp, types.int64), codegen


def _fence(ordering: str) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.fence(ordering)
        return context.get_dummy_value()

    return types.void(), codegen


@emitting
def fence_acquire(typing: Any) -> Any:
    """Loads before the fence stay before it; nothing after the fence moves in front of them."""
    return _fence("acquire")


@emitting
def fence_release(typing: Any) -> Any:
    """Stores after the fence stay after it; nothing before the fence moves behind them."""
    return _fence("release")


@compiled
def load_acquire(words: Words, index: int) -> int:
    """The word at ``index``; everything its writer did before ``store_release`` is visible."""
    value: int = load_acquire_at(words, index)
    return value


@compiled
def store_release(words: Words, index: int, value: int) -> None:
    """Publish ``value`` at ``index``, and with it everything written before."""
    store_release_at(words, index, value)


@compiled
def compare_exchange(words: Words, index: int, expected: int, value: int) -> bool:
    """Store ``value`` if ``expected`` stands at ``index``. Returns whether it did; of several callers, one wins."""
    swapped: bool = compare_exchange_at(words, index, expected, value)
    return swapped


@compiled
def fetch_add(words: Words, index: int, value: int) -> int:
    """Add ``value`` to the word at ``index``. Returns what stood there before; no two callers get the same."""
    before: int = fetch_add_at(words, index, value)
    return before
