"""Every rule of Asterisk's AudioSocket, on real sockets: the peer here does what Asterisk was seen to do."""

from __future__ import annotations

import asyncio
import gc
import socket
import struct
import uuid
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from ringline.workers.audio.resample import Resampler
from ringline.workers.capture.doors import audiosocket, audiosocket_frames, backlog, listening
from ringline.workers.capture.doors.audiosocket import AudioSocketDoor, AudioSocketLeg
from ringline.workers.capture.doors.door import WireFormat

URL = "audiosocket://127.0.0.1:0"
CALL_ID = "8f2b1c3e-0d7a-4c55-9b1e-2f6a7d904711"
UUID_FRAME = b"\x01\x00\x10" + uuid.UUID(CALL_ID).bytes
FRAME_8K = b"\x10\x01\x40" + bytes(range(160)) * 2
HANG_UP = b"\x00\x00\x00"


class Asterisk:
    """The peer: writes bytes, reads frames."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def send_apart(self, *chunks: bytes) -> None:
        """Each chunk in a packet of its own, once the one before was taken."""
        for chunk in chunks:
            self.writer.write(chunk)
            await self.writer.drain()
            await asyncio.sleep(0.005)

    async def frame(self) -> tuple[int, bytes]:
        kind, length = struct.unpack(">BH", await self.reader.readexactly(3))
        return kind, await self.reader.readexactly(length)

    async def rest(self) -> bytes:
        """All that comes until the door closes."""
        return await self.reader.read()

    def reset(self) -> None:
        """Ends the connection with RST."""
        peer = self.writer.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@asynccontextmanager
async def dialled(door: AudioSocketDoor, first: bytes = UUID_FRAME) -> AsyncIterator[Asterisk]:
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    asterisk = Asterisk(reader, writer)
    asterisk.send(first)
    try:
        yield asterisk
    finally:
        writer.transport.abort()


# --- arriving -----------------------------------------------------------------------------------------------------


def test_a_call_arrives_with_its_uuid_and_the_rate_of_its_first_frame(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), dialled(door) as asterisk:
            asterisk.send(FRAME_8K)
            call = await reception.call()
            assert call.leg.call_id == CALL_ID
            assert call.leg.format == WireFormat("slin", 8_000)
            assert call.door_url == URL
            assert call.leg.wants_silence
            assert call.leg.max_frames_per_message == 1
            assert await call.until_heard(320) == FRAME_8K[3:]

    run(main)


@pytest.mark.parametrize(("kind", "rate_hz"), audiosocket_frames.AUDIO_RATES_HZ.items())
def test_the_channel_drivers_rates_are_answered_in_kind(run: Any, opened: Any, kind: int, rate_hz: int) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), dialled(door) as asterisk:
            payload = bytes(rate_hz // 50 * 2)
            asterisk.send(struct.pack(">BH", kind, len(payload)) + payload)
            call = await reception.call()
            assert call.leg.format == WireFormat("slin", rate_hz)
            await call.until_heard(len(payload))
            call.leg.send_audio(bytes(call.leg.format.frame_bytes))
            assert await asterisk.frame() == (kind, payload)

    run(main)


def test_a_caller_who_sends_no_audio_gets_silence_all_the_same(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), dialled(door) as asterisk:
            call = await reception.call()  # incoming frames are not a clock: the call must be there without any
            assert call.leg.format == WireFormat("slin", 8_000)
            call.leg.send_audio(bytes(320))
            assert await asterisk.frame() == (0x10, bytes(320))

    run(main)


def test_audio_of_another_rate_than_the_calls_is_resampled(run: Any, opened: Any) -> None:
    tone = np.round(8_000 * np.sin(2 * np.pi * 440 * np.arange(1_600) / 16_000)).astype("<i2")
    expected = Resampler(16_000, 8_000).process(tone)
    assert len(expected) >= 780

    async def main() -> None:
        async with opened(URL) as (door, reception), dialled(door) as asterisk:
            call = await reception.call()
            for start in range(0, 1_600, 320):
                asterisk.send(b"\x12\x02\x80" + tone[start : start + 320].tobytes())
            assert await call.until_heard(2 * len(expected)) == expected.tobytes()
            assert call.leg.format == WireFormat("slin", 8_000)

    run(main)


def test_every_rate_can_be_resampled_to_every_other() -> None:
    for from_hz in audiosocket_frames.AUDIO_KINDS:
        for to_hz in audiosocket_frames.AUDIO_KINDS:
            assert len(Resampler(from_hz, to_hz).process(np.zeros(from_hz // 50, np.int16))) > 0


def test_a_call_without_room_is_hung_up(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception):
            reception.room = 0
            async with dialled(door, UUID_FRAME + FRAME_8K) as asterisk:
                assert await asterisk.rest() == HANG_UP
            assert reception.calls == []

    run(main)


def test_one_call_refused_leaves_the_others_alone(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception):
            reception.room = 1
            async with dialled(door, UUID_FRAME + FRAME_8K) as first:
                call = await reception.call()
                async with dialled(door, UUID_FRAME + FRAME_8K) as second:
                    assert await second.rest() == HANG_UP
                first.send(FRAME_8K)
                await call.until_heard(640)
                assert call.reasons == []

    run(main)


# --- hearing ------------------------------------------------------------------------------------------------------


def test_a_header_split_over_two_reads_is_one_frame(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), dialled(door) as asterisk:
            await asterisk.send_apart(FRAME_8K[:1], FRAME_8K[1:2], FRAME_8K[2:])
            call = await reception.call()
            assert await call.until_heard(320) == FRAME_8K[3:]

    run(main)


def test_a_payload_split_over_many_reads_is_one_frame(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), dialled(door) as asterisk:
            await asterisk.send_apart(FRAME_8K[:4], FRAME_8K[4:100], FRAME_8K[100:322], FRAME_8K[322:])
            call = await reception.call()
            assert await call.until_heard(320) == FRAME_8K[3:]

    run(main)


def test_many_frames_in_one_read_are_all_heard_in_order(run: Any, opened: Any) -> None:
    async def main() -> None:
        sent = [bytes([number, 0]) * 160 for number in range(20)]
        stream = UUID_FRAME + b"".join(b"\x10\x01\x40" + payload for payload in sent)
        async with opened(URL) as (door, reception), dialled(door, stream):
            call = await reception.call()
            assert await call.until_heard(20 * 320) == b"".join(sent)

    run(main)


def test_a_short_last_chunk_is_heard_whole(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), dialled(door) as asterisk:
            asterisk.send(FRAME_8K + b"\x10\x01\x14" + bytes(276))
            call = await reception.call()
            assert await call.until_heard(320 + 276) == FRAME_8K[3:] + bytes(276)

    run(main)


def test_an_empty_audio_frame_is_harmless(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), dialled(door) as asterisk:
            asterisk.send(b"\x10\x00\x00" + FRAME_8K)
            call = await reception.call()
            assert await call.until_heard(320) == FRAME_8K[3:]

    run(main)


def test_the_longest_audio_frame_is_harmless(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), dialled(door) as asterisk:
            asterisk.send(b"\x10\xff\xfe" + bytes(65_534))
            call = await reception.call()
            assert await call.until_heard(65_534) == bytes(65_534)

    run(main)


def test_input_that_stops_does_not_end_the_call(run: Any, opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "HANDSHAKE_S", 0.05)
    monkeypatch.setattr(audiosocket, "LEARN_RATE_S", 0.05)

    async def main() -> None:
        async with opened(URL, idle_timeout_s=0.05) as (door, reception), dialled(door, UUID_FRAME + FRAME_8K) as peer:
            call = await reception.call()
            await asyncio.sleep(0.3)  # longer than every timer a silent caller could meet
            call.leg.send_audio(bytes(320))
            assert await peer.frame() == (0x10, bytes(320))
            peer.send(FRAME_8K)
            await call.until_heard(640)

    run(main)


def test_keys_are_reported_and_other_bytes_ignored(run: Any, opened: Any) -> None:
    async def main() -> None:
        keys = b"0123456789*#ABCD"
        async with opened(URL) as (door, reception), dialled(door, UUID_FRAME + FRAME_8K) as asterisk:
            call = await reception.call()
            asterisk.send(b"".join(b"\x03\x00\x01" + bytes([key]) for key in b"e\xff\x00" + keys))
            assert await call.until_digits(16) == keys.decode()

    run(main)


def test_a_key_before_any_audio_is_not_lost(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), dialled(door, UUID_FRAME + b"\x03\x00\x015") as asterisk:
            asterisk.send(b"\x12\x02\x80" + bytes(640))
            call = await reception.call()
            assert await call.until_digits(1) == "5"
            assert call.leg.format.rate_hz == 16_000

    run(main)


def test_keys_without_end_before_any_audio_are_bounded(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), dialled(door, UUID_FRAME + b"\x03\x00\x017" * 1_000):
            call = await reception.call()
            assert await call.until_digits(1) == "7" * audiosocket.MAX_EARLY_DIGITS

    run(main)


# --- speaking -----------------------------------------------------------------------------------------------------


class RecordingTransport(asyncio.Transport):
    """Counts writes; the socket's options do not matter here."""

    def __init__(self, leg: AudioSocketLeg) -> None:
        super().__init__({"socket": socket.socket()})
        self.writes: list[bytes] = []
        self._leg = leg
        leg.connection_made(self)

    def write(self, data: Any) -> None:
        self.writes.append(bytes(data))

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return False

    def write_eof(self) -> None:
        self.writes.append(b"EOF")

    def abort(self) -> None:
        self.get_extra_info("socket").close()
        asyncio.get_running_loop().call_soon(self._leg.connection_lost, None)


