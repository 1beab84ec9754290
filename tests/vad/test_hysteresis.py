"""What becomes of the model's probabilities. A scripted model says them: the last sample of each window."""

import sys
import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringline.engine.config import SileroVad
from ringline.ipc.exchange import PLAYING

WINDOW = 512


def windows(*probabilities, level=900):
    """Audio that the scripted model judges as told, a window each; that of speech is audible."""
    made = np.zeros((len(probabilities), WINDOW), np.int16)
    made[np.array(probabilities) >= 0.35] = level
    return said(made.reshape(-1), *probabilities)


def said(audio, *probabilities):
    """The audio, judged as told."""
    audio = audio.copy()
    audio[WINDOW - 1 :: WINDOW] = np.rint(np.array(probabilities) * 100).astype(np.int16)
    return audio


def flips(events):
    return [(event.started, event.sample) for event in events]


def test_two_speech_windows_in_a_row_start_an_utterance(scripted):
    ears = scripted()
    ears.vad.open(0, 7)
    events = ears.hear({0: windows(0, 0, 0, 0.9, 0.9)})
    # One window of pad before the first of the two.
    assert events == [(0, 7, True, 2 * WINDOW, False, False)]


def test_single_speech_windows_start_nothing(scripted):
    ears = scripted()
    ears.vad.open(0, 7)
    assert ears.hear({0: windows(0, 0.9, 0, 0.9, 0, 0.9, 0.49, 0.9)}) == []


def test_the_start_is_never_before_the_call(scripted):
    ears = scripted()
    ears.vad.open(0, 7)
    assert flips(ears.hear({0: windows(0.9, 0.9)})) == [(True, 0)]


def test_three_silent_windows_in_a_row_stop_it(scripted):
    ears = scripted()
    ears.vad.open(0, 7)
    assert flips(ears.hear({0: windows(0.9, 0.9, 0, 0, 0.9, 0, 0)})) == [(True, 0)]
    assert flips(ears.hear({0: windows(0)})) == [(False, 5 * WINDOW)]


def test_windows_between_the_thresholds_change_nothing(scripted):
    ears = scripted()
    ears.vad.open(0, 7)
    assert ears.hear({0: windows(*[0.4] * 10)}) == []
    assert flips(ears.hear({0: windows(0.5, 0.5)})) == [(True, 9 * WINDOW)]
    assert ears.hear({0: windows(*[0.4] * 10)}) == []


def test_a_window_between_the_thresholds_breaks_a_row_of_silence(scripted):
    ears = scripted()
    ears.vad.open(0, 7)
    assert flips(ears.hear({0: windows(0.9, 0.9, 0, 0, 0.4, 0, 0)})) == [(True, 0)]


def test_the_end_is_behind_the_last_audible_sample(scripted):
    ears = scripted()
    ears.vad.open(0, 7)
    audio = windows(0.9, 0.9, 0.9, 0.9, 0, 0, 0)
    audio[2 * WINDOW + 100 : 4 * WINDOW] = 0
    events = flips(ears.hear({0: said(audio, 0.9, 0.9, 0.9, 0.9, 0, 0, 0)}))
    assert [started for started, _ in events] == [True, False]
    assert events[1][1] == 2 * WINDOW + 100


def test_a_weak_last_consonant_belongs_to_the_utterance(scripted):
    ears = scripted()
    ears.vad.open(0, 7)
    audio = windows(0, 0.9, 0.9, 0, 0, 0)
    audio[3 * WINDOW : 4 * WINDOW - 112] = 300  # audible, though the model has already let go
    events = flips(ears.hear({0: said(audio, 0, 0.9, 0.9, 0, 0, 0)}))
    assert events[1][1] == 4 * WINDOW - 112


def test_the_stop_waits_for_the_end_of_a_consonant(scripted):
    ears = scripted()
    ears.vad.open(0, 7)
    audio = windows(0, 0.9, 0.9, *[0] * 6)
    audio[3 * WINDOW : 6 * WINDOW + 200] = 300
    audio = said(audio, 0, 0.9, 0.9, *[0] * 6)
    assert len(ears.hear({0: audio[: 6 * WINDOW]})) == 1
    assert flips(ears.hear({0: audio[6 * WINDOW : 7 * WINDOW]})) == [(False, 6 * WINDOW + 200)]


