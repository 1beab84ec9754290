"""The STT worker: reads utterances of all calls from their caller rings and streams them through one pool."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from ringline.engine.config import FlowLlm
from ringline.ipc.exchange import MEDIA_RATE_HZ, Slot
from ringline.ipc.messages import (
    CallReleased,
    DropUtterance,
    Finalise,
    ReleaseCall,
    ToWorker,
    Transcribe,
    TranscriptFailed,
    TranscriptFinal,
    TranscriptPartial,
)
from ringline.ipc.ring import RingReader
from ringline.workers.base import Worker
from ringline.workers.stt import make_backend
from ringline.workers.stt.backend import Stream, SttBackend
from ringline.workers.stt.listening import ListeningNet, ShortSound, knows
from ringline.workers.working import exit_out_of_memory, set_alone

log = logging.getLogger("ringline.stt")

POLL_MS = 20.0
"""How often the rings of speaking callers are read: once a frame."""

MAX_FEED_SAMPLES = MEDIA_RATE_HZ // 2
"""Fed to one utterance before the next gets its turn: catching up after a restart must not starve the others."""


class Utterance:
    """One utterance: its place in the caller ring and its stream, once the pool has one free."""

    def __init__(self, request: Transcribe, slot: Slot) -> None:
        self.request = request
        self.slot = slot
        self.reader = RingReader(slot.caller, request.start_sample)
        self.end_sample: int | None = None
        self.due_ns = 0
        self.stream: Stream | None = None
        self.finalised = False
        self.reported = ("", 0)
        self.sound = ShortSound() if request.overlap and knows(request.language) else None

    @property
    def urgency(self) -> tuple[bool, int]:
        """Finals before partials, then first come, first served."""
        return (self.end_sample is None, self.request.call)


class SttWorker:
    """The pool's schedule."""

    def __init__(self, worker: Worker, backend: SttBackend, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self.worker = worker
        self.backend = backend
        self._clock = clock
        self._listening = ListeningNet()
        self.utterances: dict[tuple[int, int], Utterance] = {}
        self._wake_ns: int | None = None

    def handle(self, message: ToWorker) -> None:
        """One message from the engine."""
        match message:
            case Transcribe():
                set_alone(message.call, message.alone)
                slot = self.worker.exchange.slots[message.slot]
                self.utterances.setdefault((message.call, message.utterance), Utterance(message, slot))
            case Finalise(call=call, utterance=number, end_sample=end_sample, due_ns=due_ns):
                if utterance := self.utterances.get((call, number)):
                    utterance.end_sample, utterance.due_ns = end_sample, due_ns
                else:
                    self.worker.bus.send(TranscriptFailed(call, number, "unknown utterance"))
            case DropUtterance(call=call, utterance=number):
                self._forget((call, number))
            case ReleaseCall(call=call):
                for key in [key for key in self.utterances if key[0] == call]:
                    self._forget(key)
                self.worker.bus.send(CallReleased(call))

    def step(self) -> None:
        """Feed what is new, ask the backend for what is due, report what is known."""
        now_ns = self._clock()
        self._wake_ns = None
        for key, utterance in sorted(self.utterances.items(), key=lambda item: item[1].urgency):
            try:
                self._feed(utterance, now_ns)
            except MemoryError as error:
                exit_out_of_memory(error)
            except Exception as error:
                log.exception("recognition failed", extra={"call": key[0]})
                self._fail(key, error)
        streams = [utterance.stream for utterance in self.utterances.values() if utterance.stream]
        self._wake_ns = self.backend.step(streams, now_ns)
        for key, utterance in list(self.utterances.items()):
            try:
                self._report(key, utterance)
            except Exception as error:
                log.exception("recognition failed", extra={"call": key[0]})
                self._fail(key, error)

    def timeout_ms(self) -> float:
        """How long the loop may wait for messages."""
        if not self.utterances:
            return float("inf")
        wait_ms = POLL_MS
        if any(u.stream and u.end_sample is not None and not u.finalised for u in self.utterances.values()):
            return 0.0  # a final is waiting for the rest of its audio
        if self._wake_ns is not None:
            wait_ms = min(wait_ms, (self._wake_ns - self._clock()) / 1e6)
        return wait_ms

    def _feed(self, utterance: Utterance, now_ns: int) -> None:
        if utterance.finalised:
            return
        if utterance.stream is None:
            utterance.stream = self.backend.open(utterance.request, now_ns)
            if utterance.stream is None:
                return
        reader, end_sample = utterance.reader, utterance.end_sample
        wanted = MAX_FEED_SAMPLES if end_sample is None else min(MAX_FEED_SAMPLES, end_sample - reader.position)
        if wanted > 0:
            chunk = reader.read(wanted)
            if chunk.lost:
                log.warning("lost samples", extra={"call": utterance.request.call, "samples": chunk.lost})
            if chunk.samples.shape[0]:
                utterance.stream.feed(chunk.samples)
                if utterance.sound is not None:
                    utterance.sound.feed(chunk.samples)
        if end_sample is not None and reader.position >= end_sample:
            utterance.finalised = True
            utterance.stream.finalise(utterance.due_ns)

    def _report(self, key: tuple[int, int], utterance: Utterance) -> None:
        stream = utterance.stream
        if stream is None:
            return
        if stream.final is not None:
            self.worker.bus.send(
                TranscriptFinal(
                    *key,
                    stream.final,
                    stream.confidence,
                    self._clock(),
                    utterance.reader.lost_samples,
                    self._other_words(utterance, stream),
                    stream.closed_vocabulary,
                )
            )
            self._forget(key)
        elif (stream.partial, stream.stable) != utterance.reported:
            utterance.reported = (stream.partial, stream.stable)
            self.worker.bus.send(TranscriptPartial(*key, stream.partial, stream.stable))

    def _other_words(self, utterance: Utterance, stream: Stream) -> float | None:
        """What the sound over the bot was, apart from its words."""
        if stream.other_words is not None or utterance.sound is None:
            return stream.other_words
        return utterance.sound.other_words(self._listening)

    def _fail(self, key: tuple[int, int], error: Exception) -> None:
        self._forget(key)
        self.worker.bus.send(TranscriptFailed(*key, f"{type(error).__name__}: {error}"))

    def _forget(self, key: tuple[int, int]) -> None:
        utterance = self.utterances.pop(key, None)
        if utterance is not None and utterance.stream is not None:
            utterance.stream.close()


def run(worker: Worker) -> None:
    """The worker's main loop."""
    writes_grammars = all(isinstance(llm, FlowLlm) for llm in worker.config.tiers("llm"))
    backend = make_backend(worker.config.stt, dictation=not writes_grammars, wake=worker.bus.wake)
    backend.warm_up()
    stt = SttWorker(worker, backend)
    worker.ready()
    while worker.running:
        for message in worker.next_messages(stt.timeout_ms()):
            stt.handle(message)
        stt.step()
        worker.report(backend.pool)
