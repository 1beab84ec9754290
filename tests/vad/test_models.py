"""What every VAD's model must do, and every VAD through its hysteresis."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringline.engine.config import SileroVad, WebRtcVad
from ringline.ipc.exchange import PLAYING
from ringline.workers.capture.silero import SileroStreams
from ringline.workers.capture.webrtc import WebRtcStreams
from ringline.workers.capture.windows import CONTEXT, WINDOW

RATE_HZ = 16_000
MS = RATE_HZ // 1000
NUM_SLOTS = 6

MODELS = {
    "silero": lambda: SileroStreams(NUM_SLOTS),
    **{
        f"webrtc {aggressiveness}, {frame_ms} ms": lambda a=aggressiveness, f=frame_ms: WebRtcStreams(NUM_SLOTS, a, f)
        for aggressiveness in range(4)
        for frame_ms in (10, 20, 30)
    },
}
CONFIGS = {
    "silero": SileroVad(),
    **{
        f"webrtc {aggressiveness}, {frame_ms} ms": WebRtcVad(aggressiveness=aggressiveness, frame_ms=frame_ms)
        for aggressiveness in range(4)
        for frame_ms in (10, 20, 30)
    },
}


@pytest.fixture(params=MODELS.values(), ids=MODELS.keys())
def make_model(request):
    return request.param


@pytest.fixture(params=CONFIGS.values(), ids=CONFIGS.keys())
def config(request):
    return request.param


def silence(duration_ms):
    return np.zeros(duration_ms * MS, np.int16)


def noise(duration_ms, dbfs, seed=0):
    rms = 32_768 * 10 ** (dbfs / 20)
    return np.rint(np.random.default_rng(seed).normal(0, rms, duration_ms * MS)).astype(np.int16)


def window(samples, end):
    """The model's input for the window that ends there."""
    padded = np.concatenate([np.zeros(CONTEXT + WINDOW, np.int16), samples])
    return padded[end : end + CONTEXT + WINDOW].astype(np.float32) / 32_768


def judged(model, streams):
    """Whole windows of each slot's samples, all slots together: [window, slot]."""
    slots = np.array(sorted(streams), np.int64)
    num_windows = min(len(samples) for samples in streams.values()) // WINDOW
    return np.stack(
        [
            model.judge(
                slots,
                np.full(len(slots), end, np.int64),
                np.stack([window(streams[slot], end) for slot in slots.tolist()]),
            )
            for end in range(WINDOW, (num_windows + 1) * WINDOW, WINDOW)
        ]
    )


def alone(model, samples, slot=0):
    return judged(model, {slot: samples})[:, 0]


def test_it_says_a_float_from_0_to_1_for_each_window(make_model, say):
    found = judged(make_model(), {0: say("On Tuesday at half past nine."), 3: noise(2_000, -30)})
    assert found.dtype == np.float32
    assert found.min() >= 0.0
    assert found.max() <= 1.0


