"""What Whisper says that nobody said."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringline.workers.stt.whisper.guards import Heard, is_phantom, max_tokens, without_loop

SURE = Heard("I'd like to book a table", log_prob=-0.2, no_speech=0.01, speech_s=2.0, language="en", is_told=False)


def heard(
    text: str,
    log_prob: float = -0.2,
    no_speech: float = 0.01,
    speech_s: float = 2.0,
    language: str = "en",
    is_told: bool = False,
) -> Heard:
    return Heard(text, log_prob, no_speech, speech_s, language, is_told)


def test_what_was_said_stays() -> None:
    assert not is_phantom(SURE)


def test_a_short_answer_stays() -> None:
    assert not is_phantom(heard("No.", speech_s=0.2))


def test_a_digit_of_which_the_model_is_unsure_stays() -> None:
    assert not is_phantom(heard("Two.", log_prob=-1.07, no_speech=0.91, speech_s=0.3))


def test_noise_that_goes_on_with_the_question_goes() -> None:
    echo = heard("I'm going to help you.", log_prob=-1.1, no_speech=0.53, is_told=True)
    assert is_phantom(echo)
    assert not is_phantom(msgspec.structs.replace(echo, is_told=False))


def test_an_answer_of_which_the_model_is_sure_stays_however_quiet() -> None:
    assert not is_phantom(heard("Eight.", log_prob=-0.3, no_speech=0.6, speech_s=0.3, is_told=True))


def test_thanks_said_clearly_stay() -> None:
    assert not is_phantom(heard("Thank you.", speech_s=0.6))


@pytest.mark.parametrize(
    "one",
    [
        heard("", log_prob=0.0),
        heard("...", log_prob=-0.1),
        heard("Hello", speech_s=0.02),
        heard("Hello there", log_prob=-2.0),
        heard("Hello there", log_prob=-1.3, no_speech=0.8),
        heard("Thank you for watching!"),
        heard("Untertitel im Auftrag des ZDF, 2020", language="de"),
        heard("Thank you.", log_prob=-0.8, speech_s=0.4),
        heard("you", log_prob=-0.9, no_speech=0.7, speech_s=4.5),
        heard("Thank you.", no_speech=0.5, speech_s=0.4),
        heard("Vielen Dank.", log_prob=-0.7, speech_s=0.4, language="de"),
    ],
    ids=lambda one: one.text,
)
def test_what_nobody_said_goes(one: Heard) -> None:
    assert is_phantom(one)


def test_a_sentence_is_said_once() -> None:
    assert without_loop([1, 2, 3, 4, 5, 6, 7, 8] * 2) == (1, 2, 3, 4, 5, 6, 7, 8)


def test_the_circle_may_begin_late() -> None:
    assert without_loop([9, 8, *[1, 2, 3, 4] * 4, 7]) == (9, 8, 1, 2, 3, 4)


def test_no_no_no_is_no_loop() -> None:
    assert without_loop([1, 2, 1, 2, 1, 2]) == (1, 2, 1, 2, 1, 2)


def test_four_zeros_are_no_loop() -> None:
    assert without_loop([5, 0, 0, 0, 0, 6]) == (5, 0, 0, 0, 0, 6)


@given(st.lists(st.integers(0, 3), max_size=60))
def test_what_is_left_is_a_beginning_and_no_loop(tokens: list[int]) -> None:
    left = without_loop(tokens)
    assert list(left) == tokens[: len(left)]
    assert without_loop(left) == left


def test_more_can_be_said_in_more_time() -> None:
    assert max_tokens(0.0) < max_tokens(1.0) < max_tokens(10.0)
