"""Where phrases end."""

from __future__ import annotations

import pytest

from ringline.engine.conversation.phrasing import Phraser

from .conftest import Phrases


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        ("en", ["Dr. Smith will see you.", "Good."]),
        ("en", ["It opens at 9 a.m. on Monday.", "Good."]),
        ("en", ["We close at 5 p.m.", "See you then."]),
        ("en", ["Ask for J. Smith.", "Thanks."]),
        ("en", ["It costs 3.5 dollars.", "OK."]),
        ("en", ["It is 10.30 now.", "OK."]),
        ("en", ["See www.example.com now.", "Good."]),
        ("en", ["Well... maybe not.", "Yes."]),
        ("en", ['He said "Stop!" and left.', "Then?"]),
        ("en", ["She said “Yes.”", "Next."]),
        ("en", ["No. 5 is ready.", "Next."]),
        ("en", ["No.", "I do not."]),
        ("en", ["It is on St. John Street.", "Fine."]),
        ("en", ["It is on Baker St.", "Come by."]),
        ("en", ["It is on 5th Ave.", "Come by."]),
        ("en", ["Visit St. Mary's.", "Fine."]),
        ("en", ["He is in apt. 4.", "Fine."]),
        ("en", ["Please Ask Dr. Smith.", "Fine."]),
        ("en", ["Version 2.0.1 is out.", "Good."]),
        ("en", ["Is it 3?", "4.", "Fine."]),
        ("en", ["Okay (really.)", "Next."]),
        ("en", ["Thanks!!!", "Bye..."]),
        ("de", ["Es ist am 3. Mai um 10.30 Uhr.", "Gut."]),
        ("de", ["3. Mai passt.", "Gut."]),
        ("de", ["Herr Dr. Müller ist z.B. da.", "Danke."]),
        ("de", ["Das sind ca. 5 km.", "Gut."]),
        ("de", ["Es sind 3.", "Nicht 4."]),
        ("fr", ["Vraiment ?", "Oui.", "M. Dupont arrive."]),
        ("en", ["It is 5 km (approx. 3 miles).", "Good."]),
        ("es", ["¿Qué?", "El Sr. López llega."]),
        ("nl", ["Dhr. Jansen komt maandag.", "Goed."]),
        ("pl", ["To jest np. Jan.", "Dobrze."]),
        ("ru", ["Да.", "Нет."]),
        ("ar", ["هل أنت بخير؟", "نعم."]),
        ("hi", ["यह ठीक है।", "धन्यवाद।"]),
        ("ur", ["ٹھیک ہے۔", "اچھا۔"]),
        ("am", ["ሰላም።", "ደህና።"]),
        ("hy", ["Բարեւ։", "Այո։"]),
        ("a language nobody knows", ["Foo bar.", "Baz."]),
    ],
)
def test_sentences(phrases: Phrases, language: str, sentences: list[str]) -> None:
    found = phrases(" ".join(sentences), language)
    assert [phrase.written for phrase in found] == sentences
    assert all(phrase.ends_sentence for phrase in found)


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        ("zh", ["你好。", "再见！", "好吗？"]),
        ("ja", ["「はい。」", "そうです。"]),
        ("km", ["សួស្តី។", "បាទ។"]),
    ],
)
def test_sentences_without_spaces(phrases: Phrases, language: str, sentences: list[str]) -> None:
    assert [phrase.written for phrase in phrases("".join(sentences), language)] == sentences


@pytest.mark.parametrize(
    ("language", "text", "first"),
    [
        ("en", "Sure, I can do that, just a second.", "Sure, I can do that,"),
        ("en", "I can do that for you: just wait.", "I can do that for you:"),
        ("en", "You are in luck today — we are open.", "You are in luck today —"),
        ("en", "You are booked on November 24, 2026, that is a Tuesday.", "You are booked on November 24, 2026,"),
        ("en", "That is open from 9 - 17 on Mondays, so come.", "That is open from 9 - 17 on Mondays,"),
        ("en", "I can do that for you, Monday is fine.", "I can do that for you,"),
        ("en", "I can do that for you, I think.", "I can do that for you,"),
        ("en", "We can do that, Mr. Smith can help you.", "We can do that,"),
        ("en", "I can do that, too many times.", "I can do that,"),
        ("en", "I am on Baker Street, near the park.", "I am on Baker Street,"),
        ("en", "Yes, of course.", "Yes, of course."),
        ("zh", "好的，我来帮您查一下，请稍等。", "好的，我来帮您查一下，"),
        ("ar", "شكرا جزيلا لك يا صديقي، وداعا.", "شكرا جزيلا لك يا صديقي،"),
    ],
)
def test_first_phrase_ends_at_a_clause(phrases: Phrases, language: str, text: str, first: str) -> None:
    assert phrases(text, language)[0].written == first


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("I'm glad you're here, John.", "I'm glad you're here, John."),
        ("I'm glad you're here, John. How are you?", "I'm glad you're here, John."),
        ("I'm glad you're here, Mr. John Miller! Welcome.", "I'm glad you're here, Mr. John Miller!"),
        ("I can help you with that, sir. Just wait.", "I can help you with that, sir."),
        ("I can help you with that, John, just wait.", "I can help you with that, John,"),
        ("We have a table for that, too.", "We have a table for that, too."),
        ("You live at 221 Baker St., apt. 4, is that right?", "You live at 221 Baker St., apt. 4,"),
    ],
)
def test_first_phrase_takes_a_name_or_number_behind_its_comma_along(phrases: Phrases, text: str, first: str) -> None:
    assert phrases(text)[0].written == first


