"""Takes the bot's own voice out of what the VAD hears: the line echo, of unknown delay, loss and shape.

What was really sent stands in the line ring, on the caller ring's time line. An echo is that signal, later and through
a short filter. So, while the bot speaks and until its last echo has died away:

1. The caller's window is correlated with the line at all delays there may be, over about a second (`_search`).
2. Around the best delay the filter that explains the caller's signal from the line's is found by least squares, over
   about a second too (`_learn`, `_solve`). What the caller says meanwhile is noise to it: least squares needs no
   detector of double talk, and finds the filter within the first window of the first greeting. That nothing came back
   so far counts as well: it rules out every delay but one.
3. The VAD hears the window less what the filter makes of the line (`residual`). Where little is left, beside the
   window or beside the echo just before it, the window was echo, whatever the model thinks of the rest.

STT and recordings hear the raw signal. Without an echo there is no delay worth a filter, and nothing is subtracted.

The filter has a tap per 8 kHz sample: telephone lines end at 4 kHz, and of a wideband line the upper octave is left
alone. Signals are float32, full scale 1; taps stand in reverse, the latest delay first.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ringline.ipc.atomics import Words, load_acquire_at
from ringline.ipc.exchange import CALLER_RING, LINE_RING, LINE_WORDS, MEDIA_RATE_HZ, PLAYING
from ringline.ipc.jit import compiled, compiled_sums
from ringline.ipc.ring import Samples, ring_read
from ringline.workers.capture.windows import CONTEXT, WINDOW

Floats = np.ndarray[tuple[int], np.dtype[np.float32]]
Table = np.ndarray[tuple[int, int], np.dtype[np.float32]]

MAX_DELAY = MEDIA_RATE_HZ * 300 // 1000
"""Line echo comes back after up to 250 ms (a mobile network at the far end), less the packets in between."""
MAX_LEAD = MEDIA_RATE_HZ * 120 // 1000
"""A caller ring may lag the clock by so much (`media.FILL_AFTER_SAMPLES`): an echo then seems to come before its
cause."""
TAPS = 128
"""16 ms: a hybrid's echo lasts 4 to 10 ms, codecs and resamplers add 2, and where in it the search finds its peak is
chance."""
BEFORE_PEAK = MEDIA_RATE_HZ * 5 // 1000
"""The filter begins so much before the delay of the strongest correlation."""
TAIL = MAX_DELAY + MEDIA_RATE_HZ * 100 // 1000
"""How long after the bot's last sample its echo may still come."""
JUDGED_WINDOWS = 24
"""Windows (0.75 s) of the bot's voice after which it is known whether and how it comes back."""

NO_ECHO, UNKNOWN, ALL_ECHO, ECHO_TAIL = range(4)
"""What a window was. Unknown: some other sound than an echo that is known, on a line that has not been judged. Tail: no
more than what a room may send back; where chance in the line's own noise passed for an echo, quiet windows look so."""

_LEARN_WINDOWS = 24  # 0.75 s are read again when the delay changes: shorter than any bot's sentence
_KEEP = np.float32(0.97)  # per window: what was learnt a second ago counts a third
_SEARCH_KEEP = np.float32(0.94)
_MIN_SCORE = 0.12  # share of the caller's power that one delay explains: chance, with speech, reaches 0.1
_MIN_POWER = 3e-7  # mean square, -65 dBFS: the idle noise of mu-law lies below
_RIDGE = np.float32(1e-3)
_ROUNDS = 6  # of conjugate gradients per window, each going on from the last window's filter
_ECHO_LEFT = 0.3  # 5 dB down: least squares leave less of a hybrid's echo, and more of a caller as loud as the echo
_WELL_EXPLAINED = 0.1
_ROOM = 0.6  # per window: a room's echo fades by 20 dB in 0.3 s
_ROOM_LEFT = 0.8  # of the echo just before: what the filter is too short for; a caller is louder than that
_WORTH_IT = 0.9  # a filter that explains less is chance

_NEAR = MEDIA_RATE_HZ * 4 // 1000  # a peak that moved by less is still within the filter
_STEP = 4  # the search looks at every fourth sample
_NUM_LAGS = (MAX_DELAY + MAX_LEAD) // _STEP
_SPAN = 2 * (TAPS - 1)  # of the filter, in samples
_HALF = 7  # half-band low-pass, in samples either side
_offsets = np.arange(-_HALF, _HALF + 1)
_LOW_PASS = (np.sinc(_offsets / 2) / 2 * np.kaiser(2 * _HALF + 1, 4.0)).astype(np.float32) / np.float32(32768)
_BLOCK = WINDOW // 2  # of a window at 8 kHz
_SCRATCH = MAX_DELAY + MAX_LEAD + WINDOW + 4 * _HALF + _SPAN

