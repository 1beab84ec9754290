"""sherpa-onnx: a streaming transducer that decodes the utterances of all calls together, chunk by chunk.

The model runs on the pool's thread: a chunk of 32 utterances takes longer than a worker's loop may stand still.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ringline.engine.config import SherpaStt
from ringline.ipc.messages import Transcribe
from ringline.workers.base import CannotStart
from ringline.workers.extras import require
from ringline.workers.models.folders import FOLDERS, problems
from ringline.workers.models.store import locate
from ringline.workers.pool import Job, Pool
from ringline.workers.stt.agreement import agreed_words, stable_characters
from ringline.workers.stt.backend import Samples, Stream

log = logging.getLogger("ringline.stt")

RATE_HZ = 16_000
PARTIAL_DUE_NS = 300_000_000
"""A hypothesis may be so late: about a word."""
MAX_CHUNKS = 4
"""Decoded of an utterance before others may have their turn: one that catches up has many."""


class _Decode(Job):
    """What there is of one utterance, decoded as far as `MAX_CHUNKS` allow."""

    def __init__(self, stream: SherpaStream, deadline_ns: int, is_last: bool) -> None:
        super().__init__(stream.call, deadline_ns)
        self.stream = stream
        self.is_last = is_last
        """The utterance was complete when this began."""
        self.text = ""
        self.confidence = 0.0


class SherpaBackend:
    """`SttBackend` on one recogniser."""

    def __init__(self, config: SherpaStt, wake: Callable[[], None] = lambda: None) -> None:
        self._config = config
        self._wake = wake
        self._sdk: Any = None
        self.recognizer: Any = None
        self.pool: Pool[_Decode]
        self.tail = np.zeros(RATE_HZ * config.tail_ms // 1000, np.float32)
        self.num_open = 0
        self._is_upper = False
        """The model writes capitals only."""
        self._knows_hotwords = False

    def warm_up(self) -> None:
        self._sdk = require("sherpa_onnx", "sherpa")
        folder = find(self._config.model)
        tokens = folder / "tokens.txt"
        symbols = "".join(line.split()[0] for line in tokens.read_text(encoding="utf-8").splitlines() if line.strip())
        self._is_upper = symbols.replace("<blk>", "").replace("<unk>", "").replace("<sos/eos>", "").isupper()
        _check_encoder(self._part(folder, "encoder"))
        vocabulary = folder / "bpe.vocab"
        self._knows_hotwords = vocabulary.is_file() and self._config.beam > 1
        try:
            self.recognizer = self._load(folder, vocabulary)
        except RuntimeError as error:
            raise CannotStart(f"[stt] model: sherpa-onnx cannot load {folder}: {error}") from error
        if not self._knows_hotwords:
            log.info("no hot words: they need beam > 1 and bpe.vocab in the model's folder")
        self.pool = Pool(self._decode, self._wake, self._config.streams)
        stream = self.recognizer.create_stream()
        stream.accept_waveform(RATE_HZ, np.zeros(RATE_HZ, np.float32))
        while self.recognizer.is_ready(stream):
            self.recognizer.decode_streams([stream])

    def open(self, request: Transcribe, now_ns: int) -> Stream | None:
        if self.num_open >= self._config.streams:
            return None
        phrases = [phrase.replace("/", " ").strip() for phrase in request.expect.phrases]
        hotwords = "/".join(phrase.upper() if self._is_upper else phrase for phrase in phrases if phrase)
        made = self.recognizer.create_stream(hotwords if self._knows_hotwords and hotwords else None)
        self.num_open += 1
        return SherpaStream(self, request.call, made)

    def step(self, streams: Sequence[Stream], now_ns: int) -> int | None:
        for job in self.pool.collect():
            job.stream.take(job)
        return None

    def close(self) -> None:
        """End the pool's thread."""
        self.pool.close()

    def _load(self, folder: Path, vocabulary: Path) -> Any:
        return self._sdk.OnlineRecognizer.from_transducer(
            tokens=str(folder / "tokens.txt"),
            encoder=str(self._part(folder, "encoder")),
            decoder=str(self._part(folder, "decoder")),
            joiner=str(self._part(folder, "joiner")),
            num_threads=self._config.threads,
            decoding_method="modified_beam_search" if self._config.beam > 1 else "greedy_search",
            max_active_paths=self._config.beam,
            hotwords_score=self._config.hotwords_score,
            modeling_unit="bpe" if self._knows_hotwords else "cjkchar",
            bpe_vocab=str(vocabulary) if self._knows_hotwords else "",
        )

    def _part(self, folder: Path, name: str) -> Path:
        """The newest file of a part of the model, quantised or not."""
        files = sorted(folder.glob(f"{name}*.onnx"))
        quantised = [file for file in files if file.name.endswith(".int8.onnx")]
        plain = [file for file in files if file not in quantised]
        return ((quantised or plain) if self._config.int8 else (plain or quantised))[-1]

    # --- the pool's thread ----------------------------------------------------------------------------------------

    def _decode(self, jobs: Sequence[_Decode]) -> None:
        for _ in range(MAX_CHUNKS):
            ready = [job.stream.sherpa for job in jobs if self.recognizer.is_ready(job.stream.sherpa)]
            if not ready:
                break
            self.recognizer.decode_streams(ready)
        for job in jobs:
            result = self.recognizer.get_result_all(job.stream.sherpa)
            text = result.text.strip()
            job.text = text.lower() if self._is_upper else text
            job.confidence = math.exp(sum(result.ys_probs) / len(result.ys_probs)) if result.ys_probs else 0.0


