"""WebRTC VAD over the windows of many calls."""

import numpy as np
import pytest
import webrtcvad
from hypothesis import given, settings
from hypothesis import strategies as st

from ringline.workers import extras
from ringline.workers.base import CannotStart
from ringline.workers.capture.webrtc import WebRtcStreams
from ringline.workers.capture.windows import CONTEXT, WINDOW

RATE_HZ = 16_000


@st.composite
def signals(draw):
    """A second of noise that changes its level every 40 ms."""
    rng = np.random.default_rng(draw(st.integers(0, 1_000)))
    levels = np.array(draw(st.lists(st.sampled_from([0, 30, 300, 3_000]), min_size=25, max_size=25)))
    return np.rint(rng.normal(0, 1, RATE_HZ) * np.repeat(levels, RATE_HZ // 25)).clip(-32_768, 32_767).astype(np.int16)


def row(samples, end):
    padded = np.concatenate([np.zeros(CONTEXT + WINDOW, np.int16), samples])
    return padded[end : end + CONTEXT + WINDOW].astype(np.float32)[None] / 32_768


@settings(deadline=None, max_examples=60)
@given(
    samples=signals(),
    ends=st.lists(st.integers(0, 30 * WINDOW), max_size=20),
    aggressiveness=st.integers(0, 3),
    frame_ms=st.sampled_from([10, 20, 30]),
)
def test_a_probability_is_the_share_of_speech_among_the_frames_that_end_in_the_window(
    samples, ends, aggressiveness, frame_ms
):
    frame = frame_ms * RATE_HZ // 1000
    detector = webrtcvad.Vad(aggressiveness)
    verdicts = [
        detector.is_speech(samples[start : start + frame].tobytes(), RATE_HZ)
        for start in range(0, len(samples) - frame + 1, frame)
    ]
    model = WebRtcStreams(1, aggressiveness, frame_ms)
    # Full windows, and looks ahead between them wherever they fall.
    for end in sorted({*range(WINDOW, len(samples), WINDOW), *(end for end in ends if WINDOW < end < len(samples))}):
        (found,) = model.judge(np.array([0]), np.array([end]), row(samples, end))
        ended = [said for i, said in enumerate(verdicts) if end - WINDOW < (i + 1) * frame <= end]
        assert found == pytest.approx(sum(ended) / len(ended))


def test_a_higher_aggressiveness_takes_less_for_speech():
    noise = np.random.default_rng(3).normal(0, 1_500, 10 * RATE_HZ).astype(np.int16)
    shares = []
    for aggressiveness in range(4):
        model = WebRtcStreams(1, aggressiveness, 10)
        ends = range(WINDOW, len(noise), WINDOW)
        shares.append(np.mean([model.judge(np.array([0]), np.array([end]), row(noise, end)) for end in ends]))
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > shares[3]


@pytest.mark.parametrize(("level", "expected"), [(1.5, 32_767), (-1.5, -32_768)])
def test_what_lies_beyond_the_range_is_clipped(level, expected):
    """As where more of an echo was taken out than there was."""
    model = WebRtcStreams(1, 3, 10)
    model.judge(np.array([0]), np.array([WINDOW]), np.full((1, CONTEXT + WINDOW), level, np.float32))
    assert (model._pending[0, : model._num_pending[0]] == expected).all()
    assert model._num_pending[0] == WINDOW % 160


def test_without_its_package_it_says_how_to_get_it(monkeypatch):
    def missing(module):
        raise ModuleNotFoundError(f"No module named '{module}'", name=module)

    monkeypatch.setattr(extras.importlib, "import_module", missing)
    with pytest.raises(CannotStart, match=r"webrtcvad is missing: pip install 'ringline\[webrtc\]'"):
        WebRtcStreams(1, 3, 10)
