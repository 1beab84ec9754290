"""One utterance: when to look at it, and what of what was seen is said."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec
import numpy as np

from ringline.ipc.messages import Transcribe
from ringline.workers.audio.levels import audible_from, last_audible_beside, loudest_block
from ringline.workers.pool import Pool
from ringline.workers.stt.agreement import agreed_words, stable_characters
from ringline.workers.stt.backend import Samples
from ringline.workers.stt.whisper.before import Before, sounds_like
from ringline.workers.stt.whisper.features import HOP, RATE_HZ, LogMel
from ringline.workers.stt.whisper.guards import Heard, is_phantom, without_loop
from ringline.workers.stt.whisper.model import Pass, WhisperModel, num_frames

SETTLED = RATE_HZ * 60 // 1000
"""Silence after which the caller may have finished: what is seen then is the final, if nothing follows. The pause
within a "t" or "k" is shorter."""
FIRST_LOOK = RATE_HZ * 400 // 1000
"""Of the utterance, preroll included: before that there is no word."""
A_WORD_S = 0.15
"""Of audible sound: from there on it is strange if nothing is understood."""
SHORT_SPEECH_S = 1.5
SHORT_PADDING_MS = 8_000
"""Of so little speech Whisper makes more if the silence behind it is encoded, too. Longer speech
gains nothing by it."""
SPEECH_S, SPEECH = 1.0, 0.5
"""So much of audible sound, to which Whisper gives its token for silence so little, are words, though it may not have
understood them: over the bot, noise and music have 0.67 and more."""
PART_S = 14
"""A longer utterance is divided where it is quietest, so that a pass stays short."""
BLOCK = RATE_HZ // 50


class Seen(msgspec.Struct, frozen=True):
    """What a pass made of a part of the utterance, guards passed."""

    text: str
    tokens: tuple[int, ...]
    log_prob: float
    end_sample: int
    is_thorough: bool
    is_speech: bool = False
    """Somebody spoke for a while, whatever became of the text."""


NOTHING = Seen("", (), 0.0, 0, False)


class UtterancePass(Pass):
    """A pass, and whose."""

    stream: WhisperStream
    end_sample: int
    divides: bool
    """It is of a part whose end is no longer in question."""
    speech_s: float
    is_thorough: bool
    """It may become the final, not only a partial."""
    submitted_ns: int


class CallLanguage:
    """A call's language, found out once."""

    def __init__(self, code: str) -> None:
        self.code = code
        """Empty while unknown."""


