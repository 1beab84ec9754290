"""What speech over the bot means."""

from __future__ import annotations

from ringline.engine.conversation.overlap import OverlapJudge, Verdict


def test_short_listening_word_is_a_backchannel() -> None:
    assert OverlapJudge().judge("okay", is_final=True, spoken_ms=400) is Verdict.BACKCHANNEL


def test_listening_word_that_lasted_for_a_sentence_is_an_interruption() -> None:
    assert OverlapJudge().judge("okay", is_final=True, spoken_ms=1_100) is Verdict.INTERRUPTION


def test_several_listening_words_may_take_longer() -> None:
    assert OverlapJudge().judge("okay all right i see", is_final=True, spoken_ms=1_100) is Verdict.BACKCHANNEL


def test_sound_of_any_length_without_words_is_nothing() -> None:
    assert OverlapJudge().judge("", is_final=True, spoken_ms=1_100) is Verdict.NOTHING


def test_beginning_of_a_listening_phrase_may_be_one() -> None:
    assert OverlapJudge().may_be_backchannel("got")


def test_other_words_are_no_backchannel() -> None:
    assert not OverlapJudge().may_be_backchannel("tuesday")


def test_no_words_are_no_backchannel() -> None:
    assert not OverlapJudge().may_be_backchannel("")
