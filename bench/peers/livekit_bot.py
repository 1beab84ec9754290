"""LiveKit Agents on a Twilio stream: an AgentSession with audio input and output of its own, and stages that take time.

Runs inside the bench's LiveKit environment. The settings and where they come from: README.md beside this file.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import logging
import socket
import time
import uuid
from typing import Any

import numpy as np
from aiohttp import WSMsgType, web
from livekit import rtc
from livekit.agents import Agent, AgentSession, inference, llm, stt, tts
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, APIConnectOptions
from livekit.agents.voice.io import AudioInput, AudioOutput, AudioOutputCapabilities
from serving import CHUNK_MS, RATE_HZ, Accept, Settings, Voice, main, words


def _mulaw_tables() -> tuple[np.ndarray, np.ndarray]:
    """G.711: (int16 of each code, code of each int16 seen as uint16)."""
    code = ~np.arange(256, dtype=np.uint8)
    magnitude = (((code & 0x0F).astype(np.int32) << 3) + 0x84 << ((code >> 4) & 7)) - 0x84
    decoded = np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)
    order = np.argsort(decoded, kind="stable")
    levels = decoded[order].astype(np.int32)
    samples = np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32)
    nearest = np.searchsorted((levels[1:] + levels[:-1]) / 2, samples)
    return decoded, order[nearest].astype(np.uint8)


DECODED, ENCODED = _mulaw_tables()


class SyntheticStt(stt.STT):
    """Streams, and is asked for the final when the VAD hears silence: `manual_flush` without a turn detector."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            capabilities=stt.STTCapabilities(
                streaming=True, interim_results=False, offline_recognize=False, manual_flush=True
            )
        )
        self.settings = settings

    async def _recognize_impl(self, *_: Any, **__: Any) -> stt.SpeechEvent:
        raise NotImplementedError

    def stream(self, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS, **_: Any) -> stt.RecognizeStream:
        return SyntheticSttStream(stt=self, conn_options=conn_options)


class SyntheticSttStream(stt.RecognizeStream):
    _stt: SyntheticStt

    async def _run(self) -> None:
        async for item in self._input_ch:
            if isinstance(item, self._FlushSentinel):
                asyncio.get_running_loop().call_later(self._stt.settings.stt_ms / 1000, self._say_final)

    def _say_final(self) -> None:
        if not self._event_ch.closed:
            text = self._stt.settings.transcript
            data = stt.SpeechData(language="en", text=text, confidence=1.0)
            self._event_ch.send_nowait(stt.SpeechEvent(stt.SpeechEventType.FINAL_TRANSCRIPT, alternatives=[data]))


class SyntheticLlm(llm.LLM):
    """The same reply to everybody."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        **_: Any,
    ) -> llm.LLMStream:
        return SyntheticLlmStream(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


class SyntheticLlmStream(llm.LLMStream):
    _llm: SyntheticLlm

    async def _run(self) -> None:
        async for word in words(self._llm.settings):
            delta = llm.ChoiceDelta(role="assistant", content=word)
            self._event_ch.send_nowait(llm.ChatChunk(id="bench", delta=delta))


class SyntheticTts(tts.TTS):
    """At the wire's rate, so that nothing needs to be resampled. The session cuts its text into sentences."""

    def __init__(self, voice: Voice) -> None:
        super().__init__(capabilities=tts.TTSCapabilities(streaming=False), sample_rate=RATE_HZ, num_channels=1)
        self.voice = voice

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        return SyntheticSpeech(tts=self, input_text=text, conn_options=conn_options)


class SyntheticSpeech(tts.ChunkedStream):
    _tts: SyntheticTts

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        output_emitter.initialize(
            request_id=uuid.uuid4().hex,
            sample_rate=RATE_HZ,
            num_channels=1,
            mime_type="audio/pcm",
            frame_size_ms=CHUNK_MS,  # as the voice makes it: the default of 200 ms would wait for the third chunk
        )
        async for sound in self._tts.voice.speak(self.input_text):
            output_emitter.push(sound)
        output_emitter.flush()


class TwilioInput(AudioInput):
    """What the caller says, 20 ms at a time."""

    def __init__(self) -> None:
        super().__init__(label="Twilio")
        self._frames: asyncio.Queue[rtc.AudioFrame | None] = asyncio.Queue()

    def heard(self, payload: str) -> None:
        """A media message's payload."""
        samples = DECODED[np.frombuffer(base64.b64decode(payload), np.uint8)]
        self._frames.put_nowait(rtc.AudioFrame(samples.tobytes(), RATE_HZ, 1, samples.shape[0]))

    def end(self) -> None:
        """The call is over."""
        self._frames.put_nowait(None)

    async def __anext__(self) -> rtc.AudioFrame:
        frame = await self._frames.get()
        if frame is None:
            raise StopAsyncIteration
        return frame


