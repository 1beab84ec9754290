"""``[stt]`` and ``[[stt.fallback]]``."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from ringline.engine.config.table import Count, Milliseconds, Positive, StageBackend


class PocketsphinxStt(StageBackend, frozen=True, tag="pocketsphinx"):
    """``[stt] backend = "pocketsphinx"``"""

    packages = ("pocketsphinx",)

    decoders: Positive = 8
    """Utterances decoded at the same time by one worker; further ones wait in the ring. About 28 MB each, and 65 MB
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


class WhisperStt(StageBackend, frozen=True, tag="whisper"):
    """``[stt] backend = "whisper"``: Whisper on CTranslate2, as faster-whisper has it, on this machine."""

    packages = ("ctranslate2", "tokenizers", "faster_whisper")

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
    """Names and terms to listen for, besides the phrases that the bot expects."""


SttConfig = PocketsphinxStt | SyntheticStt | WhisperStt
