"""The Twilio door on real sockets, with another WebSocket implementation as the peer."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import logging
import socket
import struct
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from ringline.workers.base import CannotStart
from ringline.workers.capture.doors import backlog, listening, twilio_leg
from ringline.workers.capture.doors.door import WireFormat
from ringline.workers.capture.doors.twilio import TwilioDoor
from ringline.workers.capture.doors.twilio_signature import sign

URL = "twilio://127.0.0.1:0/media"
CONNECTED = '{"event":"connected","protocol":"Call","version":"1.0.0"}'
START: dict[str, Any] = {
    "event": "start",
    "sequenceNumber": "1",
    "streamSid": "MZ01",
    "start": {
        "accountSid": "AC01",
        "streamSid": "MZ01",
        "callSid": "CA01",
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"language": "en"},
    },
}


def media(payload: bytes, track: str = "inbound") -> str:
    body = {"track": track, "chunk": "1", "timestamp": "20", "payload": base64.b64encode(payload).decode()}
    return json.dumps({"event": "media", "sequenceNumber": "2", "streamSid": "MZ01", "media": body})


def dtmf(digit: str) -> str:
    return json.dumps({"event": "dtmf", "streamSid": "MZ01", "dtmf": {"track": "inbound_track", "digit": digit}})


STOP = '{"event":"stop","sequenceNumber":"9","streamSid":"MZ01","stop":{"accountSid":"AC01","callSid":"CA01"}}'


@asynccontextmanager
async def dialled(door: TwilioDoor, path: str = "/media", **options: Any) -> AsyncIterator[ClientConnection]:
    """A WebSocket to the door that has sent nothing yet."""
    uri = f"ws://127.0.0.1:{door.port}{path}"
    async with connect(uri, compression=None, proxy=None, ping_interval=None, **options) as peer:
        yield peer


@asynccontextmanager
async def started(door: TwilioDoor) -> AsyncIterator[ClientConnection]:
    """A stream that has begun."""
    async with dialled(door) as peer:
        await peer.send(CONNECTED)
        await peer.send(json.dumps(START))
        yield peer


async def peer_messages(peer: ClientConnection) -> AsyncIterator[str | bytes]:
    """All messages until the close, whatever its code."""
    with suppress(ConnectionClosed):
        while True:
            yield await peer.recv()


async def close_code(peer: ClientConnection) -> int | None:
    async for _ in peer_messages(peer):
        pass
    return peer.close_code


# --- arriving -----------------------------------------------------------------------------------------------------


def test_a_call_arrives_with_its_sid_and_parameters(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), started(door):
            leg = (await reception.call()).leg
            assert leg.call_id == "CA01"
            assert leg.parameters == {"language": "en", "accountSid": "AC01", "streamSid": "MZ01"}
            assert leg.format == WireFormat("mulaw", 8_000)
            assert not leg.wants_silence
            assert leg.max_frames_per_message == 2
            assert reception.calls[0].door_url == URL

    run(main)


@pytest.mark.parametrize("path", ["/", "/media/", "/other", "/mediax", "//media"])
def test_another_path_is_not_found(run: Any, opened: Any, path: str) -> None:
    async def main() -> None:
        async with opened(URL) as (door, _):
            with pytest.raises(InvalidStatus, match="404"):
                async with dialled(door, path):
                    pass

    run(main)


def test_a_query_does_not_change_the_path(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, _), dialled(door, "/media?agent=clinic"):
            pass

    run(main)


def test_a_full_house_refuses_before_the_upgrade(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception):
            reception.room = 0
            with pytest.raises(InvalidStatus, match="503"):
                async with dialled(door):
                    pass

    run(main)


def test_a_house_that_filled_up_meanwhile_closes_cleanly(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception):
            reception.room, reception.has_room_says = 0, True
            async with started(door) as peer:
                assert await close_code(peer) == 1013
            assert reception.calls == []

    run(main)


@pytest.mark.parametrize(
    "given",
    [
        {"encoding": "audio/x-l16", "sampleRate": 8000, "channels": 1},
        {"encoding": "audio/x-mulaw", "sampleRate": 16000, "channels": 1},
        {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 2},
    ],
)
def test_other_audio_than_mulaw_at_8_khz_is_refused(run: Any, opened: Any, given: dict[str, Any]) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception):
            async with dialled(door) as peer:
                await peer.send(json.dumps(START | {"start": START["start"] | {"mediaFormat": given}}))
                assert await close_code(peer) == 1003
                assert peer.close_reason == "the stream's audio is not audio/x-mulaw at 8000 Hz, mono"
            assert reception.calls == []

    run(main)


def test_an_upgrade_through_a_proxy_that_keeps_alive_is_taken(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, _):
            reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
            writer.write(
                b"GET /media HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 101 ")
            assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in answer
            writer.transport.abort()

    run(main)


@pytest.mark.parametrize(
    "request_head",
    [
        b"POST /media HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /media HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /media HTTP/1.0\r\n\r\n",
        b"\x01\x00\x10 no http at all \r\n\r\n",
    ],
)
def test_a_request_that_is_no_upgrade_is_a_bad_request(run: Any, opened: Any, request_head: bytes) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception):
            reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
            writer.write(request_head)
            assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
            writer.transport.abort()
            assert reception.calls == []

    run(main)


def test_a_request_without_end_is_cut_off(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, _):
            reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
            writer.write(b"GET /media HTTP/1.1\r\n" + b"X-Filler: 0123456789\r\n" * 5_000)
            with suppress(ConnectionResetError):  # it is cut off, perhaps with some of it unread
                assert await reader.read() == b""
            writer.transport.abort()

    run(main)


# --- the signature ------------------------------------------------------------------------------------------------


def test_a_signed_upgrade_is_let_in_and_any_other_is_forbidden(run: Any, opened: Any) -> None:
    async def main() -> None:
        public = "wss://voice.example.com/media"
        async with opened(URL, auth_token="12345", public_url=public) as (door, _):
            async with dialled(door, additional_headers={"X-Twilio-Signature": sign("12345", public)}):
                pass
            for headers in ({}, {"X-Twilio-Signature": ""}, {"X-Twilio-Signature": sign("54321", public)}):
                with pytest.raises(InvalidStatus, match="403"):
                    async with dialled(door, additional_headers=headers):
                        pass

    run(main)


def test_without_a_public_url_the_one_that_was_dialled_is_rebuilt(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL, auth_token="12345") as (door, _):
            signature = sign("12345", f"wss://127.0.0.1:{door.port}/media?x=1")
            async with dialled(door, "/media?x=1", additional_headers={"X-Twilio-Signature": signature}):
                pass
            with pytest.raises(InvalidStatus, match="403"):
                async with dialled(door, "/media?x=2", additional_headers={"X-Twilio-Signature": signature}):
                    pass

    run(main)


def test_the_token_may_come_from_the_environment(run: Any, opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_TOKEN", "12345")

    async def main() -> None:
        public = "wss://voice.example.com/media"
        async with opened(URL, auth_token="$TWILIO_TOKEN", public_url=public) as (door, _):
            async with dialled(door, additional_headers={"X-Twilio-Signature": sign("12345", public)}):
                pass
            with pytest.raises(InvalidStatus, match="403"):
                async with dialled(door, additional_headers={"X-Twilio-Signature": sign("$TWILIO_TOKEN", public)}):
                    pass

    run(main)


# --- hearing ------------------------------------------------------------------------------------------------------


def test_media_of_the_inbound_track_is_heard_and_no_other(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), started(door) as peer:
            await peer.send(media(b"\x01" * 160))
            await peer.send(media(b"\x02" * 160, "outbound"))
            await peer.send(media(b""))
            await peer.send(media(b"\x03" * 100))
            call = await reception.call()
            assert await call.until_heard(260) == b"\x01" * 160 + b"\x03" * 100

    run(main)


def test_keys_are_reported_and_other_texts_ignored(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), started(door) as peer:
            for digit in ("", "12", "x", *"0123456789*#ABCD"):
                await peer.send(dtmf(digit))
            call = await reception.call()
            assert await call.until_digits(16) == "0123456789*#ABCD"

    run(main)


def test_marks_and_unknown_events_are_ignored(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), started(door) as peer:
            await peer.send('{"event":"mark","streamSid":"MZ01","mark":{"name":"1"}}')
            await peer.send('{"event":"something-new","x":[1,2]}')
            await peer.send(CONNECTED)
            await peer.send(media(b"\x01" * 160))
            call = await reception.call()
            await call.until_heard(160)
            assert call.reasons == []

    run(main)


def test_a_message_in_fragments_is_one_message(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), started(door) as peer:
            text = media(b"\x05" * 160)
            await peer.send([text[:10], text[10:50], text[50:]])
            call = await reception.call()
            assert await call.until_heard(160) == b"\x05" * 160

    run(main)


def test_a_ping_is_answered(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, _), started(door) as peer:
            await (await peer.ping(b"are you there"))

    run(main)


# --- speaking -----------------------------------------------------------------------------------------------------


def test_audio_goes_out_as_one_media_message(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), started(door) as peer:
            call = await reception.call()
            payload = bytes(range(160))
            call.leg.send_audio(payload)
            call.leg.send_audio(payload * 2)
            encoded = [base64.b64encode(part).decode() for part in (payload, payload * 2)]
            for text in encoded:
                assert await peer.recv() == f'{{"event":"media","streamSid":"MZ01","media":{{"payload":"{text}"}}}}'

    run(main)


def test_a_flush_clears_what_twilio_holds(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), started(door) as peer:
            (await reception.call()).leg.flush()
            assert await peer.recv() == '{"event":"clear","streamSid":"MZ01"}'

    run(main)


def test_a_stream_sid_cannot_break_out_of_its_string(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), dialled(door) as peer:
            hostile = '"},"event":"mark'
            await peer.send(json.dumps(START | {"streamSid": hostile}))
            call = await reception.call()
            call.leg.send_audio(b"\xff")
            assert json.loads(await peer.recv()) == {
                "event": "media",
                "streamSid": hostile,
                "media": {"payload": "/w=="},
            }

    run(main)


# --- ending -------------------------------------------------------------------------------------------------------


def test_stop_is_the_caller_hanging_up(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), started(door) as peer:
            await peer.send(STOP)
            assert await close_code(peer) == 1000
            call = await reception.call()
            assert await call.ended() == "caller"
            call.leg.send_audio(bytes(160))
            call.leg.flush()
            call.leg.hang_up()

    run(main)


def test_a_close_without_a_stop_is_the_caller_hanging_up_too(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), started(door) as peer:
            call = await reception.call()
            await peer.close()
            assert await call.ended() == "caller"
            assert peer.close_code == 1000

    run(main)


def test_a_close_with_an_error_code_is_reported(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), started(door) as peer:
            call = await reception.call()
            await peer.close(1011)
            assert await call.ended() == "the peer closed the WebSocket with code 1011"

    run(main)


def test_the_bot_hangs_up_with_a_normal_close(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), started(door) as peer:
            call = await reception.call()
            call.leg.send_audio(bytes(160))
            call.leg.hang_up()
            call.leg.hang_up()
            call.leg.send_audio(bytes(160))
            assert json.loads(await peer.recv())["event"] == "media"
            assert await close_code(peer) == 1000
            assert await call.ended() == "bot"

    run(main)


def test_a_peer_that_does_not_answer_the_close_is_cut_off(
    run: Any, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "CLOSE_S", 0.05)

    async def main() -> None:
        async with opened(URL) as (door, reception), raw_peer(door) as (reader, _):
            call = await reception.call()
            call.leg.hang_up()
            assert await call.ended() == "bot"
            assert await reader.read() == b"\x88\x05" + struct.pack(">H", 1000) + b"bot"

    run(main)


def test_a_connection_that_breaks_ends_the_call(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), raw_peer(door) as (_, writer):
            call = await reception.call()
            peer = writer.get_extra_info("socket")
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            assert await call.ended() == "connection lost"
            call.leg.send_audio(bytes(160))
            call.leg.flush()

    run(main)


@pytest.mark.parametrize(
    ("sent", "code", "reason"),
    [
        (media(bytes(60_000)), 1009, "Received frame with payload size exceeding max allowed size, 80"),
        ([" " * 60_000, " " * 6_000], 1009, "a message of more than 65536 bytes"),
    ],
)
def test_garbage_ends_its_call_with_a_reason_and_no_other(
    run: Any, opened: Any, sent: Any, code: int, reason: str
) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), started(door) as good:
            alive = await reception.call()
            async with started(door) as bad:
                ended = await reception.call(1)
                await bad.send(sent)
                assert await close_code(bad) == code
                assert (await ended.ended()).startswith(reason)
            await good.send(media(bytes(160)))
            await alive.until_heard(160)

    run(main)


LEFT_OUT = [
    ("", "not a Media Streams message: "),
    ("{", "not a Media Streams message: "),
    ("ping", "not a Media Streams message: "),
    ('{"type":"keepalive"}', "not a Media Streams message: "),
    ('{"event":null}', "not a Media Streams message: "),
    ('{"event":"transcription","x":1}', "an event of an unknown name"),
    (media(b"").replace('""', '"!"'), "malformed `media`: "),
    (media(b"").replace('""', "null"), "malformed `media`: "),
    (media(b"").replace('""', '"__-_"'), "malformed `media`: "),
    ('{"event":"media","media":{"track":"inbound"}}', "malformed `media`: "),
    ('{"event":"dtmf","dtmf":{"digits":"12"}}', "malformed `dtmf`: "),
    ('{"event":"start"}', "malformed `start`: "),
    (json.dumps(START), "a second `start`"),
    (b"\xff" * 160, "a binary message"),
]


@pytest.mark.kind("bad messages on the wire")
@pytest.mark.parametrize(("sent", "what"), LEFT_OUT)
def test_a_message_that_cannot_be_read_is_left_out_and_logged_once(
    run: Any, opened: Any, caplog: pytest.LogCaptureFixture, sent: str | bytes, what: str
) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), started(door) as peer:
            call = await reception.call()
            for _ in range(150):  # more than in a row would be too many
                await peer.send(sent)
                await peer.send(media(b"\x01" * 160))
            await call.until_heard(150 * 160)
            assert call.leg.num_left_out == 150
            assert call.reasons == []

    run(main)
    said = [record.getMessage() for record in caplog.records if "left out" in record.getMessage()]
    assert len(said) == 1
    assert f"left out: {what}" in said[0]


@pytest.mark.parametrize("sent", [sent for sent, _ in LEFT_OUT])
def test_a_peer_that_sends_nothing_else_is_given_up(run: Any, opened: Any, sent: str | bytes) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), started(door) as peer:
            call = await reception.call()
            for _ in range(100):
                await peer.send(sent)
            assert await close_code(peer) == 1008
            assert await call.ended() == "the peer sends nothing that can be read"

    run(main)


@pytest.mark.kind("bad messages on the wire")
@pytest.mark.parametrize("sent", [media(bytes(160)), dtmf("1"), "{", '{"event":"mark","mark":{"name":"x"}}', b"\xff"])
def test_what_comes_before_the_call_is_left_out(run: Any, opened: Any, sent: str | bytes) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), dialled(door) as peer:
            await peer.send(CONNECTED)
            await peer.send(sent)
            await peer.send(json.dumps(START))
            await peer.send(media(b"\x01" * 160))
            call = await reception.call()
            assert await call.until_heard(160) == b"\x01" * 160

    run(main)


def test_a_start_that_cannot_be_read_ends_the_stream(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception):
            async with dialled(door) as peer:
                await peer.send('{"event":"start"}')
                assert await close_code(peer) == 1007
            assert reception.calls == []

    run(main)


def test_a_stop_before_a_start_is_a_clean_end(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception):
            async with dialled(door) as peer:
                await peer.send(STOP)
                assert await close_code(peer) == 1000
            assert reception.calls == []

    run(main)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\xc1\x80\0\0\0\0", 1002),  # a reserved bit
        (b"\x80\x80\0\0\0\0", 1002),  # the end of fragments that never began
        (b"\x01\x80\0\0\0\0\x81\x80\0\0\0\0", 1002),  # a message within another's fragments
        (b"\x83\x80\0\0\0\0", 1002),  # an opcode there is none of
        (b"\x81\x02{}", 1002),  # not masked
        (b"\x09\x80\0\0\0\0", 1002),  # a ping in fragments
        (b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 1002),  # 2^64 bytes announced
        (b"\x81\xff\0\0\0\1\0\0\0\0\0\0\0\0", 1009),  # 4 GiB announced
    ],
)
def test_a_broken_websocket_frame_ends_the_call(run: Any, opened: Any, frame: bytes, code: int) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), raw_peer(door) as (reader, writer):
            call = await reception.call()
            writer.write(frame)
            answer = await reader.readexactly(4)
            assert answer[:1] == b"\x88"
            assert struct.unpack(">H", answer[2:])[0] == code
            writer.close()
            assert await call.ended() not in ("caller", "bot")

    run(main)


def masked(text: str | bytes) -> bytes:
    """A client's text frame; the mask is zero, which is a mask as good as any."""
    data = text.encode() if isinstance(text, str) else text
    length = struct.pack(">BH", 0xFE, len(data)) if len(data) > 125 else bytes([0x80 | len(data)])
    return b"\x81" + length + bytes(4) + data


