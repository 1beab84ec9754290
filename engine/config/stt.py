"""``[stt]`` and ``[[stt.fallback]]``."""

from __future__ import annotations

from ringline.engine.config.table import Count, Milliseconds, Positive, StageBackend


class PocketsphinxStt(StageBackend, frozen=True, tag="pocketsphinx"):
    """``[stt] backend = "pocketsphinx"``"""

    packages = ("pocketsphinx",)
    model_keys = ("model",)

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
    out_of_memory_every: Count = 0
    """... and runs out of memory over every so many-th that the process takes."""


SttConfig = PocketsphinxStt | SyntheticStt
