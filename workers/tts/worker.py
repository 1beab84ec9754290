"""The TTS worker: speaks the phrases of all calls into their reply rings, earliest deadline first."""

from __future__ import annotations

import logging
import time
from collections import deque

from ringline.ipc.exchange import PHRASE_START, PLAY_TURN, WIRE_RATE_HZ, Slot
from ringline.ipc.messages import (
    CallReleased,
    CancelSpeech,
    PhraseFailed,
    PhraseFinished,
    PhraseStarted,
    Rehearse,
    ReleaseCall,
    ReleaseSpeech,
    Speak,
    SpeechReleased,
    ToWorker,
    WordMarks,
)
from ringline.ipc.reply import ReplyWriter
from ringline.workers.audio.resample import Resampler
from ringline.workers.base import Worker
from ringline.workers.tts import make_backend
from ringline.workers.tts.backend import Mark, Order, TtsBackend
from ringline.workers.tts.cache import CachedBackend
from ringline.workers.tts.phrase import Phrase
from ringline.workers.working import exit_out_of_memory, set_alone

log = logging.getLogger("ringline.tts")

NOT_READY_MS = 2.0
"""How soon a backend that had nothing ready is asked again."""

RING_FULL_MS = 20.0
"""How soon a full ring is looked at again: one frame is played meanwhile."""


class Speaker:
    """One call's side of the worker: its queue of phrases and the one being spoken."""

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        self.writer = ReplyWriter(slot)
        self.queue: deque[Speak] = deque()
        self.phrase: Phrase | None = None
        self.dead_turn = 0
        self.failed_turn = 0
        """A phrase of this turn failed, and the engine has not yet said what becomes of it; 0: all is well."""
        self.not_before_ns = 0
        self.awaits_backend = False
        """That is because the backend has nothing ready, not because the ring is full."""

    @property
    def busy(self) -> bool:
        """Whether there is anything to do."""
        return not self.failed_turn and (bool(self.queue) or self.phrase is not None)

    @property
    def next(self) -> Speak:
        """What is being spoken, or is next."""
        return self.phrase.request if self.phrase else self.queue[0]

    @property
    def is_draft(self) -> bool:
        """Whether the gate is not open for it: nobody waits, and perhaps nobody ever will."""
        return self.slot.load(PLAY_TURN) != self.next.turn

    def ahead_s(self) -> float:
        """How long the call's audio lasts that is made and not yet played."""
        if self.writer.turn != self.next.turn:
            return 0.0
        return self.writer.ahead() / self.slot.load(WIRE_RATE_HZ)

    def cancel(self, turn: int) -> None:
        """Turns up to this one are dead."""
        self.dead_turn = max(self.dead_turn, turn)
        if self.failed_turn <= turn:
            self.failed_turn = 0
        self.queue = deque(request for request in self.queue if request.turn > turn)
        if self.phrase is not None and self.phrase.request.turn <= turn:
            self.drop_phrase()

    def drop_phrase(self) -> None:
        """Cancel the phrase being spoken, if there is one."""
        if self.phrase is not None:
            self.phrase.close()
            self.phrase = None


