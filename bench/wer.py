"""Word error rates of the recognisers whose real weights are here, clean and over the telephone.

    python -m bench.wer [--backend pocketsphinx] [--utterances 25] [--seed 1] [--json]

Recorded sentences (RINGLINE_SPEECH) without a grammar, and recorded digits with one, or as hot words where a recogniser
has no grammars:

clean       16 kHz, as recorded
telephone   300 to 3400 Hz, 8 kHz, mu-law
20 dB, 10 dB    ... with recorded noise at this signal-to-noise ratio
1 % loss, 5 % loss    ... with packets of 20 ms missing: silence, as in the caller ring

WER is the edit distance in words by the number of words spoken. "revised" is the share of words shown in partials that
were taken back later, "final" the time from the last sample to the transcript. ``whisper-recovered`` is tiny.en with a
token embedding learned anew (see its SOURCE.txt): right in size, speed and course, wrong in accuracy.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from bench.recognition import DIGITS
from bench.recordings import SPEECH, telephone_line
from bench.reporting import Result, console, options_of, tell
from bench.telephone import Samples, at_level, read, resampled
from ringline.engine.config import PocketsphinxStt, SttConfig, WhisperStt
from ringline.ipc.messages import Expectation, Transcribe
from ringline.workers.audio import codecs
from ringline.workers.audio.resample import Resampler
from ringline.workers.stt import make_backend
from ringline.workers.stt.backend import Stream, SttBackend

FRAME = 320
FRAME_NS = 20_000_000
WIRE_FRAME = 160
LEVEL_DBFS = -22.0
BEFORE_MS, AFTER_MS = 300, 200
WATCHDOG_S = 60.0
SENTENCES = ("accented_english", "librispeech_other", "short_sentences")


class Spoken(NamedTuple):
    """An utterance and what was said."""

    group: str
    file: str
    text: str
    samples: Samples
    rate_hz: int
    expect: Expectation = Expectation()


class Understood(msgspec.Struct):
    """What a recogniser made of some utterances."""

    words: int = 0
    errors: int = 0
    shown: int = 0
    revised: int = 0
    finals_ms: list[float] = []


def sentences(number: int) -> Iterator[Spoken]:
    """So many of each collection, of those whose text is known."""
    for group in SENTENCES:
        for row in [row for row in rows_of(group) if row["text"]][:number]:
            yield Spoken("sentences", row["file"], row["text"], *read(SPEECH / group / row["file"]))


def digits(number: int) -> Iterator[Spoken]:
    """So many of each speaker."""
    grammar = f"#JSGF V1.0;\ngrammar digits;\npublic <digit> = {' | '.join(DIGITS)};\n"
    expect = Expectation(grammar=grammar, phrases=DIGITS, spoken_digits=1)
    left: dict[str, int] = {}
    for row in rows_of("digits_8k"):
        left[row["speaker"]] = left.get(row["speaker"], number) - 1
        if left[row["speaker"]] >= 0:
            yield Spoken("digits", row["file"], row["text"], *read(SPEECH / "digits_8k" / row["file"]), expect)


def rows_of(folder: str) -> list[dict[str, str]]:
    lines = (SPEECH / folder / "text.tsv").read_text(encoding="utf-8").splitlines()
    names = lines[0].split("\t")
    return [dict(zip(names, line.split("\t"), strict=False)) for line in lines[1:]]


class Line:
    """Makes telephone audio of recordings: int16 at 16 kHz, the same each time for the same file and seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        paths = sorted((SPEECH / "noise").glob("speechbrain_noise*.wav"))
        self._noises = [resampled(*read(path), 8_000) for path in paths]

    def clean(self, spoken: Spoken) -> Samples:
        """At the recogniser's own rate."""
        wide = resampled(spoken.samples, spoken.rate_hz, 16_000) if spoken.rate_hz != 16_000 else spoken.samples
        return _padded(at_level(wide, LEVEL_DBFS), 16_000)

    def telephone(self, spoken: Spoken, snr_db: float | None = None, loss: float = 0.0) -> Samples:
        """Through a handset, with noise before the codec and packets lost behind it."""
        rng = np.random.default_rng([self._seed, *spoken.file.encode()])
        narrow = resampled(spoken.samples, spoken.rate_hz, 8_000) if spoken.rate_hz != 8_000 else spoken.samples
        wire = _padded(at_level(telephone_line(narrow), LEVEL_DBFS), 8_000)
        if snr_db is not None:
            wire = self._with_noise(wire, snr_db, rng)
        sent = codecs.decode(codecs.encode(wire, "mulaw"), "mulaw")
        for start in range(0, sent.shape[0], WIRE_FRAME):
            if rng.random() < loss:
                sent[start : start + WIRE_FRAME] = 0
        return Resampler(8_000, 16_000).process(sent)

    def _with_noise(self, wire: Samples, snr_db: float, rng: np.random.Generator) -> Samples:
        noise = self._noises[int(rng.integers(len(self._noises)))]
        start = int(rng.integers(noise.shape[0]))
        piece = telephone_line(np.take(noise, np.arange(start, start + wire.shape[0]), mode="wrap"))
        mixed = wire.astype(np.int32) + at_level(piece, LEVEL_DBFS - snr_db)
        return np.clip(mixed, -32_768, 32_767).astype(np.int16)