class TwilioOutput(AudioOutput):
    """Twilio queues what it gets and plays it at its own pace, so speech is sent as soon as it is there.

    What Twilio has cannot be paused, only cleared: false interruptions are not resumed (``pause=False``).
    """

    def __init__(self, websocket: web.WebSocketResponse, stream_sid: str) -> None:
        super().__init__(label="Twilio", capabilities=AudioOutputCapabilities(pause=False), sample_rate=RATE_HZ)
        self._websocket, self._stream_sid = websocket, stream_sid
        self._started_s = 0.0
        self._sent_s = 0.0
        self._end: asyncio.TimerHandle | None = None
        self._clearing: asyncio.Future[None] | None = None

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        if not self._sent_s:
            self._started_s = time.monotonic()
            self.on_playback_started(created_at=time.time())
        self._sent_s += frame.duration
        payload = base64.b64encode(ENCODED[np.frombuffer(frame.data, np.uint16)].tobytes()).decode()
        await self._send({"event": "media", "streamSid": self._stream_sid, "media": {"payload": payload}})

    def flush(self) -> None:
        super().flush()
        if self._sent_s and self._end is None:
            left_s = self._started_s + self._sent_s - time.monotonic()
            self._end = asyncio.get_running_loop().call_later(max(0.0, left_s), self._finished, False)

    def clear_buffer(self) -> None:
        if self._sent_s:
            self._clearing = asyncio.ensure_future(self._send({"event": "clear", "streamSid": self._stream_sid}))
            self._finished(True)

    def _finished(self, interrupted: bool) -> None:
        if self._end is not None:
            self._end.cancel()
            self._end = None
        played_s, self._sent_s = min(self._sent_s, time.monotonic() - self._started_s), 0.0
        self.on_playback_finished(playback_position=played_s, interrupted=interrupted)

    async def _send(self, message: dict[str, Any]) -> None:
        if not self._websocket.closed:
            await self._websocket.send_str(json.dumps(message))


def _session(settings: Settings, voice: Voice) -> AgentSession:
    turn_handling: dict[str, Any] = {
        "turn_detection": "vad",
        "endpointing": {"mode": "fixed", "min_delay": settings.endpoint_ms / 1000},
        "interruption": {"mode": "vad"},
        "preemptive_generation": {"enabled": True, "preemptive_tts": settings.variant == "preemptive tts"},
    }
    vad = inference.VAD()
    if settings.variant != "documented":
        vad = inference.VAD(
            min_speech_duration=settings.onset_ms / 1000,
            min_silence_duration=settings.release_ms / 1000,
            activation_threshold=settings.threshold,
        )
        turn_handling["interruption"]["min_duration"] = settings.onset_ms / 1000
    return AgentSession(
        stt=SyntheticStt(settings),
        llm=SyntheticLlm(settings),
        tts=SyntheticTts(voice),
        vad=vad,
        turn_handling=turn_handling,
        aec_warmup_duration=None,  # no echo to get used to; else nobody can interrupt the first 3 s
        user_away_timeout=None,
    )


async def run_bot(websocket: web.WebSocketResponse, settings: Settings, voice: Voice) -> None:
    """One call."""
    session, caller = _session(settings, voice), TwilioInput()
    async for message in websocket:
        if message.type is not WSMsgType.TEXT:
            continue
        told = json.loads(message.data)
        if told["event"] == "media":
            caller.heard(told["media"]["payload"])
        elif told["event"] == "start":
            session.input.audio = caller
            session.output.audio = TwilioOutput(websocket, told["streamSid"])
            await session.start(Agent(instructions="You are a synthetic agent."))
            session.say(settings.greeting)
        elif told["event"] == "stop":
            break
    caller.end()
    await session.aclose()


def make_accept(settings: Settings) -> Accept:
    """aiohttp's server, on connections that somebody else accepts."""
    logging.getLogger("livekit").setLevel(logging.ERROR)
    voice = Voice(settings)

    async def media(request: web.BaseRequest) -> web.WebSocketResponse:
        websocket = web.WebSocketResponse()
        await websocket.prepare(request)
        await run_bot(websocket, settings, voice)
        return websocket

    async def accept(connection: socket.socket) -> asyncio.BaseTransport:
        server = web.Server(media)
        transport, _ = await asyncio.get_running_loop().connect_accepted_socket(server, connection)
        return transport

    return accept


if __name__ == "__main__":
    main(make_accept)
else:
    gc.freeze()  # in the fork server: what was imported stays shared, as in LiveKit's own pool of processes
