"""A call in virtual time, as far as speech over the bot goes: media plane, echo canceller, VAD, recogniser and
conversation are the real ones, stepped tick by tick; the reply's text, its voice and the line are the bench's.

What is left out is time that code takes: a tick's work costs nothing, and messages arrive at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from bench import line
from bench.line import Samples
from bench.telephone import Voices, at_level, resampled
from ringline import Agent
from ringline.engine.config import PocketsphinxStt, SileroVad, SttConfig, TurnConfig, VadConfig, WhisperStt
from ringline.engine.conversation import Action, Conversation, Event
from ringline.engine.conversation.actions import SetGate
from ringline.engine.conversation.events import CallStarted, TimePassed
from ringline.ipc.exchange import MIN_TURN, PLAY_TURN, Exchange, Layout
from ringline.ipc.messages import (
    CancelSpeech,
    DropUtterance,
    Expectation,
    Finalise,
    Generate,
    PhraseFinished,
    PhraseStarted,
    PlayoutStarted,
    PlayoutStopped,
    ReplyDelta,
    ReplyFinished,
    Speak,
    SpeechStarted,
    SpeechStopped,
    Transcribe,
    TranscriptFinal,
    TranscriptPartial,
)
from ringline.ipc.reply import ReplyWriter
from ringline.workers.audio import codecs
from ringline.workers.capture import media as column
from ringline.workers.capture.clock import TICK_MS
from ringline.workers.capture.doors.door import WireFormat
from ringline.workers.capture.media import MediaPlane
from ringline.workers.capture.vad import Vad
from ringline.workers.pool import Job
from ringline.workers.stt import make_backend
from ringline.workers.stt.backend import SttBackend
from ringline.workers.stt.whisper.backend import WhisperBackend
from ringline.workers.stt.worker import SttWorker

WIRE_HZ, FRAME = 8_000, 160
MS = 1_000_000
BOT_DBFS = -22.0
BOT_VOICE = "en-us"
STEP_TICKS = 2
"""STT looks into the rings once a frame."""
AFTER_MS = 1_500
"""Of silence behind the sound: whatever it led to has happened by then."""
LIMIT_MS = 30_000


class Echo(NamedTuple):
    """What the line sends back."""

    path: line.Path
    delay_ms: float
    loss_db: float


class Sound(NamedTuple):
    """What the caller's side does while the bot speaks."""

    group: str
    wire: Samples
    """int16 at 8 kHz, from ``onset_ms`` on."""
    onset_ms: int = 0
    """After the bot's first frame."""
    state: str = "book_day"
    """Of the flow, whose grammar is expected."""
    noise: Samples | None = None
    """int16 at 8 kHz, all the time."""
    echo: Echo | None = None
    skew_ms: int = 0
    """Phase of the caller's packets."""
    label: str = ""


class Outcome(NamedTuple):
    """What became of the bot. Times are milliseconds since the sound's onset."""

    cut_ms: float | None
    """When the bot's turn was ended for good."""
    pauses: list[tuple[float, float]]
    """From and to when it kept silent and went on."""
    heard: list[str]
    """Transcripts, in order; partials that changed among them, with a tilde."""


class _Leg:
    call_id = "bench"
    wants_silence = True
    max_frames_per_message = 1

    def __init__(self) -> None:
        self.format = WireFormat("mulaw", WIRE_HZ)
        self.parameters: dict[str, str] = {}

    def send_audio(self, payload: bytes) -> None: ...
    def flush(self) -> None: ...
    def hang_up(self) -> None: ...


class _AtOnce:
    """A pool whose model takes no time, whatever time that takes."""

    backlog_s, load = 0.0, 0

    def __init__(self, run: Callable[[Sequence[Any]], None]) -> None:
        self._run = run
        self._done: list[Job] = []

    def submit(self, job: Job) -> None:
        self._run((job,))
        self._done.append(job)

    def cancel(self, job: Job) -> None:
        job.is_cancelled = True

    def collect(self) -> list[Job]:
        done, self._done = self._done, []
        return [job for job in done if not job.is_cancelled]


