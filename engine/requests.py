"""What is in flight: every request that a worker has not yet answered. It is sent again when the worker dies, and goes
to the stage's fallback when its backend fails or is late.

Requests are stateless, so sending one again is all there is to recovery: STT reads the utterance from the ring once
more, the LLM is told what it has said already, TTS continues the phrase where the ring ends. An answer counts only if
it comes from the worker that has the request now.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable

import msgspec

from ringline.engine.config import Stage
from ringline.engine.llm_states import state_of, with_state
from ringline.engine.open_request import Failure, Key, OpenRequest
from ringline.engine.ring_writers import RingWriters
from ringline.engine.supervisor import Supervisor, WorkerProcess
from ringline.engine.tiers import Tiers
from ringline.ipc.messages import (
    Bridge,
    Bridged,
    CancelReply,
    CancelSpeech,
    DropUtterance,
    Finalise,
    FromWorker,
    Generate,
    PhraseFailed,
    PhraseFinished,
    PhraseStarted,
    ReplyAwaitsModel,
    ReplyDelta,
    ReplyFailed,
    ReplyFinished,
    Speak,
    SpeechReleased,
    ToWorker,
    Transcribe,
    TranscriptFailed,
    TranscriptFinal,
    TranscriptPartial,
    WarmPrompt,
    WordMarks,
)

log = logging.getLogger("ringline.requests")

MAX_DEATHS = 2
"""A request that so many workers of a tier worked on when they died is failed there, not tried for ever."""

MAX_SHARED_DEATHS = 3
"""... and where several may be to blame, so many: sent again, they share no batch, and the blame becomes one's."""


