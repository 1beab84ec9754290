"""The VAD with its real model."""

import numpy as np
import pytest

from ringline.workers.audio.codecs import decode, encode
from ringline.workers.audio.levels import first_audible, last_audible
from ringline.workers.audio.resample import Resampler

RATE_HZ = 16_000
MS = RATE_HZ // 1000

SENTENCES = ["I would like to book an appointment.", "Yes, please.", "On Tuesday at half past nine.", "No thanks."]


def silence(duration_ms):
    return np.zeros(duration_ms * MS, np.int16)


def noise(duration_ms, dbfs, seed=0):
    rms = 32_768 * 10 ** (dbfs / 20)
    return np.rint(np.random.default_rng(seed).normal(0, rms, duration_ms * MS)).astype(np.int16)


def telephoned(samples):
    """Over an 8 kHz mu-law wire and back."""
    down, up = Resampler(RATE_HZ, 8_000), Resampler(8_000, RATE_HZ)
    wire = decode(encode(np.concatenate([down.process(samples), down.flush()]), "mulaw"), "mulaw")
    return np.concatenate([up.process(wire), up.flush()])


def heard(ears, samples):
    made = ears()
    made.vad.open(0, 1)
    return made.hear({0: samples})


@pytest.mark.parametrize("text", SENTENCES)
@pytest.mark.parametrize("before_ms", [500, 507, 521])
def test_clean_speech_ends_within_5_ms_of_its_last_audible_sample(ears, say, text, before_ms):
    speech = say(text)
    events = heard(ears, np.concatenate([silence(before_ms), speech, silence(400)]))
    assert [event.started for event in events] in ([True, False], [True, False] * 2)
    assert abs(events[-1].sample - (before_ms * MS + len(speech))) <= 5 * MS


@pytest.mark.parametrize("text", SENTENCES)
def test_telephone_speech_ends_within_5_ms_of_what_the_level_says(ears, say, text):
    audio = telephoned(np.concatenate([silence(500), say(text), silence(400)]))
    events = heard(ears, audio)
    assert not events[-1].started
    assert abs(events[-1].sample - last_audible(audio, RATE_HZ)) <= 5 * MS


@pytest.mark.parametrize("text", SENTENCES)
def test_an_utterance_starts_about_where_it_is_first_heard(ears, say, text):
    audio = np.concatenate([silence(500), say(text), silence(400)])
    late_samples = heard(ears, audio)[0].sample - first_audible(audio, RATE_HZ)
    assert -64 * MS <= late_samples <= 64 * MS


def test_it_says_so_soon(ears, say):
    speech = say(SENTENCES[0])
    made = ears()
    made.vad.open(0, 1)
    audio = np.concatenate([silence(500), speech, silence(400)])
    for start in range(0, len(audio), 160):
        made.feed(0, audio[start : start + 160])
        for event in made.vad.step():
            now = start + 160
            # Onset: two windows and what Silero misses of a soft start. Release: three, and the two that it lingers.
            assert now - event.sample <= (160 if event.started else 192) * MS


def test_silence_is_no_speech(ears):
    assert heard(ears, silence(3_000)) == []


def test_noise_is_no_speech(ears):
    assert heard(ears, noise(3_000, -30)) == []


def test_clicks_are_no_speech(ears):
    audio = silence(5_000)
    for start_ms, length in [(300, 1), (800, 8), (1_400, 40), (2_100, 80), (2_130, 80), (3_000, 160), (4_000, 320)]:
        audio[start_ms * MS : start_ms * MS + length] = np.where(np.arange(length) % 8 < 4, 20_000, -20_000)
    assert heard(ears, audio) == []


def test_keyed_digits_are_no_speech(ears):
    audio = silence(2_000)
    time_s = np.arange(100 * MS) / RATE_HZ
    key = 6_000 * (np.sin(2 * np.pi * 770 * time_s) + np.sin(2 * np.pi * 1_336 * time_s))
    for start_ms in (400, 700, 1_000, 1_300):
        audio[start_ms * MS : start_ms * MS + len(key)] = key.astype(np.int16)
    assert heard(ears, audio) == []


