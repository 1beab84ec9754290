import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringline.workers.audio import resample
from ringline.workers.audio.resample import Resampler, design

RATES_HZ = [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000]
PAIRS = [(a, b) for a in RATES_HZ for b in (8_000, 16_000)] + [(a, b) for a in (8_000, 16_000) for b in RATES_HZ]
SOME_PAIRS = [(8_000, 16_000), (16_000, 8_000), (22_050, 8_000), (24_000, 16_000), (11_025, 16_000), (48_000, 8_000)]


def resampled(samples, from_hz, to_hz):
    resampler = Resampler(from_hz, to_hz)
    return np.concatenate([resampler.process(samples), resampler.flush()])


def tone(frequency_hz, rate_hz, amplitude=10_000.0, duration_s=0.5):
    time_s = np.arange(round(rate_hz * duration_s)) / rate_hz
    return np.rint(amplitude * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.int16)


def split_off(samples, frequency_hz, rate_hz):
    """Amplitude of a tone, and RMS of all that is not the tone."""
    middle = samples[len(samples) // 4 : -(len(samples) // 4)].astype(np.float64)
    phase = 2 * np.pi * frequency_hz * np.arange(len(middle)) / rate_hz
    basis = np.stack([np.sin(phase), np.cos(phase)], axis=1)
    weights, *_ = np.linalg.lstsq(basis, middle, rcond=None)
    return float(np.hypot(*weights)), float(np.sqrt(np.mean((middle - basis @ weights) ** 2)))


@pytest.mark.parametrize(("from_hz", "to_hz"), PAIRS)
def test_a_pulse_is_at_most_2_ms_late(from_hz, to_hz):
    middle_s = 0.05
    time_s = np.arange(round(from_hz * 0.1)) / from_hz
    pulse = np.rint(20_000 * np.exp(-(((time_s - middle_s) / 0.001) ** 2))).astype(np.int16)
    late = resampled(pulse, from_hz, to_hz).astype(np.float64)
    centroid_s = np.sum(late * np.arange(len(late))) / np.sum(late) / to_hz
    delay_s = centroid_s - middle_s
    assert delay_s <= 0.002
    assert delay_s == pytest.approx(design(from_hz, to_hz).delay_s, abs=20e-6)


@pytest.mark.parametrize(("from_hz", "to_hz"), [(8_000, 16_000), (16_000, 8_000)])
@pytest.mark.parametrize("frequency_hz", [100, 300, 1_000, 2_000, 3_000, 3_400])
def test_the_telephone_band_passes_flat(from_hz, to_hz, frequency_hz):
    amplitude, rest = split_off(resampled(tone(frequency_hz, from_hz), from_hz, to_hz), frequency_hz, to_hz)
    assert abs(20 * np.log10(amplitude / 10_000)) < 0.1
    assert 20 * np.log10(rest / amplitude) < -60  # images and rounding


@pytest.mark.parametrize("frequency_hz", [4_400, 4_600, 5_000, 6_000, 7_000, 7_900])
def test_what_8_khz_cannot_carry_is_suppressed(frequency_hz):
    down = resampled(tone(frequency_hz, 16_000), 16_000, 8_000)[200:-200].astype(np.float64)
    assert np.sqrt(np.mean(down**2)) < 10_000 / 2**0.5 / 1_000


@pytest.mark.parametrize(("from_hz", "to_hz"), SOME_PAIRS)
def test_the_stop_band_is_60_db_down(from_hz, to_hz):
    made = design(from_hz, to_hz)
    lower_hz, upper_hz = min(from_hz, to_hz), made.up * from_hz
    gains_db = [resample.response_db(made, from_hz, f) for f in np.linspace(lower_hz / 2 + 400, upper_hz / 2, 500)]
    assert max(gains_db) < -60


@pytest.mark.parametrize(("from_hz", "to_hz"), PAIRS)
def test_a_constant_passes_unchanged(from_hz, to_hz):
    steady = resampled(np.full(from_hz // 10, 12_345, np.int16), from_hz, to_hz)
    settled = to_hz // 200
    assert (np.abs(steady[settled:-settled] - 12_345) <= 1).all()


@pytest.mark.parametrize(("from_hz", "to_hz"), PAIRS)
def test_a_second_makes_a_second(from_hz, to_hz):
    assert len(Resampler(from_hz, to_hz).process(np.zeros(from_hz, np.int16))) == to_hz


@pytest.mark.parametrize(("from_hz", "to_hz"), SOME_PAIRS)
@settings(deadline=None)  # the first example compiles
@given(chunks=st.lists(st.integers(0, 500), max_size=8), seed=st.integers(0, 1000), loud=st.booleans())
def test_chunking_never_shows(from_hz, to_hz, chunks, seed, loud):
    source = np.random.default_rng(seed).integers(-32_768, 32_768, sum(chunks)).astype(np.int16)
    source >>= 0 if loud else 4
    whole = Resampler(from_hz, to_hz)
    expected = np.concatenate([whole.process(source), whole.flush()])
    pieces = Resampler(from_hz, to_hz)
    made = [pieces.process(chunk) for chunk in np.split(source, np.cumsum(chunks))]
    made.append(pieces.flush())
    assert np.array_equal(np.concatenate(made), expected)


@settings(deadline=None)  # the first example compiles
@given(history=st.integers(resample.MAX_TAPS_PER_PHASE, resample.HISTORY_SIZE))
def test_the_length_of_the_history_never_shows(history):
    made = design(48_000, 16_000)
    source = np.random.default_rng(0).integers(-20_000, 20_000, 2_000).astype(np.int16)
    results = []
    for size in (history, resample.HISTORY_SIZE):
        target = np.zeros(1_000, np.int16)
        state, row = np.zeros(resample.STATE_SIZE, np.int64), np.zeros(size, np.float32)
        num = resample.resample_block(made.taps, made.up, made.down, made.taps_per_phase, state, row, source, target)
        results.append(target[:num])
    assert np.array_equal(*results)


@settings(deadline=None)  # the first example compiles
@given(num_samples=st.integers(0, 2_000), pair=st.sampled_from(PAIRS), before=st.integers(0, 50))
def test_never_more_than_max_output(num_samples, pair, before):
    made = design(*pair)
    resampler = Resampler(*pair)
    resampler.process(np.zeros(before, np.int16))
    num = len(resampler.process(np.zeros(num_samples, np.int16)))
    assert num <= resample.max_output(num_samples, made.up, made.down)


@pytest.mark.parametrize(("from_hz", "to_hz"), SOME_PAIRS)
def test_overshoot_saturates_and_does_not_wrap(from_hz, to_hz):
    square = np.where(np.arange(from_hz // 4) // 40 % 2, 32_767, -32_768).astype(np.int16)
    steps = np.diff(resampled(square, from_hz, to_hz).astype(int))
    made = resampled(square, from_hz, to_hz)
    assert made.max() == 32_767
    assert made.min() == -32_768
    # A wrapped sample jumps by nearly the whole range twice in a row.
    assert not ((np.abs(steps[1:]) > 60_000) & (np.abs(steps[:-1]) > 60_000)).any()


def test_equal_rates_pass_through_without_delay():
    source = np.random.default_rng(0).integers(-32_768, 32_768, 1_000).astype(np.int16)
    resampler = Resampler(16_000, 16_000)
    assert np.array_equal(resampler.process(source), source)
    assert len(resampler.flush()) == 0
    assert design(16_000, 16_000).delay_s == 0


def test_flush_brings_the_end_and_starts_anew():
    source = tone(440, 22_050, duration_s=0.1)
    resampler = Resampler(22_050, 8_000)
    first = np.concatenate([resampler.process(source), resampler.flush()])
    assert len(first) >= 800 + int(0.0019 * 8_000)
    assert np.array_equal(np.concatenate([resampler.process(source), resampler.flush()]), first)


def test_a_target_without_room_is_refused():
    made = design(8_000, 16_000)
    state, history = np.zeros(resample.STATE_SIZE, np.int64), np.zeros(resample.HISTORY_SIZE, np.float32)
    source = np.zeros(160, np.int16)
    with pytest.raises(ValueError, match="too small"):
        resample.resample_block(made.taps, 2, 1, made.taps_per_phase, state, history, source, np.zeros(319, np.int16))


def test_a_history_shorter_than_the_filter_is_refused():
    made = design(48_000, 16_000)
    state, history = np.zeros(resample.STATE_SIZE, np.int64), np.zeros(made.taps_per_phase - 1, np.float32)
    source, target = np.zeros(160, np.int16), np.zeros(160, np.int16)
    with pytest.raises(ValueError, match="history"):
        resample.resample_block(made.taps, 1, 3, made.taps_per_phase, state, history, source, target)


@pytest.mark.parametrize(("from_hz", "to_hz"), [(0, 8_000), (8_000, 0), (-8_000, 8_000), (16_000, 200_000)])
def test_rates_that_no_call_has_are_refused(from_hz, to_hz):
    with pytest.raises(ValueError, match="lies outside"):
        design(from_hz, to_hz)


def test_rates_without_a_small_ratio_are_refused():
    with pytest.raises(ValueError, match="no small ratio"):
        design(191_999, 8_000 - 1)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_every_filter_fits_into_the_history(rate_hz):
    for other_hz in RATES_HZ:
        assert design(rate_hz, other_hz).taps_per_phase <= resample.MAX_TAPS_PER_PHASE
