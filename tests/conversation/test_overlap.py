"""What speech over the bot means."""

from __future__ import annotations

from typing import Any

from ringline import Agent
from ringline.engine.conversation.overlap import OverlapJudge, Verdict
from ringline.ipc.messages import Finalise


def test_short_listening_word_is_a_backchannel() -> None:
    assert OverlapJudge().judge("okay", is_final=True, spoken_ms=400) is Verdict.BACKCHANNEL


def test_listening_word_that_lasted_for_a_sentence_is_an_interruption() -> None:
    assert OverlapJudge().judge("okay", is_final=True, spoken_ms=1_100) is Verdict.INTERRUPTION


def test_several_listening_words_may_take_longer() -> None:
    assert OverlapJudge().judge("okay all right i see", is_final=True, spoken_ms=1_100) is Verdict.BACKCHANNEL


def test_sound_of_any_length_without_words_is_nothing() -> None:
    assert OverlapJudge().judge("", is_final=True, spoken_ms=1_100) is Verdict.NOTHING


def test_beginning_of_a_listening_phrase_may_be_nothing() -> None:
    assert OverlapJudge().may_be_nothing("got")


def test_sound_of_which_no_words_are_known_yet_may_be_nothing() -> None:
    assert OverlapJudge().may_be_nothing("")


def test_other_words_are_something() -> None:
    assert not OverlapJudge().may_be_nothing("tuesday")


def test_sound_too_short_for_a_word_is_not_asked_about(world: Any) -> None:
    w = world(Agent("test", greeting="Hello, this is a long greeting, and nobody will want to hear it out."))
    w.heard_texts = "stop"
    w.answer()
    w.speaks(1_000, 100)
    w.run(8_000)
    assert not w.of(Finalise)
    assert w.transcript()[0] == "bot: Hello, this is a long greeting, and nobody will want to hear it out."


def test_word_over_the_bot_is(world: Any) -> None:
    w = world(Agent("test", greeting="Hello, this is a long greeting, and nobody will want to hear it out."))
    w.heard_texts = "stop"
    w.answer()
    w.speaks(1_000, 300)
    w.run(8_000)
    assert w.transcript()[0].endswith("...")