def test_speech_is_likelier_than_silence(make_model, say):
    speech = say("I would like to book an appointment.")
    found = alone(make_model(), np.concatenate([silence(512), speech, silence(1_024)]))
    spoken = found[17 : 16 + len(speech) // WINDOW]
    assert np.mean(spoken) > 0.7
    assert found[:15].max() < 0.35
    assert found[-8:].max() < 0.35


def test_the_calls_of_a_batch_do_not_disturb_each_other(make_model, say):
    streams = {
        0: np.concatenate([say("Yes, please."), silence(2_000)]),
        2: noise(2_000, -40),
        3: np.concatenate([silence(300), say("No thanks."), silence(2_000)]),
        5: silence(2_000),
    }
    together = judged(make_model(), streams)
    for column, (slot, samples) in enumerate(sorted(streams.items())):
        by_itself = alone(make_model(), samples, slot)[: len(together)]
        assert np.abs(together[:, column] - by_itself).max() <= 1e-5


def test_the_order_of_a_batch_does_not_matter(make_model, say):
    streams = {0: say("I would like to book an appointment."), 4: noise(1_000, -35)}
    model, swapped = make_model(), make_model()
    for end in range(WINDOW, 30 * WINDOW, WINDOW):
        rows = np.stack([window(streams[slot], end) for slot in (0, 4)])
        ends = np.array([end, end])
        found = model.judge(np.array([0, 4]), ends, rows)
        other = swapped.judge(np.array([4, 0]), ends, np.ascontiguousarray(rows[::-1]))
        assert np.abs(found - other[::-1]).max() <= 1e-5


def test_a_call_that_was_reset_is_heard_as_a_fresh_one(make_model, say):
    speech = say("No thanks.")
    model = make_model()
    judged(model, {1: say("On Tuesday at half past nine."), 2: noise(3_000, -20)})
    model.reset(1)
    model.reset(2)
    assert np.abs(alone(model, speech, 1) - alone(make_model(), speech, 1)).max() <= 1e-5
    assert np.abs(alone(model, speech, 2) - alone(make_model(), speech, 2)).max() <= 1e-5


def test_behind_a_gap_a_call_is_heard_as_a_fresh_one(make_model, say):
    speech = say("On Tuesday at half past nine.")
    model = make_model()
    alone(model, noise(1_000, -20))
    gap = 100 * WINDOW + 77
    ends = range(WINDOW, len(speech), WINDOW)
    found = [model.judge(np.array([0]), np.array([gap + end]), window(speech, end)[None])[0] for end in ends]
    assert np.abs(np.array(found) - alone(make_model(), speech)[: len(found)]).max() <= 1e-5


def test_a_look_ahead_changes_nothing_of_what_follows(make_model, say):
    samples = np.concatenate([silence(200), say("I would like to book an appointment."), silence(300)])
    model, never = make_model(), make_model()
    for end in range(WINDOW, len(samples), WINDOW):
        for ahead in (160, 333):
            if end - WINDOW + ahead > ahead:  # there is none before the first window
                model.judge(
                    np.array([0]), np.array([end - WINDOW + ahead]), window(samples, end - WINDOW + ahead)[None]
                )
        (found,) = model.judge(np.array([0]), np.array([end]), window(samples, end)[None])
        (expected,) = never.judge(np.array([0]), np.array([end]), window(samples, end)[None])
        assert found == pytest.approx(expected, abs=1e-5)


def test_a_look_ahead_hears_what_is_new(make_model, say):
    speech = say("Yes, please.")
    samples = np.concatenate([silence(320), speech])
    model = make_model()
    alone(model, samples[: 10 * WINDOW])
    heard = [
        model.judge(np.array([0]), np.array([end]), window(samples, end)[None])[0]
        for end in range(10 * WINDOW + 160, 11 * WINDOW + 1, 160)
    ]
    full = [
        model.judge(np.array([0]), np.array([end]), window(samples, end)[None])[0]
        for end in range(11 * WINDOW, 14 * WINDOW, WINDOW)
    ]
    assert max(*heard, *full) > 0.5


# --- through the hysteresis ------------------------------------------------------------------------------------------


def heard(ears, config, audio, **options):
    made = ears(config=config)
    made.vad.open(0, 1)
    return made.hear({0: audio}, **options)


def test_speech_starts_and_stops_an_utterance(ears, say, config):
    speech = say("I would like to book an appointment.")
    events = heard(ears, config, np.concatenate([silence(500), speech, silence(800)]))
    assert [event.started for event in events] in ([True, False], [True, False] * 2)
    assert abs(events[0].sample - 500 * MS) <= 100 * MS
    assert abs(events[-1].sample - (500 * MS + len(speech))) <= 5 * MS


def test_silence_starts_nothing(ears, config):
    assert heard(ears, config, silence(5_000)) == []


def test_a_quiet_line_starts_nothing_once_it_is_known(ears, config):
    """Noise at -70 dBFS, as telephone lines have: WebRTC at 0 and 1 takes its first 100 ms for speech."""
    events = heard(ears, config, noise(5_000, -70))
    assert all(event.sample < 200 * MS for event in events)
    assert [event.started for event in events] in ([], [True, False])


def test_the_calls_of_a_worker_do_not_disturb_each_other(ears, say, config):
    first = np.concatenate([silence(500), say("I would like to book an appointment."), silence(1_500)])
    second = np.concatenate([silence(700), say("Yes, please."), silence(400), say("No thanks."), silence(900)])
    expected = [[event[2:] for event in heard(ears, config, audio)] for audio in (first, second)]
    made = ears(num_slots=4, config=config)
    made.vad.open(3, 10)
    made.vad.open(1, 11)
    events = made.hear({3: first, 1: second})
    assert [[event[2:] for event in events if event.call == call] for call in (10, 11)] == expected


def test_a_reused_slot_hears_as_a_fresh_one(ears, say, config):
    audio = np.concatenate([silence(300), say("Yes, please."), silence(700)])
    fresh = [event[2:] for event in heard(ears, config, audio)]
    made = ears(config=config)
    made.vad.open(0, 1)
    made.hear({0: say("I would like to book an appointment.")})  # hung up in mid-sentence
    made.vad.close(0)
    made.exchange.free(made.exchange.slots[0])
    made.vad.open(0, 2)
    assert [event[2:] for event in made.hear({0: audio})] == fresh


def test_a_caller_over_the_bot_is_heard_within_a_few_packets(ears, say, config):
    made = ears(config=config)
    made.exchange.slots[0].store(PLAYING, 1)
    made.vad.open(0, 1)
    made.hear({0: noise(1_024, -70)})
    speech = say("On Tuesday at half past nine.")
    for start in range(0, 120 * MS, 160):
        if made.hear({0: speech[start : start + 160]}):
            return
    pytest.fail("nothing was heard in 120 ms")


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    dbfs=st.sampled_from([-70, -40, -20, -5]),
    step_samples=st.sampled_from([80, 160, 320, 700, 5_000]),
    playing=st.booleans(),
    seed=st.integers(0, 100),
)
def test_starts_and_stops_alternate_in_the_order_of_time_whatever_comes(
    ears, config, dbfs, step_samples, playing, seed
):
    made = ears(config=config)
    made.exchange.slots[0].store(PLAYING, int(playing))
    made.vad.open(0, 1)
    bursts = np.repeat(np.random.default_rng(seed).integers(0, 2, 40), 60 * MS)
    sound = noise(2_400, dbfs, seed) * bursts
    events = made.hear({0: np.concatenate([sound, silence(600)]).astype(np.int16)}, step_samples)
    assert [event.started for event in events] == ([True, False] * len(events))[: len(events)]
    samples = [event.sample for event in events]
    assert samples == sorted(samples)
