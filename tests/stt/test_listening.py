"""The ear for short sounds over the bot: a listener's words, other words, none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from bench.overlap_sounds import cough
from bench.telephone import Voices, over_the_phone

from ringline.workers.stt.listening import (
    LONGEST_SAMPLES,
    NOTHING,
    NUM_FEATURES,
    ListeningNet,
    ShortSound,
    committed,
    features,
)


@pytest.fixture(scope="module")
def said() -> Callable[..., Any]:
    """(text, voice) -> int16 at 16 kHz, as a caller ring holds it. The voices are none the net was fitted to."""
    voices = Voices()
    return lambda text, voice="en-us+f3": over_the_phone(voices.speak(text, voice), voices.rate_hz, "mulaw")


@pytest.mark.parametrize("text", ["seven", "stop", "tuesday", "wait", "nine", "where"])
@pytest.mark.parametrize("voice", ["en-us+f3", "en-gb+m3"])
def test_other_words_are_told_from_a_listeners(said: Callable[..., Any], text: str, voice: str) -> None:
    assert (ListeningNet().other_words(said(text, voice)) or 0.0) > 0.5


@pytest.mark.parametrize("text", ["okay", "uh huh", "yeah", "i see", "all right", "right"])
@pytest.mark.parametrize("voice", ["en-us+f3", "en-gb+m3"])
def test_a_listeners_words_are_no_others(said: Callable[..., Any], text: str, voice: str) -> None:
    assert (ListeningNet().other_words(said(text, voice)) or 0.0) < 0.5


def test_a_cough_is_no_word() -> None:
    rng = np.random.default_rng(1)
    heard = [ListeningNet().kinds(over_the_phone(cough(rng), 8_000, "mulaw")) for _ in range(20)]
    assert sum(kinds is None or int(kinds.argmax()) == NOTHING for kinds in heard) >= 18


def test_how_loud_it_is_and_how_much_silence_lies_around_it_do_not_matter(said: Callable[..., Any]) -> None:
    word = said("tuesday")
    around = np.concatenate([np.zeros(1_600, np.int16), word // 2, np.zeros(1_600, np.int16)])
    found, other = features(word), features(around)
    assert found is not None
    assert other is not None
    assert found.shape == (NUM_FEATURES,)
    assert np.abs(found - other).mean() < 0.1


@pytest.mark.parametrize("num_samples", [0, 100, 600, LONGEST_SAMPLES + 1])
def test_what_is_too_short_or_too_long_is_not_judged(num_samples: int) -> None:
    noise = np.random.default_rng(0).integers(-1_000, 1_000, num_samples).astype(np.int16)
    assert ListeningNet().other_words(noise) is None


def test_silence_is_not_judged() -> None:
    assert ListeningNet().other_words(np.zeros(8_000, np.int16)) is None


def test_weights_for_other_features_are_refused() -> None:
    hidden = msgspec.structs.replace(committed().hidden, rows=1)
    with pytest.raises(ValueError, match="fitted to other features"):
        ListeningNet(msgspec.structs.replace(committed(), hidden=hidden))


def test_a_sound_is_judged_as_a_whole_however_it_was_read(said: Callable[..., Any]) -> None:
    audio, sound, net = said("tuesday"), ShortSound(), ListeningNet()
    for start in range(0, audio.shape[0], 320):
        sound.feed(audio[start : start + 320])
    assert sound.other_words(net) == net.other_words(audio)


def test_a_long_sound_is_not_kept(said: Callable[..., Any]) -> None:
    sound = ShortSound()
    for part in (said("tuesday"), np.zeros(LONGEST_SAMPLES, np.int16), said("tuesday")):
        sound.feed(part)
    assert sound.other_words(ListeningNet()) is None


def test_of_a_sound_that_was_not_read_nothing_is_known() -> None:
    assert ShortSound().other_words(ListeningNet()) is None
