"""Text to speech: the worker and its backends, one file each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ringline.engine.config import (
    CartesiaTts,
    ComputedTts,
    ElevenLabsTts,
    EspeakTts,
    KokoroTts,
    PiperTts,
    SyntheticTts,
    TtsConfig,
    XttsTts,
)

if TYPE_CHECKING:
    from ringline.workers.tts.backend import TtsBackend


def make_backend(config: TtsConfig, wake: Callable[[], None] = lambda: None) -> TtsBackend:
    """The backend the configuration names; only its file is imported. Nothing is loaded before `warm_up`.

    ``wake``: what it calls, on any thread, when a phrase for which it had nothing ready may go on.
    """
    if isinstance(config, EspeakTts):
        from ringline.workers.tts.espeak import EspeakBackend

        return EspeakBackend(config)
    if isinstance(config, KokoroTts):
        from ringline.workers.tts.computed import ComputedBackend
        from ringline.workers.tts.kokoro.model import KokoroModel

        return _cached(ComputedBackend(KokoroModel(config), wake), config)
    if isinstance(config, PiperTts):
        from ringline.workers.tts.computed import ComputedBackend
        from ringline.workers.tts.piper import PiperModel

        return _cached(ComputedBackend(PiperModel(config), wake), config)
    if isinstance(config, XttsTts):
        from ringline.workers.tts.computed import ComputedBackend
        from ringline.workers.tts.xtts import XttsModel

        return _cached(ComputedBackend(XttsModel(config), wake), config)
    if isinstance(config, ElevenLabsTts):
        from ringline.workers.tts.elevenlabs import ElevenLabsBackend

        return ElevenLabsBackend(config, wake)
    if isinstance(config, CartesiaTts):
        from ringline.workers.tts.cartesia import CartesiaBackend

        return CartesiaBackend(config, wake)
    from ringline.workers.tts.synthetic import SyntheticBackend, SyntheticModel

    if config.one_at_a_time:
        from ringline.workers.tts.computed import ComputedBackend

        return _cached(ComputedBackend(SyntheticModel(config), wake), config)
    return SyntheticBackend(config)


def examine(config: TtsConfig, voice: str, language: str) -> str:
    """Whether the backend would find what it loads, and an agent of this language its voice, without loading it.

    Returns what there is, in a few words; empty where there is nothing to look at. Raises
    `ringline.workers.base.CannotStart`.
    """
    if isinstance(config, KokoroTts):
        from ringline.workers.tts.computed import ComputedBackend
        from ringline.workers.tts.kokoro.model import KokoroModel

        return ComputedBackend(KokoroModel(config), lambda: None).examine(voice, language)
    if isinstance(config, PiperTts):
        from ringline.workers.tts.computed import ComputedBackend
        from ringline.workers.tts.piper import PiperModel

        return ComputedBackend(PiperModel(config), lambda: None).examine(voice, language)
    if isinstance(config, XttsTts):  # its voices are known to its network alone
        from ringline.workers.tts.xtts import XttsModel

        return XttsModel(config).open()
    if isinstance(config, EspeakTts):
        from ringline.workers.tts.espeak import EspeakBackend

        return EspeakBackend(config).examine(voice)
    return ""


def _cached(backend: TtsBackend, config: ComputedTts | SyntheticTts) -> TtsBackend:
    from ringline.workers.tts.cache import CachedBackend

    return CachedBackend(backend, config.cache_mb * 1_000_000) if config.cache_mb else backend
