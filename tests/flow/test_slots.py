from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringline.engine.conversation.spelling import normalise
from ringline.workers.llm.flow.match import Reader
from ringline.workers.llm.flow.pattern import PatternError, Slot
from ringline.workers.llm.flow.slots import Choice, Digits, Hours, Name, Setting, SlotTable, YesNo

SETTING = Setting(datetime(2026, 11, 22), Hours())
DOCTORS = Name(("Anna Weiss", "John Smith", "Mary Smith"))
REASONS = Choice({"checkup": "[a] check up", "teeth": "(tooth | teeth) [cleaning]"})


def understood(slot: SlotTable, text: str) -> str | None:
    """The value in a text that holds nothing else."""
    tokens = normalise(text)
    node = Slot("slot", slot.pattern())
    found = [one for one in Reader(tokens).search(node, 0, len(tokens)) if one[:2] == (0, len(tokens))]
    return slot.resolve(found[0][2][0][1], SETTING) if found else None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("Yeah!", "yes"),
        ("Yes, please.", "yes"),
        ("yes that's right", "yes"),
        ("that is correct", "yes"),
        ("sure", "yes"),
        ("OK", "yes"),
        ("no", "no"),
        ("no thank you", "no"),
        ("nope", "no"),
        ("no, that's wrong", "no"),
        ("that's not right", None),  # "not right" within it is a no
        ("not sure", "no"),
        ("not quite right", "no"),
        ("maybe", None),
    ],
)
def test_yes_and_no(text: str, value: str | None) -> None:
    assert understood(YesNo(), text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("one two three four", "1234"),
        ("oh one two three", "0123"),
        ("1234", "1234"),
        ("12 34", "1234"),
        ("one twenty three four", "1234"),
        ("double seven oh one", "7701"),
        ("one two three", None),
        ("one two three four five", None),
    ],
)
def test_four_digits(text: str, value: str | None) -> None:
    assert understood(Digits(4), text) == value


@given(st.text("0123456789", min_size=6, max_size=6))
def test_digits_read_back_are_understood_as_the_same_digits(value: str) -> None:
    slot = Digits(6)
    assert understood(slot, slot.spoken(value)) == value
    assert understood(slot, value) == value
    assert slot.keyed(value, SETTING) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("john smith", "John Smith"),
        ("Mary", "Mary Smith"),
        ("Weiss", "Anna Weiss"),
        ("smith", None),
        ("peter", None),
    ],
)
def test_a_name_or_the_part_of_it_that_only_one_has(text: str, value: str | None) -> None:
    assert understood(DOCTORS, text) == value


@pytest.mark.parametrize(("text", "value"), [("check up", "checkup"), ("tooth cleaning", "teeth"), ("cleaning", None)])
def test_a_choice_by_any_of_its_phrases(text: str, value: str | None) -> None:
    assert understood(REASONS, text) == value


@pytest.mark.parametrize(
    ("slot", "digits", "value"),
    [
        (YesNo(), "1", "yes"),
        (YesNo(), "2", "no"),
        (YesNo(), "3", None),
        (Digits(3), "123", "123"),
        (Digits(3), "12", None),
        (DOCTORS, "2", "John Smith"),
        (DOCTORS, "0", None),
        (DOCTORS, "4", None),
        (REASONS, "1", "checkup"),
        (REASONS, "11", None),
    ],
)
def test_keyed_values(slot: SlotTable, digits: str, value: str | None) -> None:
    assert slot.keyed(digits, SETTING) == value


@pytest.mark.parametrize("slot", [YesNo(), Digits(3), DOCTORS, REASONS])
def test_a_value_of_another_type_is_an_error(slot: SlotTable) -> None:
    with pytest.raises(ValueError):
        slot.spoken("2026-11-24")


def test_a_choice_that_can_be_said_without_a_word_is_an_error() -> None:
    with pytest.raises(PatternError, match="without a word"):
        Choice({"nothing": "[at all]"}).pattern()
