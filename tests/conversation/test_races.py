"""What crosses on its way: the caller, capture and the workers do not wait for each other."""

from __future__ import annotations

from typing import Any

from ringline import Agent, Tool, tool
from ringline.engine.conversation.actions import BotSaid, Escalate
from ringline.engine.conversation.events import HangUpAsked
from ringline.ipc.messages import (
    DtmfReceived,
    Expectation,
    Generate,
    PhraseFailed,
    PhraseStarted,
    PlayoutStarted,
    PlayoutStopped,
    ReplyDelta,
    Speak,
    SpeechStarted,
    ToolCall,
    WordMarks,
)

MS = 1_000_000


def test_reply_that_was_heard_out_when_it_was_cut_is_not_interrupted(world: Any) -> None:
    call = world()
    call.answer()
    call.run(990)
    call.handle(HangUpAsked("operator"))
    call.handle(PlayoutStopped(1, 1, call.ring_end, True, call.now_ns))
    assert [(said.text, said.interrupted) for said in call.of(BotSaid)] == [("Fine. And you?", False)]


def test_what_was_heard_of_a_cut_reply_does_not_grow_while_capture_is_silent(world: Any) -> None:
    call = world()
    call.say = lambda request: "One two three four five six seven eight nine ten."
    call.answer()
    call.run(20)
    call.handle(PlayoutStarted(1, 1, 0, call.now_ns))
    call.now_ns += 500 * MS
    call.conversation.handle(SpeechStarted(1, 0, call.now_ns), call.now_ns)
    call.now_ns += 700 * MS
    actions = call.conversation.handle(HangUpAsked("operator"), call.now_ns)
    actions += call.conversation.handle(PlayoutStopped(1, 1, 0, False, call.now_ns), call.now_ns)
    assert [said.text for said in actions if isinstance(said, BotSaid)] == [""]


def slow_tool(world: Any) -> Any:
    @tool
    def book() -> dict[str, bool]:
        """Book."""
        return {"ok": True}

    call = world(Agent("test", tools={"book": Tool.of(book)}))
    call.tool_ms = 5_000
    call.say = lambda request: ("Let me see.", (ToolCall("a", "book", {}),)) if request.cause == "opening" else "Done."
    return call


def test_words_said_with_a_tool_stand_once_in_the_history_when_the_caller_cuts_in(world: Any) -> None:
    call = slow_tool(world)
    call.answer()
    call.speaks(1_000, 1_500)
    call.run(2_500)
    assert [content for role, content in call.history() if role == "assistant"] == ["Let me see.", " [interrupted]"]


def test_earlier_tool_call_of_the_same_name_keeps_its_words(world: Any) -> None:
    call = slow_tool(world)
    call.tool_ms = 10
    call.say = lambda request: (
        "Done." if request.cause == "tools" else (f"Let me see {request.turn}.", (ToolCall("a", "book", {}),))
    )
    call.answer()
    call.speaks(3_000, 500)
    call.run(10_000)
    said = [content for role, content in call.history() if role == "assistant"]
    assert said[0::2] == ["Let me see 1.", "Let me see 2."]


def test_phrase_that_tts_does_not_finish_is_late(world: Any) -> None:
    call = world(tts_timeout_ms=1_000, dead_air_ms=60_000)
    call.tts_ms = 1e9
    call.answer()
    call.run(20)
    text = call.of(Speak)[0].text
    call.handle(PhraseStarted(1, 1, 0, 0, call.now_ns))
    call.run(990)
    assert not call.of(Escalate)
    call.run(len(text) * 1000 // 15 + 50)
    assert call.of(Escalate) == [Escalate("tts", 1)]


def test_phrase_behind_much_audio_may_wait(world: Any) -> None:
    call = world(tts_timeout_ms=1_000)
    call.say = lambda request: "One two three four five six seven eight nine ten eleven twelve. Thirteen."
    speak = call._speak
    call._speak = lambda request: speak(request) if request.phrase == 0 else None  # a full ring
    call.answer()
    call.run(2_000)
    assert not call.of(Escalate)
    call.run(2_500)
    assert call.of(Escalate)


def test_word_marks_tell_which_words_were_heard(world: Any) -> None:
    call = world()
    call.say = lambda request: "One two three four five six."
    call.answer()
    call.run(50)
    call.handle(WordMarks(1, 1, 0, (0, 4, 8, 14, 19, 24), (0, 200, 400, 600, 10_000, 11_000)))
    call.handle(PlayoutStopped(1, 1, call.ring_end, False, call.now_ns))
    call.run(150)
    call.handle(HangUpAsked("operator"))
    assert [said.text for said in call.of(BotSaid)] == ["One two three"] or [
        said.text for said in call.of(BotSaid)
    ] == []
    call.run(20)
    assert [said.text for said in call.of(BotSaid)] == ["One two three"]


def test_filler_before_a_tool_is_no_part_of_the_history(world: Any) -> None:
    call = slow_tool(world)
    call.tool_ms = 10
    call.llm_ms = 3_500
    call.answer()
    call.run(6_000)
    call.handle(HangUpAsked("operator"))
    call.run(100)
    assert [content for role, content in call.history() if role == "assistant"] == ["Let me see.", " [interrupted]"]


def test_result_that_comes_after_the_hang_up_stands_in_the_history(world: Any) -> None:
    call = slow_tool(world)
    call.answer()
    call.run(1_000)
    call.handle(HangUpAsked("operator"))
    call.run(6_000)
    assert ("tool", '{"ok":true}') in call.history()


def test_reply_that_ended_without_a_sound_was_not_heard(world: Any) -> None:
    """TTS has failed, and capture says first that the reply is over."""
    call = world()
    call.tts_ms = 1e9
    call.answer()
    call.run(10)
    call.handle(PlayoutStopped(1, 1, 0, True, call.now_ns))
    assert [said.text for said in call.of(BotSaid)] == [""]


def test_reply_of_which_no_phrase_can_be_spoken_is_apologised_for(world: Any) -> None:
    call = world()
    call.tts_ms = 1e9
    call.answer()
    call.run(10)
    call.tts_ms = 5
    call.handle(PhraseFailed(1, 1, 0, "broken"))
    call.handle(PhraseFailed(1, 1, 1, "broken"))
    call.run(10_000)
    assert "sorry" in call.transcript()[-2]
    assert call.transcript()[-1] == "hung up"


def test_reply_that_ended_without_a_sound_is_apologised_for(world: Any) -> None:
    call = world()
    call.tts_ms = 1e9
    call.answer()
    call.run(10)
    call.handle(PhraseFailed(1, 1, 0, "broken"))
    call.actions.clear()
    call.handle(PlayoutStopped(1, 1, 0, True, call.now_ns))
    assert "sorry" in call.of(Speak)[0].text


def test_keys_are_remembered_once_though_the_cut_reply_turns_out_to_have_been_heard(world: Any) -> None:
    call = world()
    call.answer()
    call.run(2_000)
    call.actions.clear()
    call.llm_ms = 1e9
    call.conversation._bot.expect = Expectation(dtmf_digits=1)
    call.handle(DtmfReceived(1, "1", call.now_ns))
    (asked,) = call.of(Generate)
    call.handle(ReplyDelta(1, asked.turn, 0, "One two. Three", call.now_ns))
    call.handle(PlayoutStarted(1, asked.turn, 0, call.now_ns))
    call.handle(DtmfReceived(1, "2", call.now_ns))
    call.handle(PhraseStarted(1, asked.turn, 0, 0, call.now_ns))
    call.run(3_000)
    assert [text for role, text in call.history() if role == "user"] == ["[keyed 1]"]  # the other one is pending
