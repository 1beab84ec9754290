"""The media plane: what a tick does to the audio of all calls, in two compiled calls.

`ingest` takes what has arrived on every wire: decode, resample to 16 kHz, level, write to the caller rings, keep each
caller ring on real time. `play` makes the next frame of every call that is due: the committed turn's audio or silence,
encoded for the wire, and the same at 16 kHz for the line ring.

A turn on which the gate closes fades out over its next 5 ms, which are not taken: where the gate opens on it again, it
fades in from exactly there. Each such pause is reported as a stop of an unfinished turn, once; a turn that is paused
and never goes on is not reported again, one that goes on is, when it pauses again or ends.

A call's state is a row of int64 columns, named below.
"""

from __future__ import annotations

import numpy as np

from ringline.ipc.exchange import (
    CALLER_LEVEL,
    CALLER_RING,
    FRAMES_MISSED,
    LINE_RING,
    LINE_WORDS,
    MEDIA_RATE_HZ,
    PLAYED_SAMPLE,
    PLAYING,
    UNDERRUNS,
    Exchange,
    Slot,
)
from ringline.ipc.jit import compiled
from ringline.ipc.reply import PLAYED_OUT, reply_peek, reply_take
from ringline.ipc.ring import WRITTEN, ring_write
from ringline.workers.audio.codecs import ENCODINGS, decode_into, encode_into
from ringline.workers.audio.fades import FADES_PER_S, fade_in, fade_out, mix_in
from ringline.workers.audio.levels import AUDIBLE_FLOOR_DBFS, FULL_SCALE, first_audible
from ringline.workers.audio.resample import HISTORY_SIZE, STATE_SIZE, Design, Resampler, design, resample_block
from ringline.workers.capture.clock import TICK_MS, TICKS_PER_FRAME
from ringline.workers.capture.doors.door import Leg

PENDING_BYTES = 1 << 16
"""Arrived and not yet ingested, per call: 4 s at 8 kHz s16. What does not fit is a flood, and counted as dropped."""

TICK_SAMPLES = MEDIA_RATE_HZ * TICK_MS // 1000
FRAME_SAMPLES = TICK_SAMPLES * TICKS_PER_FRAME

FILL_AFTER_SAMPLES = MEDIA_RATE_HZ * 120 // 1000
"""A wire quiet for so long (hold, DTX, lost packets) is heard as silence. Arrival gaps of 41 ms are normal with 40
calls on one Asterisk; three times that is none."""

FILL_UP_TO_SAMPLES = MEDIA_RATE_HZ * 20 // 1000
"""... which leaves the ring one frame behind the clock, where the next packet belongs."""

RESYNC_SAMPLES = MEDIA_RATE_HZ * 60 // 1000
"""A ring so far ahead of the clock (late packets after a fill, a peer whose clock is fast) skips silent audio."""

MAX_LEAD_SAMPLES = MEDIA_RATE_HZ
"""One second ahead of the clock: a stalled network's backlog still counts, a flood does not."""

SILENT_RMS = round(FULL_SCALE * 10 ** (AUDIBLE_FLOOR_DBFS / 20))
"""Below it nothing is audible."""

MAX_WIRE_FRAME_SAMPLES = 192_000 // 50
MAX_FRAMES_PER_MESSAGE = 2

# Columns of a call's state.
ENCODING = 0
WIRE_FRAME = 1  # samples in a 20 ms frame on the wire
SAMPLE_BYTES = 2
TAPS_START = 3  # the wire -> 16 kHz filter, in the table of all filters
TAPS_UP = 4
TAPS_DOWN = 5
TAPS_PER_PHASE = 6
START_TICK = 7
MAX_FRAMES = 8  # per message, once a reply is under way
WANTS_SILENCE = 9
PENDING = 10  # bytes
CALLER_WRITTEN = 11  # caller ring's end after the last ingest
LEVEL_RMS = 12
FILLED = 13  # 16 kHz samples of silence put in for what did not arrive
DROPPED = 14  # 16 kHz samples beyond MAX_LEAD_SAMPLES
RESYNCED = 15  # 16 kHz samples of silence left out
TURN = 16  # being played, 0 for none
TURN_POSITION = 17  # reply index up to which it was played
DONE_TURN = 18  # played out
HEARD_TURN = 19  # whose first audible sample was sent
FRAMES_SENT = 20
# What `play` reports of this tick.
OUT_BYTES = 21
OUT_SAMPLE = 22  # line ring: the message's first sample
OUT_AUDIBLE = 23  # offset in wire samples of a turn's first audible sample in this message, or -1
STOPPED_TURN = 24  # 0 for none
STOPPED_SAMPLE = 25
STOPPED_FINISHED = 26
PAUSED_TURN = 27  # the gate closed on it in mid-turn: if it opens again, the turn goes on where it was
NUM_COLUMNS = 28


