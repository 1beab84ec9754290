"""A voice bot in one asyncio process, the control of bench/baseline.py: what Ringline would be without its processes.

    python -m bench.one_process BURN_THREADS BURN_KIND

It says its door's URL on standard output, serves until its standard input ends, and then says how late its frames left.

Everything is as good as it is in Ringline, or better for being simpler: uvloop, Ringline's AudioSocket door, resampler
and Silero session, its media clock (a timerfd on absolute deadlines; a loop of `asyncio.sleep` is rounded to
milliseconds), the stages' delays. Each call's windows go through Silero one by one, in the loop, as bots of one process
have it. An endpoint is a fixed silence behind the last window that was speech. Not here: drafts, echo, overlaps beyond
"speech stops the bot", histories, restarts. The loop's thread asks for real-time priority, as capture does. What burns,
burns in other threads of this process, as STT and TTS in a thread pool do.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time

import numpy as np
import uvloop

from ringline.engine.config import DoorConfig, SyntheticTts
from ringline.ipc.exchange import MEDIA_RATE_HZ
from ringline.tools.caller.priority import ask_for_realtime
from ringline.workers.audio.codecs import decode, encode
from ringline.workers.audio.resample import Resampler
from ringline.workers.capture.clock import TICKS_PER_FRAME, MediaClock
from ringline.workers.capture.doors import open_door
from ringline.workers.capture.doors.door import Leg
from ringline.workers.capture.lateness import Lateness
from ringline.workers.capture.silero import MEMORY, SileroModel
from ringline.workers.capture.windows import CONTEXT, WINDOW
from ringline.workers.stt.burn import burn
from ringline.workers.tts import make_backend
from ringline.workers.tts.backend import Mark, Order

STT_S, LLM_S, TTS_MS = 0.1, 0.1, 50
"""As bench/baseline.py tells Ringline's synthetic stages."""
REPLY = "This is a synthetic reply. It has two sentences."
GREETING = "Hello, how can I help you?"
ENDPOINT_S = 0.4
THRESHOLD, RELEASE_THRESHOLD, ONSET_WINDOWS = 0.5, 0.35, 2  # Ringline's defaults


class OneCall:
    """A call: its ears, its turn, its mouth. An `Admission`."""

    def __init__(self, bot: Bot, leg: Leg, start_tick: int) -> None:
        self.leg, self.start_tick = leg, start_tick
        self.num_frames = 0
        self.lateness = Lateness()
        self.out = bytearray()
        self._bot = bot
        self._up = Resampler(leg.format.rate_hz, MEDIA_RATE_HZ)
        self._heard = np.zeros(0, np.int16)
        self._window = np.zeros((1, CONTEXT + WINDOW), np.float32)
        self._memory = np.zeros((2, 1, MEMORY), np.float32)
        self._run = 0
        self._speaking = False
        self._turn: asyncio.Task[None] | None = asyncio.create_task(self._say(GREETING))

    def audio(self, payload: bytes | memoryview) -> None:
        """Hear; a full window goes through the model."""
        samples = self._up.process(decode(payload, self.leg.format.encoding))
        self._heard = np.concatenate((self._heard, samples))
        while self._heard.shape[0] >= WINDOW:
            self._judge(self._heard[:WINDOW])
            self._heard = self._heard[WINDOW:]

    def dtmf(self, digit: str) -> None:
        """Keys mean nothing here."""

    def closed(self, reason: str) -> None:
        """The caller hung up."""
        self._stop_turn()
        self._bot.calls.remove(self)

    def next_frame(self) -> bytes:
        """20 ms for the wire: the reply, or silence."""
        size = self.leg.format.frame_bytes
        frame = bytes(self.out[:size])
        del self.out[:size]
        return frame.ljust(size, b"\0")

    def _judge(self, window: np.ndarray[tuple[int], np.dtype[np.int16]]) -> None:
        self._window[0, :CONTEXT] = self._window[0, -CONTEXT:]
        self._window[0, CONTEXT:] = window / np.float32(32768)
        speech, self._memory = self._bot.silero.run(self._window, self._memory)
        if speech[0] >= THRESHOLD or (self._speaking and speech[0] >= RELEASE_THRESHOLD):
            self._run += 1
            if self._run >= ONSET_WINDOWS and not self._speaking:
                self._speaking = True
                self._stop_turn()
        else:
            self._run = 0
            if self._speaking:
                self._speaking = False
                self._turn = asyncio.create_task(self._answer())

    def _stop_turn(self) -> None:
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        self.out.clear()

    async def _answer(self) -> None:
        await asyncio.sleep(ENDPOINT_S - WINDOW / MEDIA_RATE_HZ)  # the silent window that began it has passed
        await asyncio.sleep(STT_S)
        await asyncio.sleep(LLM_S)
        await self._say(REPLY)

    async def _say(self, text: str) -> None:
        down = Resampler(self._bot.voice.rate_hz, self.leg.format.rate_hz)
        for part in self._bot.voice.synthesize(Order(text)):
            if part is None:
                await asyncio.sleep(0.002)
            elif not isinstance(part, Mark):
                self.out += encode(down.process(part), self.leg.format.encoding)
        self.out += encode(down.flush(), self.leg.format.encoding)


class Bot:
    """All calls, and their clock. A `Reception`."""

    def __init__(self) -> None:
        self.silero = SileroModel("")
        self.voice = make_backend(SyntheticTts(first_audio_ms=TTS_MS, marks=False))
        self.voice.warm_up()
        for from_hz, to_hz in ((8_000, MEDIA_RATE_HZ), (self.voice.rate_hz, 8_000)):  # compiled on first use
            encode(Resampler(from_hz, to_hz).process(np.zeros(160, np.int16)), "slin")
        self.calls: list[OneCall] = []
        self.all_calls: list[OneCall] = []
        self._clock = MediaClock(self._tick)

    def has_room(self) -> bool:
        """Always."""
        return True

    def arrive(self, leg: Leg, door_url: str) -> OneCall:
        """A call: its first frame is due with the next tick."""
        self._clock.start()
        call = OneCall(self, leg, self._clock.tick + 1)
        self.calls.append(call)
        self.all_calls.append(call)
        return call

    def _tick(self, last: int, tick: int, deadline_ns: int) -> None:
        for call in list(self.calls):
            due = call.start_tick + call.num_frames * TICKS_PER_FRAME
            if due > tick:
                continue
            now_ns = time.monotonic_ns()
            call.leg.send_audio(call.next_frame())
            call.lateness.add(now_ns - self._clock.deadline_ns(due))
            # A frame that was slept through is not made up for.
            call.num_frames = (tick - call.start_tick) // TICKS_PER_FRAME + 1


async def _serve(burn_threads: int, burn_kind: str) -> None:
    bot = Bot()
    door = open_door(DoorConfig("audiosocket://127.0.0.1:0"), bot)
    await door.open()
    ask_for_realtime()
    burn(burn_threads, burn_kind)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)  # as in Ringline's capture
    print(f"audiosocket://127.0.0.1:{door.port}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await door.close()
    print(json.dumps([call.lateness.stats() for call in bot.all_calls]), flush=True)


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), sys.argv[2]))
