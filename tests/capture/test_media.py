"""What a tick of the media clock does, in virtual time: no sockets, no clock."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ringline.ipc.exchange import FRAMES_MISSED, MIN_TURN, PLAY_TURN, PLAYING, UNDERRUNS, Exchange, Layout
from ringline.ipc.reply import ReplyWriter
from ringline.workers.capture import media as column
from ringline.workers.capture.doors.door import WireFormat
from ringline.workers.capture.media import FRAME_SAMPLES, MediaPlane


class FakeLeg:
    call_id = "test"

    def __init__(self, encoding: str, rate_hz: int, wants_silence: bool, max_frames: int) -> None:
        self.format = WireFormat(encoding, rate_hz)
        self.parameters: dict[str, str] = {}
        self.wants_silence = wants_silence
        self.max_frames_per_message = max_frames

    def send_audio(self, payload: bytes) -> None: ...
    def flush(self) -> None: ...
    def hang_up(self) -> None: ...


class Plane:
    """One call on a media plane; `tick` moves time on by 10 ms and returns what is sent."""

    def __init__(
        self, encoding: str = "slin", rate_hz: int = 8_000, wants_silence: bool = True, max_frames: int = 1
    ) -> None:
        self.exchange = Exchange.create(Layout(max_calls=2, caller_samples=64_000, line_samples=64_000))
        self.exchange.admit(True)
        slot = self.exchange.claim(0, rate_hz)
        assert slot is not None
        self.slot = slot
        self.media = MediaPlane(self.exchange)
        self.media.open(slot, FakeLeg(encoding, rate_hz, wants_silence, max_frames), 0)
        self.row = self.media.state[slot.index]
        self.calls = np.array([slot.index, 0], np.int64)
        self.now = -1

    def arrive(self, payload: bytes) -> None:
        start = int(self.row[column.PENDING])
        self.media.pending[self.slot.index, start : start + len(payload)] = np.frombuffer(payload, np.uint8)
        self.row[column.PENDING] += len(payload)

    def tick(self, ticks: int = 1) -> bytes:
        """``ticks`` at once: the worker was late."""
        self.now += ticks
        self.media.play(self.calls, 1, self.now)
        sent = self.media.out[self.slot.index, : int(self.row[column.OUT_BYTES])].tobytes()
        self.media.ingest(self.calls, 1, self.now)
        return sent

    def run(self, num_ticks: int) -> list[bytes]:
        return [self.tick() for _ in range(num_ticks)]

    def speak(self, samples: Any, turn: int = 1, complete: bool = True) -> ReplyWriter:
        writer = ReplyWriter(self.slot)
        writer.begin(turn)
        writer.write(samples)
        if complete:
            writer.end(turn)
        return writer


FADE = 40
"""5 ms at 8 kHz."""


@pytest.fixture
def tone() -> Any:
    """One second at 8 kHz, no two frames alike."""
    return (8_000 * np.sin(np.arange(8_000) * 0.3)).astype(np.int16)


def test_silence_is_sent_from_the_first_moment_every_second_tick() -> None:
    assert [len(sent) for sent in Plane().run(6)] == [320, 0, 320, 0, 320, 0]


def test_peer_that_paces_gets_no_silence() -> None:
    assert not any(Plane(wants_silence=False).run(10))


def test_reply_leaves_frame_by_frame_and_whole(tone: Any) -> None:
    plane = Plane()
    plane.speak(tone)
    plane.slot.store(PLAY_TURN, 1)
    sent = b"".join(plane.run(100))
    assert np.array_equal(np.frombuffer(sent, np.int16), tone)


def test_turn_that_may_not_be_heard_is_not(tone: Any) -> None:
    plane = Plane()
    plane.speak(tone)
    assert not any(np.frombuffer(b"".join(plane.run(20)), np.int16))


def test_closed_gate_is_silent_from_the_next_frame_after_a_fade_of_5_ms(tone: Any) -> None:
    plane = Plane()
    plane.speak(tone)
    plane.slot.store(PLAY_TURN, 1)
    plane.run(10)
    plane.slot.store(PLAY_TURN, 0)
    plane.slot.store(MIN_TURN, 2)
    sent = np.frombuffer(b"".join(plane.run(4)), np.int16)
    assert sent[:FADE].any()
    assert not sent[FADE:].any()


def test_cut_turn_is_reported_with_what_was_played(tone: Any) -> None:
    plane = Plane()
    plane.speak(tone)
    plane.slot.store(PLAY_TURN, 1)
    plane.run(10)
    plane.slot.store(PLAY_TURN, 0)
    plane.tick()
    assert (plane.row[column.STOPPED_TURN], plane.row[column.STOPPED_SAMPLE]) == (1, 5 * 160)
    assert not plane.row[column.STOPPED_FINISHED]


def test_played_out_turn_is_reported_once(tone: Any) -> None:
    plane = Plane()
    plane.speak(tone[:320])
    plane.slot.store(PLAY_TURN, 1)
    stops = []
    for _ in range(12):
        plane.tick()
        if plane.row[column.STOPPED_TURN]:
            stops.append(bool(plane.row[column.STOPPED_FINISHED]))
    assert stops == [True]


def test_first_audible_sample_is_found_inside_its_frame() -> None:
    plane = Plane()
    plane.speak(np.concatenate([np.zeros(200, np.int16), np.full(600, 5_000, np.int16)]))
    plane.slot.store(PLAY_TURN, 1)
    seen = []
    for _ in range(6):
        plane.tick()
        if plane.row[column.OUT_BYTES]:
            seen.append(int(plane.row[column.OUT_AUDIBLE]))
    assert seen == [-1, 40, -1]


def test_missed_deadlines_are_counted_and_not_made_up_for() -> None:
    plane = Plane()
    plane.run(2)
    assert len(plane.tick(7)) == 320  # 70 ms late: three deadlines have passed, one frame leaves
    assert plane.slot.load(FRAMES_MISSED) == 3
    assert plane.slot.line.written == 5 * FRAME_SAMPLES


def test_gap_inside_a_turn_is_an_underrun(tone: Any) -> None:
    plane = Plane()
    plane.speak(tone[:160], complete=False)
    plane.slot.store(PLAY_TURN, 1)
    plane.run(6)
    assert plane.slot.load(UNDERRUNS) == 2


def test_frame_that_is_not_whole_waits(tone: Any) -> None:
    plane = Plane()
    plane.speak(tone[:100], complete=False)
    plane.slot.store(PLAY_TURN, 1)
    assert not any(np.frombuffer(plane.tick(), np.int16))


def test_peer_that_buffers_gets_one_frame_and_then_two_at_a_time(tone: Any) -> None:
    plane = Plane("mulaw", wants_silence=False, max_frames=2)
    plane.speak(tone)
    plane.slot.store(PLAY_TURN, 1)
    assert [len(sent) for sent in plane.run(10)] == [160, 0, 320, 0, 0, 0, 320, 0, 0, 0]


@pytest.mark.parametrize("max_frames", [1, 2])
def test_line_ring_keeps_real_time(tone: Any, max_frames: int) -> None:
    plane = Plane("mulaw", wants_silence=False, max_frames=max_frames)
    plane.speak(tone[:1_600])
    plane.slot.store(PLAY_TURN, 1)
    plane.run(60)
    assert plane.slot.line.written == 59 * FRAME_SAMPLES // 2  # where the last tick stood: nothing is owed for it


def test_peer_that_buffers_gets_a_reply_with_the_next_tick(tone: Any) -> None:
    plane = Plane("mulaw", wants_silence=False, max_frames=2)
    plane.run(5)
    plane.speak(tone)
    plane.slot.store(PLAY_TURN, 1)
    assert [len(sent) for sent in plane.run(6)] == [160, 0, 320, 0, 0, 0]
    assert plane.slot.load(FRAMES_MISSED) == 0


def test_peer_that_buffers_misses_frames_only_inside_a_reply(tone: Any) -> None:
    plane = Plane("mulaw", wants_silence=False)
    plane.tick(9)
    assert plane.slot.load(FRAMES_MISSED) == 0
    plane.speak(tone)
    plane.slot.store(PLAY_TURN, 1)
    plane.run(2)
    plane.tick(6)
    assert plane.slot.load(FRAMES_MISSED) == 2


@pytest.mark.parametrize("rate_hz", [8_000, 12_000, 16_000, 24_000, 44_100, 48_000])
def test_caller_is_heard_at_16_khz_whatever_the_wire(rate_hz: int) -> None:
    plane = Plane(rate_hz=rate_hz)
    for _ in range(50):
        plane.arrive(np.zeros(rate_hz // 50, np.int16).tobytes())
        plane.run(2)
    assert abs(plane.slot.caller.written - 16_000) <= 40


def test_wire_that_falls_silent_is_heard_as_silence() -> None:
    plane = Plane()
    for _ in range(10):
        plane.arrive(np.full(160, 3_000, np.int16).tobytes())
        plane.run(2)
    plane.run(80)
    assert abs(plane.slot.caller.written - 16_000) <= column.FILL_AFTER_SAMPLES
    assert plane.row[column.FILLED] > 0


def test_flood_is_bounded() -> None:
    plane = Plane()
    for _ in range(20):
        plane.arrive(np.full(8_000, 3_000, np.int16).tobytes())
        plane.tick()
    assert plane.slot.caller.written <= 20 * 160 + column.MAX_LEAD_SAMPLES
    assert plane.row[column.DROPPED] > 0


def test_late_packets_are_heard_and_silence_makes_up_for_them() -> None:
    plane = Plane()
    plane.run(40)  # nothing for 400 ms: filled with silence
    for _ in range(20):
        plane.arrive(np.full(160, 3_000, np.int16).tobytes())
    plane.tick()
    lead = plane.slot.caller.written - (plane.now * 160)
    assert lead > column.RESYNC_SAMPLES
    for _ in range(60):
        plane.arrive(np.zeros(160, np.int16).tobytes())
        plane.run(2)
    assert plane.slot.caller.written - plane.now * 160 <= column.RESYNC_SAMPLES + 320


# --- a pause in the middle of a turn ----------------------------------------------------------------------------------


def stops(plane: Plane, num_ticks: int) -> list[tuple[int, int, bool]]:
    """(turn, sample, finished) of what stops in so many ticks."""
    found = []
    for _ in range(num_ticks):
        plane.tick()
        if plane.row[column.STOPPED_TURN]:
            finished = bool(plane.row[column.STOPPED_FINISHED])
            found.append((int(plane.row[column.STOPPED_TURN]), int(plane.row[column.STOPPED_SAMPLE]), finished))
    return found


def sent_with_a_pause(plane: Plane, samples: Any, pause_ticks: int = 20) -> Any:
    """int16: a turn that plays for 100 ms, pauses, and plays on to its end."""
    plane.speak(samples)
    plane.slot.store(PLAY_TURN, 1)
    sent = plane.run(10)
    plane.slot.store(PLAY_TURN, 0)
    sent += plane.run(pause_ticks)
    plane.slot.store(PLAY_TURN, 1)
    sent += plane.run(100)
    return np.frombuffer(b"".join(sent), np.int16)


def test_paused_turn_goes_on_at_exactly_the_sample_where_it_paused(tone: Any) -> None:
    sent = sent_with_a_pause(Plane(), tone)
    assert np.array_equal(sent[:800], tone[:800])
    assert not sent[800 + FADE : 800 + 1_600].any()
    resumed = sent[800 + 1_600 :]
    assert np.array_equal(resumed[FADE:7_200], tone[800 + FADE :])
    assert not resumed[7_200:].any()


@pytest.mark.parametrize("period", [20, 37, 80])
def test_pause_and_resume_make_no_click(period: int) -> None:
    amplitude = 10_000
    sine = (amplitude * np.sin(2 * np.pi * np.arange(8_000) / period)).astype(np.int16)
    steps = np.abs(np.diff(sent_with_a_pause(Plane(), sine)[:4_000].astype(np.int64)))
    of_the_fade = np.pi / 2 / FADE * amplitude
    assert steps.max() <= 2 * np.pi / period * amplitude + of_the_fade + 2


def test_fade_is_made_of_the_turn_s_next_samples(tone: Any) -> None:
    sent = sent_with_a_pause(Plane(), tone)
    window = 0.5 + 0.5 * np.cos(np.pi * (np.arange(FADE) + 0.5) / FADE)
    assert np.abs(sent[800 : 800 + FADE] - tone[800 : 800 + FADE] * window).max() <= 1
    assert np.abs(sent[2_400 : 2_400 + FADE] - tone[800 : 800 + FADE] * window[::-1]).max() <= 1


def test_fade_ends_where_the_turn_s_samples_end(tone: Any) -> None:
    plane = Plane()
    writer = plane.speak(tone[: 800 + 16])
    writer.begin(2)
    writer.write(np.full(800, 20_000, np.int16))  # another turn's
    plane.slot.store(PLAY_TURN, 1)
    plane.run(10)
    plane.slot.store(PLAY_TURN, 0)
    sent = np.frombuffer(plane.tick(), np.int16)
    assert sent[:16].any()
    assert not sent[16:].any()


def test_turn_that_is_gone_from_the_table_stops_without_a_fade(tone: Any) -> None:
    plane = Plane()
    writer = plane.speak(tone)
    plane.slot.store(PLAY_TURN, 1)
    plane.run(10)
    writer.begin(9)  # takes turn 1's entry
    assert not any(plane.tick())


def test_next_turn_begins_over_the_end_of_the_one_it_replaces(tone: Any) -> None:
    plane = Plane()
    plane.speak(tone)
    plane.speak(np.full(800, 100, np.int16), turn=2)
    plane.slot.store(PLAY_TURN, 1)
    plane.run(10)
    plane.slot.store(PLAY_TURN, 2)
    sent = np.frombuffer(plane.tick(), np.int16)
    assert np.abs(sent[:8] - 100 - tone[800:808]).max() < 1_000
    assert (sent[FADE:] == 100).all()


def test_each_pause_and_the_end_are_reported_once(tone: Any) -> None:
    plane = Plane()
    plane.speak(tone[:1_600])
    plane.slot.store(PLAY_TURN, 1)
    plane.run(4)
    found = []
    for _ in range(2):
        plane.slot.store(PLAY_TURN, 0)
        found += stops(plane, 10)
        plane.slot.store(PLAY_TURN, 1)
        found += stops(plane, 4)
    found += stops(plane, 30)
    assert found == [(1, 320, False), (1, 640, False), (1, 1_600, True)]


def test_paused_turn_that_is_cut_is_not_reported_again(tone: Any) -> None:
    plane = Plane()
    plane.speak(tone)
    plane.slot.store(PLAY_TURN, 1)
    plane.run(10)
    plane.slot.store(PLAY_TURN, 0)
    assert stops(plane, 10) == [(1, 800, False)]
    plane.slot.store(MIN_TURN, 2)
    assert stops(plane, 10) == []


def test_resumed_turn_is_not_reported_as_started_again(tone: Any) -> None:
    plane = Plane()
    plane.speak(tone)
    plane.slot.store(PLAY_TURN, 1)
    starts = 0
    for tick in range(60):
        plane.slot.store(PLAY_TURN, int(not 20 <= tick < 30))
        plane.tick()
        starts += bool(plane.row[column.OUT_BYTES]) and int(plane.row[column.OUT_AUDIBLE]) >= 0
    assert starts == 1


def test_peer_that_buffers_gets_the_fade_then_nothing_and_then_the_rest(tone: Any) -> None:
    plane = Plane(wants_silence=False, max_frames=2)
    plane.speak(tone)
    plane.slot.store(PLAY_TURN, 1)
    before = b"".join(plane.run(10))
    plane.slot.store(PLAY_TURN, 0)
    paused = [sent for sent in plane.run(20) if sent]
    plane.slot.store(PLAY_TURN, 1)
    after = np.frombuffer(b"".join(plane.run(120)), np.int16)
    position = len(before) // 2
    assert np.array_equal(np.frombuffer(before, np.int16), tone[:position])
    assert [len(sent) for sent in paused] == [320]
    assert not np.frombuffer(paused[0], np.int16)[FADE:].any()
    assert np.array_equal(after[FADE : 8_000 - position], tone[position + FADE :])


def test_slot_says_which_turn_is_being_sent(tone: Any) -> None:
    plane = Plane()
    plane.speak(tone[:800], turn=3)
    said = [plane.slot.load(PLAYING)]
    for gate in (3, 0, 3):
        plane.slot.store(PLAY_TURN, gate)
        plane.run(2)
        said.append(plane.slot.load(PLAYING))
    plane.run(20)
    assert [*said, plane.slot.load(PLAYING)] == [0, 3, 0, 3, 0]
