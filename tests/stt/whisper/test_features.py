"""The log mel spectrum is faster-whisper's, whatever the chunks it is made from."""

from __future__ import annotations

import numpy as np
import pytest
from faster_whisper.feature_extractor import FeatureExtractor

from ringline.workers.stt.whisper.features import LogMel

FILTERS = FeatureExtractor.get_mel_filters(16_000, 400, 80).astype(np.float32)
SAMPLES = np.random.default_rng(3).normal(0, 1_500, 24_037).clip(-8_000, 8_000).astype(np.int16)


def whole() -> LogMel:
    mel = LogMel(FILTERS)
    mel.feed(SAMPLES)
    return mel


@pytest.mark.parametrize("chunk", [1, 100, 160, 199, 201, 320, 5_000, 30_000])
def test_frames_do_not_depend_on_the_chunks(chunk: int) -> None:
    samples = SAMPLES[:4_000] if chunk == 1 else SAMPLES
    one, other = LogMel(FILTERS), LogMel(FILTERS)
    one.feed(samples)
    for start in range(0, samples.shape[0], chunk):
        other.feed(samples[start : start + chunk])
    np.testing.assert_allclose(one.window(0, samples.shape[0], 200), other.window(0, samples.shape[0], 200), atol=1e-4)


def test_they_are_those_of_faster_whisper() -> None:
    theirs = FeatureExtractor()(SAMPLES.astype(np.float32) / 32_768, padding=8_000)
    ours = whole().window(0, SAMPLES.shape[0], theirs.shape[1])
    np.testing.assert_allclose(ours - ours.max(), theirs - theirs.max(), atol=1e-3)


def test_a_window_goes_on_in_silence() -> None:
    window = whole().window(0, SAMPLES.shape[0], 400)
    assert window.shape == (80, 400)
    assert np.ptp(window[:, 160:]) == 0


def test_a_later_window_begins_later() -> None:
    mel = whole()
    later, all_of_it = mel.window(16_000, 24_000, 60)[:, :40], mel.window(0, 24_000, 160)[:, 100:140]
    np.testing.assert_allclose(later - later[0, 0], all_of_it - all_of_it[0, 0], atol=1e-3)


def test_a_quiet_line_is_as_loud_as_another() -> None:
    loud, soft = LogMel(FILTERS), LogMel(FILTERS)
    loud.feed(SAMPLES * 4)
    soft.feed(SAMPLES)
    np.testing.assert_allclose(loud.window(0, SAMPLES.shape[0], 200), soft.window(0, SAMPLES.shape[0], 200), atol=1e-3)


def test_nothing_is_silence() -> None:
    assert np.ptp(LogMel(FILTERS).window(0, 0, 50)) == 0
