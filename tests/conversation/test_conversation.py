"""Turn-taking, in virtual time."""

from __future__ import annotations

from typing import Any

from ringline import Agent, Tool, tool
from ringline.engine.conversation.actions import BotSaid, CallerSaid, HungUp, SetGate
from ringline.engine.conversation.events import HangUpAsked
from ringline.engine.conversation.wording import phrasebook
from ringline.ipc.messages import (
    DropUtterance,
    Finalise,
    Generate,
    HangUp,
    ReplyDelta,
    ReplyFailed,
    Speak,
    SpeechStarted,
    ToolCall,
    Transcribe,
    TranscriptFailed,
    TranscriptFinal,
)


def started(world: Any, **turn: Any) -> Any:
    """A call whose greeting was heard."""
    made = world(**turn)
    made.answer()
    made.run(2_000)
    made.actions.clear()
    return made


def test_llm_opens_the_call(world: Any) -> None:
    call = world()
    call.answer()
    assert [request.cause for request in call.of(Generate)] == ["opening"]


def test_configured_greeting_is_spoken_without_the_llm(world: Any) -> None:
    call = world(Agent("test", greeting="Hello there."))
    call.answer()
    assert [request.text for request in call.of(Speak)] == ["Hello there.", ""] or [
        request.text for request in call.of(Speak)
    ] == ["Hello there."]
    assert not call.of(Generate)


def test_sentences_go_to_tts_one_by_one(world: Any) -> None:
    call = world()
    call.answer()
    call.run(20)
    assert [(request.text, request.last) for request in call.of(Speak)] == [("Fine.", False), ("And you?", True)]


def test_turn_ends_after_the_endpoint_silence(world: Any) -> None:
    call = started(world, endpoint_ms=400, draft=False)
    call.speaks(0, 1_000)
    call.run(1_399)
    assert not call.of(Finalise)
    call.run(2)
    assert call.of(Finalise)


def test_reply_follows_the_transcript(world: Any) -> None:
    call = started(world)
    call.speaks(0, 1_000)
    call.run(5_000)
    assert call.transcript() == ["caller: hello", "bot: Fine. And you?"]


def test_pause_shorter_than_the_endpoint_does_not_end_the_turn(world: Any) -> None:
    call = started(world, endpoint_ms=400, draft=False)
    call.speaks(0, 500)
    call.speaks(800, 500)
    call.run(5_000)
    assert len(call.of(Transcribe)) == 1
    assert len(call.of(Finalise)) == 1


def test_recogniser_gets_a_preroll(world: Any) -> None:
    call = started(world)
    call.handle(SpeechStarted(1, 100_000, call.now_ns))
    assert call.of(Transcribe)[0].start_sample == 100_000 - 4_800


def test_without_drafts_response_time_is_the_endpoint_and_the_stages(world: Any) -> None:
    call = started(world, endpoint_ms=400, draft=False)
    call.speaks(0, 1_000)
    call.run(5_000)
    trace = call.of(BotSaid)[0].trace
    assert trace.response_ms == 400 + call.stt_ms + call.llm_ms + call.tts_ms


def test_without_drafts_stages_add_up_to_the_response(world: Any) -> None:
    call = started(world, draft=False)
    call.speaks(0, 1_000)
    call.run(5_000)
    trace = call.of(BotSaid)[0].trace
    assert sum(duration for _, _, duration in trace.stages()) == trace.response_ms


def test_barge_in_closes_the_gate_in_the_same_step(world: Any) -> None:
    call = world()
    call.answer()
    call.run(500)
    actions = call.handle(SpeechStarted(1, 8_000, call.now_ns))
    assert actions[0] == SetGate(0, 1)


def test_interrupted_reply_is_remembered_as_heard(world: Any) -> None:
    call = world()
    call.say = lambda request: "One two three four. Five six seven eight."
    call.answer()
    call.speaks(900, 500)
    call.run(1_700)
    # 50 ms a letter: about 980 ms were heard when the VAD noticed.
    assert call.transcript() == ["bot: One two three four. ..."]
    assert call.history() == [("assistant", "One two three four. [interrupted]")]


def test_word_cut_in_the_middle_was_not_heard(world: Any) -> None:
    call = world()
    call.say = lambda request: "One two three four. Five six seven eight."
    call.answer()
    call.speaks(600, 500)
    call.run(1_300)
    assert call.transcript() == ["bot: One two three ..."]


def test_interruption_before_any_sound_leaves_no_trace(world: Any) -> None:
    call = started(world)
    call.tts_ms = 1_000
    call.speaks(0, 500)
    call.speaks(1_050, 500)
    call.run(8_000)
    assert call.transcript() == ["caller: hello", "caller: hello", "bot: Fine. And you?"]
    assert [said.amends for said in call.of(CallerSaid)] == [False, True]
    assert [entry for entry in call.history() if entry[0] == "user"] == [("user", "hello")]


