"""What is in flight: every request that a worker has not yet answered, to be sent again when the worker dies.

Requests are stateless, so sending one again is all there is to recovery: STT reads the utterance from the ring once
more, the LLM is told what it has said already, TTS continues the phrase at the sample where the ring ends.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec

from ringline.engine.supervisor import Supervisor, WorkerProcess
from ringline.ipc.messages import (
    CancelReply,
    CancelSpeech,
    DropUtterance,
    Finalise,
    FromWorker,
    Generate,
    PhraseFailed,
    PhraseFinished,
    ReplyDelta,
    ReplyFailed,
    ReplyFinished,
    Speak,
    ToWorker,
    Transcribe,
    TranscriptFailed,
    TranscriptFinal,
)

log = logging.getLogger("ringline.requests")

MAX_ATTEMPTS = 3
"""A request under which so many workers died is failed, not tried for ever."""

Key = tuple[str, int, int]
"""Kind of worker, call, and the number of the utterance or turn."""


class OpenRequest:
    """The messages that a new worker needs, and who has them now."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.messages: list[ToWorker] = []
        self.worker = ""
        """Bus name; empty while it waits for a worker."""
        self.attempts = 0


class Requests:
    """All open requests of an engine, and the workers of each call."""

    def __init__(
        self, supervisor: Supervisor, send: Callable[[str, ToWorker], bool], fail: Callable[[FromWorker], None]
    ) -> None:
        """``fail`` gets the failure of a request that is given up."""
        self._supervisor = supervisor
        self._send = send
        self._fail = fail
        self._open: dict[Key, OpenRequest] = {}
        self._sticky: dict[tuple[str, int], str] = {}
        """(kind, call) -> bus name. One TTS worker at a time writes a call's reply ring; STT may keep its decoder."""

    def route(self, message: ToWorker) -> None:
        """Send a request to a worker of its kind, now or as soon as there is one."""
        match message:
            case Transcribe(call=call, utterance=number):
                self._add(("stt", call, number), message)
            case Finalise(call=call, utterance=number):
                self._add(("stt", call, number), message)
            case DropUtterance(call=call, utterance=number):
                self._cancel("stt", call, number, message)
            case Generate(call=call, turn=turn):
                self._open.pop(("llm", call, turn), None)
                self._add(("llm", call, turn), message)
            case CancelReply(call=call, turn=turn):
                self._cancel("llm", call, turn, message)
            case Speak(call=call, turn=turn):
                self._add(("tts", call, turn), message)
            case CancelSpeech(call=call, turn=turn):
                self._cancel("tts", call, turn, message)

    def observe(self, message: FromWorker) -> None:
        """Take note of what an answer settles."""
        match message:
            case TranscriptFinal(call=call, utterance=number) | TranscriptFailed(call=call, utterance=number):
                self._open.pop(("stt", call, number), None)
            case ReplyDelta(call=call, turn=turn, text=text):
                if request := self._open.get(("llm", call, turn)):
                    generate = request.messages[0]
                    assert isinstance(generate, Generate)
                    request.messages[0] = msgspec.structs.replace(generate, said=generate.said + text)
            case ReplyFinished(call=call, turn=turn) | ReplyFailed(call=call, turn=turn):
                self._open.pop(("llm", call, turn), None)
            case (
                PhraseFinished(call=call, turn=turn, phrase=phrase) | PhraseFailed(call=call, turn=turn, phrase=phrase)
            ):
                if request := self._open.get(("tts", call, turn)):
                    request.messages = [m for m in request.messages if isinstance(m, Speak) and m.phrase != phrase]

    def forget_call(self, call: int) -> None:
        """The call is over."""
        for key in [key for key in self._open if key[1] == call]:
            del self._open[key]
        for kind in ("stt", "llm", "tts"):
            self._sticky.pop((kind, call), None)

    def worker_down(self, bus_name: str) -> None:
        """What the worker had goes back to waiting, or to another worker at once."""
        for sticky in [key for key, name in self._sticky.items() if name == bus_name]:
            del self._sticky[sticky]
        for request in [request for request in self._open.values() if request.worker == bus_name]:
            request.worker = ""
            request.attempts += 1
            if request.attempts >= MAX_ATTEMPTS:
                del self._open[request.key]
                log.error("request failed: workers die under it", extra={"request": request.key})
                self._give_up(request)
            else:
                self._dispatch(request)

    def worker_ready(self, worker: WorkerProcess) -> None:
        """What has waited for a worker of this kind gets one."""
        for request in [r for r in self._open.values() if r.key[0] == worker.kind and not r.worker]:
            self._dispatch(request)

    def __len__(self) -> int:
        return len(self._open)

    # --- one request ----------------------------------------------------------------------------------------------

    def _add(self, key: Key, message: ToWorker) -> None:
        request = self._open.get(key)
        if request is None:
            if isinstance(message, Finalise):
                return  # answered already
            request = self._open[key] = OpenRequest(key)
        request.messages.append(message)
        if request.worker:
            self._deliver(request, message)
        else:
            self._dispatch(request)

    def _dispatch(self, request: OpenRequest) -> None:
        worker = self._pick(request.key[0], request.key[1])
        if worker is None:
            return
        request.worker = worker
        for message in request.messages:
            self._deliver(request, message)

    def _deliver(self, request: OpenRequest, message: ToWorker) -> None:
        if not self._send(request.worker, message):
            # Its process is gone or its queue is full: in both cases the supervisor is about to replace it.
            log.warning("worker does not take requests", extra={"request": request.key, "worker": request.worker})

    def _pick(self, kind: str, call: int) -> str | None:
        if name := self._sticky.get((kind, call)):
            return name
        workers = self._supervisor.ready(kind)
        if not workers:
            return None
        load = {worker.bus_name: 0 for worker in workers}
        for name in (*self._sticky.values(), *(request.worker for request in self._open.values())):
            if name in load:
                load[name] += 1
        name = min(load, key=lambda bus_name: load[bus_name])
        if kind != "llm":
            self._sticky[kind, call] = name
        return name

    def _cancel(self, kind: str, call: int, number: int, message: ToWorker) -> None:
        """Close the call's requests of this kind up to ``number`` and tell whoever works on them."""
        names = {self._sticky.get((kind, call), "")}
        for key in [key for key in self._open if key[:2] == (kind, call) and key[2] <= number]:
            names.add(self._open.pop(key).worker)
        for name in names - {""}:
            self._send(name, message)

    def _give_up(self, request: OpenRequest) -> None:
        _, call, number = request.key
        reason = f"{request.attempts} workers died under it"
        match request.messages[0]:
            case Transcribe():
                self._fail(TranscriptFailed(call, number, reason))
            case Generate(step=step):
                self._fail(ReplyFailed(call, number, step, reason))
            case Speak(phrase=phrase):
                self._fail(PhraseFailed(call, number, phrase, reason))
