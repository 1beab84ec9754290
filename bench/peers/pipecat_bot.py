"""Pipecat as its documentation sets a Twilio bot up, with stages that only take time.

Runs inside the bench's Pipecat environment. The settings and where they come from: README.md beside this file.
"""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import socket
import sys
from collections.abc import AsyncGenerator

import uvicorn
from fastapi import FastAPI, WebSocket
from loguru import logger
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.audio.vad.vad_analyzer import VADParams
from pipecat.frames.frames import (
    Frame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    ProposedUserStartedSpeakingFrame,
    ProposedUserStoppedSpeakingFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.processors.frame_processor import FrameDirection
from pipecat.runner.utils import parse_telephony_websocket
from pipecat.serializers.twilio import TwilioFrameSerializer
from pipecat.services.llm_service import LLMService
from pipecat.services.settings import LLMSettings, STTSettings, TTSSettings
from pipecat.services.stt_service import STTService
from pipecat.services.tts_service import TTSService
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.turns.eager_end_of_turn_mixin import EagerEndOfTurnSTTServiceMixin
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import EagerUserTurnStrategies, UserTurnStrategies
from pipecat.utils.time import time_now_iso8601
from pipecat.workers.runner import WorkerRunner
from serving import RATE_HZ, Accept, Settings, Voice, main, words


class SyntheticStt(STTService):
    """Streams, and is asked for the final when the VAD hears silence, as Pipecat's Deepgram service is."""

    def __init__(self, settings: Settings, stop_secs: float, **more: object) -> None:
        super().__init__(
            **more, ttfs_p99_latency=stop_secs + settings.stt_ms / 1000, settings=STTSettings(model=None, language=None)
        )
        self._text = settings.transcript
        self._final_s = settings.stt_ms / 1000
        self._finalising: asyncio.Task[None] | None = None

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        yield None

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, VADUserStartedSpeakingFrame) and self._finalising:
            await self.cancel_task(self._finalising)
            self._finalising = None
        if isinstance(frame, VADUserStoppedSpeakingFrame):
            self.request_finalize()
            self._finalising = self.create_task(self._finalise())

    async def _finalise(self) -> None:
        await asyncio.sleep(self._final_s)
        self._finalising = None
        self.confirm_finalize()
        await self.push_frame(TranscriptionFrame(self._text, "", time_now_iso8601()))


class EagerStt(EagerEndOfTurnSTTServiceMixin, SyntheticStt):
    """Decides itself when a turn ends and predicts it, as Pipecat's Deepgram Flux service does: the LLM begins then.

    It goes by the pipeline's Silero: the final that a silence brings is the prediction; the endpoint ends the turn.
    """

    def __init__(self, settings: Settings, stop_secs: float) -> None:
        super().__init__(settings, stop_secs, enable_eager_end_of_turn=True)
        self._rest_s = settings.endpoint_ms / 1000 - stop_secs - self._final_s

    @property
    def supports_ttfs(self) -> bool:
        return False

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, VADUserStartedSpeakingFrame):
            if self.eager_end_of_turn_pending:
                await self._cancel_eager_end_of_turn()
            else:
                await self.broadcast_frame(ProposedUserStartedSpeakingFrame)

    async def _finalise(self) -> None:
        await asyncio.sleep(self._final_s)
        await self._push_eager_end_of_turn(self._text, user_id="")
        await asyncio.sleep(self._rest_s)
        self._finalising = None
        self._clear_eager_end_of_turn()
        await self.push_frame(TranscriptionFrame(self._text, "", time_now_iso8601(), finalized=True))
        await self.broadcast_frame(ProposedUserStoppedSpeakingFrame)


class SyntheticLlm(LLMService):
    """The same reply to everybody."""

    def __init__(self, settings: Settings) -> None:
        unset = [field.name for field in dataclasses.fields(LLMSettings) if field.name != "extra"]
        super().__init__(settings=LLMSettings(**dict.fromkeys(unset)))
        self._bench = settings

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        await self.push_frame(LLMFullResponseStartFrame())
        async for word in words(self._bench):
            await self._push_llm_text(word)
        await self.push_frame(LLMFullResponseEndFrame())


