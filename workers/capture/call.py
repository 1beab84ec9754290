"""One call in the capture worker: its leg, its slot, and when its samples arrived."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from ringline.ipc.exchange import MEDIA_RATE_HZ, Slot
from ringline.workers.capture.doors.door import Leg
from ringline.workers.capture.lateness import Lateness
from ringline.workers.capture.media import CALLER_WRITTEN, DROPPED, PENDING, PENDING_BYTES, MediaPlane

if TYPE_CHECKING:
    from ringline.workers.capture.worker import CaptureWorker

NUM_STAMPS = 256
"""Arrivals remembered per call: 5 s of 20 ms packets, far longer than the VAD takes to find the end of speech."""


class LiveCall:
    """What the door's leg reports to, and what the clock plays through. Made when a call is let in."""

    def __init__(self, capture: CaptureWorker, media: MediaPlane, slot: Slot, leg: Leg) -> None:
        self.number = slot.call
        self.slot = slot
        self.leg = leg
        self.open = True
        self.arrived_ns = time.monotonic_ns()
        self.lateness = Lateness()
        self._capture = capture
        # Read and written for every packet: a memoryview's items are plain ints, at a third of numpy's price.
        self.row = memoryview(media.state[slot.index])
        """The call's columns of `media`."""
        self._pending = memoryview(media.pending[slot.index])
        self._sample_bytes = leg.format.sample_bytes
        self._scale = MEDIA_RATE_HZ / leg.format.rate_hz
        self._delay = media.delay_samples(leg.format.rate_hz)
        self._stamps: deque[tuple[float, int]] = deque(maxlen=NUM_STAMPS)
        self.end_reason = ""

    def audio(self, payload: bytes | memoryview) -> None:
        """Encoded audio has arrived."""
        if not self.open:
            return
        now_ns = time.monotonic_ns()
        start = self.row[PENDING]
        self._stamps.append((self.row[CALLER_WRITTEN] + start // self._sample_bytes * self._scale, now_ns))
        size = min(len(payload), PENDING_BYTES - start)
        self._pending[start : start + size] = payload[:size]
        self.row[PENDING] = start + size
        if size < len(payload):
            self.row[DROPPED] += int((len(payload) - size) // self._sample_bytes * self._scale)

    def dtmf(self, digit: str) -> None:
        """A key was pressed."""
        if self.open:
            self._capture.on_dtmf(self, digit)

    def closed(self, reason: str) -> None:
        """The wire is gone."""
        if self.open:
            self.open = False
            self._capture.on_closed(self, self.end_reason or reason)

    def arrival_ns(self, sample: int) -> int:
        """When the wire brought the given sample of the caller ring: its packet's arrival plus its place in it."""
        wanted = sample - self._delay
        for start, arrived_ns in reversed(self._stamps):
            if start <= wanted:
                return arrived_ns + int((wanted - start) * 1e9 / MEDIA_RATE_HZ)
        return self.arrived_ns + int(wanted * 1e9 / MEDIA_RATE_HZ)
