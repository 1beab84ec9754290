"""A Whisper model in CTranslate2's format, and passes over utterances: several in one call of the model.

Whisper was trained on 30 s, whatever was said: given less, it repeats itself. But what it needs behind the words is not
computed anew each time. The encoder gets the speech and half a second of silence; the rest of the 30 s is the encoder's
output for silence, which is kept, and thinned out where it is far from the speech, since the decoder looks at all of it
for each word. On a recovered tiny.en that costs no accuracy (docs/stt.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from ringline.engine.config import WhisperStt
from ringline.workers.base import CannotStart
from ringline.workers.extras import require
from ringline.workers.pool import Job
from ringline.workers.stt.whisper.features import FRAMES_PER_S, NUM_FFT, RATE_HZ, SILENCE, Mel
from ringline.workers.stt.whisper.files import EXTRA, find, is_multilingual, languages, read_tokenizer, token_id
from ringline.workers.stt.whisper.guards import max_tokens

MAX_FRAMES = 30 * FRAMES_PER_S
"""What the model was made for."""
MAX_POSITIONS = MAX_FRAMES // 2
"""Of the encoder's output for so many frames."""
MEMORY = ((275, 600), (725, 1_000), (MAX_POSITIONS, MAX_POSITIONS))
"""What the decoder gets, in positions, for a window of at most so many. A few lengths only: passes of one length are a
batch."""
THINNED = 8
"""One position in so many is kept of the silence that is far from the speech."""
ROUND_FRAMES = FRAMES_PER_S // 2
"""Windows are rounded up to half a second, so that many have the same length and go through the encoder together."""
MAX_PREVIOUS_TOKENS = 48
"""Of the text before, from its end: a question, and some names."""
PREVIOUS_STEP = 8
"""CTranslate2 decodes prompts of one length together: from twice this on, lengths are multiples of it. Filling shorter
ones up is no way: behind dots the model may fall silent, behind special tokens it runs on."""

Encoded = np.ndarray[tuple[int, int], np.dtype[np.float32]]
Batch = np.ndarray[tuple[int, int, int], np.dtype[np.float32]]


class Pass(Job):
    """One look at one utterance: what was said from its start to the sample it knows."""

    def __init__(
        self, call: int, deadline_ns: int, window: Mel, audio_s: float, previous: tuple[int, ...] = (),
        language: str = "", beam: int = 1,
    ) -> None:  # fmt: skip
        """``window``: [num_mels, frames], scaled. ``previous``: tokens of the text before, see `WhisperModel.previous`.
        ``language``: empty for a model of one language, or if it is to be found out."""
        super().__init__(call, deadline_ns, work=audio_s)
        self.window = window
        self.previous, self.language, self.beam = previous, language, beam
        self.tokens: tuple[int, ...] = ()
        """The result."""
        self.log_prob = 0.0
        """Average over the tokens."""
        self.no_speech = 0.0


