from __future__ import annotations

from ringline.tools.caller.dialogue import Dialogue, HangUp, Manners, Say
from ringline.tools.caller.script import Item

MS = 1_000_000
MANNERS = Manners(patience_ms=700, timeout_ms=10_000, limit_ms=60_000)


def dialogue(*interrupts_ms: int | None, manners: Manners = MANNERS) -> Dialogue:
    return Dialogue(manners, [Item(text="hello", interrupt_ms=ms) for ms in interrupts_ms], 0)


def with_an_aside() -> Dialogue:
    """The bot speaks from 0 to 3,000 ms, unless it stops; the caller's "uh huh" at 300 ms is under way."""
    caller = Dialogue(MANNERS, [Item(text="uh huh", interrupt_ms=300, aside=True), Item(text="yes")], 0)
    caller.heard(0, 400 * MS)
    assert caller.decide(300 * MS) == Say(0)
    return caller


def decisions(caller: Dialogue, start_ms: int, end_ms: int) -> list[tuple[int, object]]:
    """What is decided on each tick, with its time in ms."""
    found = [(at_ms, caller.decide(at_ms * MS)) for at_ms in range(start_ms, end_ms, 20)]
    return [(at_ms, decision) for at_ms, decision in found if decision is not None]


def test_the_caller_waits_for_the_greeting() -> None:
    assert decisions(dialogue(None), 0, 5_000) == []


def test_the_caller_speaks_once_the_greeting_is_over() -> None:
    caller = dialogue(None)
    caller.heard(100 * MS, 1_000 * MS)
    assert decisions(caller, 1_000, 3_000) == [(1_700, Say(0))]


def test_a_pause_shorter_than_the_callers_patience_does_not_end_the_bots_turn() -> None:
    caller = dialogue(None)
    caller.heard(0, 1_000 * MS)
    assert decisions(caller, 1_000, 1_600) == []
    caller.heard(1_600 * MS, 2_000 * MS)
    assert decisions(caller, 1_600, 4_000) == [(2_700, Say(0))]


def test_audio_queued_ahead_is_heard_out() -> None:
    caller = dialogue(None)
    caller.heard(0, 5_000 * MS)
    assert decisions(caller, 20, 7_000) == [(5_700, Say(0))]


def test_what_was_cleared_is_not_waited_for() -> None:
    caller = dialogue(None)
    caller.heard(0, 5_000 * MS)
    caller.cleared(1_000 * MS)
    assert decisions(caller, 1_000, 3_000) == [(1_700, Say(0))]


def test_nothing_is_decided_while_the_caller_speaks() -> None:
    caller = dialogue(None, None)
    caller.heard(0, 100 * MS)
    assert decisions(caller, 100, 5_000) == [(800, Say(0))]


def test_each_item_waits_for_the_answer_to_the_one_before() -> None:
    caller = dialogue(None, None)
    caller.heard(0, 100 * MS)
    assert decisions(caller, 800, 820) == [(800, Say(0))]
    caller.said(1_500 * MS)
    assert decisions(caller, 1_500, 5_000) == []
    caller.heard(5_000 * MS, 6_000 * MS)
    assert decisions(caller, 5_000, 8_000) == [(6_700, Say(1))]


def test_the_caller_hangs_up_after_the_last_answer() -> None:
    caller = dialogue()
    caller.heard(0, 100 * MS)
    assert decisions(caller, 100, 820) == [(800, HangUp(""))]
    assert caller.is_complete


def test_the_caller_gives_up_on_a_bot_that_never_greets() -> None:
    assert decisions(dialogue(None), 0, 10_020) == [(10_000, HangUp("no greeting"))]


def test_the_caller_gives_up_on_a_bot_that_does_not_answer() -> None:
    caller = dialogue(None)
    caller.heard(0, 100 * MS)
    caller.decide(800 * MS)
    caller.said(2_000 * MS)
    assert decisions(caller, 2_000, 12_020) == [(12_000, HangUp("no answer"))]
    assert not caller.is_complete


