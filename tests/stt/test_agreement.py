"""What of a hypothesis will stay."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ringline.workers.stt.agreement import agreed_words, stable_characters

TEXTS = st.lists(st.text("abcß.,!", min_size=1, max_size=5), max_size=8).map(" ".join)


def test_words_agree_in_spite_of_case_and_punctuation() -> None:
    assert agreed_words("Yes. i would", "yes, I wood like") == 2


def test_nothing_agrees_with_a_first_hypothesis() -> None:
    assert agreed_words("", "hello there") == 0


def test_the_last_stable_words_punctuation_may_still_change() -> None:
    assert "yes, I would."[: stable_characters("yes, I would. Or not", 3)] == "yes, I would"


def test_no_words_are_no_characters() -> None:
    assert stable_characters("hello there", 0) == 0
    assert stable_characters("", 3) == 0


@given(TEXTS, TEXTS)
def test_stable_part_is_a_beginning_of_both_but_for_punctuation(earlier: str, later: str) -> None:
    count = agreed_words(earlier, later)
    assert 0 <= stable_characters(later, count) <= len(later)
    assert agreed_words(" ".join(earlier.split()[:count]), later) == count


@given(TEXTS)
def test_a_hypothesis_agrees_with_itself(text: str) -> None:
    assert agreed_words(text, text) == len(text.split())
