"""Recognisers' spelling, written out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringline.engine.conversation.number_words import cardinal, ordinal
from ringline.engine.conversation.spelling import normalise, readings


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
        ("10 o' clock", "ten o'clock"),
        ("10 o clock.", "ten o'clock"),
        ("10.00.", "ten o'clock"),
        ("14h30", "fourteen thirty"),
        ("next Tues.", "next tuesday"),
        ("on sat.", "on saturday"),
        ("Sun.", "sunday"),
        ("That is where I sat.", "that is where i sat"),
        ("Dec. 1st", "december first"),
        ("3 Mar", "three march"),
        ("No. 5", "no five"),  # it answers a question far more often
        ("room No. 5", "room number five"),
        ("No. I do", "no i do"),
        ("#5", "number five"),
        ("$5", "five dollars"),
        ("$1.01", "one dollar and one cent"),
        ("50%", "fifty percent"),
        ("1.5", "one point five"),
        ("1,000", "one thousand"),
        ("twenty-five", "twenty five"),
        ("20 5", "two zero five"),
        ("555-01", "five five five zero one"),
        ("(555) 0172", "five five five zero one seven two"),
        ("...", ""),
        ("", ""),
    ],
)
def test_a_transcript_becomes_plain_words(text: str, words: str) -> None:
    assert " ".join(normalise(text)) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ten", ["ten"]),
        ("10", ["ten", "one zero"]),
        ("1030", ["one zero three zero", "ten thirty", "one thousand thirty"]),
        ("0930", ["zero nine three zero", "nine thirty"]),
        ("10:30", ["ten thirty", "one zero three zero"]),
        ("4711", ["four seven one one", "four thousand seven hundred eleven"]),
        ("1,000", ["one thousand", "one zero zero zero"]),
        ("May 3rd, 2030", ["may third two zero three zero", "may third two thousand thirty"]),
    ],
)
def test_numerals_are_read_in_every_way_that_people_say_them(text: str, words: list[str]) -> None:
    assert [" ".join(reading) for reading in readings(text)] == words


@given(st.text())
def test_the_first_reading_is_the_plain_one(text: str) -> None:
    assert readings(text)[0] == normalise(text)


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
