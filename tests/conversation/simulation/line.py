"""A reply ring, its gate, and capture at the other end of it: as `ringline.ipc.reply` and the media plane do it.

Capture takes a frame each 20 ms. Frames in which nothing can happen but that the turn goes on are not simulated one by
one.
"""

from __future__ import annotations

from collections.abc import Callable

MS = 1_000_000
FRAME_NS = 20 * MS
FRAME = 160
TURN_ENTRIES = 8


class Line:
    """``at(time, do)`` makes appointments; ``report(kind, turn, sample, finished)`` tells the engine."""

    def __init__(self, at: Callable[..., None], report: Callable[..., None], capacity: int, begin_ns: int) -> None:
        self._at, self._report = at, report
        self.capacity = capacity
        self.begin_ns = begin_ns
        self.gate = self.min_turn = 0
        self.written = self.position = 0
        self.entries: dict[int, list[int]] = {}
        """turn % TURN_ENTRIES -> [turn, start, end or -1]."""
        self.played: dict[int, list[int]] = {}
        """turn -> [first, behind the last sample]."""
        self.errors: list[str] = []
        self.sound_ns = 0
        """When the bot's latest sound ended."""
        self.on_sound: Callable[[int], None] = lambda time_ns: None
        self._turn = self._turn_position = self._done = self._heard = 0
        self._frame_ns = -1
        """When the next frame is looked at; -1: nothing to wait for."""
        self._run: tuple[int, int, int] | None = None
        """(time of the frame before, whole frames ahead, of which accounted for)."""

    # --- the engine -----------------------------------------------------------------------------------------------

    def set_gate(self, turn: int, min_turn: int, now_ns: int) -> None:
        self.sync(now_ns)
        self._run = None
        self.gate, self.min_turn = turn, min_turn
        self._wake(now_ns, again=True)

    @property
    def is_sounding(self) -> bool:
        """Whether a frame of a turn would now go out."""
        return bool(self.gate) and self._turn == self.gate

    # --- TTS ------------------------------------------------------------------------------------------------------

    def begin(self, turn: int) -> None:
        for entry in self.entries.values():
            if entry[2] < 0 and entry[0] != turn:
                entry[2] = self.written
        entry = self.entries.get(turn % TURN_ENTRIES)
        if entry is None or entry[0] != turn:
            self.entries[turn % TURN_ENTRIES] = [turn, self.written, -1]

    def room(self, now_ns: int) -> int:
        self.sync(now_ns)
        if not self._turn:
            self._discard_dead()
        return self.capacity - (self.written - self.position)

    def write(self, count: int, now_ns: int) -> None:
        self.written += count
        self._wake(now_ns)

    def end(self, turn: int, now_ns: int) -> None:
        self.sync(now_ns)
        entry = self.entries.get(turn % TURN_ENTRIES)
        if entry is not None and entry[0] == turn and entry[2] < 0:
            entry[2] = self.written
            self._wake(now_ns, again=self._run is not None)
            self._run = None

    # --- capture --------------------------------------------------------------------------------------------------

    def _wake(self, now_ns: int, again: bool = False) -> None:
        if self._frame_ns < 0 or again:
            self._frame_ns = now_ns - (now_ns - self.begin_ns) % FRAME_NS + FRAME_NS
            self._at(self._frame_ns, self._frame, self._frame_ns)

    def sync(self, now_ns: int) -> None:
        """Account for the whole frames that went out until now."""
        if self._run is not None:
            since_ns, frames, done = self._run
            passed = min(frames, (now_ns - since_ns) // FRAME_NS)
            if passed > done:
                self._take(self._turn, (passed - done) * FRAME, since_ns + passed * FRAME_NS)
                self._run = since_ns, frames, passed

    def _take(self, turn: int, count: int, now_ns: int) -> None:
        played = self.played.get(turn)
        if played is None:
            self.played[turn] = played = [self.position, self.position]
            start = self.entries[turn % TURN_ENTRIES][1]
            if self.position != start:
                self.errors.append(f"turn {turn} began {self.position - start} samples late")
        if played[1] != self.position:
            self.errors.append(f"turn {turn} went on at {self.position} instead of {played[1]}")
        self.position += count
        played[1] = self._turn_position = self.position
        self.sound_ns = now_ns + FRAME_NS

    def _frame(self, frame_ns: int) -> None:
        if frame_ns != self._frame_ns:
            return  # another appointment was made
        self.sync(frame_ns - 1)
        self._run = None
        self._frame_ns = -1
        turn = self.gate
        entry = self.entries.get(turn % TURN_ENTRIES) if turn else None
        if self._turn and self._turn != turn:
            stopped, self._turn = self._turn, 0
            self._report("stopped", stopped, self._turn_position, False)
        if entry is None or entry[0] != turn:
            self._discard_dead()
            return
        if turn < self.min_turn:
            self.errors.append(f"turn {turn} is let through, and dead")
        end = entry[2]
        self.position = max(self.position, entry[1])
        limit = self.written if end < 0 else min(self.written, end)
        count = max(0, min(limit - self.position, FRAME))
        if count < FRAME and end < 0:
            count = 0
        if turn == self._done:
            return
        if count:
            self.on_sound(frame_ns)
            self._take(turn, count, frame_ns)
            self._turn = turn
            if self._heard != turn:
                self._heard = turn
                self._report("started", turn, self.position, False)
        if 0 <= end <= self.position:
            self._done, self._turn = turn, 0
            self._report("stopped", turn, self.position, True)
        elif count:
            frames = (end - self.position - 1) // FRAME if end >= 0 else (self.written - self.position) // FRAME
            self._run = frame_ns, frames, 0
            self._frame_ns = frame_ns + (frames + 1) * FRAME_NS
            self._at(self._frame_ns, self._frame, self._frame_ns)

    def _discard_dead(self) -> None:
        alive = [entry[1] for entry in self.entries.values() if entry[0] >= max(1, self.min_turn)]
        self.position = max(self.position, min([self.written, *alive]))