# Columns of a call's path.
_LAG = 0  # of the filter's first tap
_KNOWN = 1  # whether there is a filter
_UNTIL = 2  # caller ring: where the echo of what was sent so far ends
_HEARD = 3  # windows since the call began in which the bot might be heard
_EXPLAINED = 4  # the last window was almost only echo
_NUM_COLUMNS = 5


class EchoPaths(NamedTuple):
    """The echo path of every slot's call, and scratch space. All of it is private to the VAD's thread."""

    columns: np.ndarray[tuple[int, int], np.dtype[np.int64]]
    correlation: np.ndarray[tuple[int, int, int], np.dtype[np.float32]]
    """[slot, 2, delay]: the caller with the line, and the line's power."""
    power: Floats
    """[slot]: of the caller, over the same time."""
    gram: np.ndarray[tuple[int, int, int], np.dtype[np.float32]]
    cross: Table
    taps: Table
    decay: Floats
    """[slot]: the echo's power in the last windows, as a room lets it fade."""
    samples: Samples
    sent: Floats
    heard: Floats
    work: Table

    @classmethod
    def create(cls, num_slots: int) -> EchoPaths:
        """Nothing is known of any line."""
        return cls(
            np.zeros((num_slots, _NUM_COLUMNS), np.int64),
            np.zeros((num_slots, 2, _NUM_LAGS), np.float32),
            np.zeros(num_slots, np.float32),
            np.zeros((num_slots, TAPS, TAPS), np.float32),
            np.zeros((num_slots, TAPS), np.float32),
            np.zeros((num_slots, TAPS), np.float32),
            np.zeros(num_slots, np.float32),
            np.zeros(_SCRATCH, np.int16),
            np.zeros(_SCRATCH, np.float32),
            np.zeros(_SCRATCH, np.float32),
            np.zeros((4, _SCRATCH), np.float32),
        )

    def reset(self, slot: int) -> None:
        """A new call: nothing is known of its line."""
        for array in (self.columns, self.correlation, self.power, self.gram, self.cross, self.taps, self.decay):
            array[slot] = 0


@compiled
def _low(words: Words, ring: Samples, start: int, count: int, samples: Samples, target: Floats) -> None:
    """The ring's samples from ``start`` on below 4 kHz, full scale 1; silence where there are none."""
    wanted = start - _HALF
    size = count + 2 * _HALF
    samples[:size] = 0
    first = max(wanted, 0)
    if first < wanted + size:
        got_first, _ = ring_read(words, ring, first, samples[first - wanted : size])
        if got_first != first:  # lapped: what is left stands too early
            samples[:size] = 0
    middle = _LOW_PASS[_HALF]
    for i in range(np.uint64(count)):
        target[i] = middle * samples[i + np.uint64(_HALF)]
    for k in range(1, _HALF + 1, 2):  # a half-band filter: symmetric, and every other tap is 0
        factor, before, behind = _LOW_PASS[_HALF + k], np.uint64(_HALF - k), np.uint64(_HALF + k)
        for i in range(np.uint64(count)):
            target[i] += factor * np.float32(np.int32(samples[i + before]) + np.int32(samples[i + behind]))


