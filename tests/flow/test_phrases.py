"""What recognisers without grammars are told to listen for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ringline.workers.llm.flow import grammar, phrases
from ringline.workers.llm.flow.compile import Flow
from ringline.workers.llm.flow.slots import Digits


def phrases_of(flow: Flow, state: str) -> tuple[str, ...]:
    return flow.states[state].expect.phrases


def test_the_answer_to_the_question_comes_first(clinic: Flow) -> None:
    assert phrases_of(clinic, "book_confirm")[:3] == ("yes", "yeah", "yes please")
    assert set(phrases_of(clinic, "book_day")[:13]) > {"tomorrow", "monday", "next monday", "sunday"}
    assert phrases_of(clinic, "book_time")[:3] == ("one", "two", "three")
    assert phrases_of(clinic, "hello")[0] == "book an appointment"


def test_what_counts_everywhere_comes_last(clinic: Flow) -> None:
    for state in ("hello", "book_day", "book_time", "book_confirm", "more"):
        assert phrases_of(clinic, state)[-2:] == ("goodbye", "start again"), state


def test_the_states_own_phrases_come_before_the_dates_that_they_may_hold(clinic: Flow) -> None:
    phrases = phrases_of(clinic, "hello")
    assert phrases.index("cancel my appointment") < phrases.index("today") < phrases.index("opening hours")


def test_phrases_are_what_callers_say_and_not_single_words(clinic: Flow) -> None:
    assert "i'd like to book an appointment" in phrases_of(clinic, "hello")
    assert "the first of may" in phrases_of(clinic, "book_day")
    assert "appointment" not in phrases_of(clinic, "hello")


def test_each_phrase_has_a_word_of_its_own(clinic: Flow) -> None:
    for state in clinic.states.values():
        known: set[str] = set()
        for phrase in state.expect.phrases:
            assert not known.issuperset(phrase.split()), phrase
            known.update(phrase.split())


def test_a_number_is_asked_for_by_its_digits(flow_of: Callable[[str], Flow]) -> None:
    flow = flow_of(
        """
start = "hello"
[slots]
code = { type = "digits", length = 4 }
[defaults]
no_match = ["What?"]
no_input = ["Hello?"]
otherwise = "end"
[state.hello]
ask = "code"
say = "Your code?"
goto = "end"
[state.end]
say = "Bye."
hang_up = true
"""
    )
    assert phrases_of(flow, "hello")[:10] == (
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    )  # fmt: skip


@pytest.mark.parametrize(("module", "step"), [(phrases, "_texts"), (grammar, "_text")])
def test_a_longer_number_is_gone_through_in_proportion(monkeypatch: pytest.MonkeyPatch, module: Any, step: str) -> None:
    visits = []
    visit = getattr(module, step)
    monkeypatch.setattr(module, step, lambda *given: visits.append(1) or visit(*given))

    def num_visits(length: int) -> int:
        visits.clear()
        pattern = Digits(length=length).pattern()
        if module is phrases:
            phrases.phrases([pattern])
        else:
            grammar.jsgf("number", [pattern])
        return len(visits)

    assert num_visits(20) < 3 * num_visits(10)
