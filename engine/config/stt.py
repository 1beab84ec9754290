"""``[stt]`` and ``[[stt.fallback]]``."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from ringline.engine.config.table import Count, Milliseconds, Positive, StageBackend, remote_host


class PocketsphinxStt(StageBackend, frozen=True, tag="pocketsphinx"):
    """``[stt] backend = "pocketsphinx"``"""

    packages = ("pocketsphinx",)
    model_keys = ("model",)

    decoders: Positive = 8
    """Utterances decoded at the same time by one worker; further ones wait in the ring. About 55 MB each, and 65 MB
    more where the LLM gives no grammars, for dictation."""
    model: str = ""
    """Path of another acoustic model folder; empty: the one in the wheel."""


class SyntheticStt(StageBackend, frozen=True, tag="synthetic"):
    """``[stt] backend = "synthetic"``: answers ``text`` after ``final_ms``, whatever was said."""

    final_ms: Milliseconds = 50
    text: str = "this is a synthetic transcript"
    fail_every: Count = 0
    """A worker fails every so many-th utterance when it is finalised; 0: none. For tests of fallbacks."""
    hang_every: Count = 0
    """... and never answers every so many-th."""
    out_of_memory_every: Count = 0
    """... and runs out of memory over every so many-th that the process takes."""
    burn_threads: Count = 0
    """So many threads of the worker are busy without end: what others feel of it is for bench/isolation.py to say."""
    burn: Literal["matrices", "python", "memory"] = "matrices"
    """What with: products of matrices, as models compute; Python, as what lies around models does; or they take memory,
    touch every page of it and give it back."""


class WhisperStt(StageBackend, frozen=True, tag="whisper"):
    """``[stt] backend = "whisper"``: Whisper on CTranslate2, as faster-whisper has it, on this machine."""

    packages = ("ctranslate2", "tokenizers", "faster_whisper")
    extra = "whisper"
    model_keys = ("model",)

    model: str = "small"
    """Folder with ``model.bin`` and ``tokenizer.json``: a path, a name in the models' folder, or a name in the cache of
    the Hugging Face Hub (``small.en``, ``Systran/faster-whisper-small.en``). Nothing is fetched."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    compute_type: str = "default"
    """CTranslate2's: ``int8``, ``int8_float16``, ``float16``, ...; ``default`` is how the file was written."""
    language: str = ""
    """A code such as ``de``; empty: the agent's language; ``auto``, and where the agent has none: found out once a
    call, in its first `detect_ms` of speech. A model of one language needs none."""
    detect_ms: Milliseconds = 1_500
    beam: Positive = 1
    """Paths of the search for finals. Partials take one."""
    partial_ms: Milliseconds = 300
    """Audio from one hypothesis to the next, as long as the model is fast enough for it; 0: no partials."""
    padding_ms: Annotated[int, Meta(ge=100, le=30_000)] = 500
    """Silence that goes through the encoder behind the speech. What is missing of Whisper's 30 s is kept ready."""
    max_batch: Positive = 16
    hotwords: tuple[str, ...] = ()
    """Names and terms to listen for: a few, in a sentence before what the bot has asked."""


class SherpaStt(StageBackend, frozen=True, tag="sherpa"):
    """``[stt] backend = "sherpa"``: a streaming transducer (zipformer, conformer, LSTM) of sherpa-onnx."""

    packages = ("sherpa_onnx",)
    extra = "sherpa"
    model_keys = ("model",)

    model: str = "sherpa-onnx-streaming-zipformer-en-2023-06-26"
    """Folder with encoder, decoder and joiner (``*.onnx``) and ``tokens.txt``, for hot words ``bpe.vocab`` too: a path,
    or a name in the models' folder."""
    streams: Positive = 32
    """Utterances decoded at the same time by one worker; further ones wait in the ring."""
    int8: bool = True
    """Whether ``*.int8.onnx`` is taken where the folder has both."""
    beam: Positive = 4
    """Paths of the search; 1 is greedy, faster, and knows no hot words."""
    hotwords_score: Annotated[float, Meta(ge=0)] = 1.5
    """How much each token of a phrase that the bot expects is favoured (sherpa-onnx's own default)."""
    tail_ms: Milliseconds = 500
    """Silence put behind an utterance: the model holds back what it has not seen the right context of."""


class OpenAiStt(StageBackend, frozen=True, tag="openai"):
    """``[stt] backend = "openai"``: OpenAI, or any server with its ``/audio/transcriptions`` (vLLM, speaches, ...)."""

    packages = ("openai",)
    extra = "openai"

    base_url: str = "https://api.openai.com/v1"
    api_key: str = "$OPENAI_API_KEY"
    """Not read for a server on this machine, unless it is set to something else."""
    model: str = "gpt-4o-mini-transcribe"
    partial_ms: Milliseconds = 0
    """While the caller speaks, all that was said is sent for a hypothesis whenever so much has come. 0: never; each one
    costs a request."""
    stream: bool = False
    """Ask for the text piece by piece (``transcript.text.delta``); whisper-1 does not have it."""

    @property
    def remote_host(self) -> str:
        return remote_host(self.base_url)


class DeepgramStt(StageBackend, frozen=True, tag="deepgram"):
    """``[stt] backend = "deepgram"``: Deepgram's live recognition. Models ``flux-*`` know when a turn ends."""

    packages = ("deepgram",)
    extra = "deepgram"

    api_key: str = "$DEEPGRAM_API_KEY"
    base_url: str = "wss://api.deepgram.com"
    """Of a deployment of one's own, or of another region."""
    model: str = "nova-3"
    """``nova-2-phonecall`` is made for telephones; ``flux-general-en`` speaks the newer protocol."""
    endpointing_ms: Milliseconds = 100
    """Not Flux: silence after which what was said is taken for complete, so that the final is there when asked for."""
    eager_eot_threshold: Annotated[float, Meta(ge=0.3, le=0.9)] = 0.4
    """Flux: how sure it must be that a turn is over for its text to be the final one, if the engine asks just then."""

    @property
    def remote_host(self) -> str:
        return remote_host(self.base_url)


class GoogleStt(StageBackend, frozen=True, tag="google"):
    """``[stt] backend = "google"``: Google Cloud Speech-to-Text v2."""

    packages = ("google.cloud.speech_v2",)
    extra = "google"
    file_keys = ("credentials",)

    project: str = ""
    """Empty: that of the credentials."""
    credentials: str = "$GOOGLE_APPLICATION_CREDENTIALS"
    """Path of a service account's key file."""
    location: str = "global"
    """``global``, or a region or multi-region (``eu``, ``us-central1``) that the audio does not leave."""
    model: str = "telephony"
    """``telephony_short`` for single words, ``chirp_3``, ... Not every location has all."""
    language: str = "en-US"
    """Where the agent has none."""
    boost: Annotated[float, Meta(ge=0, le=20)] = 10.0
    """How much the phrases that the bot expects are favoured."""

    @property
    def remote_host(self) -> str:
        return "speech.googleapis.com" if self.location == "global" else f"{self.location}-speech.googleapis.com"


SttConfig = PocketsphinxStt | SyntheticStt | WhisperStt | SherpaStt | OpenAiStt | DeepgramStt | GoogleStt