def test_each_frame_is_exactly_one_write(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception):
            leg = AudioSocketLeg(door)
            transport = RecordingTransport(leg)
            leg.data_received(UUID_FRAME + FRAME_8K)
            call = await reception.call()
            for number in range(3):
                call.leg.send_audio(bytes([number]) * 320)
            call.leg.flush()
            call.leg.hang_up()
            frames = [b"\x10\x01\x40" + bytes([number]) * 320 for number in range(3)]
            assert transport.writes == [*frames, HANG_UP, b"EOF"]
            transport.abort()

    run(main)


def test_a_frame_is_on_the_wire_at_once_and_whole(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), dialled(door, UUID_FRAME + FRAME_8K) as asterisk:
            call = await reception.call()
            for number in range(20):
                call.leg.send_audio(bytes([number]) * 320)
                assert await asterisk.reader.read(65_536) == b"\x10\x01\x40" + bytes([number]) * 320

    run(main)


def test_an_empty_payload_is_never_sent(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), dialled(door, UUID_FRAME + FRAME_8K) as asterisk:
            call = await reception.call()
            call.leg.send_audio(b"")
            call.leg.send_audio(bytes(320))
            assert await asterisk.frame() == (0x10, bytes(320))

    run(main)


def test_nothing_but_audio_and_hang_up_is_ever_sent(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), dialled(door, UUID_FRAME + FRAME_8K) as asterisk:
            call = await reception.call()
            asterisk.send(b"\x03\x00\x011" + b"\x10\x00\x00")
            await call.until_digits(1)
            call.leg.flush()
            call.leg.send_audio(bytes(320))
            call.leg.hang_up()
            call.leg.send_audio(bytes(320))
            assert await asterisk.rest() == b"\x10\x01\x40" + bytes(320) + HANG_UP

    run(main)


