"""What becomes of the model's probabilities: the hysteresis of each call, and the dating of an utterance's ends.

While the bot speaks, an onset is cheap to report: playout pauses, and goes on where it was if nothing follows. So there
the first window in which something rises out of the line's noise starts an utterance, even if the model does not think
of speech yet: callers begin with a breath or a soft consonant. One that no further window confirms stops at once, and
for a while nothing that is no louder starts another by its level alone.
"""

from __future__ import annotations

import numpy as np

from ringline.ipc.atomics import Words, load_acquire_at
from ringline.ipc.exchange import CALLER_RING, LINE_WORDS, MEDIA_RATE_HZ, PLAYING
from ringline.ipc.jit import compiled
from ringline.ipc.ring import Samples, ring_read
from ringline.workers.audio.levels import (
    BLOCKS_PER_S,
    audible_from,
    last_audible_beside,
    mean_square,
)
from ringline.workers.capture.echo import ALL_ECHO, NO_ECHO
from ringline.workers.capture.windows import WINDOW, Indexes, Probabilities

Table = np.ndarray[tuple[int, int], np.dtype[np.int64]]
Levels = np.ndarray[tuple[int], np.dtype[np.float64]]
Rings = np.ndarray[tuple[int, int], np.dtype[np.int16]]

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
one sentence, and its last words are often its quietest. Not if the bot spoke in between."""

NOISE_RISE_DB_PER_S = 2.0
"""The noise of a line is its quietest window, forgotten at this speed: over a long sentence it hardly rises, and a line
that becomes noisy is known as such after some seconds."""

EAGER_RISE = 8.0
"""While the bot speaks, what may start an utterance at once lies 9 dB above what the line usually sounds like: the
model thinks too little of telephone speech's first window (0.2 to 0.4, less of a breath) to go by it alone."""
CLEAR_RISE = 4.0
"""Over the bot, speech counts as the caller's from 6 dB above what the line usually sounds like: babble hardly ever
rises so far out of itself."""
UPPER_RISE = 2.0
"""... and 3 dB above what nine of ten windows of the line stay below: babble and music vary more than steady noise, and
what rises out of their middle is still theirs."""
SUDDEN_RISE = 100.0
"""20 dB: with so sudden a sound the model's faintest hint is enough. On recorded telephone speech this brings the 95th
percentile of the onset's detection from 410 ms to 47 ms."""
SUDDEN_HINT = 0.05
STARTLING = 2.0
"""A sound that the model gives no hint of must be 3 dB louder than any that was no speech lately: else noise, keyboards
and knocks would pause the bot over and over."""
UNCLEAR_WINDOWS = 10
"""An eager onset is taken back after so many windows in which something sounds that is no clear speech: a soft
beginning of a voice lasts so long ..."""
BREATH_WINDOWS = 5
"""... or so many in which the model thinks of no speech at all: a breath, a hiss, an f ..."""
FAINT_WINDOWS = 2
"""... or so many in which there is nothing: 64 ms."""
UNCLEAR_HINT = 0.1

NEAR_SHARE = 6
"""Of an utterance over the bot, at least one speech window in so many rises by `CLEAR_RISE`; else it is background: of
callers in noise 5 dB below them, more than half do, of babble next to none (bench/barge_in.py)."""
FIRST_NEAR, LAST_NEAR = 8, 32
"""From how many speech windows on that is known, and until when it is asked."""

SURE_WINDOWS = 2
"""An utterance over the bot with fewer windows that are speech by the onset's threshold is doubtful, whatever a
recogniser finds in it: so are 92 % of music's notes, 76 % of coughs, 97 % of what noise brings forth, and of single
words and digits next to none (``--part tune`` of bench/barge_in.py)."""

FEW_ECHOES = 4
"""Where more windows were the bot's own voice, what the canceller leaves of others says little of the line's noise."""

FIRST_PACKETS = MEDIA_RATE_HZ // 4
"""Digital silence at the very beginning of a call is none of the line's: nothing has arrived yet."""

