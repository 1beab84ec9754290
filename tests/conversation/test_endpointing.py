"""How long the rule waits, and what it says about why."""

from __future__ import annotations

import pytest

from ringline.engine.config import TurnConfig
from ringline.engine.conversation.endpointing import HABIT_PAUSES, Decision, Endpointing
from ringline.ipc.messages import Expectation

ANYTHING = Expectation()
GRAMMAR = """#JSGF V1.0;
grammar test;
public <turn> = [<want>] (book | make) an appointment [on <day>] | no [thank you] | <day> | opening hours;
<want> = (i'd like to | can i);
<day> = (monday | tuesday);
"""
EXPECTED = Expectation(grammar=GRAMMAR)


def decide(
    text: str = "", expect: Expectation = ANYTHING, finished: float | None = None, language: str = "en"
) -> Decision:
    return Endpointing(TurnConfig(), language).decide(text, expect, finished)


def test_without_any_signal_it_waits_the_base() -> None:
    assert decide() == Decision(400, ())


@pytest.mark.parametrize("text", ["i have a problem with my bill", "blah", "the quick brown fox"])
def test_text_that_tells_nothing_leaves_the_base(text: str) -> None:
    assert decide(text) == Decision(400, ())


def test_base_minimum_and_maximum_are_the_configured_ones() -> None:
    rule = Endpointing(TurnConfig(endpoint_ms=500, endpoint_min_ms=300, endpoint_max_ms=800))
    assert rule.decide("", ANYTHING, None).silence_ms == 500
    assert rule.decide("opening hours", EXPECTED, None).silence_ms == 300
    assert rule.decide("can i", EXPECTED, 0.01).silence_ms == 800


@pytest.mark.parametrize(
    ("language", "text", "ending"),
    [
        ("en", "I'd like a table and", "and"),
        ("en", "my number is", "my number is"),
        ("en-GB", "well i would like", "would like"),
        ("en", "tomorrow um", "um"),
        ("de", "Ich möchte gern", "möchte gern"),
        ("de", "am montag oder", "oder"),
        ("fr", "je voudrais", "je voudrais"),
        ("es", "mi número es", "mi número es"),
    ],
)
def test_open_end_waits_longer(language: str, text: str, ending: str) -> None:
    decision = decide(text, language=language)
    assert decision.silence_ms > 600
    assert decision.reasons == (f"text: ends in '{ending}'",)


def test_typographic_apostrophe_is_an_apostrophe() -> None:
    assert decide("I\u2019m") == decide("i'm")


def test_unknown_language_has_no_open_ends() -> None:
    assert decide("and", language="xx") == Decision(400, ())


@pytest.mark.parametrize("text", ["opening hours", "no thank you", "tuesday"])
def test_sentence_that_is_expected_and_cannot_go_on_is_finished(text: str) -> None:
    assert decide(text, EXPECTED) == Decision(200, ("text: complete",))


def test_expected_sentence_that_may_go_on_is_waited_for_no_longer_than_the_base() -> None:
    assert decide("tuesday", EXPECTED, 0.02).silence_ms == decide("no", EXPECTED, 0.02).silence_ms == 400


@pytest.mark.parametrize("text", ["i'd like to", "can i book", "make an", "book an appointment on"])
def test_first_half_of_an_expected_sentence_waits(text: str) -> None:
    decision = decide(text, EXPECTED)
    assert decision.silence_ms == 1_000
    assert decision.reasons == ("text: half of what is expected",)


def test_words_outside_the_grammar_are_judged_like_any() -> None:
    assert decide("please wait", EXPECTED).reasons == ("text: ends in 'wait'",)


@pytest.mark.parametrize("text", ["Yes.", "no thank you", "goodbye"])
def test_common_answers_are_finished(text: str) -> None:
    assert decide(text) == Decision(200, ("text: an answer",))


@pytest.mark.parametrize("text", ["yes", "two four", "double two", "2 4", "twenty four"])
def test_missing_digits_are_waited_for(text: str) -> None:
    assert decide(text, Expectation(spoken_digits=4)).silence_ms == (200 if text == "yes" else 1_200)


