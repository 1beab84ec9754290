"""How long a reply is: what the caller waits for is said."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringline.engine.agent import Agent
from ringline.engine.call_setup import CallSetup
from ringline.engine.config import Config, OpenAiLlm
from ringline.engine.conversation.actions import BotSaid
from ringline.engine.conversation.ledger import Pace
from ringline.engine.conversation.length import GRACE_S, LengthLimit
from ringline.engine.conversation.phrasing import Phrase, Phraser
from ringline.ipc.messages import CallArrived, CancelReply, ReplyDelta

QUESTIONS = ("Which one suits you?", "Shall I book it, then?", "Is there anything else?", "And your name, please?")
SHORT = ("Sure!", "Of course.", "Let me see.", "Great!", "One moment.", "All right.", "Good news!")
LONG = (
    "We open at eight in the morning on every working day of the week.",
    "The surgery is on the second floor, right behind the old town hall.",
    "Please bring your insurance card and the letter of your general practitioner.",
    "The examination takes about forty minutes, and you should not eat before it.",
    "There is a car park below the building, which costs two euros for an hour.",
)


def said(text: str, limit: LengthLimit, piece: int = 4) -> str:
    """What of a text that comes in pieces is said."""
    phraser = Phraser("en")
    phrases = []
    for start in range(0, len(text), piece):
        phrases += limit.admit(phraser.feed(text[start : start + piece]))
    phrases += limit.admit(phraser.flush())
    phrases += limit.finish()
    return " ".join(phrase.written for phrase in phrases)


def default_limit() -> LengthLimit:
    return LengthLimit(0, 20.0, Pace(8_000).duration_s)


def limit_of(agent: Agent) -> tuple[int, float]:
    config = Config(llm=OpenAiLlm(model="m", base_url="http://127.0.0.1:1/v1"))
    setup = CallSetup.of(CallArrived(64, 0, "audiosocket://", 8_000, ""), agent, config)
    return setup.max_sentences, setup.max_reply_s


@pytest.mark.kind("length")
@pytest.mark.parametrize(
    "text",
    [
        "Sure! Of course. Let me see. We have Monday at ten or Tuesday at two. Which one suits you?",
        "Great! You are booked for Tuesday at ten. Please bring your card. Is there anything else?",
        "OK. Right. So. Well. Let me see. Here it is. Your table is at eight. For how many people?",
        "Yes. No. Maybe. Fine. Good. Hm. Ah. Oh. You are all set.",
        "Monday at ten.\nTuesday at two.\nWednesday at four.\nThursday at nine.\nFriday at one.\nWhich one suits you?",
    ],
)
def test_short_sentences_are_said_whole(text: str) -> None:
    assert said(text, default_limit()) == " ".join(text.split())


@pytest.mark.kind("length")
@pytest.mark.parametrize("question", QUESTIONS)
def test_question_behind_a_long_answer_is_said(question: str) -> None:
    limit = default_limit()
    text = said(f"{' '.join(LONG * 3)} {question}", limit)
    assert text.endswith(question)
    assert LONG[0] in text
    assert text.count(LONG[2]) == 1
    assert limit.num_cut_words == len(" ".join(LONG * 3).split()) - len(text.removesuffix(question).split())


@pytest.mark.kind("length")
def test_question_is_said_even_if_something_stands_behind_it() -> None:
    text = said(f"{' '.join(LONG * 3)} Shall I book it? Just say yes or no.", default_limit())
    assert text.endswith(" Shall I book it? Just say yes or no.")


@pytest.mark.kind("length")
def test_without_a_question_the_last_sentence_is_said() -> None:
    text = said(f"{' '.join(LONG * 3)} Now tell me the date of your birth.", default_limit())
    assert text.endswith("Now tell me the date of your birth.")
    assert len(text) < 450


@pytest.mark.kind("length")
def test_sentence_without_an_end_is_broken_off() -> None:
    text = said(", and then ".join(["we look at your teeth in the chair"] * 40) + ".", default_limit())
    assert 550 < len(text) < 900


@pytest.mark.kind("length")
def test_what_must_be_heard_is_said_wherever_it_stands() -> None:
    notice = "This call is recorded for training."
    text = said(
        f"{' '.join(LONG * 2)} <uninterruptible>{notice}</uninterruptible> {' '.join(LONG)} Is that fine?",
        default_limit(),
    )
    assert f"{notice} Is that fine?" in text


@given(st.lists(st.sampled_from(SHORT + LONG + QUESTIONS), min_size=1, max_size=30), st.sampled_from(["", *QUESTIONS]))
def test_any_reply_is_held_and_its_question_survives(sentences: list[str], question: str) -> None:
    sentences = [*sentences, question] if question else sentences
    limit = default_limit()
    text = said(" ".join(sentences), limit)
    pace = Pace(8_000)
    assert pace.samples(len(text)) / 8_000 < 20.0 + 6.0 + max(GRACE_S, 6.0) + GRACE_S
    assert len(text.split()) + limit.num_cut_words == len(" ".join(sentences).split())
    asked = [sentence for sentence in sentences if sentence in QUESTIONS]
    if asked:
        assert asked[-1] in text
    assert text.startswith(sentences[0])
    written = iter(" ".join(sentences).split())
    assert all(word in written for word in text.split())  # in order


@given(st.lists(st.sampled_from(LONG), min_size=1, max_size=6))
def test_below_the_limit_every_phrase_is_said_as_it_is_written(sentences: list[str]) -> None:
    phraser, limit = Phraser("en"), LengthLimit(0, 60.0, Pace(8_000).duration_s)
    phrases = phraser.feed(" ".join(sentences))
    assert limit.admit(phrases) == phrases


def test_agent_that_counts_sentences_gets_so_many_and_the_question() -> None:
    text = f"Sure! {LONG[0]} Right. {LONG[1]} {LONG[2]} Shall I book it?"
    assert said(text, LengthLimit(2)) == f"Sure! {LONG[0]} Right. {LONG[1]} Shall I book it?"


def test_limit_of_a_model_is_time_unless_its_agent_counts_sentences() -> None:
    assert limit_of(Agent("a")) == (0, 20.0)
    assert limit_of(Agent("a", max_sentences=2)) == (2, 0.0)
    assert limit_of(Agent("a", max_sentences=0)) == (0, 0.0)
    assert limit_of(Agent("a", max_reply_s=0)) == (0, 0.0)
    assert limit_of(Agent("a", max_reply_s=8, max_sentences=2)) == (2, 8.0)


def test_each_step_has_a_length_of_its_own() -> None:
    limit = LengthLimit(1)
    phrase = Phraser("en").feed(f"{LONG[0]} x")[-1]
    assert limit.admit([phrase]) == [phrase]
    assert limit.admit([phrase]) == []
    limit.next_step()
    assert limit.admit([phrase]) == [phrase]


def test_model_knows_what_was_said_and_the_trace_what_was_not(world: Any) -> None:
    question = "Which one suits you?"
    call = world(setup={"max_reply_s": 10.0})
    call.say = lambda request: f"{' '.join(LONG)} {question}"
    call.answer()
    call.run(60_000)
    said = call.of(BotSaid)[0]
    assert said.text == f"{' '.join(LONG[:3])} {question}"
    assert said.trace.num_cut_words == len(" ".join(LONG[3:]).split())
    assert call.history()[-1] == ("assistant", said.text)


def test_model_that_never_ends_is_stopped_when_the_caller_has_heard_enough(world: Any) -> None:
    call = world(setup={"max_reply_s": 5.0}, dead_air_ms=1_000)
    call.say = lambda request: None

    def rambles(index: int = 0) -> None:
        if not call.of(CancelReply):
            call.handle(ReplyDelta(1, 1, 0, f"{LONG[index % 5]} ", 0))
            call.at(500, lambda: rambles(index + 1))

    call.at(10, rambles)
    call.answer()
    call.run(40_000)
    said = call.of(BotSaid)[0]
    assert said.text.startswith(LONG[0])
    assert len(said.text) < 300
    assert "One moment" not in said.text


def test_question_mark_may_stand_before_a_quote() -> None:
    assert _last("Shall I say \u201cyes?\u201d").is_question
    assert not _last("She asked why.").is_question


def _last(text: str) -> Phrase:
    phraser = Phraser("en")
    return [*phraser.feed(text), *phraser.flush()][-1]
