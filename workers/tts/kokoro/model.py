"""Kokoro as a `Model`: phonemes, tokens, a style, the network, word times."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from itertools import accumulate
from typing import Any

from ringline.engine.config import KokoroTts
from ringline.engine.conversation.language_tags import primary_language
from ringline.workers.tts.backend import Order
from ringline.workers.tts.computed import WARM_UP, Sound
from ringline.workers.tts.espeak_library import library
from ringline.workers.tts.kokoro.alphabet import TIE, in_kokoros_letters
from ringline.workers.tts.kokoro.files import find, vocabulary
from ringline.workers.tts.kokoro.halves import Statistics
from ringline.workers.tts.kokoro.runtimes import OnnxRuntime, Runtime, TorchRuntime
from ringline.workers.tts.kokoro.voices import ESPEAK_VOICES, Styles, Voices, espeak_voice
from ringline.workers.tts.onnx_session import word_samples
from ringline.workers.tts.phonemes import spoken_words
from ringline.workers.tts.pieces import Piece

MAX_TOKENS = 510
"""Of one run; the network has 512 places, and one at each end is silence."""
PAD = 0
FIRST_S = 0.55
"""The first stretch of a sentence, see `stretches`."""
LENGTHS = (12, 24, 48, 96, 192)
"""A voice is studied (`Runtime.study`) in its style for texts of so many tokens, and says `WARM_UP`. Styles differ so
much that a short text is inaudible by what was measured of a long one. The configured voice is studied when the network
is loaded, the agent's when its greeting is rehearsed: a caller would wait for it. Another one is when it first says a
text of about that length."""
SLOWEST, FASTEST = 0.5, 2.0
"""Beyond these speeds it is hard to understand."""


class KokoroModel:
    """See `ringline.workers.tts.computed.Model`."""

    rate_hz = 24_000
    first_s: float | None = None

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
        self._statistics: dict[tuple[str, int], Statistics | None] = {}
        self._runtime: Runtime
        if config.runtime == "torch":
            self._runtime = TorchRuntime(self._file, self._folder, config.device)
        else:
            self._runtime = OnnxRuntime(self._file, config.device, config.threads)
        if self._runtime.in_stretches:
            self.first_s = FIRST_S
            for study in self.studies(Order("")):
                study()

    def check(self, order: Order) -> None:
        voice = order.voice or self._config.voice
        self._voices.check(voice)
        self._phonemes_of(voice, order.language)

    def studies(self, order: Order) -> list[Callable[[], object]]:
        """What is to be measured of the order's voice, by the length of the text, before it can speak in stretches."""
        voice = order.voice or self._config.voice
        missing = [length for length in LENGTHS if (voice, length) not in self._statistics]
        return [partial(self._studied, voice, length) for length in missing] if self._runtime.in_stretches else []

    def speak(self, piece: Piece, order: Order) -> Iterator[Sound]:
        voice = order.voice or self._config.voice
        speed = min(max(order.speed, SLOWEST), FASTEST)
        espeak = self._phonemes_of(voice, order.language)
        runs: list[list[tuple[int, list[int]]]] = [[]]
        num_tokens = 0
        for char, tokens in self._words(piece.text, espeak, order.phonemes):
            if runs[-1] and num_tokens + len(tokens) > MAX_TOKENS:
                runs.append([])
                num_tokens = 0
            if tokens:
                runs[-1].append((char, tokens))
                num_tokens += len(tokens)
        for words in runs:
            if words:
                yield from self._sounds(words, voice, speed, is_last=words is runs[-1])

    def _words(self, text: str, espeak: str, phonemes: dict[str, str]) -> Iterator[tuple[int, list[int]]]:
        """(char, tokens) of each."""
        for word in spoken_words(text, espeak, TIE, phonemes):
            letters = in_kokoros_letters(word.phonemes, espeak)
            yield word.char, [self._vocabulary[letter] for letter in letters if letter in self._vocabulary][:MAX_TOKENS]

    def _studied(self, voice: str, num_tokens: int) -> Statistics | None:
        """What was measured of a voice in texts of about so many tokens."""
        length = min(LENGTHS, key=lambda length: max(length / num_tokens, num_tokens / length))
        if (voice, length) not in self._statistics:
            tokens = [token for _, own in self._words(WARM_UP, espeak_voice(voice), {}) for token in own]
            style = _style(self._voices.styles(voice), length)
            self._statistics[voice, length] = self._runtime.study([PAD, *tokens, PAD], style)
        return self._statistics[voice, length]

    def _sounds(self, words: list[tuple[int, list[int]]], voice: str, speed: float, is_last: bool) -> Iterator[Sound]:
        tokens = [token for _, tokens in words for token in tokens]
        style = _style(self._voices.styles(voice), len(tokens))
        said = self._runtime.run([PAD, *tokens, PAD], style, speed, lambda: self._studied(voice, len(tokens)))
        firsts = accumulate((len(own) for _, own in words), initial=1)
        begins = [(char, first) for (char, _), first in zip(words, firsts, strict=False)]
        marks = deque(word_samples(begins, said.durations, said.num_samples))
        start = said.start_sample
        sizes = [*said.sizes[1:], 0 if is_last else self.rate_hz]
        for samples, next_size in zip(said.sounds, sizes, strict=True):
            end = start + samples.shape[0]
            here = []
            while marks and (marks[0][1] < end or not next_size):
                char, sample = marks.popleft()
                here.append((char, max(0, sample - start)))
            yield Sound(samples, here, next_size / self.rate_hz)
            start = end

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


def _style(styles: Styles, num_tokens: int) -> Any:
    """That of a text so long."""
    return styles[min(num_tokens, styles.shape[0]) - 1][None, :]
