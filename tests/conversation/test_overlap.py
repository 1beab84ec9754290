"""What speech over the bot means."""

from __future__ import annotations

from typing import Any

import pytest

from ringline import Agent
from ringline.engine.conversation.actions import CallerSaid
from ringline.engine.conversation.overlap import OverlapJudge, Verdict
from ringline.ipc.messages import CancelSpeech, Finalise, TranscriptFinal, TranscriptPartial


def test_short_listening_word_is_a_backchannel() -> None:
    assert OverlapJudge().judge("okay", is_final=True, spoken_ms=400) is Verdict.BACKCHANNEL


def test_listening_word_that_lasted_for_a_sentence_is_an_interruption() -> None:
    verdict = OverlapJudge().judge("okay", is_final=True, spoken_ms=1_100, closed_vocabulary=True)
    assert verdict is Verdict.INTERRUPTION


def test_listening_word_may_be_drawn_out_if_the_recogniser_knows_all_words() -> None:
    assert OverlapJudge().judge("okay", is_final=True, spoken_ms=1_100) is Verdict.BACKCHANNEL


@pytest.mark.parametrize(
    ("language", "text"),
    [
        *(
            ("en", text)
            for text in (
                "Okay.", "Okaaay", "Ok", "Oh,", "Ohh", "O,", "All right!", "Alright", "Mhm", "Mm-hmm.", "Mmmm",
                "Uh-huh", "Yep", "Yup", "Yeahh.", "Gotcha", "Got it.", "I see.", "Of course", "Great", "Good",
                "Perfect", "Sure.", "Oh, okay. Right.",
            )
        ),
        *(("de", text) for text in ("Ja.", "Jaa", "Ach so.", "Na klar!", "Verstanden.", "M-hm.")),
        *(("fr", text) for text in ("D\u2019accord.", "Mmh.", "Oui, oui.", "Ça marche !")),
        *(("es", text) for text in ("¡Claro!", "Sí.", "Ajá.", "Está bien.", "Así es.")),
    ],
)  # fmt: skip
def test_backchannels_are_known_as_recognisers_write_them(language: str, text: str) -> None:
    assert OverlapJudge(language).judge(text, is_final=True, spoken_ms=400, other_words=0.9) is Verdict.BACKCHANNEL


@pytest.mark.parametrize("text", ["Write.", "see", "God it.", "Oh, see."])
def test_homophone_is_a_backchannel_if_it_sounds_like_one(text: str) -> None:
    judge = OverlapJudge()
    assert judge.judge(text, is_final=True, spoken_ms=400, other_words=0.3) is Verdict.BACKCHANNEL
    assert judge.judge(text, is_final=True, spoken_ms=400, other_words=0.6) is Verdict.INTERRUPTION
    assert judge.judge(text, is_final=True, spoken_ms=400) is Verdict.INTERRUPTION


@pytest.mark.parametrize("partial", ["write", "see", "god"])
def test_homophone_waits_for_the_sound(partial: str) -> None:
    assert OverlapJudge().may_be_nothing(partial)


@pytest.mark.parametrize("text", ["see you tomorrow then", "write that down", "no", "two", "stop"])
def test_words_behind_a_homophone_are_an_interruption(text: str) -> None:
    assert OverlapJudge().judge(text, is_final=True, spoken_ms=900, other_words=0.3) is Verdict.INTERRUPTION


def test_a_homophone_out_of_a_closed_vocabulary_was_meant() -> None:
    verdict = OverlapJudge().judge("see", True, spoken_ms=400, other_words=0.3, closed_vocabulary=True)
    assert verdict is Verdict.INTERRUPTION


def test_several_listening_words_may_take_longer() -> None:
    assert (
        OverlapJudge().judge("okay all right i see", True, spoken_ms=1_100, closed_vocabulary=True)
        is Verdict.BACKCHANNEL
    )


def test_listening_word_that_sounds_like_another_is_an_interruption() -> None:
    assert (
        OverlapJudge().judge("good", True, spoken_ms=500, other_words=0.8, closed_vocabulary=True) is Verdict.MISHEARD
    )
    assert (
        OverlapJudge().judge("good", True, spoken_ms=500, other_words=0.6, closed_vocabulary=True)
        is Verdict.BACKCHANNEL
    )


