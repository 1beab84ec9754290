"""How what is written in signs is spoken."""

from __future__ import annotations

import pytest

from .conftest import Phrases


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Baker St., apt. 4", "Baker Street, apartment four"),
        ("10 Main St, Apt 4", "ten Main Street, Apartment four"),
        ("at St. Mary's", "at Saint Mary's"),
        ("12 Baker St. in town", "twelve Baker Street in town"),
        ("it is on Elm St.", "it is on Elm Street."),
        ("ask Dr. Smith", "ask Doctor Smith"),
        ("Ask Dr. Smith", "Ask Doctor Smith"),
        ("on Elm Dr., near here", "on Elm Drive, near here"),
        ("ask your Dr. about it", "ask your Doctor about it"),
        ("on 5th Ave. near here", "on fifth Avenue near here"),
        ("Elm Rd. and Oak Blvd.", "Elm Road and Oak Boulevard."),
        ("Mr. and Mrs. Fox", "Mr. and Missus Fox"),
        ("at Mount St. Helens", "at Mount Saint Helens"),
        ("No. 5", "Number five"),
        ("no. of them", "no. of them"),
        ("$25.50", "twenty-five dollars and fifty cents"),
        ("$1", "one dollar"),
        ("$0.99", "ninety-nine cents"),
        ("£1.01", "one pound and one penny"),
        ("€1.5 million", "one point five million euros"),
        ("$10-20", "ten to twenty dollars"),
        ("$25k", "twenty-five thousand dollars"),
        ("25 EUR", "twenty-five euros"),
        ("1,250", "one thousand two hundred fifty"),
        ("3.50", "three point five zero"),
        ("25%", "twenty-five percent"),
        ("25 %", "twenty-five percent"),
        ("10-12 people", "ten to twelve people"),
        ("open 9–17", "open nine to seventeen"),
        ("9:00-17:30", "nine o’clock to seventeen thirty"),
        ("2024-2026", "twenty twenty-four to twenty twenty-six"),
        ("3-2", "three to two"),
        ("5km", "five kilometers"),
        ("1 km", "one kilometer"),
        ("-5°C", "minus five degrees Celsius"),
        ("3rd", "third"),
        ("the 1990s", "the nineteen nineties"),
        ("since 1999", "since nineteen ninety-nine"),
        ("November 24, 2026", "November twenty-fourth, twenty twenty-six"),
        ("on 24 November 2026", "on the twenty-fourth of November twenty twenty-six"),
        ("Nov. 24th", "November twenty-fourth"),
        ("2026-11-24", "November twenty-fourth, twenty twenty-six"),
        ("11/24/2026", "November twenty-fourth, twenty twenty-six"),
        ("24/11/2026", "November twenty-fourth, twenty twenty-six"),
        ("10:30", "ten thirty"),
        ("14:05", "fourteen oh five"),
        ("9:00 a.m. today", "nine A M today"),
        ("5 p.m. Bring wine.", "five P M. Bring wine."),
        ("9am", "nine A M"),
        ("9am-5pm", "nine A M to five P M"),
        ("10:30 - 11:45", "ten thirty to eleven forty-five"),
        ("12/31", "December thirty-first"),
        ("24/7", "twenty-four seven"),
        ("#12345", "number one two three four five"),
        ("10:30 AM", "ten thirty A M"),
        ("+1 (555) 123-4567", "plus one, five five five, one two three, four five six seven"),
        ("555-123-4567", "five five five, one two three, four five six seven"),
        ("AB12-9", "A B one two dash nine"),
        ("COVID-19", "COVID nineteen"),
        ("code 4711", "code four seven one one"),
        ("007", "zero zero seven"),
        ("version 2.0.1", "version two point zero point one"),
        ("#5", "number five"),
        ("1/2", "one half"),
        ("anna.b2@example.com", "anna dot b two at example dot com"),
        ("https://www.example.com/help-me?x=1", "example dot com slash help dash me"),
        ("example.de", "example dot D E"),
        ("and/or", "and or"),
        ("snake_case", "snake case"),
        ("this & that", "this and that"),
        ("e.g. this", "for example this"),
    ],
)
def test_english(phrases: Phrases, written: str, spoken: str) -> None:
    (phrase,) = phrases(written)
    assert phrase.spoken == spoken
    assert phrase.written == written


@pytest.mark.parametrize(
    ("language", "written", "spoken"),
    [
        ("de", "25,50 €", "fünfundzwanzig Euro fünfzig"),
        ("de", "25,50€", "fünfundzwanzig Euro fünfzig"),
        ("de", "1 €", "ein Euro"),
        ("de", "1.250 Euro", "eintausendzweihundertfünfzig Euro"),
        ("de", "3,5 kg", "drei Komma fünf Kilogramm"),
        ("de", "um 10:30 Uhr", "um zehn Uhr dreißig"),
        ("de", "um 9.15 Uhr", "um neun Uhr fünfzehn"),
        ("de", "um 10:30", "um zehn Uhr dreißig"),
        ("de", "am 3. Mai", "am dritten Mai"),
        ("de", "der 3. Mai", "der dritte Mai"),
        ("de", "am 24.11.2026", "am vierundzwanzigsten November zweitausendsechsundzwanzig"),
        ("de", "9-17 Uhr", "neun bis siebzehn Uhr"),
        ("de-AT", "030 1234567", "null drei null, eins zwei drei, vier fünf sechs sieben"),
        ("fr", "25,50 €", "vingt-cinq euros cinquante"),
        ("de", "vom 3. bis 5. Mai", "vom dritten bis fünften Mai"),
        ("fr", "1 250,50 €", "1 250 euros cinquante"),
        ("fr", "10h30", "dix heures trente"),
        ("fr", "le 1er mai", "le premier mai"),
        ("fr", "24/11/2026", "vingt-quatre novembre deux mille vingt-six"),
        ("fr", "01 23 45 67 89", "zéro un, vingt-trois, quarante-cinq, soixante-sept, quatre-vingt-neuf"),
        ("es", "25,50 €", "veinticinco euros con cincuenta"),
        ("es", "21 €", "veintiún euros"),
        ("es", "a las 10:30", "a las diez treinta"),
        ("es", "24/11/2026", "veinticuatro de noviembre de dos mil veintiséis"),
    ],
)
def test_other_languages(phrases: Phrases, language: str, written: str, spoken: str) -> None:
    (phrase,) = phrases(written, language)
    assert phrase.spoken == spoken


@pytest.mark.parametrize("text", ["Costa 25,50 € alle 10:30.", "Scrivi a anna@example.com il 24/11/2026."])
def test_language_without_rules_is_left_to_tts(phrases: Phrases, text: str) -> None:
    (phrase,) = phrases(text, "it")
    assert phrase.spoken == phrase.written == text


def test_word_keeps_what_was_written(phrases: Phrases) -> None:
    (phrase,) = phrases("It costs **$25.50**, sir.")
    assert [word.written for word in phrase.words] == ["It", "costs", "$25.50,", "sir."]
    assert phrase.words[2].spoken == "twenty-five dollars and fifty cents,"
