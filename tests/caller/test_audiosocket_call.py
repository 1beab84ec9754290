"""Calls over AudioSocket, against a server on loopback: what the caller sends, and what it makes of the bot."""

from __future__ import annotations

import asyncio
import socket
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ringline.tools.caller.dialogue import Manners
from ringline.tools.caller.events import Event
from ringline.tools.caller.report import RunResult
from ringline.tools.caller.run import run_calls
from ringline.tools.caller.script import Item

QUICK = Manners(patience_ms=100)
IMPATIENT = Manners(patience_ms=100, timeout_ms=300)
Run = Callable[[Any], Any]
MakeBot = Callable[[], Any]
LOUD = b"\x10\x01\x40" + np.full(160, 8_000, "<i2").tobytes()


async def call(bot: Any, serve: Any, *items: Item, url: str = "{}", **options: Any) -> RunResult:
    await bot.start(serve)
    result = await run_calls(url.format(bot.url), items, manners=options.pop("manners", QUICK), **options)
    await bot.eof.wait()
    return result


async def converse(bot: Any, reader: Any, writer: Any) -> None:
    await bot.converse(reader, writer)


def test_the_first_frame_is_the_calls_uuid(run: Run, audiosocket_bot: MakeBot) -> None:
    bot = audiosocket_bot()
    result = run(call(bot, converse))
    kind, payload = bot.frames[0]
    assert kind == 0x01
    assert str(uuid.UUID(bytes=payload)) == result.call_results[0].call_id


def test_every_frame_behind_it_is_20_ms_of_audio(run: Run, audiosocket_bot: MakeBot, wav: Callable[..., str]) -> None:
    bot = audiosocket_bot()
    run(call(bot, converse, Item(wav=wav())))
    assert {(kind, len(payload)) for kind, payload in bot.frames[1:]} == {(0x10, 320)}


def test_a_16_khz_call_sends_its_own_kind(run: Run, audiosocket_bot: MakeBot, wav: Callable[..., str]) -> None:
    bot = audiosocket_bot()
    result = run(call(bot, converse, Item(wav=wav()), url="{}?rate=16000"))
    assert {(kind, len(payload)) for kind, payload in bot.frames[1:]} == {(0x12, 640)}
    assert result.turns_answered == 1


def test_a_frame_leaves_for_every_20_ms_of_the_call(
    run: Run, audiosocket_bot: MakeBot, wav: Callable[..., str]
) -> None:
    bot = audiosocket_bot()
    result = run(call(bot, converse, Item(wav=wav())))
    # Counted, not timed: on a machine so busy that frames were skipped, those are counted too.
    (made,) = result.call_results
    num_slots = len(bot.frames) - 1 + made.skipped_frames
    assert num_slots == pytest.approx(made.duration_ms / 20, abs=3)
    assert made.lateness_ms.num == len(bot.frames) - 1


def test_the_item_arrives_sample_for_sample(run: Run, audiosocket_bot: MakeBot, wav: Callable[..., str]) -> None:
    bot = audiosocket_bot()
    path = wav(ms=100)
    run(call(bot, converse, Item(wav=path)))
    sent = np.concatenate([np.frombuffer(payload, "<i2") for kind, payload in bot.frames if kind == 0x10])
    audible = np.flatnonzero(sent)
    expected = (8_000 * np.sin(2 * np.pi * 440 * np.arange(800) / 8_000)).astype(np.int16)
    np.testing.assert_array_equal(sent[audible[0] - 1 : audible[0] + 799], expected)


def test_keys_are_dtmf_frames_between_the_audio(run: Run, audiosocket_bot: MakeBot) -> None:
    bot = audiosocket_bot()
    run(call(bot, converse, Item(keys="4#")))
    assert [payload for kind, payload in bot.frames if kind == 0x03] == [b"4", b"#"]


def test_the_caller_never_sends_a_hang_up_frame(run: Run, audiosocket_bot: MakeBot, wav: Callable[..., str]) -> None:
    bot = audiosocket_bot()
    result = run(call(bot, converse, Item(wav=wav())))
    assert result.call_results[0].ended_by == "caller"
    assert 0x00 not in {kind for kind, _ in bot.frames}


def test_a_polite_bot_is_answered_and_measured(run: Run, audiosocket_bot: MakeBot, wav: Callable[..., str]) -> None:
    result = run(call(audiosocket_bot(), converse, Item(wav=wav()), Item(wav=wav())))
    assert (result.calls, result.completed, result.answered) == (1, 1, 1)
    assert (result.turns, result.turns_answered, result.turns_measured) == (2, 2, 2)
    assert result.succeeded
    assert result.call_results[0].greeting_ms is not None