_BLOCK = MEDIA_RATE_HZ // BLOCKS_PER_S  # kept of what came before a window: covers Silero's context, too
_NOISE_RISE = 10.0 ** (NOISE_RISE_DB_PER_S / 10.0 * WINDOW / MEDIA_RATE_HZ)
_USUAL_STEP = 1.1  # per window: a line's usual loudness is the median of its windows, followed at 13 dB a second
_UPPER_DOWN = 10.0 ** (-0.03 / 10.0)  # their upper decile likewise: a decibel a second down ...
_UPPER_UP = 10.0 ** (0.27 / 10.0)  # ... and nine times as fast up
_QUIETEST = float(audible_from(0.0)) / 10**0.5  # 5 dB below the floor: noise that quiet is never heard as speech
_NOT_NOISE = 2.0  # 3 dB: more than stationary noise varies between stretches of 16 ms

# Columns of a call's state.
POSITION = 0  # caller ring: first sample of the next window
LOST = 1  # samples lost to lapping
SPEAKING = 2
RUN = 3  # windows in a row that speak for a change
RUN_START = 4  # first sample of the first of them
START = 5  # first sample of the utterance
END = 6  # behind the last sample of the utterance before
PEEKED = 7  # caller ring: how far the sound in a window that is not full yet was judged
DOUBT = 8  # what an eager onset has left before it is taken back, 0 once it is confirmed
SPOKEN = 9  # windows of the utterance that were speech ...
ECHOED = 10  # ... and such that were the bot's own voice
NEAR = 11  # ... and speech that rises out of the line's usual sound
OVER = 12  # whether the utterance began over the bot
ECHOES = 13  # windows of the call that were the bot's own voice
SURE = 14  # ... and windows that are speech by the threshold of an onset
NUM_COLUMNS = 15


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
def decide(
    slot_words: Table,
    rings: Rings,
    state: Table,
    loudest: Levels,
    noise: Levels,
    familiar: Levels,
    usual: Levels,
    upper: Levels,
    batch_slots: Indexes,
    batch_ends: Indexes,
    batch_echoes: Indexes,
    batch_loudest: Levels,
    batch_levels: Levels,
    speech: Probabilities,
    settings: tuple[float, float, float, int, int, int],
    tail: Samples,
    events: Table,
) -> int:
    """The hysteresis of each call in the batch.

    Returns how many ``events``: rows of (slot, started, sample, background, doubtful).

    ``batch_ends`` says where each window ends: behind the call's last full window, if it is a look ahead into the
    next; ``batch_echoes`` how much of it was the bot's own voice (`ALL_ECHO`); ``batch_levels`` is the loudest block
    less the echo. ``usual`` is how loud each call's line is between utterances, and ``familiar`` what sounds over the
    bot that were no speech reached lately.
    """
    threshold, release_threshold, eager_threshold, onset_windows, eager_windows, release_windows = settings
    num_events = 0
    for i in range(speech.shape[0]):
        slot = batch_slots[i]
        row = state[slot]
        speaking = row[SPEAKING] != 0
        echo = batch_echoes[i] >= ALL_ECHO
        likely = 0.0 if echo else float(speech[i])
        full = batch_ends[i] == row[POSITION]
        if full:
            noise[slot] = min(noise[slot] * _NOISE_RISE, max(batch_loudest[i], _QUIETEST))
            familiar[slot] /= _NOISE_RISE
        window_start = batch_ends[i] - WINDOW
        playing = load_acquire_at(slot_words[slot], PLAYING) != 0
        row[ECHOES] += batch_echoes[i] == ALL_ECHO
        knows_usual = row[ECHOES] < FEW_ECHOES and usual[slot] > 0.0
        rise = batch_levels[i] / (usual[slot] if knows_usual else noise[slot])
        stands_out = rise >= EAGER_RISE
        clear = not knows_usual or (rise >= CLEAR_RISE and batch_levels[i] >= upper[slot] * UPPER_RISE)
        eager = playing and eager_windows == 1 and not speaking and batch_echoes[i] == NO_ECHO
        if eager and stands_out and batch_levels[i] >= familiar[slot]:
            is_hinted = likely >= (SUDDEN_HINT if rise >= SUDDEN_RISE else eager_threshold)
            eager = is_hinted or batch_levels[i] >= familiar[slot] * STARTLING
        else:
            eager = False
        if full and not eager and not speaking:
            level = max(batch_levels[i], _QUIETEST)
            if usual[slot] > 0.0:
                usual[slot] *= _USUAL_STEP if level > usual[slot] else 1.0 / _USUAL_STEP
                upper[slot] *= _UPPER_UP if level > upper[slot] else _UPPER_DOWN
            elif likely < threshold and (batch_loudest[i] > 0.0 or row[POSITION] > FIRST_PACKETS):
                usual[slot], upper[slot] = level, level * UPPER_RISE
            if playing and likely < eager_threshold and batch_echoes[i] == NO_ECHO:
                familiar[slot] = max(familiar[slot], batch_levels[i])
        if not full and not eager:
            continue
        if speaking:
            if echo:
                row[ECHOED] += 1
            elif likely >= release_threshold:
                row[SPOKEN] += 1
                row[NEAR] += clear
                row[SURE] += likely >= threshold
                row[DOUBT] = 0
                loudest[slot] = max(loudest[slot], batch_loudest[i])
        retracted = False
        if speaking and row[DOUBT] != 0:
            loudest[slot] = max(loudest[slot], batch_loudest[i])
            patience = FAINT_WINDOWS
            if stands_out:
                patience = BREATH_WINDOWS if likely < UNCLEAR_HINT else UNCLEAR_WINDOWS
            row[DOUBT] -= min(row[DOUBT], UNCLEAR_WINDOWS // patience)
            retracted = row[DOUBT] == 0
            if stands_out and not retracted:
                row[RUN] = 0
                continue
        background = row[OVER] != 0 and row[NEAR] * NEAR_SHARE < row[SPOKEN]
        if speaking and background and FIRST_NEAR <= row[SPOKEN] <= LAST_NEAR:
            retracted = True
        if speaking:
            changes = likely < release_threshold or retracted
        else:
            changes = eager or (likely >= threshold and (clear or not playing))
        if not changes:
            row[RUN] = 0
            continue
        if row[RUN] == 0:
            row[RUN_START] = window_start
            is_new = row[END] == 0 or window_start - row[END] > SAME_BREATH or playing
            if not speaking and is_new:
                loudest[slot] = 0.0
        row[RUN] += 1
        if not speaking:
            loudest[slot] = max(loudest[slot], batch_loudest[i])
        if speaking:
            needed = release_windows
        elif eager:
            needed = 1
        elif playing and eager_windows > 1:
            needed = eager_windows
        else:
            needed = onset_windows
        if row[RUN] < needed and not retracted:
            continue
        if speaking:
            words = slot_words[slot, CALLER_RING : CALLER_RING + LINE_WORDS]
            silent = row[RUN_START]
            position = row[POSITION]
            last = silent + WINDOW + LONGEST_CONSONANT
            limit = min(position, silent + WINDOW + LATE_AUDIBLE)
            start, loud, quiet = row[START], loudest[slot], noise[slot]
            sample = _speech_end(words, rings[slot], start, silent, limit, loud, quiet, tail)
            while sample == limit and limit < min(position, last):
                limit = min(position, last, limit + WINDOW)
                sample = _speech_end(words, rings[slot], start, silent, limit, loud, quiet, tail)
            if retracted:
                # Noise as loud as that is no reason to pause again; what follows it is quieter or is heard.
                familiar[slot] = max(familiar[slot], loudest[slot] * STARTLING)
            elif sample == position and position < last:
                continue  # a consonant that still sounds: its end is worth waiting for
            row[END] = sample
        else:
            sample = max(row[END], row[RUN_START] - ONSET_PAD)
            row[START] = sample
            row[DOUBT] = UNCLEAR_WINDOWS if eager else 0
            row[SPOKEN] = row[ECHOED] = row[NEAR] = 0
            row[SURE] = not echo and likely >= threshold
            row[OVER] = playing
        row[RUN] = 0
        row[SPEAKING] = 0 if speaking else 1
        events[num_events, 0] = slot
        events[num_events, 1] = row[SPEAKING]
        events[num_events, 2] = sample
        events[num_events, 3] = speaking and (background or row[ECHOED] > row[SPOKEN])
        events[num_events, 4] = speaking and row[OVER] != 0 and row[SURE] < SURE_WINDOWS
        num_events += 1
    return num_events
