"""Text to speech: the worker and its backends, one file each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ringline.engine.config import CartesiaTts, ElevenLabsTts, EspeakTts, TtsConfig

if TYPE_CHECKING:
    from ringline.workers.tts.backend import TtsBackend


def make_backend(config: TtsConfig, wake: Callable[[], None] = lambda: None) -> TtsBackend:
    """The backend the configuration names; only its file is imported. Nothing is loaded before `warm_up`.

    ``wake``: what it calls, on any thread, when a phrase for which it had nothing ready may go on.
    """
    if isinstance(config, EspeakTts):
        from ringline.workers.tts.espeak import EspeakBackend

        return EspeakBackend(config)
    if isinstance(config, ElevenLabsTts):
        from ringline.workers.tts.elevenlabs import ElevenLabsBackend

        return ElevenLabsBackend(config, wake)
    if isinstance(config, CartesiaTts):
        from ringline.workers.tts.cartesia import CartesiaBackend

        return CartesiaBackend(config, wake)
    from ringline.workers.tts.synthetic import SyntheticBackend

    return SyntheticBackend(config)