@asynccontextmanager
async def raw_peer(
    door: TwilioDoor, receive_bytes: int | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A started stream whose peer's bytes the test writes itself, and which answers nothing by itself."""
    peer = socket.socket()
    if receive_bytes is not None:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    peer.setblocking(False)
    await asyncio.get_running_loop().sock_connect(peer, ("127.0.0.1", door.port))
    reader, writer = await asyncio.open_connection(sock=peer)
    writer.write(
        b"GET /media HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    writer.write(masked(json.dumps(START)))
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def stop_reading(writer: asyncio.StreamWriter) -> None:
    transport: Any = writer.transport
    transport.pause_reading()


def test_a_peer_that_does_not_read_costs_bounded_memory_and_then_its_call(
    run: Any, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "STALL_LIMIT_S", 0.05)

    async def main() -> None:
        async with opened(URL) as (door, reception), raw_peer(door, 4_096) as (_, writer):
            call = await reception.call()
            stop_reading(writer)
            wire = call.leg._transport.underlying_transport
            while not call.reasons:
                call.leg.send_audio(bytes(320))
                call.leg.flush()
                assert wire.get_write_buffer_size() <= 2 * twilio_leg.MAX_BACKLOG_BYTES + 100
                await asyncio.sleep(0.0001)
            assert await call.ended() == "the peer does not read"
            assert call.leg.skipped_frames > 0

    run(main)


def test_a_flood_of_pings_that_are_not_read_costs_bounded_memory(run: Any, opened: Any, until: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), raw_peer(door, 4_096) as (_, writer):
            call = await reception.call()
            stop_reading(writer)
            wire = call.leg._transport.underlying_transport
            ping = b"\x89\xfd\0\0\0\0" + bytes(125)
            for _ in range(20):
                writer.write(ping * 500)
                await writer.drain()
            writer.write(masked(media(bytes(160))))
            await call.until_heard(160)
            assert twilio_leg.MAX_BACKLOG_BYTES < wire.get_write_buffer_size() <= 2 * twilio_leg.MAX_BACKLOG_BYTES + 127

    run(main)


def test_a_peer_that_answers_no_ping_is_taken_for_dead(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL, idle_timeout_s=0.1) as (door, reception), raw_peer(door):
            call = await reception.call()
            assert "has not replied to ping" in await call.ended()

    run(main)


def test_a_peer_that_answers_pings_may_be_silent(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL, idle_timeout_s=0.2) as (door, reception), started(door) as peer:
            call = await reception.call()
            await asyncio.sleep(0.5)
            await peer.send(media(bytes(160)))
            await call.until_heard(160)

    run(main)


def test_a_stream_without_a_start_in_time_is_ended(run: Any, opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "HANDSHAKE_S", 0.05)

    async def main() -> None:
        async with opened(URL) as (door, reception):
            async with dialled(door) as peer:
                await peer.send(CONNECTED)
                assert await close_code(peer) == 1008
                assert peer.close_reason == "no `start` within 0.05 s"
            assert reception.calls == []

    run(main)


def test_a_stream_that_has_started_in_time_goes_on(run: Any, opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "HANDSHAKE_S", 0.1)

    async def main() -> None:
        async with opened(URL) as (door, reception), started(door) as peer:
            call = await reception.call()
            await asyncio.sleep(0.3)
            await peer.send(media(bytes(160)))
            await call.until_heard(160)

    run(main)


def test_a_connection_without_an_upgrade_in_time_is_ended(
    run: Any, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "HANDSHAKE_S", 0.05)

    async def main() -> None:
        async with opened(URL) as (door, _):
            reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
            writer.write(b"GET /media HTTP/1.1\r\n")
            assert await reader.read() == b""
            writer.transport.abort()

    run(main)


def test_a_flood_of_handshakes_is_bounded_and_shuts_no_call_out_for_long(run: Any, opened: Any, until: Any) -> None:
    async def main() -> None:
        async with opened(URL, max_handshakes=2) as (door, reception), dialled(door) as upgraded:
            _, silent = await asyncio.open_connection("127.0.0.1", door.port)
            await until(lambda: len(door.handshakes) == 2)
            reader, third = await asyncio.open_connection("127.0.0.1", door.port)
            assert await reader.read() == b""  # closed at once
            await upgraded.send(json.dumps(START))  # has said which call it is: no handshake any more
            await reception.call()
            async with started(door):
                await reception.call(1)
            silent.transport.abort()
            third.transport.abort()
            await until(lambda: not door.handshakes)

    run(main)


def test_closing_the_door_ends_what_is_left_and_lets_nobody_in(run: Any, opened: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception), started(door) as peer:
            call = await reception.call()
            reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
            closing = asyncio.gather(door.close(), door.close())
            assert await close_code(peer) == 1000
            await closing
            assert await call.ended() == "bot"
            assert await reader.read() == b""
            writer.transport.abort()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", door.port)

    run(main)


def test_another_picows_keeps_the_door_shut_instead_of_failing_at_the_first_call(
    run: Any, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(self: TwilioDoor) -> None:
        raise TypeError("__init__() takes 16 positional arguments")

    monkeypatch.setattr(TwilioDoor, "connection", other)

    async def main() -> None:
        with pytest.raises(CannotStart, match="picows"):
            async with opened(URL):
                pass

    run(main)


def test_neither_keys_nor_parameters_show_in_the_log(run: Any, opened: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def main() -> None:
        async with opened(URL) as (door, reception), dialled(door) as peer:
            secret = START["start"] | {"customParameters": {"caller": "+15550100"}}
            await peer.send(json.dumps(START | {"start": secret}))
            await peer.send(dtmf("4"))
            await peer.send('{"event":"+15550100"}')
            await peer.send('{"event":"dtmf","dtmf":"+15550100"}')
            await peer.send(media(bytes(160)))
            await (await reception.call()).until_heard(160)
        ours = [record.getMessage() for record in caplog.records if record.name.startswith("ringline")]
        assert ours
        assert not any("5550100" in text for text in ours)

    run(main)


def test_nothing_of_an_ended_call_waits_for_the_garbage_collector(run: Any, opened: Any, until: Any) -> None:
    async def main() -> None:
        async with opened(URL) as (door, reception):
            async with started(door) as peer:
                call = await reception.call()
                leg = weakref.ref(call.leg)
                call.leg.send_audio(bytes(160))
                call.leg.hang_up()
                assert await close_code(peer) == 1000
                await call.ended()
            del call.leg
            gc.disable()
            try:
                await until(lambda: leg() is None)
            finally:
                gc.enable()

    run(main)