def test_the_answer_comes_after_the_pause_the_bot_makes(
    run: Run, audiosocket_bot: MakeBot, wav: Callable[..., str]
) -> None:
    result = run(call(audiosocket_bot(), converse, Item(wav=wav())))
    (turn,) = result.call_results[0].turns
    # Five silent frames of the caller: on its own clock 80 to 100 ms, whatever else the machine does.
    assert turn.response_ms is not None
    assert turn.response_ms > 60


def test_an_interruption_is_said_while_the_bot_speaks(
    run: Run, audiosocket_bot: MakeBot, wav: Callable[..., str]
) -> None:
    async def talker(bot: Any, reader: Any, writer: Any) -> None:
        """Speaks until it has heard ten frames of the caller."""
        heard = 0
        while (frame := await bot.read(reader)) is not None:
            if frame[0] == 0x10:
                heard += bool(np.frombuffer(frame[1], "<i2").any())
                writer.write(LOUD if heard < 10 else LOUD[:3] + bytes(320))

    result = run(call(audiosocket_bot(), talker, Item(wav=wav(ms=600), interrupt_ms=100)))
    (turn,) = result.call_results[0].turns
    assert turn.cut_ms is not None
    assert turn.cut_ms < 600


def test_audio_in_pieces_of_any_length_is_heard(run: Run, audiosocket_bot: MakeBot) -> None:
    async def odd(bot: Any, reader: Any, writer: Any) -> None:
        await bot.read(reader)
        audio = b"".join(
            b"\x10" + size.to_bytes(2, "big") + np.full(size // 2, 8_000, "<i2").tobytes() for size in (2, 250, 1_600)
        )
        for start in range(0, len(audio), 7):
            writer.write(audio[start : start + 7])
        while await bot.read(reader) is not None:
            pass

    result = run(call(audiosocket_bot(), odd))
    (made,) = result.call_results
    assert result.completed == 1
    assert made.greeting_speech_ms == pytest.approx(926 / 8, abs=20)


def test_a_closed_port_is_a_refused_call(run: Run) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"audiosocket://127.0.0.1:{closed.getsockname()[1]}"
        result = run(run_calls(url, []))
    assert result.refused == {"connection refused": 1}
    assert (result.answered, result.succeeded) == (0, False)


def test_a_hang_up_before_any_audio_is_a_refused_call(run: Run, audiosocket_bot: MakeBot) -> None:
    async def refuse(bot: Any, reader: Any, writer: Any) -> None:
        await bot.read(reader)
        writer.write(b"\x00\x00\x00")

    assert run(call(audiosocket_bot(), refuse)).refused == {"hang-up frame before any audio": 1}


def test_a_close_before_any_audio_is_a_refused_call(run: Run, audiosocket_bot: MakeBot) -> None:
    async def refuse(bot: Any, reader: Any, writer: Any) -> None:
        await bot.read(reader)

    assert run(call(audiosocket_bot(), refuse)).refused == {"the bot closed the connection before any audio": 1}


@pytest.mark.parametrize("hang_up", [b"\x00\x00\x00", b""])
def test_a_bot_that_hangs_up_mid_call_fails_it(
    run: Run, audiosocket_bot: MakeBot, wav: Callable[..., str], hang_up: bytes
) -> None:
    async def rude(bot: Any, reader: Any, writer: Any) -> None:
        await bot.read(reader)
        writer.write(LOUD)
        while frame := await bot.read(reader):
            if frame[0] == 0x10 and any(frame[1]):
                writer.write(hang_up)
                return

    result = run(call(audiosocket_bot(), rude, Item(wav=wav(ms=400)), Item(keys="1")))
    (made,) = result.call_results
    assert (made.outcome, made.ended_by) == ("failed", "bot")
    assert made.turns[0].note == "not finished"
    assert made.unsaid == ("keys 1",)
    assert list(result.failed.values()) == [1]


def test_a_bot_that_hangs_up_after_its_last_answer_has_done_well(
    run: Run, audiosocket_bot: MakeBot, wav: Callable[..., str]
) -> None:
    async def farewell(bot: Any, reader: Any, writer: Any) -> None:
        await bot.read(reader)
        writer.write(LOUD)
        heard = False
        while frame := await bot.read(reader):
            loud = any(frame[1])
            heard = heard or loud
            if heard and not loud:
                writer.write(LOUD + b"\x00\x00\x00")
                return

    result = run(call(audiosocket_bot(), farewell, Item(wav=wav())))
    assert result.call_results[0].reason == "hang-up frame"
    assert result.succeeded


def test_a_bot_that_never_speaks_is_given_up(run: Run, audiosocket_bot: MakeBot) -> None:
    async def mute(bot: Any, reader: Any, writer: Any) -> None:
        while await bot.read(reader):
            writer.write(LOUD[:3] + bytes(320))

    assert run(call(audiosocket_bot(), mute, Item(keys="1"), manners=IMPATIENT)).failed == {"no greeting": 1}


def test_a_bot_that_greets_and_then_never_answers_leaves_the_turn_unanswered(
    run: Run, audiosocket_bot: MakeBot, wav: Callable[..., str]
) -> None:
    async def deaf(bot: Any, reader: Any, writer: Any) -> None:
        writer.write(LOUD)
        while await bot.read(reader):
            pass

    result = run(call(audiosocket_bot(), deaf, Item(wav=wav()), manners=IMPATIENT))
    assert result.failed == {"no answer": 1}
    assert [turn.note for turn in result.call_results[0].turns] == ["unanswered"]
    assert (result.turns, result.turns_answered) == (1, 0)


@pytest.mark.parametrize(
    ("garbage", "reason"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "frame of kind 0x47"),
        (b"\x03\x00\x01" + b"5", "frame of kind 0x03"),
        (b"\x10\x00\x00", "audio frame of 0 bytes"),
        (b"\x10\x00\x03abc", "audio frame of 3 bytes"),
        (b"\xff\x00\x01\x01", "frame of kind 0xff"),
    ],
)
def test_what_asterisk_would_not_bear_ends_the_call_with_its_name(
    run: Run, audiosocket_bot: MakeBot, garbage: bytes, reason: str
) -> None:
    async def malformed(bot: Any, reader: Any, writer: Any) -> None:
        writer.write(LOUD + garbage)
        while await bot.read(reader):
            pass

    result = run(call(audiosocket_bot(), malformed))
    assert list(result.failed) == [f"{reason} (Asterisk drops the call)"]


