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

audio_frames = st.builds(
    lambda kind, samples: Frame(kind, samples * 2),
    st.sampled_from(sorted(frames.AUDIO_RATES_HZ)),
    st.binary(max_size=400),
)
good_frames = st.one_of(
    audio_frames,
    st.builds(Frame, st.just(frames.UUID), st.binary(min_size=16, max_size=16)),
    st.builds(Frame, st.just(frames.DTMF), st.binary(min_size=1, max_size=1)),
    st.just(Frame(frames.HANG_UP, b"")),
    st.builds(Frame, st.just(frames.ERROR), st.binary(max_size=8)),
)


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
@given(st.lists(good_frames, max_size=8), st.lists(st.integers(0, 3_000), max_size=12))
def test_any_chunking_gives_the_same_frames(sent: list[Frame], places: list[int]) -> None:
    stream = b"".join(map(encoded, sent))
    assert parse(cut(stream, places)) == (sent, "")


@unhurried
@given(st.lists(good_frames, max_size=3))
def test_byte_by_byte_gives_the_same_frames(sent: list[Frame]) -> None:
    stream = b"".join(map(encoded, sent))
    assert parse([stream[i : i + 1] for i in range(len(stream))]) == (sent, "")


@unhurried
@given(st.lists(good_frames, max_size=4), st.binary(max_size=500), st.lists(st.integers(0, 3_000), max_size=12))
def test_garbage_is_a_named_error_behind_the_same_good_frames_however_it_is_cut(
    sent: list[Frame], garbage: bytes, places: list[int]
) -> None:
    stream = b"".join(map(encoded, sent)) + garbage
    whole = parse([stream])
    assert whole[0][: len(sent)] == sent
    assert parse(cut(stream, places)) == whole


def test_an_unknown_kind_is_malformed_as_soon_as_its_header_is_there() -> None:
    for kind in set(range(256)) - {0x00, 0x01, 0x03, *range(0x10, 0x19), 0xFF}:
        with pytest.raises(MalformedFrame, match=f"unknown kind 0x{kind:02x}"):
            list(FrameParser().feed(bytes((kind, 0xFF, 0xFF))))


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"\x10\x01\x41", "audio frame of 321 bytes: not whole 16-bit samples"),
        (b"\x10\xff\xff", "audio frame of 65535 bytes: not whole 16-bit samples"),
        (b"\x01\x00\x0f", "frame of kind 0x01 with 15 bytes instead of 16"),
        (b"\x03\x00\x02", "frame of kind 0x03 with 2 bytes instead of 1"),
        (b"\x00\x00\x01", "frame of kind 0x00 with 1 bytes instead of 0"),
    ],
)
def test_a_length_that_cannot_be_is_malformed(header: bytes, message: str) -> None:
    with pytest.raises(MalformedFrame, match=message):
        list(FrameParser().feed(header))


def test_the_longest_frame_of_whole_samples_is_taken() -> None:
    frame = Frame(0x10, bytes(65_534))
    assert parse([encoded(frame)]) == ([frame], "")


def test_an_empty_audio_frame_is_taken() -> None:
    assert parse([b"\x10\x00\x00"]) == ([Frame(0x10, b"")], "")


def test_the_header_of_an_audio_frame_is_its_kind_and_a_big_endian_length() -> None:
    assert frames.audio_header(8_000, 320) == b"\x10\x01\x40"
    assert frames.audio_header(16_000, 640) == b"\x12\x02\x80"
    assert frames.audio_header(192_000, 7_680) == b"\x18\x1e\x00"
