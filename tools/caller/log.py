"""What happened on one call's wire: what `measure` works on. Times are CLOCK_MONOTONIC in nanoseconds."""

from __future__ import annotations

from array import array

import msgspec

from ringline.tools.caller.playout import NS_PER_S


class Said(msgspec.Struct):
    """One item of the script on the wire."""

    label: str
    start_ns: int
    """Its first audible sample left, or its first key."""
    end_ns: int | None = None
    """Its last audible sample left, or its last key. None: the call ended before."""
    is_interruption: bool = False
    """Said over the bot, as the script wants it."""
    is_aside: bool = False
    """... and no answer is wanted."""


class WireLog:
    """Grows while the call lasts; a message costs a few machine words."""

    def __init__(self, rate_hz: int, continuous: bool) -> None:
        """``continuous``: the bot owes a frame every 20 ms, silence included."""
        self.rate_hz = rate_hz
        self.continuous = continuous
        self.connected_ns = 0
        self.ended_ns = 0
        # One entry per received frame or message of audio.
        self.recv_ns = array("q")
        self.play_ns = array("q")
        """When its first sample is heard, if nothing is cleared before."""
        self.num_samples = array("q")
        self.first_audible = array("q")
        """Index of the first audible sample; -1: silence."""
        self.end_audible = array("q")
        """Index behind the last audible sample; 0: silence."""
        self.cleared_ns = array("q")
        self.said: list[Said] = []
        # One entry per sent frame.
        self.lateness_ns = array("q")
        self.num_skipped = 0
        """20 ms slots for which the caller was too late to send anything."""

    def received(self, recv_ns: int, play_ns: int, num_samples: int, first_audible: int, end_audible: int) -> None:
        """A frame or message of audio."""
        self.recv_ns.append(recv_ns)
        self.play_ns.append(play_ns)
        self.num_samples.append(num_samples)
        self.first_audible.append(first_audible)
        self.end_audible.append(end_audible)

    def samples_ns(self, num_samples: int) -> int:
        """How long so many samples take."""
        return num_samples * NS_PER_S // self.rate_hz
