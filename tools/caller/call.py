"""One call: a frame every 20 ms on absolute deadlines, an ear that is always open, and a script."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from ringline.tools.caller import measure
from ringline.tools.caller.dialogue import Dialogue, HangUp, Manners, Say
from ringline.tools.caller.events import Event, Kind, OnEvent
from ringline.tools.caller.log import Said, WireLog
from ringline.tools.caller.recording import Recording
from ringline.tools.caller.report import CallEnd, CallRecord
from ringline.tools.caller.script import Rendered
from ringline.tools.caller.ticker import Ticker
from ringline.tools.caller.wire import FRAME_NS, CallRefusedError, Samples, Target, Wire, WireBrokenError
from ringline.workers.audio import levels

MAX_CATCH_UP = 2
"""Missed frames that are sent late. Of more, the oldest slots stay empty: no telephone line sends bursts."""
MAX_WIRE_ERRORS = 20
LEAD_NS = 1_000_000
"""From the answered call to its first frame, at least: the deadline must not lie in the past when it is set."""


class Call:
    """`Ticked` by the pacer and `Listener` of its wire."""

    def __init__(
        self,
        number: int,
        wire: Wire,
        target: Target,
        script: Sequence[Rendered],
        silence: bytes,
        manners: Manners,
        on_event: OnEvent | None = None,
        recording: Recording | None = None,
    ) -> None:
        """``silence`` is a packed frame of it. Where the manners say that the caller is prompted, ``script`` is what
        it can say, and `prompt` says what it does."""
        self.number = number
        self.recording = recording
        self.log = WireLog(target.rate_hz, wire.continuous)
        self._wire, self._target, self._silence = wire, target, silence
        self._repertoire = script
        self._script = [] if manners.prompted else list(script)
        self._early_prompts: list[int | None] = []
        self._manners, self._on_event = manners, on_event
        self._dialogue: Dialogue | None = None
        self._over: asyncio.Future[CallEnd] = asyncio.get_running_loop().create_future()
        self._start_ns = 0
        self._slot = 0
        self._saying: Rendered | None = None
        self._cursor = 0
        self._bot_is_speaking = False
        self._num_answers_told = 0
        self._wire_errors: list[str] = []

    async def run(self, ticker: Ticker, grid_ns: int) -> CallRecord:
        """From dialling to the end. Frames leave at ``grid_ns`` plus whole multiples of 20 ms (CLOCK_MONOTONIC)."""
        log = self.log
        log.connected_ns = time.monotonic_ns()
        try:
            await self._wire.connect(self)
            log.connected_ns = time.monotonic_ns()
            self._emit("connected", log.connected_ns)
            self._dialogue = Dialogue(self._manners, [rendered.item for rendered in self._script], log.connected_ns)
            for index in self._early_prompts:
                self.prompt(index)
            self._start_ns = grid_ns + -(-(log.connected_ns + LEAD_NS - grid_ns) // FRAME_NS) * FRAME_NS
            ticker.add(self._start_ns, self)
            end = await self._over
        except CallRefusedError as refusal:
            end = CallEnd("refused", "refused", str(refusal))
        finally:
            log.ended_ns = time.monotonic_ns()
            self._wire.hang_up()
        await self._wire.closed()
        self._emit("refused" if end.outcome == "refused" else "ended", log.ended_ns, text=end.reason)
        return CallRecord(
            number=self.number,
            call_id=self._wire.call_id,
            end=end,
            log=log,
            unsaid=tuple(rendered.item.label for rendered in self._script[len(log.said) :]),
            wire_errors=tuple(self._wire_errors),
        )

    def prompt(self, index: int | None) -> None:
        """Say this item of the repertoire when the bot has been heard out; None: hang up then."""
        if self._dialogue is None:
            self._early_prompts.append(index)
        elif index is None:
            self._dialogue.add(None)
        else:
            self._script.append(self._repertoire[index])
            self._dialogue.add(self._repertoire[index].item)

    # --- the pacer's side

    def tick(self, now_ns: int) -> int | None:
        """See `Ticked`: send what is due, and decide what comes next."""
        if self._over.done():
            return None
        missed = (now_ns - self._deadline_ns()) // FRAME_NS
        if missed > MAX_CATCH_UP:
            self.log.num_skipped += missed - MAX_CATCH_UP
            self._slot += missed - MAX_CATCH_UP
        else:  # who was away has not yet listened to what the bot said meanwhile
            self._decide(now_ns)
        try:
            while not self._over.done() and self._deadline_ns() <= now_ns:
                self._send_slot()
            self._wire.elapse(now_ns)
        except WireBrokenError as error:
            self._finish(CallEnd("failed", "error", str(error)))
        return None if self._over.done() else self._deadline_ns()

    def fail(self, error: Exception) -> None:
        """See `Ticked`."""
        if not self._over.done():
            self._over.set_exception(error)

    def _deadline_ns(self) -> int:
        return self._start_ns + self._slot * FRAME_NS

    def _decide(self, now_ns: int) -> None:
        assert self._dialogue is not None
        if self._bot_is_speaking and self._dialogue.is_quiet(now_ns):
            self._bot_is_speaking = False
            self._emit("bot_quiet", self._dialogue.heard_until_ns)
        match self._dialogue.decide(now_ns):
            case Say(index):
                self._saying = self._script[index]
                self._cursor = 0
            case HangUp(reason):
                self._finish(CallEnd("failed" if reason else "completed", "caller", reason))
            case None:
                pass

    def _send_slot(self) -> None:
        frame = self._silence
        saying, cursor = self._saying, self._cursor
        now_ns = time.monotonic_ns()
        self.log.lateness_ns.append(now_ns - self._deadline_ns())
        if saying is None:
            self._wire.send_frame(self._slot, frame)
        else:
            self._wire.send_frame(self._slot, saying.frames[cursor] or frame)
            if cursor in saying.digits:
                self._wire.send_digit(saying.digits[cursor])
            self._note_sent(saying, cursor, now_ns)
        self._slot += 1

    def _note_sent(self, saying: Rendered, cursor: int, sent_ns: int) -> None:
        assert self._dialogue is not None
        size, last = self._target.frame_samples, len(saying.frames) - 1
        if self.recording is not None:
            end = None if cursor == last else (cursor + 1) * size
            self.recording.caller(self._deadline_ns(), saying.samples[cursor * size : end])
        item, label = saying.item, saying.item.label
        if cursor == saying.first_sample // size:
            start_ns = sent_ns + self.log.samples_ns(saying.first_sample % size)
            self.log.said.append(Said(label, start_ns, None, item.interrupt_ms is not None, item.aside))
            self._emit("caller_speaks", start_ns, text=label)
        self._cursor += 1
        if cursor == last:
            end_ns = sent_ns + self.log.samples_ns(saying.end_sample - last * size)
            self.log.said[-1].end_ns = end_ns
            self._saying = None
            self._dialogue.said(end_ns)
            self._emit("caller_quiet", end_ns, text=label)

    # --- the wire's side

    def on_audio(self, recv_ns: int, play_ns: int, samples: Samples) -> None:
        """See `Listener`."""
        log, rate_hz = self.log, self._target.rate_hz
        first = int(levels.first_audible(samples, rate_hz))
        end = int(levels.last_audible_beside(samples, rate_hz, 0.0)) if first >= 0 else 0
        log.received(recv_ns, play_ns, samples.shape[0], first, end)
        if self.recording is not None:
            self.recording.bot(recv_ns, play_ns, samples)
        if first < 0 or self._dialogue is None:
            return
        self._dialogue.heard(play_ns + log.samples_ns(first), play_ns + log.samples_ns(end))
        answers = bool(log.said) and log.said[-1].end_ns is not None and self._num_answers_told < len(log.said)
        if answers or not self._bot_is_speaking:
            self._bot_is_speaking = True
            response_ms = None
            if answers:
                self._num_answers_told = len(log.said)
                # Measured over the whole call so far, so only for who listens.
                response_ms = measure.turns(log)[-1].response_ms if self._on_event is not None else None
            self._emit("bot_speaks", recv_ns + log.samples_ns(first), response_ms=response_ms)

    def on_cleared(self, now_ns: int) -> None:
        """See `Listener`."""
        self.log.cleared_ns.append(now_ns)
        if self.recording is not None:
            self.recording.cleared(now_ns)
        if self._dialogue is not None:
            self._dialogue.cleared(now_ns)
        self._emit("cleared", now_ns)

    def on_wire_error(self, what: str) -> None:
        """See `Listener`."""
        if len(self._wire_errors) < MAX_WIRE_ERRORS:
            self._wire_errors.append(what)
            self._emit("wire_error", time.monotonic_ns(), text=what)

    def on_closed(self, now_ns: int, ended_by: str, reason: str) -> None:
        """See `Listener`."""
        if ended_by == "error":
            self._finish(CallEnd("failed", ended_by, reason))
        elif not self.log.recv_ns:
            self._finish(CallEnd("refused", "bot", f"{reason} before any audio"))
        elif self._dialogue is not None and self._dialogue.is_complete:
            self._finish(CallEnd("completed", "bot", reason))
        else:
            self._finish(CallEnd("failed", "bot", f"{reason} before the script was over"))

    def _finish(self, end: CallEnd) -> None:
        if not self._over.done():
            self._over.set_result(end)

    def _emit(self, kind: Kind, at_ns: int, text: str = "", response_ms: float | None = None) -> None:
        if self._on_event is not None:
            at_ms = round((at_ns - self.log.connected_ns) / 1e6, 3)
            turn = len(self.log.said) - 1
            event = Event(kind, self.number, self._wire.call_id, at_ns, at_ms, turn, text, response_ms)
            self._on_event(event)