# --- ending -------------------------------------------------------------------------------------------------------


def test_the_caller_hangs_up_by_closing_without_a_hang_up_frame(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), dialled(door, UUID_FRAME + FRAME_8K) as asterisk:
            call = await reception.call()
            asterisk.writer.close()
            assert await call.ended() == "caller"

    run(main)


def test_a_hang_up_frame_ends_the_call_too(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), dialled(door, UUID_FRAME + FRAME_8K + HANG_UP) as asterisk:
            call = await reception.call()
            assert await asterisk.rest() == HANG_UP
            asterisk.writer.close()
            assert await call.ended() == "caller"

    run(main)


def test_the_bot_hangs_up_with_three_bytes_and_reads_on_until_the_peer_closes(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), dialled(door, UUID_FRAME + FRAME_8K) as asterisk:
            call = await reception.call()
            call.leg.hang_up()
            asterisk.send(FRAME_8K * 50)  # on its way while we hang up; unread, it would make the kernel send RST
            assert await asterisk.rest() == HANG_UP
            assert call.reasons == []
            asterisk.writer.close()
            assert await call.ended() == "bot"
            assert len(call.heard) == 320

    run(main)


def test_a_peer_that_never_closes_its_side_is_cut_off(run: Any, opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "CLOSE_S", 0.05)

    async def main() -> None:
        async with opened(URL) as (door, reception), dialled(door, UUID_FRAME + FRAME_8K) as asterisk:
            call = await reception.call()
            call.leg.hang_up()
            assert await call.ended() == "bot"
            assert await asterisk.rest() == HANG_UP

    run(main)


def test_hanging_up_twice_is_once(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), dialled(door, UUID_FRAME + FRAME_8K) as asterisk:
            call = await reception.call()
            call.leg.hang_up()
            call.leg.hang_up()
            assert await asterisk.rest() == HANG_UP
            asterisk.writer.close()
            assert await call.ended() == "bot"
            call.leg.hang_up()
            call.leg.send_audio(bytes(320))

    run(main)


def test_a_reset_ends_the_call(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), dialled(door, UUID_FRAME + FRAME_8K) as asterisk:
            call = await reception.call()
            asterisk.reset()
            assert "reset" in await call.ended()
            call.leg.send_audio(bytes(320))

    run(main)


