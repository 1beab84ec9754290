"""The bot's own voice on the line, in virtual time: it is no caller, and a caller is heard over it."""

import numpy as np
import pytest
from bench import line
from bench.echo import MS, Ears

from ringline.engine.config import SileroVad

BOT = "Thank you for calling the clinic. You can book, move or cancel an appointment. How may I help you today?"
CALLER = "no, wait a moment please"
BEFORE = 400 * MS


@pytest.fixture(scope="module")
def bot(say):
    return line.telephone_band(say(BOT))


def call(bot, delay_ms=None, loss_db=12, caller=None, at_ms=2_500, seed=0, config=None, noise=None):
    """(events, the caller's onset): a call whose bot speaks from `BEFORE` on, in ``noise`` all the time."""
    total = BEFORE + bot.shape[0] + 500 * MS
    sent = line.placed(bot, BEFORE, total)
    onset = BEFORE + at_ms * MS
    near = line.placed(line.from_onset(caller), onset, total) if caller is not None else np.zeros(total, np.int16)
    if delay_ms is not None:
        near = line.mixed(near, line.echo(sent, line.hybrid(np.random.default_rng(seed)), delay_ms, loss_db))
    if noise is not None:
        near = line.mixed(near, np.resize(noise, total))
    ears = Ears(config or SileroVad())
    events = ears.hear(sent, line.telephone_band(near), BEFORE, BEFORE + bot.shape[0], skew=100)
    ears.close()
    return events, onset


@pytest.mark.parametrize("delay_ms", [20, 60, 120, 250])
@pytest.mark.parametrize("loss_db", [6, 12, 20, 30])
def test_an_echo_is_hardly_ever_taken_for_a_caller(bot, delay_ms, loss_db):
    events, _ = call(bot, delay_ms, loss_db)
    onsets = [heard.at for heard in events if heard.event.started]
    assert len(onsets) <= 1
    assert all(at > BEFORE + 500 * MS for at in onsets)  # none in the greeting's first half second
    assert all(heard.event.background for heard in events if not heard.event.started)


def test_without_the_canceller_it_is(bot):
    events, _ = call(bot, 60, config=SileroVad(cancel_echo=False))
    assert events[0].event.started


@pytest.mark.parametrize("delay_ms", [None, 20, 120, 250])
@pytest.mark.parametrize("at_ms", [1_500, 2_000, 2_600])
def test_a_caller_is_heard_over_the_bot_and_its_echo(bot, say, delay_ms, at_ms):
    events, onset = call(bot, delay_ms, caller=say(CALLER), at_ms=at_ms)
    heard = [heard.at for heard in events if heard.event.started and heard.at > onset - 20 * MS]
    assert heard
    assert heard[0] - onset <= 120 * MS


def test_a_caller_over_an_echo_is_no_echo(bot, say):
    events, onset = call(bot, 60, caller=say(CALLER))
    ends = [heard.event for heard in events if not heard.event.started and heard.event.sample > onset]
    assert ends
    assert not any(event.background for event in ends)


def test_where_nothing_comes_back_the_caller_sounds_as_without_the_canceller(bot, say):
    found = [call(bot, caller=say(CALLER), config=SileroVad(cancel_echo=cancel))[0] for cancel in (True, False)]
    assert found[0] == found[1]


def test_a_silent_caller_is_silent(bot):
    assert call(bot)[0] == []


def test_voices_behind_the_caller_are_neither_echo_nor_caller(bot, say):
    texts = ("I think so.", "Where did you put it?", "Monday at the latest.", "That was a long way home.", "Not yet.")
    ends = []
    for first in range(0, 15_000, 1_500):
        voices = [np.resize(np.roll(say(text), first * index), 60_000) // 40 for index, text in enumerate(texts)]
        events, _ = call(bot, noise=line.mixed(*voices))
        ends += [heard.event for heard in events if not heard.event.started]
    assert sum(not event.background for event in ends) <= 1  # in 70 s
