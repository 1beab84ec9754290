"""Measuring, on synthetic logs in virtual time: every figure here is known beforehand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringline.tools.caller import measure
from ringline.tools.caller.log import Said, WireLog
from ringline.tools.caller.playout import Playout

MS = 1_000_000
FRAME = 160


class Virtual:
    """Builds a log at 8 kHz; times in milliseconds."""

    def __init__(self, continuous: bool = True) -> None:
        self.log = WireLog(8_000, continuous)
        self.playout = Playout(8_000, 40 * MS if continuous else 20 * MS)

    def receive(
        self, at_ms: float, ms: float = 20, audible: bool = True, first: int = 0, end: int | None = None
    ) -> None:
        samples = round(ms * 8)
        at_ns = round(at_ms * MS)
        play_ns = self.playout.feed(at_ns, samples)
        end = samples if end is None else end
        self.log.received(at_ns, play_ns, samples, first if audible else -1, end if audible else 0)

    def stream(self, start_ms: int, end_ms: int, audible: bool = True) -> None:
        for at_ms in range(start_ms, end_ms, 20):
            self.receive(at_ms, audible=audible)

    def say(self, start_ms: float, end_ms: float | None, interruption: bool = False, aside: bool = False) -> None:
        end_ns = None if end_ms is None else round(end_ms * MS)
        self.log.said.append(Said("hello", round(start_ms * MS), end_ns, interruption or aside, aside))

    def clear(self, at_ms: int) -> None:
        self.playout.clear()
        self.log.cleared_ns.append(at_ms * MS)

    @property
    def turn(self) -> measure.Turn:
        return measure.turns(self.log)[-1]


def test_a_response_lasts_from_the_last_audible_sample_sent_to_the_first_received() -> None:
    wire = Virtual()
    wire.stream(0, 1_000, audible=False)
    wire.say(100, 507.5)
    wire.receive(1_000, first=40)
    assert wire.turn.response_ms == 1_000 + 40 / 8 - 507.5
    assert wire.turn.answer_ns == 1_005 * MS


def test_a_response_counts_from_the_receive_time_of_its_message_and_not_from_playout() -> None:
    wire = Virtual(continuous=False)
    wire.say(0, 100)
    wire.receive(500, ms=200, audible=False)
    wire.receive(510, ms=20)
    assert wire.turn.response_ms == 410
    assert wire.turn.heard_ms == 600


def test_each_turn_has_its_own_response() -> None:
    wire = Virtual(continuous=False)
    wire.say(0, 100)
    wire.receive(500)
    wire.say(2_000, 2_100)
    wire.receive(2_430)
    assert [turn.response_ms for turn in measure.turns(wire.log)] == [400, 330]


def test_a_bot_that_was_still_speaking_has_no_response_time() -> None:
    wire = Virtual()
    wire.stream(0, 2_000)
    wire.say(500, 1_000)
    assert wire.turn.response_ms is None
    assert wire.turn.note == "overlap"


def test_a_bot_that_fell_silent_in_time_has_one() -> None:
    wire = Virtual()
    wire.stream(0, 740)
    wire.say(500, 1_000)
    wire.receive(1_400)
    assert wire.turn.response_ms == 400


def test_audio_that_was_cleared_is_not_overlap() -> None:
    wire = Virtual(continuous=False)
    wire.receive(0, ms=5_000)
    wire.say(400, 1_000)
    wire.clear(500)
    wire.receive(1_450)
    assert wire.turn.response_ms == 450


def test_audio_still_queued_at_the_callers_end_is_overlap() -> None:
    wire = Virtual(continuous=False)
    wire.receive(0, ms=5_000)
    wire.say(400, 1_000)
    wire.receive(1_450)
    assert wire.turn.note == "overlap"


def test_a_turn_without_a_sound_is_unanswered() -> None:
    wire = Virtual()
    wire.say(0, 100)
    wire.stream(100, 500, audible=False)
    assert wire.turn.note == "unanswered"


def test_an_answer_after_the_next_item_began_is_not_this_turns() -> None:
    wire = Virtual()
    wire.say(0, 100)
    wire.say(600, 700)
    wire.receive(1_000)
    first, second = measure.turns(wire.log)
    assert (first.note, second.response_ms) == ("unanswered", 300)


def test_an_item_cut_off_by_the_end_of_the_call_is_not_finished() -> None:
    wire = Virtual()
    wire.say(0, None)
    assert wire.turn.note == "not finished"


def test_the_bots_speech_lasts_from_its_first_to_its_last_audible_sample() -> None:
    wire = Virtual()
    wire.say(0, 100)
    wire.receive(500, first=80)
    wire.receive(520)
    wire.receive(540, audible=False)
    wire.receive(560, end=80)
    assert wire.turn.bot_speech_ms == 60


def test_speech_that_was_cleared_is_not_counted() -> None:
    wire = Virtual(continuous=False)
    wire.say(0, 100)
    wire.receive(500, ms=5_000)
    wire.clear(800)
    assert wire.turn.bot_speech_ms == 300


def test_an_interruption_tells_how_long_the_bot_went_on() -> None:
    wire = Virtual()
    wire.stream(0, 640)
    wire.stream(640, 2_000, audible=False)
    wire.say(500, 1_500, interruption=True)
    assert wire.turn.cut_ms == 140


def test_a_bot_that_talks_through_an_interruption_was_not_cut() -> None:
    wire = Virtual()
    wire.stream(0, 3_000)
    wire.say(500, 1_500, interruption=True)
    assert wire.turn.cut_ms is None


def test_the_greeting_counts_from_the_answered_call() -> None:
    wire = Virtual()
    wire.log.connected_ns = 50 * MS
    wire.stream(60, 200, audible=False)
    wire.stream(200, 400)
    assert measure.greeting_ms(wire.log) == (150, 200)


def test_a_bot_that_waits_for_the_caller_has_no_greeting() -> None:
    wire = Virtual()
    wire.say(100, 200)
    wire.receive(500)
    assert measure.greeting_ms(wire.log) == (None, 0)


def test_gaps_are_those_between_frames() -> None:
    wire = Virtual()
    for at_ms in (0, 20, 45, 60):
        wire.receive(at_ms)
    assert measure.flow(wire.log).gaps_ms.tolist() == [20, 25, 15]


def test_spacing_is_measured_against_the_playing_time_of_the_message_before() -> None:
    wire = Virtual(continuous=False)
    for at_ms, ms in ((0, 20), (20, 40), (63, 40), (100, 20)):
        wire.receive(at_ms, ms)
    assert measure.flow(wire.log).spacing_errors_ms.tolist() == [0, 3, 3]


def test_the_silence_between_two_replies_is_neither_a_gap_nor_an_underrun() -> None:
    wire = Virtual(continuous=False)
    wire.receive(0)
    wire.receive(20)
    wire.receive(2_000)
    flow = measure.flow(wire.log)
    assert flow.gaps_ms.tolist() == [20]
    assert flow.num_underruns == 0


def test_the_callers_turn_is_not_a_gap() -> None:
    wire = Virtual(continuous=False)
    wire.receive(0)
    wire.say(50, 100)
    wire.receive(400)
    assert measure.flow(wire.log).gaps_ms.tolist() == []


def test_a_stream_that_owes_every_frame_has_no_excuse_for_a_gap() -> None:
    wire = Virtual()
    wire.receive(0, audible=False)
    wire.say(50, 100)
    wire.receive(2_000, audible=False)
    assert measure.flow(wire.log).gaps_ms.tolist() == [2_000]


def test_a_hole_of_more_than_60_ms_in_speech_is_an_underrun() -> None:
    wire = Virtual()
    wire.stream(0, 200)
    wire.stream(241, 400)
    assert measure.flow(wire.log).num_underruns == 1


def test_a_hole_of_60_ms_is_bridged() -> None:
    wire = Virtual()
    wire.stream(0, 200)
    wire.stream(240, 400)
    assert measure.flow(wire.log).num_underruns == 0


def test_a_hole_in_silence_is_no_underrun() -> None:
    wire = Virtual()
    wire.stream(0, 200)
    wire.stream(200, 1_000, audible=False)
    wire.stream(1_200, 2_400, audible=False)
    wire.stream(2_400, 2_600)
    assert measure.flow(wire.log).num_underruns == 0


def test_a_late_first_frame_of_an_answer_is_no_underrun() -> None:
    wire = Virtual()
    wire.stream(0, 200)
    wire.say(220, 300)
    wire.stream(420, 600)
    assert measure.flow(wire.log).num_underruns == 0


def test_a_queue_that_ran_dry_in_a_reply_is_an_underrun() -> None:
    wire = Virtual(continuous=False)
    wire.receive(0, 20)
    wire.receive(20, 40)
    wire.receive(81, 40)
    assert measure.flow(wire.log).num_underruns == 1


def test_a_message_late_by_less_than_a_frame_is_still_played() -> None:
    wire = Virtual(continuous=False)
    wire.receive(0, 20)
    wire.receive(40, 20)
    assert measure.flow(wire.log).num_underruns == 0


def test_lateness_that_adds_up_empties_the_queue() -> None:
    wire = Virtual(continuous=False)
    for index in range(10):
        wire.receive(index * 25, 20)
    # Late by 5 ms more each time: 20 ms are bridged, so every fifth message starts anew.
    assert measure.flow(wire.log).num_underruns == 1


def test_audio_sent_ahead_covers_a_late_message() -> None:
    wire = Virtual(continuous=False)
    wire.receive(0, 500)
    wire.receive(490, 20)
    assert measure.flow(wire.log).num_underruns == 0


def test_a_new_reply_after_a_clear_is_no_underrun() -> None:
    wire = Virtual(continuous=False)
    wire.receive(0, 100)
    wire.clear(50)
    wire.receive(500)
    assert measure.flow(wire.log).num_underruns == 0


def test_an_empty_log_measures_nothing() -> None:
    flow = measure.flow(WireLog(8_000, True))
    assert (flow.gaps_ms.shape[0], flow.spacing_errors_ms.shape[0], flow.num_underruns) == (0, 0, 0)


@pytest.mark.parametrize("continuous", [True, False])
@given(
    response_ms=st.integers(1, 5_000),
    first=st.integers(0, FRAME - 1),
    shift_ms=st.integers(0, 10**9),
    speech_frames=st.integers(1, 20),
)
def test_a_response_does_not_depend_on_when_it_happens(
    continuous: bool, response_ms: int, first: int, shift_ms: int, speech_frames: int
) -> None:
    wire = Virtual(continuous)
    wire.say(shift_ms + 1, shift_ms + 500)
    for index in range(speech_frames):
        wire.receive(shift_ms + 500 + response_ms + index * 20, first=first if index == 0 else 0)
    assert wire.turn.response_ms == response_ms + first / 8
    assert wire.turn.bot_speech_ms == speech_frames * 20 - first / 8


def test_an_aside_has_no_response_but_a_time_after_which_the_bot_went_on() -> None:
    wire = Virtual()
    wire.stream(0, 580)
    wire.say(500, 900, aside=True)
    wire.stream(580, 1_060, audible=False)
    wire.stream(1_060, 2_000)
    assert (wire.turn.note, wire.turn.response_ms) == ("aside", None)
    assert (wire.turn.cut_ms, wire.turn.resume_ms) == (80, 160)


def test_a_bot_that_speaks_on_through_an_aside_does_not_go_on() -> None:
    wire = Virtual()
    wire.stream(0, 2_000)
    wire.say(500, 900, aside=True)
    assert (wire.turn.cut_ms, wire.turn.resume_ms) == (None, None)


def test_a_bot_that_stays_silent_after_an_aside_does_not_go_on() -> None:
    wire = Virtual()
    wire.stream(0, 580)
    wire.say(500, 900, aside=True)
    assert (wire.turn.cut_ms, wire.turn.resume_ms) == (80, None)
