"""What `bench.peers` concludes from what it measured; no peer is needed for that."""

from __future__ import annotations

import asyncio
import math
import wave
from pathlib import Path

import msgspec
import numpy as np
import pytest
from bench.line import RING_HZ
from bench.peers import speech
from bench.peers.measures import Load, interrupts
from bench.peers.serving import CHUNK_MS, RATE_HZ, Settings, Voice, settings_from, words
from bench.peers.systems import Stages
from bench.peers.telling import further_mb, percentile, verdicts

from ringline.tools.caller.log import WireLog
from ringline.tools.caller.report import CallEnd, CallRecord, RunResult, summarize

ALONE = Load(1, 6, 6, 0, 600.0, 620.0, 21.0, 0.1, 200.0, 0.2, True)


@pytest.mark.parametrize(
    ("change", "breach"),
    [
        ({}, []),
        ({"answered": 5}, ["1 of 6 turns unanswered"]),
        ({"response_p95_ms": 670.0}, []),
        ({"response_p95_ms": 671.0}, ["response p95 671 ms"]),
        ({"gap_p99_ms": 30.0}, ["frame gap p99 30 ms"]),
        ({"underruns": 2}, ["2 underruns"]),
    ],
)
def test_the_slo_names_what_broke_it(change: dict[str, float], breach: list[str]) -> None:
    assert msgspec.structs.replace(ALONE, **change).breaches(ALONE) == breach


def _run(message_ms: int, apart_ms: list[int]) -> RunResult:
    """One call in which the bot sent silent messages so far apart."""
    log = WireLog(RATE_HZ, False)
    log.connected_ns = 1
    at_ns = 1_000_000_000
    for ms in [0, *apart_ms]:
        at_ns += ms * 1_000_000
        log.received(at_ns, at_ns, message_ms * RATE_HZ // 1000, -1, 0)
    log.ended_ns = at_ns
    return summarize("twilio://x", [CallRecord(0, "", CallEnd("failed", "bot", "gone"), log, unsaid=("a", "b"))])


def test_turns_that_were_never_come_to_are_unanswered() -> None:
    load = Load.from_result(_run(40, [40] * 10), cores=0.5, memory=100.0)
    assert (load.turns, load.answered) == (2, 0)
    assert load.breaches(ALONE)[0] == "2 of 2 turns unanswered"


def test_a_late_message_counts_as_a_late_frame_whatever_its_length() -> None:
    for message_ms in (20, 40):
        in_time = Load.from_result(_run(message_ms, [message_ms] * 100), 0.0, 0.0)
        late = Load.from_result(_run(message_ms, [message_ms] * 96 + [message_ms + 12] * 4), 0.0, 0.0)
        assert in_time.gap_p99_ms == pytest.approx(20.0)
        assert late.gap_p99_ms == pytest.approx(32.0)


def test_an_early_message_is_no_late_one() -> None:
    load = Load.from_result(_run(40, [40] * 90 + [0] * 10), 0.0, 0.0)
    assert load.gap_p99_ms == pytest.approx(20.0)


def test_speech_that_is_sent_at_once_has_no_gaps() -> None:
    load = Load.from_result(_run(80, [8] * 40 + [70] + [8] * 40), 0.0, 0.0)
    assert load.gap_p99_ms == pytest.approx(20.0)


def test_a_bot_that_never_stopped_is_not_averaged_away() -> None:
    assert percentile([30.0, 40.0, math.inf], 50) == 40.0
    assert percentile([30.0, 40.0, math.inf], 95) == math.inf


def test_memory_per_further_call() -> None:
    assert further_mb([{"calls": 1, "pss_mb": 200.0}, {"calls": 9, "pss_mb": 280.0}]) == 10.0


def test_ringline_is_held_against_the_best_peer() -> None:
    result = {
        "barge_in": {"ringline": {"cut_ms": [40.0]}, "pipecat": {"cut_ms": [160.0]}, "livekit": {"cut_ms": [100.0]}},
        "capacity": {
            "ringline": {"capacity": 64},
            "pipecat": {"capacity": 4},
            "pipecat, per call": {"capacity": 8},
        },
    }
    assert verdicts(result) == [
        "barge-in, median: 0.40 of that of livekit, the best peer",
        "capacity: 8.0 times that of pipecat",
    ]


def test_the_first_sentence_is_not_an_interruption() -> None:
    script = interrupts([Path("a.wav"), Path("b.wav")], np.random.default_rng(1))
    assert script[:2] == ["--wav", "a.wav"]
    assert script[2] == "--interrupt"
    assert script[4:] == ["--wav", "b.wav"]


def _hum(ms: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """A voice of 125 Hz with its harmonics."""
    t = np.arange(RING_HZ * ms // 1000) / RING_HZ
    return np.rint(sum(np.sin(2 * np.pi * 125 * k * t) / k for k in range(1, 12)) * 4_000).astype(np.int16)


def _quiet(ms: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.zeros(RING_HZ * ms // 1000, np.int16)


def test_a_sentence_ends_with_the_voice_and_has_no_long_pause() -> None:
    breath = (np.random.default_rng(1).normal(0, 60, RING_HZ // 2)).astype(np.int16)
    spoken = speech._sentence(np.concatenate([_quiet(300), _hum(1_500), breath, _quiet(300)]))
    assert spoken is not None
    assert 1_400 <= spoken.shape[0] * 1000 // RING_HZ <= 1_700
    assert speech._sentence(np.concatenate([_quiet(300), _hum(800), _quiet(300), _hum(800), _quiet(300)])) is None


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    path = tmp_path / "voice.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes(np.arange(RATE_HZ, dtype=np.int16).tobytes())
    options = ["--voice", str(path), "--variant", "same", "--processes", "0", "--calls", "1"]
    for name, value in msgspec.to_builtins(Stages()).items():
        options += [f"--{name.replace('_', '-')}", str(value)]
    return settings_from(options, Settings)


async def test_the_peers_stages_take_the_time_they_are_told(settings: Settings) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert [word async for word in words(settings)][:3] == ["This", " is", " a"]
    assert loop.time() - began >= (settings.llm_ms + 8 / settings.tokens_per_s * 1000) / 1000 - 0.001
    began = loop.time()
    sounds = [(loop.time() - began, sound) async for sound in Voice(settings).speak("x" * 20)]
    assert sounds[0][0] >= settings.tts_ms / 1000 - 0.001
    spoken = np.frombuffer(b"".join(sound for _, sound in sounds), np.int16)
    assert spoken.shape[0] == 20 * 60 * RATE_HZ // 1000
    assert len(sounds[0][1]) == 2 * CHUNK_MS * RATE_HZ // 1000
    np.testing.assert_array_equal(spoken, np.arange(spoken.shape[0]) % RATE_HZ)
