"""The control API: JSON over HTTP, for ``ringline top``, ``ringline trace`` and monitoring.

GET  /status                what runs: workers, calls, rings
GET  /calls/{number}/trace  the stamps of a call's turns; ``last`` stands for the latest call
POST /calls/{number}/hang_up
"""

from __future__ import annotations

import hmac
import os
from ipaddress import ip_address

import msgspec
from aiohttp import web

from ringline.engine.call import Call
from ringline.engine.config import ControlConfig
from ringline.engine.engine import Engine
from ringline.engine.supervisor import EngineFailed
from ringline.ipc.exchange import CALLER_LEVEL, FRAMES_MISSED, PLAY_TURN, REPLY_POSITION, UNDERRUNS


class WorkerStatus(msgspec.Struct, frozen=True):
    """One worker process."""

    name: str
    state: str
    pid: int
    restarts: int
    lag_s: float = 0.0
    """How far its model lags behind."""


class CallStatus(msgspec.Struct, frozen=True):
    """One call, and where its rings stand (samples: caller and line at 16 kHz, reply at the wire's rate)."""

    number: int
    call_id: str
    door: str
    slot: int
    started_s: float
    wire_rate_hz: int
    turns: int
    play_turn: int
    caller_level: int
    caller_written: int
    line_written: int
    reply_written: int
    reply_position: int
    frames_missed: int
    underruns: int
    last_response_ms: float | None


class Status(msgspec.Struct, frozen=True):
    """The engine."""

    max_calls: int
    workers: list[WorkerStatus]
    calls: list[CallStatus]
    requests_in_flight: int
    left_out: str = ""
    """What the engine does without because its models lag behind, the last of: ``drafts``, ``partials``,
    ``first voice``, ``new calls``."""


class TurnStatus(msgspec.Struct, frozen=True):
    """One turn's latency."""

    turn: int
    cause: str
    response_ms: float | None
    stages: list[tuple[str, float, float]]
    """(stage, start in ms, duration in ms)"""
    endpoint_reasons: tuple[str, ...] = ()
    """Why the caller's turn was taken for over when it was."""
    drafts_used: int = 0
    """1 if the reply was prepared before the turn was over."""
    drafts_wasted: int = 0
    """Replies prepared for the same turn that were dropped because the caller went on."""


class CallTrace(msgspec.Struct, frozen=True):
    """All turns of a call."""

    number: int
    call_id: str
    started_s: float
    reason: str
    turns: list[TurnStatus]


def status_of(engine: Engine) -> Status:
    """A snapshot of the engine."""
    workers = [WorkerStatus(w.name, w.state, w.pid, w.restarts, w.lag_s) for w in engine.supervisor.workers]
    calls = [_call_status(engine, call) for call in engine.calls]
    switchboard = engine.switchboard
    left_out = switchboard.overload.worst.words
    return Status(engine.config.engine.max_calls, workers, calls, len(switchboard.requests), left_out)


def _call_status(engine: Engine, call: Call) -> CallStatus:
    slot = engine.exchange.slots[call.slot]
    responses = [trace.response_ms for trace in call.traces if trace.response_ms is not None]
    return CallStatus(
        call.number, call.call_id, call.door, call.slot, call.started_s, call.wire_rate_hz, len(call.traces),
        slot.load(PLAY_TURN), slot.load(CALLER_LEVEL), slot.caller.written, slot.line.written, slot.reply.written,
        slot.load(REPLY_POSITION), slot.load(FRAMES_MISSED), slot.load(UNDERRUNS),
        responses[-1] if responses else None,
    )  # fmt: skip


def trace_of(call: Call) -> CallTrace:
    """The latency of a call's turns."""
    turns = [
        TurnStatus(
            t.turn, t.cause, t.response_ms, list(t.stages()), t.endpoint_reasons, int(t.drafted), t.drafts_wasted
        )
        for t in call.traces
    ]
    return CallTrace(call.number, call.call_id, call.started_s, call.reason, turns)


class Control:
    """The HTTP server."""

    def __init__(self, engine: Engine, config: ControlConfig) -> None:
        """Raises EngineFailed if the server would be reachable from elsewhere without a token."""
        self._engine = engine
        self._config = config
        token = config.token
        self._token = os.environ.get(token[1:], "") if token.startswith("$") else token
        if not self._token and not _is_loopback(config.host):
            raise EngineFailed("[control] needs a token to listen beyond loopback")
        app = web.Application(middlewares=[self._check_token], client_max_size=65_536)
        app.add_routes(
            [
                web.get("/status", self._status),
                web.get("/calls/{number}/trace", self._trace),
                web.post("/calls/{number}/hang_up", self._hang_up),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None)

    async def start(self) -> None:
        """Listen. Raises EngineFailed."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._config.host, self._config.port).start()
        except OSError as error:
            await self._runner.cleanup()
            where = f"{self._config.host}:{self._config.port}"
            raise EngineFailed(f"control API at {where}: {error.strerror or error}") from error

    async def stop(self) -> None:
        """Close the server."""
        await self._runner.cleanup()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._runner.addresses[0][1])

    @web.middleware
    async def _check_token(self, request: web.Request, handler: object) -> web.StreamResponse:
        if self._token:
            given = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if not hmac.compare_digest(given.encode(), self._token.encode()):
                raise web.HTTPUnauthorized
        return await handler(request)  # type: ignore[operator, no-any-return]

    async def _status(self, request: web.Request) -> web.Response:
        return _json(status_of(self._engine))

    async def _trace(self, request: web.Request) -> web.Response:
        return _json(trace_of(self._find(request)))

    async def _hang_up(self, request: web.Request) -> web.Response:
        call = self._find(request)
        if call.ended_s is not None:
            raise web.HTTPConflict(text="the call is over")
        self._engine.hang_up(call.number)
        return web.Response(status=204)

    def _find(self, request: web.Request) -> Call:
        calls = [*self._engine.switchboard.finished, *self._engine.calls]
        wanted = request.match_info["number"]
        for call in reversed(calls):
            if wanted in ("last", str(call.number), call.call_id):
                return call
        raise web.HTTPNotFound(text="no such call")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
