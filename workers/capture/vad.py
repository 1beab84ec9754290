"""Hears when callers begin and cease to speak: Silero VAD over all calls of the worker, one batch per window.

Silero's probabilities pass a hysteresis per call (`SileroVad`). What the model says is coarse in time: it sees 32 ms at
once and lingers after the last word. So the end of an utterance is dated by level (`workers/audio/levels.py`), which is
how a listener on the wire dates it, too.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np

from ringline.engine.config import SileroVad
from ringline.ipc.atomics import Words, load_acquire_at
from ringline.ipc.exchange import CALLER_RING, LINE_WORDS, MEDIA_RATE_HZ, Exchange
from ringline.ipc.jit import compiled
from ringline.ipc.ring import WRITTEN, Samples, ring_read
from ringline.workers.audio.levels import (
    BLOCKS_PER_S,
    audible_from,
    last_audible_beside,
    loudest_block,
    mean_square,
)
from ringline.workers.capture.silero import CONTEXT, MEMORY, WINDOW, Memory, Probabilities, SileroModel, Windows

Table = np.ndarray[tuple[int, int], np.dtype[np.int64]]
Indexes = np.ndarray[tuple[int], np.dtype[np.int64]]
Levels = np.ndarray[tuple[int], np.dtype[np.float64]]
Rings = np.ndarray[tuple[int, int], np.dtype[np.int16]]

MAX_BATCH = 64
"""The cost per window falls until about 8 streams and is flat from there on; this bounds the memory of a batch."""

ONSET_PAD = WINDOW
"""An utterance starts so much before its first speech window: Silero misses about a window of a soft onset."""

LOOK_BACK = MEDIA_RATE_HZ
"""How far before the first silent window the last audible sample is looked for. Silero lingers for at most two windows
in digital silence and for some 250 ms in noise 15 dB below the speech, longer with a low release threshold. A wide
margin costs nothing: the search goes backwards and ends where it finds something."""

LATE_AUDIBLE = 2 * WINDOW
"""How far behind the first silent window it is looked for: Silero lets go of a weak last consonant too soon, mostly by
less than two windows. A knock that comes later is not the caller's speech, and must not hold up the turn."""

LONGEST_CONSONANT = 5 * WINDOW
"""... unless it sounds without a gap from there on, as a long final s or th does. The stop waits for its end, so this
also bounds how long a breath, or a noise that has just begun, can hold up the turn."""

SAME_BREATH = MEDIA_RATE_HZ
"""After a shorter pause an utterance is measured by the loudest block of the one before as well: to a listener both are
one sentence, and its last words are often its quietest."""

NOISE_RISE_DB_PER_S = 2.0
"""The noise of a line is its quietest window, forgotten at this speed: over a long sentence it hardly rises, and a line
that becomes noisy is known as such after some seconds."""

_BLOCK = MEDIA_RATE_HZ // BLOCKS_PER_S  # kept of what came before a window: covers Silero's context, too
_NOISE_RISE = 10.0 ** (NOISE_RISE_DB_PER_S / 10.0 * WINDOW / MEDIA_RATE_HZ)
_QUIETEST = float(audible_from(0.0)) / 10**0.5  # 5 dB below the floor: noise that quiet is never heard as speech
_NOT_NOISE = 2.0  # 3 dB: more than stationary noise varies between stretches of 16 ms

# Columns of a call's state.
_POSITION = 0  # caller ring: first sample of the next window
_LOST = 1  # samples lost to lapping
_SPEAKING = 2
_RUN = 3  # windows in a row that speak for a change
_RUN_START = 4  # first sample of the first of them
_START = 5  # first sample of the utterance
_END = 6  # behind the last sample of the utterance before
_COLUMNS = 7


class SpeechEvent(NamedTuple):
    """A caller began or ceased to speak."""

    slot: int
    call: int
    started: bool
    sample: int
    """Caller ring: first sample of the utterance, or the one behind its last audible sample."""