def _padded(samples: Samples, rate_hz: int) -> Samples:
    return np.pad(samples, (rate_hz * BEFORE_MS // 1000, rate_hz * AFTER_MS // 1000))


Condition = Callable[[Spoken], Samples]


def conditions(seed: int) -> dict[str, Condition]:
    """By name."""
    line = Line(seed)
    return {
        "clean": line.clean,
        "telephone": line.telephone,
        "20 dB": lambda spoken: line.telephone(spoken, snr_db=20.0),
        "10 dB": lambda spoken: line.telephone(spoken, snr_db=10.0),
        "1 % loss": lambda spoken: line.telephone(spoken, loss=0.01),
        "5 % loss": lambda spoken: line.telephone(spoken, loss=0.05),
    }


def words_of(text: str) -> list[str]:
    """As they are compared: lower case, letters only, digits as words."""
    spelled = "".join(f" {DIGITS[int(c)]} " if c.isascii() and c.isdigit() else c for c in text.lower())
    return "".join(c if c.isalpha() or c == "'" else " " for c in spelled.replace("\u2019", "'")).split()


def distance(reference: list[str], hypothesis: list[str]) -> int:
    """Words to insert, delete or replace."""
    row = list(range(len(hypothesis) + 1))
    for i, word in enumerate(reference, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(hypothesis, 1):
            diagonal, row[j] = row[j], min(diagonal + (word != other), row[j] + 1, row[j - 1] + 1)
    return row[-1]


def recognise(backend: SttBackend, spoken: Spoken, audio: Samples, found: Understood) -> None:
    """One utterance, frame by frame on a virtual clock; a model in another thread is waited for."""
    stream = backend.open(Transcribe(1, 0, 1, 0, spoken.expect, language="en"), 0)
    assert stream is not None
    before: list[str] = []
    for number, start in enumerate(range(0, audio.shape[0], FRAME)):
        stream.feed(audio[start : start + FRAME])
        _settle(backend, stream, number * FRAME_NS)
        before = _compare(before, words_of(stream.partial), found)
    ended_s = time.perf_counter()
    stream.finalise()
    now_ns = audio.shape[0] // FRAME * FRAME_NS
    while stream.final is None:
        _settle(backend, stream, now_ns)
        if time.perf_counter() - ended_s > WATCHDOG_S:
            raise SystemExit(f"{spoken.file}: no transcript")
    found.finals_ms.append((time.perf_counter() - ended_s) * 1e3)
    hypothesis, reference = words_of(stream.final), words_of(spoken.text)
    stream.close()
    _compare(before, hypothesis, found)
    found.words += len(reference)
    found.errors += distance(reference, hypothesis)


def _settle(backend: SttBackend, stream: Stream, now_ns: int) -> None:
    backend.step([stream], now_ns)
    pool = getattr(backend, "pool", None)
    while pool is not None and pool.load:
        time.sleep(0)
    if pool is not None:
        backend.step([stream], now_ns)


def _compare(before: list[str], after: list[str], found: Understood) -> list[str]:
    """Count what was shown anew, and what was taken back."""
    same = 0
    while same < min(len(before), len(after)) and before[same] == after[same]:
        same += 1
    found.revised += len(before) - same
    found.shown += len(after) - same
    return after


def backends() -> dict[str, SttConfig]:
    """Those whose weights are here."""
    found: dict[str, SttConfig] = {"pocketsphinx": PocketsphinxStt(decoders=1)}
    narrow = SPEECH / "models" / "pocketsphinx-hub4wsj_sc_8k"
    if narrow.is_dir():
        found["pocketsphinx-8k"] = PocketsphinxStt(decoders=1, model=str(narrow))
    recovered = SPEECH / "models" / "whisper-tiny.en-recovered"
    if recovered.is_dir():
        found["whisper-recovered"] = WhisperStt(model=str(recovered), device="cpu")
    return found


def measure(options: argparse.Namespace) -> Result:
    """Every backend in every condition."""
    out = console(options)
    if not SPEECH.is_dir():
        raise SystemExit(f"there is no recorded speech at {SPEECH} (RINGLINE_SPEECH)")
    spoken = [*sentences(options.utterances), *digits(max(1, options.utterances // 5))]
    rows = []
    for name, config in backends().items():
        if options.backend and name not in options.backend:
            continue
        backend = make_backend(config, dictation=True)
        backend.warm_up()
        for condition, audio_of in conditions(options.seed).items():
            groups: dict[str, Understood] = {}
            for one in spoken:
                recognise(backend, one, audio_of(one), groups.setdefault(one.group, Understood(finals_ms=[])))
            for group, found in groups.items():
                p50, p95 = np.percentile(found.finals_ms, [50, 95])
                rows.append(
                    {
                        "backend": name,
                        "speech": group,
                        "condition": condition,
                        "word_error_rate": found.errors / max(1, found.words),
                        "words": found.words,
                        "revised": found.revised / max(1, found.shown),
                        "final_p50_ms": float(p50),
                        "final_p95_ms": float(p95),
                    }
                )
            out.print(f"[dim]{name}, {condition}[/]")
    return {"rows": rows}


def show(result: Result, out: Console) -> None:
    """The table."""
    table = Table("recogniser", "speech", "condition", "WER", "words", "revised", "final p50, p95")
    for row in result["rows"]:
        table.add_row(
            row["backend"],
            row["speech"],
            row["condition"],
            f"{100 * row['word_error_rate']:.1f} %",
            str(row["words"]),
            f"{100 * row['revised']:.0f} %",
            f"{row['final_p50_ms']:.1f}, {row['final_p95_ms']:.1f} ms",
        )
    out.print(table)


if __name__ == "__main__":
    parser = options_of(__doc__, plots=False)
    parser.add_argument("--backend", choices=tuple(backends()), action="append")
    parser.add_argument("--utterances", type=int, default=25, help="of each collection of sentences")
    given = parser.parse_args()
    tell(measure(given), given, show)