class SyntheticTts(TTSService):
    """At the wire's rate, so that nothing needs to be resampled."""

    def __init__(self, voice: Voice) -> None:
        super().__init__(
            sample_rate=RATE_HZ,
            push_start_frame=True,
            push_stop_frames=True,
            settings=TTSSettings(model=None, voice=None, language=None),
        )
        self._voice = voice

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        async for sound in self._voice.speak(text):
            yield TTSAudioRawFrame(audio=sound, sample_rate=RATE_HZ, num_channels=1, context_id=context_id)


def _vad(settings: Settings) -> VADParams:
    if settings.variant == "documented":
        return VADParams()
    stop_secs = VADParams().stop_secs
    if settings.variant == "eager":
        stop_secs = settings.release_ms / 1000
    return VADParams(
        confidence=settings.threshold, start_secs=settings.onset_ms / 1000, stop_secs=stop_secs, min_volume=0.0
    )


async def run_bot(websocket: WebSocket, settings: Settings, voice: Voice) -> None:
    """One call."""
    _, call = await parse_telephony_websocket(websocket)
    serializer = TwilioFrameSerializer(
        stream_sid=call["stream_id"],
        call_sid=call["call_id"],
        params=TwilioFrameSerializer.InputParams(auto_hang_up=False),
    )
    transport = FastAPIWebsocketTransport(
        websocket=websocket,
        params=FastAPIWebsocketParams(audio_in_enabled=True, audio_out_enabled=True, serializer=serializer),
    )
    vad = _vad(settings)
    if settings.variant == "eager":
        stt, strategies = EagerStt(settings, vad.stop_secs), EagerUserTurnStrategies()
    else:
        stt = SyntheticStt(settings, vad.stop_secs)
        pause_s = settings.endpoint_ms / 1000 - vad.stop_secs
        strategies = UserTurnStrategies(stop=[SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=pause_s)])
    user, assistant = LLMContextAggregatorPair(
        LLMContext(),
        user_params=LLMUserAggregatorParams(
            vad_analyzer=SileroVADAnalyzer(params=vad), user_turn_strategies=strategies
        ),
    )
    pipeline = Pipeline([
        transport.input(),
        stt,
        user,
        SyntheticLlm(settings),
        SyntheticTts(voice),
        transport.output(),
        assistant,
    ])  # fmt: skip
    worker = PipelineWorker(
        pipeline,
        params=PipelineParams(audio_in_sample_rate=RATE_HZ, audio_out_sample_rate=RATE_HZ),
        enable_rtvi=False,
        enable_turn_tracking=False,
    )

    @transport.event_handler("on_client_connected")
    async def greet(*_: object) -> None:
        await worker.queue_frames([TTSSpeakFrame(settings.greeting)])

    @transport.event_handler("on_client_disconnected")
    async def end(*_: object) -> None:
        await worker.cancel()

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await runner.run()


def make_accept(settings: Settings) -> Accept:
    """uvicorn's protocols, on connections that somebody else accepts."""
    logger.remove()
    logger.add(sys.stderr, level="ERROR")
    voice = Voice(settings)
    app = FastAPI()

    @app.websocket("/media")
    async def media(websocket: WebSocket) -> None:
        await websocket.accept()
        await run_bot(websocket, settings, voice)

    config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off")
    config.load()
    state = uvicorn.Server(config).server_state

    async def accept(connection: socket.socket) -> asyncio.BaseTransport:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_accepted_socket(
            lambda: config.http_protocol_class(config=config, server_state=state, app_state={}), connection
        )
        return transport

    return accept


if __name__ == "__main__":
    main(make_accept)
else:
    gc.freeze()  # in the fork server: what was imported stays shared, as in LiveKit's own pool of processes