def test_word_that_was_not_understood_is_an_interruption() -> None:
    assert OverlapJudge().judge("", is_final=True, spoken_ms=500, other_words=0.6) is Verdict.MISHEARD
    assert OverlapJudge().judge("", is_final=True, spoken_ms=500, other_words=0.4) is Verdict.NOTHING


def test_word_that_sounds_like_a_listening_one_is_none_of_the_callers() -> None:
    assert OverlapJudge().judge("no", is_final=True, spoken_ms=300, other_words=0.05) is Verdict.BACKCHANNEL
    assert OverlapJudge().judge("no", is_final=True, spoken_ms=300, other_words=0.2) is Verdict.INTERRUPTION


@pytest.mark.parametrize(
    ("text", "other_words", "verdict"),
    [
        ("stop", 0.9, Verdict.INTERRUPTION),
        ("stop", 0.6, Verdict.NOTHING),
        ("", 0.9, Verdict.NOTHING),
        ("okay", 0.9, Verdict.NOTHING),
        ("stop", None, Verdict.INTERRUPTION),
    ],
)
def test_of_a_sound_that_is_hardly_speech_words_count_only_if_it_sounds_like_words(
    text: str, other_words: float | None, verdict: Verdict
) -> None:
    assert OverlapJudge().judge(text, True, spoken_ms=200, other_words=other_words, is_doubtful=True) is verdict


def test_sentence_that_sounds_like_a_listening_word_is_an_interruption() -> None:
    assert OverlapJudge().judge("not now", is_final=True, spoken_ms=1_000, other_words=0.0) is Verdict.INTERRUPTION


def test_sound_says_nothing_where_words_are_counted_or_any_will_do() -> None:
    assert OverlapJudge(sensitivity="low").judge("good", is_final=True, other_words=0.99) is Verdict.BACKCHANNEL
    assert OverlapJudge(sensitivity="high").judge("good", is_final=True, other_words=0.0) is Verdict.INTERRUPTION


def test_good_wishes_while_the_bot_says_goodbye_are_no_interruption_whatever_they_sound_like() -> None:
    verdict = OverlapJudge().judge("bye", is_final=True, is_goodbye=True, other_words=0.99)
    assert verdict is Verdict.BACKCHANNEL


def test_sound_of_any_length_without_words_is_nothing() -> None:
    assert OverlapJudge().judge("", is_final=True, spoken_ms=1_100) is Verdict.NOTHING


def test_beginning_of_a_listening_phrase_may_be_nothing() -> None:
    assert OverlapJudge().may_be_nothing("got")


def test_a_listeners_words_were_said_if_the_recogniser_knows_all_words() -> None:
    assert OverlapJudge().judge("okay", True, spoken_ms=500, other_words=0.99) is Verdict.BACKCHANNEL


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


GREETING = "Hello, this is a long greeting, and nobody will want to hear it out."


def test_first_guess_at_a_short_word_does_not_cut_the_bot_off(world: Any) -> None:
    w = world(Agent("test", greeting=GREETING))
    w.heard_texts = "okay"
    w.answer()
    w.speaks(1_000, 400)
    w.at(1_300, lambda: w.handle(TranscriptPartial(1, 1, "hold")))
    w.run(8_000)
    assert f"bot: {GREETING}" in w.transcript()


def test_words_of_a_caller_who_speaks_on_do(world: Any) -> None:
    w = world(Agent("test", greeting=GREETING))
    w.answer()
    w.speaks(1_000, 3_000)
    w.at(1_300, lambda: w.handle(TranscriptPartial(1, 1, "hold on a")))
    w.run(1_800)
    assert w.of(CancelSpeech)


def test_words_that_were_not_said_are_no_answer(world: Any) -> None:
    w = world(Agent("test", greeting=GREETING))
    w.answer()
    w.speaks(1_000, 400)
    w.stt_ms = 10_000
    w.at(
        1_550, lambda: w.handle(TranscriptFinal(1, 1, "good", 0.5, w.now_ns, other_words=0.95, closed_vocabulary=True))
    )
    w.run(3_000)
    assert [said.text for said in w.of(CallerSaid)] == [""]