class OverlapCalls:
    """Calls one after the other on one set of models. ``bot_text`` is what the bot says in each, from the beginning."""

    def __init__(
        self,
        grammars: dict[str, str],
        bot_text: Sequence[str],
        vad: VadConfig | None = None,
        turn: TurnConfig | None = None,
        stt: SttConfig | None = None,
    ) -> None:
        self._grammars = grammars
        self._bot_text = " ".join(bot_text)
        self._turn = turn or TurnConfig(no_input_ms=60_000)
        self._voices = Voices()
        self._exchange = Exchange.create(Layout(1, 32 * 16_000, 32 * 16_000, 60 * WIRE_HZ))
        self._exchange.admit(True)
        self._media = MediaPlane(self._exchange)
        self._vad = Vad(self._exchange, vad or SileroVad())
        self.now_ns = 0
        self._backend = self._warm(stt or PocketsphinxStt())
        self._spoken: dict[str, Samples] = {}

    def _warm(self, config: SttConfig) -> SttBackend:
        if not isinstance(config, WhisperStt):
            backend = make_backend(config)
            backend.warm_up()
            return backend
        whisper = WhisperBackend(config, clock=lambda: self.now_ns)
        whisper.warm_up()
        whisper.pool.close()
        at_once: Any = _AtOnce(whisper.model.run)
        whisper.pool = at_once
        return whisper

    def close(self) -> None:
        """Give the memory back."""
        self._exchange.close()

    def run(self, sound: Sound) -> Outcome:
        """One call."""
        return _OverlapCall(self, sound).run()

    def voice(self, text: str) -> Samples:
        """A phrase of the bot, int16 at the wire's rate."""
        if text not in self._spoken:
            made = resampled(self._voices.speak(text, BOT_VOICE), self._voices.rate_hz, WIRE_HZ) if text else None
            self._spoken[text] = np.zeros(0, np.int16) if made is None else at_level(made, BOT_DBFS)
        return self._spoken[text]


