"""Yes and no as callers say them: nothing is booked that nobody agreed to, and a plain yes is not asked again."""

from collections.abc import Callable
from typing import Any

import pytest
from bench.consent import NO, YES, Outcome, confirmations, outcomes
from hypothesis import given
from hypothesis import strategies as st

from ringline.engine.conversation import verdict
from ringline.engine.conversation.verdict import Verdict
from ringline.workers.llm.flow.repairs import Mention, mended

WEDNESDAY_TEN = {"day": "2026-11-25", "time": "10:00"}
TUESDAY_THREE = {"day": "2026-11-24", "time": "15:00"}
TUESDAY_TEN = {"day": "2026-11-24", "time": "10:00"}

PLAIN = [
    *("Yes.", "Yes, please.", "Yeah, sure.", "Uh-huh.", "Mm-hmm.", "mhm", "Yep, that's right, thank you.", "Correct."),
    *("No problem.", "Why not?", "Go ahead.", "Do it.", "You got it.", "Sounds good to me.", "Okay, great, bye."),
    *("Yes, Tuesday at ten.", "Tuesday at 10:00 is perfect.", "Yes, book it please.", "Absolutely, that works for me."),
    *("Yes, that would be lovely, thank you so much.", "yes I'll see you then", "Of course, why not."),
]
REFUSALS = [
    *("No.", "Nope.", "No, Psy.", "Nah.", "Negative.", "Wrong.", "Incorrect.", "Absolutely not.", "Of course not."),
    *("certainly not", "I'd rather not", "Not really.", "That's not what I said.", "I don't think that's right."),
    *(
        "don't",
        "Please don't book it.",
        "That isn't correct.",
        "not okay",
        "yes, I mean no",
        "No, not on Tuesday.",
        "uh-uh",
    ),
    *("That's not right, sorry.", "no no that's wrong", "I do not want that.", "No, thank you."),
]
DOUBTFUL = [
    *("yes no", "No, yes.", "That's fine, no wait.", "No, that's right.", "Yeah, no.", "no yeah", "Nope, that's fine."),
    *("I guess.", "Hold on.", "What?", "Sorry?", "Yes if it is free.", "Yes, but for my wife."),
    *("Yes, please cancel.", "I'm not sure.", "Yes?", "Okay, uh...", "Maybe.", "Yes, actually...", "That's not wrong."),
    *(
        "Yes. Honey, turn that off!",
        "not yet",
        "Sure, unless it rains.",
        "Are you sure?",
        "No, I mean yes.",
        "yes don't",
    ),
]


@pytest.fixture
def asked(clinic_call: Any) -> Any:
    """A caller who has just heard "Tuesday, at ten in the morning. Is that right?"."""
    clinic_call.say("book an appointment on tuesday at ten")
    return clinic_call


@pytest.mark.kind("yes")
@pytest.mark.parametrize("said", PLAIN)
def test_a_plain_yes_books_at_once(asked: Any, said: str) -> None:
    asked.say(said)
    assert asked.tool_results == [("book", TUESDAY_TEN)]


@pytest.mark.kind("no")
@pytest.mark.parametrize("said", REFUSALS)
def test_a_refusal_is_one_however_it_begins(asked: Any, said: str) -> None:
    assert asked.say(said) == "Which day would you like?"
    assert asked.tool_results == []


@pytest.mark.kind("doubtful yes")
@pytest.mark.parametrize("said", DOUBTFUL)
def test_what_is_not_plain_is_asked_again(asked: Any, said: str) -> None:
    assert asked.say(said).startswith("Sorry, shall I book Tuesday")
    assert asked.tool_results == []


@pytest.mark.kind("corrections of what is read back")
@pytest.mark.parametrize(
    ("said", "booked"),
    [
        ("Not on Tuesday, Wednesday.", WEDNESDAY_TEN),
        ("No, I said Wednesday.", WEDNESDAY_TEN),
        ("Yes... no wait, Wednesday.", WEDNESDAY_TEN),
        ("Wednesday, not Tuesday.", WEDNESDAY_TEN),
        ("Thursday, no, Wednesday.", WEDNESDAY_TEN),
        ("I can't do Tuesday, Wednesday would be fine.", WEDNESDAY_TEN),
        ("Tuesday doesn't work. Wednesday.", WEDNESDAY_TEN),
        ("Thursday at nine, I mean, Wednesday at ten.", WEDNESDAY_TEN),
        ("That's not what I said, I said Wednesday.", WEDNESDAY_TEN),
        ("Sure, but make it three.", TUESDAY_THREE),
        ("Four, I mean three.", TUESDAY_THREE),
        ("No, not at ten, at three.", TUESDAY_THREE),
        ("Yes, at three.", TUESDAY_THREE),
    ],
)
def test_a_correction_is_read_back_and_then_booked(asked: Any, said: str, booked: dict[str, str]) -> None:
    asked.say(said)
    assert asked.tool_results == []
    asked.say("yes")
    assert asked.tool_results == [("book", booked)]