@compiled
def _ingest(calls, num_calls, tick, state, pending, words, caller, taps, resampler, history, decoded, resampled):  # type: ignore[no-untyped-def]
    for n in range(num_calls):
        slot = calls[n]
        row = state[slot]
        num_bytes = row[PENDING] - row[PENDING] % row[SAMPLE_BYTES]
        count = decode_into(pending[slot, :num_bytes], row[ENCODING], decoded)
        for i in range(row[PENDING] - num_bytes):
            pending[slot, i] = pending[slot, num_bytes + i]
        row[PENDING] -= num_bytes
        size = row[TAPS_UP] * row[TAPS_PER_PHASE]
        made = resample_block(
            taps[row[TAPS_START] : row[TAPS_START] + size],
            row[TAPS_UP],
            row[TAPS_DOWN],
            row[TAPS_PER_PHASE],
            resampler[slot],
            history[slot],
            decoded[:count],
            resampled,
        )
        power = 0.0
        for i in range(made):
            power += float(resampled[i]) * float(resampled[i])
        if made > 0:
            row[LEVEL_RMS] = int(np.sqrt(power / made))
        ring = words[slot][CALLER_RING : CALLER_RING + LINE_WORDS]
        written = row[CALLER_WRITTEN]
        clock = (tick - row[START_TICK]) * TICK_SAMPLES
        lead = written + made - clock
        if lead > MAX_LEAD_SAMPLES:
            surplus = min(made, lead - MAX_LEAD_SAMPLES)
            row[DROPPED] += surplus
            made -= surplus
        elif lead > RESYNC_SAMPLES and made > 0 and row[LEVEL_RMS] < SILENT_RMS:
            row[RESYNCED] += made
            made = 0
        if made > 0:
            written = ring_write(ring, caller[slot], resampled[:made])
        if clock - written > FILL_AFTER_SAMPLES:
            missing = min(clock - FILL_UP_TO_SAMPLES - written, resampled.shape[0])
            resampled[:missing] = 0
            written = ring_write(ring, caller[slot], resampled[:missing])
            row[FILLED] += missing
            row[LEVEL_RMS] = 0
        row[CALLER_WRITTEN] = written
        words[slot][CALLER_LEVEL] = row[LEVEL_RMS]


