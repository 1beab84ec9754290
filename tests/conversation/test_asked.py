"""What the recogniser is told of the bot's last words."""

from __future__ import annotations

from typing import Any

from ringline.engine.conversation.bot import MAX_ASKED_CHARS
from ringline.ipc.messages import Transcribe


def asked(call: Any) -> list[str]:
    return [request.asked for request in call.of(Transcribe)]


def test_the_recogniser_is_told_what_the_bot_has_asked(world: Any) -> None:
    call = world()
    call.answer()
    call.run(2_000)
    call.speaks(0, 500)
    call.run(1_000)
    assert asked(call) == ["Fine. And you?"]


def test_what_is_said_over_the_bot_is_heard_without_its_half_sentence(world: Any) -> None:
    call = world()
    call.say = lambda request: "Good morning. Which day would you like to come to see us?"
    call.answer()
    call.run(1_500)
    call.speaks(0, 500)
    call.run(400)
    assert asked(call) == [""]


def test_before_the_bot_has_said_anything_nothing_was_asked(world: Any) -> None:
    call = world()
    call.llm_ms = 5_000
    call.answer()
    call.speaks(0, 500)
    call.run(400)
    assert asked(call) == [""]


def test_a_long_reply_is_told_from_its_end_in_whole_words(world: Any) -> None:
    call = world()
    call.say = lambda request: "This is a long story that nobody wants to hear. " * 6 + "Which day?"
    call.answer()
    call.run(20_000)
    call.actions.clear()
    call.speaks(0, 500)
    call.run(400)
    (heard,) = asked(call)
    assert heard.endswith("Which day?")
    assert len(heard) <= MAX_ASKED_CHARS
    assert heard.split()[0] in ["This", "is", "a", "long", "story", "that", "nobody", "wants", "to", "hear."]