def test_audio_of_another_rate_is_reported(run: Run, audiosocket_bot: MakeBot) -> None:
    async def wide(bot: Any, reader: Any, writer: Any) -> None:
        writer.write(LOUD + b"\x12\x02\x80" + bytes(640))
        while await bot.read(reader):
            pass

    result = run(call(audiosocket_bot(), wide))
    assert result.call_results[0].wire_errors == ("audio of kind 0x12 on a 8000 Hz call",)


def test_a_bot_that_does_not_read_fails_the_call(run: Run, audiosocket_bot: MakeBot, monkeypatch: Any) -> None:
    async def stuck(bot: Any, reader: Any, writer: Any) -> None:
        writer.write(LOUD)

    # What a full buffer looks like from the outside, without filling one: that would take a minute of audio.
    real_send = socket.socket.send
    sizes: list[int] = []

    class Narrow(socket.socket):
        def send(self, data: Any, *flags: int) -> int:
            sizes.append(len(data))
            if len(sizes) > 5:
                raise BlockingIOError
            return real_send(self, data, *flags)

    async def scenario() -> RunResult:
        blocker = asyncio.Event()

        async def hold(bot: Any, reader: Any, writer: Any) -> None:
            await stuck(bot, reader, writer)
            await blocker.wait()

        bot = audiosocket_bot()
        await bot.start(hold)
        monkeypatch.setattr("ringline.tools.caller.wire_audiosocket.socket.socket", Narrow)
        result = await run_calls(bot.url, [Item(keys="1")], manners=QUICK)
        blocker.set()
        return result

    assert run(scenario()).failed == {"the bot does not read: its receive buffer is full": 1}


def test_events_tell_the_call_as_it_goes(run: Run, audiosocket_bot: MakeBot, wav: Callable[..., str]) -> None:
    told: list[Event] = []
    result = run(call(audiosocket_bot(), converse, Item(wav=wav()), on_event=told.append))
    assert [event.event for event in told] == [
        "connected",
        "bot_speaks",
        "bot_quiet",
        "caller_speaks",
        "caller_quiet",
        "bot_speaks",
        "bot_quiet",
        "ended",
    ]
    (turn,) = result.call_results[0].turns
    assert told[5].response_ms == turn.response_ms
    assert told[5].at_ns == turn.answer_ns
    assert told[4].at_ns == turn.end_ns


def test_many_calls_run_in_one_process(run: Run, audiosocket_bot: MakeBot, wav: Callable[..., str]) -> None:
    async def scenario() -> RunResult:
        bot = audiosocket_bot()
        await bot.start(converse)
        return await run_calls(bot.url, [Item(wav=wav())], 8, manners=QUICK, stagger_ms=10)

    result = run(scenario())
    assert (result.calls, result.completed, result.turns_answered) == (8, 8, 8)
    assert len({made.call_id for made in result.call_results}) == 8
