"""Asterisk's AudioSocket framing, without sockets: bytes in, frames out.

A frame is ``u8 kind | u16 length, big-endian | payload``. Chunks of the stream may be cut anywhere: Asterisk versions
before 20.19 split headers, and any network splits payloads.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

HANG_UP = 0x00
UUID = 0x01
DTMF = 0x03
ERROR = 0xFF
AUDIO_RATES_HZ = {
    0x10: 8_000,
    0x11: 12_000,
    0x12: 16_000,
    0x13: 24_000,
    0x14: 32_000,
    0x15: 44_100,
    0x16: 48_000,
    0x17: 96_000,
    0x18: 192_000,
}
"""Kind of an audio frame (s16 little-endian, mono) -> its rate. Asterisk: ``include/asterisk/res_audiosocket.h``."""
AUDIO_KINDS = {rate_hz: kind for kind, rate_hz in AUDIO_RATES_HZ.items()}

HEADER_BYTES = 3
UUID_BYTES = 16
MAX_PENDING_BYTES = HEADER_BYTES + 0xFFFF
"""What a parser holds back between two chunks, at most."""
HANG_UP_FRAME = b"\x00\x00\x00"
"""All three bytes are needed: Asterisk reads a whole header before it looks at the kind."""

_header = struct.Struct(">BH")


class MalformedFrame(ValueError):
    """The peer does not begin with a UUID: it speaks something else, and nothing tells where its frames would end."""


class Frame(NamedTuple):
    """One frame: its kind and its payload."""

    kind: int
    payload: bytes


class FrameParser:
    """Cuts one connection's byte stream into frames, holding back at most `MAX_PENDING_BYTES`."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._needed = HEADER_BYTES
        self._is_first = True

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are complete with this chunk, in order and of whatever kind: each says how long it is, so one
        that nobody knows does no harm. Consume them all before the next chunk.

        Raises MalformedFrame if the first is no UUID, as soon as its header is there.
        """
        if self._pending:
            self._pending += data
            if len(self._pending) < self._needed:  # a frame that dribbles in is copied once, not once per byte
                return
            data = bytes(self._pending)
        start = 0
        needed = HEADER_BYTES
        while len(data) - start >= HEADER_BYTES:
            kind, length = _header.unpack_from(data, start)
            if self._is_first and (kind, length) != (UUID, UUID_BYTES):
                raise MalformedFrame(f"the first frame is of kind 0x{kind:02x} with {length} bytes, not a UUID")
            self._is_first = False
            needed = HEADER_BYTES + length
            if len(data) - start < needed:
                break
            yield Frame(kind, data[start + HEADER_BYTES : start + needed])
            start += needed
            needed = HEADER_BYTES
        self._pending = bytearray(data[start:])
        self._needed = needed


def flaw(frame: Frame) -> str:
    """Why the frame cannot be used; nothing if it can."""
    kind, payload = frame
    if kind in AUDIO_RATES_HZ:
        # Half a sample: with it what follows would be noise, or it is no audio at all.
        return "audio that is not whole 16-bit samples" if len(payload) % 2 else ""
    if kind == DTMF:
        return "" if len(payload) == 1 else "a key that is not one byte"
    if kind == UUID:
        return "a second UUID"
    return "" if kind in (HANG_UP, ERROR) else f"a frame of unknown kind 0x{kind:02x}"


def audio_header(rate_hz: int, num_bytes: int) -> bytes:
    """The header of an audio frame. Raises KeyError for a rate AudioSocket has no kind for."""
    return _header.pack(AUDIO_KINDS[rate_hz], num_bytes)
