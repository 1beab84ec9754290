"""``[tts]`` and ``[[tts.fallback]]``."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ringline.engine.config.table import Count, Milliseconds, StageBackend, remote_host


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
    one_at_a_time: bool = False
    """Phrases are made one after the other, each in as much time as is configured, as by a model that has one core."""
    cache_mb: Count = 0
    """... and kept, as with the voices that are computed. Only where they are made one at a time."""


class ComputedTts(StageBackend, frozen=True):
    """What the voices have in common that take time to compute."""

    model_keys = ("model",)

    cache_mb: Count = 64
    """Memory for phrases that were spoken before, in each worker: 64 MB are some 20 min. 0: none is kept."""


class KokoroTts(ComputedTts, frozen=True, tag="kokoro"):
    """``[tts] backend = "kokoro"``: American and British English, Spanish, French, Hindi, Italian, Portuguese. Model
    and voices are under Apache-2.0; phonemes come from espeak-ng (GPL-3)."""

    packages = ("onnxruntime", "onnx")
    extra = "kokoro"

    model: str = "kokoro"
    """The folder of the model, or its network's file: a path, or a name in the model store."""
    voice: str = "af_heart"
    """... or a blend: ``af_heart+am_adam``, ``af_heart:0.7,af_sky:0.3``."""
    runtime: Literal["onnx", "torch"] = "onnx"
    """torch: the publishers' package, ``pip install 'ringline[kokoro-torch]'``."""
    device: Literal["cpu", "cuda"] = "cpu"


class PiperTts(ComputedTts, frozen=True, tag="piper"):
    """``[tts] backend = "piper"``: Piper's voices, in some 40 languages. Each has a licence of its own (see its
    MODEL_CARD), not all for commercial use; phonemes come from espeak-ng (GPL-3)."""

    packages = ("onnxruntime", "onnx")
    extra = "piper"

    model: str = "en_US-ljspeech-medium"
    """A folder of voices (``NAME.onnx`` and ``NAME.onnx.json``) or one voice's file: a path, or a name in the model
    store."""
    voice: str = ""
    """``NAME``, or ``NAME#speaker``; empty: the only one there is. An agent's voice may lie in another folder of the
    model store, which has its name."""
    device: Literal["cpu", "cuda"] = "cpu"


class XttsTts(ComputedTts, frozen=True, tag="xtts"):
    """``[tts] backend = "xtts"``: XTTS v2, which speaks 17 languages in any voice of which it has heard some seconds.
    The model and all that it speaks are for non-commercial use only (Coqui Public Model License)."""

    packages = ("TTS", "torch")
    extra = "xtts"

    model: str = "xtts-v2"
    """The model's folder: a path, or a name in the model store."""
    voice: str = "Claribel Dervla"
    """One of ``voices``, or of the model's own speakers."""
    voices: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """Name -> WAV files of one speaker, 6 to 30 s together, relative to the configuration file. Clone only voices of
    people who agreed to it."""
    language: str = "en"
    """Where an agent names none."""
    device: Literal["cpu", "cuda"] = "cuda"
    """A CPU is too slow for a conversation."""


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
        return remote_host(self.base_url)


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


TtsConfig = EspeakTts | SyntheticTts | KokoroTts | PiperTts | XttsTts | ElevenLabsTts | CartesiaTts
