"""Pipecat as its documentation sets a Twilio bot up, with its local services: Whisper, Kokoro, an OpenAI-like server.

Runs inside the bench's ``pipecat-real`` environment. The settings and where they come from: README.md beside this file.
"""

from __future__ import annotations

import asyncio
import functools
import socket
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI, WebSocket
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import ErrorFrame, Frame, TranscriptionFrame, TTSSpeakFrame, TTSTextFrame
from pipecat.observers.base_observer import BaseObserver, FramePushed
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.runner.utils import parse_telephony_websocket
from pipecat.serializers.twilio import TwilioFrameSerializer
from pipecat.services.kokoro import tts as kokoro
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.services.whisper import stt as whisper
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.workers.runner import WorkerRunner

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "peers")]

from serving import RATE_HZ, Accept, serve, settings_from  # noqa: E402
from settings import Notes, RealSettings  # noqa: E402

# Each call makes its services anew, and each would load its own copy of the weights: seconds of CPU at the expense of
# the calls under way, and memory. One copy serves all, which is more than the documentation's bots do.
whisper.WhisperModel = functools.cache(whisper.WhisperModel)
kokoro.Kokoro = functools.cache(kokoro.Kokoro)


class Noting(BaseObserver):
    """Writes down what passes."""

    def __init__(self, notes: Notes) -> None:
        super().__init__()
        self._notes = notes
        self._seen: set[int] = set()

    async def on_push_frame(self, data: FramePushed) -> None:
        frame: Frame = data.frame
        if not isinstance(frame, TranscriptionFrame | TTSTextFrame | ErrorFrame) or frame.id in self._seen:
            return
        self._seen.add(frame.id)
        match frame:
            case TranscriptionFrame():
                self._notes("heard", frame.text)
            case TTSTextFrame():
                self._notes("said", frame.text)
            case ErrorFrame():
                self._notes("problem", frame.error)


async def run_bot(websocket: WebSocket, settings: RealSettings, notes: Notes) -> None:
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
    user, assistant = LLMContextAggregatorPair(
        LLMContext(), user_params=LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer())
    )
    pipeline = Pipeline([
        transport.input(),
        _stt(settings),
        user,
        OpenAILLMService(
            api_key="none",
            base_url=settings.llm,
            settings=OpenAILLMService.Settings(
                model="local",
                system_instruction=settings.prompt,
                max_tokens=settings.max_tokens,
                temperature=settings.temperature,
            ),
        ),
        _tts(settings),
        transport.output(),
        assistant,
    ])  # fmt: skip
    worker = PipelineWorker(
        pipeline,
        params=PipelineParams(audio_in_sample_rate=RATE_HZ, audio_out_sample_rate=RATE_HZ),
        observers=[Noting(notes)],
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


def _stt(settings: RealSettings) -> whisper.WhisperSTTService:
    return whisper.WhisperSTTService(
        device="cpu", compute_type="int8", settings=whisper.WhisperSTTService.Settings(model=settings.whisper)
    )


def _tts(settings: RealSettings) -> kokoro.KokoroTTSService:
    return kokoro.KokoroTTSService(
        model_path=settings.kokoro,
        voices_path=settings.voices,
        settings=kokoro.KokoroTTSService.Settings(voice=settings.voice),
    )


def make_accept(settings: RealSettings) -> Accept:
    """uvicorn's protocols, on connections that somebody else accepts."""
    notes = Notes(settings.notes)
    _stt(settings), _tts(settings)  # the weights are there before the first call
    app = FastAPI()

    @app.websocket("/media")
    async def media(websocket: WebSocket) -> None:
        await websocket.accept()
        await run_bot(websocket, settings, notes)

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
    given = settings_from(sys.argv[1:], RealSettings)
    serve(functools.partial(make_accept, given), processes=0)
