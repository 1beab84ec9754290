"""Phrases that were spoken before are not made again: a greeting starts at once.

Everything that was made to its end is kept, and the least recently used is forgotten. What every call needs is made
before the first one (`Rehearse`), whenever no call has anything to say.
"""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ringline.workers.pool import IDLE_NS, Pool
from ringline.workers.tts.backend import Mark, Order, Samples, TtsBackend

log = logging.getLogger("ringline.tts")

_Key = tuple[str, str, float, str, tuple[tuple[str, str], ...]]


class CachedBackend:
    """A `TtsBackend` in front of another. What it repeats is, sample for sample and mark for mark, what was made."""

    rate_hz = 0

    def __init__(self, backend: TtsBackend, max_bytes: int) -> None:
        self._backend, self._max_bytes = backend, max_bytes
        self._kept: OrderedDict[_Key, tuple[Samples | Mark, ...]] = OrderedDict()
        self._num_bytes = 0
        self._to_rehearse: deque[Order] = deque()
        self._awaited: set[_Key] = set()
        self._rehearsed: Iterator[Samples | Mark | None] | None = None

    def warm_up(self) -> None:
        self._backend.warm_up()
        self.rate_hz = self._backend.rate_hz

    @property
    def pool(self) -> Pool[Any] | None:
        """The backend's."""
        return self._backend.pool

    def synthesize(self, order: Order) -> Iterator[Samples | Mark | None]:
        """See `TtsBackend.synthesize`."""
        key = _key(order)
        if key in self._kept:
            self._kept.move_to_end(key)
            return iter(self._kept[key])
        return self._made(key, self._backend.synthesize(order))

    def has(self, order: Order) -> bool:
        """Whether it was made before, and is there at once."""
        return _key(order) in self._kept

    def close(self) -> None:
        """Of the backend, where it has any."""
        if close := getattr(self._backend, "close", None):
            close()

    def rehearse(self, orders: Iterable[Order], num_awaited: int = 0) -> None:
        """Make these when there is time (`go_on`); they take the place of those that are still to be made.

        ``num_awaited``: so many of the first are wanted before there are calls; see `is_awaited`.
        """
        orders = list(orders)
        if prepare := getattr(self._backend, "prepare", None):
            for order in {(order.voice, order.language): order for order in orders}.values():
                prepare(order)
        self._awaited = {_key(order) for order in orders[:num_awaited]} - self._kept.keys()
        self._to_rehearse = deque({_key(order): order for order in orders if _key(order) not in self._kept}.values())

    @property
    def is_awaited(self) -> bool:
        """Whether of what is wanted before there are calls something is still to be made."""
        return bool(self._awaited)

    def go_on(self, only_awaited: bool = False) -> None:
        """Rehearse until the backend has nothing ready, or nothing is left; or nothing that is awaited."""
        while self._rehearsed is not None or self._to_rehearse:
            if only_awaited and not self._awaited:
                return
            try:
                if self._rehearsed is None:
                    order = self._to_rehearse.popleft()
                    order.draft, order.deadline_ns = True, IDLE_NS
                    self._rehearsed = self.synthesize(order)
                for part in self._rehearsed:
                    if part is None:
                        return
            except Exception:
                # It may succeed when it is needed. If not, that request fails, and its fallback is asked.
                log.exception("a phrase could not be made in advance: no more are tried")
                self._to_rehearse.clear()
                self._awaited.clear()
            self._rehearsed = None

    def _made(self, key: _Key, parts: Iterator[Samples | Mark | None]) -> Iterator[Samples | Mark | None]:
        kept: list[Samples | Mark] = []
        for part in parts:
            if part is not None:
                kept.append(part)
            yield part
        self._keep(key, tuple(kept))

    def _keep(self, key: _Key, parts: tuple[Samples | Mark, ...]) -> None:
        num_bytes = _num_bytes(parts)
        self._awaited.discard(key)
        has_sound = any(isinstance(part, np.ndarray) and part.any() for part in parts)
        if key in self._kept or num_bytes > self._max_bytes or not has_sound:
            return
        self._kept[key] = parts
        self._num_bytes += num_bytes
        while self._num_bytes > self._max_bytes:
            self._num_bytes -= _num_bytes(self._kept.popitem(last=False)[1])


def _key(order: Order) -> _Key:
    return order.text, order.voice, order.speed, order.language, tuple(sorted(order.phonemes.items()))


def _num_bytes(parts: tuple[Samples | Mark, ...]) -> int:
    return sum(part.nbytes if isinstance(part, np.ndarray) else 64 for part in parts)
