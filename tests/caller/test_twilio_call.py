"""Calls over Twilio Media Streams, against a WebSocket server on loopback."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import pytest

from ringline.tools.caller.dialogue import Manners
from ringline.tools.caller.report import RunResult
from ringline.tools.caller.run import run_calls
from ringline.tools.caller.script import Item

QUICK = Manners(patience_ms=100)
Run = Callable[[Any], Any]
MakeBot = Callable[[], Any]
LOUD = bytes([0x0F, 0x8F])


async def call(bot: Any, serve: Any, *items: Item, **options: Any) -> RunResult:
    await bot.start(serve)
    result = await run_calls(bot.url, items, manners=options.pop("manners", QUICK), **options)
    if result.answered:
        await bot.over.wait()
    return result


async def converse(bot: Any, connection: Any) -> None:
    await bot.converse(connection)


async def until_start(bot: Any, connection: Any) -> None:
    while (await bot.read(connection))["event"] != "start":
        pass


async def until(bot: Any, connection: Any, event: str) -> dict[str, Any]:
    while (message := await bot.read(connection))["event"] != event:
        pass
    return message


async def read_out(bot: Any, connection: Any) -> None:
    while (await bot.read(connection))["event"] != "stop":
        pass


def test_the_call_opens_with_connected_and_start(run: Run, twilio_bot: MakeBot) -> None:
    bot = twilio_bot()
    result = run(call(bot, converse, parameters={"caller": "anonymous"}))
    assert bot.path == "/media"
    assert bot.messages[0] == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    start = bot.messages[1]
    assert (start["event"], start["sequenceNumber"]) == ("start", "1")
    assert start["start"]["streamSid"] == start["streamSid"]
    assert start["start"]["callSid"] == result.call_results[0].call_id
    assert start["start"]["mediaFormat"] == {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
    assert start["start"]["customParameters"] == {"caller": "anonymous"}
    assert start["start"]["tracks"] == ["inbound"]


def test_media_is_20_ms_of_mu_law_numbered_in_strings(run: Run, twilio_bot: MakeBot, wav: Callable[..., str]) -> None:
    bot = twilio_bot()
    run(call(bot, converse, Item(wav=wav())))
    media = [message for message in bot.messages if message["event"] == "media"]
    assert {len(base64.b64decode(message["media"]["payload"])) for message in media} == {160}
    assert [message["media"]["chunk"] for message in media] == [str(n + 1) for n in range(len(media))]
    assert {message["media"]["track"] for message in media} == {"inbound"}
    assert {message["streamSid"] for message in media} == {bot.messages[1]["streamSid"]}


def test_every_message_from_start_on_has_the_next_sequence_number(
    run: Run, twilio_bot: MakeBot, wav: Callable[..., str]
) -> None:
    bot = twilio_bot()
    run(call(bot, converse, Item(wav=wav()), Item(keys="1")))
    assert [message["sequenceNumber"] for message in bot.messages[1:]] == [
        str(n + 1) for n in range(len(bot.messages) - 1)
    ]


def test_timestamps_are_the_frames_places_in_the_call(run: Run, twilio_bot: MakeBot) -> None:
    bot = twilio_bot()
    result = run(call(bot, converse))
    stamps = [int(message["media"]["timestamp"]) for message in bot.messages if message["event"] == "media"]
    assert all(stamp % 20 == 0 for stamp in stamps)
    assert stamps[0] == 0
    # Skipped slots are the only holes.
    assert stamps[-1] == 20 * (len(stamps) - 1 + result.skipped_frames)


def test_keys_are_dtmf_messages(run: Run, twilio_bot: MakeBot) -> None:
    bot = twilio_bot()
    run(call(bot, converse, Item(keys="9*")))
    keys = [message["dtmf"] for message in bot.messages if message["event"] == "dtmf"]
    assert keys == [{"track": "inbound_track", "digit": "9"}, {"track": "inbound_track", "digit": "*"}]


def test_the_call_closes_with_stop(run: Run, twilio_bot: MakeBot) -> None:
    bot = twilio_bot()
    result = run(call(bot, converse))
    assert bot.messages[-1]["event"] == "stop"
    assert bot.messages[-1]["stop"]["callSid"] == result.call_results[0].call_id


def test_a_polite_bot_is_answered_and_measured(run: Run, twilio_bot: MakeBot, wav: Callable[..., str]) -> None:
    result = run(call(twilio_bot(), converse, Item(wav=wav()), Item(wav=wav())))
    assert (result.completed, result.turns_answered, result.turns_measured) == (1, 2, 2)
    assert result.succeeded


def test_the_upgrade_is_signed_for_the_public_url(run: Run, twilio_bot: MakeBot) -> None:
    bot = twilio_bot()
    run(call(bot, converse, auth_token="secret", public_url="wss://bot.example/media"))
    expected = base64.b64encode(hmac.new(b"secret", b"wss://bot.example/media", hashlib.sha1).digest()).decode()
    assert bot.headers["X-Twilio-Signature"] == expected


def test_without_a_token_the_upgrade_is_not_signed(run: Run, twilio_bot: MakeBot) -> None:
    bot = twilio_bot()
    run(call(bot, converse))
    assert "X-Twilio-Signature" not in bot.headers


@pytest.mark.parametrize("status", [403, 503])
def test_an_http_error_is_a_refused_call(run: Run, twilio_bot: MakeBot, status: int) -> None:
    bot = twilio_bot()
    bot.status = status
    assert run(call(bot, converse)).refused == {f"HTTP {status}": 1}


def test_a_server_without_websockets_is_a_refused_call(run: Run, audiosocket_bot: MakeBot) -> None:
    async def scenario() -> RunResult:
        async def answer(bot: Any, reader: Any, writer: Any) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")

        bot = audiosocket_bot()
        await bot.start(answer)
        return await run_calls(bot.url.replace("audiosocket", "twilio"), [])

    result = run(scenario())
    assert [reason.startswith("no WebSocket handshake") for reason in result.refused] == [True]


def test_a_socket_closed_before_any_audio_is_a_refused_call(run: Run, twilio_bot: MakeBot) -> None:
    async def refuse(bot: Any, connection: Any) -> None:
        await until_start(bot, connection)
        await connection.close(1013)

    result = run(call(twilio_bot(), refuse))
    assert result.refused == {"WebSocket closed with 1013 before any audio": 1}


def test_a_bot_that_closes_mid_call_fails_it(run: Run, twilio_bot: MakeBot) -> None:
    async def rude(bot: Any, connection: Any) -> None:
        await until_start(bot, connection)
        await bot.say(connection, LOUD * 80)

    result = run(call(twilio_bot(), rude, Item(keys="1")))
    assert result.failed == {"WebSocket closed with 1000 before the script was over": 1}


def test_a_mark_is_answered_when_the_audio_before_it_was_played(run: Run, twilio_bot: MakeBot) -> None:
    async def marked(bot: Any, connection: Any) -> None:
        await until_start(bot, connection)
        await bot.say(connection, LOUD * 800)  # 200 ms
        await bot.send(connection, "mark", mark={"name": "played"})
        await read_out(bot, connection)

    bot = twilio_bot()
    run(call(bot, marked))
    index = next(n for n, message in enumerate(bot.messages) if message["event"] == "mark")
    assert bot.messages[index]["mark"] == {"name": "played"}
    stamps = [int(message["media"]["timestamp"]) for message in bot.messages[:index] if message["event"] == "media"]
    # The caller's own frames are the clock here: ten of them pass while 200 ms are played.
    assert stamps[-1] >= 200


def test_a_mark_behind_nothing_is_answered_at_once(run: Run, twilio_bot: MakeBot) -> None:
    async def marked(bot: Any, connection: Any) -> None:
        await until_start(bot, connection)
        await bot.send(connection, "mark", mark={"name": "now"})
        message = await until(bot, connection, "mark")
        assert message["mark"] == {"name": "now"}
        await bot.say(connection, LOUD * 80)
        await read_out(bot, connection)

    assert run(call(twilio_bot(), marked)).completed == 1


def test_clear_answers_every_pending_mark_at_once_and_in_order(run: Run, twilio_bot: MakeBot) -> None:
    async def cleared(bot: Any, connection: Any) -> None:
        await until_start(bot, connection)
        for name in ("one", "two"):
            await bot.say(connection, LOUD * 40_000)  # 10 s
            await bot.send(connection, "mark", mark={"name": name})
        await bot.send(connection, "clear")
        await read_out(bot, connection)

    bot = twilio_bot()
    result = run(call(bot, cleared))
    assert [message["mark"]["name"] for message in bot.messages if message["event"] == "mark"] == ["one", "two"]
    assert result.completed == 1
    # A caller who still had to hear 20 s would not have hung up yet.
    assert result.call_results[0].duration_ms < 10_000


def test_audio_after_a_clear_does_not_wait_behind_what_was_dropped(run: Run, twilio_bot: MakeBot) -> None:
    async def cleared(bot: Any, connection: Any) -> None:
        await until_start(bot, connection)
        await bot.say(connection, LOUD * 40_000)  # 10 s
        await bot.send(connection, "clear")
        await bot.say(connection, LOUD * 80)
        await read_out(bot, connection)

    result = run(call(twilio_bot(), cleared))
    assert result.call_results[0].duration_ms < 10_000


def test_the_caller_hears_out_what_is_queued(run: Run, twilio_bot: MakeBot) -> None:
    async def burst(bot: Any, connection: Any) -> None:
        await until_start(bot, connection)
        await bot.say(connection, LOUD * 2_000)  # 500 ms
        await read_out(bot, connection)

    bot = twilio_bot()
    run(call(bot, burst))
    stamps = [int(message["media"]["timestamp"]) for message in bot.messages if message["event"] == "media"]
    assert stamps[-1] >= 500


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("not json", "malformed message"),
        ('{"event":"media","streamSid":"SID","media":{"payload":"!!!"}}', "malformed message"),
        ('{"event":"media","streamSid":"SID","media":{"payload":""}}', "`media` without audio"),
        ('{"event":"media","streamSid":"MZ0","media":{"payload":"////"}}', "`media` with a wrong streamSid"),
        ('{"event":"media","streamSid":"SID"}', "message `media` that Twilio does not know"),
        ('{"event":"dance","streamSid":"SID"}', "message `dance` that Twilio does not know"),
        (b"\x00\x01", "a WebSocket message of type BINARY"),
    ],
)
def test_a_malformed_message_is_reported_and_the_call_goes_on(
    run: Run, twilio_bot: MakeBot, text: str | bytes, reported: str
) -> None:
    async def malformed(bot: Any, connection: Any) -> None:
        await until_start(bot, connection)
        sid = bot.stream_sids[connection]
        await connection.send(text.replace("SID", sid) if isinstance(text, str) else text)
        await bot.say(connection, LOUD * 80)
        await read_out(bot, connection)

    result = run(call(twilio_bot(), malformed))
    assert result.completed == 1
    (error,) = result.call_results[0].wire_errors
    assert error.startswith(reported)


def test_endless_garbage_does_not_fill_the_report(run: Run, twilio_bot: MakeBot) -> None:
    async def flood(bot: Any, connection: Any) -> None:
        await until_start(bot, connection)
        for _ in range(200):
            await connection.send("garbage")
        await bot.say(connection, LOUD * 80)
        await read_out(bot, connection)

    result = run(call(twilio_bot(), flood))
    assert len(result.call_results[0].wire_errors) == 20


def test_many_calls_run_in_one_process(run: Run, twilio_bot: MakeBot, wav: Callable[..., str]) -> None:
    async def scenario() -> RunResult:
        bot = twilio_bot()
        await bot.start(converse)
        return await run_calls(bot.url, [Item(wav=wav())], 8, manners=QUICK, stagger_ms=10)

    result = run(scenario())
    assert (result.calls, result.completed, result.turns_answered) == (8, 8, 8)
    assert result.wire_errors == 0
