"""The Twilio door: Media Streams over WebSocket, for Twilio and the providers that speak as it does.

Twilio buffers what it is sent, plays it in order and can drop it (`clear`), so it needs no silence and takes two frames
in a message. TLS, which Twilio insists on, is ended by the proxy in front; ``public_url`` is what Twilio dials there.

picows carries the messages: bench/websocket_libraries.py measures what each library costs the server.
"""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from picows import (
    WSAutoPingStrategy,
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
)

# Not among picows' public names. Its own ws_create_server builds this very object, but offers no way to count the
# connections that have not yet asked for the upgrade, and an unbounded number of those is what a flood consists of.
from picows.picows import WSProtocol  # type: ignore[attr-defined]

from ringline.engine.config import DoorConfig
from ringline.workers.base import CannotStart
from ringline.workers.capture.doors import address, twilio_signature
from ringline.workers.capture.doors import twilio_messages as messages
from ringline.workers.capture.doors.backlog import Backlog
from ringline.workers.capture.doors.door import Admission, Reception, WireFormat
from ringline.workers.capture.doors.listening import ListeningDoor

log = logging.getLogger("ringline.doors.twilio")
_picows_log = logging.getLogger("ringline.doors.twilio.picows")
# Of picows' own log only exceptions count: they are our errors. What a peer does wrong, the leg reports by itself.
_picows_log.addFilter(lambda record: record.exc_info is not None)

HANDSHAKE_S = 5.0
"""From the connection to the upgrade, and from there to `start`. Twilio sends both at once."""
CLOSE_S = 1.5
"""After our close frame, the peer may take so long to answer it."""
MAX_MESSAGE_BYTES = 65_536
"""Twilio's messages have about 400 bytes, a `start` with many parameters a few thousand."""
READ_BUFFER_BYTES = 4_096
MAX_BACKLOG_BYTES = 16_384
"""About a second of audio as base64 in JSON."""
DTMF_DIGITS = frozenset("0123456789*#ABCD")
MULAW = WireFormat("mulaw", 8_000)
_CLOSED_BY_CALLER = (0, 1000, 1001)


