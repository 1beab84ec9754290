"""Hears when callers begin and cease to speak: a model over all calls of the worker, one batch per window.

The model's probabilities pass a hysteresis per call. What it says is coarse in time: it sees 32 ms at once and lingers
after the last word. So the end of an utterance is dated by level (`workers/audio/levels.py`), which is
how a listener on the wire dates it, too.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np

from ringline.engine.config import SileroVad, VadConfig
from ringline.ipc.atomics import load_acquire_at
from ringline.ipc.exchange import CALLER_RING, LINE_WORDS, MEDIA_RATE_HZ, PLAYING, Exchange
from ringline.ipc.jit import compiled
from ringline.ipc.ring import WRITTEN, Samples, ring_read
from ringline.workers.audio.levels import BLOCKS_PER_S, loudest_block
from ringline.workers.capture import hysteresis as column
from ringline.workers.capture.echo import EchoPaths, is_judged, listen, residual
from ringline.workers.capture.hysteresis import (
    EAGER_RISE,
    LONGEST_CONSONANT,
    LOOK_BACK,
    NUM_COLUMNS,
    Levels,
    Rings,
    Table,
    decide,
)
from ringline.workers.capture.silero import SileroStreams
from ringline.workers.capture.webrtc import WebRtcStreams
from ringline.workers.capture.windows import CONTEXT, WINDOW, Indexes, SpeechModel, Windows

MAX_BATCH = 64
"""The cost per window falls until about 8 streams and is flat from there on; this bounds the memory of a batch."""

MIN_PEEK = WINDOW // 4
"""New samples that are worth a look before their window is full: less than the shortest packet, 10 ms."""

_BLOCK = MEDIA_RATE_HZ // BLOCKS_PER_S  # kept of what came before a window: covers the context, too
_POSITION, _LOST, _RUN = column.POSITION, column.LOST, column.RUN


class SpeechEvent(NamedTuple):
    """A caller began or ceased to speak."""

    slot: int
    call: int
    started: bool
    sample: int
    """Caller ring: first sample of the utterance, or the one behind its last audible sample."""
    background: bool = False
    """Of an utterance that ends: it was the bot's own voice, or the line's noise."""
    doubtful: bool = False
    """Of one over the bot that ends: the model hardly took any of it for speech."""


@compiled
def _may_peek(words: Indexes, row: Indexes, written: int, eager: bool) -> bool:
    """Whether a sound in a window that is not full yet may already pause the bot."""
    if not eager or row[column.SPEAKING] != 0 or load_acquire_at(words, PLAYING) == 0:
        return False
    new: int = written - max(row[_POSITION], row[column.PEEKED])
    return new >= MIN_PEEK and row[_POSITION] >= WINDOW


@compiled
def _gather(
    slot_words: Table,
    rings: Rings,
    slots: Indexes,
    first: int,
    eager: bool,
    wary: bool,
    state: Table,
    history: Rings,
    noise: Levels,
    paths: EchoPaths,
    batch_slots: Indexes,
    batch_ends: Indexes,
    batch: Windows,
    batch_loudest: Levels,
    window: Samples,
) -> tuple[int, int]:
    """Put the next window of each call that has one into the batch. Returns (how many, where in ``slots`` to go on).

    With ``eager``, of a call in which the bot speaks also what has come since its last full window, if it is loud; with
    ``wary`` only once it is known whether the line has an echo.
    """
    count = 0
    index = first
    while index < slots.shape[0] and count < batch.shape[0]:
        slot = slots[index]
        index += 1
        words = slot_words[slot, CALLER_RING : CALLER_RING + LINE_WORDS]
        position = state[slot, _POSITION]
        written = load_acquire_at(words, WRITTEN)
        row = batch[count]
        if written - position < WINDOW:
            if not _may_peek(slot_words[slot], state[slot], written, eager) or (wary and not is_judged(paths, slot)):
                continue
            state[slot, column.PEEKED] = written
            wanted = written - WINDOW - _BLOCK
            start, got = ring_read(words, rings[slot], wanted, window)
            if start != wanted or loudest_block(window[_BLOCK:], MEDIA_RATE_HZ) < noise[slot] * EAGER_RISE:
                continue
            batch_ends[count] = written
        else:
            start, got = ring_read(words, rings[slot], position, window[_BLOCK:])
            if start != position:
                # Half a minute behind: what counts is what the caller says now. The model hears the call anew there.
                start = max(start, written - WINDOW)
                state[slot, _LOST] += start - position
                state[slot, _POSITION] = start
                state[slot, _RUN] = 0
                history[slot] = 0
                start, got = ring_read(words, rings[slot], start, window[_BLOCK:])
                if start != state[slot, _POSITION] or got < WINDOW:
                    continue
            state[slot, _POSITION] = start + WINDOW
            batch_ends[count] = start + WINDOW
            window[:_BLOCK] = history[slot]
            history[slot] = window[WINDOW:]
        batch_slots[count] = slot
        for i in range(CONTEXT + WINDOW):
            row[i] = window[_BLOCK - CONTEXT + i] / np.float32(32768)
        batch_loudest[count] = loudest_block(window, MEDIA_RATE_HZ)
        count += 1
    return count, index


@compiled
def _cancel(
    slot_words: Table,
    callers: Rings,
    lines: Rings,
    count: int,
    state: Table,
    paths: EchoPaths,
    batch_slots: Indexes,
    batch_ends: Indexes,
    batch: Windows,
    batch_echoes: Indexes,
    batch_levels: Levels,
    window: Samples,
) -> None:
    """Take the bot's own voice out of the batch, where it comes back."""
    for i in range(count):
        slot = batch_slots[i]
        end = batch_ends[i]
        full = end == state[slot, _POSITION]
        if full:
            listen(slot_words[slot], lines[slot], callers[slot], paths, slot, end - WINDOW)
        batch_echoes[i] = residual(slot_words[slot], lines[slot], paths, slot, end, full, batch[i])
        for n in range(WINDOW):
            window[n] = min(max(batch[i, CONTEXT + n], np.float32(-1)), np.float32(0.99996)) * np.float32(32768)
        batch_levels[i] = loudest_block(window[:WINDOW], MEDIA_RATE_HZ)


