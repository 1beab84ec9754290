"""From what happened on a wire to what it means: pure functions of a `WireLog`.

A response is measured between samples on the wire: from the last audible sample of the caller's item (the moment its
frame was sent, and the sample's place in the frame) to the first audible sample of the bot (the moment its frame or
message was received, and the sample's place in it). Audible is what `ringline.workers.audio.levels` says it is.
"""

from __future__ import annotations

import msgspec
import numpy as np

from ringline.tools.caller.log import Said, WireLog
from ringline.tools.caller.playout import NS_PER_S

Times = np.ndarray[tuple[int], np.dtype[np.int64]]
Milliseconds = np.ndarray[tuple[int], np.dtype[np.float64]]
Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]

NS_PER_MS = 1_000_000
MID_REPLY_NS = 700_000_000
"""A bot that pauses for longer has ended its reply, as far as anyone can tell from the wire."""
OVERLAP_NS = 250_000_000
"""A bot audible within this before the caller's end was still speaking: speech pauses so long between words."""
MAX_GAP_NS = 60_000_000
"""Where a frame is owed every 20 ms, a telephone's jitter buffer bridges two that are missing, and no more."""
FRAME_NS = 20_000_000
_NEVER = int(np.iinfo(np.int64).max)


class Turn(msgspec.Struct, frozen=True):
    """What one item of the caller's led to. Times are CLOCK_MONOTONIC in nanoseconds."""

    caller: str
    end_ns: int | None
    """The caller's last audible sample; None: the call ended before."""
    answer_ns: int | None
    """The bot's first audible sample after it. None: there was none, or the bot was still speaking."""
    response_ms: float | None
    """From the one to the other."""
    heard_ms: float | None
    """As ``response_ms``, to when that sample left the modelled playout buffer."""
    bot_speech_ms: float
    """From the first to the last audible sample of the bot in this turn, as heard."""
    cut_ms: float | None
    """Of an interruption or an aside: from its first audible sample to the bot's last one before it fell silent."""
    note: str
    """Why there is no response time: ``overlap``, ``unanswered``, ``not finished`` or ``aside``. Empty otherwise."""
    resume_ms: float | None = None
    """Of an aside for which the bot fell silent: from its last audible sample to the bot's next one."""


class Flow(msgspec.Struct, frozen=True):
    """How evenly the bot's media came."""

    gaps_ms: Milliseconds
    """Between consecutive frames or messages, while media flowed."""
    spacing_errors_ms: Milliseconds
    """How far each of these gaps was from the playing time of the message before it."""
    num_underruns: int
    """Holes in the middle of a reply."""


class _Heard:
    """When the bot was audible, one entry per audible frame or message."""

    def __init__(self, log: WireLog) -> None:
        recv, play = _times(log.recv_ns), _times(log.play_ns)
        first, end = _times(log.first_audible), _times(log.end_audible)
        scale = NS_PER_S / log.rate_hz
        first_ns = (first * scale).astype(np.int64)
        cleared = _times(log.cleared_ns)
        until = play + (end * scale).astype(np.int64)
        if cleared.shape[0]:
            # Only the first clear after its arrival can have dropped a message.
            index = np.searchsorted(cleared, recv)
            cut = np.where(index < cleared.shape[0], cleared[np.minimum(index, cleared.shape[0] - 1)], _NEVER)
            until = np.minimum(until, cut)
        since = play + first_ns
        audible = (first >= 0) & (since < until)
        self.arrived: Times = (recv + first_ns)[audible]
        """When the first audible sample of each was received."""
        self.since: Times = since[audible]
        self.until: Times = until[audible]


def turns(log: WireLog) -> list[Turn]:
    """One per item of the script that the caller began to say."""
    heard = _Heard(log)
    return [_turn(log, heard, index) for index in range(len(log.said))]


def greeting_ms(log: WireLog) -> tuple[float | None, float]:
    """From the answered call to the bot's first audible sample before the caller spoke (None: there was none), and how
    long the greeting was."""
    heard = _Heard(log)
    limit_ns = log.said[0].start_ns if log.said else _NEVER
    first = _first_arrival(heard, log.connected_ns, limit_ns)
    if first is None:
        return None, 0.0
    response_ms = (int(heard.arrived[first]) - log.connected_ns) / NS_PER_MS
    return response_ms, _speech_ms(heard, log.connected_ns, limit_ns)


def flow(log: WireLog) -> Flow:
    """Gaps, spacing and underruns of the media received."""
    recv = _times(log.recv_ns)
    if recv.shape[0] < 2:
        return Flow(np.zeros(0), np.zeros(0), 0)
    gap = np.diff(recv)
    nominal = (_times(log.num_samples) * (NS_PER_S / log.rate_hz)).astype(np.int64)[:-1]
    error = np.abs(gap - nominal)
    if log.continuous:
        holes = (gap - nominal > MAX_GAP_NS - FRAME_NS) & _mid_speech(log)
        flows: Mask = np.ones(gap.shape[0], np.bool_)
    else:
        play = _times(log.play_ns)
        idle = play[1:] - (play[:-1] + nominal)
        flows = (idle <= MID_REPLY_NS) & ~_crossed(recv[:-1], recv[1:], _borders(log))
        holes = flows & (idle > 0)
    return Flow(gap[flows] / NS_PER_MS, error[flows] / NS_PER_MS, int(np.count_nonzero(holes)))