def test_second_phrase_of_a_reply_is_a_whole_sentence(phrases: Phrases) -> None:
    found = phrases("That is no problem at all. We have one at ten, one at two, and one at four.")
    assert [phrase.written for phrase in found][1:] == ["We have one at ten, one at two, and one at four."]


def test_clause_behind_a_very_short_first_sentence_leaves_early(phrases: Phrases) -> None:
    found = phrases("Sure! We have one at ten, one at two, and one at four.")
    assert [phrase.written for phrase in found] == ["Sure!", "We have one at ten,", "one at two, and one at four."]
    assert [phrase.ends_sentence for phrase in found] == [True, False, True]


def test_long_sentence_is_cut_at_a_clause(phrases: Phrases) -> None:
    clause = "and then we go on with something else that is rather long,"
    found = phrases("This is the first one here. " + f"{clause} " * 4 + "until it ends.")
    assert [phrase.written for phrase in found][1:] == [" ".join([clause] * 3), f"{clause} until it ends."]


def test_sentence_without_end_is_cut_at_a_word(phrases: Phrases) -> None:
    found = phrases("word " * 200)
    assert all(250 < len(phrase.written) <= 300 for phrase in found[:-1])
    assert " ".join(phrase.written for phrase in found).split() == ["word"] * 200


def test_sentence_leaves_when_the_next_word_begins() -> None:
    phraser = Phraser()
    assert phraser.feed("One moment.") == []
    assert [phrase.written for phrase in phraser.feed(" I")] == ["One moment."]


def test_clause_leaves_when_the_next_word_begins_that_is_no_name() -> None:
    phraser = Phraser()
    assert phraser.feed("I can do that for you, ") == []
    assert [phrase.written for phrase in phraser.feed("b")] == ["I can do that for you,"]


def test_clause_waits_for_the_word_behind_what_may_be_a_name() -> None:
    phraser = Phraser()
    assert phraser.feed("I can do that for you, Monday ") == []
    assert [phrase.written for phrase in phraser.feed("i")] == ["I can do that for you,"]
    assert [phrase.written for phrase in phraser.flush()] == ["Monday i"]


def test_clause_at_a_colon_leaves_at_the_space() -> None:
    phraser = Phraser()
    assert phraser.feed("I can do that for you:") == []
    assert [phrase.written for phrase in phraser.feed(" ")] == ["I can do that for you:"]


def test_number_with_full_stop_waits_for_the_next_word() -> None:
    phraser = Phraser("de")
    assert phraser.feed("Es ist der 3. Ma") == []
    assert [phrase.written for phrase in phraser.feed("nn da")] == ["Es ist der 3."]


def test_what_follows_a_flush_is_another_reply(phrases: Phrases) -> None:
    phraser = Phraser()
    phraser.feed("<uninterruptible>Let me look that up")
    assert [phrase.written for phrase in phraser.flush()] == ["Let me look that up"]
    (first,) = phraser.feed("I have found a table for two, at ")
    assert (first.written, first.uninterruptible) == ("I have found a table for two,", False)
    assert [phrase.written for phrase in phraser.flush()] == ["at"]
    assert phraser.flush() == []


def test_uninterruptible_spans_phrases_and_is_never_mixed(phrases: Phrases) -> None:
    text = "Listen <uninterruptible>this is recorded. Stay.</uninterruptible> Thanks."
    assert [(phrase.written, phrase.uninterruptible) for phrase in phrases(text)] == [
        ("Listen", False),
        ("this is recorded.", True),
        ("Stay.", True),
        ("Thanks.", False),
    ]