def test_a_sound_that_goes_on_ends_the_utterance_after_six_windows(scripted):
    ears = scripted()
    ears.vad.open(0, 7)
    audio = windows(0, 0.9, 0.9, *[0] * 6)
    audio[3 * WINDOW :] = 300
    audio = said(audio, 0, 0.9, 0.9, *[0] * 6)
    assert len(ears.hear({0: audio[: 8 * WINDOW]})) == 1
    assert flips(ears.hear({0: audio[8 * WINDOW :]})) == [(False, 9 * WINDOW)]


def test_the_noise_of_the_line_does_not_delay_the_end(scripted):
    ears = scripted()
    ears.vad.open(0, 7)
    audio = windows(0, 0.9, 0.9, 0, 0, 0)
    audio[:WINDOW] = 300  # the same before the speech
    audio[3 * WINDOW :] = 300
    assert flips(ears.hear({0: said(audio, 0, 0.9, 0.9, 0, 0, 0)}))[1] == (False, 3 * WINDOW)


def test_unknown_noise_delays_the_end_by_six_windows_at_most(scripted):
    ears = scripted(config=SileroVad(release_ms=640))
    ears.vad.open(0, 7)
    audio = windows(0, 0.9, 0.9, *[0] * 20)
    audio[3 * WINDOW :] = 300
    assert flips(ears.hear({0: said(audio, 0, 0.9, 0.9, *[0] * 20)}))[1] == (False, 9 * WINDOW)


def test_a_knock_long_after_the_speech_does_not_delay_its_end(scripted):
    ears = scripted(config=SileroVad(release_ms=320))
    ears.vad.open(0, 7)
    audio = windows(0, 0.9, 0.9, *[0] * 10)
    audio[8 * WINDOW : 8 * WINDOW + 200] = 5_000
    events = flips(ears.hear({0: said(audio, 0, 0.9, 0.9, *[0] * 10)}))
    assert events[1][1] == 3 * WINDOW


def test_a_voice_below_the_floor_ends_where_the_model_says(scripted):
    ears = scripted()
    ears.vad.open(0, 7)
    assert flips(ears.hear({0: windows(0, 0.9, 0.9, 0.9, 0, 0, 0, level=20)}))[1] == (False, 4 * WINDOW)


@pytest.mark.parametrize(("pause_windows", "counts"), [(10, False), (40, True)])
def test_last_words_after_a_pause_are_measured_by_the_whole_sentence(scripted, pause_windows, counts):
    ears = scripted()
    ears.vad.open(0, 7)
    loud, pause = windows(0.9, 0.9, 0.9, level=20_000), windows(*[0] * pause_windows)
    quiet = windows(0.9, 0.9, 0.9, level=1_500)
    quiet[2 * WINDOW :] = 200  # 40 dB below the loud words, 17 dB below the quiet ones
    events = flips(ears.hear({0: np.concatenate([loud, pause, said(quiet, 0.9, 0.9, 0.9), windows(0, 0, 0)])}))
    assert [started for started, _ in events] == [True, False, True, False]
    end = (3 + pause_windows + (3 if counts else 2)) * WINDOW
    assert end - 1 <= events[-1][1] <= end  # the last sample of a window is the script's


def test_words_over_the_bot_are_measured_by_themselves(scripted):
    ears = scripted()
    ears.vad.open(0, 7)
    loud, quiet = windows(0.9, 0.9, 0.9, level=20_000), windows(0.9, 0.9, 0.9, level=1_500)
    quiet[2 * WINDOW :] = 200
    assert len(ears.hear({0: np.concatenate([loud, windows(*[0] * 10)])})) == 2
    ears.exchange.slots[0].store(PLAYING, 1)
    events = flips(ears.hear({0: np.concatenate([said(quiet, 0.9, 0.9, 0.9), windows(0, 0, 0)])}))
    assert events[-1][1] >= (3 + 10 + 3) * WINDOW - 1


def test_an_utterance_never_starts_before_the_end_of_the_one_before(scripted):
    ears = scripted(config=SileroVad(release_ms=32))
    ears.vad.open(0, 7)
    audio = windows(0.9, 0.9, 0, 0.9, 0.9)
    audio[2 * WINDOW : 2 * WINDOW + 400] = 900
    events = flips(ears.hear({0: said(audio, 0.9, 0.9, 0, 0.9, 0.9)}))
    assert events[0] == (True, 0)
    assert events[1][1] > 2 * WINDOW  # where the pad of the next would begin
    assert events[2] == (True, events[1][1])