def _turn(log: WireLog, heard: _Heard, index: int) -> Turn:
    said = log.said[index]
    cut_ms = _cut_ms(heard, said) if said.is_interruption else None
    if said.end_ns is None:
        return Turn(said.label, None, None, None, None, 0.0, cut_ms, "not finished")
    end_ns = said.end_ns
    next_ns = log.said[index + 1].start_ns if index + 1 < len(log.said) else _NEVER
    speech_ms = _speech_ms(heard, end_ns, next_ns)
    if said.is_aside:
        again = _first_arrival(heard, end_ns, next_ns) if cut_ms is not None else None
        resume_ms = None if again is None else (int(heard.arrived[again]) - end_ns) / NS_PER_MS
        return Turn(said.label, end_ns, None, None, None, speech_ms, cut_ms, "aside", resume_ms)
    if bool(np.any((heard.since < end_ns) & (heard.until > end_ns - OVERLAP_NS))):
        return Turn(said.label, end_ns, None, None, None, speech_ms, cut_ms, "overlap")
    first = _first_arrival(heard, end_ns, next_ns)
    if first is None:
        return Turn(said.label, end_ns, None, None, None, 0.0, cut_ms, "unanswered")
    answer_ns = int(heard.arrived[first])
    return Turn(
        caller=said.label,
        end_ns=end_ns,
        answer_ns=answer_ns,
        response_ms=(answer_ns - end_ns) / NS_PER_MS,
        heard_ms=(int(heard.since[first]) - end_ns) / NS_PER_MS,
        bot_speech_ms=speech_ms,
        cut_ms=cut_ms,
        note="",
    )


def _first_arrival(heard: _Heard, start_ns: int, end_ns: int) -> int | None:
    """Index of the first audible sample received from ``start_ns`` on and before ``end_ns``."""
    found = np.flatnonzero((heard.arrived >= start_ns) & (heard.arrived < end_ns))
    return int(found[0]) if found.shape[0] else None


def _speech_ms(heard: _Heard, start_ns: int, end_ns: int) -> float:
    """From the first to the last audible moment between the two; what began before the second is counted to its end."""
    inside = (heard.until > start_ns) & (heard.since < end_ns)
    if not inside.any():
        return 0.0
    first = max(int(heard.since[inside].min()), start_ns)
    return (int(heard.until[inside].max()) - first) / NS_PER_MS


def _cut_ms(heard: _Heard, said: Said) -> float | None:
    """How long the bot went on after the caller had begun to speak over it. None: it was not speaking, or never fell
    silent before the caller's end."""
    start_ns = said.start_ns
    if not bool(np.any((heard.since < start_ns) & (heard.until > start_ns - OVERLAP_NS))):
        return None
    last_ns = int(heard.until[heard.since < start_ns].max())
    for since, until in zip(heard.since.tolist(), heard.until.tolist(), strict=True):
        if since >= start_ns:
            if since - last_ns > OVERLAP_NS:
                break
            last_ns = max(last_ns, until)
    if said.end_ns is not None and last_ns > said.end_ns:
        return None
    return max(0.0, (last_ns - start_ns) / NS_PER_MS)


def _borders(log: WireLog) -> Times:
    """Moments that no reply reaches across: the caller's beginnings and ends, and clears."""
    moments = [said.start_ns for said in log.said] + [said.end_ns for said in log.said if said.end_ns is not None]
    return np.sort(np.array([*moments, *log.cleared_ns], np.int64))


def _crossed(before: Times, after: Times, borders: Times) -> Mask:
    """Whether a border lies between each pair of moments."""
    crossed: Mask = np.searchsorted(borders, before) != np.searchsorted(borders, after)
    return crossed


def _mid_speech(log: WireLog) -> Mask:
    """For each gap between messages: whether the bot was speaking before it and, with the same reply, after it."""
    recv = _times(log.recv_ns)
    heard = _Heard(log)
    if not heard.since.shape[0]:
        return np.zeros(recv.shape[0] - 1, np.bool_)
    borders = _borders(log)
    # Frames that came in one read have one time; their samples' places would put them out of order.
    arrived = np.maximum.accumulate(heard.arrived)
    arrived_until = arrived + (heard.until - heard.since)
    behind = np.searchsorted(arrived, recv[1:])
    has_both = (behind > 0) & (behind < arrived.shape[0])
    last = arrived_until[np.maximum(behind - 1, 0)]
    following = arrived[np.minimum(behind, arrived.shape[0] - 1)]
    close = (recv[:-1] - last <= MID_REPLY_NS) & (following - recv[1:] <= MID_REPLY_NS)
    mid: Mask = has_both & close & ~_crossed(last, following, borders)
    return mid


def _times(column: object) -> Times:
    return np.array(column, np.int64)