@pytest.mark.parametrize("dbfs", [-60, -50, -40])
def test_a_noisy_line_does_not_hold_up_the_end(ears, say, dbfs):
    speech = say(SENTENCES[0])
    audio = np.concatenate([silence(500), speech, silence(1_000)])
    events = heard(ears, audio + noise(len(audio) // MS + 1, dbfs)[: len(audio)])
    assert not events[-1].started
    assert abs(events[-1].sample - (500 * MS + len(speech))) <= 200 * MS


def test_two_calls_do_not_disturb_each_other(ears, say):
    first = np.concatenate([silence(500), say(SENTENCES[0]), silence(1_500)])
    second = np.concatenate([noise(700, -45), say(SENTENCES[2]), silence(400), say(SENTENCES[3]), silence(600)])
    alone = [[event[2:] for event in heard(ears, audio)] for audio in (first, second)]
    made = ears(num_slots=4)
    made.vad.open(3, 10)
    made.vad.open(1, 11)
    events = made.hear({3: first, 1: second})
    assert [event[2:] for event in events if event.call == 10] == alone[0]
    assert [event[2:] for event in events if event.call == 11] == alone[1]
    assert {(event.slot, event.call) for event in events} == {(3, 10), (1, 11)}


def test_a_reused_slot_hears_as_a_fresh_one(ears, say):
    audio = np.concatenate([silence(300), say(SENTENCES[1]), silence(400)])
    fresh = [event[2:] for event in heard(ears, audio)]
    made = ears()
    made.vad.open(0, 1)
    made.hear({0: say(SENTENCES[0])})  # hung up in mid-sentence
    made.vad.close(0)
    made.exchange.free(made.exchange.slots[0])
    made.vad.open(0, 2)
    events = made.hear({0: audio})
    assert [event[2:] for event in events] == fresh
    assert {event.call for event in events} == {2}


def test_a_lapped_reader_hears_what_is_said_next(ears, say):
    made = ears(ring_samples=2 * RATE_HZ)
    made.vad.open(0, 1)
    made.hear({0: silence(200)})
    for _ in range(3):  # the VAD's thread was away
        made.feed(0, noise(1_000, -50))
    speech = say(SENTENCES[2])
    start = 3_200 * MS + 500 * MS
    events = made.hear({0: np.concatenate([silence(500), speech, silence(400)])})
    assert made.vad.lost_samples(0) > 0
    assert [event.started for event in events] == [True, False]
    assert abs(events[-1].sample - (start + len(speech))) <= 5 * MS


# --- recorded speech -------------------------------------------------------------------------------------------------


def recorded(path):
    av = pytest.importorskip("av")
    resampler = av.AudioResampler("s16", "mono", RATE_HZ)
    with av.open(str(path)) as container:
        frames = [made for frame in container.decode(audio=0) for made in resampler.resample(frame)]
    frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])


@pytest.mark.parametrize("name", [f"spk{speaker}_snt{sentence}.wav" for speaker in (1, 2) for sentence in range(1, 7)])
def test_recorded_speech_ends_where_the_level_says(ears, speech, name):
    audio = np.concatenate([silence(500), recorded(speech / "short_sentences" / name), silence(500)])
    events = heard(ears, audio)
    assert not events[-1].started
    assert abs(events[-1].sample - last_audible(audio, RATE_HZ)) <= 5 * MS


@pytest.mark.parametrize("name", ["test.wav", "aepyx_8k.wav"])
def test_silero_s_own_clips_are_heard(ears, speech, name):
    audio = recorded(speech / "vad_samples" / name)
    events = heard(ears, np.concatenate([audio, silence(500)]))
    assert [event.started for event in events] == [True, False] * (len(events) // 2)
    ends = [event.sample for event in events]
    assert ends == sorted(ends)
    spoken = sum(stop - start for start, stop in zip(ends[::2], ends[1::2], strict=True))
    assert 0.3 < spoken / len(audio) < 0.95


@pytest.mark.parametrize("name", ["kitchen", "laptopmic_tap", *[f"speechbrain_noise{index}" for index in range(1, 6)]])
def test_recorded_noise_is_hardly_ever_speech(ears, speech, name):
    audio = recorded(speech / "noise" / f"{name}.wav")[: 20 * RATE_HZ]
    events = heard(ears, audio)
    spoken = sum(stop.sample - start.sample for start, stop in zip(events[::2], events[1::2], strict=False))
    assert spoken <= 0.1 * len(audio)
