"""Whisper: one model for all calls, finals before partials, batches over calls."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from ringline.engine.config import WhisperStt
from ringline.engine.conversation.language_tags import primary_language
from ringline.ipc.messages import Transcribe
from ringline.workers.pool import Pool
from ringline.workers.stt.backend import Stream
from ringline.workers.stt.whisper.before import Before
from ringline.workers.stt.whisper.files import check_language
from ringline.workers.stt.whisper.model import Pass, WhisperModel, num_frames, silence
from ringline.workers.stt.whisper.stream import CallLanguage, UtterancePass, WhisperStream

MAX_CALLS = 4_096
"""Of which the language is remembered."""


class WhisperBackend:
    """`SttBackend` on a Whisper model."""

    def __init__(
        self, config: WhisperStt, wake: Callable[[], None] = lambda: None, clock: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._config, self._wake, self._clock = config, wake, clock
        self._languages: OrderedDict[int, CallLanguage] = OrderedDict()
        self.model: WhisperModel
        self.pool: Pool[UtterancePass]

    def warm_up(self) -> None:
        self.model = model = WhisperModel(self._config)
        check_language(self._config.language, model.languages)
        window = silence(model.filters.shape[0], num_frames(1.0, self._config.padding_ms))
        code = "en" if model.is_multilingual else ""
        for beam in {1, self._config.beam}:
            model.run([Pass(0, 0, window, 1.0, language=code, beam=beam)])
        if self._config.language == "auto" and model.is_multilingual:
            model.run([Pass(0, 0, window, 1.0)])
        self.pool = Pool(model.run, self._wake, self._config.max_batch, self._fits, self._clock)

    def open(self, request: Transcribe, now_ns: int) -> Stream | None:
        config = self._config
        partial_ms = config.partial_ms if request.partials or request.overlap else 0
        language = self._language_of(request)
        return WhisperStream(
            self.model, self.pool, request, language,
            Before(self.model, request.asked, config.hotwords, language.code or primary_language(request.language)),
            config.beam, partial_ms, config.padding_ms, config.detect_ms, self._clock,
        )  # fmt: skip

    def step(self, streams: Sequence[Stream], now_ns: int) -> int | None:
        for job in self.pool.collect():
            job.stream.take(job, now_ns)
        for stream in streams:
            if isinstance(stream, WhisperStream):
                stream.look(now_ns)
        return None

    def close(self) -> None:
        """Let go of the pool's thread."""
        self.pool.close()

    def _fits(self, first: UtterancePass, other: UtterancePass) -> bool:
        """A final that is late takes other finals along, which helps them all, but no partials."""
        return (first.draft or not other.draft) and self.model.fits(first, other)

    def _language_of(self, request: Transcribe) -> CallLanguage:
        known = self._languages.get(request.call)
        if known is None:
            code = self._config.language or primary_language(request.language)
            known = CallLanguage(code if code in self.model.languages and self.model.is_multilingual else "")
            self._languages[request.call] = known
            while len(self._languages) > MAX_CALLS:
                self._languages.popitem(last=False)
        return known
