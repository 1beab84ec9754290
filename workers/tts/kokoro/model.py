"""Kokoro as a `Model`: phonemes, tokens, a style, the network, word times."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from ringline.engine.config import KokoroTts
from ringline.engine.conversation.language_tags import primary_language
from ringline.workers.tts.backend import Order
from ringline.workers.tts.computed import Sound
from ringline.workers.tts.espeak_library import library
from ringline.workers.tts.kokoro.alphabet import TIE, in_kokoros_letters
from ringline.workers.tts.kokoro.files import find, vocabulary
from ringline.workers.tts.kokoro.runtimes import OnnxRuntime, Runtime, TorchRuntime
from ringline.workers.tts.kokoro.voices import ESPEAK_VOICES, Styles, Voices, espeak_voice
from ringline.workers.tts.onnx_session import word_samples
from ringline.workers.tts.phonemes import spoken_words
from ringline.workers.tts.pieces import Piece

MAX_TOKENS = 510
"""Of one run; the network has 512 places, and one at each end is silence."""
PAD = 0
SLOWEST, FASTEST = 0.5, 2.0
"""Beyond these speeds it is hard to understand."""


class KokoroModel:
    """See `ringline.workers.tts.computed.Model`."""

    rate_hz = 24_000

    def __init__(self, config: KokoroTts) -> None:
        self._config = config

    def open(self) -> str:
        config = self._config
        library()
        self._folder, self._file = find(config.model, ".pth" if config.runtime == "torch" else ".onnx")
        self._vocabulary = vocabulary(self._folder, self._file)
        self._voices = Voices(self._folder)
        self._voices.styles(config.voice)
        return f"{self._file.name}, {len(self._voices.names)} voices, {config.voice}"

    def load(self) -> None:
        self.open()
        config = self._config
        self._runtime: Runtime
        if config.runtime == "torch":
            self._runtime = TorchRuntime(self._file, self._folder, config.device)
        else:
            self._runtime = OnnxRuntime(self._file, config.device, config.threads)

    def check(self, order: Order) -> None:
        voice = order.voice or self._config.voice
        self._voices.check(voice)
        self._phonemes_of(voice, order.language)

    def speak(self, piece: Piece, order: Order) -> Iterator[Sound]:
        voice = order.voice or self._config.voice
        styles = self._voices.styles(voice)
        speed = min(max(order.speed, SLOWEST), FASTEST)
        espeak = self._phonemes_of(voice, order.language)
        run: list[tuple[int, list[int]]] = []
        num_tokens = 0
        for word in spoken_words(piece.text, espeak, TIE, order.phonemes):
            letters = in_kokoros_letters(word.phonemes, espeak)
            tokens = [self._vocabulary[letter] for letter in letters if letter in self._vocabulary][:MAX_TOKENS]
            if run and num_tokens + len(tokens) > MAX_TOKENS:
                yield self._sound(run, styles, speed)
                run, num_tokens = [], 0
            if tokens:
                run.append((word.char, tokens))
                num_tokens += len(tokens)
        if run:
            yield self._sound(run, styles, speed)

    def _sound(self, words: list[tuple[int, list[int]]], styles: Styles, speed: float) -> Sound:
        tokens = [token for _, tokens in words for token in tokens]
        style = styles[min(len(tokens), styles.shape[0]) - 1][None, :]
        samples, durations = self._runtime.run([PAD, *tokens, PAD], style, speed)
        firsts = accumulate((len(own) for _, own in words), initial=1)
        begins = [(char, first) for (char, _), first in zip(words, firsts, strict=False)]
        return Sound(samples, word_samples(begins, durations, samples.shape[0]))

    def _phonemes_of(self, voice: str, language: str) -> str:
        """The voice of espeak-ng for a voice that speaks a language; its own where that is empty."""
        own = espeak_voice(voice)
        wanted = primary_language(language)
        if not wanted or wanted == primary_language(own):
            return own
        found = next((name for name in ESPEAK_VOICES.values() if primary_language(name) == wanted), None)
        if found is None:
            raise ValueError(f"Kokoro does not speak the language `{language}`")
        return found
