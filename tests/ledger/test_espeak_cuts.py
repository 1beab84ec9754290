"""The same with espeak-ng's own word marks. Where its words end is seen in the sound: they stand apart."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from ringline.engine.config import EspeakTts
from ringline.engine.conversation.events import HangUpAsked
from ringline.workers.tts import make_backend
from ringline.workers.tts.backend import Order

NUM_CUTS = 40
TEXT = "One, nine, four, seven, nine, one, one, nine, seven, four, nine, one, seven, nine, one, four."
APART_MS = 40
QUIET = 300
"""-40 dBFS."""


class Rendered:
    """A voice whose phrases are there at once: the same in every call, whatever the machine does meanwhile."""

    pool = None

    def __init__(self) -> None:
        self._backend = make_backend(EspeakTts())
        self._backend.warm_up()
        self.rate_hz = self._backend.rate_hz
        self._parts: dict[str, list[Any]] = {}

    def synthesize(self, order: Order) -> Iterator[Any]:
        if order.text not in self._parts:
            self._parts[order.text] = [part for part in self._backend.synthesize(order) if part is not None]
        return iter(self._parts[order.text])

    def num_samples(self, text: str) -> int:
        return sum(part.shape[0] for part in self._parts[text] if isinstance(part, np.ndarray))


def word_ends(samples: Any) -> Any:
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > QUIET)
    return np.append(loud[np.flatnonzero(np.diff(loud) > APART_MS * 8)], loud[-1])


def spoken(line: Any, backend: Rendered, cut_ms: float | None) -> Any:
    call = line(backend=backend)
    call.say = lambda request: TEXT
    call.answer()
    call.run_until(lambda: 1 in call.began)
    call.run(15_000 if cut_ms is None else cut_ms)
    call.handle(HangUpAsked("operator"))
    call.run(200)
    return call


def test_words_told_of_a_cut_espeak_reply_are_those_in_its_sound(line: Any) -> None:
    backend = Rendered()
    whole = spoken(line, backend, None).wire_of(1)
    ends = word_ends(whole)
    border = backend.num_samples("One, nine, four, seven,") * 8_000 // backend.rate_hz
    ends = np.sort(np.append(ends, border))  # phrases stand close together
    assert len(ends) == len(TEXT.split())
    rng = random.Random(3)
    off: Counter[int] = Counter()
    for _ in range(NUM_CUTS):
        call = spoken(line, backend, rng.uniform(0, ends[-1] / 8 - 50))
        num_same = int(np.argmax(call.wire_of(1) != whole))
        words = call.said(1).text.split()
        assert words == TEXT.split()[: len(words)]
        assert call.said(1).exact
        off[len(words) - int(np.sum(ends <= num_same))] += 1
    print(f"\n{NUM_CUTS} cuts: {off}")
    assert set(off) <= {-1, 0, 1}