class Requests:
    """All open requests of an engine, and the workers of each call."""

    def __init__(
        self,
        supervisor: Supervisor,
        tiers: Tiers,
        send: Callable[[str, ToWorker], bool],
        fail: Callable[[Failure], None],
    ) -> None:
        """``fail`` gets the failure of a request that is given up; it must not call back at once."""
        self._supervisor = supervisor
        self._tiers = tiers
        self._send = send
        self._fail = fail
        self._open: dict[Key, OpenRequest] = {}
        self._writers = RingWriters(send)
        self.partials = True
        """Whether recognisers are to compute hypotheses."""
        self._recognisers: dict[tuple[int, int], str] = {}
        """(call, tier) -> bus name: an STT worker may keep what it has learnt of a voice."""
        self._num_answers: Counter[str] = Counter()
        """What each worker, by its bus name, has said about utterances or replies."""
        self._wrote: dict[int, int] = {}
        """call -> the LLM's tier that wrote last."""

    # --- from the conversation ------------------------------------------------------------------------------------

    def route(self, message: ToWorker) -> None:
        """Send a request to a worker of its kind, now or as soon as there is one."""
        match message:
            case Transcribe(call=call, utterance=number) | Finalise(call=call, utterance=number):
                self._add(("stt", call, number), message)
            case DropUtterance(call=call, utterance=number):
                self._cancel("stt", call, number, message)
            case Generate(call=call, turn=turn):
                self._open.pop(("llm", call, turn), None)
                self._add(("llm", call, turn), message, self._elsewhere(message) if message.elsewhere else None)
            case WarmPrompt():
                for worker in self._supervisor.ready("llm"):  # each may have a model of its own
                    self._send(worker.bus_name, message)
            case CancelReply(call=call, turn=turn):
                self._cancel("llm", call, turn, message)
            case Speak(call=call, turn=turn):
                self._add(("tts", call, turn), message)
            case Bridge(call=call, turn=turn):
                request = self._open.get(("tts", call, turn))
                if request is not None and request.worker:
                    self._send(request.worker, self._as_sent(request, message))
            case CancelSpeech(call=call, turn=turn):
                self._cancel("tts", call, turn, message)

    def escalate(self, call: int, stage: Stage, number: int) -> None:
        """The stage is late with an utterance or turn: take it away and try the fallback; without one it has failed.

        A worker is late with what it has begun. What only waits there is no failure, and moves only where a fallback
        may be quicker.
        """
        request = self._open.get((stage, call, number))
        if request is None or not request.messages:
            return  # it has answered meanwhile
        is_restarting = not request.worker or request.deaths > 0
        has_fallback = self._tiers.after(stage, request.tier) is not None
        if (is_restarting or request.awaits_model) and not has_fallback:
            return  # its worker died, or the model is being loaded, which explains the delay: it gets its chance
        only_waits = self._only_waits(request)
        if only_waits and not has_fallback:
            return  # its turn will come
        log.warning(
            "waits too long" if only_waits else "late", extra={"request": request.key, "worker": request.worker}
        )
        if request.worker and stage == "stt":
            self._send(request.worker, DropUtterance(call, number))
        elif request.worker and stage == "llm" and not self._has_earlier(request):
            self._send(request.worker, CancelReply(call, number))
        self._give_up(request, "no answer in time", is_blamed=not only_waits)

    def forget_call(self, call: int) -> None:
        """The call is over."""
        for key in [key for key in self._open if key[1] == call]:
            del self._open[key]
        for sticky in [sticky for sticky in self._recognisers if sticky[0] == call]:
            del self._recognisers[sticky]
        self._writers.forget_call(call)
        self._wrote.pop(call, None)

    # --- from the workers -----------------------------------------------------------------------------------------

    def settle(self, bus_name: str, message: FromWorker) -> FromWorker | None:
        """Take note of what a worker says. Returns what of it is for the conversation, None for nothing."""
        match message:
            case TranscriptPartial() | TranscriptFinal() | TranscriptFailed():
                request = self._open.get(("stt", message.call, message.utterance))
            case ReplyAwaitsModel() | ReplyDelta() | ReplyFinished() | ReplyFailed():
                request = self._open.get(("llm", message.call, message.turn))
                if request is not None and request.generate.step != message.step:
                    return None
            case PhraseStarted() | WordMarks() | PhraseFinished() | PhraseFailed():
                return self._settle_speech(bus_name, message)
            case Bridged(call=call):
                writer = self._writers.get(call)
                return message if writer is not None and writer.bus_name == bus_name else None
            case SpeechReleased(call=call):
                self._writers.released(call, bus_name)
                self._dispatch_waiting()
                return None
            case _:
                return message
        if request is None or request.worker != bus_name:
            return None
        if isinstance(message, ReplyAwaitsModel):
            request.awaits_model = True
            return message
        self._num_answers[bus_name] += 1
        request.awaits_model = False
        request.answers_before += 1  # its own are not those of others
        match message:
            case TranscriptFinal():
                self._succeeded(request)
            case ReplyDelta(text=text):
                request.said(text)
            case ReplyFinished(state=state):
                self._wrote[request.call] = request.tier
                self._succeeded(request, is_praised=bool(request.generate.said.strip() or message.tool_calls))
                return msgspec.structs.replace(message, state=self._state_after(request, state))
            case TranscriptFailed() | ReplyFailed():
                return None if self._fall_back(request) else message
        return message

    def worker_down(self, bus_name: str, working_on: frozenset[int] = frozenset()) -> None:
        """What the worker had goes back to waiting, or to another worker at once.

        ``working_on``: the calls it was working on; empty if it could not say, and then all it had are suspects.
        """
        for sticky in [sticky for sticky, name in self._recognisers.items() if name == bus_name]:
            del self._recognisers[sticky]
        self._writers.worker_down(bus_name)
        del self._num_answers[bus_name]
        lost = [request for request in self._open.values() if request.worker == bus_name]
        for request in lost:
            request.worker = ""
        open_there = [request for request in lost if request.messages]
        suspects = [request for request in open_there if request.call in working_on] or open_there
        limit = MAX_DEATHS if len(suspects) == 1 else MAX_SHARED_DEATHS
        for request in suspects:
            request.deaths += 1
        for request in suspects:
            if request.deaths >= limit:
                self._give_up(request, f"{request.deaths} workers died under it")
        for request in open_there:
            if self._open.get(request.key) is request and not request.worker and self._is_sooner_elsewhere(request):
                self._fall_back(request, is_blamed=False)
        self._dispatch_waiting()

    def worker_ready(self, worker: WorkerProcess) -> None:
        """What has waited for such a worker gets it."""
        self._dispatch_waiting()

    def __len__(self) -> int:
        return len(self._open)

    # --- one request ----------------------------------------------------------------------------------------------

    def _add(self, key: Key, message: ToWorker, tier: int | None = None) -> None:
        """``tier``: where a new request goes, if that is not to be chosen."""
        request = self._open.get(key)
        if request is None:
            if isinstance(message, Finalise):
                return  # answered already
            request = self._open[key] = OpenRequest(key, self._first_tier(key) if tier is None else tier)
        request.messages.append(message)
        if request.worker:
            self._deliver(request, message)
        else:
            self._dispatch(request)

    def _is_sooner_elsewhere(self, request: OpenRequest) -> bool:
        """Whether a fallback is ready, and its tier has to load its models again: somebody waits."""
        after = self._tiers.after(request.stage, request.tier)
        if after is None or self._supervisor.ready(request.stage, request.tier):
            return False
        return bool(self._supervisor.ready(request.stage, after))

    def _first_tier(self, key: Key) -> int:
        stage, call, _ = key
        if stage == "tts" and (others := self._of_call("tts", call)):
            return others[0].tier  # a call's turns are spoken in order, so by one worker
        return self._tiers.choose(stage)

    def _elsewhere(self, request: Generate) -> int:
        """The tier behind the one that wrote last in the call, which is to blame; that one again if it was the last."""
        tier = self._wrote.get(request.call, 0)
        self._tiers.breaker("llm", tier).failed()
        after = self._tiers.after("llm", tier)
        return tier if after is None else after

    def _only_waits(self, request: OpenRequest) -> bool:
        """Whether its worker's model comes on with what it has begun: others are before it, and nothing is wrong."""
        if not request.worker:
            return False
        overdue_s = self._supervisor.overdue_s(request.worker)
        if overdue_s is not None:
            return overdue_s < self._tiers.timeout_s(request.stage)
        return request.stage == "llm" and not request.generate.said and self._others_were_answered(request)

    def _others_were_answered(self, request: OpenRequest) -> bool:
        """Whether its worker wrote other replies since it was sent, or since this was last asked: a model's own server
        has a queue that nobody else can see."""
        num_answers = self._num_answers[request.worker]
        were_answered = num_answers > request.answers_before
        request.answers_before = num_answers
        return were_answered

    def _has_earlier(self, request: OpenRequest) -> bool:
        """Whether its worker has an earlier request of the call too, which cancelling this one would take along."""
        others = self._of_call(request.stage, request.call)
        return any(other.worker == request.worker and other.number < request.number for other in others)

    def _of_call(self, stage: Stage, call: int) -> list[OpenRequest]:
        return [request for request in self._open.values() if request.key[:2] == (stage, call)]

    def _dispatch_waiting(self) -> None:
        for request in [request for request in self._open.values() if not request.worker]:
            self._dispatch(request)

    def _dispatch(self, request: OpenRequest) -> None:
        worker = self._pick(request)
        if worker is None:
            return
        request.worker = worker
        request.answers_before = self._num_answers[worker]
        for message in request.messages:
            self._deliver(request, message)

    def _deliver(self, request: OpenRequest, message: ToWorker) -> None:
        if not self._send(request.worker, self._as_sent(request, message)):
            # Its process is gone or its queue is full: in both cases the supervisor is about to replace it.
            log.warning("worker does not take requests", extra={"request": request.key, "worker": request.worker})

    def _as_sent(self, request: OpenRequest, message: ToWorker) -> ToWorker:
        """The message for the request's tier: a backend knows nothing of another one's voices and states."""
        if request.deaths and isinstance(message, Transcribe | Generate | Speak):
            message = msgspec.structs.replace(message, alone=True)
        if isinstance(message, Transcribe) and not self.partials:
            message = msgspec.structs.replace(message, partials=False)
        if isinstance(message, Generate) and self._tiers.num("llm") > 1:
            state = state_of(message.state, self._tiers.backend("llm", request.tier))
            return msgspec.structs.replace(message, state=state)
        if isinstance(message, Speak | Bridge) and self._tiers.backend("tts", request.tier) != self._tiers.backend(
            "tts", 0
        ):
            return msgspec.structs.replace(message, voice="")
        return message

    def _state_after(self, request: OpenRequest, state: bytes) -> bytes:
        if self._tiers.num("llm") == 1:
            return state
        return with_state(request.generate.state, self._tiers.backend("llm", request.tier), state)

    def _pick(self, request: OpenRequest) -> str | None:
        stage, call, _ = request.key
        if stage == "tts" and (writer := self._writers.get(call)):
            if writer.tier == request.tier and not writer.releasing:
                return writer.bus_name
            self._writers.release(call)
            return None
        if stage == "stt" and (name := self._recognisers.get((call, request.tier))):
            return name
        load = {worker.bus_name: 0 for worker in self._supervisor.ready(stage, request.tier)}
        if not load:
            return None
        busy = (other.worker for other in self._open.values())
        for name in (*self._recognisers.values(), *self._writers.bus_names(), *busy):
            if name in load:
                load[name] += 1
        name = min(load, key=lambda bus_name: load[bus_name])
        if stage == "stt":
            self._recognisers[call, request.tier] = name
        elif stage == "tts":
            self._writers.take(call, name, request.tier)
        return name

    def _cancel(self, stage: Stage, call: int, number: int, message: ToWorker) -> None:
        """Close the call's requests of this kind up to ``number`` and tell whoever works on them."""
        names = {name for sticky, name in self._recognisers.items() if stage == "stt" and sticky[0] == call}
        if stage == "tts" and (writer := self._writers.get(call)):
            names.add(writer.bus_name)
        for request in self._of_call(stage, call):
            if request.number <= number:
                names.add(self._open.pop(request.key).worker)
        for name in names - {""}:
            self._send(name, message)

    # --- success and failure --------------------------------------------------------------------------------------

    def _succeeded(self, request: OpenRequest, is_praised: bool = True) -> None:
        """``is_praised``: its tier may be trusted again if it had failed."""
        if is_praised:
            self._tiers.breaker(request.stage, request.tier).succeeded()
        del self._open[request.key]

    def _give_up(self, request: OpenRequest, reason: str, is_blamed: bool = True) -> None:
        """Nobody says that the request failed, but it has."""
        failure = request.failure(reason)
        if not self._fall_back(request, is_blamed):
            log.error("request failed", extra={"request": request.key, "reason": reason})
            self._fail(failure)

    def _fall_back(self, request: OpenRequest, is_blamed: bool = True) -> bool:
        """Its tier has failed the request: send it to the next one. Returns False, and closes it, if there is none.

        ``is_blamed``: whether the tier is to be avoided if that goes on.
        """
        if is_blamed:
            self._tiers.breaker(request.stage, request.tier).failed()
        tier = self._tiers.after(request.stage, request.tier)
        if tier is not None:
            log.warning("fallback", extra={"request": request.key, "tier": tier})
        if request.stage == "tts":
            self._speak_anew(request, tier)
        elif tier is None:
            del self._open[request.key]
        else:
            request.move(tier)
            self._dispatch(request)
        return tier is not None

    # --- speech ---------------------------------------------------------------------------------------------------

    def _settle_speech(
        self, bus_name: str, message: PhraseStarted | WordMarks | PhraseFinished | PhraseFailed
    ) -> FromWorker | None:
        writer = self._writers.get(message.call)
        if writer is None or writer.bus_name != bus_name:
            return None
        request = self._open.get(("tts", message.call, message.turn))
        if isinstance(message, PhraseFailed):
            if request is None or not request.messages or writer.releasing:
                return None  # cancelled, or taken away from the worker already
            return None if self._fall_back(request) else message
        if request is None:
            return message  # a turn that was cut: the conversation still wants to know what of it was heard
        given_up = message.phrase in request.given_up
        if isinstance(message, PhraseFinished) and (speak := request.finish(message.phrase)):
            if not given_up and speak.text:
                self._tiers.breaker("tts", writer.tier).succeeded()
            if speak.last:
                del self._open[request.key]
        return None if given_up else message

    def _speak_anew(self, request: OpenRequest, tier: int | None) -> None:
        """Go on with a call's speech behind the phrase that was broken off: on the next tier, or on the same one
        without that phrase. Either way the worker that has the ring must let go of it first."""
        if tier is None and not request.give_up_phrase():
            del self._open[request.key]  # not even the phrase's end can be marked
        for other in self._of_call("tts", request.call):
            other.move(request.tier if tier is None else tier)
        self._writers.release(request.call)
        self._dispatch_waiting()
