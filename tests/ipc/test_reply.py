"""The gate in front of the caller's ear: what comes out is the turn that may be heard, whole and in order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ringline.ipc.exchange import (
    MIN_TURN,
    PLAY_TURN,
    PLAYED_SAMPLE,
    PLAYED_TURN,
    REPLY_POSITION,
    TURN_ENTRIES,
    Exchange,
    Layout,
    Slot,
)
from ringline.ipc.reply import PLAYED_OUT, ReplyWriter, reply_peek, reply_take
from ringline.ipc.ring import CLAIMED, WRITTEN, Samples

FRAME_SAMPLES = 160


def turn_samples(turn: int, start: int, count: int) -> Samples:
    """What a turn says from its sample ``start`` on."""
    index = np.arange(start, start + count, dtype=np.int64) + turn * 1_000_003
    return ((index * -7046029254386353131) >> 40).astype(np.int16)


def take(slot: Slot, num_samples: int = FRAME_SAMPLES) -> tuple[Samples, int, int]:
    frame: Samples = np.zeros(num_samples, np.int16)
    count, turn, flags = reply_take(slot.words, slot.reply.samples, frame)
    return frame[:count], turn, flags


def speak(slot: Slot, turn: int, num_samples: int, *, end: bool = True) -> None:
    writer = ReplyWriter(slot)
    writer.begin(turn)
    writer.write(turn_samples(turn, 0, num_samples))
    if end:
        writer.end(turn)


def peek(slot: Slot, turn: int, position: int, num_samples: int = FRAME_SAMPLES) -> Samples:
    target: Samples = np.zeros(num_samples, np.int16)
    return target[: reply_peek(slot.words, slot.reply.samples, turn, position, target)]


def test_a_peek_shows_what_the_next_take_brings_and_takes_nothing(slot: Slot) -> None:
    speak(slot, 1, 480)
    slot.store(PLAY_TURN, 1)
    take(slot)
    seen = peek(slot, 1, 160)
    np.testing.assert_array_equal(seen, turn_samples(1, 160, 160))
    np.testing.assert_array_equal(take(slot)[0], seen)


def test_a_peek_ends_where_the_turn_ends(slot: Slot) -> None:
    speak(slot, 1, 200)
    speak(slot, 2, 200)
    np.testing.assert_array_equal(peek(slot, 1, 160), turn_samples(1, 160, 40))
    assert peek(slot, 1, 200).shape[0] == 0


def test_a_peek_ends_where_the_writer_stands(slot: Slot) -> None:
    speak(slot, 1, 200, end=False)
    np.testing.assert_array_equal(peek(slot, 1, 160), turn_samples(1, 160, 40))


def test_a_peek_sees_nothing_of_a_turn_that_is_not_in_the_table(slot: Slot) -> None:
    speak(slot, 1, 200)
    speak(slot, 1 + TURN_ENTRIES, 200)
    assert peek(slot, 1, 0).shape[0] == 0
    assert peek(slot, 5, 0).shape[0] == 0


def test_a_draft_is_not_heard(slot: Slot) -> None:
    speak(slot, 1, 320)
    samples, turn, flags = take(slot)
    assert (samples.shape[0], turn, flags) == (0, 0, 0)


def test_setting_play_turn_lets_a_draft_be_heard(slot: Slot) -> None:
    speak(slot, 1, 320)
    slot.store(PLAY_TURN, 1)
    samples, turn, flags = take(slot)
    np.testing.assert_array_equal(samples, turn_samples(1, 0, 160))
    assert (turn, flags) == (1, 0)
    assert (slot.load(PLAYED_TURN), slot.load(PLAYED_SAMPLE)) == (1, 160)


def test_the_last_frame_says_that_the_turn_is_played_out(slot: Slot) -> None:
    speak(slot, 1, 200)
    slot.store(PLAY_TURN, 1)
    assert take(slot)[2] == 0
    samples, _, flags = take(slot)
    np.testing.assert_array_equal(samples, turn_samples(1, 160, 40))
    assert flags == PLAYED_OUT


def test_the_end_may_come_after_the_last_sample(slot: Slot) -> None:
    speak(slot, 1, 160, end=False)
    slot.store(PLAY_TURN, 1)
    assert take(slot)[2] == 0
    ReplyWriter(slot).end(1)
    samples, _, flags = take(slot)
    assert (samples.shape[0], flags) == (0, PLAYED_OUT)


def test_an_empty_turn_is_played_out_at_once(slot: Slot) -> None:
    speak(slot, 1, 0)
    slot.store(PLAY_TURN, 1)
    assert take(slot)[2] == PLAYED_OUT


def test_a_frame_that_is_not_whole_yet_waits(slot: Slot) -> None:
    speak(slot, 1, 159, end=False)
    slot.store(PLAY_TURN, 1)
    assert take(slot)[0].shape[0] == 0
    ReplyWriter(slot).write(turn_samples(1, 159, 1))
    np.testing.assert_array_equal(take(slot)[0], turn_samples(1, 0, 160))


def test_a_cut_is_heard_within_one_frame(slot: Slot) -> None:
    speak(slot, 1, 480)
    slot.store(PLAY_TURN, 1)
    take(slot)
    slot.store(PLAY_TURN, 0)
    assert take(slot)[0].shape[0] == 0
    assert slot.load(PLAYED_SAMPLE) == 160


def test_a_paused_turn_goes_on_where_it_stopped(slot: Slot) -> None:
    speak(slot, 1, 480)
    slot.store(PLAY_TURN, 1)
    take(slot)
    slot.store(PLAY_TURN, 0)
    take(slot)
    slot.store(PLAY_TURN, 1)
    np.testing.assert_array_equal(take(slot)[0], turn_samples(1, 160, 160))


def test_a_new_turn_skips_what_was_not_heard_of_the_old_one(slot: Slot) -> None:
    speak(slot, 1, 320)
    speak(slot, 2, 320)
    slot.store(PLAY_TURN, 1)
    take(slot)
    slot.store(PLAY_TURN, 2)
    np.testing.assert_array_equal(take(slot)[0], turn_samples(2, 0, 160))


def test_a_turn_that_is_not_begun_yet_is_awaited(slot: Slot) -> None:
    slot.store(PLAY_TURN, 2)
    assert take(slot) == (pytest.approx([]), 2, 0)
    speak(slot, 2, 160)
    np.testing.assert_array_equal(take(slot)[0], turn_samples(2, 0, 160))


def test_a_full_ring_leaves_no_room(slot: Slot) -> None:
    speak(slot, 1, 640, end=False)
    writer = ReplyWriter(slot)
    assert writer.room() == 0
    with pytest.raises(ValueError, match="1 samples, room for 0"):
        writer.write(turn_samples(1, 640, 1))


def test_playing_makes_room(slot: Slot) -> None:
    speak(slot, 1, 640, end=False)
    slot.store(PLAY_TURN, 1)
    take(slot)
    assert ReplyWriter(slot).room() == 160
    assert ReplyWriter(slot).ahead() == 480


def test_dead_turns_make_room(slot: Slot) -> None:
    speak(slot, 1, 320)
    speak(slot, 2, 320)
    slot.store(MIN_TURN, 2)
    take(slot)
    assert ReplyWriter(slot).room() == 320
    slot.store(MIN_TURN, 3)
    take(slot)
    assert ReplyWriter(slot).room() == 640


def test_a_cut_turn_still_being_written_makes_room(slot: Slot) -> None:
    speak(slot, 1, 320, end=False)
    slot.store(MIN_TURN, 2)
    take(slot)
    ReplyWriter(slot).write(turn_samples(1, 320, 320))
    take(slot)
    assert ReplyWriter(slot).room() == 640


def test_drafts_that_died_behind_a_finished_turn_make_room_while_the_gate_stays_on_it(slot: Slot) -> None:
    speak(slot, 1, 160)
    slot.store(PLAY_TURN, 1)
    take(slot)
    speak(slot, 2, 480)
    slot.store(MIN_TURN, 3)
    samples, turn, flags = take(slot)
    assert (samples.shape[0], turn, flags) == (0, 1, PLAYED_OUT)
    assert ReplyWriter(slot).room() == 640
    assert slot.load(PLAYED_SAMPLE) == 160


def test_what_was_not_heard_of_a_turn_that_left_the_table_makes_room_though_an_older_turn_is_in_it(slot: Slot) -> None:
    speak(slot, 4, 160)
    speak(slot, 5, 320)
    slot.store(PLAY_TURN, 5)
    take(slot)
    slot.store(PLAY_TURN, 0)
    speak(slot, 5 + TURN_ENTRIES, 0)
    take(slot)
    assert ReplyWriter(slot).room() == 640


def test_a_living_draft_keeps_its_room(slot: Slot) -> None:
    speak(slot, 1, 160)
    speak(slot, 2, 160)
    slot.store(MIN_TURN, 2)
    for _ in range(3):
        take(slot)
    slot.store(PLAY_TURN, 2)
    np.testing.assert_array_equal(take(slot)[0], turn_samples(2, 0, 160))


def test_a_turn_that_is_over_is_not_begun_again(slot: Slot) -> None:
    speak(slot, 2, 160)
    with pytest.raises(ValueError, match="turn 1 is over"):
        ReplyWriter(slot).begin(1)


def test_beginning_a_turn_twice_is_harmless(slot: Slot) -> None:
    speak(slot, 1, 100, end=False)
    ReplyWriter(slot).begin(1)
    ReplyWriter(slot).write(turn_samples(1, 100, 60))
    slot.store(PLAY_TURN, 1)
    np.testing.assert_array_equal(take(slot)[0], turn_samples(1, 0, 160))


def test_a_turn_ends_where_the_next_one_begins(slot: Slot) -> None:
    speak(slot, 1, 100, end=False)
    speak(slot, 2, 100)
    slot.store(PLAY_TURN, 1)
    samples, _, flags = take(slot)
    np.testing.assert_array_equal(samples, turn_samples(1, 0, 100))
    assert flags == PLAYED_OUT


def test_phrases_are_told_apart(slot: Slot) -> None:
    writer = ReplyWriter(slot)
    writer.begin(4)
    assert not writer.has(4, 0)
    assert writer.begin_phrase(0) == 0
    assert not writer.has(4, 0)
    writer.write(turn_samples(4, 0, 10))
    writer.end_phrase(0)
    assert writer.has(4, 0)
    assert not writer.has(4, 1)
    assert not writer.has(5, 0)
    assert writer.has(3, 7)  # turn 3 is over, whatever there was of it


def test_a_new_writer_goes_on_in_the_middle_of_a_phrase(slot: Slot) -> None:
    writer = ReplyWriter(slot)
    writer.begin(1)
    writer.begin_phrase(0)
    writer.write(turn_samples(1, 0, 30))
    writer.end_phrase(0)
    writer.begin_phrase(1)
    writer.write(turn_samples(1, 30, 50))
    successor = ReplyWriter(slot)
    assert successor.turn == 1
    assert successor.has(1, 0)
    assert not successor.has(1, 1)
    successor.begin(1)
    assert successor.begin_phrase(1) == 50


@pytest.mark.parametrize("boundary", [2**31, 2**32, 2**31 * 640])
def test_reply_indexes_pass_every_boundary(slot: Slot, boundary: int) -> None:
    start = boundary - 200
    slot.reply.words[CLAIMED] = slot.reply.words[WRITTEN] = start
    slot.words[REPLY_POSITION] = start
    for turn in (1, 2, 3):
        speak(slot, turn, 320)
        slot.store(PLAY_TURN, turn)
        np.testing.assert_array_equal(take(slot)[0], turn_samples(turn, 0, 160))
        np.testing.assert_array_equal(take(slot)[0], turn_samples(turn, 160, 160))
    assert slot.load(REPLY_POSITION) == start + 3 * 320


class GateModel(RuleBasedStateMachine):
    """Everything that engine, TTS and capture may do to a slot, in any order."""

    @initialize(capacity=st.sampled_from([8, 13, 64]), start=st.sampled_from([0, 2**32 - 30]))
    def begin_call(self, capacity: int, start: int) -> None:
        self.exchange = Exchange.create(Layout(1, 8, 8, capacity))
        self.exchange.admit(True)
        slot = self.exchange.claim(0, 8000)
        assert slot is not None
        slot.reply.words[CLAIMED] = slot.reply.words[WRITTEN] = slot.words[REPLY_POSITION] = start
        self.slot, self.capacity = slot, capacity
        self.writer = ReplyWriter(slot)
        self.turn = 0  # begun last
        self.starts: dict[int, int] = {}
        self.lengths: dict[int, int] = {}
        self.ended: set[int] = set()
        self.phrase, self.phrase_open, self.phrase_samples = -1, False, 0
        self.play = self.min_turn = self.newest_heard = 0
        self.heard: dict[int, int] = {}

    def teardown(self) -> None:
        if hasattr(self, "exchange"):
            self.exchange.close()

    @rule(skipped=st.sampled_from([0, 0, 0, 1, TURN_ENTRIES]))
    def begin_turn(self, skipped: int) -> None:
        self.ended.add(self.turn)
        self.turn += 1 + skipped
        self.writer.begin(self.turn)
        self.starts[self.turn] = self.slot.reply.written
        self.lengths[self.turn] = 0
        self.phrase, self.phrase_open, self.phrase_samples = -1, False, 0

    @precondition(lambda self: self.turn and not self.phrase_open and self.turn not in self.ended)
    @rule()
    def begin_phrase(self) -> None:
        self.phrase += 1
        assert self.writer.begin_phrase(self.phrase) == 0
        self.phrase_open, self.phrase_samples = True, 0

    @precondition(lambda self: self.phrase_open and self.turn not in self.ended)
    @rule(share=st.floats(0, 1))
    def write(self, share: float) -> None:
        count = round(share * self.writer.room())
        self.writer.write(turn_samples(self.turn, self.lengths[self.turn], count))
        self.lengths[self.turn] += count
        self.phrase_samples += count

    @precondition(lambda self: self.phrase_open)
    @rule()
    def end_phrase(self) -> None:
        self.writer.end_phrase(self.phrase)
        self.phrase_open = False

    @precondition(lambda self: self.turn and not self.phrase_open)
    @rule()
    def end_turn(self) -> None:
        self.writer.end(self.turn)
        self.ended.add(self.turn)

    @rule()
    def tts_dies_and_comes_back(self) -> None:
        self.writer = ReplyWriter(self.slot)
        assert self.writer.turn == self.turn
        if self.turn and self.turn not in self.ended:
            for phrase in range(self.phrase + 2):
                done = phrase < self.phrase or (phrase == self.phrase and not self.phrase_open)
                assert self.writer.has(self.turn, phrase) == done
            self.writer.begin(self.turn)
            if self.phrase_open:
                assert self.writer.begin_phrase(self.phrase) == self.phrase_samples

    @rule(back=st.integers(-1, 3))
    def let_a_turn_be_heard(self, back: int) -> None:
        """The engine never goes back behind a turn that was heard, nor to a dead one."""
        self.play = max(self.turn - back, self.newest_heard, self.min_turn)
        self.slot.store(PLAY_TURN, self.play)

    @rule()
    def pause(self) -> None:
        self.play = 0
        self.slot.store(PLAY_TURN, 0)

    @rule(back=st.integers(-1, 3))
    def declare_turns_dead(self, back: int) -> None:
        self.min_turn = max(self.min_turn, self.turn - back)
        self.slot.store(MIN_TURN, self.min_turn)
        if self.play < self.min_turn:
            self.pause()

    @rule(num_samples=st.integers(1, 8))
    def take(self, num_samples: int) -> None:
        samples, turn, flags = take(self.slot, num_samples)
        assert turn == self.play
        known = self.play in self.starts and self.in_table(self.play)
        if not known:
            assert (samples.shape[0], flags) == (0, 0)
        else:
            heard = self.heard.get(turn, 0)
            left = self.lengths[turn] - heard
            ended = turn in self.ended
            # All that there is comes out, next in order; but no part of a frame unless it is the turn's last.
            assert samples.shape[0] == (min(left, num_samples) if ended or left >= num_samples else 0)
            np.testing.assert_array_equal(samples, turn_samples(turn, heard, samples.shape[0]))
            self.heard[turn] = heard + samples.shape[0]
            assert flags == (PLAYED_OUT if ended and self.heard[turn] == self.lengths[turn] else 0)
            self.newest_heard = max(self.newest_heard, turn)
        self.dead_turns_have_made_room()

    def in_table(self, turn: int) -> bool:
        return not any(other > turn and (other - turn) % TURN_ENTRIES == 0 for other in self.starts)

    def dead_turns_have_made_room(self) -> None:
        """Nothing but what may yet be heard takes up room, and what lies behind the oldest of it."""
        playing = self.play and self.heard.get(self.play, 0) < self.lengths.get(self.play, 0)
        alive = [
            start + self.heard.get(turn, 0)
            for turn, start in self.starts.items()
            if turn >= max(self.min_turn, self.newest_heard) and self.in_table(turn)
        ]
        if playing:
            alive.append(self.starts[self.play] + self.heard.get(self.play, 0))
        oldest = min([*alive, self.slot.reply.written])
        assert self.writer.room() >= self.capacity - (self.slot.reply.written - oldest)

    @invariant()
    def room_is_within_the_ring(self) -> None:
        if hasattr(self, "writer"):
            assert 0 <= self.writer.room() <= self.capacity
            assert self.writer.ahead() >= 0


TestGateModel = GateModel.TestCase
TestGateModel.settings = settings(
    max_examples=300, stateful_step_count=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
