"""What a door is: one protocol through which calls reach Ringline.

A door listens, speaks its peer's protocol, and turns each connection into a `Leg`. It knows nothing of rings, VAD or
conversations. The capture worker gives it a `Reception`, through which a leg gets in and out.
"""

from __future__ import annotations

from typing import Protocol

import msgspec


class WireFormat(msgspec.Struct, frozen=True):
    """What audio looks like on one call's wire, both ways."""

    encoding: str
    """``slin`` (s16 little-endian), ``mulaw`` or ``alaw``."""
    rate_hz: int

    @property
    def sample_bytes(self) -> int:
        """Bytes in one sample."""
        return 2 if self.encoding == "slin" else 1

    @property
    def frame_samples(self) -> int:
        """Samples in one 20 ms frame."""
        return self.rate_hz // 50

    @property
    def frame_bytes(self) -> int:
        """Bytes in one 20 ms frame."""
        return self.frame_samples * self.sample_bytes


class Leg(Protocol):
    """One call's wire, as the media clock sees it. No method raises for a wire that is broken or closed."""

    format: WireFormat
    call_id: str
    """The peer's name for the call."""
    parameters: dict[str, str]
    """What else the peer said of the call."""
    wants_silence: bool
    """True where the peer must get a frame every 20 ms, silence included; False where it paces and buffers itself."""
    max_frames_per_message: int
    """How many frames a message may carry once a reply is under way."""

    @property
    def num_left_out(self) -> int:
        """Messages of the peer that could not be read, and were left out."""

    def send_audio(self, payload: bytes) -> None:
        """Send encoded audio, one frame or a few, in one message (one ``write()``)."""

    def flush(self) -> None:
        """Empty the peer's playout buffer, where it has one (barge-in)."""

    def hang_up(self) -> None:
        """End the call cleanly from our side and close the wire. `Admission.closed` follows, sooner or later once."""


class Admission(Protocol):
    """What a leg may do once its call was let in."""

    def audio(self, payload: bytes | memoryview) -> None:
        """Encoded audio has arrived, any number of bytes; copied at once."""

    def dtmf(self, digit: str) -> None:
        """A key was pressed: one of ``0123456789*#ABCD``."""

    def closed(self, reason: str) -> None:
        """The wire is gone. ``caller``: hung up; ``bot``: we did; else what went wrong, for people to read."""


class Reception(Protocol):
    """How a leg gets in."""

    def has_room(self) -> bool:
        """Whether a call would be let in now: for protocols that can refuse early (HTTP 503)."""

    def arrive(self, leg: Leg, door_url: str) -> Admission | None:
        """The call is complete enough to be answered. None: no room, or no calls welcome; the leg refuses and closes.

        From here on the media clock calls ``leg.send_audio``.
        """


class Door(Protocol):
    """A listening protocol. Made with its URL's options and a `Reception`."""

    port: int
    """Once open: the port it is bound to."""

    async def open(self) -> None:
        """Bind and listen. Raises OSError."""

    async def close(self) -> None:
        """Stop listening and close what is still open. The worker hangs up the calls itself, before."""
