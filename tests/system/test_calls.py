"""Calls through whole engines."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ringline import BotSaid, CallBegan
from ringline.tools.replay import replay_file

ONE_FRAME_MS = 20.0


@pytest.mark.parametrize("door", ["audiosocket", "twilio"])
async def test_every_turn_is_answered(start: Any, door: str) -> None:
    async with start() as running:
        result = await running.call(getattr(running, door), say=("hello", "how are you"))
    assert result.succeeded
    assert result.turns_answered == 2
    assert result.underruns == 0


@pytest.mark.parametrize("door", ["audiosocket", "twilio"])
async def test_engine_and_wire_measure_the_same_response(start: Any, door: str) -> None:
    traces = []
    async with start() as running:
        running.engine.subscribe(lambda call, event: traces.append(event) if isinstance(event, BotSaid) else None)
        result = await running.call(getattr(running, door), say=("hello", "how are you", "fine"))
    of_engine = [said.trace.response_ms for said in traces if said.trace.response_ms is not None]
    on_wire = [turn.response_ms for turn in result.call_results[0].turns]
    assert len(of_engine) == len(on_wire) == 3
    assert max(abs(a - b) for a, b in zip(of_engine, on_wire, strict=True)) <= ONE_FRAME_MS


async def test_wideband_call_is_answered_at_16_khz(start: Any) -> None:
    async with start() as running:
        result = await running.call(running.audiosocket + "?rate=16000")
    assert result.succeeded


async def test_many_calls_at_once_are_all_answered(start: Any) -> None:
    async with start(max_calls=12) as running:
        result = await running.call(running.twilio, num_calls=12, stagger_ms=20)
    assert result.completed == 12
    assert result.turns_answered == result.turns


async def test_logged_call_replays_to_the_same_actions(start: Any, tmp_path: Path) -> None:
    async with start(extra=f'[events]\npath = "{tmp_path}"\n') as running:
        result = await running.call(say=("hello", "how are you"))
    (path,) = tmp_path.iterdir()
    replay = replay_file(path)
    assert result.succeeded
    assert replay.difference is None
    assert replay.events > 20
    assert not replay.truncated
    path.write_bytes(path.read_bytes().replace(b"this is a synthetic transcript", b"this was never said", 1))
    assert replay_file(path).difference is not None


async def test_recording_holds_both_sides(start: Any, tmp_path: Path) -> None:
    async with start() as running:
        await running.call(record=tmp_path / "call.wav")
    with wave.open(str(tmp_path / "call.wav")) as file:
        assert file.getnchannels() == 2
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2)
    assert np.abs(samples).max(axis=0).min() > 1000


async def test_line_ring_holds_what_was_sent(start: Any, tmp_path: Path) -> None:
    """The line ring and the caller's recording of the bot show the same sound, sample for sample but for the filter."""
    kept: list[np.ndarray[Any, Any]] = []
    async with start() as running:
        exchange = running.engine.exchange

        def keep(call: Any, event: Any) -> None:
            if isinstance(event, BotSaid) and not kept:
                ring = exchange.slots[call.slot].line
                kept.append(ring.read(0, ring.written).samples)

        running.engine.subscribe(keep)
        await running.call(running.audiosocket + "?rate=16000", record=tmp_path / "call.wav")
    with wave.open(str(tmp_path / "call.wav")) as file:
        bot = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2)[:, 1]
    line = kept[0]
    start_line, start_bot = np.argmax(np.abs(line) > 500), np.argmax(np.abs(bot) > 500)
    length = min(len(line) - start_line, len(bot) - start_bot, 16_000)
    assert np.array_equal(line[start_line : start_line + length], bot[start_bot : start_bot + length])


async def test_caller_who_interrupts_is_answered(start: Any) -> None:
    from ringline.tools.caller.run import run_calls
    from ringline.tools.caller.script import Item

    said: list[BotSaid] = []
    async with start(text="This is a long sentence that takes a while to say. " * 3) as running:
        running.engine.subscribe(lambda call, event: said.append(event) if isinstance(event, BotSaid) else None)
        items = [Item(text="wait a moment please", interrupt_ms=800)]
        result = await run_calls(running.twilio, items)
        await running.engine.switchboard.wait_until_idle()
    assert result.turns_answered == 1
    assert said[0].interrupted
    assert len(said[0].text) < len("This is a long sentence that takes a while to say. " * 3)


@pytest.mark.parametrize("door", ["audiosocket", "twilio"])
async def test_webrtc_vad_hears_callers_and_their_interruptions(start: Any, door: str) -> None:
    from ringline.tools.caller.run import run_calls
    from ringline.tools.caller.script import Item

    said: list[BotSaid] = []
    text = "This is a long sentence that takes a while to say. " * 3
    async with start(text=text, extra='[vad]\nbackend = "webrtc"\n') as running:
        running.engine.subscribe(lambda call, event: said.append(event) if isinstance(event, BotSaid) else None)
        items = [Item(text="hello there"), Item(text="wait a moment please", interrupt_ms=800)]
        result = await run_calls(getattr(running, door), items)
        await running.engine.switchboard.wait_until_idle()
    assert result.turns_answered == 2
    assert any(event.interrupted for event in said)


async def test_defect_in_one_conversation_ends_that_call_alone(start: Any, caplog: pytest.LogCaptureFixture) -> None:
    broken: list[int] = []

    class Broken:
        deadline_ns = None

        def handle(self, event: Any, now_ns: int) -> list[Any]:
            raise ZeroDivisionError

    def break_first(call: Any, event: Any) -> None:
        if isinstance(event, CallBegan) and not broken:
            broken.append(call.number)
            call.conversation = Broken()

    async with start() as running:
        running.engine.subscribe(break_first)
        result = await running.call(num_calls=2, stagger_ms=100)
    assert [call.outcome for call in result.call_results].count("completed") == 1
    assert "the conversation failed" in caplog.text