class TwilioLeg(WSListener):
    """One stream of the Twilio door; see `door.Leg`."""

    wants_silence = False
    max_frames_per_message = 2

    def __init__(self, door: TwilioDoor, connection: _Connection) -> None:
        self.format = MULAW
        self.call_id = ""
        self.parameters: dict[str, str] = {}
        self._door = door
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._admission: Admission | None = None
        self._fragments: bytearray | None = None
        self._reason = ""  # set: the call is ending, for this reason

    @property
    def skipped_frames(self) -> int:
        """Messages of audio that were not sent because the peer did not read."""
        return self._backlog.skipped

    # --- for the media clock --------------------------------------------------------------------------------------

    def send_audio(self, payload: bytes) -> None:
        """Send one frame or two, in one message."""
        if self._reason or not payload:
            return
        if self._backlog.has_room():
            self._transport.send(WSMsgType.TEXT, self._outgoing.media(payload))
        elif self._backlog.given_up:
            self._end("the peer does not read", None)

    def flush(self) -> None:
        """Empty Twilio's playout buffer."""
        if not self._reason and self._backlog.has_room_for_control():
            self._transport.send(WSMsgType.TEXT, self._outgoing.clear)

    def hang_up(self) -> None:
        """End the stream from our side. Twilio goes on with the TwiML behind ``<Connect>``, if there is any."""
        self._end("bot", WSCloseCode.OK)

    # --- for picows -----------------------------------------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The upgrade is done."""
        self._transport = transport
        wire = transport.underlying_transport
        address.set_up_peer(wire, self._door.config.idle_timeout_s)
        self._backlog = Backlog(wire.get_write_buffer_size, MAX_BACKLOG_BYTES, self._loop.time)
        self._timer = self._loop.call_later(
            HANDSHAKE_S, self._end, f"no `start` within {HANDSHAKE_S:g} s", WSCloseCode.POLICY_VIOLATION
        )

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A WebSocket frame has arrived. Its memory is picows' and is reused after this call."""
        kind = frame.msg_type
        if kind == WSMsgType.CLOSE:
            self._peer_closes(frame)
        elif self._reason:
            return
        elif frame.rsv1 or frame.rsv2 or frame.rsv3:
            self._end("reserved bits set, though no extension was agreed on", WSCloseCode.PROTOCOL_ERROR)
        elif kind == WSMsgType.TEXT and frame.fin and self._fragments is None:
            self._handle_text(frame.get_payload_as_memoryview())
        elif kind == WSMsgType.PING:
            # Answered here and not by picows: its answers to a peer that floods and does not read would pile up.
            if self._backlog.has_room_for_control():
                transport.send_pong(frame.get_payload_as_bytes())
        elif kind == WSMsgType.BINARY:
            self._end("a binary message", WSCloseCode.UNSUPPORTED_DATA)
        elif kind != WSMsgType.PONG:
            self._handle_fragment(frame)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The wire is gone."""
        self._timer.cancel()
        if not self._reason:
            closing = transport.close_handshake
            by_picows = closing.sent.reason if closing is not None and closing.sent is not None else ""
            self._reason = by_picows or "connection lost"
            log.warning("call %s ends: %s", self.call_id or "(not yet known)", self._reason)
        if self._admission is not None:
            self._admission.closed(self._reason)
            self._admission = None

    def pause_writing(self) -> None:
        """Nothing to do: `Backlog` looks at the buffer itself."""

    def resume_writing(self) -> None:
        """Nothing to do, see `pause_writing`."""

    # --- the call -------------------------------------------------------------------------------------------------

    def _handle_text(self, text: bytes | memoryview) -> None:
        try:
            message = messages.decode(text)
        except messages.MalformedMessage as error:
            self._end(str(error), WSCloseCode.INVALID_TEXT)
            return
        match message:
            case messages.Media(media=media):
                if self._admission is None:
                    self._end("`media` before `start`", WSCloseCode.PROTOCOL_ERROR)
                elif media.track == "inbound" and media.payload:
                    self._admission.audio(media.payload)
            case messages.Start():
                self._start(message)
            case messages.Dtmf(dtmf=dtmf):
                if self._admission is None:
                    self._end("`dtmf` before `start`", WSCloseCode.PROTOCOL_ERROR)
                elif dtmf.digit in DTMF_DIGITS:
                    self._admission.dtmf(dtmf.digit)
            case messages.Stop():
                self._end("caller", WSCloseCode.OK)
            case None:
                log.debug("call %s: an event of an unknown name was ignored", self.call_id or "(not yet known)")

    def _start(self, message: messages.Start) -> None:
        start, media_format = message.start, message.start.media_format
        if self._admission is not None:
            self._end("a second `start` in the same stream", WSCloseCode.PROTOCOL_ERROR)
            return
        given = (media_format.encoding, media_format.sample_rate, media_format.channels)
        if given != ("audio/x-mulaw", 8_000, 1):
            self._end("the stream's audio is not audio/x-mulaw at 8000 Hz, mono", WSCloseCode.UNSUPPORTED_DATA)
            return
        self._timer.cancel()
        self._door.identified(self._connection)
        self.call_id = start.call_sid
        self.parameters = start.custom_parameters | {"accountSid": start.account_sid, "streamSid": message.stream_sid}
        self._outgoing = messages.Outgoing(message.stream_sid)
        self._admission = self._door.reception.arrive(self, self._door.config.url)
        if self._admission is None:
            self._end("no room", WSCloseCode.TRY_AGAIN_LATER)

    def _handle_fragment(self, frame: WSFrame) -> None:
        first = frame.msg_type == WSMsgType.TEXT
        if first != (self._fragments is None):
            self._end("fragments of a message in the wrong order", WSCloseCode.PROTOCOL_ERROR)
            return
        fragments = bytearray() if self._fragments is None else self._fragments
        if len(fragments) + frame.payload_size > MAX_MESSAGE_BYTES:
            self._end(f"a message of more than {MAX_MESSAGE_BYTES} bytes", WSCloseCode.MESSAGE_TOO_BIG)
            return
        fragments += frame.get_payload_as_memoryview()
        self._fragments = None if frame.fin else fragments
        if frame.fin:
            self._handle_text(bytes(fragments))

    def _peer_closes(self, frame: WSFrame) -> None:
        code = int(frame.get_close_code())  # type: ignore[call-overload]  # an IntEnum, whatever the stub says
        if not self._reason:
            known = code in _CLOSED_BY_CALLER
            self._end("caller" if known else f"the peer closed the WebSocket with code {code}", WSCloseCode.OK)
        self._transport.disconnect()

    def _end(self, reason: str, code: WSCloseCode | None) -> None:
        """End the stream, with a close frame or (None) without; `Admission.closed` follows. The first reason counts."""
        if self._reason:
            return
        self._reason = reason
        self._timer.cancel()
        if reason not in ("bot", "caller"):
            log.warning("call %s ends: %s", self.call_id or "(not yet known)", reason)
        if code is None:
            self._transport.disconnect(False)
            return
        self._transport.send_close(code, reason.encode()[:123])  # a close frame holds no more
        self._timer = self._loop.call_later(CLOSE_S, self._transport.disconnect, False)


class _Connection(WSProtocol):  # type: ignore[misc]
    """One TCP connection, from before its upgrade on."""

    def __init__(self, door: TwilioDoor) -> None:
        self._door = door
        self._leg: TwilioLeg | None = None
        ping_after_s = door.config.idle_timeout_s / 2
        super().__init__(
            None,  # host_port: a server
            None,  # ws_path: a server
            False,  # is_client_side
            self._upgrade,
            logging.LoggerAdapter(_picows_log),
            True,  # disconnect_on_exception
            HANDSHAKE_S,
            True,  # enable_auto_ping: a proxy in front would keep the connection of a dead peer
            ping_after_s,
            ping_after_s,
            WSAutoPingStrategy.PING_WHEN_IDLE,
            False,  # enable_auto_pong
            MAX_MESSAGE_BYTES,
            None,  # extra_headers
            READ_BUFFER_BYTES,
        )

    def connection_made(self, transport: asyncio.Transport) -> None:
        """A peer has connected."""
        super().connection_made(transport)
        if self._door.connected(self):
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The wire is gone."""
        super().connection_lost(exc)
        self._door.disconnected(self)

    def hang_up(self) -> None:
        """The door closes."""
        if self._leg is not None:
            self._leg.hang_up()
        else:
            self.transport.disconnect(False)

    def _upgrade(self, request: WSUpgradeRequest) -> Any:
        status = self._door.judge(request)
        if status != HTTPStatus.SWITCHING_PROTOCOLS:
            return WSUpgradeResponseWithListener(WSUpgradeResponse.create_error_response(status), None)
        self._leg = TwilioLeg(self._door, self)
        return self._leg


