"""Whole calls to the example clinic, in no time."""

from types import ModuleType
from typing import Any

import pytest

from ringline.workers.llm.flow.compile import Flow

TUESDAY_TEN = {"day": "2026-11-24", "time": "10:00"}


def test_it_greets(clinic: Flow, clinic_call: Any) -> None:
    clinic_call.state = b""
    assert clinic_call.open() == "Hello, this is the clinic. How can I help you?"


@pytest.mark.parametrize(
    ("steps", "arguments"),
    [
        (["I'd like to book an appointment", "Tuesday", "ten", "yes"], TUESDAY_TEN),
        (["book an appointment", "on tuesday", "at ten thirty", "yes please"], TUESDAY_TEN | {"time": "10:30"}),
        (["book an appointment on tuesday at ten", "yes"], TUESDAY_TEN),
        (["I'd like to make an appointment for tuesday", "ten", "that's right"], TUESDAY_TEN),
        (["book an appointment", "tuesday at ten", "yes"], TUESDAY_TEN),
        (["Hi, on Tuesday I need an appointment, could it be at 10:00?", "Yes."], TUESDAY_TEN),
        (["book an appointment", "the 24th of November", "10 a.m.", "yes"], TUESDAY_TEN),
        (["book an appointment", "tuesday", "two in the afternoon", "yes"], TUESDAY_TEN | {"time": "14:00"}),
        (["book an appointment", "tuesday", "half past two", "yes"], TUESDAY_TEN | {"time": "14:30"}),
        (["book an appointment", "tuesday", "three", "yes"], TUESDAY_TEN | {"time": "15:00"}),
        # corrections
        (["book an appointment", "monday", "ten", "no, tuesday", "yes"], TUESDAY_TEN),
        (["book an appointment", "tuesday", "nine", "no, at ten", "yes"], TUESDAY_TEN),
        (["book an appointment", "monday", "nine", "no make it tuesday at ten", "yes"], TUESDAY_TEN),
        (["book an appointment", "monday", "ten", "No, make a Tuesday.", "yes"], TUESDAY_TEN),  # Whisper's "make it"
        (["book an appointment", "monday", "ten", "no, I'd like Tuesday", "yes"], TUESDAY_TEN),
        (["book an appointment", "monday", "ten", "No, not Monday, Tuesday.", "yes"], TUESDAY_TEN),
        (["book an appointment", "monday", "nine", "no", "tuesday", "ten", "yes"], TUESDAY_TEN),
        (["book an appointment", "monday", "wednesday", "ten", "actually tuesday", "yes"], TUESDAY_TEN),
        # keys, wherever speech works
        (["#1", "#24", "#1000", "#1"], TUESDAY_TEN),
        (["#1", "#24#", "#10#", "#1"], TUESDAY_TEN),
        (["#1", "#25", "#1000", "#2", "#24", "#1000", "#1"], TUESDAY_TEN),
        (["book an appointment", "#24", "ten", "#1"], TUESDAY_TEN),
        # digressions and trouble on the way
        (["book an appointment", "when are you open", "tuesday", "ten", "yes"], TUESDAY_TEN),
        (["book an appointment", "bananas", "tuesday", "...", "ten", "", "yes"], TUESDAY_TEN),
        (["book an appointment", "tuesday", "ten", "repeat that", "#*", "yes"], TUESDAY_TEN),
        (["book an appointment", "monday", "start again", "book an appointment", "tuesday", "ten", "yes"], TUESDAY_TEN),
    ],
)
def test_it_books_what_was_asked_for(
    clinic_call: Any, clinic_tools: ModuleType, steps: list[str], arguments: dict[str, str]
) -> None:
    replies = [clinic_call.do(step) for step in steps]
    assert clinic_call.tool_results == [("book", arguments)]
    assert replies[-1].startswith("Booked: ")
    assert len(clinic_tools.appointments) == 1
    assert clinic_call.do("no thank you") == "Thank you for calling. Goodbye."
    assert clinic_call.ended == "hang_up"


def test_every_line_of_the_main_conversation(clinic_call: Any) -> None:
    says = ["I'd like to book an appointment", "Tuesday", "ten", "yes", "no thank you"]
    assert [clinic_call.say(text) for text in says] == [
        "Which day would you like?",
        "At what time?",
        "Tuesday, November twenty-fourth, at ten in the morning. Is that right?",
        "Booked: Tuesday, November twenty-fourth, at ten in the morning. Is there anything else I can do for you?",
        "Thank you for calling. Goodbye.",
    ]


def test_a_taken_time_is_answered_with_the_next_free_one(clinic_call: Any, clinic_tools: ModuleType) -> None:
    clinic_tools.book("2026-11-24", "10:00")
    clinic_call.say("book an appointment on tuesday at ten")
    reply = clinic_call.say("yes")
    assert "taken" in reply
    assert "ten thirty in the morning" in reply
    assert clinic_call.say("yes").startswith("Booked: Tuesday, November twenty-fourth, at ten thirty")