class WhisperModel:
    """The model, its tokenizer, and what both need to be told."""

    def __init__(self, config: WhisperStt) -> None:
        """Load it. Raises CannotStart."""
        ctranslate2: Any = require("ctranslate2", EXTRA)
        extractor: Any = require("faster_whisper.feature_extractor", EXTRA)
        names: Any = require("faster_whisper.tokenizer", EXTRA)
        folder = find(config.model)
        try:
            self.whisper: Any = ctranslate2.models.Whisper(
                str(folder), device=config.device, compute_type=config.compute_type, intra_threads=config.threads
            )
        except (RuntimeError, ValueError) as error:
            raise CannotStart(f"[stt] model: {folder} cannot be loaded: {error}") from error
        self._view, self._float32 = ctranslate2.StorageView.from_array, ctranslate2.DataType.float32
        self._tokenizer: Any = read_tokenizer(folder)
        self.is_multilingual = is_multilingual(self._tokenizer)
        self.languages = languages(self._tokenizer)
        plain = names.Tokenizer(self._tokenizer, False)
        self._suppressed = [*plain.non_speech_tokens, plain.transcribe, plain.translate, plain.sot, plain.sot_prev]
        self._suppressed += [token for token in (plain.sot_lm, plain.no_speech) if token is not None]
        self._end = self._id("<|endoftext|>")
        self.filters: Mel = extractor.FeatureExtractor.get_mel_filters(RATE_HZ, NUM_FFT, self.whisper.n_mels).astype(
            np.float32
        )
        silence = np.full((1, self.filters.shape[0], MAX_FRAMES), SILENCE, np.float32)
        self._silence: Encoded = self._encoder(silence)[0]
        """The encoder's output for 30 s in which nothing is heard."""

    def previous(self, text: str, lead: str = "") -> tuple[int, ...]:
        """The tokens of a text that goes before what is to be heard, from its end as many as may be.

        ``lead``: what stands before the text. Where both are too long, each has a half.
        """
        body = self._tokens(text)
        head = self._tokens(lead)[-max(MAX_PREVIOUS_TOKENS // 2, MAX_PREVIOUS_TOKENS - len(body)) :]
        tokens = head + body[len(head) - MAX_PREVIOUS_TOKENS :]
        length = len(tokens)
        return tuple(tokens[-(length if length < 2 * PREVIOUS_STEP else length // PREVIOUS_STEP * PREVIOUS_STEP) :])

    def _tokens(self, text: str) -> list[int]:
        if not text.strip():
            return []
        ids = self._tokenizer.encode(f" {text.strip()}", add_special_tokens=False).ids
        # The tokenizer reads Whisper's own tokens in a text, too; <|startoftranscript|> would spoil a whole batch.
        return [token for token in ids if token < self._end]

    def text(self, tokens: Sequence[int]) -> str:
        """What tokens say."""
        spoken = [token for token in tokens if token < self._end]
        # Half a letter, where the audio ends within a word of a language with many of them.
        return str(self._tokenizer.decode(spoken)).strip().rstrip("\N{REPLACEMENT CHARACTER}")

    def fits(self, first: Pass, other: Pass) -> bool:
        """Whether two passes can be one batch."""
        return (first.beam, _memory(first.window.shape[1] // 2)) == (other.beam, _memory(other.window.shape[1] // 2))

    def run(self, passes: Sequence[Pass]) -> None:
        """Do passes that fit; leaves the results in them."""
        memory = self._encode(passes)
        if unknown := [index for index, one in enumerate(passes) if self.is_multilingual and not one.language]:
            found = self.whisper.detect_language(self._view(memory[unknown]))
            for index, languages in zip(unknown, found, strict=True):
                passes[index].language = str(languages[0][0]).strip("<|>")
        groups: dict[int, list[int]] = defaultdict(list)
        for index, one in enumerate(passes):
            groups[len(one.previous)].append(index)
        for members in groups.values():
            self._decode([passes[index] for index in members], memory[members])

    def _decode(self, passes: Sequence[Pass], memory: Batch) -> None:
        """What was said, for passes whose prompts have one length."""
        prompts = [self._head(one) for one in passes]
        limit = max(max_tokens(one.work) for one in passes)
        results = self.whisper.generate(
            self._view(memory), prompts, beam_size=passes[0].beam, return_scores=True, return_no_speech_prob=True,
            max_length=max(2 * limit, limit + len(prompts[0])), suppress_tokens=self._suppressed,
        )  # fmt: skip
        for one, result in zip(passes, results, strict=True):
            tokens = [token for token in result.sequences_ids[0] if token < self._end]
            one.tokens = tuple(tokens[: max_tokens(one.work)])
            # Whisper's average counts the end, too; CTranslate2's does not.
            one.log_prob = max(-100.0, result.scores[0]) * len(tokens) / (len(tokens) + 1)
            one.no_speech = float(result.no_speech_prob)

    def _head(self, one: Pass) -> list[int]:
        """The prompt, up to where the text begins."""
        previous = [self._id("<|startofprev|>"), *one.previous] if one.previous else []
        task = [self._id(f"<|{one.language}|>"), self._id("<|transcribe|>")] if self.is_multilingual else []
        return [*previous, self._id("<|startoftranscript|>"), *task, self._id("<|notimestamps|>")]

    def _encode(self, passes: Sequence[Pass]) -> Batch:
        """[passes, positions, width]: the windows of one length go through the encoder together."""
        groups: dict[int, list[int]] = defaultdict(list)
        for index, one in enumerate(passes):
            groups[one.window.shape[1]].append(index)
        encoded: list[Encoded] = [np.zeros((0, 0), np.float32)] * len(passes)
        for members in groups.values():
            outputs = self._encoder(np.stack([passes[index].window for index in members]))
            for index, output in zip(members, outputs, strict=True):
                encoded[index] = np.concatenate([output, self._silence[_silent_positions(output.shape[0])]])
        return np.stack(encoded)

    def _encoder(self, windows: Batch) -> Batch:
        output = self.whisper.encode(self._view(np.ascontiguousarray(windows)), to_cpu=True)
        return np.array(output.to(self._float32))  # numpy knows no bfloat16

    def _id(self, token: str) -> int:
        return token_id(self._tokenizer, token)


def num_frames(audio_s: float, padding_ms: int) -> int:
    """The window for so much audio, with silence behind it."""
    frames = round(audio_s * FRAMES_PER_S) + padding_ms * FRAMES_PER_S // 1000
    return min(MAX_FRAMES, -(-frames // ROUND_FRAMES) * ROUND_FRAMES)


def _memory(num_positions: int) -> int:
    """How long the decoder's memory is for a window of so many positions."""
    return next(length for longest, length in MEMORY if num_positions <= longest)


def _silent_positions(start: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Which positions of silence follow a window of ``start`` positions: all at first, then every `THINNED`-th."""
    count = _memory(start) - start
    all_of = max(0, (THINNED * count - (MAX_POSITIONS - start)) // (THINNED - 1))
    thinned = np.linspace(start + all_of, MAX_POSITIONS - 1, count - all_of).round().astype(np.intp)
    return np.concatenate([np.arange(start, start + all_of), thinned])


def silence(num_mels: int, frames: int) -> Mel:
    """A window in which nothing is heard."""
    return np.full((num_mels, frames), SILENCE, np.float32)