@pytest.mark.parametrize(("onset_ms", "num_windows"), [(0, 1), (1, 1), (32, 1), (33, 2), (64, 2), (65, 3)])
def test_the_onset_is_the_whole_windows_that_last_so_long(scripted, onset_ms, num_windows):
    ears = scripted(config=SileroVad(onset_ms=onset_ms))
    ears.vad.open(0, 7)
    assert ears.hear({0: windows(*[0.9] * (num_windows - 1))}) == [] if num_windows > 1 else True
    assert flips(ears.hear({0: windows(0.9)})) == [(True, 0)]


def test_the_configured_thresholds_count(scripted):
    ears = scripted(config=SileroVad(threshold=0.8, release_threshold=0.2))
    ears.vad.open(0, 7)
    assert ears.hear({0: windows(*[0.79] * 5)}) == []
    assert flips(ears.hear({0: windows(0.8, 0.8, *[0.2] * 5)})) == [(True, 4 * WINDOW)]
    assert [started for started, _ in flips(ears.hear({0: windows(0.19, 0.19, 0.19)}))] == [False]


def test_one_step_serves_all_windows_that_wait(scripted):
    ears = scripted()
    ears.vad.open(0, 7)
    ears.feed(0, windows(0, 0.9, 0.9, 0, 0, 0, 0, 0.9, 0.9))
    assert [event.started for event in ears.vad.step()] == [True, False, True]
    assert ears.vad.num_windows == 9


def test_all_calls_share_a_batch(scripted):
    ears = scripted(num_slots=5, ring_samples=4 * WINDOW)
    for slot in range(5):
        ears.vad.open(slot, slot + 1)
        ears.feed(slot, windows(0.1))
    ears.feed(3, windows(0.1))
    ears.vad.step()
    assert ears.model.batch_sizes == [5, 1]


def test_more_calls_than_a_batch_holds_are_all_heard(scripted):
    ears = scripted(num_slots=150, ring_samples=4 * WINDOW)
    for slot in range(150):
        ears.vad.open(slot, slot + 1)
        ears.feed(slot, windows(0.9, 0.9))
    assert {event.call for event in ears.vad.step()} == set(range(1, 151))
    assert max(ears.model.batch_sizes) == 64


def test_a_closed_call_is_not_heard(scripted):
    ears = scripted()
    ears.vad.open(0, 7)
    ears.feed(0, windows(0.9))
    ears.vad.step()
    ears.vad.close(0)
    ears.feed(0, windows(0.9))
    assert ears.vad.step() == []


def test_a_call_closed_before_it_was_stepped_is_not_heard(scripted):
    ears = scripted()
    ears.feed(0, windows(0.9, 0.9))
    ears.vad.open(0, 7)
    ears.vad.close(0)
    assert ears.vad.step() == []


def test_closing_a_slot_that_is_not_open_does_no_harm(scripted):
    ears = scripted()
    ears.vad.close(0)
    assert ears.vad.step() == []


def test_a_reused_slot_starts_clean(scripted):
    ears = scripted()
    ears.vad.open(0, 7)
    assert len(ears.hear({0: windows(0, 0, 0, 0.9, 0.9, 0.9)})) == 1
    ears.vad.close(0)
    ears.exchange.free(ears.exchange.slots[0])
    ears.vad.open(0, 8)
    # In the old call's state this would be the end of its utterance.
    assert ears.hear({0: windows(0, 0, 0, 0.9)}) == []
    assert ears.hear({0: windows(0.9)}) == [(0, 8, True, 2 * WINDOW, False, False)]


def test_a_lapped_reader_goes_on_with_the_newest_window_and_counts_what_it_lost(scripted):
    ears = scripted(ring_samples=10 * WINDOW)
    ears.vad.open(0, 7)
    assert ears.hear({0: windows(0, 0.9)}) == []  # the row of speech windows ends here
    for _ in range(3):
        ears.feed(0, windows(*[0.1] * 10))
    ears.feed(0, windows(0.9))
    assert ears.vad.step() == []
    assert ears.vad.lost_samples(0) == 30 * WINDOW
    assert ears.hear({0: windows(0.9)}) == [(0, 7, True, 31 * WINDOW, False, False)]


