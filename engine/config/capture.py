"""``[[door]]`` and ``[vad]``."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import msgspec
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


Share = Annotated[float, Meta(gt=0, lt=1)]


class VadBackend(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="backend"):
    """``[vad]``: ``backend = "..."`` names the subclass."""

    packages: ClassVar[tuple[str, ...]] = ()
    """The modules it imports ..."""
    extra: ClassVar[str] = ""
    """... and the extra of setup.py that brings them; empty: the plain install does."""

    threshold: Share = 0.5
    """Speech probability from which a window of 32 ms counts as speech (Silero's own default)."""
    release_threshold: Share = 0.35
    """... and below which it counts as silence."""
    onset_ms: Milliseconds = 64
    """So much speech in a row starts an utterance: two windows keep out clicks."""
    release_ms: Milliseconds = 96
    """So much silence in a row stops it."""
    barge_in_onset_ms: Milliseconds = 32
    """What ``onset_ms`` is while the bot speaks. With 32 and less the first sound that may be speech pauses the bot; it
    goes on after 64 ms if nothing follows."""
    barge_in_threshold: Share = 0.25
    """... and the speech probability that this needs where sounds as loud were no speech lately. Telephone speech
    begins with 0.2 to 0.4."""
    cancel_echo: bool = True
    """Whether the bot's own voice is taken out of what the VAD hears. Costs next to nothing where none comes back."""

    @property
    def name(self) -> str:
        """``silero``"""
        return str(self.__struct_config__.tag)


class SileroVad(VadBackend, frozen=True, tag="silero"):
    """``[vad] backend = "silero"``"""

    packages = ("onnxruntime", "onnx", "faster_whisper")

    model: str = ""
    """Path of another Silero ONNX file; empty: the one in the faster-whisper wheel."""


class WebRtcVad(VadBackend, frozen=True, tag="webrtc"):
    """``[vad] backend = "webrtc"``: a window's probability is the share of its frames that were taken for speech."""

    packages = ("webrtcvad",)
    extra = "webrtc"

    threshold: Share = 0.9
    """All frames of a window: an onset is known 20 ms later than with 0.5, and pink noise is taken for one half as
    often."""
    aggressiveness: Annotated[int, Meta(ge=0, le=3)] = 3
    """How much it takes for noise: 0 the least, 3 the most."""
    frame_ms: Literal[10, 20, 30] = 10


VadConfig = SileroVad | WebRtcVad
