"""Numbers, spelled names and addresses that are half said are waited for, whatever brain the bot has."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringline.engine.config import TurnConfig
from ringline.engine.conversation.actions import CallerSaid
from ringline.engine.conversation.codes import num_keys_asked
from ringline.engine.conversation.endpointing import Decision, Endpointing
from ringline.engine.conversation.number_words import digit_by_digit
from ringline.ipc.messages import Expectation, Generate

LONGEST_MS = TurnConfig().endpoint_max_ms
BASE_MS = TurnConfig().endpoint_ms
SHORTEST_MS = TurnConfig().endpoint_min_ms


def decide(text: str, asked: str = "", language: str = "en", finished: float | None = None) -> Decision:
    return Endpointing(TurnConfig(), language).decide(text, Expectation(), finished, asked)


OPEN = {
    ("en", ""): [
        "my number is zero one seven", "My number is 017.", "It's 017", "zero one seven", "555", "5 5 5", "555-01",
        "My number is 555, 01", "you can reach me at 0170", "call me on 07700 900", "triple five oh one", "+49 170",
        "My email is anna dot", "anna.lee at", "john at", "anna.schmidt@", "My name is Miller, M I L",
        "Miller, M I", "M I L L", "It's spelled M-I-L", "the code is A B 4", "the code is 4", "mike india lima",
        "my phone number is double seven", "the area code is 212", "area code", "it's double", "plus", "M as in",
        "the account number is 4 7", "it begins with", "0 1 7, um", "so zero one seven, uh", "my number is",
        "my email is john", "my e-mail address is j o", "my extension is 4 2", "account ending 4 4", "IBAN DE89",
        "the last digits are 4 7", "my customer number is 4", "order 4 5 6", "my PIN is 4",
        "the order number is A as in apple",
        "the code is", "it's spelled", "you can call me on", "my number is one hundred",
    ],
    ("en", "What is your phone number?"): [
        "two", "5", "seven oh three", "zero one seven", "555 0123", "It's 212-555-01", "um, 212, um",
        "yes it's 212 555",
        "(212) 555", "double five", "twenty four thirty one", "+44 7700 900", "1 800 555", "nine hundred", "212.555",
    ],
    ("en", "Great! What's your phone number? I'll call you when it is ready."): ["two", "zero one seven", "555"],
    ("en", "Please tell me your mobile number. We will send it within the day."): ["two", "zero one seven", "555"],
    ("en", "May I have your name and a phone number?"): ["two", "it's Miller, 555"],
    ("en", "And your four digit PIN?"): ["4", "one hundred twenty", "four seven", "47", "4 7 1", "double four"],
    ("en", "The last four digits of your card, please."): ["47 1", "four"],
    ("en", "What's your order number?"): ["A B 12", "4711", "B12", "it's A B", "four seven one one"],
    ("en", "What's your email address?"): [
        "anna", "anna dot", "anna at gmail", "anna at gmail dot", "anna.schmidt@gmail", "it's anna underscore",
        "j o h n", "jane at bbc dot co", "my email is anna dot schmidt at", "it's a n n a dash",
    ],
    ("en", "Could you spell your last name?"): [
        "M", "M I L", "M as in Mary", "M for Mike, I for India", "S M I", "double t",
    ],
    ("en-GB", "What's your postcode?"): ["SW1A", "S W 1 A", "EC1A 1", "M1"],
    ("en", "What's your zip code?"): ["902", "9 0 2 1", "nine oh two"],
    ("en", "What is your address?"): ["2 Baker", "twenty third", "221", "it's 42 Elm"],
    ("de", ""): ["meine Nummer ist 0170", "Müller, M Ü L", "meine Kundennummer ist 4", "anna punkt"],
    ("fr", ""): ["mon numéro est le 06", "c'est le 06 12"],
    ("es", ""): ["mi número es seis", "mi código postal es 2"],
    ("de", "Wie lautet Ihre Telefonnummer?"): [
        "null eins sieben", "0170 123", "siebenundzwanzig", "null eins sieben null dreiundzwanzig fünfundvierzig",
        "+49 170",
    ],
    ("de", "Ihre vierstellige PIN, bitte."): ["47", "vier sieben", "siebenundvierzig"],
    ("de", "Können Sie das buchstabieren?"): ["M wie Martha", "M Ü L", "Doppel"],
    ("de", "Wie ist Ihre E-Mail-Adresse?"): ["anna punkt", "anna punkt schmidt at", "anna unterstrich"],
    ("fr", "Quel est votre numéro de téléphone ?"): [
        "zéro six", "06 42 78", "zéro six quarante-deux soixante-dix-huit quatre-vingt-dix",
    ],
    ("es", "¿Cuál es su número de teléfono?"): ["seis uno dos", "612 34", "seis uno dos treinta y cuatro"],
}  # fmt: skip

WHOLE = {
    ("en", ""): [
        "my number is 017 456 7702", "My name is Miller, M I L L E R.", "my email is anna@gmail.com",
        "Schmidt, S C H M I D T", "Tuttle, T U double T L E", "call me on 212 555 0123",
    ],
    ("en", "What is your phone number?"): [
        "212 555 0123", "2125550123", "(212) 555-0199.", "1 800 555 0199", "+1 212 555 0199", "017 456 7702",
        "two one two five five five oh one double nine", "it's twenty one twenty five fifty five zero one twenty three",
    ],
    ("en", "And your four digit PIN?"): [
        "4711", "47 11", "four seven double one", "it's 4 7 1 1", "forty seven eleven",
    ],
    ("en", "What is the six-digit code?"): ["123456", "one two three four five six", "12 34 56"],
    ("en", "What's your email address?"): [
        "anna at gmail dot com", "anna@gmail.com.", "anna dot schmidt at web dot de", "jane at bbc dot co dot uk",
    ],
    ("en", "Could you spell your last name?"): ["Miller, M I L L E R", "it's Lee, L double E"],
    ("en-GB", "What's your postcode?"): ["SW1A 1AA", "s w one a one a a", "M1 1AE", "EC1A 1BB."],
    ("en", "What's your zip code?"): ["90210", "9 0 2 1 0"],
    ("de", "Wie lautet Ihre Telefonnummer?"): [
        "0170 1234567", "null eins sieben null eins zwei drei vier fünf sechs sieben",
    ],
    ("de", "Ihre vierstellige PIN, bitte."): ["4711", "siebenundvierzig elf"],
    ("fr", "Quel est votre numéro de téléphone ?"): [
        "zéro six quarante-deux soixante-dix-huit quatre-vingt-dix douze", "06 42 78 90 12",
        "zéro un vingt et un soixante et onze quatre-vingt-dix-neuf trente",
    ],
    ("es", "¿Cuál es su número de teléfono?"): [
        "612 34 56 78", "seis uno dos treinta y cuatro cincuenta y seis siete ocho",
    ],
}  # fmt: skip

NO_CODE = {
    ("en", ""): [
        "two", "at 4", "yes, 5", "it was in 2019", "at 4 p.m.", "at 430", "room 214", "January 5, 2026", "12/1/2026",
        "it costs $300", "I have 3", "it's 10:30", "about 1,500", "I want 2 pizzas", "is it 20", "I was born in 1984",
        "the last one", "we are 5", "123 Main Street", "Hi, it's Mike", "I live in the US", "a table for two",
    ],
    ("en", "Your phone number is noted, thank you. How many people?"): ["two", "5", "yes, 5", "12"],
    ("en", "Thank you. When shall I call you back?"): ["at 4", "two", "tomorrow at 10"],
    ("en", "How many people?"): ["two", "5", "yes, 5", "12", "twenty", "two, three", "for 4", "it's 2"],
    ("en", "What time suits you?"): ["two", "at 4", "10 30", "1030", "half past 9", "ten thirty"],
    ("en", "Which day would you like to come?"): ["the 3rd", "May 5", "5", "on the twenty first"],
    ("en", "How old are you?"): ["42", "forty two", "I'm 42"],
    ("en", "Can I have your phone number?"): ["I don't have one", "Why do you need it?", "you mean the new one"],
    ("en", "Your number is 017 456 7702, is that right?"): ["it's 5", "the 3 is wrong"],
    ("en", "What's your email address?"): [
        "I have no e-mail address any more", "can I give you a phone number instead?",
    ],
    ("en", "Could you spell your last name?"): ["can I say it again?", "you know how to write it"],
    ("de", "Wie viele Personen?"): ["zwei", "5", "wir sind vier"],
    ("fr", "Combien de personnes ?"): ["deux", "5", "on est quatre"],
    ("es", "¿Cuántas personas?"): ["dos", "5", "somos cuatro"],
}  # fmt: skip


def rows(table: dict[tuple[str, str], list[str]]) -> list[tuple[str, str, str]]:
    return [(language, asked, text) for (language, asked), texts in table.items() for text in texts]


@pytest.mark.kind("half a number, name or address")
@pytest.mark.parametrize(("language", "asked", "text"), rows(OPEN))
def test_half_a_code_is_waited_for(language: str, asked: str, text: str) -> None:
    assert decide(text, asked, language).silence_ms == LONGEST_MS


@pytest.mark.parametrize(("language", "asked", "text"), rows(OPEN))
def test_melody_that_falls_with_each_group_ends_no_code(language: str, asked: str, text: str) -> None:
    assert decide(text, asked, language, finished=0.97).silence_ms == LONGEST_MS


@pytest.mark.kind("a whole number, name or address")
@pytest.mark.parametrize(("language", "asked", "text"), rows(WHOLE))
def test_a_whole_code_is_finished(language: str, asked: str, text: str) -> None:
    assert decide(text, asked, language).silence_ms == SHORTEST_MS
    assert decide(text, asked, language, finished=0.05).silence_ms <= BASE_MS


@pytest.mark.kind("short answers that are no code")
@pytest.mark.parametrize(("language", "asked", "text"), rows(NO_CODE))
def test_what_is_no_code_is_waited_for_no_longer(language: str, asked: str, text: str) -> None:
    assert decide(text, asked, language).silence_ms <= BASE_MS


@pytest.mark.kind("half a number, name or address", inputs=100)
@pytest.mark.parametrize("asked", ["", "What is your phone number?", "Your number, please."])
@given(digits=st.from_regex("[2-9][0-9]{2,8}", fullmatch=True), cuts=st.sets(st.integers(1, 8)), spoken=st.booleans())
def test_a_telephone_number_is_open_until_its_last_digit(asked: str, digits: str, cuts: set[int], spoken: bool) -> None:
    ends = [0, *sorted(cut for cut in cuts if cut < len(digits)), len(digits)]
    groups = [digits[start:end] for start, end in pairwise(ends)]
    text = f"my number is {' '.join(digit_by_digit(group) if spoken else group for group in groups)}"
    assert decide(text, asked).silence_ms == LONGEST_MS
    whole = f"{text} {'2' * (10 - len(digits))}"
    assert decide(whole, asked).silence_ms == SHORTEST_MS


@given(st.text(max_size=80), st.text(max_size=80), st.sampled_from(["en", "de", "fr", "es", "it", ""]))
def test_any_text_is_judged(text: str, asked: str, language: str) -> None:
    assert SHORTEST_MS <= decide(text, asked, language).silence_ms <= LONGEST_MS


@pytest.mark.kind("a number in groups, with pauses")
@pytest.mark.parametrize("gap_ms", [300, 500, 700, 900])
def test_the_bot_never_speaks_between_the_groups_of_a_number(world: Any, gap_ms: int) -> None:
    call = world()
    call.say = lambda request: "What is your phone number?"
    call.answer()
    call.run(3_000)
    call.actions.clear()
    groups = ("my number is 017", "my number is 017 456", "my number is 017 456 7702")
    for index, text in enumerate(groups):
        start_ms = index * (700 + gap_ms)
        call.at(start_ms, lambda text=text: setattr(call, "heard_texts", text))
        call.speaks(start_ms, 700)
    began_ms, end_ms = call.now_ms, call.now_ms + 3 * 700 + 2 * gap_ms
    call.run(6_000)
    assert [said.text for said in call.of(CallerSaid)] == [groups[-1]]
    after = [start for _, start, _ in call.audible_ms if start > began_ms]
    assert end_ms < after[0] < end_ms + BASE_MS + 200  # the number is whole, and answered at once
    assert call.of(Generate)[-1].messages[-1].content == groups[-1]


@pytest.mark.kind("keys that the bot asks for")
@pytest.mark.parametrize(
    ("asked", "language", "num_keys"),
    [
        ("Please key in your four digit PIN.", "en", 4),
        ("Enter the 6-digit code we have sent you.", "en", 6),
        ("The last four digits of your social security number, please.", "en", 4),
        ("Please enter your four to eight digit PIN.", "en", 8),
        ("For sales, press one. For support, press 2.", "en", 1),
        ("Dial 0 for the operator.", "en", 1),
        ("Please enter your account number, or press 0 for help.", "en", 0),
        ("Your four digit PIN, or your ten digit account number?", "en", 0),
        ("How can I help you?", "en", 0),
        ("", "en", 0),
        ("Bitte geben Sie Ihre vierstellige PIN ein.", "de", 4),
        ("Für den Verkauf drücken Sie die eins.", "de", 1),
        ("Tapez votre code à quatre chiffres.", "fr", 4),
        ("Para ventas, pulse el uno.", "es", 1),
        ("Press one.", "xx", 0),
    ],
)
def test_how_many_keys_the_bot_has_asked_for(asked: str, language: str, num_keys: int) -> None:
    assert num_keys_asked(asked, language) == num_keys
