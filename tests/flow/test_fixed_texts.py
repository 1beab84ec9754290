"""Which texts of a flow can be spoken before anybody calls."""

from __future__ import annotations

from datetime import datetime

from ringline.ipc.messages import Generate
from ringline.workers.llm.flow import fixed_texts as module
from ringline.workers.llm.flow.brain import answer
from ringline.workers.llm.flow.compile import Flow, compile_flow
from ringline.workers.llm.flow.fixed_texts import fixed_texts
from ringline.workers.llm.flow.flow_file import parse

FLOW = """
start = "welcome"
[slots]
day = { type = "date" }
[defaults]
no_match = ["Pardon? {prompt}"]
no_input = ["Hello?"]
otherwise = "bye"
[state.welcome]
say = "Good morning."
goto = "ask"
[state.ask]
say = ["What do you want?", "What else?"]
[[state.ask.expect]]
phrases = ["a day"]
goto = "day"
[state.day]
say = "Which day?"
ask = "day"
goto = "done"
[state.done]
say = "So you come {day}."
goto = "bye"
[state.bye]
say = "Goodbye."
hang_up = true
"""


def flow(source: str = FLOW) -> Flow:
    return compile_flow(parse(source))


def test_what_opens_a_call_comes_first_as_the_flow_says_it() -> None:
    opening, _ = answer(flow(), Generate(1, 1, 0, "opening", ()), datetime(2026, 1, 2))
    assert fixed_texts(flow())[0] == opening == "Good morning. What do you want?"


def test_every_text_of_a_state_is_there_once() -> None:
    texts = fixed_texts(flow())
    assert {"What do you want?", "What else?", "Which day?", "Goodbye."} <= set(texts)
    assert len(texts) == len(set(texts))


def test_texts_that_read_a_slot_are_not_fixed() -> None:
    assert not [text for text in fixed_texts(flow()) if "So you come" in text or "{" in text]


def test_what_is_said_where_nothing_was_understood_repeats_the_prompt() -> None:
    assert {"Pardon? What do you want?", "Pardon? What else?", "Pardon? Which day?", "Hello?"} <= set(
        fixed_texts(flow())
    )


def test_a_large_flow_is_not_made_to_its_end() -> None:
    states = "[state.ask.dtmf]\n" + "".join(f'"{100 + n}" = "s{n}"\n' for n in range(300))
    states += "".join(f'[state.s{n}]\nsay = "This is {n}."\ngoto = "bye"\n' for n in range(300))
    texts = fixed_texts(flow(FLOW + states))
    assert len(texts) <= module.MAX_TEXTS
    assert texts[0] == "Good morning. What do you want?"
