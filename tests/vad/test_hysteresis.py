"""What becomes of the model's probabilities: a scripted model says them."""

import threading

import numpy as np
import pytest
from conftest import windows

from ringline.engine.config import SileroVad

WINDOW = 512


def samples_of(events):
    return [(event.started, event.sample) for event in events]


def test_two_speech_windows_in_a_row_start_an_utterance(scripted):
    ears = scripted()
    ears.vad.open(0, 7)
    events = ears.hear({0: windows(0, 0, 0, 0.9, 0.9)})
    assert [(event.slot, event.call, event.started) for event in events] == [(0, 7, True)]
    assert events[0].sample == 2 * WINDOW  # one window of pad before the first of the two


def test_a_single_speech_window_starts_nothing(scripted):
    ears = scripted()
    ears.vad.open(0, 7)
    assert ears.hear({0: windows(0, 0.9, 0, 0.9, 0, 0.9, 0.49, 0.9)}) == []


def test_the_start_is_never_before_the_call(scripted):
    ears = scripted()
    ears.vad.open(0, 7)
    assert samples_of(ears.hear({0: windows(0.9, 0.9)})) == [(True, 0)]
