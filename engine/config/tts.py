"""``[tts]`` and ``[[tts.fallback]]``."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta

from ringline.engine.config.table import Count, Milliseconds, StageBackend, is_loopback


class EspeakTts(StageBackend, frozen=True, tag="espeak"):
    """``[tts] backend = "espeak"``"""

    packages = ("espeakng_loader",)

    voice: str = "en-us"


class SyntheticTts(StageBackend, frozen=True, tag="synthetic"):
    """``[tts] backend = "synthetic"``"""

    first_audio_ms: Milliseconds = 50
    realtime_factor: Annotated[float, Meta(ge=0)] = 0.1
    """Seconds of work per second of audio."""
    fail_every: Count = 0
    """A worker fails every so many-th phrase after its first 80 ms; 0: none. For tests of fallbacks."""
    hang_every: Count = 0
    """... and makes nothing more of every so many-th."""
    marks: bool = True
    """Whether it says where words begin."""
    coded: bool = False
    """Every word a sound of its own (`ringline.workers.tts.coded`), for tests that ask which words were played."""


Url = Annotated[str, Meta(pattern="^https?://.+")]


class HostedTts(StageBackend, frozen=True, kw_only=True):
    """What the tables of hosted voices share. The text of every phrase leaves this machine."""

    base_url: Url
    """Where the service is: the vendor's usual address, one for data residency, a proxy."""
    language: str = ""
    """BCP 47 tag of phrases that name none, and of the connection that is opened at the start, which the first phrase
    finds if this is the agent's language; empty: the vendor decides by the text."""

    @property
    def remote_host(self) -> str:
        """See `StageBackend.remote_host`."""
        host = urlsplit(self.base_url).hostname or self.base_url
        return "" if is_loopback(host) else host


class ElevenLabsTts(HostedTts, frozen=True, tag="elevenlabs"):
    """``[tts] backend = "elevenlabs"``"""

    packages = ("elevenlabs",)
    extra = "elevenlabs"

    base_url: Url = "https://api.elevenlabs.io"
    api_key: str = "$ELEVENLABS_API_KEY"
    """``$NAME`` of the environment variable that holds it."""
    model: str = "eleven_flash_v2_5"
    """Models without WebSockets (``eleven_v3``) do not work here."""
    voice: str = "JBFqnCBsd6RMkjVDRZzb"
    """A voice's id, not its name."""
    stability: Annotated[float, Meta(ge=0, le=1)] | None = None
    """Unset, this and the next two: as they are stored with the voice; or as ElevenLabs has them for any, once one of
    them is set, or a speed."""
    similarity_boost: Annotated[float, Meta(ge=0, le=1)] | None = None
    style: Annotated[float, Meta(ge=0, le=1)] | None = None


class CartesiaTts(HostedTts, frozen=True, tag="cartesia"):
    """``[tts] backend = "cartesia"``"""

    packages = ("cartesia", "websockets")
    extra = "cartesia"

    base_url: Url = "https://api.cartesia.ai"
    api_key: str = "$CARTESIA_API_KEY"
    """``$NAME`` of the environment variable that holds it."""
    model: str = "sonic-3"
    voice: str = "f786b574-daa5-4673-aa0c-cbe3e8534c02"
    """A voice's id, not its name."""
    volume: Annotated[float, Meta(ge=0.5, le=2)] = 1.0
    emotion: str = ""
    """``calm``, ``sympathetic``, ...; empty: as the text has it."""


TtsConfig = EspeakTts | SyntheticTts | ElevenLabsTts | CartesiaTts
