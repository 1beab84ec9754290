"""The reply's text, cut into sentences while it streams in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringline.engine.conversation.phrases import MAX_PHRASE_CHARS, Phraser


def phrases_of(*pieces: str) -> list[str]:
    phraser = Phraser()
    found = [phrase for piece in pieces for phrase in phraser.feed(piece)]
    rest = phraser.flush()
    return [*found, rest] if rest else found


def test_sentence_leaves_as_soon_as_it_is_complete() -> None:
    phraser = Phraser()
    assert phraser.feed("One moment. I") == ["One moment."]


def test_full_stop_at_the_end_of_a_piece_waits_for_what_follows() -> None:
    assert phrases_of("It is 3.", "5 metres. Good.") == ["It is 3.5 metres.", "Good."]


@pytest.mark.parametrize(
    "sentence",
    [
        "Dr. Miller will see you at 10.30 today.",
        "That is at 9 a.m. on Monday.",
        "Ask for J. Smith at the desk.",
        "See www.example.com for more.",
    ],
)
def test_full_stop_inside_a_sentence_does_not_end_it(sentence: str) -> None:
    assert phrases_of(sentence + " Good.") == [sentence, "Good."]


def test_question_and_exclamation_end_sentences() -> None:
    assert phrases_of("Really? Yes! Good") == ["Really?", "Yes!", "Good"]


def test_new_line_ends_a_sentence() -> None:
    assert phrases_of("First\nsecond") == ["First", "second"]


def test_sentence_without_end_is_cut_at_a_word() -> None:
    found = phrases_of("word " * 200)
    assert len(found) > 2
    assert all(len(phrase) <= MAX_PHRASE_CHARS for phrase in found)
    assert " ".join(found).split() == ["word"] * 200


@given(st.text(max_size=400), st.integers(1, 50))
def test_chunking_changes_nothing_and_nothing_is_lost(text: str, size: int) -> None:
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    assert "".join(" ".join(phrases_of(*pieces)).split()) == "".join(text.split())
