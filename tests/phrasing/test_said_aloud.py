"""Addresses, codes, opening hours, units and the like, read aloud in four languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringline.engine.conversation.phrasing.speaking import speak_in

from . import said_aloud
from .conftest import Phrases

TABLES = {"en": said_aloud.ENGLISH, "de": said_aloud.GERMAN, "fr": said_aloud.FRENCH, "es": said_aloud.SPANISH}
ROWS = [(language, *row.split(" | ")) for language, table in TABLES.items() for row in table.strip().splitlines()]
_SIGNS = st.text("0123456789.,:;-–/%$€£°½IVXLA'\"+#@&()xhap ²٣", min_size=1, max_size=12)
_PIECES = st.sampled_from(
    "St. Dr. No. 5 Henry VIII IBAN DE89 3704 0044 ending in 4242 Mon-Fri 9-5 z. B. flight LH 441 911 1/2 24/12".split()
)


@pytest.mark.parametrize(("language", "written", "spoken"), ROWS)
def test_read_aloud(phrases: Phrases, language: str, written: str, spoken: str) -> None:
    assert " ".join(phrase.spoken for phrase in phrases(written, language)) == spoken


@pytest.mark.parametrize(("language", "written"), sorted({(row[0], row[1]) for row in ROWS}))
def test_what_is_read_aloud_is_kept_as_written(phrases: Phrases, language: str, written: str) -> None:
    (first, *_) = found = phrases(f"{written}", language)
    kept = " ".join(phrase.written for phrase in found)
    assert kept == written or written.endswith(kept)  # a list's number is no word
    assert first.words


@given(st.lists(_SIGNS | _PIECES, min_size=1, max_size=8), st.sampled_from(sorted(TABLES)))
def test_one_word_is_said_for_one_that_is_written(texts: list[str], language: str) -> None:
    words = " ".join(texts).split()
    spoken = speak_in(language)(words)
    assert len(spoken) == len(words)
    assert all(word.strip() for word in spoken)
