"""WebRTC VAD: a mixture model over six bands per call, which says yes or no to frames of 10, 20 or 30 ms.

A call's frames follow one another whatever the grid of windows is; the share of those that it took for speech, of all
that ended within a window, stands for the window's probability. It knows no look back: of a look ahead it hears what
is new, and of the full window behind that only the rest.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ringline.ipc.exchange import MEDIA_RATE_HZ
from ringline.ipc.jit import compiled
from ringline.workers.capture.windows import CONTEXT, WINDOW, Indexes, Probabilities, Windows
from ringline.workers.extras import require

Pending = np.ndarray[tuple[int, int], np.dtype[np.int16]]

LONGEST_FRAME = 30 * MEDIA_RATE_HZ // 1000


class WebRtcStreams:
    """One detector per call: a `SpeechModel`."""

    def __init__(self, num_slots: int, aggressiveness: int, frame_ms: int) -> None:
        """``aggressiveness``: 0 to 3, the least speech. ``frame_ms``: 10, 20 or 30. Raises CannotStart."""
        self._package: Any = require("webrtcvad", "webrtc")
        self._aggressiveness = aggressiveness
        self._frame = frame_ms * MEDIA_RATE_HZ // 1000
        # By slot: how far the call has been heard, and of that what makes no frame yet; its frames, a bit each.
        self._heard: Indexes = np.zeros(num_slots, np.int64)
        self._num_pending: Indexes = np.zeros(num_slots, np.int64)
        self._pending: Pending = np.zeros((num_slots, LONGEST_FRAME + WINDOW), np.int16)
        self._bytes = self._pending.reshape(-1).view(np.uint8).data
        self._verdicts: Indexes = np.zeros(num_slots, np.int64)
        self._detectors = [self._package.Vad(aggressiveness) for _ in range(num_slots)]

    def judge(self, slots: Indexes, ends: Indexes, windows: Windows) -> Probabilities:
        """See `SpeechModel.judge`."""
        for slot in slots[ends - self._heard[slots] > WINDOW].tolist():
            self.reset(slot)
        _append(self._heard, self._num_pending, self._pending, slots, ends, windows)
        num_frames = self._num_pending[slots] // self._frame
        num_bytes, row_bytes = 2 * self._frame, 2 * self._pending.shape[1]
        for slot, count in zip(slots.tolist(), num_frames.tolist(), strict=True):
            is_speech, start, verdicts = self._detectors[slot].is_speech, slot * row_bytes, 0
            for _ in range(count):
                verdicts = verdicts << 1 | is_speech(self._bytes[start : start + num_bytes], MEDIA_RATE_HZ)
                start += num_bytes
            self._verdicts[slot] = self._verdicts[slot] << count | verdicts
        speech: Probabilities = np.empty(slots.shape[0], np.float32)
        _shares(self._num_pending, self._pending, self._verdicts, slots, num_frames, self._frame, speech)
        return speech

    def reset(self, slot: int) -> None:
        """See `SpeechModel.reset`."""
        self._detectors[slot] = self._package.Vad(self._aggressiveness)
        self._heard[slot] = self._num_pending[slot] = self._verdicts[slot] = 0


@compiled
def _append(
    heard: Indexes, num_pending: Indexes, pending: Pending, slots: Indexes, ends: Indexes, windows: Windows
) -> None:
    """What is new in each window, behind what its call has left over."""
    for i in range(slots.shape[0]):
        slot = slots[i]
        new = min(WINDOW, ends[i] - heard[slot])
        row = windows[i]
        for n in range(new):
            # Less the bot's echo it may lie between two numbers, or beyond the range.
            wide = row[CONTEXT + WINDOW - new + n] * np.float32(32_768)
            pending[slot, num_pending[slot] + n] = min(max(round(wide), -32_768), 32_767)
        num_pending[slot] += new
        heard[slot] = ends[i]


@compiled
def _shares(
    num_pending: Indexes,
    pending: Pending,
    verdicts: Indexes,
    slots: Indexes,
    num_frames: Indexes,
    frame: int,
    speech: Probabilities,
) -> None:
    """The share of speech frames among those that end in each window; what has become frames is pending no more."""
    for i in range(slots.shape[0]):
        slot = slots[i]
        done = num_frames[i] * frame
        num_pending[slot] -= done
        for n in range(num_pending[slot]):
            pending[slot, n] = pending[slot, done + n]
        of_window = max(1, (WINDOW - num_pending[slot] + frame - 1) // frame)
        voiced = 0
        for k in range(of_window):
            voiced += verdicts[slot] >> k & 1
        speech[i] = voiced / of_window