def test_no_socket_is_left_in_close_wait(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception):
            for number in range(5):
                async with dialled(door, UUID_FRAME + FRAME_8K) as asterisk:
                    call = await reception.call(number)
                    asterisk.writer.write_eof()  # a half-close: the peer's socket stays open
                    assert await call.ended() == "caller"
                    assert await asterisk.rest() == b""
                    assert tcp_states(door.port).count("08") == 0

    run(main)


def test_end_of_file_ends_the_call_even_with_audio_unsent(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), deaf_peer(door) as peer:
            call = await reception.call()
            while not call.leg.skipped_frames:
                call.leg.send_audio(bytes(320))
                await asyncio.sleep(0)
            peer.shutdown(socket.SHUT_WR)
            assert await call.ended() == "caller"
            assert tcp_states(door.port).count("08") == 0

    run(main)


def tcp_states(port: int) -> list[str]:
    """States of our side's sockets on a port, as in /proc/net/tcp (08: CLOSE_WAIT)."""
    with open("/proc/self/net/tcp") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    return [row[3] for row in rows if int(row[1].split(":")[1], 16) == port]


@asynccontextmanager
async def deaf_peer(door: AudioSocketDoor) -> AsyncIterator[socket.socket]:
    """A peer with a small buffer that never reads."""
    with socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        peer.setblocking(False)
        await asyncio.get_running_loop().sock_connect(peer, ("127.0.0.1", door.port))
        peer.send(UUID_FRAME + FRAME_8K)
        yield peer


def test_a_peer_that_does_not_read_costs_bounded_memory_and_then_its_call(
    run: Any, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "STALL_LIMIT_S", 0.05)

    async def main() -> None:
        async with opened(URL) as (door, reception), deaf_peer(door):
            call = await reception.call()
            while not call.reasons:
                call.leg.send_audio(bytes(320))
                assert call.leg._transport.get_write_buffer_size() <= 16_000 + 323
                await asyncio.sleep(0.0001)
            assert await call.ended() == "the peer does not read"
            assert call.leg.skipped_frames > 0

    run(main)


def test_a_peer_that_reads_again_in_time_keeps_its_call(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), deaf_peer(door) as peer:
            call = await reception.call()
            while not call.leg.skipped_frames:
                call.leg.send_audio(bytes(320))
                await asyncio.sleep(0)
            loop, skipped = asyncio.get_running_loop(), call.leg.skipped_frames
            num_bytes = 0
            while call.leg._transport.get_write_buffer_size():
                num_bytes += len(await loop.sock_recv(peer, 65_536))
            call.leg.send_audio(b"\x07\x07" * 160)
            received = b""
            while not received.endswith(b"\x07" * 320):
                received += await loop.sock_recv(peer, 65_536)
            assert (num_bytes + len(received)) % 323 == 0  # frames were left out, but none was cut
            assert call.leg.skipped_frames == skipped
            assert call.reasons == []

    run(main)


def test_a_half_open_connection_is_found_by_keepalive_and_user_timeout(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL, idle_timeout_s=30) as (door, reception), dialled(door, UUID_FRAME + FRAME_8K):
            call = await reception.call()
            wire = call.leg._transport.get_extra_info("socket")
            assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            idle_s = wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
            interval_s = wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
            assert idle_s + interval_s * wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == 30
            assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000
            assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1

    run(main)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"\x20\x00\x01x" * 100, "the peer sends nothing that can be read"),
        ((b"\xff\x00\x00" + UUID_FRAME) * 50, "the peer sends nothing that can be read"),
    ],
)
def test_garbage_ends_its_call_with_a_reason_and_no_other(run: Any, opened: Any, sent: bytes, reason: str) -> None:
    async def main() -> None:
        async with (
            opened(URL) as (door, reception),
            dialled(door, UUID_FRAME + FRAME_8K) as good,
            dialled(door, UUID_FRAME + FRAME_8K) as bad,
        ):
            await reception.call(1)
            bad.send(sent)
            assert await bad.rest() == HANG_UP
            bad.writer.close()
            (ended,) = [call for call in reception.calls if await ended_of(call, reception)]
            assert await ended.ended() == reason
            (alive,) = [call for call in reception.calls if call is not ended]
            good.send(FRAME_8K)
            assert await alive.until_heard(640) == FRAME_8K[3:] * 2

    async def ended_of(call: Any, reception: Any) -> bool:
        await reception.until(lambda: any(other.reasons for other in reception.calls))
        return bool(call.reasons)

    run(main)


