import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ringline.workers.audio import levels

RATE_HZ = 8_000
BLOCK = RATE_HZ // 200


def tone(num_samples, dbfs, rate_hz=RATE_HZ):
    """A sine of 1 kHz with the RMS ``dbfs``; whole periods in a block."""
    amplitude = 32_768 * 10 ** (dbfs / 20) * 2**0.5
    return np.rint(amplitude * np.sin(2 * np.pi * 1000 * (np.arange(num_samples) + 0.5) / rate_hz)).astype(np.int16)


def silence(num_samples):
    return np.zeros(num_samples, np.int16)


def by_definition(samples, rate_hz):
    """(first, last audible), spelled out in numpy."""
    block = min(rate_hz // 200, len(samples))
    if block == 0:
        return -1, 0
    squares = samples.astype(np.int64) ** 2
    power = np.lib.stride_tricks.sliding_window_view(squares, block).mean(axis=1)
    floor = 32_768.0**2 * 10**-5.5
    threshold = max(power.max() * 10**-3.5, floor)
    audible, above_floor = np.flatnonzero(power >= threshold), np.flatnonzero(power >= floor)
    if len(audible) == 0:
        return -1, 0
    first, last = above_floor[0], audible[-1]
    return (
        first + np.flatnonzero(squares[first : first + block] >= floor)[0],
        last + np.flatnonzero(squares[last : last + block] >= threshold)[-1] + 1,
    )


def test_silence_has_nothing_audible():
    assert levels.last_audible(silence(1000), RATE_HZ) == 0
    assert levels.first_audible(silence(1000), RATE_HZ) == -1


def test_no_samples_have_nothing_audible():
    assert levels.last_audible(silence(0), RATE_HZ) == 0
    assert levels.first_audible(silence(0), RATE_HZ) == -1


@pytest.mark.parametrize("before", range(0, 2 * BLOCK, 7))
def test_speech_ends_with_its_last_sample_wherever_that_lies(before):
    samples = np.concatenate([silence(before), tone(10 * BLOCK, -20), silence(100)])
    assert levels.last_audible(samples, RATE_HZ) == before + 10 * BLOCK


@pytest.mark.parametrize("before", range(0, 2 * BLOCK, 7))
def test_a_fading_sound_ends_at_the_same_sample_wherever_it_lies(before):
    fading = np.random.default_rng(0).normal(0, 1, 2_000) * 3_000 * 10 ** (-np.arange(2_000) / 600)
    alone = levels.last_audible(fading.astype(np.int16), RATE_HZ)
    moved = np.concatenate([silence(before), fading.astype(np.int16), silence(100)])
    assert levels.last_audible(moved, RATE_HZ) == before + alone


def test_less_than_5_ms_are_measured_as_a_whole():
    assert levels.last_audible(tone(8, -20), RATE_HZ) == 8
    assert levels.first_audible(tone(8, -20), RATE_HZ) == 0


@pytest.mark.parametrize(("below_db", "audible"), [(34, True), (36, False)])
def test_sound_is_audible_within_35_db_of_the_loudest(below_db, audible):
    samples = np.concatenate([tone(4 * BLOCK, -10), tone(4 * BLOCK, -10 - below_db)])
    assert (levels.last_audible(samples, RATE_HZ) > 7 * BLOCK) is audible


@pytest.mark.parametrize(("dbfs", "audible"), [(-54.5, True), (-55.5, False)])
def test_nothing_is_audible_below_the_floor(dbfs, audible):
    samples = tone(4 * BLOCK, dbfs)
    assert (levels.last_audible(samples, RATE_HZ) > 3 * BLOCK) is audible
    assert (levels.first_audible(samples, RATE_HZ) >= 0) is audible


def test_a_loudest_stretch_from_elsewhere_sets_the_measure():
    samples = tone(4 * BLOCK, -50)
    assert levels.last_audible(samples, RATE_HZ) > 3 * BLOCK
    loudest = levels.loudest_block(tone(BLOCK, -10), RATE_HZ)
    assert levels.last_audible_beside(samples, RATE_HZ, loudest) == 0


def test_the_first_audible_sample_is_found_inside_its_5_ms():
    samples = silence(10 * BLOCK)
    samples[3 * BLOCK + 11 :] = 5_000
    assert levels.first_audible(samples, RATE_HZ) == 3 * BLOCK + 11


def test_a_lone_quiet_tick_is_not_the_first_sound():
    samples = silence(10 * BLOCK)
    samples[BLOCK] = 100  # above the floor as a sample, far below it over 5 ms
    samples[5 * BLOCK :] = 1_000
    assert levels.first_audible(samples, RATE_HZ) == 5 * BLOCK


def test_full_scale_does_not_overflow():
    samples = np.full(192_000, -32_768, np.int16)
    assert levels.rms_dbfs(samples) == 0.0
    assert levels.last_audible(samples, 192_000) == 192_000


def test_a_full_scale_sine_is_3_db_below():
    assert levels.rms_dbfs(tone(8_000, -3.02)) == pytest.approx(-3.02, abs=0.01)


def test_silence_has_a_finite_level():
    assert levels.rms_dbfs(silence(100)) == levels.SILENCE_DBFS
    assert levels.rms_dbfs(silence(0)) == levels.SILENCE_DBFS


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 48_000])
@settings(deadline=None)  # the first example compiles
@given(
    samples=hnp.arrays(np.int16, st.integers(0, 600), elements=st.integers(-32_768, 32_767), fill=st.just(0)),
    quieter=st.integers(0, 12),
)
def test_the_compiled_code_keeps_to_the_definition(rate_hz, samples, quieter):
    samples = (samples >> quieter).astype(np.int16)
    assert (levels.first_audible(samples, rate_hz), levels.last_audible(samples, rate_hz)) == by_definition(
        samples, rate_hz
    )
