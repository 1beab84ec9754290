"""Fades: their ends, their range."""

import numpy as np

from ringline.workers.audio.fades import fade_in, fade_out, mix_in


def test_fade_in_and_fade_out_of_the_same_samples_add_up_to_them():
    samples = np.random.default_rng(0).integers(-30_000, 30_000, 40).astype(np.int16)
    rising, falling = samples.copy(), samples.copy()
    fade_in(rising)
    fade_out(falling)
    assert np.abs(rising.astype(int) + falling - samples).max() <= 1


def test_fade_begins_full_and_ends_silent():
    samples = np.full(40, 10_000, np.int16)
    fade_out(samples)
    assert samples[0] > 9_980
    assert samples[-1] < 20
    assert (np.diff(samples) < 0).all()


def test_sum_that_is_too_loud_is_clipped():
    samples = np.array([30_000, -30_000, 100], np.int16)
    mix_in(samples, np.array([30_000, -30_000], np.int16))
    assert samples.tolist() == [32_767, -32_768, 100]


def test_nothing_is_nothing():
    nothing = np.zeros(0, np.int16)
    fade_in(nothing)
    fade_out(nothing)
    mix_in(nothing, nothing)