@compiled
def _play(  # type: ignore[no-untyped-def]
    calls, num_calls, tick, state, words, reply, line, out, taps, resampler, history, frame, fade, resampled, todo
):
    num_todo = 0
    for n in range(num_calls):
        slot = calls[n]
        row = state[slot]
        row[OUT_BYTES] = 0
        row[OUT_AUDIBLE] = -1
        row[STOPPED_TURN] = 0
        now = (tick - row[START_TICK]) * TICK_SAMPLES
        ring = words[slot][LINE_RING : LINE_RING + LINE_WORDS]
        due = ring[WRITTEN]
        if due > now:
            continue  # the last message carried what is due now, too
        rests = row[TURN] == 0 and not row[WANTS_SILENCE]  # nothing is owed: a reply may begin with any tick
        missed = 0 if rests else (now - due) // FRAME_SAMPLES
        silence = now - due if rests else missed * FRAME_SAMPLES
        words[slot][FRAMES_MISSED] += missed
        due += silence
        if silence > 0:
            resampled[: min(silence, resampled.shape[0])] = 0
        while silence > 0:
            chunk = min(silence, resampled.shape[0])
            ring_write(ring, line[slot], resampled[:chunk])
            silence -= chunk
        wire_frame = row[WIRE_FRAME]
        num_frames = row[MAX_FRAMES] if row[TURN] else 1
        offset = 0
        for k in range(num_frames):
            piece = frame[:wire_frame]
            piece[:] = 0
            tail = fade[: wire_frame * 50 // FADES_PER_S]
            num_tail = 0
            if row[TURN]:  # asked before the gate is: what `reply_take` discards may be overwritten at once
                num_tail = reply_peek(words[slot], reply[slot], row[TURN], row[TURN_POSITION], tail)
            count, turn, flags = reply_take(words[slot], reply[slot], piece)
            if row[TURN] and turn != row[TURN]:
                row[STOPPED_TURN] = row[TURN]
                row[STOPPED_SAMPLE] = row[TURN_POSITION]
                row[STOPPED_FINISHED] = 0
                row[PAUSED_TURN] = row[TURN]
                row[TURN] = 0
            else:
                num_tail = 0
            if turn and turn != row[DONE_TURN] and (count or flags):
                if turn == row[PAUSED_TURN]:
                    fade_in(piece[: min(count, tail.shape[0])])
                row[PAUSED_TURN] = 0
                row[TURN] = turn
                row[TURN_POSITION] = words[slot][PLAYED_SAMPLE]
                if row[HEARD_TURN] != turn:
                    audible = first_audible(piece[:count], wire_frame * 50)
                    if audible >= 0:
                        row[HEARD_TURN] = turn
                        row[OUT_AUDIBLE] = k * wire_frame + audible
                if flags & PLAYED_OUT:
                    row[DONE_TURN] = turn
                    row[STOPPED_TURN] = turn
                    row[STOPPED_SAMPLE] = row[TURN_POSITION]
                    row[STOPPED_FINISHED] = 1
                    row[TURN] = 0
            elif row[TURN] and k == 0:
                words[slot][UNDERRUNS] += 1
            if num_tail:
                fade_out(tail[:num_tail])
                mix_in(piece, tail[:num_tail])
            sounds = count > 0 or num_tail > 0
            if not sounds and (k > 0 or not row[WANTS_SILENCE]):
                if k == 0:
                    if not rests:
                        resampled[:FRAME_SAMPLES] = 0
                        ring_write(ring, line[slot], resampled[:FRAME_SAMPLES])
                    history[slot][:] = 0
                break
            offset += encode_into(piece, row[ENCODING], out[slot][offset:])
            row[FRAMES_SENT] += 1
            if not sounds:
                resampled[:FRAME_SAMPLES] = 0
                history[slot][:] = 0
                made = FRAME_SAMPLES
            else:
                size = row[TAPS_UP] * row[TAPS_PER_PHASE]
                made = resample_block(
                    taps[row[TAPS_START] : row[TAPS_START] + size],
                    row[TAPS_UP],
                    row[TAPS_DOWN],
                    row[TAPS_PER_PHASE],
                    resampler[slot],
                    history[slot],
                    piece,
                    resampled,
                )
            ring_write(ring, line[slot], resampled[:made])
            if count < wire_frame:
                break
        words[slot][PLAYING] = row[TURN]
        row[OUT_BYTES] = offset
        row[OUT_SAMPLE] = due
        if offset or row[STOPPED_TURN]:
            todo[num_todo] = slot
            num_todo += 1
    return num_todo


class MediaPlane:
    """The state of all calls of a capture worker, and the two calls of a tick."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        num_slots = exchange.layout.max_calls
        self.state: np.ndarray[tuple[int, int], np.dtype[np.int64]] = np.zeros((num_slots, NUM_COLUMNS), np.int64)
        self.pending = np.zeros((num_slots, PENDING_BYTES), np.uint8)
        self.out = np.zeros((num_slots, MAX_WIRE_FRAME_SAMPLES * 2 * MAX_FRAMES_PER_MESSAGE), np.uint8)
        self.todo = np.zeros(num_slots, np.int64)
        self._taps = np.zeros(0, np.float32)
        self._designs: dict[int, tuple[int, Design]] = {}
        self._in_resampler = np.zeros((num_slots, STATE_SIZE), np.int64)
        self._in_history = np.zeros((num_slots, HISTORY_SIZE), np.float32)
        self._out_resampler = np.zeros((num_slots, STATE_SIZE), np.int64)
        self._out_history = np.zeros((num_slots, HISTORY_SIZE), np.float32)
        self._decoded = np.zeros(PENDING_BYTES, np.int16)
        self._resampled = np.zeros(2 * PENDING_BYTES + MEDIA_RATE_HZ, np.int16)
        self._frame = np.zeros(MAX_WIRE_FRAME_SAMPLES, np.int16)
        self._fade = np.zeros(MAX_WIRE_FRAME_SAMPLES, np.int16)

    def open(self, slot: Slot, leg: Leg, tick: int) -> None:
        """A call begins: its first frame is due at ``tick``."""
        wire = leg.format
        start, filters = self._filter(wire.rate_hz)
        row = self.state[slot.index]
        row[:] = 0
        row[ENCODING] = ENCODINGS[wire.encoding]
        row[WIRE_FRAME] = wire.frame_samples
        row[SAMPLE_BYTES] = wire.sample_bytes
        row[TAPS_START], row[TAPS_UP], row[TAPS_DOWN] = start, filters.up, filters.down
        row[TAPS_PER_PHASE] = filters.taps_per_phase
        row[START_TICK] = tick
        row[MAX_FRAMES] = min(leg.max_frames_per_message, MAX_FRAMES_PER_MESSAGE)
        row[WANTS_SILENCE] = leg.wants_silence
        for array in (self._in_resampler, self._in_history, self._out_resampler, self._out_history):
            array[slot.index] = 0

    def delay_samples(self, wire_rate_hz: int) -> float:
        """By how much the caller ring lags the wire, in 16 kHz samples: the filter's group delay."""
        return self._filter(wire_rate_hz)[1].delay_s * MEDIA_RATE_HZ

    def ingest(self, calls: np.ndarray[tuple[int], np.dtype[np.int64]], num_calls: int, tick: int) -> None:
        """Move what has arrived for the calls in slots ``calls[:num_calls]`` into their caller rings."""
        exchange = self._exchange
        _ingest(  # type: ignore[no-untyped-call]
            calls, num_calls, tick, self.state, self.pending, exchange.slot_words, exchange.caller, self._taps,
            self._in_resampler, self._in_history, self._decoded, self._resampled,
        )  # fmt: skip

    def play(self, calls: np.ndarray[tuple[int], np.dtype[np.int64]], num_calls: int, tick: int) -> int:
        """Make the message that is due for each call.

        Returns the number of calls with something to send or to report: their slots stand in ``todo``, what it is in
        their ``OUT_`` and ``STOPPED_`` columns, and the message's bytes in ``out``.
        """
        exchange = self._exchange
        num_todo: int = _play(  # type: ignore[no-untyped-call]
            calls, num_calls, tick, self.state, exchange.slot_words, exchange.reply, exchange.line, self.out,
            self._taps, self._out_resampler, self._out_history, self._frame, self._fade, self._resampled,
            self.todo,
        )  # fmt: skip
        return num_todo

    def warm_up(self) -> None:
        """Compile everything, so that the first call does not wait for it."""
        none = np.zeros(1, np.int64)
        self._filter(8_000)
        Resampler(16_000, 8_000).process(np.zeros(320, np.int16))  # what a door uses whose peer changes its rate
        self.ingest(none, 0, 0)
        self.play(none, 0, 0)

    def _filter(self, wire_rate_hz: int) -> tuple[int, Design]:
        if wire_rate_hz not in self._designs:
            filters = design(wire_rate_hz, MEDIA_RATE_HZ)
            self._designs[wire_rate_hz] = (self._taps.shape[0], filters)
            self._taps = np.concatenate([self._taps, filters.taps])
        return self._designs[wire_rate_hz]
