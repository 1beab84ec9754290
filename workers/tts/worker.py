"""The TTS worker: speaks the phrases of all calls into their reply rings, earliest deadline first."""

from __future__ import annotations

import logging
import time
from collections import deque

import numpy as np

from ringline.ipc.exchange import PHRASE_START, PLAY_TURN, REPLY_POSITION, WIRE_RATE_HZ, Slot
from ringline.ipc.messages import (
    Bridge,
    Bridged,
    CallReleased,
    CancelSpeech,
    PhraseFailed,
    PhraseFinished,
    PhraseStarted,
    Rehearse,
    Rehearsed,
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
from ringline.workers.tts.schedule import NEVER_NS, Schedule
from ringline.workers.working import exit_out_of_memory, set_alone

log = logging.getLogger("ringline.tts")

NOT_READY_MS = 1.0
"""How soon a backend that had nothing ready is asked again, where somebody waits; ..."""
NOT_URGENT = 0.25
"""... else after this part of what is left to play, ..."""

RING_FULL_MS = 20.0
"""... but so soon at the latest; then a full ring is looked at again, too: one frame is played meanwhile."""

BURST_MS = 1.0
"""So long chunks are made before messages are looked at again: a look costs as much as a chunk of a fast voice."""

MARKS_AHEAD_MS = 500
"""Words are told of when all of their phrase is in the ring, in one message; but before one could be heard so soon: how
far the caller heard must be known when he cuts in."""

URGENCY_MS = 5.0
"""How often a model's pool is told how urgent each phrase has become."""

SILENT_MS = 100.0
"""So much of a phrase of which nothing can be heard may be in the ring when it is made again."""

PATIENCE_MS = 1500
"""So long a reply of which nothing is heard waits where sentences that are being heard would break off. Simulated
for two that begin together on a model that takes 0.4 s for a second of speech: without it all have gaps, with a second
nine of ten, with this one of seven. The engine's `dead_air_ms`, two seconds, ends the silence besides."""


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

    def cancel(self, turn: int) -> None:
        """Turns up to this one are dead."""
        self.dead_turn = max(self.dead_turn, turn)
        if self.failed_turn <= turn:
            self.failed_turn = 0
        self.queue = deque(request for request in self.queue if request.turn > turn)
        if self.phrase is not None and self.phrase.request.turn <= turn:
            self.drop_phrase()

    def wait(self, duration_ms: float) -> None:
        """There is nothing to do before then."""
        self.not_before_ns = time.monotonic_ns() + int(duration_ms * 1e6)

    def drop_phrase(self) -> None:
        """Cancel the phrase being spoken, if there is one."""
        if self.phrase is not None:
            self.phrase.close()
            self.phrase = None
            self.not_before_ns = 0


class TtsWorker:
    """The pool's schedule."""

    def __init__(self, worker: Worker, backend: TtsBackend) -> None:
        self.worker = worker
        self.backend = backend
        self.speakers: dict[int, Speaker] = {}
        self._schedule = Schedule(worker.exchange)
        self._by_slot: dict[int, tuple[int, Speaker]] = {}
        self._urgency_due_ns = 0
        self._rehearsal = 0
        """Number of the one whose first phrases are awaited; 0: none is."""

    def handle(self, message: ToWorker) -> None:
        """One message from the engine."""
        match message:
            case Speak():
                set_alone(message.call, message.alone)
                speaker = self.speakers.get(message.call)
                if speaker is None:
                    speaker = self.speakers[message.call] = Speaker(self.worker.exchange.slots[message.slot])
                    self._by_slot[message.slot] = (message.call, speaker)
                if message.turn > speaker.dead_turn:
                    speaker.queue.append(message)
                self._set(speaker)
            case Bridge():
                self._bridge(message)
            case Rehearse():
                self._rehearse(message)
            case CancelSpeech(call=call, turn=turn):
                if speaker := self.speakers.get(call):
                    speaker.cancel(turn)
                    self._set(speaker)
            case ReleaseSpeech(call=call):
                self._let_go(call)
                self.worker.bus.send(SpeechReleased(call))
            case ReleaseCall(call=call):
                self._let_go(call)
                self.worker.bus.send(CallReleased(call))

    def step(self) -> bool:
        """One chunk for the call whose audio runs out first. Returns False if there was nothing to do."""
        now_ns = time.monotonic_ns()
        if self.backend.pool is not None and now_ns >= self._urgency_due_ns:
            self._tell_urgency(now_ns)
        slot = self._schedule.next(now_ns)
        if slot < 0:
            self._go_on_rehearsing()
            return False
        call, speaker = self._by_slot[slot]
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
        self._set(speaker)
        return True

    def _rehearse(self, request: Rehearse) -> None:
        if isinstance(self.backend, CachedBackend):
            orders = (
                Order(part.text, request.voice, request.speed, request.language, part.phonemes)
                for part in request.phrases
            )
            self.backend.rehearse(orders, request.num_awaited)
        self._rehearsal = request.number
        self._tell_rehearsed()

    def _go_on_rehearsing(self) -> None:
        """Nobody has anything to say. But what a model has begun, a reply waits for: during calls, only what the next
        one will begin with is worth that."""
        if not isinstance(self.backend, CachedBackend) or any(speaker.busy for speaker in self.speakers.values()):
            return
        self.backend.go_on(only_awaited=bool(self.speakers))
        self._tell_rehearsed()

    def _tell_rehearsed(self) -> None:
        is_awaited = isinstance(self.backend, CachedBackend) and self.backend.is_awaited
        if self._rehearsal and not is_awaited:
            self.worker.bus.send(Rehearsed(self._rehearsal))
            self._rehearsal = 0

    def burst(self) -> None:
        """Steps, until there is nothing to do or messages should be looked at."""
        until_ns = time.monotonic_ns() + int(BURST_MS * 1e6)
        while self.step() and time.monotonic_ns() < until_ns:
            pass

    def timeout_ms(self) -> float:
        """How long the loop may wait for messages."""
        now_ns = time.monotonic_ns()
        due_ns = self._schedule.due_ns(now_ns)
        return float("inf") if due_ns == NEVER_NS else max(0.0, (due_ns - now_ns) / 1e6)

    def look_again(self) -> None:
        """The backend may have something ready."""
        for speaker in self.speakers.values():
            if speaker.awaits_backend:
                speaker.awaits_backend, speaker.not_before_ns = False, 0
                self._set(speaker)

    def _set(self, speaker: Speaker) -> None:
        turn = speaker.next.turn if speaker.busy else 0
        self._schedule.set(speaker.slot.index, turn, speaker.not_before_ns)

    def _tell_urgency(self, now_ns: int) -> None:
        self._urgency_due_ns = now_ns + int(URGENCY_MS * 1e6)
        for speaker in self.speakers.values():
            if speaker.phrase is not None and speaker.busy:
                self._rank(speaker, speaker.phrase, now_ns)

    def _rank(self, speaker: Speaker, phrase: Phrase, now_ns: int) -> None:
        """Tell the model's pool how urgent a phrase is."""
        order = phrase.order
        order.draft = speaker.is_draft
        if speaker.writer.is_silent:
            order.deadline_ns, order.patience_ns = phrase.asked_ns, PATIENCE_MS * 1_000_000
        else:
            order.deadline_ns, order.patience_ns = now_ns + self._ahead_ns(speaker, phrase.request.turn), 0

    def _ahead_ns(self, speaker: Speaker, turn: int) -> int:
        return self._schedule.ahead_ns(speaker.slot.index, turn)

    def _let_go(self, call: int) -> None:
        if speaker := self.speakers.pop(call, None):
            speaker.cancel(2**62)
            self._set(speaker)
            del self._by_slot[speaker.slot.index]

    def _advance(self, speaker: Speaker) -> None:
        phrase = speaker.phrase or self._begin(speaker)
        if phrase is None:
            return
        if not phrase.waiting.shape[0] and not phrase.made_all and not phrase.make_more():
            self._tell_marks(speaker, phrase)
            ahead_ms = self._ahead_ns(speaker, phrase.request.turn) / 1e6
            speaker.wait(min(RING_FULL_MS, max(NOT_READY_MS, NOT_URGENT * ahead_ms)))
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
            speaker.wait(RING_FULL_MS)
        is_whole = phrase.made_all and not phrase.waiting.shape[0]
        if is_whole and phrase.is_lost and self._written_ms(speaker, phrase) <= SILENT_MS:
            self._begin_again(speaker, phrase)
            return
        self._tell_marks(speaker, phrase, is_whole)
        if is_whole:
            speaker.writer.end_phrase(request.phrase)
            speaker.phrase = None
            self._report(speaker, request, phrase.start_sample)

    def _tell_marks(self, speaker: Speaker, phrase: Phrase, is_whole: bool = False) -> None:
        soon = speaker.slot.load(REPLY_POSITION) + MARKS_AHEAD_MS * speaker.slot.load(WIRE_RATE_HZ) // 1000
        if not is_whole and (phrase.next_mark is None or phrase.next_mark > soon):
            return
        if marks := phrase.marks_before(speaker.slot.reply.written):
            chars, samples = zip(*marks, strict=True)
            request = phrase.request
            self.worker.bus.send(WordMarks(request.call, request.turn, request.phrase, chars, samples))

    def _bridge(self, request: Bridge) -> None:
        """Say words that are at hand before a phrase that is not."""
        speaker = self.speakers.get(request.call)
        phrase = speaker.phrase if speaker is not None and speaker.busy else None
        if speaker is None or phrase is None or phrase.has_begun:
            return
        awaited = phrase.request
        if (awaited.turn, awaited.phrase) != (request.turn, request.phrase):
            return
        order = Order(request.text, request.voice, request.speed, request.language, request.phonemes)
        if not isinstance(self.backend, CachedBackend) or not self.backend.has(order):
            return
        speak = Speak(
            request.call, awaited.slot, request.turn, request.phrase, request.text, False, request.voice,
            request.speed, language=request.language, phonemes=request.phonemes,
        )  # fmt: skip
        bridge = Phrase(speak, self.backend, speaker.slot.load(WIRE_RATE_HZ), speaker.slot.reply.written, 0)
        made = []
        while not bridge.made_all:
            bridge.make_more()
            made.append(bridge.waiting)
        samples = np.concatenate(made)
        if samples.shape[0] > speaker.writer.room():
            return
        start_sample = speaker.writer.put_before(request.phrase, samples)
        phrase.moves_back(samples.shape[0])
        marks = bridge.marks_before(speaker.slot.reply.written)
        self.worker.bus.send(
            Bridged(
                request.call, request.turn, request.phrase, request.number,
                start_sample, start_sample + samples.shape[0], time.monotonic_ns(),
                tuple(char for char, _ in marks), tuple(sample for _, sample in marks),
            )
        )  # fmt: skip
        self._set(speaker)

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
        self._rank(speaker, phrase, phrase.asked_ns)
        return phrase

    @staticmethod
    def _written_ms(speaker: Speaker, phrase: Phrase) -> float:
        """How many milliseconds of it are in the ring."""
        return (speaker.slot.reply.written - phrase.start_sample) * 1000 / speaker.slot.load(WIRE_RATE_HZ)

    def _begin_again(self, speaker: Speaker, lost: Phrase) -> None:
        """The voice has made nothing of words: once, that may be an accident. Raises RuntimeError the second time."""
        if lost.is_second:
            raise RuntimeError("the voice makes no sound of these words")
        log.warning("the voice made no sound of a phrase: asked again", extra={"call": lost.request.call})
        start_sample, rate_hz = speaker.slot.reply.written, speaker.slot.load(WIRE_RATE_HZ)
        phrase = Phrase(lost.request, self.backend, rate_hz, start_sample, 0)
        phrase.is_second, phrase.announced = True, lost.announced
        speaker.phrase = phrase
        self._rank(speaker, phrase, phrase.asked_ns)

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
        tts.burst()
        worker.report(backend.pool)