class TwilioDoor(ListeningDoor):
    """Listens for Media Streams; see `door.Door`."""

    default_port = 8765

    def __init__(self, config: DoorConfig, reception: Reception) -> None:
        """Raises CannotStart if the auth token is to come from an environment variable that is not set."""
        super().__init__(config, reception)
        self._auth_token = address.secret(config.auth_token)
        self._path = (urlsplit(config.url).path or "/").encode()

    def connection(self) -> _Connection:
        """A new connection."""
        return _Connection(self)

    async def open(self) -> None:
        """Bind and listen. Raises OSError; CannotStart with a picows whose connections are made in another way."""
        try:
            self.connection()
        except TypeError as error:
            raise CannotStart(f"the Twilio door needs picows 2.3, this one is made otherwise: {error}") from error
        await super().open()

    def judge(self, request: WSUpgradeRequest) -> HTTPStatus:
        """For connections: the status an upgrade is answered with."""
        path, _, _ = request.path.partition(b"?")
        if path != self._path:
            return HTTPStatus.NOT_FOUND
        if self._auth_token and not self._is_signed(request):
            return HTTPStatus.FORBIDDEN
        if not self.reception.has_room():
            return HTTPStatus.SERVICE_UNAVAILABLE
        # picows knows the header's usual value alone; proxies and browsers send `keep-alive, Upgrade` too.
        if "upgrade" in request.headers.get("Connection", "").lower().replace(",", " ").split():
            request.headers["Connection"] = "Upgrade"
        return HTTPStatus.SWITCHING_PROTOCOLS

    def _is_signed(self, request: WSUpgradeRequest) -> bool:
        path = request.path.decode("utf-8", "surrogateescape")
        url = self.config.public_url or f"wss://{request.headers.get('Host', '')}{path}"
        return twilio_signature.is_signed(self._auth_token, url, request.headers.get("X-Twilio-Signature", ""))