@compiled
def _thin(signal: Floats, count: int, target: Floats) -> float:
    """Every fourth sample of ``signal``, its spectrum made flatter. Returns the power's sum."""
    before = np.float32(0)
    power = np.float32(0)
    for m in range(count // _STEP):
        now = signal[_STEP * m] + signal[_STEP * m + 1] + signal[_STEP * m + 2] + signal[_STEP * m + 3]
        target[m] = now - np.float32(0.9) * before if m > 0 else np.float32(0)
        before = now
        power += target[m] * target[m]
    return float(power)


@compiled
def _search(correlation: Table, power: float, line: Floats, caller: Floats, learn: bool) -> tuple[float, int]:
    """Add a window to the correlation. Returns the greatest share of ``power`` that a delay explains, and which."""
    size = WINDOW // _STEP
    for j in range(np.uint64(_NUM_LAGS)):
        correlation[0, j] *= _SEARCH_KEEP
        correlation[1, j] *= _SEARCH_KEEP
    if learn:
        row = correlation[0]
        for n in range(np.uint64(size)):
            value = caller[n]
            for j in range(np.uint64(_NUM_LAGS)):
                row[j] += value * line[n + j]
    total = np.float32(0)
    for n in range(size):
        total += line[n] * line[n]
    best, at = np.float32(0), 0
    for j in range(_NUM_LAGS):
        correlation[1, j] += max(total, np.float32(0))
        total += line[j + size] * line[j + size] - line[j] * line[j]
        value = correlation[0, j] * correlation[0, j]
        if value > best * (correlation[1, j] + np.float32(1e-6)):
            best, at = value / (correlation[1, j] + np.float32(1e-6)), j
    return float(best / (power + 1e-9)), MAX_DELAY - _STEP * at


@compiled
def _learn(gram: Table, cross: Floats, line: Floats, caller: Floats, first: Floats) -> None:
    """Add a window's equations (both signals at 8 kHz, the line with ``TAPS - 1`` samples more before)."""
    cross *= _KEEP
    for n in range(np.uint64(_BLOCK)):
        value = caller[n]
        for j in range(np.uint64(TAPS)):
            cross[j] += value * line[n + j]
    first[:TAPS] = 0
    for n in range(np.uint64(_BLOCK)):
        value = line[n]
        for j in range(np.uint64(TAPS)):
            first[j] += value * line[n + j]
    # A window's product sums of taps (i + 1, j + 1) are those of (i, j), one sample on.
    for i in range(np.uint64(TAPS)):
        if i > 0:
            out, in_ = line[i - np.uint64(1)], line[i + np.uint64(_BLOCK - 1)]
            for j in range(TAPS - 1, np.int64(i) - 1, -1):
                first[j] = first[j - 1] - out * line[j - 1] + in_ * line[j + _BLOCK - 1]
        row = gram[i]
        for j in range(i, np.uint64(TAPS)):
            row[j] = row[j] * _KEEP + first[j]


@compiled_sums
def _product(gram: Table, vector: Floats, ridge: float, target: Floats) -> None:
    """(gram + ridge) times a vector; of ``gram`` the upper half counts."""
    for i in range(TAPS):
        target[i] = np.float32(ridge) * vector[i]
    for i in range(np.uint64(TAPS)):
        row, value, total = gram[i], vector[i], gram[i, i] * vector[i]
        for j in range(i + np.uint64(1), np.uint64(TAPS)):
            target[j] += row[j] * value
            total += row[j] * vector[j]
        target[i] += total


@compiled
def _solve(gram: Table, cross: Floats, taps: Floats, rounds: int, work: Table) -> None:
    """Bring the taps nearer to the least squares: conjugate gradients from where they are."""
    ridge = _RIDGE * gram[0, 0] + np.float32(1e-7)
    rest, way, image = work[0, :TAPS], work[1, :TAPS], work[2, :TAPS]
    _product(gram, taps, ridge, image)
    old = np.float32(0)
    for i in range(TAPS):
        rest[i] = cross[i] - image[i]
        way[i] = rest[i]
        old += rest[i] * rest[i]
    for _ in range(rounds):
        if old <= 1e-14:
            return
        _product(gram, way, ridge, image)
        bend = np.float32(0)
        for i in range(TAPS):
            bend += way[i] * image[i]
        size = old / bend
        new = np.float32(0)
        for i in range(TAPS):
            taps[i] += size * way[i]
            rest[i] -= size * image[i]
            new += rest[i] * rest[i]
        for i in range(TAPS):
            way[i] = rest[i] + new / old * way[i]
        old = new


@compiled
def _learn_window(words: Words, line: Samples, caller: Samples, paths: EchoPaths, slot: int, start: int) -> None:
    """The equations of the window at ``start``, less its last samples, whose low-pass needs what is still to come."""
    start -= _HALF + 1
    sent, heard = paths.sent, paths.heard
    line_words, caller_words = words[LINE_RING : LINE_RING + LINE_WORDS], words[CALLER_RING : CALLER_RING + LINE_WORDS]
    lag = paths.columns[slot, _LAG]
    _low(line_words, line, start - lag - _SPAN, WINDOW + _SPAN, paths.samples, sent)
    _low(caller_words, caller, start, WINDOW, paths.samples, heard)
    for i in range(_BLOCK + TAPS - 1):
        sent[i] = sent[2 * i]
    for i in range(_BLOCK):
        heard[i] = heard[2 * i]
    _learn(paths.gram[slot], paths.cross[slot], sent, heard, paths.work[3])


@compiled
def listen(words: Words, line: Samples, caller: Samples, paths: EchoPaths, slot: int, start: int) -> None:
    """Learn from the caller ring's window at ``start``: once per window, before its `residual`.

    ``words`` are the slot's, ``line`` and ``caller`` its rings. Does nothing while the bot is silent.
    """
    path, sent, heard = paths.columns[slot], paths.sent, paths.heard
    if load_acquire_at(words, PLAYING) != 0:
        path[_UNTIL] = start + WINDOW + TAIL
    if start >= path[_UNTIL]:
        return
    path[_HEARD] += 1
    _low(words[CALLER_RING : CALLER_RING + LINE_WORDS], caller, start, WINDOW, paths.samples, heard)
    total = np.float32(0)
    for i in range(WINDOW):
        total += heard[i] * heard[i]
    quiet = total < _MIN_POWER * WINDOW
    moved = False
    if quiet or path[_EXPLAINED] == 0:
        size = WINDOW + MAX_DELAY + MAX_LEAD
        _low(words[LINE_RING : LINE_RING + LINE_WORDS], line, start - MAX_DELAY, size, paths.samples, sent)
        _thin(sent, size, paths.work[0])
        power = _thin(heard, WINDOW, paths.work[1])
        paths.power[slot] = paths.power[slot] * _SEARCH_KEEP + power
        score, lag = _search(paths.correlation[slot], paths.power[slot], paths.work[0], paths.work[1], not quiet)
        inside = path[_KNOWN] != 0 and abs(lag - path[_LAG] - BEFORE_PEAK) <= _NEAR
        if score > _MIN_SCORE and not quiet and not inside:
            path[_LAG] = lag - BEFORE_PEAK
            path[_KNOWN] = 1
            moved = True
            paths.gram[slot] = 0
            paths.cross[slot] = 0
            paths.taps[slot] = 0
    if path[_KNOWN] == 0:
        return
    for k in range(_LEARN_WINDOWS - 1 if moved else 0, -1, -1):
        _learn_window(words, line, caller, paths, slot, start - k * WINDOW)
    rounds = 4 * _ROUNDS if moved else _ROUNDS
    _solve(paths.gram[slot], paths.cross[slot], paths.taps[slot], rounds, paths.work)


@compiled
def is_judged(paths: EchoPaths, slot: int) -> bool:
    """Whether it is known if the bot's voice comes back: before, a sound may be the first of its echo."""
    judged: bool = paths.columns[slot, _HEARD] >= JUDGED_WINDOWS
    return judged


@compiled
def residual(words: Words, line: Samples, paths: EchoPaths, slot: int, end: int, full: bool, row: Floats) -> int:
    """Subtract the echo from the model's input ``row``: the caller's `CONTEXT` + `WINDOW` samples before ``end``.

    Returns `ALL_ECHO` or `ECHO_TAIL` if there was hardly anything else in the window, else `NO_ECHO` or `UNKNOWN`.
    """
    path, sent, echo = paths.columns[slot], paths.sent, paths.work[0]
    other = NO_ECHO if is_judged(paths, slot) else UNKNOWN
    path[_EXPLAINED] = 0
    if path[_KNOWN] == 0 or end > path[_UNTIL]:
        return other
    size = CONTEXT + WINDOW
    start = end - size - path[_LAG] - _SPAN
    _low(words[LINE_RING : LINE_RING + LINE_WORDS], line, start, size + _SPAN, paths.samples, sent)
    echo[:size] = 0
    taps = paths.taps[slot]
    for j in range(np.uint64(TAPS)):
        tap = taps[j]
        for n in range(np.uint64(size)):
            echo[n] += tap * sent[n + np.uint64(2) * j]
    whole, left, echoed = 0.0, 0.0, 0.0
    for n in range(CONTEXT, size):
        whole += row[n] * row[n]
        left += (row[n] - echo[n]) * (row[n] - echo[n])
        echoed += echo[n] * echo[n]
    echoed = max(echoed, _ROOM * paths.decay[slot])
    if full:
        paths.decay[slot] = echoed
    if left < _WORTH_IT * whole:
        for n in range(size):
            row[n] -= echo[n]
    else:
        left = whole
    path[_EXPLAINED] = left < _WELL_EXPLAINED * whole
    if left < _ECHO_LEFT * whole:
        return ALL_ECHO
    return ECHO_TAIL if left < _ROOM_LEFT * echoed else other
