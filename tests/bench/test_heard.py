"""How `bench.heard` compares a transcript with the text, and finds replies in a recording."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from bench.heard import MARGIN_MS, RATE_HZ, Cut, headlines, replies, words_in

from ringline.engine.conversation.actions import BotSaid
from ringline.engine.trace import TurnTrace

TEXT = "The little harbour lies between two hills, and from the pier you can see the lighthouse."
MS = 1_000_000


@pytest.mark.parametrize(
    ("transcript", "number"),
    [
        ("", 0),
        ("The little harbour lies", 4),
        ("the little harbor lies between", 5),
        ("The little harbour lies between two hills, and from the peer you can", 13),
        ("The little harbour lies be-", 4),
        (TEXT, 16),
    ],
)
def test_words_are_counted_though_some_are_misheard(transcript: str, number: int) -> None:
    assert words_in(transcript, TEXT) == number


def said(playout_ms: int, interrupted: bool = True) -> BotSaid:
    return BotSaid(1, "hello", interrupted, TurnTrace(1, "speech", 0, 0, playout_ns=playout_ms * MS))


def test_each_reply_is_cut_out_of_the_track_from_its_first_sound_to_its_last() -> None:
    track = np.zeros(10 * RATE_HZ, np.int16)
    for start_s, end_s in ((1.0, 2.0), (4.0, 4.5)):
        track[int(start_s * RATE_HZ) : int(end_s * RATE_HZ)] = 8_000
    found = replies(track, [said(500_000), said(503_000)])
    assert [int(np.count_nonzero(part)) for _, part in found] == [RATE_HZ, RATE_HZ // 2]
    assert all(part.shape[0] <= RATE_HZ + 2 * MARGIN_MS * RATE_HZ // 1000 for _, part in found)


def test_one_word_more_or_less_is_within_what_can_be_told() -> None:
    cuts = [Cut(("one", "two"), "", number, True) for number in (1, 2, 3, 4)]
    assert list(headlines({"cuts": msgspec.to_builtins(cuts)}).values()) == ["3 of 4 (1 the same, 4 by word times)"]
