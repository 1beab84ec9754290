"""Telephone keys as tones: the right pair, loud enough, apart, without clicks."""

from __future__ import annotations

import numpy as np
import pytest

from ringline.workers.audio.codecs import decode, encode
from ringline.workers.audio.levels import rms_dbfs
from ringline.workers.audio.tones import (
    HIGH_HZ,
    KEYS,
    LEVEL_DBFS,
    LOW_HZ,
    PAUSE_MS,
    TONE_MS,
    TWIST_DB,
    key_tones,
)

RATES = [8_000, 16_000]


def power(samples, hz, rate_hz):
    """Mean square of a sine of this frequency, by Goertzel's sum."""
    phase = 2 * np.pi * hz * np.arange(samples.shape[0]) / rate_hz
    return 2 * abs(np.mean(samples * np.exp(-1j * phase))) ** 2


def tones_of(keys, rate_hz):
    """The steady middle of each key's tone."""
    step = rate_hz * (TONE_MS + PAUSE_MS) // 1000
    edge = rate_hz * 10 // 1000
    made = key_tones(keys, rate_hz)
    return [made[n * step + edge : n * step + rate_hz * TONE_MS // 1000 - edge] for n in range(len(keys))]


@pytest.mark.parametrize("rate_hz", RATES)
@pytest.mark.parametrize("key", KEYS)
def test_key_has_its_two_tones_and_no_other(key, rate_hz):
    row, column = divmod(KEYS.index(key), 4)
    (tone,) = tones_of(key, rate_hz)
    powers = {hz: power(tone.astype(float), hz, rate_hz) for hz in LOW_HZ + HIGH_HZ}
    wanted = {LOW_HZ[row], HIGH_HZ[column]}
    weakest = min(powers[hz] for hz in wanted)
    assert all(powers[hz] < weakest / 100 for hz in powers if hz not in wanted)
    assert sum(powers[hz] for hz in wanted) > 0.97 * np.mean(tone.astype(float) ** 2)


@pytest.mark.parametrize("rate_hz", RATES)
@pytest.mark.parametrize("key", KEYS)
def test_pair_is_as_loud_as_a_telephones(key, rate_hz):
    (tone,) = tones_of(key, rate_hz)
    assert rms_dbfs(tone) == pytest.approx(LEVEL_DBFS, abs=0.3)
    assert np.abs(tone.astype(int)).max() < 32_000


def test_high_tone_is_the_louder_one():
    (tone,) = tones_of("5", 8_000)
    twist = 10 * np.log10(power(tone.astype(float), 1336, 8_000) / power(tone.astype(float), 770, 8_000))
    assert twist == pytest.approx(TWIST_DB, abs=0.3)


def test_keys_stand_apart_and_in_order():
    made = key_tones("159", 8_000)
    assert made.dtype == np.int16
    assert made.shape[0] == 3 * 1600
    for number in range(3):
        assert not made[number * 1600 + 800 : (number + 1) * 1600].any()
        assert made[number * 1600 : number * 1600 + 800].any()


def test_tone_neither_begins_nor_ends_with_a_click():
    made = key_tones("0", 8_000)
    assert abs(int(made[0])) < 100
    assert abs(int(made[799])) < 100
    assert rms_dbfs(made[:8]) < -25


def test_tones_pass_mu_law():
    row, column = divmod(KEYS.index("7"), 4)
    heard = decode(encode(key_tones("7", 8_000), "mulaw"), "mulaw")
    powers = {hz: power(heard[80:720].astype(float), hz, 8_000) for hz in LOW_HZ + HIGH_HZ}
    assert max(LOW_HZ, key=powers.__getitem__) == LOW_HZ[row]
    assert max(HIGH_HZ, key=powers.__getitem__) == HIGH_HZ[column]


def test_no_keys_are_no_sound():
    assert key_tones("", 8_000).shape == (0,)


@pytest.mark.parametrize("keys", ["12x", "a", " ", "\u0661"])
def test_what_is_no_key_is_named(keys):
    with pytest.raises(ValueError, match="a telephone has no key"):
        key_tones(keys, 8_000)