def test_a_lapped_reader_shows_the_model_nothing_of_what_came_before(scripted):
    ears = scripted(ring_samples=10 * WINDOW)
    ears.vad.open(0, 7)
    ears.hear({0: windows(0.1)})
    for _ in range(2):
        ears.feed(0, windows(*[0.2] * 10))
    seen = []
    judge = ears.model.judge
    ears.vad._model.judge = lambda slots, ends, batch: (
        seen.append((ends.copy(), batch.copy())) or judge(slots, ends, batch)
    )
    ears.vad.step()
    assert seen[0][0] == [21 * WINDOW]  # more than a window behind the first: the model forgets, too
    assert not seen[0][1][0, :64].any()


def test_a_window_carries_the_64_samples_before_it(scripted):
    ears = scripted()
    seen = []
    judge = ears.model.judge
    ears.vad._model.judge = lambda slots, ends, batch: seen.append(batch.copy()) or judge(slots, ends, batch)
    ears.vad.open(0, 7)
    audio = np.arange(3 * WINDOW).astype(np.int16)  # any audio
    ears.hear({0: audio})
    stream = np.concatenate([np.zeros(64), audio]).astype(np.float32) / 32_768
    for index, (window,) in enumerate(seen):
        assert np.array_equal(window, stream[index * WINDOW : index * WINDOW + 64 + WINDOW])


# --- while the bot speaks ---------------------------------------------------------------------------------------------

BARGE_IN = SileroVad(cancel_echo=False)


def over_the_bot(scripted, config=BARGE_IN):
    ears = scripted(config=config)
    ears.vad.open(0, 7)
    ears.exchange.slots[0].store(PLAYING, 1)
    return ears


def test_over_the_bot_one_window_starts_an_utterance(scripted):
    ears = over_the_bot(scripted)
    assert flips(ears.hear({0: windows(0, 0, 0.4)}, WINDOW)) == [(True, WINDOW)]


def test_over_the_bot_a_configured_onset_of_two_windows_counts(scripted):
    ears = over_the_bot(scripted, SileroVad(cancel_echo=False, barge_in_onset_ms=64))
    assert ears.hear({0: windows(0, 0, 0.9)}, WINDOW) == []
    assert flips(ears.hear({0: windows(0.9)}, WINDOW)) == [(True, WINDOW)]


def test_a_silent_bot_is_not_interrupted(scripted):
    ears = over_the_bot(scripted)
    ears.exchange.slots[0].store(PLAYING, 0)
    assert ears.hear({0: windows(0, 0, 0.9, 0)}, WINDOW) == []


def test_what_does_not_rise_out_of_the_noise_does_not_interrupt(scripted):
    ears = over_the_bot(scripted)
    noise = windows(*[0] * 4)
    noise[:] = 400  # 7 dB below what follows
    assert ears.hear({0: np.concatenate([said(noise, *[0] * 4), windows(0.4, 0)])}, WINDOW) == []


def test_a_sudden_sound_needs_no_more_than_a_hint_of_speech(scripted):
    ears = over_the_bot(scripted)
    sound = windows(0, 0.05, level=0)
    sound[WINDOW:] = 2_000
    assert flips(ears.hear({0: said(sound, 0, 0.05)}, WINDOW)) == [(True, 0)]


def test_an_interruption_of_one_window_is_taken_back_after_two_silent_ones(scripted):
    ears = over_the_bot(scripted)
    assert flips(ears.hear({0: windows(0, 0, 0.4)}, WINDOW)) == [(True, WINDOW)]
    assert ears.hear({0: windows(0, 0)}, WINDOW) == []  # the first is judged with the end of the sound before it
    assert [started for started, _ in flips(ears.hear({0: windows(0)}, WINDOW))] == [False]


def test_an_interruption_that_goes_on_is_not_taken_back(scripted):
    ears = over_the_bot(scripted)
    assert len(ears.hear({0: windows(0, 0.4, 0, 0.4, 0, 0)}, WINDOW)) == 1
    assert [event.started for event in ears.hear({0: windows(0)}, WINDOW)] == [False]