@compiled
def _gather(
    slot_words: Table,
    rings: Rings,
    slots: Indexes,
    first: int,
    state: Table,
    memory: Memory,
    history: Rings,
    batch_slots: Indexes,
    batch: Windows,
    batch_memory: Memory,
    batch_loudest: Levels,
    window: Samples,
) -> tuple[int, int]:
    """Put the next window of each call that has one into the batch. Returns (how many, where in ``slots`` to go on)."""
    count = 0
    index = first
    while index < slots.shape[0] and count < batch.shape[0]:
        slot = slots[index]
        index += 1
        words = slot_words[slot, CALLER_RING : CALLER_RING + LINE_WORDS]
        position = state[slot, _POSITION]
        written = load_acquire_at(words, WRITTEN)
        if written - position < WINDOW:
            continue
        start, got = ring_read(words, rings[slot], position, window[_BLOCK:])
        if start != position:
            # Half a minute behind: what counts is what the caller says now. The model starts anew from there.
            start = max(start, written - WINDOW)
            state[slot, _LOST] += start - position
            state[slot, _POSITION] = start
            state[slot, _RUN] = 0
            memory[:, slot] = 0
            history[slot] = 0
            start, got = ring_read(words, rings[slot], start, window[_BLOCK:])
            if start != state[slot, _POSITION] or got < WINDOW:
                continue
        state[slot, _POSITION] = start + WINDOW
        batch_slots[count] = slot
        batch_memory[:, count] = memory[:, slot]
        window[:_BLOCK] = history[slot]
        history[slot] = window[WINDOW:]
        row = batch[count]
        for i in range(CONTEXT + WINDOW):
            row[i] = window[_BLOCK - CONTEXT + i] / np.float32(32768)
        batch_loudest[count] = loudest_block(window, MEDIA_RATE_HZ)
        count += 1
    return count, index


