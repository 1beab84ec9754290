import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringline.engine.conversation.spelling import normalise
from ringline.workers.llm.flow import dates
from ringline.workers.llm.flow.match import Reader
from ringline.workers.llm.flow.pattern import Node, PatternError, optional_parts, parse, slot_names


def slot(name: str, kind: str) -> Node:
    if name != "day":
        raise PatternError(f"no slot {name}")
    return dates.pattern()


def rule(name: str) -> Node:
    raise PatternError(f"no rule {name}")


def stands_in(pattern: str, text: str) -> bool:
    tokens = normalise(text)
    return bool(Reader(tokens).search(parse(pattern, slot, rule), 0, len(tokens)))


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("book an appointment", "book an appointment"),
        ("book an appointment", "Well, I want to book an appointment. Today."),
        ("[i want to] (book | make) [an] appointment", "make appointment"),
        ("i'd like that", "i would like that"),
        ("i would like that", "I'd like that"),
        ("book [a | an | the] (table | room | really big hall)", "book the really big hall"),
        ("on {day}", "on the 5th of March"),
        ("a [b [c]] d", "a b d"),
    ],
)
def test_a_pattern_stands_in_a_text(pattern: str, text: str) -> None:
    assert stands_in(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("book an appointment", "book my appointment"),
        ("a [b [c]] d", "a c d"),
        ("on {day}", "on monkey"),
        ("ten", "ten twenty"),
        ("twenty", "one twenty"),
    ],
)
def test_a_pattern_does_not_stand_in_a_text(pattern: str, text: str) -> None:
    assert not stands_in(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        ("book (an", r"`\(` is not closed"),
        ("book [an)", r"`\[` is not closed"),
        ("book an)", r"`\)` closes nothing"),
        ("book | | room", "empty"),
        ("", "empty"),
        ("book ()", "empty"),
        ("Book", "lower-case"),
        ("book {day", "lower-case"),
        ("book 5", "lower-case"),
        ("[book]", "without a word"),
        ("please", "without a word"),
        ("{night}", "no slot night"),
        ("<want>", "no rule want"),
    ],
)
def test_a_broken_pattern_is_a_named_error(pattern: str, what: str) -> None:
    with pytest.raises(PatternError, match=what):
        parse(pattern, slot, rule)


@given(st.text(alphabet=st.sampled_from("ab[]()|{}<>: day"), max_size=30))
def test_any_text_is_a_pattern_or_a_named_error(text: str) -> None:
    try:
        node = parse(text, slot, rule)
    except PatternError:
        return
    Reader(normalise("a b today a ab b")).search(node, 0, 6)


def test_a_pattern_knows_its_slots_and_which_may_stand_apart() -> None:
    node = parse("book [[on] {day}] now", slot, rule)
    assert slot_names(node) == {"day"}
    assert [slot_names(part) for part in optional_parts(node)] == [{"day"}]
    assert optional_parts(parse("book on {day}", slot, rule)) == []
