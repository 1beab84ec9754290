"""The reply ring's gate: every reply sample belongs to a turn, and only the turn that the engine lets through is heard.

TTS writes a turn's samples behind its entry in the slot's turn table; capture plays the turn whose number stands in the
slot's ``PLAY_TURN`` word and nothing else. Setting that word commits a drafted turn or cuts a spoken one within one
frame, whatever became of any message. A full ring makes the writer wait (`ReplyWriter.room`).
"""

from __future__ import annotations

from ringline.ipc.atomics import Words, load_acquire_at, store_release_at
from ringline.ipc.exchange import (
    MIN_TURN,
    PHRASE_START,
    PLAY_TURN,
    PLAYED_SAMPLE,
    PLAYED_TURN,
    REPLY_POSITION,
    REPLY_RING,
    SPEAK_PHRASE,
    SPEAK_TURN,
    TURN_ENTRIES,
    TURN_ENTRY_WORDS,
    TURN_TABLE,
    Slot,
)
from ringline.ipc.jit import compiled
from ringline.ipc.ring import WRITTEN, Samples

PLAYED_OUT = 1
"""Flag of `reply_take`: the turn's last sample has now been taken."""


@compiled
def _discard_dead(words: Words, position: int, written: int) -> None:
    """Give the room of dead turns back to the writer, up to the oldest turn that may yet be heard."""
    # Turns before the one that was heard last are dead, too: the engine never goes back.
    min_turn = max(1, load_acquire_at(words, MIN_TURN), words[PLAYED_TURN])
    # A turn that is not in the table yet begins at ``written`` or behind it (SYNC POINT c).
    oldest_alive = written
    for i in range(TURN_ENTRIES):
        entry = TURN_TABLE + i * TURN_ENTRY_WORDS
        if load_acquire_at(words, entry) >= min_turn:
            oldest_alive = min(oldest_alive, load_acquire_at(words, entry + 1))
    if oldest_alive > position:
        store_release_at(words, REPLY_POSITION, oldest_alive)


@compiled
def reply_take(words: Words, samples: Samples, frame: Samples) -> tuple[int, int, int]:
    """Take a frame of the turn that may be heard. Returns (count, turn, flags).

    ``count`` samples stand in ``frame``: all of it, fewer at the turn's end, or none; the rest of it is untouched.
    ``turn`` is 0 while nothing may be heard. Only capture calls it.
    """
    capacity = samples.shape[0]
    position = words[REPLY_POSITION]
    turn = load_acquire_at(words, PLAY_TURN)
    # SYNC POINT c (with ReplyWriter.begin and end): the index is loaded before the table. So if the turn is still open
    # in the table below, every sample up to the index belongs to it or to an earlier one, none to a later one.
    written = load_acquire_at(words, REPLY_RING + WRITTEN)
    entry = TURN_TABLE + (turn % TURN_ENTRIES) * TURN_ENTRY_WORDS
    known = turn != 0 and load_acquire_at(words, entry) == turn
    start = load_acquire_at(words, entry + 1)
    end = load_acquire_at(words, entry + 2)
    # SYNC POINT e (with ReplyWriter.begin): start and end are those of this turn if the entry still is.
    if not known or load_acquire_at(words, entry) != turn:
        _discard_dead(words, position, written)
        return 0, turn, 0
    position = max(position, start)
    limit = written if end < 0 else min(written, end)
    count = max(0, min(limit - position, frame.shape[0]))
    if count < frame.shape[0] and end < 0:
        count = 0  # a frame that is not whole yet is late: half of it now would put a gap into a word
    offset = position % capacity
    head = min(count, capacity - offset)
    frame[:head] = samples[offset : offset + head]
    frame[head:count] = samples[: count - head]
    position += count
    words[PLAYED_TURN] = turn
    words[PLAYED_SAMPLE] = position
    # SYNC POINT d (with ReplyWriter.room): the samples were copied before their room is given away.
    store_release_at(words, REPLY_POSITION, position)
    if 0 <= end <= position:
        # The gate may stay on a finished turn for long: drafts that died behind it must not fill the ring.
        _discard_dead(words, position, written)
        return count, turn, PLAYED_OUT
    return count, turn, 0


@compiled
def reply_peek(words: Words, samples: Samples, turn: int, position: int, target: Samples) -> int:
    """Copy the samples of ``turn`` from ``position`` on that are in the ring, without taking them. Returns how many.

    Only capture calls it, with the turn that it is playing and where it stands, before the next `reply_take`: until
    then no sample from ``position`` on is discarded, so none is overwritten.
    """
    entry = TURN_TABLE + (turn % TURN_ENTRIES) * TURN_ENTRY_WORDS
    written = load_acquire_at(words, REPLY_RING + WRITTEN)  # SYNC POINT c
    if load_acquire_at(words, entry) != turn:
        return 0
    end = load_acquire_at(words, entry + 2)
    if load_acquire_at(words, entry) != turn:  # SYNC POINT e
        return 0
    limit = written if end < 0 else min(written, end)
    count: int = max(0, min(limit - position, target.shape[0]))
    offset = position % samples.shape[0]
    head = min(count, samples.shape[0] - offset)
    target[:head] = samples[offset : offset + head]
    target[head:count] = samples[: count - head]
    return count


