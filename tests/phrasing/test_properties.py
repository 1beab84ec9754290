"""What holds for any text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ringline.engine.conversation.phrasing import Phrase, Phraser

_WORDS = st.text("abcdefgHIJKLéüßñдлжاबदकἀ", min_size=1, max_size=12)
_ENDS = st.sampled_from(["", "", "", "", ",", ".", "!", "?", ";", ":", "...", '"', "."])
_PROSE = st.lists(
    st.builds("".join, st.tuples(_WORDS, _ENDS)) | st.sampled_from(["Dr.", "5", "3.", "a.m.", "No.", "$25.50", "—"])
)
_MARKUP = st.sampled_from(
    "< <b> <uninterruptible> </uninterruptible> <think> [ ] ]( ( ) * ** *laughs* (sighs ` ``` ~ | 1. 2) 3. # > a Hi $"
    " 24, 。 ， 」 । 😊 &lt; \\ . ! http://x.y/z a@b.co 10:30 AB12 ² ٣ 3. Mai +49 30 1234567".split()
) | st.sampled_from(["\n", " ", "- ", "\u200d", "\ud83d", "\ude00", "\x00", "x" * 30, "-" * 20, "9" * 40, "3. Mai"])
_ANYTHING = st.text(max_size=300) | st.builds("".join, st.lists(_MARKUP, max_size=60))
_LANGUAGES = st.sampled_from(["en", "de", "fr", "es", "zh", "ar", ""])


def in_pieces(text: str, sizes: list[int], language: str) -> list[Phrase]:
    phraser = Phraser(language)
    found = []
    at = 0
    for size in sizes:
        found += phraser.feed(text[at : at + size])
        at += size
    return found + phraser.feed(text[at:]) + phraser.flush()


_SIZES = st.lists(st.integers(0, 20), max_size=60)


@given(_ANYTHING, _SIZES, _LANGUAGES)
def test_phrases_do_not_depend_on_the_deltas(text: str, sizes: list[int], language: str) -> None:
    assert in_pieces(text, sizes, language) == in_pieces(text, [], language)


@given(_PROSE, _SIZES, _LANGUAGES)
def test_no_word_of_prose_is_lost(words: list[str], sizes: list[int], language: str) -> None:
    text = "So " + " ".join(words)
    written = [word.written for phrase in in_pieces(text, sizes, language) for word in phrase.words]
    lost = ["So", *words][len(written) :]
    assert written + lost == ["So", *words]
    assert not any(char.isalnum() for word in lost for char in word)


@given(_ANYTHING, _LANGUAGES)
def test_every_word_can_be_spoken(text: str, language: str) -> None:
    for phrase in in_pieces(text, [], language):
        assert any(char.isalnum() for char in phrase.written)
        assert len(phrase.written) <= 300
        for word in phrase.words:
            assert word.spoken.strip()
            word.spoken.encode()


def test_long_text_without_structure_is_taken_in_one_delta() -> None:
    for piece in ("word ", "a", "<", "[x", "(sighs ", "*laughs ", "```", "1. ", ". ", "你", "9 "):
        text = "Hi " + piece * (20_000 // len(piece))
        assert in_pieces(text, [], "en")
