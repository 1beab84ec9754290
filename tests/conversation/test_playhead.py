"""How far a reply was heard, whichever of capture's reports are still under way."""

from __future__ import annotations

from ringline.engine.conversation.playhead import Playhead

S = 10**9


def test_time_moves_it() -> None:
    playhead = Playhead(8_000)
    playhead.goes_on(100, 5 * S)
    assert playhead.position(6 * S) == 8_100


def test_it_stands_while_the_gate_is_closed() -> None:
    playhead = Playhead(8_000)
    playhead.goes_on(0, 5 * S)
    playhead.halts(playhead.position(6 * S))
    assert playhead.position(60 * S) == 8_000
    assert not playhead.is_measured


def test_capture_knows_better() -> None:
    playhead = Playhead(8_000)
    playhead.goes_on(0, 5 * S)
    playhead.halts(8_000)
    playhead.stopped(8_160, 6 * S)
    assert (playhead.position(60 * S), playhead.is_measured) == (8_160, True)


def test_report_of_a_pause_that_comes_after_the_resumption_corrects_what_was_played_since() -> None:
    playhead = Playhead(8_000)
    playhead.goes_on(0, 5 * S)
    playhead.halts(8_000)
    playhead.goes_on(8_000, 7 * S)
    playhead.stopped(8_160, 6 * S)
    assert playhead.position(8 * S) == 8_160 + 8_000


def test_report_of_a_pause_that_comes_after_the_cut_is_not_taken_for_the_cut() -> None:
    playhead = Playhead(8_000)
    playhead.goes_on(0, 5 * S)
    playhead.halts(8_000)
    playhead.goes_on(8_000, 7 * S)
    playhead.halts(16_000)
    playhead.stopped(8_160, 6 * S)
    assert (playhead.position(60 * S), playhead.is_measured) == (16_160, False)
    playhead.stopped(16_320, 8 * S)
    assert (playhead.position(60 * S), playhead.is_measured) == (16_320, True)


def test_playout_may_be_reported_before_tts_says_where_the_reply_begins() -> None:
    playhead = Playhead(8_000)
    playhead.begins(None, 5 * S)
    playhead.written(100_000, 5 * S)
    playhead.written(108_000, 5 * S)
    assert playhead.position(6 * S) == 108_000


def test_it_waits_for_what_was_not_written_yet() -> None:
    playhead = Playhead(8_000)
    playhead.begins(0, 5 * S)
    playhead.written(8_000, 9 * S)
    assert playhead.position(10 * S) == 16_000
