from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ringline.tools.caller.dialogue import Manners
from ringline.tools.caller.recording import Recording
from ringline.tools.caller.run import run_calls
from ringline.tools.caller.script import Item

MS = 1_000_000
ONES = np.ones(160, np.int16)


def test_the_caller_is_left_and_the_bot_right_on_one_line_of_time() -> None:
    recording = Recording(8_000)
    recording.caller(1_020 * MS, ONES)
    recording.bot(1_040 * MS, 1_040 * MS, ONES * 2)
    mixed = recording.mix(1_000 * MS, 1_100 * MS)
    assert mixed.shape == (800, 2)
    assert np.flatnonzero(mixed[:, 0]).tolist() == list(range(160, 320))
    assert np.flatnonzero(mixed[:, 1]).tolist() == list(range(320, 480))


def test_the_bot_is_placed_where_it_is_heard_and_not_where_it_arrived() -> None:
    recording = Recording(8_000)
    recording.bot(0, 50 * MS, ONES)
    assert np.flatnonzero(recording.mix(0, 100 * MS)[:, 1])[0] == 400


def test_what_was_cleared_is_not_heard() -> None:
    recording = Recording(8_000)
    recording.bot(0, 0, np.ones(8_000, np.int16))
    recording.cleared(100 * MS)
    recording.bot(200 * MS, 200 * MS, ONES)
    heard = recording.mix(0, 1_000 * MS)[:, 1]
    assert np.flatnonzero(heard).tolist() == [*range(800), *range(1_600, 1_760)]


def test_what_lies_outside_the_call_is_left_out() -> None:
    recording = Recording(8_000)
    recording.bot(0, 0, ONES)
    recording.bot(105 * MS, 105 * MS, ONES)
    recording.bot(500 * MS, 500 * MS, ONES)
    mixed = recording.mix(10 * MS, 110 * MS)
    assert np.flatnonzero(mixed[:, 1]).tolist() == [*range(80), *range(760, 800)]


def test_a_call_is_recorded_as_a_stereo_wav(
    run: Callable[[Any], Any], audiosocket_bot: Callable[[], Any], wav: Callable[..., str], tmp_path: Path
) -> None:
    async def scenario() -> Any:
        bot = audiosocket_bot()
        await bot.start(type(bot).converse)
        manners = Manners(patience_ms=100)
        return await run_calls(bot.url, [Item(wav=wav())], manners=manners, record=tmp_path / "call.wav")

    result = run(scenario())
    (made,) = result.call_results
    assert made.recording == str(tmp_path / "call.wav")
    with wave.open(made.recording) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 8_000)
        assert abs(file.getnframes() / 8 - made.duration_ms) < 1
        stereo = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    assert 2_300 < np.count_nonzero(stereo[:, 0]) <= 2_400
    assert stereo[:, 1].any()


def test_several_calls_are_recorded_in_files_of_their_own(
    run: Callable[[Any], Any], audiosocket_bot: Callable[[], Any], tmp_path: Path
) -> None:
    async def scenario() -> Any:
        bot = audiosocket_bot()
        await bot.start(type(bot).converse)
        return await run_calls(bot.url, [], 2, manners=Manners(patience_ms=100), record=tmp_path / "call.wav")

    run(scenario())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["call-0.wav", "call-1.wav"]


def test_whole_tone_of_a_key_is_recorded(
    run: Callable[[Any], Any], audiosocket_bot: Callable[[], Any], tmp_path: Path
) -> None:
    async def scenario() -> Any:
        bot = audiosocket_bot()
        await bot.start(type(bot).converse)
        manners = Manners(patience_ms=100)
        return await run_calls(bot.url, [Item(keys="5")], manners=manners, record=tmp_path / "call.wav")

    run(scenario())
    with wave.open(str(tmp_path / "call.wav")) as file:
        stereo = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    sounding = np.flatnonzero(stereo[:, 0])
    assert sounding[-1] - sounding[0] == pytest.approx(800, abs=8)