def test_caller_who_goes_on_before_the_answer_is_heard_whole(world: Any) -> None:
    call = started(world)
    call.tts_ms = 1_000
    call.speaks(0, 500)
    call.speaks(1_050, 500)
    call.run(8_000)
    transcribed = call.of(Transcribe)
    assert transcribed[-1].start_sample == transcribed[0].start_sample


def test_caller_who_goes_on_while_stt_finalises_is_heard_whole(world: Any) -> None:
    call = started(world)
    call.stt_ms = 300
    call.speaks(0, 500)
    call.speaks(750, 500)
    call.run(8_000)
    first, second = call.of(Transcribe)
    assert second.start_sample == first.start_sample
    assert call.of(DropUtterance)
    assert call.transcript() == ["caller: hello", "bot: Fine. And you?"]


def test_dropped_reply_does_not_move_the_brain_on(world: Any) -> None:
    call = started(world)
    call.tts_ms = 1_000
    call.speaks(0, 500)
    call.speaks(1_050, 500)
    call.run(8_000)
    dropped, kept = call.of(Generate)
    assert kept.state == dropped.state


def test_spoken_reply_moves_the_brain_on(world: Any) -> None:
    call = started(world)
    call.speaks(0, 500)
    call.run(5_000)
    call.speaks(0, 500)
    call.run(5_000)
    first, second = call.of(Generate)
    assert second.state == f"{first.turn}.0".encode()


def test_caller_who_says_nothing_is_asked(world: Any) -> None:
    call = started(world, no_input_ms=7_000)
    call.run(7_000)
    assert [request.cause for request in call.of(Generate)] == ["no_input"]


def test_caller_who_speaks_is_not_asked(world: Any) -> None:
    call = started(world, no_input_ms=7_000)
    call.speaks(5_000, 4_000)
    call.run(8_000)
    assert not call.of(Generate)


def test_nothing_understood_is_told_to_the_brain(world: Any) -> None:
    call = started(world)
    call.heard_texts = ""
    call.speaks(0, 500)
    call.run(3_000)
    assert call.of(Generate)[0].messages[-1].content == ""


def test_failed_recognition_counts_as_nothing_understood(world: Any) -> None:
    call = started(world)
    call.stt_ms = 10_000
    call.speaks(0, 500)
    call.run(1_000)
    call.handle(TranscriptFailed(1, call.of(Finalise)[0].utterance, "broken"))
    assert call.transcript() == ["caller: "]


def test_recogniser_that_never_answers_does_not_hold_the_call_up(world: Any) -> None:
    call = started(world, reply_timeout_ms=3_000)
    call.stt_ms = 1e9
    call.speaks(0, 500)
    call.run(60_000)
    assert call.transcript()[-1] == "hung up"


def test_speech_without_end_is_taken_as_it_is(world: Any) -> None:
    call = started(world)
    call.handle(SpeechStarted(1, 32_000, call.now_ns))
    call.run(31_000)
    assert call.transcript()[0] == "caller: hello"


def test_single_key_is_an_answer(world: Any) -> None:
    call = started(world)
    call.presses("1")
    call.run(2_100)
    request = call.of(Generate)[0]
    assert (request.cause, request.messages[-1].content) == ("dtmf", "[keyed 1]")


def test_key_cuts_the_bot_off(world: Any) -> None:
    call = world()
    call.answer()
    call.run(300)
    call.presses("1")
    call.run(100)
    assert "bot: Fine. ..." in call.transcript()


def test_reply_that_fails_is_apologised_for_and_ends_the_call(world: Any) -> None:
    call = started(world)
    call.llm_ms = 1e9
    call.speaks(0, 500)
    call.run(1_000)
    call.handle(ReplyFailed(1, call.of(Generate)[0].turn, 0, "401", is_final=True))
    call.run(10_000)
    assert call.transcript()[-1] == "hung up"
    assert "sorry" in call.transcript()[-2]


def test_reply_that_fails_once_is_asked_for_again(world: Any) -> None:
    call = started(world)
    call.say = lambda request: "Here I am." if request.step else None
    call.speaks(0, 500)
    call.run(1_000)
    call.handle(ReplyFailed(1, call.of(Generate)[0].turn, 0, "no answer in time"))
    call.run(4_000)
    assert call.transcript() == ["caller: hello", "bot: Here I am."]


