"""Speech to text: the worker and its backends, one file each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ringline.engine.config import (
    DeepgramStt,
    GoogleStt,
    OpenAiStt,
    PocketsphinxStt,
    SherpaStt,
    SttConfig,
    WhisperStt,
)

if TYPE_CHECKING:
    from ringline.workers.stt.backend import SttBackend


def make_backend(config: SttConfig, dictation: bool = False, wake: Callable[[], None] = lambda: None) -> SttBackend:
    """The backend the configuration names; only its file is imported. Nothing is loaded before `warm_up`.

    ``dictation``: whether there will be utterances for which the bot expects nothing in particular.
    ``wake``: what the backend calls, on any thread, when a `SttBackend.step` has something to do.
    """
    if isinstance(config, PocketsphinxStt):
        from ringline.workers.stt.pocketsphinx import PocketsphinxBackend

        return PocketsphinxBackend(config, dictation)
    if isinstance(config, WhisperStt):
        from ringline.workers.stt.whisper.backend import WhisperBackend

        return WhisperBackend(config, wake)
    if isinstance(config, SherpaStt):
        from ringline.workers.stt.sherpa import SherpaBackend

        return SherpaBackend(config, wake)
    if isinstance(config, OpenAiStt):
        from ringline.workers.stt.openai import OpenAiBackend

        return OpenAiBackend(config, wake)
    if isinstance(config, DeepgramStt):
        from ringline.workers.stt.deepgram import DeepgramBackend

        return DeepgramBackend(config, wake)
    if isinstance(config, GoogleStt):
        from ringline.workers.stt.google import GoogleBackend

        return GoogleBackend(config, wake)
    from ringline.workers.stt.synthetic import SyntheticBackend

    return SyntheticBackend(config)


def examine(config: SttConfig) -> str:
    """Whether the backend would find what it loads, without loading it.

    Returns what there is, in a few words; empty where there is nothing to look at. Raises
    `ringline.workers.base.CannotStart`.
    """
    if isinstance(config, WhisperStt):
        from ringline.workers.stt.whisper.files import examine as examine_whisper

        return examine_whisper(config.model, config.language)
    if isinstance(config, SherpaStt):
        from ringline.workers.stt.sherpa import find

        return f"{len(list(find(config.model).glob('*.onnx')))} networks"
    return ""
