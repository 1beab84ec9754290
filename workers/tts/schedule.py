"""Which call's phrase goes on next. It is asked for every chunk of every call, so it is compiled."""

from __future__ import annotations

import numpy as np

from ringline.ipc.atomics import Words, load_acquire_at
from ringline.ipc.exchange import PLAY_TURN, WIRE_RATE_HZ, Exchange
from ringline.ipc.jit import compiled
from ringline.ipc.reply import reply_ahead

Table = np.ndarray[tuple[int, int], np.dtype[np.int64]]
Indexes = np.ndarray[tuple[int], np.dtype[np.int64]]

NEVER_NS = 2**62


@compiled
def _ahead_ns(words: Words, turn: int) -> int:
    """How long the audio of ``turn`` lasts that is made and not yet played."""
    ahead_ns: int = reply_ahead(words, turn) * 1_000_000_000 // max(1, words[WIRE_RATE_HZ])
    return ahead_ns


@compiled
def _choose(slot_words: Table, turns: Indexes, not_before_ns: Indexes, now_ns: int) -> tuple[int, int]:
    """(slot to go on with or -1, when the next of those that must wait is due)"""
    best, best_ns, best_drafts, due_ns = -1, NEVER_NS, True, NEVER_NS
    for slot in range(turns.shape[0]):
        turn = turns[slot]
        if turn == 0:
            continue
        if not_before_ns[slot] > now_ns:
            due_ns = min(due_ns, not_before_ns[slot])
            continue
        words = slot_words[slot]
        drafts = load_acquire_at(words, PLAY_TURN) != turn
        ahead_ns = _ahead_ns(words, turn)
        if best < 0 or (not drafts and best_drafts) or (drafts == best_drafts and ahead_ns < best_ns):
            best, best_ns, best_drafts = slot, ahead_ns, drafts
    return best, due_ns


class Schedule:
    """Of each slot the turn whose speech is to be made, if any: what somebody waits for before drafts, then whose audio
    runs out first."""

    def __init__(self, exchange: Exchange) -> None:
        self._words: Table = exchange.slot_words
        self._turns: Indexes = np.zeros(exchange.layout.max_calls, np.int64)
        self._not_before_ns: Indexes = np.zeros(exchange.layout.max_calls, np.int64)
        _choose(self._words, self._turns, self._not_before_ns, 0)  # compiles

    def set(self, slot: int, turn: int, not_before_ns: int) -> None:
        """The slot has speech of ``turn`` to make, from then on (CLOCK_MONOTONIC); 0: it has none."""
        self._turns[slot] = turn
        self._not_before_ns[slot] = not_before_ns

    def next(self, now_ns: int) -> int:
        """The slot to go on with; -1 for none."""
        return _choose(self._words, self._turns, self._not_before_ns, now_ns)[0]

    def due_ns(self, now_ns: int) -> int:
        """When there is something to do: ``now_ns`` or before, later, or `NEVER_NS`."""
        slot, due_ns = _choose(self._words, self._turns, self._not_before_ns, now_ns)
        return now_ns if slot >= 0 else due_ns

    def ahead_ns(self, slot: int, turn: int) -> int:
        """How long the slot's audio of ``turn`` lasts that is made and not yet played."""
        return _ahead_ns(self._words[slot], turn)
