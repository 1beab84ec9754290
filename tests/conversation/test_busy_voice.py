"""A voice that many calls share: who waits for it is not left in silence, and a reply that breaks off says so."""

from __future__ import annotations

from typing import Any

import pytest

from ringline.engine.conversation.actions import BotSaid, Escalate
from ringline.engine.conversation.wording import _PHRASEBOOKS, phrasebook
from ringline.ipc.messages import Bridge, Speak, ToolCall

BOOK = phrasebook("en")


def asked(world: Any, tts_ms: int, **turn: Any) -> Any:
    """A call whose caller has said something, while the voice takes so long for each phrase."""
    call = world(**turn)
    call.answer()
    call.run(5_000)
    call.tts_ms = tts_ms
    call.speaks(100, 1_000)
    return call


def test_filler_is_put_before_a_phrase_that_waits_for_the_voice(world: Any) -> None:
    call = asked(world, tts_ms=4_000)
    call.run(12_000)
    assert call.transcript()[-2:] == ["caller: hello", f"bot: {BOOK.fillers[0]} Fine. And you?"]


def test_fillers_take_turns_until_the_voice_is_free(world: Any) -> None:
    call = asked(world, tts_ms=8_000)
    call.run(15_000)
    assert call.transcript()[-1] == f"bot: {BOOK.fillers[0]} {BOOK.fillers[1]} Fine. And you?"


def test_history_has_no_fillers_of_a_busy_voice(world: Any) -> None:
    call = asked(world, tts_ms=4_000)
    call.run(12_000)
    assert call.history()[-1] == ("assistant", "Fine. And you?")


def test_call_that_waits_for_the_voice_is_not_given_up(world: Any) -> None:
    call = asked(world, tts_ms=9_000)
    call.run(20_000)
    assert "hung up" not in call.transcript()
    assert call.of(Escalate)  # the engine is asked whether the stage is late, and does not fail what only waits


def test_voice_that_never_comes_ends_with_the_reply_s_time_limit(world: Any) -> None:
    call = asked(world, tts_ms=10**9, max_no_inputs=0)
    call.run(12_000)
    call.tts_ms = 5
    call.run(20_000)
    assert "hung up" in call.transcript()


def test_voice_without_fillers_at_hand_is_asked_for_one_again(world: Any) -> None:
    call = asked(world, tts_ms=7_000)
    call.bridges = False
    call.run(20_000)
    assert len(call.of(Bridge)) >= 2
    assert call.transcript()[-1] == "bot: Fine. And you?"


def test_no_filler_is_put_before_a_phrase_that_is_soon_there(world: Any) -> None:
    call = asked(world, tts_ms=1_500)
    call.run(12_000)
    assert not call.of(Bridge)


def test_interrupted_behind_a_filler_the_bot_has_said_the_filler(world: Any) -> None:
    call = asked(world, tts_ms=4_000)
    call.heard_texts = "never mind that please"
    call.speaks(4_700, 1_500)
    call.run(7_000)
    said = [action.text for action in call.of(BotSaid)]
    assert any(text.startswith("One moment") for text in said)


# --- replies that break off ---------------------------------------------------------------------------------------


def broken(world: Any, *fails: str) -> Any:
    call = world()
    call.answer()
    call.run(5_000)
    call.say = lambda request: "The bridge is long. It has two towers."
    call.fails = set(fails)
    call.speaks(100, 1_000)
    return call


def test_reply_whose_end_could_not_be_spoken_says_so(world: Any) -> None:
    call = broken(world, "It has two towers.")
    call.run(9_000)
    assert call.transcript()[-2:] == ["bot: The bridge is long.", f"bot: {BOOK.lost_thread}"]


def test_history_has_what_was_heard_and_that_the_thread_was_lost(world: Any) -> None:
    call = broken(world, "It has two towers.")
    call.run(9_000)
    assert call.history()[-2:] == [("assistant", "The bridge is long."), ("assistant", BOOK.lost_thread)]


def test_call_goes_on_behind_a_reply_that_broke_off(world: Any) -> None:
    call = broken(world, "It has two towers.")
    call.run(9_000)
    call.fails = set()
    call.speaks(100, 1_000)
    call.run(5_000)
    assert call.transcript()[-1] == "bot: The bridge is long. It has two towers."


def test_gap_in_the_middle_of_a_reply_is_passed_over(world: Any) -> None:
    call = broken(world, "The bridge is long.")
    call.run(9_000)
    assert call.transcript()[-1] == "bot: It has two towers."


def test_voice_that_cannot_even_say_so_ends_with_the_apology(world: Any) -> None:
    call = broken(world, "It has two towers.", BOOK.lost_thread)
    call.run(15_000)
    assert [action.text for action in call.of(Speak) if "thread" in action.text] == [BOOK.lost_thread]
    assert call.transcript()[-2:] == [f"bot: {BOOK.apology}", "hung up"]


def test_reply_of_which_nothing_could_be_spoken_ends_with_the_apology(world: Any) -> None:
    call = broken(world, "It has two towers.", "The bridge is long.")
    call.run(15_000)
    assert call.transcript()[-2:] == [f"bot: {BOOK.apology}", "hung up"]


def test_farewell_that_broke_off_still_ends_the_call(world: Any) -> None:
    call = broken(world, "Until then.")
    call.say = lambda request: ("Good bye. Until then.", (ToolCall("a", "hang_up", {}),))
    call.run(9_000)
    assert call.transcript()[-3:] == ["bot: Good bye.", f"bot: {BOOK.lost_thread}", "hung up"]


@pytest.mark.parametrize("language", _PHRASEBOOKS)
def test_every_language_has_words_for_it(language: str) -> None:
    assert phrasebook(language).lost_thread.endswith(".")
