"""Judges how finished a turn sounds, in a thread of its own: neither a frame nor an onset waits for it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ringline.engine.config import TurnConfig
from ringline.ipc.exchange import MEDIA_RATE_HZ, Exchange
from ringline.ipc.ring import ring_read
from ringline.workers.capture.prosody.model import MEMORY_S, ProsodyModel

log = logging.getLogger("ringline.judge")

MEMORY_SAMPLES = MEMORY_S * MEDIA_RATE_HZ
SILENCE_SAMPLES = MEDIA_RATE_HZ // 5
"""At most so much of the silence is heard: what comes later would come too late."""


class Judgement(NamedTuple):
    """How finished a turn sounds that ended at a sample, if it has ended."""

    slot: int
    call: int
    end_sample: int
    finished: float


def load_model(config: TurnConfig) -> ProsodyModel | None:
    """The model that the configuration wants, warmed up; None for none. Raises CannotStart."""
    if not config.prosody:
        return None
    model: ProsodyModel
    if config.smart_turn:
        from ringline.workers.capture.prosody.smart_turn import SmartTurn

        model = SmartTurn(config.smart_turn)
    else:
        from ringline.workers.capture.prosody.melody import Melody

        model = Melody()
    noise = np.random.default_rng(0).integers(-1_000, 1_000, MEMORY_SAMPLES, np.int16)
    model.finished(noise, noise[:SILENCE_SAMPLES])
    return model


class Judge:
    """Judges turns in the order in which callers fall silent; delivers on the event loop."""

    def __init__(self, exchange: Exchange, model: ProsodyModel, on_judged: Callable[[Judgement], None]) -> None:
        self._exchange = exchange
        self._model = model
        self._on_judged = on_judged
        self._loop = asyncio.get_running_loop()
        self._ends: deque[tuple[int, int, int]] = deque(maxlen=2 * exchange.layout.max_calls)
        self._new_end = threading.Event()
        self._stopped = False
        self._heard = np.zeros(MEMORY_SAMPLES + SILENCE_SAMPLES, np.int16)
        self._thread = threading.Thread(target=self._run, name="judge", daemon=True)
        self._thread.start()

    def judge(self, slot: int, call: int, end_sample: int) -> None:
        """The VAD heard the call's caller fall silent at a sample of the caller ring."""
        self._ends.append((slot, call, end_sample))
        self._new_end.set()

    def stop(self) -> None:
        """End the thread; what is not judged by now never will be."""
        self._stopped = True
        self._new_end.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._new_end.wait()
            self._new_end.clear()
            while self._ends and not self._stopped:
                slot, call, end_sample = self._ends.popleft()
                try:
                    finished = self._finished(slot, call, end_sample)
                except Exception:
                    # The endpoint rule does without; so does the call.
                    log.exception("the melody could not be judged", extra={"call": call})
                    continue
                if finished is not None:
                    self._deliver(Judgement(slot, call, end_sample, finished))
            if self._stopped:
                return

    def _finished(self, slot: int, call: int, end_sample: int) -> float | None:
        """The model's word on the caller ring up to ``end_sample``; None if the call is over or nothing is left."""
        ring = self._exchange.slots[slot].caller
        first, count = ring_read(ring.words, ring.samples, end_sample - MEMORY_SAMPLES, self._heard)
        if self._exchange.slots[slot].call != call or not 0 < end_sample - first <= count:
            return None
        heard = self._heard[:count]
        return self._model.finished(heard[: end_sample - first], heard[end_sample - first :])

    def _deliver(self, judgement: Judgement) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._on_judged, judgement)
