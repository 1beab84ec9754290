import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringline.workers.llm.flow.words import cardinal, normalise, ordinal


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Yes.", "yes"),
        ("I'd like to, um, book an appointment, please!", "i would like to book an appointment"),
        ("I\u2019d like that's it's", "i would like that is it is"),
        ("10:30", "ten thirty"),
        ("10.30", "ten thirty"),
        ("9:05 am", "nine oh five a m"),
        ("10:00", "ten o'clock"),
        ("3pm", "three p m"),
        ("3 p.m.", "three p m"),
        ("3 p. m.", "three p m"),
        ("three pm", "three p m"),
        ("ten AM", "ten a m"),
        ("i am ten", "i am ten"),
        ("ten o'clock am", "ten o'clock a m"),
        ("the 24th", "the twenty fourth"),
        ("the 1st, 2nd and 3rd", "the first second and third"),
        ("twenty-fourth", "twenty fourth"),
        ("24", "twenty four"),
        ("007", "zero zero seven"),
        ("4711", "four seven one one"),
        ("I can't", "i cannot"),
        ("I don't", "i do not"),
        ("...", ""),
        ("", ""),
    ],
)
def test_a_transcript_becomes_plain_words(text: str, words: str) -> None:
    assert " ".join(normalise(text)) == words


@given(st.text())
def test_any_text_becomes_lower_case_words(text: str) -> None:
    for word in normalise(text):
        assert word.replace("'", "").isascii()
        assert word.replace("'", "").isalpha()
        assert word == word.lower()


@given(st.text(alphabet=st.sampled_from("abcdimnopt' 0123456789.:"), max_size=40))
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(" ".join(once)) == once


@given(st.integers(1, 99))
def test_numerals_and_words_are_the_same(number: int) -> None:
    assert " ".join(normalise(str(number))) == cardinal(number)
    assert " ".join(normalise(f"{number}th")) == ordinal(number)
