"""The caller's turn in the cases that are neither a clean answer nor a clean interruption."""

from __future__ import annotations

from typing import Any

from ringline.engine.conversation.actions import CallerSaid, SetGate
from ringline.engine.conversation.events import CallClosed, Overloaded
from ringline.ipc.messages import (
    DtmfReceived,
    Expectation,
    Generate,
    ReplyFailed,
    SpeechStarted,
    SpeechStopped,
    TranscriptPartial,
)

MS = 1_000_000


def started(world: Any, **turn: Any) -> Any:
    """A call whose greeting was heard."""
    made = world(**turn)
    made.answer()
    made.run(2_000)
    made.actions.clear()
    return made


def test_cough_over_the_end_of_the_greeting_leaves_the_caller_their_time(world: Any) -> None:
    call = world(no_input_ms=7_000)
    call.answer()
    call.heard_texts = ""
    call.speaks(500, 200)
    call.run(7_600)
    assert [request.cause for request in call.of(Generate)] == ["opening"]
    call.run(1_000)
    assert [request.cause for request in call.of(Generate)] == ["opening", "no_input"]


def test_caller_who_cut_the_bot_off_is_answered_even_if_not_understood(world: Any) -> None:
    call = world()
    call.answer()
    call.run(300)
    call.heard_texts = ""
    call.speaks(0, 750)
    call.at(650, lambda: call.handle(TranscriptPartial(1, 1, "stop")))
    call.run(3_000)
    assert [said.text for said in call.of(CallerSaid)] == [""]


def test_words_before_a_key_are_kept_but_nothing_of_the_draft_for_them(world: Any) -> None:
    call = started(world, endpoint_ms=1_000)
    call.speaks(0, 500)
    call.run(800)
    assert call.of(Generate)
    call.presses("1")
    call.run(3_000)
    assert [content for role, content in call.history()][-3:] == ["hello", "[keyed 1]", "Fine. And you?"]
    assert [said.text for said in call.of(CallerSaid)] == ["hello", "1"]


def four_digits(world: Any) -> Any:
    call = started(world)
    call.conversation._bot.expect = Expectation(dtmf_digits=4)
    return call


def test_keys_and_words_are_one_turn(world: Any) -> None:
    call = four_digits(world)
    call.presses("12")
    call.speaks(300, 2_500)
    call.run(6_000)
    request = call.of(Generate)[0]
    assert request.cause == "dtmf"
    assert [message.content for message in request.messages[-2:]] == ["hello", "[keyed 12]"]
    assert len(call.of(Generate)) == 1


def test_noise_after_keys_completes_them(world: Any) -> None:
    call = four_digits(world)
    call.heard_texts = ""
    call.presses("12")
    call.speaks(2_050, 200)
    call.run(6_000)
    assert [said.text for said in call.of(CallerSaid)] == ["12"]


def test_key_never_opens_the_gate_on_the_reply_it_cuts(world: Any) -> None:
    call = world()
    call.answer()
    call.run(300)
    call.handle(SpeechStarted(1, 8_000, call.now_ns))
    actions = call.handle(DtmfReceived(1, "1", call.now_ns))
    assert SetGate(1, 1) not in actions


def test_speech_that_goes_on_and_on_with_pauses_is_taken_as_it_is(world: Any) -> None:
    call = started(world, endpoint_ms=1_000, endpoint_max_ms=1_000)
    for start in range(0, 60_000, 3_000):
        call.speaks(start, 2_400)
    call.run(31_500)
    assert call.of(CallerSaid)


def test_speech_without_end_is_bridged_while_the_recogniser_is_silent(world: Any) -> None:
    call = started(world, dead_air_ms=2_000, stt_timeout_ms=60_000)
    call.stt_ms = 1e9
    call.handle(SpeechStarted(1, 32_000, call.now_ns))
    call.run(33_000)
    assert any(began_ms > 30_000 for _, began_ms, _ in call.audible_ms)


