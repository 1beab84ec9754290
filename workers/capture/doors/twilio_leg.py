"""One stream of the Twilio door: what its messages do to the call, and the other way round.

Marks are not sent: how much a caller has heard is told by the line ring, and Twilio echoes a mark when it was cleared
just as when it was played.
"""

from __future__ import annotations

import asyncio
import logging

from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from ringline.workers.capture.doors import address, listening
from ringline.workers.capture.doors import twilio_messages as messages
from ringline.workers.capture.doors.backlog import Backlog
from ringline.workers.capture.doors.door import Admission, WireFormat
from ringline.workers.capture.doors.left_out import LeftOut
from ringline.workers.capture.doors.listening import Connection, ListeningDoor

log = logging.getLogger("ringline.doors.twilio")

MAX_MESSAGE_BYTES = 65_536
"""Twilio's messages have about 400 bytes, a `start` with many parameters a few thousand."""
MAX_BACKLOG_BYTES = 16_384
"""About a second of audio as base64 in JSON."""
DTMF_DIGITS = frozenset("0123456789*#ABCD")
MULAW = WireFormat("mulaw", 8_000)
_CLOSED_BY_CALLER = (0, 1000, 1001)


class TwilioLeg(WSListener):
    """One stream of the Twilio door; see `door.Leg`."""

    wants_silence = False
    max_frames_per_message = 2

    def __init__(self, door: ListeningDoor, connection: Connection) -> None:
        self.format = MULAW
        self.call_id = ""
        self.parameters: dict[str, str] = {}
        self._door = door
        self._connection: Connection | None = connection
        self._loop = asyncio.get_running_loop()
        self._admission: Admission | None = None
        self._fragments: bytearray | None = None
        self._left_out = LeftOut(log)
        self._reason = ""  # set: the call is ending, for this reason

    @property
    def skipped_frames(self) -> int:
        """Messages of audio that were not sent because the peer did not read."""
        return self._backlog.skipped

    @property
    def num_left_out(self) -> int:
        """Messages that could not be read."""
        return self._left_out.count

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
            listening.HANDSHAKE_S,
            self._end,
            f"no `start` within {listening.HANDSHAKE_S:g} s",
            WSCloseCode.POLICY_VIOLATION,
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
        elif kind == WSMsgType.BINARY and frame.fin:
            self._leave_out("a binary message")
        elif kind != WSMsgType.PONG:
            self._handle_fragment(frame)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The wire is gone."""
        self._timer.cancel()
        self._connection = None  # it refers to this leg: the pair would wait for the garbage collector
        self._note(self._picows_reason() or "connection lost")
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
        except messages.MalformedStart as error:
            if self._admission is None:
                self._end(str(error), WSCloseCode.INVALID_TEXT)
            else:
                self._leave_out(str(error))
            return
        except messages.MalformedMessage as error:
            self._leave_out(str(error))
            return
        match message:
            case messages.Media(media=media):
                if self._admission is None:
                    self._leave_out("`media` before `start`")
                    return
                if media.track in ("inbound", None) and media.payload:
                    self._admission.audio(media.payload)
            case messages.Start():
                self._start(message)
                return
            case messages.Dtmf(dtmf=dtmf):
                if self._admission is None:
                    self._leave_out("`dtmf` before `start`")
                    return
                if (digit := str(dtmf.digit)) in DTMF_DIGITS:
                    self._admission.dtmf(digit)
            case messages.Stop():
                self._end("caller", WSCloseCode.OK)
            case None:
                self._leave_out("an event of an unknown name")
                return
        self._left_out.understood()

    def _leave_out(self, what: str) -> None:
        if self._left_out.add(what, self.call_id):
            self._end("the peer sends nothing that can be read", WSCloseCode.POLICY_VIOLATION)

    def _start(self, message: messages.Start) -> None:
        start = message.start
        if self._admission is not None:
            self._leave_out("a second `start`")
            return
        if not start.is_mulaw:
            self._end("the stream's audio is not audio/x-mulaw at 8000 Hz, mono", WSCloseCode.UNSUPPORTED_DATA)
            return
        self._timer.cancel()
        if self._connection is not None:
            self._door.identified(self._connection)
        self.call_id = message.call_sid
        self.parameters = start.parameters | {"accountSid": str(start.account_sid or ""), "streamSid": message.sid}
        self._outgoing = messages.Outgoing(message.sid)
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
        own = "caller" if code in _CLOSED_BY_CALLER else f"the peer closed the WebSocket with code {code}"
        self._end(self._picows_reason() or own, WSCloseCode.OK)
        self._transport.disconnect()

    def _picows_reason(self) -> str:
        """Why picows itself has closed the stream, if it has: a broken frame, a ping without an answer."""
        closing = self._transport.close_handshake
        return "" if closing is None or closing.sent is None else closing.sent.reason

    def _end(self, reason: str, code: WSCloseCode | None) -> None:
        """End the stream, with a close frame or (None) without; `Admission.closed` follows. The first reason counts."""
        if not self._note(reason):
            return
        self._timer.cancel()
        if code is None:
            self._transport.disconnect(False)
            return
        self._transport.send_close(code, reason.encode()[:123])  # a close frame holds no more
        self._timer = self._loop.call_later(listening.CLOSE_S, self._transport.disconnect, False)

    def _note(self, reason: str) -> bool:
        """Keep the reason of the end; False if there is one already."""
        if self._reason:
            return False
        self._reason = reason
        if reason not in ("bot", "caller"):
            level = logging.WARNING if self.call_id else logging.INFO  # port scanners are no news
            log.log(level, "call %s ends: %s", self.call_id or "(not yet known)", reason)
        return True