class TtsWorker:
    """The pool's schedule."""

    def __init__(self, worker: Worker, backend: TtsBackend) -> None:
        self.worker = worker
        self.backend = backend
        self.speakers: dict[int, Speaker] = {}

    def handle(self, message: ToWorker) -> None:
        """One message from the engine."""
        match message:
            case Speak():
                set_alone(message.call, message.alone)
                speaker = self.speakers.get(message.call)
                if speaker is None:
                    speaker = self.speakers[message.call] = Speaker(self.worker.exchange.slots[message.slot])
                if message.turn > speaker.dead_turn:
                    speaker.queue.append(message)
            case Rehearse(phrases, voice, speed, language):
                if isinstance(self.backend, CachedBackend):
                    self.backend.rehearse(Order(part.text, voice, speed, language, part.phonemes) for part in phrases)
            case CancelSpeech(call=call, turn=turn):
                if speaker := self.speakers.get(call):
                    speaker.cancel(turn)
            case ReleaseSpeech(call=call):
                self._let_go(call)
                self.worker.bus.send(SpeechReleased(call))
            case ReleaseCall(call=call):
                self._let_go(call)
                self.worker.bus.send(CallReleased(call))

    def step(self) -> None:
        """One chunk for the call whose audio runs out first."""
        now_ns = time.monotonic_ns()
        ready = [item for item in self.speakers.items() if item[1].busy and item[1].not_before_ns <= now_ns]
        if not ready:
            if isinstance(self.backend, CachedBackend) and not any(speaker.busy for speaker in self.speakers.values()):
                self.backend.go_on()
            return
        for _, speaker in ready:
            if speaker.phrase is not None:
                order = speaker.phrase.order
                order.draft, order.deadline_ns = speaker.is_draft, now_ns + round(speaker.ahead_s() * 1e9)
        call, speaker = min(ready, key=lambda item: (item[1].is_draft, item[1].ahead_s()))
        try:
            self._advance(speaker)
        except MemoryError as error:
            exit_out_of_memory(error)
        except Exception as error:
            request = speaker.phrase.request if speaker.phrase else speaker.queue.popleft()
            log.exception("speech failed", extra={"call": call, "turn": request.turn})
            speaker.drop_phrase()
            speaker.failed_turn = request.turn
            self.worker.bus.send(PhraseFailed(call, request.turn, request.phrase, f"{type(error).__name__}: {error}"))

    def timeout_ms(self) -> float:
        """How long the loop may wait for messages."""
        due = [speaker.not_before_ns for speaker in self.speakers.values() if speaker.busy]
        return max(0.0, (min(due) - time.monotonic_ns()) / 1e6) if due else float("inf")

    def look_again(self) -> None:
        """The backend may have something ready."""
        for speaker in self.speakers.values():
            if speaker.awaits_backend:
                speaker.awaits_backend, speaker.not_before_ns = False, 0

    def _let_go(self, call: int) -> None:
        if speaker := self.speakers.pop(call, None):
            speaker.cancel(2**62)

    def _advance(self, speaker: Speaker) -> None:
        phrase = speaker.phrase or self._begin(speaker)
        if phrase is None:
            return
        if not phrase.waiting.shape[0] and not phrase.made_all and not phrase.make_more():
            speaker.not_before_ns = time.monotonic_ns() + int(NOT_READY_MS * 1e6)
            speaker.awaits_backend = True
            return
        request = phrase.request
        room = min(speaker.writer.room(), phrase.waiting.shape[0])
        if room:
            speaker.writer.write(phrase.waiting[:room])
            phrase.waiting = phrase.waiting[room:]
            if not phrase.announced:
                phrase.announced = True
                self.worker.bus.send(
                    PhraseStarted(request.call, request.turn, request.phrase, phrase.start_sample, time.monotonic_ns())
                )
        elif phrase.waiting.shape[0]:
            speaker.not_before_ns = time.monotonic_ns() + int(RING_FULL_MS * 1e6)
        if marks := phrase.marks_before(speaker.slot.reply.written):
            chars, samples = zip(*marks, strict=True)
            self.worker.bus.send(WordMarks(request.call, request.turn, request.phrase, chars, samples))
        if phrase.made_all and not phrase.waiting.shape[0]:
            speaker.writer.end_phrase(request.phrase)
            speaker.phrase = None
            self._report(speaker, request, phrase.start_sample)

    def _begin(self, speaker: Speaker) -> Phrase | None:
        """Start the next phrase of the queue; None if that was done with it."""
        request = speaker.queue[0]
        if speaker.writer.has(request.turn, request.phrase):
            speaker.queue.popleft()
            self._report(speaker, request, speaker.slot.load(PHRASE_START))
            return None
        speaker.writer.begin(request.turn)
        skip = speaker.writer.begin_phrase(request.phrase)
        start_sample = speaker.slot.reply.written - skip
        rate_hz = speaker.slot.load(WIRE_RATE_HZ)
        phrase = Phrase(request, self.backend, rate_hz, start_sample, skip)
        speaker.queue.popleft()
        speaker.phrase = phrase
        return phrase

    def _report(self, speaker: Speaker, request: Speak, start_sample: int) -> None:
        """The phrase's last sample is in the ring."""
        if request.last:
            speaker.writer.end(request.turn)
        end_sample = speaker.slot.reply.written
        self.worker.bus.send(
            PhraseFinished(request.call, request.turn, request.phrase, start_sample, end_sample, time.monotonic_ns())
        )


def run(worker: Worker) -> None:
    """The worker's main loop."""
    backend = make_backend(worker.config.tts, worker.bus.wake)
    backend.warm_up()
    resampler = Resampler(backend.rate_hz, 8_000)
    for part in backend.synthesize(Order("one")):  # compiles the resampler for this backend's arrays
        if part is None:
            time.sleep(NOT_READY_MS / 1000)
        elif not isinstance(part, Mark):
            resampler.process(part)
    resampler.flush()
    tts = TtsWorker(worker, backend)
    worker.ready()
    while worker.running:
        for message in worker.next_messages(tts.timeout_ms()):
            tts.handle(message)
        if worker.bus.was_woken:
            tts.look_again()
        tts.step()
        worker.report(backend.pool)
