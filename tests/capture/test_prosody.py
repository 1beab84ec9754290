"""Pitch and features on made sounds whose melody is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ringline.workers.capture.prosody.features import MEMORY_SAMPLES, features, names
from ringline.workers.capture.prosody.frames import BAND_EDGES_HZ, analyse
from ringline.workers.capture.prosody.melody import Melody, Stumps, committed

Samples = np.ndarray[tuple[int], np.dtype[np.int16]]


def voice(hertz: float | Callable[[np.ndarray], np.ndarray], seconds: float = 1.0) -> Samples:
    """A voice on the telephone: only its harmonics between 300 and 3400 Hz are left."""
    time_s = np.arange(int(16_000 * seconds)) / 16_000
    pitch = hertz(time_s) if callable(hertz) else np.full(time_s.shape, float(hertz))
    phase = 2 * np.pi * np.cumsum(pitch) / 16_000
    sound = np.zeros(time_s.shape)
    for harmonic in range(1, 45):
        heard = (harmonic * pitch > 300) & (harmonic * pitch < 3_400)
        sound += heard * np.cos(harmonic * phase + harmonic) / np.sqrt(harmonic)
    return (8_000.0 * sound / np.abs(sound).max()).astype(np.int16)


def feature(samples: Samples, name: str) -> float:
    values = features(samples)
    assert values is not None
    return float(values[names().index(name)])


@pytest.mark.parametrize("hertz", [75.0, 90.0, 120.0, 160.0, 220.0, 290.0, 380.0])
def test_pitch_is_found_without_its_fundamental(hertz: float) -> None:
    frames = analyse(voice(hertz))
    assert frames.pitch_hz == pytest.approx(hertz, rel=0.01)
    assert np.nanmax(np.abs(frames.semitones)) < 0.3


def test_pitch_is_found_in_noise() -> None:
    noise = np.random.default_rng(1).normal(0, 800, 16_000)
    frames = analyse((voice(140.0) + noise).astype(np.int16))
    assert frames.pitch_hz == pytest.approx(140.0, rel=0.02)


def test_noise_has_no_pitch() -> None:
    frames = analyse(np.random.default_rng(1).normal(0, 3_000, 16_000).astype(np.int16))
    assert np.isnan(frames.semitones).mean() > 0.9


def test_falling_and_rising_melodies_differ() -> None:
    falling, rising = voice(lambda t: 200 - 80 * t), voice(lambda t: 120 + 80 * t)
    assert feature(falling, "pitch_slope_40") < -0.3 < 0.3 < feature(rising, "pitch_slope_40")
    assert feature(falling, "pitch_last_10") < feature(rising, "pitch_last_10")


def test_fading_voice_is_heard_to_fade() -> None:
    steady = voice(150.0)
    fading = (steady * np.concatenate([np.ones(8_000), np.linspace(1.0, 0.05, 8_000)])).astype(np.int16)
    assert feature(fading, "level_0") < feature(steady, "level_0") - 5.0
    assert feature(fading, "level_slope_300") < feature(steady, "level_slope_300")


def test_features_do_not_depend_on_level() -> None:
    sound = voice(lambda t: 180 - 40 * t) + np.random.default_rng(3).normal(0, 300, 16_000)
    loud, quiet = features(sound.astype(np.int16)), features((sound / 8).astype(np.int16))
    assert loud == pytest.approx(quiet, abs=0.3)


def test_only_the_last_seconds_count() -> None:
    sound = voice(lambda t: 150 + 20 * np.sin(t), 6.0)
    assert features(sound) == pytest.approx(features(sound[-MEMORY_SAMPLES:]))


@pytest.mark.parametrize("samples", [0, 1, 2, 639, 640, 800, 2_400, 16_000])
def test_silence_of_any_length_has_no_features(samples: int) -> None:
    assert features(np.zeros(samples, np.int16)) is None


@pytest.mark.parametrize(
    "sound",
    [
        np.full(16_000, 32_767, np.int16),
        np.tile(np.array([32_767, -32_768], np.int16), 8_000),
        np.random.default_rng(2).integers(-32_768, 32_767, 16_000, np.int16),
        np.eye(1, 16_000, 15_999, dtype=np.int16)[0],
        np.clip(voice(130.0).astype(np.int32) * 20, -32_768, 32_767).astype(np.int16),
        voice(130.0, 0.12),
    ],
    ids=["stuck", "square", "noise", "click", "clipped", "short"],
)
def test_any_sound_is_judged(sound: Samples) -> None:
    values = features(sound)
    assert values is None or np.isfinite(values).all()
    finished = Melody().finished(sound, sound[:0])
    assert finished is None or 0.0 < finished < 1.0


def test_committed_stumps_belong_to_these_features() -> None:
    stumps = committed()
    assert stumps.names == names()
    assert len(stumps.feature) == len(stumps.threshold) == len(stumps.step)
    assert 0 <= min(stumps.feature) <= max(stumps.feature) < len(names())


def test_stumps_add_up() -> None:
    stumps = Stumps(("a", "b"), (0, 1, 1), (0.5, 0.0, 2.0), (1.0, -0.25, 8.0), 0.125)
    assert stumps.log_odds(np.array([1.0, 1.0])) == 0.125 + 1.0 - 0.25


def test_stumps_of_other_features_are_refused() -> None:
    with pytest.raises(ValueError, match=r"bench/prosody\.py"):
        Melody(Stumps(("other",), (0,), (0.0,), (1.0,), 0.0))


def test_every_band_lies_on_a_telephone_line() -> None:
    assert BAND_EDGES_HZ[0] >= 100
    assert BAND_EDGES_HZ[-1] <= 4_000