@compiled
def reply_ahead(words: Words, turn: int) -> int:
    """Samples of ``turn`` that are in the ring and not yet played; 0 if it is not the turn being written.

    What the deadline of its next sample depends on.
    """
    if load_acquire_at(words, SPEAK_TURN) != turn:
        return 0
    start = words[TURN_TABLE + (turn % TURN_ENTRIES) * TURN_ENTRY_WORDS + 1]
    count: int = load_acquire_at(words, REPLY_RING + WRITTEN) - max(start, load_acquire_at(words, REPLY_POSITION))
    return count


class ReplyWriter:
    """TTS's side of one call's reply ring."""

    def __init__(self, slot: Slot) -> None:
        self.slot = slot

    @property
    def turn(self) -> int:
        """The turn begun last, by this process or the one before it; 0 if none."""
        return self.slot.load(SPEAK_TURN)

    def begin(self, turn: int) -> None:
        """Start a turn at the ring's end. Turn numbers only grow; the turn before is thereby over.

        Of the turns that may yet be heard, the table holds the last ``TURN_ENTRIES``. Raises ValueError for a turn
        before the current one.
        """
        if turn == self.turn:
            return
        if turn < self.turn:
            raise ValueError(f"turn {turn} is over: turn {self.turn} has begun")
        if self.turn:
            self.end(self.turn)
        entry = self._entry(turn)
        self.slot.store(entry, 0)  # SYNC POINT e: an old turn's entry is gone before it changes
        self.slot.store(entry + 1, self.slot.reply.written)
        self.slot.store(entry + 2, -1)
        self.slot.store(entry, turn)  # SYNC POINT c: the entry is whole before any of the turn's samples
        self.slot.store(SPEAK_PHRASE, -2)
        self.slot.store(SPEAK_TURN, turn)

    def begin_phrase(self, phrase: int) -> int:
        """Start a phrase of the current turn, or go on with it after a crash. Returns how many samples of it are in."""
        written = self.slot.reply.written
        if self.slot.load(SPEAK_PHRASE) == 2 * phrase + 1:
            return written - self.slot.load(PHRASE_START)
        self.slot.store(PHRASE_START, written)
        self.slot.store(SPEAK_PHRASE, 2 * phrase + 1)
        return 0

    def put_before(self, phrase: int, samples: Samples) -> int:
        """Append samples that are no part of ``phrase``, of which nothing is in yet, and start it behind them. Returns
        where they begin. Raises ValueError beyond `room`."""
        start_sample = self.slot.reply.written
        self.slot.store(SPEAK_PHRASE, 2 * (phrase - 1))  # whoever goes on after a crash finds it not begun
        self.write(samples)
        self.begin_phrase(phrase)
        return start_sample

    def end_phrase(self, phrase: int) -> None:
        """The phrase's last sample is in the ring."""
        self.slot.store(SPEAK_PHRASE, 2 * phrase)

    def has(self, turn: int, phrase: int) -> bool:
        """Whether nothing of the phrase is left to write, whichever process wrote it: it is in the ring, or its turn
        is over."""
        entry = self._entry(turn)
        begun = self.slot.load(entry)
        # The table is asked first: a writer that died in `begin` leaves the SPEAK words of two turns mixed.
        if turn < max(begun, self.turn) or (turn == begun and self.slot.load(entry + 2) >= 0):
            return True
        current, still_open = divmod(self.slot.load(SPEAK_PHRASE), 2)
        return self.turn == turn and phrase < current + (1 - still_open)

    @property
    def is_silent(self) -> bool:
        """Whether nothing of the current turn was put into the ring yet."""
        return self.slot.reply.written == self.slot.load(self._entry(self.turn) + 1)

    def room(self) -> int:
        """How many samples fit now."""
        return self.slot.reply.capacity - (self.slot.reply.written - self.slot.load(REPLY_POSITION))  # SYNC POINT d

    def write(self, samples: Samples) -> int:
        """Append samples of the current turn. Returns the end index. Raises ValueError beyond `room`."""
        if samples.shape[0] > self.room():
            raise ValueError(f"{samples.shape[0]} samples, room for {self.room()}")
        return self.slot.reply.write(samples)

    def ahead(self) -> int:
        """Samples of the current turn that are not yet played."""
        return reply_ahead(self.slot.words, self.turn)

    def end(self, turn: int) -> None:
        """The turn has no further samples."""
        entry = self._entry(turn)
        if self.slot.load(entry) == turn and self.slot.load(entry + 2) < 0:
            self.slot.store(entry + 2, self.slot.reply.written)  # SYNC POINT c

    @staticmethod
    def _entry(turn: int) -> int:
        return TURN_TABLE + (turn % TURN_ENTRIES) * TURN_ENTRY_WORDS
