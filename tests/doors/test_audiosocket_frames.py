from __future__ import annotations

import struct
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringline.workers.capture.doors import audiosocket_frames as frames
from ringline.workers.capture.doors.audiosocket_frames import Frame, FrameParser, MalformedFrame

unhurried = settings(deadline=None)
"""How long an example takes says nothing on a busy machine."""

any_frames = st.builds(Frame, st.integers(0, 255), st.binary(max_size=400))
calls = st.lists(any_frames, max_size=8).map(lambda rest: [Frame(frames.UUID, bytes(16)), *rest])


def encoded(frame: Frame) -> bytes:
    return struct.pack(">BH", frame.kind, len(frame.payload)) + frame.payload


def parse(chunks: list[bytes]) -> tuple[list[Frame], str]:
    """All frames, and the text of the error they end with."""
    parser = FrameParser()
    found: list[Frame] = []
    for chunk in chunks:
        try:
            found.extend(parser.feed(chunk))
        except MalformedFrame as error:
            return found, str(error)
        assert len(parser._pending) <= frames.MAX_PENDING_BYTES
    return found, ""


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(place, len(data)) for place in places), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


@unhurried
@given(calls, st.lists(st.integers(0, 3_000), max_size=12))
def test_any_chunking_gives_the_same_frames(sent: list[Frame], places: list[int]) -> None:
    stream = b"".join(map(encoded, sent))
    assert parse(cut(stream, places)) == (sent, "")


@unhurried
@given(calls)
def test_byte_by_byte_gives_the_same_frames(sent: list[Frame]) -> None:
    stream = b"".join(map(encoded, sent))
    assert parse([stream[i : i + 1] for i in range(len(stream))]) == (sent, "")


@unhurried
@given(st.binary(min_size=3, max_size=500), st.lists(st.integers(0, 3_000), max_size=12))
def test_what_does_not_begin_with_a_uuid_is_an_error_however_it_is_cut(garbage: bytes, places: list[int]) -> None:
    whole = parse([garbage])
    assert bool(whole[1]) == (garbage[:3] != b"\x01\x00\x10")
    assert parse(cut(garbage, places)) == whole


@pytest.mark.parametrize("first", [b"\x10\x01\x40", b"\x01\x00\x0f", b"GET", b"\x00\x00\x00"])
def test_an_error_is_known_as_soon_as_its_header_is_there(first: bytes) -> None:
    with pytest.raises(MalformedFrame, match="not a UUID"):
        list(FrameParser().feed(first))


@pytest.mark.kind("bad messages on the wire")
@pytest.mark.parametrize(
    ("frame", "what"),
    [
        (Frame(0x10, bytes(321)), "audio that is not whole 16-bit samples"),
        (Frame(0x18, bytes(1)), "audio that is not whole 16-bit samples"),
        (Frame(0x01, bytes(16)), "a second UUID"),
        (Frame(0x03, b"12"), "a key that is not one byte"),
        (Frame(0x03, b""), "a key that is not one byte"),
        (Frame(0x02, b""), "a frame of unknown kind 0x02"),
        (Frame(0x20, b"abc"), "a frame of unknown kind 0x20"),
        (Frame(0x10, b""), ""),
        (Frame(0x16, bytes(1920)), ""),
        (Frame(0x03, b"5"), ""),
        (Frame(0x00, b"\x01"), ""),
        (Frame(0xFF, b"\x04"), ""),
    ],
)
def test_flaw_of_a_frame_is_named(frame: Frame, what: str) -> None:
    assert frames.flaw(frame) == what


def test_the_longest_frame_of_whole_samples_is_taken() -> None:
    frames_ = [Frame(frames.UUID, bytes(16)), Frame(0x10, bytes(65_534))]
    assert parse([b"".join(map(encoded, frames_))]) == (frames_, "")


def test_the_header_of_an_audio_frame_is_its_kind_and_a_big_endian_length() -> None:
    assert frames.audio_header(8_000, 320) == b"\x10\x01\x40"
    assert frames.audio_header(16_000, 640) == b"\x12\x02\x80"
    assert frames.audio_header(192_000, 7_680) == b"\x18\x1e\x00"
