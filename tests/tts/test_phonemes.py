"""Which phonemes belong to which word."""

from __future__ import annotations

import pytest

from ringline.workers.tts.espeak_library import library
from ringline.workers.tts.phonemes import spoken_words


def words(text: str, voice: str = "en-us", tie: str = "", **dictionary: str) -> list[tuple[str, str]]:
    return [(text[word.char :].split()[0], word.phonemes) for word in spoken_words(text, voice, tie, dictionary)]


def test_words_have_their_phonemes_with_marks_and_spaces() -> None:
    assert words("Good morning, “you”.") == [("Good", "ɡˈʊd "), ("morning,", "mˈɔːɹnɪŋ, "), ("“you”.", "“juː”. ")]


def test_words_that_are_spoken_as_one_are_told_apart() -> None:
    assert words("I am the best of a kind") == [
        ("I", "aɪ"), ("am", "ɐm "), ("the", "ðə "), ("best", "bˈɛst "), ("of", "əv"), ("a", "ə "), ("kind", "kˈaɪnd "),
    ]  # fmt: skip


def test_word_that_is_spoken_as_several_has_them_all() -> None:
    assert words("the 42nd time")[1] == ("42nd", "fˈɔːɹɾi sˈɛkənd ")


@pytest.mark.parametrize("tie", ["", "^"])
@pytest.mark.parametrize(
    "text", ["I am on my way out of the house to the one at the end of a lane", "it is as it was and I do"]
)
def test_together_they_are_what_espeak_would_say(text: str, tie: str) -> None:
    joined = "".join(phonemes for _, phonemes in words(text, tie=tie))
    assert joined.strip() == library().phonemes(text, library().voice("en-us"), tie).strip()


def test_sounds_of_two_letters_are_not_cut() -> None:
    for _, phonemes in words("I am on my way out of a house as I say so", tie="^"):
        assert not phonemes.startswith(("^", "ː"))
        assert not phonemes.strip().endswith("^")


def test_dictionary_takes_the_place_of_a_words_phonemes() -> None:
    assert words("Dear Nguyen, hi", nguyen="w\u02c8ɪn")[1] == ("Nguyen,", "wˈɪn, ")
    assert words("Dear Nguyen, hi", tie="^", nguyen="wˈeɪn")[1] == ("Nguyen,", "wˈe^ɪn, ")


@pytest.mark.parametrize("text", ["", " ", "...", "— …", "\x00\u200b"])
def test_text_without_words_has_no_phonemes(text: str) -> None:
    assert words(text) == []


def test_other_languages_are_spoken_by_their_rules() -> None:
    assert words("Grüß Gott", "de") == [("Grüß", "ɡɾˈyːs "), ("Gott", "ɡˈɔt ")]
    with pytest.raises(ValueError, match="nosuchvoice"):
        words("Hello", "nosuchvoice")