@compiled
def _speech_end(
    words: Words, ring: Samples, start: int, silent: int, limit: int, loudest: float, noise: float, tail: Samples
) -> int:
    """Behind the last audible sample of an utterance that began at ``start``; ``limit`` where it still sounds there.

    ``silent`` is the start of the first silent window. Sound up to the limit may be a long last consonant that the
    model does not take for speech, or the line's noise. In noise, as with a voice below the floor, the level says
    nothing, and the model's word stands: the end of the last window that was speech.
    """
    first, count = ring_read(words, ring, max(start, silent - LOOK_BACK), tail)
    count = min(count, limit - first)
    if count <= 0:
        return silent
    end = last_audible_beside(tail[:count], MEDIA_RATE_HZ, loudest)
    if end > count - _BLOCK:
        rest = mean_square(tail, max(0, count - WINDOW // 2), count)
        return limit if rest > noise * _NOT_NOISE else silent
    return first + end if end > 0 else silent


@compiled
def _decide(
    slot_words: Table,
    rings: Rings,
    state: Table,
    memory: Memory,
    loudest: Levels,
    noise: Levels,
    batch_slots: Indexes,
    batch_loudest: Levels,
    speech: Probabilities,
    new_memory: Memory,
    settings: tuple[float, float, int, int],
    tail: Samples,
    events: Table,
) -> int:
    """The hysteresis of each call in the batch. Returns the number of ``events``: rows of (slot, started, sample)."""
    threshold, release_threshold, onset_windows, release_windows = settings
    num_events = 0
    for i in range(speech.shape[0]):
        slot = batch_slots[i]
        memory[:, slot] = new_memory[:, i]
        row = state[slot]
        speaking = row[_SPEAKING] != 0
        window_start = row[_POSITION] - WINDOW
        noise[slot] = min(noise[slot] * _NOISE_RISE, max(batch_loudest[i], _QUIETEST))
        if speaking and speech[i] >= release_threshold:
            loudest[slot] = max(loudest[slot], batch_loudest[i])
        changes = speech[i] < release_threshold if speaking else speech[i] >= threshold
        if not changes:
            row[_RUN] = 0
            continue
        if row[_RUN] == 0:
            row[_RUN_START] = window_start
            if not speaking and (row[_END] == 0 or window_start - row[_END] > SAME_BREATH):
                loudest[slot] = 0.0
        row[_RUN] += 1
        if not speaking:
            loudest[slot] = max(loudest[slot], batch_loudest[i])
        if row[_RUN] < (release_windows if speaking else onset_windows):
            continue
        if speaking:
            words = slot_words[slot, CALLER_RING : CALLER_RING + LINE_WORDS]
            silent = row[_RUN_START]
            position = row[_POSITION]
            last = silent + WINDOW + LONGEST_CONSONANT
            limit = min(position, silent + WINDOW + LATE_AUDIBLE)
            start, loud, quiet = row[_START], loudest[slot], noise[slot]
            sample = _speech_end(words, rings[slot], start, silent, limit, loud, quiet, tail)
            while sample == limit and limit < min(position, last):
                limit = min(position, last, limit + WINDOW)
                sample = _speech_end(words, rings[slot], start, silent, limit, loud, quiet, tail)
            if sample == position and position < last:
                continue  # a consonant that still sounds: its end is worth waiting for
            row[_END] = sample
        else:
            sample = max(row[_END], row[_RUN_START] - ONSET_PAD)
            row[_START] = sample
        row[_RUN] = 0
        row[_SPEAKING] = 0 if speaking else 1
        events[num_events, 0] = slot
        events[num_events, 1] = row[_SPEAKING]
        events[num_events, 2] = sample
        num_events += 1
    return num_events


class Vad:
    """The ears of a capture worker. ``step`` has a thread of its own; ``open`` and ``close`` may come from any."""

    def __init__(self, exchange: Exchange, config: SileroVad) -> None:
        """Loads and warms up the model. Raises CannotStart."""
        self.num_windows = 0
        """Windows judged so far, over all calls."""
        self._exchange = exchange
        self._model = SileroModel(config.model)
        self._settings = (
            config.threshold,
            config.release_threshold,
            _num_windows(config.onset_ms),
            _num_windows(config.release_ms),
        )
        num_slots = exchange.layout.max_calls
        self._changes: deque[tuple[int, int]] = deque()  # (slot, call or 0), in order; its ends are thread-safe
        self._calls: dict[int, int] = {}
        self._open: Indexes = np.empty(0, np.int64)
        self._state: Table = np.zeros((num_slots, _COLUMNS), np.int64)
        self._memory: Memory = np.zeros((2, num_slots, MEMORY), np.float32)
        self._history: Rings = np.zeros((num_slots, _BLOCK), np.int16)
        self._loudest: Levels = np.zeros(num_slots, np.float64)
        self._noise: Levels = np.full(num_slots, np.inf)
        size = min(num_slots, MAX_BATCH)
        self._batch_slots: Indexes = np.zeros(size, np.int64)
        self._batch: Windows = np.zeros((size, CONTEXT + WINDOW), np.float32)
        self._batch_memory: Memory = np.zeros((2, size, MEMORY), np.float32)
        self._batch_loudest: Levels = np.zeros(size, np.float64)
        self._window: Samples = np.zeros(_BLOCK + WINDOW, np.int16)
        self._tail: Samples = np.zeros(LOOK_BACK + WINDOW + LONGEST_CONSONANT, np.int16)
        self._events: Table = np.zeros((size, 3), np.int64)
        # Compile what the first call would otherwise wait for. `open` wipes what this leaves behind.
        self._judge(1)
        self.step()
        self.num_windows = 0

    def open(self, slot: int, call: int) -> None:
        """Listen to a call from the start of its caller ring, from the next step on."""
        self._changes.append((slot, call))

    def close(self, slot: int) -> None:
        """Listen to the slot no more, from the next step on."""
        self._changes.append((slot, 0))

    def lost_samples(self, slot: int) -> int:
        """Caller samples of the slot's call that went unheard because this worker was late by a whole ring."""
        return int(self._state[slot, _LOST])

    def step(self) -> list[SpeechEvent]:
        """Judge every full window of every open call. Returns what changed, in the order of each call's time."""
        events: list[SpeechEvent] = []
        more = True
        while more:
            self._apply_changes()
            more = False
            first = 0
            while True:
                count, first = _gather(
                    self._exchange.slot_words,
                    self._exchange.caller,
                    self._open,
                    first,
                    self._state,
                    self._memory,
                    self._history,
                    self._batch_slots,
                    self._batch,
                    self._batch_memory,
                    self._batch_loudest,
                    self._window,
                )
                if count == 0:
                    break
                more = True
                for slot, started, sample in self._events[: self._judge(count)].tolist():
                    events.append(SpeechEvent(slot, self._calls[slot], bool(started), sample))
        return events

    def _judge(self, count: int) -> int:
        """Run the model on the batch's first ``count`` windows; the events stand in ``_events``."""
        speech, memory = self._model.run(self._batch[:count], self._batch_memory[:, :count])
        self.num_windows += count
        return _decide(
            self._exchange.slot_words,
            self._exchange.caller,
            self._state,
            self._memory,
            self._loudest,
            self._noise,
            self._batch_slots,
            self._batch_loudest,
            speech,
            memory,
            self._settings,
            self._tail,
            self._events,
        )

    def _apply_changes(self) -> None:
        while self._changes:
            slot, call = self._changes.popleft()
            if call:
                self._calls[slot] = call
            else:
                self._calls.pop(slot, None)
            self._state[slot] = 0
            self._memory[:, slot] = 0
            self._history[slot] = 0
            self._loudest[slot] = 0
            self._noise[slot] = np.inf
            self._open = np.array(sorted(self._calls), np.int64)


def _num_windows(duration_ms: int) -> int:
    """Whole windows that last at least so long; at least one."""
    return max(1, -(-duration_ms * MEDIA_RATE_HZ // (1000 * WINDOW)))
