"""The caller's end of a Twilio Media Stream: what Twilio does on one.

Twilio is the WebSocket client. It sends ``connected`` and ``start``, then 20 ms of mu-law in a ``media`` message each,
queues the audio it gets and plays it at its own pace, answers a ``mark`` when the audio before it has been played, and
on ``clear`` empties its queue and answers every mark in it. It ends with ``stop``. Source: Twilio, "Media Streams -
WebSocket messages".
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
import uuid
from collections import deque
from collections.abc import Mapping

import msgspec
import picows

from ringline.tools.caller.playout import Playout
from ringline.tools.caller.wire import (
    CONNECT_TIMEOUT_S,
    FRAME_MS,
    FRAME_NS,
    CallRefusedError,
    Listener,
    Samples,
    Target,
)
from ringline.tools.caller.wire_audiosocket import plainly
from ringline.workers.audio import codecs

JITTER_NS = FRAME_NS
"""The carrier cuts 20 ms packets from its queue, so a message may be one packet's time late and still be played."""
CLOSE_TIMEOUT_S = 1.0


class _Media(msgspec.Struct, frozen=True, gc=False):
    payload: bytes


class _Mark(msgspec.Struct, frozen=True, gc=False):
    name: str


class _Message(msgspec.Struct, frozen=True, rename={"stream_sid": "streamSid"}):
    event: str
    stream_sid: str = ""
    media: _Media | None = None
    mark: _Mark | None = None


_decoder = msgspec.json.Decoder(_Message)


def pack(samples: Samples) -> bytes:
    """The payload of one media message."""
    return base64.b64encode(codecs.encode(samples, "mulaw"))


def signature(auth_token: str, url: str) -> str:
    """``X-Twilio-Signature`` of a WebSocket upgrade: base64(HMAC-SHA1(auth token, the URL as dialled))."""
    return base64.b64encode(hmac.new(auth_token.encode(), url.encode(), hashlib.sha1).digest()).decode()