def test_answer_that_fails_while_the_caller_speaks_on_gives_them_the_floor(world: Any) -> None:
    call = started(world)
    call.llm_ms = 1e9
    call.speaks(0, 500)
    call.run(1_200)
    call.handle(SpeechStarted(1, (call.now_ms - 100) * 16, call.now_ns))
    call.handle(ReplyFailed(1, call.of(Generate)[-1].turn, 0, "503"))
    call.llm_ms = 5
    call.at(500, lambda: call.handle(SpeechStopped(1, call.now_ms * 16, call.now_ns)))
    call.run(4_000)
    assert call.transcript() == ["caller: hello", "caller: hello", "bot: Fine. And you?"]


def test_caller_who_hears_nothing_of_the_answer_is_asked_soon(world: Any) -> None:
    call = started(world, dead_air_ms=2_000)
    call.samples_per_char = 0
    call.speaks(0, 500)
    call.run(500 + 400 + 2_500)
    assert [request.cause for request in call.of(Generate)] == ["speech", "no_input"]


def test_echo_inside_a_turn_is_taken_back(world: Any) -> None:
    call = started(world, endpoint_ms=400)
    call.speaks(0, 500)
    call.at(850, lambda: call.handle(SpeechStarted(1, (call.now_ms - 100) * 16, call.now_ns)))
    call.at(950, lambda: call.handle(SpeechStopped(1, call.now_ms * 16, call.now_ns, background=True)))
    call.run(1_100)
    assert call.of(CallerSaid) == [CallerSaid("hello")]


def test_must_hear_phrase_is_over_when_it_was_heard(world: Any) -> None:
    """... even if the next one is not there yet: the caller may speak at once."""
    import msgspec

    call = world(dead_air_ms=60_000)
    call.say = lambda request: "Mind this. And that."
    call._speak_all = call._speak
    call._speak = lambda request: call._speak_all(request) if request.phrase == 0 else None
    call.answer()
    call.run(6)
    phrase = call.conversation._bot.reply.phrases[0]
    phrase.phrase = msgspec.structs.replace(phrase.phrase, uninterruptible=True)
    call.run(200)
    assert SetGate(0, 1) not in call.handle(SpeechStarted(1, 0, call.now_ns))
    call.actions.clear()
    call.run(900)
    assert SetGate(0, 1) in call.actions


def test_words_once_understood_are_not_lost_when_the_whole_turn_is_not(world: Any) -> None:
    call = started(world)
    call.tts_ms = 1_000
    call.speaks(0, 500)
    call.at(1_000, lambda: setattr(call, "heard_texts", ""))
    call.speaks(1_050, 1_500)
    call.run(8_000)
    assert [(said.text, said.amends) for said in call.of(CallerSaid)] == [("hello", False), ("hello", True)]


def test_last_words_of_the_caller_stand_in_the_history_when_the_call_ends(world: Any) -> None:
    call = started(world)
    call.tts_ms = 1_000
    call.speaks(0, 500)
    call.run(1_200)
    call.handle(CallClosed())
    assert ("user", "hello") in call.history()


def test_cough_between_keys_does_not_complete_them(world: Any) -> None:
    call = four_digits(world)
    call.heard_texts = ""
    call.presses("12")
    call.speaks(200, 150)
    call.at(1_200, lambda: call.presses("34"))
    call.run(3_000)
    assert [said.text for said in call.of(CallerSaid)] == ["1234"]


def test_overloaded_models_get_no_drafts(world: Any) -> None:
    call = started(world, endpoint_ms=1_000)
    call.handle(Overloaded(True))
    call.speaks(0, 500)
    call.run(1_300)
    assert not call.of(Generate)
    call.run(700)
    assert [request.draft for request in call.of(Generate)] == [False]


def test_drafts_come_back_when_the_models_have_caught_up(world: Any) -> None:
    call = started(world, endpoint_ms=1_000)
    call.handle(Overloaded(True))
    call.handle(Overloaded(False))
    call.speaks(0, 500)
    call.run(1_300)
    assert [request.draft for request in call.of(Generate)] == [True]