@pytest.mark.kind("corrections of days and times")
@pytest.mark.parametrize(
    ("said", "day", "time"),
    [
        ("Tuesday at ten doesn't work, Thursday at three", "2026-11-26", "15:00"),
        ("tuesday at ten is no good on friday at two", "2026-11-27", "14:00"),
        ("no that's not right on thursday nine", "2026-11-26", "09:00"),
        ("That's not correct, at eleven.", "2026-11-24", "11:00"),
        ("no, at ten thirty on wednesday", "2026-11-25", "10:30"),
        ("No, at 10:30 on 11/25.", "2026-11-25", "10:30"),
        ("Eleven on Thursday, please.", "2026-11-26", "11:00"),
        ("No. Not Tuesday. The twenty sixth.", "2026-11-26", "10:00"),
        ("not Thursday, November 27th", "2026-11-27", "10:00"),
        ("Well no. 2 p.m.", "2026-11-24", "14:00"),
        ("Uh no, no. 11:30.", "2026-11-24", "11:30"),
        ("oh nine instead of ten", "2026-11-24", "09:00"),
        ("Wednesday or Thursday, but rather Thursday", "2026-11-26", "10:00"),
    ],
)
def test_the_day_and_the_time_that_a_caller_wants_instead_are_both_taken(
    asked: Any, said: str, day: str, time: str
) -> None:
    asked.say(said)
    asked.say("yes")
    assert asked.tool_results == [("book", {"day": day, "time": time})]


@pytest.mark.kind("corrections within an answer")
@pytest.mark.parametrize(
    ("said", "booked"),
    [
        (["monday, no, tuesday", "ten"], TUESDAY_TEN),
        (["Monday. No, wait. Tuesday.", "nine, sorry, ten"], TUESDAY_TEN),
        (["not monday, tuesday", "not nine, ten"], TUESDAY_TEN),
        (["monday or rather tuesday", "make that ten"], TUESDAY_TEN),
        (["on wednesday at nine, no, on tuesday at ten"], TUESDAY_TEN),
        (["tuesday at nine, scratch that, ten"], TUESDAY_TEN),
        (["I can't do Monday", "tuesday", "ten"], TUESDAY_TEN),
        (["anything but monday", "tuesday", "ten"], TUESDAY_TEN),
        (["monday, no", "tuesday", "ten"], TUESDAY_TEN),
        (["monday, no, wednesday, no, tuesday", "ten"], TUESDAY_TEN),
    ],
)
def test_the_last_of_several_values_counts(clinic_call: Any, said: list[str], booked: dict[str, str]) -> None:
    clinic_call.say("book an appointment")
    for text in said:
        clinic_call.say(text)
    clinic_call.say("yes")
    assert clinic_call.tool_results == [("book", booked)]


@pytest.mark.parametrize(
    "said",
    [
        "I don't want to book an appointment.",
        "Please don't cancel my appointment.",
        "i would not like to move my appointment",
    ],
)
def test_what_the_caller_does_not_want_is_not_begun(clinic_call: Any, said: str) -> None:
    assert clinic_call.say(said).startswith("Sorry, I did not understand that.")


def test_a_cancellation_agrees_to_cancel(clinic_call: Any, clinic_tools: Any) -> None:
    clinic_tools.book("2026-11-24", "10:00")
    for said in ("cancel my appointment on tuesday at ten", "Yes, please cancel it."):
        clinic_call.say(said)
    assert clinic_call.tool_results == [("cancel", TUESDAY_TEN)]


SHOP = """
start = "new"
[defaults]
otherwise = "end"
no_match = ["Sorry?", "Again?"]
[slots]
new = {type = "yes_no"}
size = {type = "choice", values = {small = "small", large = "large | big"}}
who = {type = "name", names = ["Anna", "Hannah"]}
pin = {type = "digits", length = 4}
[state.new]
say = "Are you new here?"
ask = "new"
goto = "size"
[state.size]
say = "Which size?"
ask = "size"
goto = "who"
[state.who]
say = "Who?"
ask = "who"
goto = "pin"
[state.pin]
say = "Your pin?"
ask = "pin"
goto = "sure"
[state.sure]
say = "New {new}, {size}, {who}, {pin}?"
confirm = ["size"]
yes = "end"
no = "size"
[state.end]
say = "Goodbye."
hang_up = true
"""