class TwilioWire(picows.WSListener):  # type: ignore[misc, unused-ignore]  # a compiled class
    """`Wire` over a WebSocket, with the carrier's playout queue behind it."""

    continuous = False

    def __init__(
        self,
        target: Target,
        parameters: Mapping[str, str] | None = None,
        auth_token: str = "",
        public_url: str = "",
    ) -> None:
        """``public_url`` is what the signature covers; by default the wss form of the URL."""
        self._url = f"ws://{_host(target.host)}:{target.port}{target.path}"
        self._signed_url = public_url or "wss" + self._url.removeprefix("ws")
        self._auth_token = auth_token
        self._parameters = dict(parameters or {})
        self._playout = Playout(target.rate_hz, JITTER_NS)
        self.call_id = "CA" + uuid.uuid4().hex
        self._stream_sid = "MZ" + uuid.uuid4().hex
        self._account_sid = "AC" + uuid.uuid4().hex
        self._num_messages = 0
        self._num_chunks = 0
        self._marks: deque[tuple[int, str]] = deque()
        """When each one is due, and its name."""
        self._transport: picows.WSTransport | None = None
        self._listener: Listener | None = None

    async def connect(self, listener: Listener) -> None:
        """See `Wire`."""
        headers = {"X-Twilio-Signature": signature(self._auth_token, self._signed_url)} if self._auth_token else None
        self._listener = listener
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                self._transport, _ = await picows.ws_connect(
                    lambda: self, self._url, extra_headers=headers, max_redirects=0
                )
        except TimeoutError:
            raise CallRefusedError(f"no connection within {CONNECT_TIMEOUT_S:g} s") from None
        except picows.WSHandshakeError as error:
            status = int(error.response.status) if error.response is not None else 0
            raise CallRefusedError(f"HTTP {status}" if status else "no WebSocket handshake") from None
        except picows.WSError as error:
            raise CallRefusedError(f"no WebSocket handshake ({type(error).__name__})") from None
        except OSError as error:
            raise CallRefusedError(plainly(error)) from None
        self._send({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        self._send(
            {
                "event": "start",
                "sequenceNumber": self._number(),
                "start": {
                    "accountSid": self._account_sid,
                    "streamSid": self._stream_sid,
                    "callSid": self.call_id,
                    "tracks": ["inbound"],
                    "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
                    "customParameters": self._parameters,
                },
                "streamSid": self._stream_sid,
            }
        )

    def send_frame(self, slot: int, frame: bytes) -> None:
        """See `Wire`."""
        if self._transport is None:
            return
        self._num_chunks += 1
        # Put together by hand: this is the one message that leaves 50 times a second for every call.
        self._transport.send(
            picows.WSMsgType.TEXT,
            b'{"event":"media","sequenceNumber":"%s","media":{"track":"inbound","chunk":"%d","timestamp":"%d",'
            b'"payload":"%s"},"streamSid":"%s"}'
            % (self._number().encode(), self._num_chunks, slot * FRAME_MS, frame, self._stream_sid.encode()),
        )

    def send_digit(self, digit: str) -> None:
        """See `Wire`."""
        self._send(
            {
                "event": "dtmf",
                "streamSid": self._stream_sid,
                "sequenceNumber": self._number(),
                "dtmf": {"track": "inbound_track", "digit": digit},
            }
        )

    def elapse(self, now_ns: int) -> None:
        """Answer the marks whose audio has been played."""
        while self._marks and self._marks[0][0] <= now_ns:
            self._answer(self._marks.popleft()[1])

    def hang_up(self) -> None:
        """See `Wire`."""
        transport = self._transport
        if transport is None:
            return
        self._send(
            {
                "event": "stop",
                "sequenceNumber": self._number(),
                "stop": {"accountSid": self._account_sid, "callSid": self.call_id},
                "streamSid": self._stream_sid,
            }
        )
        self._transport = None
        transport.send_close(picows.WSCloseCode.OK)
        self._closing = asyncio.ensure_future(_disconnect(transport))

    _closing: asyncio.Future[None] | None = None

    async def closed(self) -> None:
        """See `Wire`."""
        if self._closing is not None:
            await self._closing

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """Called by picows."""
        now_ns = time.monotonic_ns()
        if frame.msg_type is picows.WSMsgType.CLOSE:
            close = frame.get_close_code()
            self._ended(f"WebSocket closed with {getattr(close, 'value', close)}")
            transport.send_close(picows.WSCloseCode.OK)
            transport.disconnect()
            return
        if self._transport is None or self._listener is None:
            return
        if frame.msg_type is not picows.WSMsgType.TEXT or not frame.fin:
            if frame.msg_type not in (picows.WSMsgType.PING, picows.WSMsgType.PONG):
                self._listener.on_wire_error(f"a WebSocket message of type {frame.msg_type.name}, not one text")
            return
        try:
            message = _decoder.decode(frame.get_payload_as_memoryview())
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            # msgspec quotes nothing of the message but a field's name.
            self._listener.on_wire_error(f"malformed message: {error}")
            return
        self._handle(now_ns, message, self._listener)

    def on_ws_disconnected(self, transport: picows.WSTransport) -> None:
        """Called by picows."""
        self._ended("the bot closed the connection")

    def _handle(self, now_ns: int, message: _Message, listener: Listener) -> None:
        if message.stream_sid != self._stream_sid:
            listener.on_wire_error(f"`{message.event[:16]}` with a wrong streamSid")
        elif message.event == "media" and message.media is not None:
            samples = codecs.decode(message.media.payload, "mulaw")
            if samples.shape[0]:
                listener.on_audio(now_ns, self._playout.feed(now_ns, samples.shape[0]), samples)
            else:
                listener.on_wire_error("`media` without audio")
        elif message.event == "mark" and message.mark is not None:
            due_ns = self._playout.empty_at_ns()
            if due_ns <= now_ns and not self._marks:
                self._answer(message.mark.name)
            else:
                self._marks.append((due_ns, message.mark.name))
        elif message.event == "clear":
            self._playout.clear()
            listener.on_cleared(now_ns)
            while self._marks:
                self._answer(self._marks.popleft()[1])
        else:
            listener.on_wire_error(f"message `{message.event[:16]}` that Twilio does not know")

    def _answer(self, name: str) -> None:
        self._send(
            {
                "event": "mark",
                "sequenceNumber": self._number(),
                "streamSid": self._stream_sid,
                "mark": {"name": name},
            }
        )

    def _number(self) -> str:
        self._num_messages += 1
        return str(self._num_messages)

    def _send(self, message: Mapping[str, object]) -> None:
        if self._transport is not None:
            self._transport.send(picows.WSMsgType.TEXT, json.dumps(message, separators=(",", ":")))

    def _ended(self, reason: str) -> None:
        if self._transport is None or self._listener is None:
            return
        self._transport = None
        self._listener.on_closed(time.monotonic_ns(), "bot", reason)


async def _disconnect(transport: picows.WSTransport) -> None:
    # The bot answers the close; one that does not is not waited for.
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await transport.wait_disconnected()
    except TimeoutError:
        transport.disconnect(graceful=False)


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host
