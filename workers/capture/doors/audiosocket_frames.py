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
MAX_PENDING_BYTES = HEADER_BYTES + 0xFFFF
"""What a parser holds back between two chunks, at most."""
HANG_UP_FRAME = b"\x00\x00\x00"
"""All three bytes are needed: Asterisk reads a whole header before it looks at the kind."""

_header = struct.Struct(">BH")
_EXACT_LENGTHS = {HANG_UP: 0, UUID: 16, DTMF: 1}


class MalformedFrame(ValueError):
    """The peer sent what is no AudioSocket frame; the stream cannot be read any further."""


class Frame(NamedTuple):
    """One frame: its kind and its payload."""

    kind: int
    payload: bytes


class FrameParser:
    """Cuts one connection's byte stream into frames, holding back at most `MAX_PENDING_BYTES`."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._needed = HEADER_BYTES

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are complete with this chunk, in order. Consume them all before the next chunk.

        Raises MalformedFrame behind the last good frame, as soon as the bad one's header is there.
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
            _check(kind, length)
            needed = HEADER_BYTES + length
            if len(data) - start < needed:
                break
            yield Frame(kind, data[start + HEADER_BYTES : start + needed])
            start += needed
            needed = HEADER_BYTES
        self._pending = bytearray(data[start:])
        self._needed = needed


def _check(kind: int, length: int) -> None:
    if kind in AUDIO_RATES_HZ:
        if length % 2:
            # Half a sample: what follows would be noise, or is no audio at all.
            raise MalformedFrame(f"audio frame of {length} bytes: not whole 16-bit samples")
    elif kind in _EXACT_LENGTHS:
        if length != _EXACT_LENGTHS[kind]:
            raise MalformedFrame(f"frame of kind 0x{kind:02x} with {length} bytes instead of {_EXACT_LENGTHS[kind]}")
    elif kind != ERROR:
        raise MalformedFrame(f"frame of unknown kind 0x{kind:02x}")


def audio_header(rate_hz: int, num_bytes: int) -> bytes:
    """The header of an audio frame. Raises KeyError for a rate AudioSocket has no kind for."""
    return _header.pack(AUDIO_KINDS[rate_hz], num_bytes)