class WhisperStream:
    """One utterance, on the pool that all share."""

    def __init__(
        self, model: WhisperModel, pool: Pool[UtterancePass], request: Transcribe, language: CallLanguage,
        before: Before, beam: int, partial_ms: int, padding_ms: int, detect_ms: int,
        clock: Callable[[], int],
    ) -> None:  # fmt: skip
        self.partial = ""
        self.stable = 0
        self.confidence = 0.0
        self.other_words: float | None = None
        self.closed_vocabulary = False
        self._final: str | None = None
        self._error: Exception | None = None
        self._model, self._pool, self._language, self._before = model, pool, language, before
        self._call, self._overlap, self._clock = request.call, request.overlap, clock
        self._beam, self._padding_ms, self._detect_samples = beam, padding_ms, RATE_HZ * detect_ms // 1000
        self._partial_ms = partial_ms
        self._interval_ns = partial_ms * 1_000_000
        """From one look to the next: longer than configured where the model is busy."""
        self._mel = LogMel(model.filters)
        self._samples = np.zeros(0, np.int16)
        """From ``_start`` on."""
        self._start = 0
        self._loudest = 0.0
        self._heard_end = 0
        """Behind the last audible sample."""
        self._looked_end = 0
        self._looked_ns = 0
        self._done: list[Seen] = []
        """Parts of a long utterance."""
        self._seen = NOTHING
        self._doubted: Seen | None = None
        """What may come of the text before and not of the sound, until a pass without it has told."""
        self._doubted_end = 0
        self._job: UtterancePass | None = None
        self._due_ns: int | None = None
        self._is_closed = False

    @property
    def final(self) -> str | None:
        """The transcript; None until it is known. Raises if recognition has failed."""
        if self._error is not None:
            raise self._error
        return self._final

    def feed(self, samples: Samples) -> None:
        if self._due_ns is not None or self._is_closed or samples.size == 0:
            return
        self._loudest = max(self._loudest, float(loudest_block(samples, RATE_HZ)))
        if audible := last_audible_beside(samples, RATE_HZ, self._loudest):
            self._heard_end = self._mel.num_samples + audible
        self._mel.feed(samples)
        self._samples = np.concatenate([self._samples, samples])

    def finalise(self, due_ns: int = 0) -> None:
        if self._due_ns is None and not self._is_closed:
            self._due_ns = due_ns
            self.look(self._clock())

    def close(self) -> None:
        self._is_closed = True
        self._drop_job()

    def look(self, now_ns: int) -> None:
        """Submit what is due."""
        if self._is_closed or self._final is not None or self._error is not None:
            return
        if self._job is not None and self._job.divides:
            return
        if len(self._samples) >= PART_S * RATE_HZ:
            self._submit(now_ns, self._quietest(), now_ns, divides=True)
        elif self._due_ns is not None:
            self._finish(now_ns, self._due_ns)
        elif self._partial_ms > 0 and self._heard_end > self._start and self._num_samples >= FIRST_LOOK:
            if self._speech_end < self._num_samples:  # they may have finished
                is_seen = self._is_covered(self._seen) or (self._job is not None and self._is_covered(self._job))
                # Where the model is busy, not in each gap between two words.
                if not is_seen and now_ns - self._looked_ns >= self._interval_ns - self._partial_ms * 1_000_000:
                    self._submit(now_ns, self._num_samples, now_ns)
            elif self._job is None and self._is_time(now_ns):
                self._submit(now_ns, self._num_samples, now_ns + self._interval_ns, is_partial=True)

    def take(self, job: UtterancePass, now_ns: int) -> None:
        """A pass is done."""
        if job is not self._job:
            return
        self._job = None
        if job.error is not None:
            self._error = job.error
            return
        self._interval_ns = max(self._partial_ms * 1_000_000, 2 * (now_ns - job.submitted_ns))
        if job.speech_s * RATE_HZ >= self._detect_samples and not self._language.code:
            self._language.code = job.language
        seen = self._guarded(job)
        if job.is_thorough and job.previous and self._is_doubtful(seen, job):
            self._doubted, self._doubted_end = seen, job.end_sample
            self.look(now_ns)
            return
        if self._doubted is not None and not job.previous and sounds_like(self._doubted.text, seen.text):
            seen = msgspec.structs.replace(self._doubted, end_sample=seen.end_sample)
        self._doubted = None
        if job.divides:
            self._done.append(seen)
            self._samples = self._samples[job.end_sample - self._start :]
            self._start = job.end_sample
            self._seen = NOTHING
        else:
            self._report(self._seen, seen)
            self._seen = seen
        self.look(now_ns)

    # --- inside ---------------------------------------------------------------------------------------------------

    @property
    def _num_samples(self) -> int:
        return int(self._mel.num_samples)

    @property
    def _speech_end(self) -> int:
        """What has to be looked at for all that was said."""
        return min(self._num_samples, self._heard_end + SETTLED)

    def _is_time(self, now_ns: int) -> bool:
        """Whether the next partial is due, by the audio and by the clock."""
        new_ms = (self._num_samples - self._looked_end) * 1000 // RATE_HZ
        return new_ms >= self._partial_ms and now_ns - self._looked_ns >= self._interval_ns

    def _is_covered(self, by: Seen | UtterancePass) -> bool:
        """Whether it is as good as a final: nothing was said behind it, and it was looked at as closely."""
        return by.is_thorough and by.end_sample >= self._speech_end

    def _finish(self, now_ns: int, due_ns: int) -> None:
        if self._heard_end <= self._start:  # not a sound
            self._settle(NOTHING)
        elif self._is_covered(self._seen):
            self._settle(self._seen)
        elif self._job is not None and self._is_covered(self._job):
            self._job.deadline_ns, self._job.draft = due_ns, False
        else:
            self._submit(now_ns, self._num_samples, due_ns)

    def _settle(self, last: Seen) -> None:
        self._drop_job()
        parts = [part for part in (*self._done, last) if part.text]
        self._final = self.partial = " ".join(part.text for part in parts)
        self.stable = len(self.partial)
        tokens = sum(len(part.tokens) + 1 for part in parts)
        total = sum(part.log_prob * (len(part.tokens) + 1) for part in parts)
        self.confidence = math.exp(min(0.0, total / tokens)) if parts else 0.0
        if self._overlap and not parts and last.is_speech:
            self.other_words = 1.0

    def _submit(
        self, now_ns: int, end_sample: int, deadline_ns: int, is_partial: bool = False, divides: bool = False
    ) -> None:
        self._drop_job()
        audio_s = (end_sample - self._start) / RATE_HZ
        speech_s = self._speech_s(end_sample)
        is_short = speech_s < SHORT_SPEECH_S and not is_partial
        padding_ms = max(self._padding_ms, SHORT_PADDING_MS) if is_short else self._padding_ms
        beam = 1 if is_partial else self._beam
        previous = () if min(end_sample, self._speech_end) <= self._doubted_end else self._before.tokens
        job = UtterancePass(
            self._call, deadline_ns, self._mel.window(self._start, end_sample, num_frames(audio_s, padding_ms)),
            audio_s, previous, self._language.code, beam,
        )  # fmt: skip
        job.stream, job.end_sample, job.divides, job.submitted_ns = self, end_sample, divides, now_ns
        job.speech_s, job.is_thorough = speech_s, beam == self._beam and not (is_partial and speech_s < SHORT_SPEECH_S)
        job.draft = self._due_ns is None and not divides
        self._looked_end, self._looked_ns = end_sample, now_ns
        self._job = job
        self._pool.submit(job)

    def _drop_job(self) -> None:
        if self._job is not None:
            self._pool.cancel(self._job)
            self._job = None

    def _is_doubtful(self, seen: Seen, job: UtterancePass) -> bool:
        """Whether a pass may have read what stands before instead of listening."""
        return job.speech_s >= A_WORD_S if not seen.text else self._before.is_copied(seen.text)

    def _guarded(self, job: UtterancePass) -> Seen:
        tokens = without_loop(job.tokens)
        text = self._model.text(tokens)
        language = job.language or "en"
        if is_phantom(Heard(text, job.log_prob, job.no_speech, job.speech_s, language, bool(job.previous))):
            text, tokens = "", ()
        is_speech = job.speech_s >= SPEECH_S and job.no_speech < SPEECH
        return Seen(text, tokens, job.log_prob, job.end_sample, job.is_thorough, is_speech)

    def _report(self, earlier: Seen, later: Seen) -> None:
        """The partial, and what of it will stay."""
        before = " ".join(part.text for part in self._done if part.text)
        text = f"{before} {later.text}".strip()
        stable = stable_characters(later.text, agreed_words(earlier.text, later.text))
        self.stable = stable + len(text) - len(later.text)
        # What is cut off for a word that is gone with the next look was cut off for nothing.
        self.partial = text[: self.stable] if self._overlap else text

    def _speech_s(self, end_sample: int) -> float:
        """Audible sound up to there."""
        part = self._samples[: end_sample - self._start]
        blocks = part[: part.shape[0] // BLOCK * BLOCK].astype(np.float32).reshape(-1, BLOCK)
        return float(((blocks**2).mean(axis=1) >= audible_from(self._loudest)).sum()) * BLOCK / RATE_HZ

    def _quietest(self) -> int:
        """The sample, in the later half of a part, around which 200 ms are quietest."""
        blocks = (self._samples[: PART_S * RATE_HZ].astype(np.float32) ** 2).reshape(-1, BLOCK).mean(axis=1)
        smooth = np.convolve(blocks, np.ones(10), "same")
        half = smooth.shape[0] // 2
        block = half + int(np.argmin(smooth[half:-5]))
        cut: int = self._start + block * BLOCK // HOP * HOP
        return cut