def find(model: str) -> Path:
    """The model's folder: a path, or a name in the store. Raises CannotStart."""
    folder = locate(model)
    if what := problems(folder, FOLDERS["sherpa"]):
        raise CannotStart(f"[stt] model: {folder}: {'; '.join(what)}")
    return folder


def _check_encoder(file: Path) -> None:
    """sherpa-onnx crashes over an ONNX file of another kind. Raises CannotStart."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(str(file), load_external_data=False)
    except DecodeError as error:
        raise CannotStart(f"[stt] model: {file} is no ONNX file") from error
    if not any(entry.key == "model_type" for entry in model.metadata_props):
        raise CannotStart(f"[stt] model: {file} is no encoder of a streaming transducer in sherpa-onnx's format")


class SherpaStream:
    """One utterance. Has at most one job in the pool."""

    def __init__(self, backend: SherpaBackend, call: int, sherpa: Any) -> None:
        self.partial = ""
        self.stable = 0
        self.confidence = 0.0
        self.other_words: float | None = None
        self.closed_vocabulary = False
        self.call = call
        self.sherpa = sherpa
        self._final: str | None = None
        self._error: Exception | None = None
        self._backend = backend
        self._job: _Decode | None = None
        self._is_complete = False
        self._is_closed = False
        self._due_ns = 0

    @property
    def final(self) -> str | None:
        if self._error is not None:
            raise self._error
        return self._final

    def feed(self, samples: Samples) -> None:
        if self._is_complete or not samples.size:
            return
        self.sherpa.accept_waveform(RATE_HZ, samples.astype(np.float32) / 32_768)
        self._decode_what_is_there()

    def finalise(self, due_ns: int = 0) -> None:
        if self._is_complete:
            return
        self._is_complete, self._due_ns = True, due_ns
        self.sherpa.accept_waveform(RATE_HZ, self._backend.tail)
        self.sherpa.input_finished()
        if self._job is not None:
            self._job.deadline_ns = due_ns
        self._decode_what_is_there()

    def take(self, job: _Decode) -> None:
        """A job of this stream is done."""
        self._job = None
        if job.error is not None:
            self._error = job.error
            return
        self.stable = stable_characters(job.text, agreed_words(self.partial, job.text))
        self.partial = job.text
        if job.is_last and not self._backend.recognizer.is_ready(self.sherpa):
            self._final, self.confidence = job.text, job.confidence
        else:
            self._decode_what_is_there()

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = self._is_complete = True
        self._backend.num_open -= 1
        if self._job is not None:
            self._backend.pool.cancel(self._job)

    def _decode_what_is_there(self) -> None:
        if self._job is None and (self._is_complete or self._backend.recognizer.is_ready(self.sherpa)):
            deadline_ns = self._due_ns if self._is_complete else time.monotonic_ns() + PARTIAL_DUE_NS
            self._job = _Decode(self, deadline_ns, self._is_complete)
            self._backend.pool.submit(self._job)
