"""Words that a voice names, found in the text."""

from __future__ import annotations

import pytest

from ringline.workers.tts.words import Words


def places(text: str, spoken: list[str]) -> dict[str, int]:
    """The words of ``text`` that are found, and as the how-manieth spoken one."""
    words = Words(text)
    found = [place for number, word in enumerate(spoken) for place in words.spoken(word, number)]
    found += words.finish()
    assert [char for char, _ in found] == sorted({char for char, _ in found})
    return {text[char:].split()[0]: number for char, number in found}


@pytest.mark.parametrize(
    ("text", "spoken", "found"),
    [
        ("Good morning.", ["Good", "morning."], {"Good": 0, "morning.": 1}),
        ("  «Grüß» Gott!", ["grüß", "gott"], {"«Grüß»": 0, "Gott!": 1}),
        ("A.B. Smith at 10:30", ["A", "B", "Smith", "at", "10", "30"], {"A.B.": 0, "Smith": 2, "at": 3, "10:30": 4}),
        ("New York is big", ["newyork", "is", "big"], {"New": 0, "is": 1, "big": 2}),
        ("It costs $5 right now", ["It", "costs", "five", "dollars", "right", "now"],
         {"It": 0, "costs": 1, "right": 4, "now": 5}),
        ("5 or five", ["five", "or", "five"], {"or": 1, "five": 2}),
        ("5 and then 5 or five of us", ["five", "and", "then", "five", "or", "five", "of", "us"],
         {"and": 1, "then": 2, "or": 4, "five": 5, "of": 6, "us": 7}),
        ("at 7 now", ["at", "seven", "now"], {"at": 0, "now": 2}),
        ("🙂 hello — it is", ["🙂", "hello", "—", "it", "is"], {"hello": 1, "it": 3, "is": 4}),
        ("one two three", ["uno", "dos", "tres"], {}),
        ("", ["what"], {}),
        ("日本語です はい", ["日本", "語です", "はい"], {"日本語です": 0, "はい": 2}),
    ],
)  # fmt: skip
def test_words_are_found_or_have_no_place(text: str, spoken: list[str], found: dict[str, int]) -> None:
    assert places(text, spoken) == found