@pytest.mark.kind("bad messages on the wire")
@pytest.mark.parametrize(
    ("sent", "what"),
    [
        (b"\x10\x00\x03abc", "audio that is not whole 16-bit samples"),
        (b"\x02\x00\x00", "a frame of unknown kind 0x02"),
        (b"\x04\x00\x00", "a frame of unknown kind 0x04"),
        (b"\x20\x01\x00" + bytes(256), "a frame of unknown kind 0x20"),
        (b"\x03\x00\x0212", "a key that is not one byte"),
        (b"\x03\x00\x00", "a key that is not one byte"),
        (UUID_FRAME, "a second UUID"),
        (b"\xff\x00\x01\x04", "an error that the peer reports (04)"),
        (b"\xff\x00\x00", "an error that the peer reports (no code)"),
    ],
)
def test_a_frame_that_cannot_be_read_is_left_out_and_logged_once(
    run: Any, opened: Any, caplog: pytest.LogCaptureFixture, sent: bytes, what: str
) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), dialled(door, UUID_FRAME + FRAME_8K) as peer:
            call = await reception.call()
            for _ in range(150):  # more than in a row would be too many
                peer.send(sent + FRAME_8K)
            assert await call.until_heard(151 * 320) == FRAME_8K[3:] * 151
            assert call.leg.num_left_out == 150
            assert call.reasons == []

    run(main)
    assert [record.getMessage() for record in caplog.records].count(f"call {CALL_ID}: left out: {what}") == 1


@pytest.mark.parametrize("first", [FRAME_8K, b"\x03\x00\x011", HANG_UP, b"GET / HTTP/1.1\r\n\r\n", b"\x01\x00\x08"])
def test_a_connection_that_does_not_begin_with_a_uuid_is_ended(run: Any, opened: Any, first: bytes) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception):
            async with dialled(door, first) as asterisk:
                assert await asterisk.rest() == HANG_UP
            assert reception.calls == []

    run(main)


def test_a_connection_without_a_uuid_in_time_is_ended(run: Any, opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "HANDSHAKE_S", 0.05)

    async def main() -> None:
        async with opened(URL) as (door, reception):
            async with dialled(door, UUID_FRAME[:10]) as asterisk:
                assert await asterisk.rest() == HANG_UP
            assert reception.calls == []

    run(main)


def test_a_flood_of_handshakes_is_bounded_and_shuts_no_call_out_for_long(run: Any, opened: Any, until: Any) -> None:
    async def main() -> None:
        async with (
            opened(URL, max_handshakes=3) as (door, reception),
            dialled(door, b"") as one,
            dialled(door, b"") as two,
            dialled(door, b"") as three,
        ):
            await until(lambda: len(door.handshakes) == 3)
            async with dialled(door, b"") as fourth:
                assert await fourth.rest() == b""  # closed at once
            one.send(UUID_FRAME + FRAME_8K)  # has said who it is: no handshake any more
            await reception.call()
            async with dialled(door, UUID_FRAME + FRAME_8K) as fifth:
                await reception.call(1)
                fifth.writer.close()
                await reception.calls[1].ended()
            two.writer.close()
            three.reset()
            await until(lambda: not door.handshakes)

    run(main)


def test_closing_the_door_hangs_up_what_is_left_and_lets_nobody_in(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), dialled(door, UUID_FRAME + FRAME_8K) as asterisk:
            call = await reception.call()
            closing = asyncio.ensure_future(door.close())
            assert await asterisk.rest() == HANG_UP
            asterisk.writer.close()
            await closing
            assert await call.ended() == "bot"
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", door.port)

    run(main)


def test_a_connection_that_was_accepted_as_the_door_closed_is_cut_off(run: Any, opened: Any, until: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, _):
            await door.close()
            transport = RecordingTransport(AudioSocketLeg(door))
            await until(lambda: not door.connections)
            assert transport.writes == []

    run(main)


def test_a_port_that_is_taken_is_an_error(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, _):
            with pytest.raises(OSError, match="address already in use"):
                async with opened(f"audiosocket://127.0.0.1:{door.port}"):
                    pass

    run(main)


def test_nothing_of_an_ended_call_waits_for_the_garbage_collector(run: Any, opened: Any, until: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception):
            async with dialled(door, UUID_FRAME + FRAME_8K) as asterisk:
                call = await reception.call()
                leg = weakref.ref(call.leg)
                call.leg.send_audio(bytes(320))
                call.leg.hang_up()
                await asterisk.rest()
                asterisk.writer.close()
                await call.ended()
            del call.leg
            gc.disable()
            try:
                await until(lambda: leg() is None)
            finally:
                gc.enable()

    run(main)