class _OverlapCall:
    def __init__(self, calls: OverlapCalls, sound: Sound) -> None:
        self._calls, self._sound = calls, sound
        self._media, self._vad = calls._media, calls._vad
        slot = calls._exchange.claim(0, WIRE_HZ)
        assert slot is not None
        self._slot, self._call = slot, slot.call
        slot.words[1:] = 0
        slot.store(2 * 8, WIRE_HZ)
        self._media.open(slot, _Leg(), 0)
        self._row = self._media.state[slot.index]
        self._vad.close(slot.index)
        self._vad.open(slot.index, slot.call)
        self._writer = ReplyWriter(slot)
        self._inbox: list[Event] = []
        bus = SimpleNamespace(send=self._inbox.append)
        worker: Any = SimpleNamespace(bus=bus, exchange=calls._exchange)
        self._stt = SttWorker(worker, calls._backend, lambda: calls.now_ns)
        calls.now_ns = self._start_ns = 10**12
        self._delay = self._media.delay_samples(WIRE_HZ)
        self._conversation = Conversation(slot.call, slot.index, Agent("bench"), calls._turn, WIRE_HZ)
        self._sent = np.zeros(LIMIT_MS * WIRE_HZ // 1000, np.float64)
        self._back = np.zeros(self._sent.shape[0] + 4 * WIRE_HZ, np.float64)
        self._num_sent = 0
        self._bot_began_ms: float | None = None
        self._paused_ms: float | None = None
        self.pauses: list[tuple[float, float]] = []
        self.cut_ms: float | None = None
        self.heard: list[str] = []

    def run(self) -> Outcome:
        """Until the bot is cut off, or has gone on for a while behind the sound."""
        sound = self._sound
        self._handle(CallStarted())
        calls = np.array([self._slot.index], np.int64)
        arrived = 0
        for tick in range(LIMIT_MS // TICK_MS):
            self._calls.now_ns = self._start_ns + tick * TICK_MS * MS
            self._media.play(calls, 1, tick)
            self._report_playout()
            while arrived * 20 + sound.skew_ms <= tick * TICK_MS:
                self._arrive(arrived * FRAME)
                arrived += 1
            self._media.ingest(calls, 1, tick)
            for event in self._vad.step():
                self._on_speech(event)
            if tick % STEP_TICKS == 0:
                self._stt.step()
            self._deliver()
            deadline_ns = self._conversation.deadline_ns
            if deadline_ns is not None and deadline_ns <= self._now_ns:
                self._handle(TimePassed())
            if self.cut_ms is not None or self._is_over(tick * TICK_MS):
                break
        for key in list(self._stt.utterances):
            self._stt._forget(key)
        if self._paused_ms is not None and self.cut_ms is None:
            self.pauses.append((self._paused_ms, float("inf")))
        self._calls._exchange.free(self._slot)
        return Outcome(self.cut_ms, self.pauses, self.heard)

    def _is_over(self, now_ms: int) -> bool:
        if self._bot_began_ms is None:
            return False
        duration_ms = self._sound.wire.shape[0] * 1000 / WIRE_HZ
        is_past = now_ms > self._bot_began_ms + self._sound.onset_ms + duration_ms + AFTER_MS
        return is_past and self._paused_ms is None

    # --- the line -------------------------------------------------------------------------------------------------

    def _arrive(self, start: int) -> None:
        """A packet of the caller's: voice from its onset on, noise, and what comes back of the bot."""
        sound = self._sound
        wide = self._back[start : start + FRAME].copy()
        if sound.noise is not None and sound.noise.shape[0]:
            wide += np.take(sound.noise, np.arange(start, start + FRAME), mode="wrap")
        if self._bot_began_ms is not None:
            offset = start - int((self._bot_began_ms + sound.onset_ms) * WIRE_HZ / 1000)
            first, last = max(0, -offset), min(FRAME, sound.wire.shape[0] - offset)
            if first < last:
                wide[first:last] += sound.wire[offset + first : offset + last]
        payload = codecs.encode(line.clipped(wide), "mulaw")
        pending = int(self._row[column.PENDING])
        self._media.pending[self._slot.index, pending : pending + FRAME] = np.frombuffer(payload, np.uint8)
        self._row[column.PENDING] += FRAME

    def _send(self, payload: bytes) -> None:
        frame = codecs.decode(payload, "mulaw").astype(np.float64)
        start, self._num_sent = self._num_sent, self._num_sent + frame.shape[0]
        echo = self._sound.echo
        if echo is not None:
            back = np.convolve(frame, echo.path) * 10 ** (-echo.loss_db / 20)
            begin = start + round(echo.delay_ms * WIRE_HZ / 1000)
            self._back[begin : begin + back.shape[0]] += back[: max(0, self._back.shape[0] - begin)]

    # --- what a capture worker reports ----------------------------------------------------------------------------

    def _report_playout(self) -> None:
        row = self._row
        if row[column.OUT_BYTES]:
            self._send(self._media.out[self._slot.index, : int(row[column.OUT_BYTES])].tobytes())
            if row[column.OUT_AUDIBLE] >= 0:
                if self._bot_began_ms is None:
                    self._bot_began_ms = self._now_ms
                turn = int(row[column.HEARD_TURN])
                self._handle(PlayoutStarted(self._call, turn, 0, self._now_ns))
        if turn := int(row[column.STOPPED_TURN]):
            finished = bool(row[column.STOPPED_FINISHED])
            stopped = PlayoutStopped(self._call, turn, int(row[column.STOPPED_SAMPLE]), finished, self._now_ns)
            self._handle(stopped)

    def _on_speech(self, event: Any) -> None:
        if event.started:
            self._handle(SpeechStarted(self._call, event.sample, self._now_ns))
        else:
            arrived_ns = self._start_ns + self._sound.skew_ms * MS + int((event.sample - self._delay) / 16 * MS)
            self._handle(SpeechStopped(self._call, event.sample, arrived_ns, *event[4:]))

    # --- the other workers ----------------------------------------------------------------------------------------

    def _deliver(self) -> None:
        while self._inbox:
            event = self._inbox.pop(0)
            if isinstance(event, TranscriptPartial):
                self.heard.append(f"~{event.text}")
            elif isinstance(event, TranscriptFinal):
                self.heard.append(event.text)
            self._handle(event)

    def _handle(self, event: Event) -> None:
        for action in self._conversation.handle(event, self._now_ns):
            self._carry_out(action)

    def _carry_out(self, action: Action) -> None:
        match action:
            case SetGate(turn=turn, min_turn=min_turn):
                self._slot.store(PLAY_TURN, turn)
                self._slot.store(MIN_TURN, min_turn)
                if not turn and self._paused_ms is None:
                    self._paused_ms = self._since_onset_ms
                elif turn and self._paused_ms is not None:
                    self.pauses.append((self._paused_ms, self._since_onset_ms))
                    self._paused_ms = None
            case CancelSpeech():
                if self.cut_ms is None:
                    self.cut_ms = self._since_onset_ms
            case Generate(turn=turn, step=step) if self._bot_began_ms is None:
                expect = Expectation(grammar=self._calls._grammars[self._sound.state])
                self._inbox.append(ReplyDelta(self._call, turn, step, self._calls._bot_text, 0))
                self._inbox.append(ReplyFinished(self._call, turn, step, expect=expect))
            case Speak():
                self._speak(action)
            case Transcribe() | Finalise() | DropUtterance():
                self._stt.handle(action)
                self._stt.step()

    def _speak(self, request: Speak) -> None:
        samples = self._calls.voice(request.text)
        self._writer.begin(request.turn)
        start = self._slot.reply.written
        self._writer.write(samples[: self._writer.room()])
        end = self._slot.reply.written
        if request.last:
            self._writer.end(request.turn)
        self._inbox.append(PhraseStarted(self._call, request.turn, request.phrase, start, self._now_ns))
        self._inbox.append(PhraseFinished(self._call, request.turn, request.phrase, start, end, self._now_ns))

    @property
    def _now_ns(self) -> int:
        return self._calls.now_ns

    @property
    def _now_ms(self) -> float:
        return (self._now_ns - self._start_ns) / MS

    @property
    def _since_onset_ms(self) -> float:
        return self._now_ms - (self._bot_began_ms or 0.0) - self._sound.onset_ms