@pytest.mark.kind("corrections within an answer")
@pytest.mark.parametrize(
    ("answers", "read_back"),
    [
        (["yes", "small, no, large", "not Anna, Hannah", "1234"], "New yes, large, Hannah, one two three four?"),
        (["absolutely not", "not the small one, the big one", "Hannah, sorry, Anna", "1234"], "New no, large, Anna"),
        (
            ["yes I moved here in May", "large", "Anna", "one two three four, no, one two three five"],
            "one two three five?",
        ),
        (
            ["no yes", "no", "large", "Anna", "one two three four no five", "1234"],
            "New no, large, Anna, one two three four?",
        ),
        (["I don't think so", "large, I mean small", "Hannah", "one one one one"], "New no, small, Hannah"),
    ],
)
def test_every_slot_is_corrected_alike(talk_to: Callable[..., Any], answers: list[str], read_back: str) -> None:
    talk = talk_to(SHOP)
    talk.open()
    replies = [talk.say(text) for text in answers]
    assert read_back in replies[-1]


@pytest.mark.kind("generated confirmations", inputs=1200)
def test_of_generated_confirmations_none_is_booked_wrongly_and_hardly_one_asked_again_needlessly() -> None:
    found = list(outcomes(confirmations(1200, seed=1)))

    def said(chosen: list[Outcome]) -> list[str]:
        return [f"{one.confirmation.said!r} -> {one.reply}" for one in chosen]

    assert said([one for one in found if one.is_wrong]) == []
    assert said([one for one in found if one.asked and one.confirmation.kind == "yes"]) == []
    assert sum(one.asked for one in found) <= len(found) // 100


@given(
    st.lists(st.sampled_from(YES), min_size=1, max_size=3),
    st.sampled_from(NO),
    st.lists(st.sampled_from(YES), max_size=2),
)
def test_agreement_around_a_refusal_is_never_a_yes(before: list[str], refusal: str, behind: list[str]) -> None:
    tokens = verdict.tokens_of(", ".join([*before, refusal, *behind]))
    assert verdict.of(tokens) not in (Verdict.YES, Verdict.LEANING_YES)


@given(
    st.lists(st.sampled_from(YES), min_size=1, max_size=3), st.sampled_from(["giraffe", "for six", "tomorrow", "below"])
)
def test_a_yes_with_a_word_that_nobody_knows_is_not_plain(agreement: list[str], word: str) -> None:
    assert verdict.of(verdict.tokens_of(" ".join([*agreement, word]))) is not Verdict.YES


LETTERS = ("a", "b", "c")


def _letters(tokens: tuple[str, ...]) -> list[Mention]:
    return [Mention(at, at + 1, "letter") for at, token in enumerate(tokens) if token in LETTERS]


@given(st.lists(st.sampled_from([*LETTERS, "no", "not", "sorry", "or", "on", "good", "x"]), max_size=12))
def test_mending_ends_and_invents_no_value(words: list[str]) -> None:
    found = mended(tuple(words), _letters)
    assert sum(token in LETTERS for token in found) <= sum(word in LETTERS for word in words)


@given(st.permutations(LETTERS), st.sampled_from(["no", "no wait", "sorry", "i mean", "scratch that", "no make that"]))
def test_the_value_behind_each_revision_stands(order: list[str], revision: str) -> None:
    said = f" {revision} ".join(order)
    assert [token for token in mended(tuple(said.split()), _letters) if token in LETTERS] == [order[-1]]


GERMAN = {
    "Ja.": Verdict.YES, "Ja, bitte.": Verdict.YES, "Das ist richtig, vielen Dank.": Verdict.YES, "Genau.": Verdict.YES,
    "Kein Problem.": Verdict.YES, "Warum nicht?": Verdict.YES, "Nein.": Verdict.NO, "Natürlich nicht.": Verdict.NO,
    "Das stimmt nicht.": Verdict.NO, "Das ist nicht richtig.": Verdict.NO, "Auf keinen Fall!": Verdict.NO,
    "Ja, nein.": Verdict.UNCLEAR, "Nein, das stimmt.": Verdict.UNCLEAR, "Ja, aber um zehn.": Verdict.UNCLEAR,
    "Moment.": Verdict.UNCLEAR, "Ich glaube ja.": Verdict.UNCLEAR,
    "Wie bitte?": Verdict.UNCLEAR, "Doch.": Verdict.UNCLEAR,
}  # fmt: skip


@pytest.mark.kind("yes and no in German")
@pytest.mark.parametrize(("said", "meant"), GERMAN.items())
def test_german_answers(said: str, meant: Verdict) -> None:
    assert verdict.of(verdict.tokens_of(said, "de-AT"), "de-AT") is meant


def test_an_unknown_language_is_never_plain() -> None:
    assert verdict.of(verdict.tokens_of("yes", "xx"), "xx") is Verdict.UNCLEAR
