"""The capture worker: doors, media clock, VAD, judge of melody. Everything that touches the wire."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

import numpy as np
import uvloop

from ringline.ipc.exchange import ADMIT, FRAMES_MISSED, MEDIA_RATE_HZ, UNDERRUNS
from ringline.ipc.messages import (
    CallArrived,
    CallEnded,
    CallReleased,
    DtmfReceived,
    FlushPlayout,
    HangUp,
    PlayoutStarted,
    PlayoutStopped,
    ReleaseCall,
    ShutDown,
    SpeechStarted,
    SpeechStopped,
    ToWorker,
    TurnJudged,
)
from ringline.workers.base import IDLE_WAIT_MS, CannotStart, Worker
from ringline.workers.capture import media as column
from ringline.workers.capture.call import LiveCall
from ringline.workers.capture.clock import MediaClock
from ringline.workers.capture.doors import open_door
from ringline.workers.capture.doors.door import Door, Leg
from ringline.workers.capture.judge import Judge, Judgement, load_model
from ringline.workers.capture.listener import Listener
from ringline.workers.capture.media import MediaPlane
from ringline.workers.capture.vad import SpeechEvent, Vad
from ringline.workers.priority import step_forward

log = logging.getLogger("ringline.capture")


class CaptureWorker:
    """The reception of all doors, and what a tick of the clock does."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.media = MediaPlane(worker.exchange)
        self.media.warm_up()
        model = load_model(worker.config.turn)
        self.judge = Judge(worker.exchange, model, self.on_judged) if model is not None else None
        self.listener = Listener(Vad(worker.exchange, worker.config.vad), self.on_speech)
        self.clock = MediaClock(self.on_tick)
        self.calls: dict[int, LiveCall] = {}
        """By slot."""
        self.stopped = asyncio.Event()
        self._slots = np.zeros(worker.exchange.layout.max_calls, np.int64)
        self._out = [row.data for row in self.media.out]

    # --- the reception of the doors -------------------------------------------------------------------------------

    def has_room(self) -> bool:
        """Whether a call would be let in now."""
        exchange = self.worker.exchange
        return bool(exchange.header[ADMIT]) and any(not slot.call for slot in exchange.slots)

    def arrive(self, leg: Leg, door_url: str) -> LiveCall | None:
        """A call is at the door: claim a slot for it and start its clock."""
        slot = self.worker.exchange.claim(self.worker.spec.index, leg.format.rate_hz)
        if slot is None:
            admits = self.worker.exchange.header[ADMIT]  # not while it drains, or while the models lag behind
            reason = "no room" if admits else "the engine lets none in now"
            log.warning("call refused: %s", reason, extra={"door": door_url, "peer_call": leg.call_id})
            return None
        self.clock.start()
        self.media.open(slot, leg, self.clock.tick + 1)
        call = LiveCall(self, self.media, slot, leg)
        self.calls[slot.index] = call
        self._list_slots()
        self.listener.vad.open(slot.index, call.number)
        log.info("call arrived", extra={"call": call.number, "door": door_url, "rate_hz": leg.format.rate_hz})
        self.worker.bus.send(
            CallArrived(
                call.number, slot.index, door_url, leg.format.rate_hz, leg.call_id, leg.parameters, call.arrived_ns
            )
        )
        return call

    def on_dtmf(self, call: LiveCall, digit: str) -> None:
        """A key was pressed."""
        self.worker.bus.send(DtmfReceived(call.number, digit, time.monotonic_ns()))

    def on_closed(self, call: LiveCall, reason: str) -> None:
        """A wire is gone: no more audio either way. The slot stays claimed until everybody has let go of it."""
        del self.calls[call.slot.index]
        self._list_slots()
        if not self.calls:
            self.clock.stop()
        self.listener.vad.close(call.slot.index)
        row, words = call.row, call.slot.words
        stats = {
            "frames_sent": float(row[column.FRAMES_SENT]),
            "frames_missed": float(words[FRAMES_MISSED]),
            "underruns": float(words[UNDERRUNS]),
            **call.lateness.stats(),
            "filled_ms": float(row[column.FILLED]) / 16,
            "dropped_ms": float(row[column.DROPPED]) / 16,
            "resynced_ms": float(row[column.RESYNCED]) / 16,
            "left_out": float(call.leg.num_left_out),
        }
        log.info("call ended", extra={"call": call.number, "reason": reason, **stats})
        self.worker.bus.send(CallEnded(call.number, reason, stats))

    # --- the media clock ------------------------------------------------------------------------------------------

    def on_tick(self, last: int, tick: int, deadline_ns: int) -> None:
        """Play first: what goes out has a deadline, what came in can wait a moment."""
        num_calls = len(self.calls)
        num_todo = self.media.play(self._slots, num_calls, tick)
        for slot in self.media.todo[:num_todo].tolist():
            call = self.calls.get(slot)
            if call is not None:  # its wire may have broken while the others were served
                self._send(call)
        self.media.ingest(self._slots, len(self.calls), tick)
        self.listener.new_audio()

    def _send(self, call: LiveCall) -> None:
        row = call.row
        if num_bytes := row[column.OUT_BYTES]:
            now_ns = time.monotonic_ns()
            call.leg.send_audio(self._out[call.slot.index][:num_bytes].tobytes())
            sample = row[column.OUT_SAMPLE]
            due_ns = self.clock.deadline_ns(row[column.START_TICK] + sample // column.TICK_SAMPLES)
            call.lateness.add(now_ns - due_ns)
            audible = row[column.OUT_AUDIBLE]
            if audible >= 0:
                offset_s = audible / call.leg.format.rate_hz
                line_sample = sample + int(offset_s * MEDIA_RATE_HZ)
                turn, time_ns = row[column.HEARD_TURN], now_ns + int(offset_s * 1e9)
                self.worker.bus.send(PlayoutStarted(call.number, turn, line_sample, time_ns))
        if turn := row[column.STOPPED_TURN]:
            finished, sample = bool(row[column.STOPPED_FINISHED]), row[column.STOPPED_SAMPLE]
            self.worker.bus.send(PlayoutStopped(call.number, turn, sample, finished, time.monotonic_ns()))

    def _list_slots(self) -> None:
        self._slots[: len(self.calls)] = list(self.calls)

    # --- the VAD --------------------------------------------------------------------------------------------------

    def on_speech(self, events: Sequence[SpeechEvent]) -> None:
        """What the VAD heard."""
        for event in events:
            call = self.calls.get(event.slot)
            if call is None or call.number != event.call:
                continue
            if event.started:
                self.worker.bus.send(SpeechStarted(call.number, event.sample, time.monotonic_ns()))
            else:
                self.worker.bus.send(
                    SpeechStopped(
                        call.number, event.sample, call.arrival_ns(event.sample), event.background, event.doubtful
                    )
                )
                if self.judge is not None:
                    self.judge.judge(event.slot, event.call, event.sample)

    def on_judged(self, judgement: Judgement) -> None:
        """How finished a caller sounded who fell silent."""
        call = self.calls.get(judgement.slot)
        if call is not None and call.number == judgement.call:
            self.worker.bus.send(TurnJudged(call.number, judgement.end_sample, judgement.finished))

    # --- the engine -----------------------------------------------------------------------------------------------

    def handle(self, message: ToWorker) -> None:
        """One message from the engine."""
        match message:
            case HangUp(call=number, reason=reason):
                if call := self._find(number):
                    call.end_reason = reason
                    call.leg.hang_up()
            case FlushPlayout(call=number):
                if call := self._find(number):
                    call.leg.flush()
            case ReleaseCall(call=number):
                if call := self._find(number):
                    call.closed("released")
                self.worker.bus.send(CallReleased(number))
            case ShutDown():
                self.stopped.set()

    def _find(self, number: int) -> LiveCall | None:
        return next((call for call in self.calls.values() if call.number == number), None)


async def _main(worker: Worker) -> None:
    sys.setswitchinterval(0.001)  # the VAD's thread must not keep the interpreter from a due frame for 5 ms
    capture = CaptureWorker(worker)
    doors: list[Door] = []
    urls: list[str] = []
    try:
        for config in worker.config.door:
            door = open_door(config, capture)
            await door.open()
            doors.append(door)
            urls.append(urlsplit(config.url)._replace(netloc=f"{urlsplit(config.url).hostname}:{door.port}").geturl())
    except OSError as error:
        raise CannotStart(f"door {config.url}: {error.strerror or error}") from error
    worker.bus.start(capture.handle)
    is_realtime = worker.config.engine.realtime and step_forward()
    log.info("media loop in real time" if is_realtime else "media loop without real-time priority")
    worker.ready(tuple(urls))
    gc.set_threshold(50_000, 20, 100)  # a full collection is a late frame
    while not capture.stopped.is_set():
        worker.beat()
        try:
            async with asyncio.timeout(IDLE_WAIT_MS / 1000):
                await capture.stopped.wait()
        except TimeoutError:
            continue
    for call in list(capture.calls.values()):
        call.end_reason = "shutdown"
        call.leg.hang_up()
    for door in doors:
        await door.close()
    capture.listener.stop()
    if capture.judge is not None:
        capture.judge.stop()
    capture.clock.close()


def run(worker: Worker) -> None:
    """The worker's main loop."""
    uvloop.run(_main(worker))