@pytest.mark.parametrize(
    ("wish", "answer", "question"),
    [
        ("saturday at ten", "we are closed on that day", "Which day"),
        ("today at nine", "already past", "Which day"),
        ("tuesday at eight in the evening", "nine in the morning to five", "time"),
    ],
)
def test_an_impossible_time_is_explained_and_asked_for_again(
    clinic_call: Any, wish: str, answer: str, question: str
) -> None:
    clinic_call.say(f"book an appointment for {wish}")
    reply = clinic_call.say("yes")
    assert answer in reply
    assert question in reply


def test_an_appointment_is_moved(clinic_call: Any, clinic_tools: ModuleType) -> None:
    clinic_tools.book("2026-11-24", "10:00")
    for text in ("I want to move my appointment", "tuesday at ten", "friday", "half past two"):
        reply = clinic_call.say(text)
    assert reply == (
        "From Tuesday, November twenty-fourth, at ten in the morning, to Friday, November twenty-seventh, "
        "at two thirty in the afternoon. Is that right?"
    )
    assert "now on Friday" in clinic_call.say("yes")
    assert [f"{moment}" for moment in clinic_tools.appointments] == ["2026-11-27 14:30:00"]


def test_an_appointment_is_cancelled(clinic_call: Any, clinic_tools: ModuleType) -> None:
    clinic_tools.book("2026-11-24", "10:00")
    for text in ("cancel my appointment", "tuesday", "ten"):
        clinic_call.say(text)
    assert clinic_call.say("yes").startswith("Your appointment is cancelled.")
    assert not clinic_tools.appointments


def test_an_unknown_appointment_is_asked_for_again(clinic_call: Any) -> None:
    clinic_call.say("cancel my appointment")
    clinic_call.say("tuesday at ten")
    assert "I find no appointment at that time. On which day" in clinic_call.say("yes")


def test_everything_in_one_sentence(clinic_call: Any, clinic_tools: ModuleType) -> None:
    clinic_tools.book("2026-11-24", "10:00")
    reply = clinic_call.say("Could you move my appointment on Tuesday at ten to Friday at 2:30 pm?")
    assert "From Tuesday" in reply
    assert "to Friday, November twenty-seventh, at two thirty" in reply


def test_a_number_that_is_no_time_is_not_taken_for_one(clinic_call: Any) -> None:
    assert clinic_call.say("I have one question: can I book an appointment for tuesday?") == "At what time?"


def test_a_second_booking_starts_afresh(clinic_call: Any) -> None:
    clinic_call.say("book an appointment on tuesday at ten")
    clinic_call.say("yes")
    assert clinic_call.say("book an appointment").startswith("Which day")


@pytest.mark.parametrize(
    "steps", [[], ["book an appointment"], ["#1", "#24"], ["#1", "#24", "#10"], ["#2"], ["#3"], ["#3", "#24", "#10"]]
)
@pytest.mark.parametrize("wish", ["I want to talk to a person", "operator", "#0"])
def test_a_person_is_to_be_had_in_every_state(clinic_call: Any, steps: list[str], wish: str) -> None:
    for step in steps:
        clinic_call.do(step)
    assert "put you through" in clinic_call.do(wish)
    assert clinic_call.ended == "transfer"


@pytest.mark.parametrize("steps", [[], ["#1"], ["#1", "#24"], ["#1", "#24", "#10"], ["#2"], ["#3"]])
@pytest.mark.parametrize("miss", ["bananas", "", "..."])
def test_whoever_is_not_understood_is_asked_twice_in_other_words_and_then_put_through(
    clinic_call: Any, steps: list[str], miss: str
) -> None:
    prompts = [clinic_call.do(step) for step in steps][-1:]
    first, second = clinic_call.do(miss), clinic_call.do(miss)
    assert len({*prompts, first, second}) == 2 + len(prompts)
    assert "press" in second.lower() or "key" in second.lower()
    assert not clinic_call.ended
    assert "put you through" in clinic_call.do(miss)
    assert clinic_call.ended == "transfer"


def test_an_answer_that_is_understood_forgives_the_misses_before_it(clinic_call: Any) -> None:
    for step in ("bananas", "bananas", "book an appointment", "bananas", "bananas"):
        clinic_call.do(step)
        assert not clinic_call.ended


def test_silence_at_the_very_end_ends_the_call(clinic_call: Any) -> None:
    clinic_call.say("book an appointment on tuesday at ten")
    clinic_call.say("yes")
    for _ in range(3):
        clinic_call.wait()
    assert clinic_call.ended == "hang_up"


@pytest.mark.parametrize("text", ["not sure", "I'm not sure", "no", "that's wrong", "that's not right"])
def test_nothing_is_booked_without_a_clear_yes(clinic_call: Any, clinic_tools: ModuleType, text: str) -> None:
    clinic_call.say("book an appointment on tuesday at ten")
    clinic_call.say(text)
    assert not clinic_tools.appointments