def test_an_unclear_sound_holds_the_bot_up_for_ten_windows_at_most(scripted):
    ears = over_the_bot(scripted)
    sound = windows(0, *[0.2] * 12)
    sound[WINDOW:] = 2_000
    sound = said(sound, 0, *[0.2] * 12)
    assert len(ears.hear({0: sound[: 11 * WINDOW]}, WINDOW)) == 1
    assert [event.started for event in ears.hear({0: sound[11 * WINDOW : 12 * WINDOW]}, WINDOW)] == [False]


def test_a_noise_that_was_taken_back_does_not_interrupt_again(scripted):
    ears = over_the_bot(scripted)
    sound = windows(0, *[0.2] * 12)
    sound[WINDOW:] = 2_000
    ears.hear({0: said(sound, 0, *[0.2] * 12)}, WINDOW)
    sound = windows(*[0.2] * 20)
    sound[:] = 2_000
    assert ears.hear({0: said(sound, *[0.2] * 20)}, WINDOW) == []


def loud(level, *probabilities):
    return said(np.full(len(probabilities) * WINDOW, level, np.int16), *probabilities)


def test_a_sound_that_stands_out_needs_no_hint_of_speech(scripted):
    ears = over_the_bot(scripted)
    ears.hear({0: windows(*[0] * 12)}, WINDOW)
    assert [event.started for event in ears.hear({0: loud(150, 0)}, WINDOW)] == [True]


def test_a_breath_holds_the_bot_up_for_five_windows_at_most(scripted):
    ears = over_the_bot(scripted)
    ears.hear({0: windows(*[0] * 12)}, WINDOW)
    assert len(ears.hear({0: loud(300, *[0.0] * 5)}, WINDOW)) == 1
    assert [event.started for event in ears.hear({0: loud(300, 0)}, WINDOW)] == [False]


def test_a_breath_before_a_voice_is_one_utterance_with_it(scripted):
    ears = over_the_bot(scripted)
    ears.hear({0: windows(*[0] * 12)}, WINDOW)
    assert len(ears.hear({0: loud(300, 0, 0, 0, 0, *[0.9] * 8)}, WINDOW)) == 1


def test_a_sound_that_was_nothing_does_not_pause_again(scripted):
    ears = over_the_bot(scripted)
    ears.hear({0: windows(*[0] * 12)}, WINDOW)
    assert len(ears.hear({0: np.concatenate([loud(300, 0), windows(0, 0, 0, 0)])}, WINDOW)) == 2
    assert ears.hear({0: loud(300, 0)}, WINDOW) == []


def test_what_was_heard_before_the_bot_spoke_is_not_held_against_a_caller(scripted):
    ears = over_the_bot(scripted)
    ears.exchange.slots[0].store(PLAYING, 0)
    assert ears.hear({0: np.concatenate([windows(*[0] * 12), loud(300, 0), windows(*[0] * 4)])}, WINDOW) == []
    ears.exchange.slots[0].store(PLAYING, 1)
    assert len(ears.hear({0: loud(300, 0)}, WINDOW)) == 1


def test_voices_that_are_no_louder_than_the_line_usually_is_do_not_interrupt(scripted):
    ears = over_the_bot(scripted)
    ears.hear({0: loud(500, *[0.1] * 12)}, WINDOW)
    assert ears.hear({0: loud(800, *[0.9] * 20)}, WINDOW) == []


def test_speech_that_hardly_stands_out_is_background(scripted):
    ears = over_the_bot(scripted)
    ears.hear({0: loud(500, *[0.1] * 12)}, WINDOW)
    assert len(ears.hear({0: loud(3_000, 0.9)}, WINDOW)) == 1
    (stopped,) = ears.hear({0: loud(800, *[0.9] * 12)}, WINDOW)
    assert stopped.background


def test_a_caller_over_the_noise_is_no_background(scripted):
    ears = over_the_bot(scripted)
    ears.hear({0: loud(500, *[0.1] * 12)}, WINDOW)
    assert len(ears.hear({0: loud(2_000, *[0.9] * 20)}, WINDOW)) == 1


def test_speech_that_rises_no_further_than_the_line_does_is_not_the_caller(scripted):
    babble = [500, 500, 500, 500, 1_200] * 40
    ears = over_the_bot(scripted)
    ears.hear({0: np.concatenate([loud(level, 0.1) for level in babble])}, WINDOW)
    assert ears.hear({0: np.concatenate([loud(level, 0.9) for level in [1_200] * 4 + babble])}, WINDOW) == []
    assert ears.hear({0: loud(6_000, *[0.9] * 4)}, WINDOW)[0].started


