"""What a call's wire is to the caller, and where a URL leads."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import parse_qs, urlsplit

import msgspec
import numpy as np

Samples = np.ndarray[tuple[int], np.dtype[np.int16]]

FRAME_MS = 20
FRAME_NS = FRAME_MS * 1_000_000
FRAMES_PER_S = 1_000 // FRAME_MS
CONNECT_TIMEOUT_S = 5.0

DEFAULT_PORTS = {"audiosocket": 9092, "twilio": 8765}
AUDIOSOCKET_KINDS = {8_000: 0x10, 12_000: 0x11, 16_000: 0x12, 24_000: 0x13, 32_000: 0x14, 44_100: 0x15, 48_000: 0x16}
"""Rate -> kind of an audio frame. Asterisk: ``include/asterisk/res_audiosocket.h``."""


class UrlError(ValueError):
    """The URL leads to nothing the caller can call."""


class CallRefusedError(Exception):
    """The call was not taken; the message says what was seen on the wire."""


class WireBrokenError(Exception):
    """The wire took no more audio; the message says how."""


class Target(msgspec.Struct, frozen=True):
    """Where to call, and what audio is on that wire."""

    scheme: str
    host: str
    port: int
    path: str
    rate_hz: int
    encoding: str
    """``slin`` or ``mulaw``."""

    @property
    def frame_samples(self) -> int:
        """Samples in one 20 ms frame."""
        return self.rate_hz // FRAMES_PER_S


def parse_url(url: str) -> Target:
    """``audiosocket://host:port[?rate=8000]`` or ``twilio://host:port/path``. Raises UrlError."""
    try:
        parts = urlsplit(url)
        port = parts.port
        query = parse_qs(parts.query, strict_parsing=bool(parts.query))
    except ValueError as error:
        raise UrlError(f"`{url}`: {error}") from None
    if parts.scheme not in DEFAULT_PORTS:
        raise UrlError(f"`{url}`: the scheme must be {' or '.join(DEFAULT_PORTS)}")
    if not parts.hostname:
        raise UrlError(f"`{url}` names no host")
    port = DEFAULT_PORTS[parts.scheme] if port is None else port
    if parts.scheme == "twilio":
        if parts.query:
            raise UrlError(f"`{url}`: Twilio takes no query string; use parameters")
        return Target("twilio", parts.hostname, port, parts.path or "/", 8_000, "mulaw")
    unknown = query.keys() - {"rate"}
    if unknown or parts.path not in ("", "/"):
        raise UrlError(f"`{url}`: nothing but `?rate=` may follow an AudioSocket's port")
    rate = query.get("rate", ["8000"])[-1]
    if not rate.isdecimal() or int(rate) not in AUDIOSOCKET_KINDS:
        raise UrlError(f"`{url}`: the rate must be one of {', '.join(map(str, AUDIOSOCKET_KINDS))}")
    return Target("audiosocket", parts.hostname, port, "", int(rate), "slin")


class Listener(Protocol):
    """Who is told what comes in on a wire. Times are CLOCK_MONOTONIC in nanoseconds."""

    def on_audio(self, recv_ns: int, play_ns: int, samples: Samples) -> None:
        """A frame or message of audio was received, and is heard from ``play_ns`` on."""

    def on_cleared(self, now_ns: int) -> None:
        """The bot has emptied the playout buffer."""

    def on_wire_error(self, what: str) -> None:
        """The bot sent something it should not have."""

    def on_closed(self, now_ns: int, ended_by: str, reason: str) -> None:
        """The wire is gone, and not through `Wire.hang_up`. ``ended_by``: ``bot`` or ``error``. Told once."""


class Wire(Protocol):
    """The caller's end of one call."""

    call_id: str
    """The call's name on the wire."""
    continuous: bool
    """True where the bot owes a frame every 20 ms, silence included."""

    async def connect(self, listener: Listener) -> None:
        """Place the call. Raises CallRefusedError."""

    def send_frame(self, slot: int, frame: bytes) -> None:
        """Send the packed frame of 20 ms slot number ``slot``. Raises WireBrokenError."""

    def send_digit(self, digit: str) -> None:
        """A key was pressed. Raises WireBrokenError."""

    def elapse(self, now_ns: int) -> None:
        """Once per 20 ms: do what playing has made due. Raises WireBrokenError."""

    def hang_up(self) -> None:
        """End the call as a caller does. Safe at any time, and after the end."""

    async def closed(self) -> None:
        """Wait until the connection is really gone (bounded)."""