@pytest.mark.parametrize("text", ["one two three four", "1234", "12 34", "twenty four thirty one", "double two one oh"])
def test_all_digits_are_finished(text: str) -> None:
    assert decide(text, Expectation(spoken_digits=4)) == Decision(200, ("text: all 4 digits",))


def test_missing_digits_are_named() -> None:
    assert decide("one two", Expectation(spoken_digits=5)).reasons == ("text: 2 of 5 digits",)


def test_comma_waits_longer_than_a_full_stop() -> None:
    assert decide("I have a problem.").silence_ms < 400 < decide("I have a problem,").silence_ms
    assert decide("I have a problem...").silence_ms > 400


@pytest.mark.parametrize("text", ["Tuesday,", "No thank you,", "Opening hours..."])
def test_comma_behind_what_is_complete_is_no_open_end(text: str) -> None:
    assert decide(text, EXPECTED).silence_ms == 200


def test_hesitation_keeps_a_complete_sentence_open() -> None:
    assert decide("Tuesday, um,", EXPECTED).reasons == ("text: ends in 'um'",)


@pytest.mark.parametrize("text", ["555-01", "555 01", "(555) 01", "5-5-5-0-1", "triple five zero one"])
def test_digits_count_in_whatever_groups_they_are_written(text: str) -> None:
    decision = decide(text, Expectation(spoken_digits=7))
    assert decision == Decision(1_200, ("text: 5 of 7 digits",))


def test_melody_moves_the_silence_both_ways() -> None:
    assert decide(finished=0.9).silence_ms == 200
    assert decide(finished=0.5).silence_ms == 400
    assert decide(finished=0.2).silence_ms == pytest.approx(400 + 200 * 1.386, abs=1)
    assert decide(finished=0.91).reasons == ("melody: finished 0.91",)


@pytest.mark.parametrize("finished", [0.0, 1.0])
def test_melody_that_is_certain_still_counts_only_so_much(finished: float) -> None:
    assert 200 <= decide("no", EXPECTED, finished).silence_ms <= 1_200


def test_silence_falls_as_the_melody_rises() -> None:
    silences = [decide(finished=percent / 100).silence_ms for percent in range(101)]
    assert silences == sorted(silences, reverse=True)


def test_text_and_melody_add_up() -> None:
    both = decide("i'd like a table and", finished=0.7)
    assert decide(finished=0.7).silence_ms < both.silence_ms < decide("i'd like a table and").silence_ms
    assert both.reasons == ("text: ends in 'and'", "melody: finished 0.70")


def test_dictation_that_is_not_trusted_changes_nothing() -> None:
    rule = Endpointing(TurnConfig(), trusts_dictation=False)
    for text in ("i'd like a table and", "no thank you", "That is all.", "well,"):
        assert rule.decide(text, ANYTHING, None) == Decision(400, ())


def test_expected_sentence_counts_where_dictation_is_not_trusted() -> None:
    rule = Endpointing(TurnConfig(), trusts_dictation=False)
    assert rule.decide("no thank you", EXPECTED, None).silence_ms == 200


def test_caller_who_pauses_long_gets_longer() -> None:
    rule = Endpointing(TurnConfig())
    for _ in range(HABIT_PAUSES):
        rule.paused(600.0)
    decision = rule.decide("", ANYTHING, None)
    assert decision.silence_ms == 875
    assert decision.reasons == ("pauses: caller pauses up to 600 ms",)


def test_one_pause_is_no_habit() -> None:
    rule = Endpointing(TurnConfig())
    rule.paused(600.0)
    assert rule.decide("", ANYTHING, None) == Decision(400, ())


def test_habit_does_not_hold_up_a_complete_answer() -> None:
    rule = Endpointing(TurnConfig())
    for _ in range(HABIT_PAUSES):
        rule.paused(900.0)
    assert rule.decide("no thank you", EXPECTED, None).silence_ms == 200


def test_old_habits_are_forgotten() -> None:
    rule = Endpointing(TurnConfig())
    rule.paused(1_000.0)
    for _ in range(HABIT_PAUSES):
        rule.paused(150.0)
    assert rule.decide("", ANYTHING, None) == Decision(400, ())
