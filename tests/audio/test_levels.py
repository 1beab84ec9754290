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


def audible_blocks(samples, rate_hz):
    """The definition, spelled out in numpy: [start, end) of each audible block."""
    block = rate_hz // 200
    edges = [(start, min(start + block, len(samples))) for start in range(0, len(samples), block)]
    power = [float(np.mean(samples[start:end].astype(np.float64) ** 2)) for start, end in edges]
    threshold = max(max(power, default=0.0) * 10**-3.5, 32_768.0**2 * 10**-5.5)
    return [edge for edge, value in zip(edges, power, strict=True) if value >= threshold]


def test_silence_has_nothing_audible():
    assert levels.last_audible(silence(1000), RATE_HZ) == 0
    assert levels.first_audible(silence(1000), RATE_HZ) == -1


def test_no_samples_have_nothing_audible():
    assert levels.last_audible(silence(0), RATE_HZ) == 0
    assert levels.first_audible(silence(0), RATE_HZ) == -1


def test_speech_ends_with_its_last_block():
    samples = np.concatenate([silence(5 * BLOCK), tone(10 * BLOCK, -20), silence(100)])
    assert levels.last_audible(samples, RATE_HZ) == 15 * BLOCK


def test_a_short_rest_at_the_end_is_a_block():
    samples = tone(3 * BLOCK + 7, -20)
    assert levels.last_audible(samples, RATE_HZ) == 3 * BLOCK + 7


@pytest.mark.parametrize(("below_db", "audible"), [(34, True), (36, False)])
def test_sound_is_audible_within_35_db_of_the_loudest(below_db, audible):
    samples = np.concatenate([tone(4 * BLOCK, -10), tone(4 * BLOCK, -10 - below_db)])
    assert levels.last_audible(samples, RATE_HZ) == (8 * BLOCK if audible else 4 * BLOCK)


@pytest.mark.parametrize(("dbfs", "audible"), [(-54.5, True), (-55.5, False)])
def test_nothing_is_audible_below_the_floor(dbfs, audible):
    samples = tone(4 * BLOCK, dbfs)
    assert (levels.last_audible(samples, RATE_HZ) == 4 * BLOCK) is audible
    assert (levels.first_audible(samples, RATE_HZ) >= 0) is audible


def test_a_loudest_block_from_elsewhere_sets_the_measure():
    samples = tone(4 * BLOCK, -50)
    assert levels.last_audible(samples, RATE_HZ) == 4 * BLOCK
    loudest = levels.loudest_block(tone(BLOCK, -10), RATE_HZ)
    assert levels.last_audible_beside(samples, RATE_HZ, loudest) == 0


def test_the_first_audible_sample_is_found_inside_its_block():
    samples = silence(10 * BLOCK)
    samples[3 * BLOCK + 11 :] = 5_000
    assert levels.first_audible(samples, RATE_HZ) == 3 * BLOCK + 11


def test_a_lone_quiet_tick_is_not_the_first_sound():
    samples = silence(10 * BLOCK)
    samples[BLOCK] = 100  # above the floor as a sample, far below it as a block
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
    blocks = audible_blocks(samples, rate_hz)
    assert levels.last_audible(samples, rate_hz) == (blocks[-1][1] if blocks else 0)
    first = levels.first_audible(samples, rate_hz)
    if first >= 0:
        assert abs(int(samples[first])) >= 58
        assert (np.abs(samples[first // (rate_hz // 200) * (rate_hz // 200) : first].astype(int)) < 59).all()
    else:
        assert not blocks