def test_reply_that_fails_in_the_middle_is_ended_with_a_word_and_the_call_goes_on(world: Any) -> None:
    call = started(world)
    call.say = lambda request: None
    for turn in range(2, 4):
        call.speaks(0, 500)
        call.run(1_000)
        call.handle(ReplyDelta(1, turn, 0, "We open at nine. And we cl", 0))
        call.handle(ReplyFailed(1, turn, 0, "the connection was lost"))
        call.run(6_000)
    assert call.transcript() == [
        "caller: hello",
        f"bot: We open at nine. {phrasebook('en').lost_thread}",
        "caller: hello",
        f"bot: {phrasebook('en').apology}",
        "hung up",
    ]


def test_reply_that_never_comes_is_apologised_for(world: Any) -> None:
    call = started(world, reply_timeout_ms=3_000)
    call.llm_ms = 1e9
    call.speaks(0, 500)
    call.run(60_000)
    assert call.transcript()[-1] == "hung up"


def test_call_in_which_nothing_can_be_said_is_ended(world: Any) -> None:
    call = started(world, reply_timeout_ms=3_000)
    call.llm_ms = call.tts_ms = 1e9
    call.speaks(0, 500)
    call.run(8_000)
    assert call.of(HangUp)


def with_tool(world: Any) -> Any:
    @tool
    def book(day: str) -> dict[str, bool]:
        """Book."""
        return {"ok": True}

    call = world(Agent("test", tools={"book": Tool.of(book)}))
    call.say = lambda request: (
        ("Let me see.", (ToolCall("a", "book", {"day": "x"}),)) if request.cause == "speech" else "Done."
    )
    call.answer()
    call.run(2_000)
    call.actions.clear()
    return call


def test_tool_result_goes_back_to_the_llm(world: Any) -> None:
    call = with_tool(world)
    call.speaks(0, 500)
    call.run(5_000)
    first, second = call.of(Generate)
    assert (second.cause, second.turn, second.step) == ("tools", first.turn, 1)
    assert second.messages[-1].content == '{"ok":true}'
    assert second.state == f"{first.turn}.0".encode()


def test_tool_result_behind_an_empty_reply_is_all_that_the_llm_is_told(world: Any) -> None:
    call = with_tool(world)
    answers = iter(["", ("", (ToolCall("a", "book", {"day": "x"}),)), "Done."])
    call.say = lambda request: next(answers)
    call.speaks(0, 500)
    call.run(5_000)
    assert [request.messages[-1].role for request in call.of(Generate)] == ["user", "user", "tool"]
    assert call.transcript() == ["caller: hello", "bot: Done."]


def test_tools_are_told_to_the_llm(world: Any) -> None:
    call = with_tool(world)
    call.speaks(0, 500)
    call.run(5_000)
    assert call.of(Generate)[0].tools[0]["function"]["name"] == "book"


def test_text_before_and_after_a_tool_is_one_turn(world: Any) -> None:
    call = with_tool(world)
    call.speaks(0, 500)
    call.run(5_000)
    assert call.transcript() == ["caller: hello", "bot: Let me see. Done."]


def test_result_of_a_tool_stands_in_the_history_even_if_the_reply_was_cut(world: Any) -> None:
    call = with_tool(world)
    call.tool_ms = 3_000
    call.speaks(0, 500)
    call.speaks(1_500, 500)
    call.run(6_000)
    assert ("tool", '{"ok":true}') in call.history()


def test_hang_up_waits_until_the_goodbye_was_heard(world: Any) -> None:
    call = started(world)
    call.say = lambda request: ("Good bye then.", (ToolCall("a", "hang_up", {}),))
    call.speaks(0, 500)
    call.run(1_500)
    assert not call.of(HangUp)
    call.run(1_000)
    assert call.of(HangUp)


def test_program_can_end_the_call(world: Any) -> None:
    call = started(world)
    call.handle(HangUpAsked("operator"))
    assert call.of(HungUp) == [HungUp("operator")]


def test_call_that_lasts_too_long_is_ended(world: Any) -> None:
    call = world(max_call_s=3)
    call.answer()
    call.run(3_001)
    assert call.of(HangUp)


def test_barge_in_can_be_switched_off(world: Any) -> None:
    call = world(barge_in="off")
    call.answer()
    call.speaks(100, 300)
    call.run(3_000)
    assert call.transcript() == ["bot: Fine. And you?"]


def test_late_transcript_of_an_older_utterance_is_ignored(world: Any) -> None:
    call = started(world)
    call.stt_ms = 1e9
    call.speaks(0, 500)
    call.run(1_000)
    call.handle(TranscriptFinal(1, 99, "old", 1.0, 0))
    assert call.transcript() == []


def test_nothing_happens_after_the_end(world: Any) -> None:
    call = started(world)
    call.handle(HangUpAsked("operator"))
    call.actions.clear()
    call.speaks(0, 500)
    call.run(10_000)
    assert not call.actions