def test_a_sound_that_is_hardly_ever_speech_to_the_model_is_doubtful(scripted):
    ears = over_the_bot(scripted)
    ears.hear({0: windows(0, 0, 0)}, WINDOW)
    started, stopped = ears.hear({0: windows(0.4, 0.9, 0.4, 0.4, 0, 0, 0)}, WINDOW)
    assert (started.started, stopped.background, stopped.doubtful) == (True, False, True)


def test_two_windows_of_speech_are_a_word(scripted):
    ears = over_the_bot(scripted)
    ears.hear({0: windows(0, 0, 0)}, WINDOW)
    _, stopped = ears.hear({0: windows(0.4, 0.9, 0.9, 0.4, 0, 0, 0)}, WINDOW)
    assert not stopped.doubtful


def test_a_faint_utterance_while_the_bot_is_silent_is_the_callers(scripted):
    ears = scripted()
    ears.vad.open(0, 7)
    _, stopped = ears.hear({0: windows(0, 0.5, 0.5, 0.4, 0, 0, 0)}, WINDOW)
    assert not stopped.doubtful


def test_over_the_bot_a_sound_counts_before_its_window_is_full(scripted):
    ears = over_the_bot(scripted)
    ears.hear({0: windows(0, 0, 0)}, WINDOW)
    sound = np.full(160, 3_000, np.int16)
    sound[-1] = 30  # the scripted probability
    assert flips(ears.hear({0: sound})) == [(True, 3 * WINDOW + 160 - 2 * WINDOW)]


def test_a_full_window_after_a_peek_is_judged_as_if_there_had_been_none(scripted):
    remembered = []
    for step_samples in (160, WINDOW):
        ears = over_the_bot(scripted)
        seen = []
        judge = ears.model.judge
        ears.vad._model.judge = lambda slots, ends, batch, judge=judge, seen=seen: (
            seen.append(batch.copy()) or judge(slots, ends, batch)
        )
        audio = windows(*[0] * 6)
        audio[3 * WINDOW :] = 1_000
        ears.hear({0: said(audio, *[0] * 6)}, step_samples)
        stream = np.concatenate([np.zeros(64), said(audio, *[0] * 6)]).astype(np.float32) / 32_768
        full = [stream[start : start + 64 + WINDOW] for start in range(0, 6 * WINDOW, WINDOW)]
        remembered.append([any(np.array_equal(each, row) for batch in seen for row in batch) for each in full])
    assert remembered == [[True] * 6] * 2


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    probabilities=st.lists(st.sampled_from([0.0, 0.1, 0.34, 0.4, 0.5, 0.9]), max_size=60),
    step_samples=st.sampled_from([1 * WINDOW, 160, 700, 5_000, 60 * WINDOW]),
)
def test_events_do_not_depend_on_when_the_steps_come(scripted, probabilities, step_samples):
    audio = np.concatenate([windows(0), windows(*probabilities)]) if probabilities else windows(0)
    results = []
    for each in (WINDOW, step_samples):
        ears = scripted()
        ears.vad.open(0, 7)
        results.append(flips(ears.hear({0: audio}, each)))
    assert results[0] == results[1]
    started = [flag for flag, _ in results[0]]
    assert started == [index % 2 == 0 for index in range(len(started))]
    samples = [sample for _, sample in results[0]]
    assert samples == sorted(samples)
    assert all(0 <= sample <= len(audio) for sample in samples)


def test_calls_may_come_and_go_while_it_steps(scripted):
    ears = scripted(num_slots=8, ring_samples=64 * WINDOW)
    for slot in range(8):
        ears.feed(slot, windows(*[0.9] * 60))
    done = threading.Event()

    def come_and_go():
        for call in range(1, 3_001):
            ears.vad.open(call % 8, call)
            ears.vad.close((call + 5) % 8)
        done.set()

    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        thread = threading.Thread(target=come_and_go)
        thread.start()
        events = []
        while not done.is_set():
            events += ears.vad.step()
        thread.join()
        events += ears.vad.step()
    finally:
        sys.setswitchinterval(interval_s)
    assert all(event.call % 8 == event.slot for event in events)
    assert all(event.started for event in events)