def test_a_caller_who_is_not_greeted_speaks_first() -> None:
    caller = dialogue(None, manners=Manners(waits_for_greeting=False))
    assert decisions(caller, 0, 2_000) == [(700, Say(0))]


def test_an_interruption_comes_while_the_bot_speaks() -> None:
    caller = dialogue(None, 300)
    caller.heard(0, 100 * MS)
    caller.decide(800 * MS)
    caller.said(1_000 * MS)
    caller.heard(1_500 * MS, 9_000 * MS)
    assert decisions(caller, 1_500, 3_000) == [(1_800, Say(1))]


def test_an_interruption_of_a_bot_that_is_already_quiet_waits_no_longer_than_others() -> None:
    caller = dialogue(5_000)
    caller.heard(0, 100 * MS)
    assert decisions(caller, 100, 2_000) == [(800, Say(0))]


def test_a_bot_that_speaks_on_over_the_callers_end_has_begun_its_answer() -> None:
    caller = dialogue(100)
    caller.heard(0, 200 * MS)
    caller.decide(100 * MS)
    caller.heard(200 * MS, 3_000 * MS)
    caller.said(1_000 * MS)
    assert decisions(caller, 1_000, 3_720) == [(3_700, HangUp(""))]


def test_a_call_has_a_longest_duration() -> None:
    caller = dialogue(None, manners=Manners(limit_ms=1_000))
    caller.heard(0, 5_000 * MS)
    assert decisions(caller, 0, 1_020) == [(1_000, HangUp("the call lasted too long"))]


def test_an_item_may_ask_for_a_patience_of_its_own() -> None:
    caller = Dialogue(MANNERS, [Item(text="hello", patience_ms=2_000)], 0)
    caller.heard(0, 100 * MS)
    assert decisions(caller, 100, 3_000) == [(2_100, Say(0))]


def test_behind_an_aside_the_bots_turn_is_heard_out() -> None:
    caller = with_an_aside()
    caller.said(700 * MS)
    assert decisions(caller, 700, 900) == []
    caller.heard(900 * MS, 3_000 * MS)
    assert decisions(caller, 900, 5_000) == [(3_700, Say(1))]


def test_an_aside_over_a_bot_that_speaks_on_changes_nothing() -> None:
    caller = with_an_aside()
    caller.heard(400 * MS, 3_000 * MS)
    caller.said(700 * MS)
    assert decisions(caller, 700, 5_000) == [(3_700, Say(1))]


def test_an_aside_over_the_bots_last_word_waits_for_no_answer() -> None:
    caller = with_an_aside()
    caller.said(700 * MS)
    assert decisions(caller, 700, 5_000) == [(1_400, Say(1))]


def prompted() -> Dialogue:
    """The bot has greeted, until 1,000 ms."""
    caller = Dialogue(Manners(patience_ms=700, prompted=True), [], 0)
    caller.heard(100 * MS, 1_000 * MS)
    return caller


def test_a_prompted_caller_neither_speaks_nor_hangs_up_by_itself() -> None:
    assert decisions(prompted(), 1_000, 20_000) == []


def test_what_is_prompted_is_said_when_the_bot_has_been_heard_out() -> None:
    caller = prompted()
    caller.add(Item(text="hello"))
    assert decisions(caller, 1_000, 3_000) == [(1_700, Say(0))]


def test_a_prompt_that_comes_late_is_said_at_once() -> None:
    caller = prompted()
    assert decisions(caller, 1_000, 3_000) == []
    caller.add(Item(text="hello"))
    assert caller.decide(3_000 * MS) == Say(0)


def test_the_last_prompt_ends_the_call_once_the_bot_is_quiet() -> None:
    caller = prompted()
    caller.add(None)
    assert decisions(caller, 1_000, 1_720) == [(1_700, HangUp(""))]
