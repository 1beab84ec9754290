"""What never reaches TTS."""

from __future__ import annotations

import pytest

from .conftest import Phrases


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("**Bold**, *italic*, __both__ and ~~gone~~.", ["Bold, italic, both and gone."]),
        ("A **bold start never closed.", ["A bold start never closed."]),
        ("Use the `code` and a [link](https://x.com/a_(b)) here.", ["Use the code and a link here."]),
        ("A [link][1] and an ![image](x.png) [broken", ["A link and an image broken"]),
        ("## Title\nText", ["Title", "Text"]),
        ("- one\n* **two**\n  + three\n• four", ["one", "two", "three", "four"]),
        ("1. First\n2. Second\n3) Third", ["First", "Second", "Third"]),
        ("- [ ] open\n- [x] done", ["open", "done"]),
        ("> quote\n> > deeper", ["quote", "deeper"]),
        ("Above\n\n---\n\n***\nBelow", ["Above", "Below"]),
        ("| Day | Open |\n|:---|---:|\n| Monday | late |", ["Day, Open", "Monday, late"]),
        ("Look:\n```python\nprint('x')\n```\nDone.", ["Look:", "Done."]),
        ("Look:\n```python\nprint('x')", ["Look:"]),
        ("Great 😊! Well 👍🏽 done 👨‍👩‍👧 🇩🇪 1️⃣.", ["Great!", "Well done 1."]),
        ("Hi :) there ;-) you :D <3 xD", ["Hi there you"]),
        ("*laughs* Fine. *clears throat softly* Yes.", ["Fine.", "Yes."]),
        ("[pause] Fine (sighs) then.", ["Fine then."]),
        ("That is *very* good (as you know).", ["That is very good (as you know)."]),
        ("<p>One</p><b>two</b><br/>three <break time='1s'/>four", ["One", "two", "three four"]),
        ("<!-- not\nthis --><think>nor. this</think>Yes.", ["Yes."]),
        ("Tom &amp; Jerry &lt;b&gt;", ["Tom & Jerry b"]),
        ("Write to <anna@example.com> now.", ["Write to anna@example.com now."]),
        ("a < b, 3 * 4", ["a b, 3 * 4"]),
        ("One\u200b\u200e\ufeff\x00\ud800 two\x07.", ["One two."]),
        ("\ud83d\ude00 hi", ["hi"]),
        ("C# and #5 and snake_case stay", ["C# and #5 and snake_case stay"]),
        ("3. Would you like more?", ["3.", "Would you like more?"]),
        ("... !? —", []),
        ("", []),
    ],
)
def test_markup_is_left_out(phrases: Phrases, text: str, written: list[str]) -> None:
    for size in (1, 4, 10_000):
        assert [phrase.written for phrase in phrases(text, size=size)] == written


def test_joiners_inside_words_stay(phrases: Phrases) -> None:
    assert phrases("می\u200cخواهم بروم", "fa")[0].written == "می\u200cخواهم بروم"


def test_list_item_ends_a_sentence(phrases: Phrases) -> None:
    assert all(phrase.ends_sentence for phrase in phrases("- one\n- two"))


def test_ordinal_at_the_start_of_a_line_is_no_list(phrases: Phrases) -> None:
    assert [phrase.written for phrase in phrases("Frei ist:\n3. Mai\n4. Mai", "de")] == [
        "Frei ist:",
        "3. Mai",
        "4. Mai",
    ]


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("What's [interrupted]", []),
        ("What's [interrupted", []),
        ("What's your name? [interrupted]", ["What's your name?"]),
        ("What's [interrupted] Good morning.", ["Good morning."]),
    ],
)
def test_half_a_sentence_before_an_imitated_interruption_is_not_said(
    phrases: Phrases, text: str, spoken: list[str]
) -> None:
    assert [phrase.written for phrase in phrases(text)] == spoken
