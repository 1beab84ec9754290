"""Twilio Media Streams' messages, without sockets: JSON text in, structs out, and the other way round.

Source: Twilio's "Media Streams - WebSocket messages". Numbers are strings there, in some compatible providers' streams
they are numbers; both are taken. Fields that nothing here uses are not looked at.
"""

from __future__ import annotations

import binascii
from typing import Annotated, Any

import msgspec
from msgspec import Meta

MULAW = "audio/x-mulaw"
Sid = Annotated[str, Meta(min_length=1, max_length=256)]
"""Twilio's have 34 characters. Bounded because it stands in every message we send."""


class MalformedMessage(ValueError):
    """A message that is not what Media Streams defines."""


class MalformedStart(MalformedMessage):
    """A `start` that cannot be read: nothing is known of the call."""


class MediaFormat(msgspec.Struct, frozen=True, rename="camel"):
    """What the stream's audio is: what Twilio's only format is, where a provider does not say."""

    encoding: str | None = None
    sample_rate: int | None = None
    channels: int | None = None

    @property
    def is_mulaw(self) -> bool:
        """Whether it is G.711 mu-law at 8 kHz, mono."""
        encoding = (self.encoding or MULAW).partition(";")[0].strip().lower()  # "audio/x-mulaw;rate=8000"
        return (encoding, self.sample_rate or 8_000, self.channels or 1) == (MULAW, 8_000, 1)


class Connected(msgspec.Struct, frozen=True, tag_field="event", tag="connected"):
    """The first message."""


class StartBody(msgspec.Struct, frozen=True, rename="camel"):
    """What `Start` says of the call."""

    call_sid: Sid | None = None
    stream_sid: Sid | None = None
    media_format: MediaFormat | None = None
    account_sid: str | int | None = None
    custom_parameters: Any = None
    """The ``<Parameter>`` elements of the TwiML ``<Stream>``; from other providers, whatever JSON was configured."""

    @property
    def is_mulaw(self) -> bool:
        """Whether the audio is what Twilio's always is."""
        return self.media_format is None or self.media_format.is_mulaw

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters as text; what is no text as JSON, and null as the empty one."""
        given = self.custom_parameters
        if not isinstance(given, dict):
            return {}
        return {name: value if isinstance(value, str) else _as_text(value) for name, value in given.items()}


class Start(msgspec.Struct, frozen=True, tag_field="event", tag="start", rename={"stream_sid": "streamSid"}):
    """The call is there."""

    start: StartBody
    stream_sid: Sid | None = None

    @property
    def sid(self) -> str:
        """The stream's name."""
        return self.stream_sid or self.start.stream_sid or ""

    @property
    def call_sid(self) -> str:
        """The call's name: the stream's, where a provider gives it none."""
        return self.start.call_sid or self.sid


class MediaBody(msgspec.Struct, frozen=True, gc=False):
    """Audio; msgspec decodes base64 into bytes by itself."""

    payload: bytes
    track: str | None = None
    """None: not said, so the caller."""


class Media(msgspec.Struct, frozen=True, tag_field="event", tag="media"):
    """20 ms of the caller, as a rule."""

    media: MediaBody


class DtmfBody(msgspec.Struct, frozen=True):
    """The key."""

    digit: str | int


class Dtmf(msgspec.Struct, frozen=True, tag_field="event", tag="dtmf"):
    """The caller pressed a key."""

    dtmf: DtmfBody


class Mark(msgspec.Struct, frozen=True, tag_field="event", tag="mark"):
    """A mark of ours was played, or cleared: Twilio does not say which."""


class Stop(msgspec.Struct, frozen=True, tag_field="event", tag="stop"):
    """The call is over."""


Incoming = Connected | Start | Media | Dtmf | Mark | Stop
_KNOWN_EVENTS = frozenset({"connected", "start", "media", "dtmf", "mark", "stop"})


class _AnyEvent(msgspec.Struct, frozen=True):
    event: str


_decoder: msgspec.json.Decoder[Incoming] = msgspec.json.Decoder(Incoming, strict=False)  # "8000" is taken for 8000
_any_event_decoder = msgspec.json.Decoder(_AnyEvent)


def decode(text: bytes | memoryview) -> Incoming | None:
    """One message; None for an event of another name, which is to be ignored. Raises MalformedMessage."""
    try:
        message = _decoder.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        reason = str(error)
    else:
        if isinstance(message, Start) and not message.sid:
            raise MalformedStart("malformed `start`: no streamSid")
        return message
    try:
        event = _any_event_decoder.decode(text).event
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise MalformedMessage(f"not a Media Streams message: {_without_content(reason)}") from None
    if event == "start":
        raise MalformedStart(f"malformed `start`: {_without_content(reason)}")
    if event in _KNOWN_EVENTS:
        raise MalformedMessage(f"malformed `{event}`: {_without_content(reason)}")
    return None


def _as_text(value: object) -> str:
    return "" if value is None else msgspec.json.encode(value).decode()


def _without_content(reason: str) -> str:
    # msgspec quotes an offending value only where it names the tag; that text is the peer's and may be anything.
    return "unknown event" if reason.startswith("Invalid value") else reason


class Outgoing:
    """Builds the messages of one stream. A media message is bytes put together, not an object encoded."""

    def __init__(self, stream_sid: str) -> None:
        sid = msgspec.json.encode(stream_sid)
        self._media_head = b'{"event":"media","streamSid":' + sid + b',"media":{"payload":"'
        self.clear = b'{"event":"clear","streamSid":' + sid + b"}"
        """Empties Twilio's playout buffer."""

    def media(self, payload: bytes) -> bytes:
        """Audio to be queued behind what was sent before."""
        return self._media_head + binascii.b2a_base64(payload, newline=False) + b'"}}'
