"""``[[door]]`` and ``[vad]``."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from ringline.engine.config.table import Milliseconds, Positive, Table

DOOR_SCHEMES = ("audiosocket", "twilio")


class DoorConfig(Table, frozen=True):
    """``[[door]]``"""

    url: str
    """``audiosocket://host:port`` or ``twilio://host:port/path``."""
    auth_token: str = ""
    """Twilio: check ``X-Twilio-Signature`` with this token. ``$NAME`` reads the environment variable NAME."""
    public_url: str = ""
    """Twilio: the wss:// URL as Twilio dials it; needed for the signature behind a proxy."""
    idle_timeout_s: Annotated[float, Meta(gt=0)] = 30.0
    """A peer that does not even acknowledge for so long is taken for dead. Mere silence is none: it may be on hold."""
    max_handshakes: Positive = 64
    """Connections that have not yet said which call they are; more are closed at once."""


class SileroVad(Table, frozen=True, tag_field="backend", tag="silero"):
    """``[vad] backend = "silero"``"""

    threshold: Annotated[float, Meta(gt=0, lt=1)] = 0.5
    """Speech probability from which a window counts as speech (Silero's own default)."""
    release_threshold: Annotated[float, Meta(gt=0, lt=1)] = 0.35
    """... and below which it counts as silence."""
    onset_ms: Milliseconds = 64
    """So much speech in a row starts an utterance: two windows keep out clicks."""
    release_ms: Milliseconds = 96
    """So much silence in a row stops it."""
    barge_in_onset_ms: Milliseconds = 32
    """What ``onset_ms`` is while the bot speaks. With 32 and less the first sound that may be speech pauses the bot; it
    goes on after 64 ms if nothing follows."""
    barge_in_threshold: Annotated[float, Meta(gt=0, lt=1)] = 0.25
    """... and the speech probability that this needs where sounds as loud were no speech lately. Telephone speech
    begins with 0.2 to 0.4."""
    cancel_echo: bool = True
    """Whether the bot's own voice is taken out of what the VAD hears. Costs next to nothing where none comes back."""
    model: str = ""
    """Path of another Silero ONNX file; empty: the one in the faster-whisper wheel."""