class Vad:
    """The ears of a capture worker. ``step`` has a thread of its own; ``open`` and ``close`` may come from any."""

    def __init__(self, exchange: Exchange, config: VadConfig) -> None:
        """Loads and warms up the model. Raises CannotStart."""
        self.num_windows = 0
        """Windows judged so far, over all calls."""
        self._exchange = exchange
        self._model = _load(config, exchange.layout.max_calls)
        self._settings = (
            config.threshold,
            config.release_threshold,
            config.barge_in_threshold,
            _num_windows(config.onset_ms),
            _num_windows(config.barge_in_onset_ms),
            _num_windows(config.release_ms),
        )
        self._eager = _num_windows(config.barge_in_onset_ms) == 1
        self._cancels_echo = config.cancel_echo
        num_slots = exchange.layout.max_calls
        self._paths = EchoPaths.create(num_slots)
        self._changes: deque[tuple[int, int]] = deque()  # (slot, call or 0), in order; its ends are thread-safe
        self._calls: dict[int, int] = {}
        self._open: Indexes = np.empty(0, np.int64)
        self._state: Table = np.zeros((num_slots, NUM_COLUMNS), np.int64)
        self._history: Rings = np.zeros((num_slots, _BLOCK), np.int16)
        self._loudest: Levels = np.zeros(num_slots, np.float64)
        self._noise: Levels = np.full(num_slots, np.inf)
        self._familiar: Levels = np.zeros(num_slots, np.float64)
        self._usual: Levels = np.zeros(num_slots, np.float64)
        self._upper: Levels = np.zeros(num_slots, np.float64)
        size = min(num_slots, MAX_BATCH)
        self._batch_slots: Indexes = np.zeros(size, np.int64)
        self._batch_ends: Indexes = np.zeros(size, np.int64)
        self._batch_echoes: Indexes = np.zeros(size, np.int64)
        self._batch_levels: Levels = np.zeros(size, np.float64)
        self._batch: Windows = np.zeros((size, CONTEXT + WINDOW), np.float32)
        self._batch_loudest: Levels = np.zeros(size, np.float64)
        self._window: Samples = np.zeros(_BLOCK + WINDOW, np.int16)
        self._tail: Samples = np.zeros(LOOK_BACK + WINDOW + LONGEST_CONSONANT, np.int16)
        self._events: Table = np.zeros((size, 5), np.int64)
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
                    self._eager,
                    self._cancels_echo,
                    self._state,
                    self._history,
                    self._noise,
                    self._paths,
                    self._batch_slots,
                    self._batch_ends,
                    self._batch,
                    self._batch_loudest,
                    self._window,
                )
                if count == 0:
                    break
                more = True
                for slot, started, sample, background, doubtful in self._events[: self._judge(count)].tolist():
                    call = self._calls[slot]
                    events.append(SpeechEvent(slot, call, bool(started), sample, bool(background), bool(doubtful)))
        return events

    def _judge(self, count: int) -> int:
        """Run the model on the batch's first ``count`` windows; the events stand in ``_events``."""
        if self._cancels_echo:
            _cancel(
                self._exchange.slot_words,
                self._exchange.caller,
                self._exchange.line,
                count,
                self._state,
                self._paths,
                self._batch_slots,
                self._batch_ends,
                self._batch,
                self._batch_echoes,
                self._batch_levels,
                self._window,
            )
        else:
            self._batch_levels[:count] = self._batch_loudest[:count]
        speech = self._model.judge(self._batch_slots[:count], self._batch_ends[:count], self._batch[:count])
        self.num_windows += count
        return decide(
            self._exchange.slot_words,
            self._exchange.caller,
            self._state,
            self._loudest,
            self._noise,
            self._familiar,
            self._usual,
            self._upper,
            self._batch_slots,
            self._batch_ends,
            self._batch_echoes,
            self._batch_loudest,
            self._batch_levels,
            speech,
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
            self._model.reset(slot)
            self._history[slot] = 0
            self._loudest[slot] = 0
            self._noise[slot] = np.inf
            self._familiar[slot] = 0
            self._usual[slot] = 0
            self._upper[slot] = 0
            self._paths.reset(slot)
            self._open = np.array(sorted(self._calls), np.int64)


def _load(config: VadConfig, num_slots: int) -> SpeechModel:
    if isinstance(config, SileroVad):
        return SileroStreams(num_slots, config.model)
    return WebRtcStreams(num_slots, config.aggressiveness, config.frame_ms)


def _num_windows(duration_ms: int) -> int:
    """Whole windows that last at least so long; at least one."""
    return max(1, -(-duration_ms * MEDIA_RATE_HZ // (1000 * WINDOW)))
