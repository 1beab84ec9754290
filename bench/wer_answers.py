"""Ringline's finals of a real Whisper against faster-whisper's ``transcribe`` on the same weights.

    RINGLINE_REAL_MODELS=DIR python -m bench.wer_answers [--utterances 10] [--json]

Digits and sentences (RINGLINE_SPEECH), and answers to the example clinic's questions in five Kokoro voices, on the
telephone. Ringline is asked for a final only, and is told what the bot has asked; numerals count as words. Skipped
where ``whisper-base`` or ``kokoro`` is missing in RINGLINE_REAL_MODELS.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from bench import clinic_speech
from bench.recordings import SPEECH
from bench.reporting import Result, console, options_of, tell
from bench.telephone import read
from bench.wer import Samples, Spoken, conditions, distance, sentences
from bench.wer import _rows as rows_of
from ringline.engine.config import WhisperStt
from ringline.engine.conversation.spelling import normalise
from ringline.ipc.messages import Transcribe
from ringline.workers.stt import make_backend

WHISPER = clinic_speech.MODELS / "whisper-base"
ASKED_DIGIT = "Please say a number from zero to nine."


class Asked(NamedTuple):
    """An utterance and the question it answers."""

    spoken: Spoken
    asked: str


def utterances(number: int) -> Iterator[Asked]:
    """All, by group."""
    for row in rows_of("digits_8k"):
        if row["file"].endswith("_0.wav"):
            spoken = Spoken("digits", row["file"], row["text"], *read(SPEECH / "digits_8k" / row["file"]))
            yield Asked(spoken, ASKED_DIGIT)
    for one in sentences(number):
        yield Asked(one, "")
    for answer in clinic_speech.spoken():
        name = f"{answer.voice}/{answer.state}/{answer.path.name}"
        yield Asked(Spoken("clinic", name, answer.text, *clinic_speech.sound(answer)), answer.asked)


Recognise = Callable[[Samples, str], str]


def systems() -> dict[str, Recognise]:
    """By name: audio and question -> text."""
    from faster_whisper import WhisperModel

    config = WhisperStt(model=str(WHISPER), device="cpu", compute_type="int8", threads=1, partial_ms=0)
    backend: Any = make_backend(config)
    backend.warm_up()
    theirs = WhisperModel(str(WHISPER), device="cpu", compute_type="int8", cpu_threads=1)

    def ringline(audio: Samples, asked: str) -> str:
        stream = backend.open(Transcribe(1, 0, 1, 0, language="en", asked=asked), 0)
        stream.feed(audio)
        stream.finalise()
        while stream.final is None:
            time.sleep(0.001)
            backend.step([stream], 0)
        return str(stream.final)

    def transcribe(audio: Samples, beam: int) -> str:
        wide = audio.astype(np.float32) / 32_768.0
        return " ".join(part.text for part in theirs.transcribe(wide, language="en", beam_size=beam)[0])

    return {
        "ringline": ringline,
        "faster-whisper, beam 5": lambda audio, asked: transcribe(audio, 5),
        "faster-whisper, greedy": lambda audio, asked: transcribe(audio, 1),
    }


def measure(options: argparse.Namespace) -> Result:
    """Every system on every utterance."""
    if not WHISPER.is_dir() or not clinic_speech.KOKORO.is_dir():
        raise SystemExit("there is no whisper-base with a kokoro beside it: set RINGLINE_REAL_MODELS")
    out = console(options)
    audio_of = conditions(options.seed)["telephone"]
    spoken = [(one, audio_of(one.spoken)) for one in utterances(options.utterances)]
    rows = []
    for name, recognise in systems().items():
        found: dict[str, list[tuple[int, int, bool, float]]] = {}
        for one, audio in spoken:
            began_s = time.process_time()
            heard = normalise(recognise(audio, one.asked))
            took_s = time.process_time() - began_s
            said = normalise(one.spoken.text)
            errors = distance(list(said), list(heard))
            found.setdefault(one.spoken.group, []).append((errors, len(said), not heard, took_s))
        for group, results in found.items():
            rows.append(
                {
                    "system": name,
                    "speech": group,
                    "utterances": len(results),
                    "exact": sum(errors == 0 for errors, *_ in results),
                    "empty": sum(empty for _, _, empty, _ in results),
                    "word_error_rate": sum(one[0] for one in results) / sum(one[1] for one in results),
                    "cpu_ms": 1e3 * sum(one[3] for one in results) / len(results),
                }
            )
        out.print(f"[dim]{name}[/]")
    return {"rows": rows}


def show(result: Result, out: Console) -> None:
    """The table."""
    table = Table("recogniser", "speech", "exact", "empty", "WER", "CPU ms")
    for row in result["rows"]:
        table.add_row(
            row["system"], row["speech"], f"{row['exact']} of {row['utterances']}", str(row["empty"]),
            f"{100 * row['word_error_rate']:.1f} %", f"{row['cpu_ms']:.0f}",
        )  # fmt: skip
    out.print(table)


if __name__ == "__main__":
    parser = options_of(__doc__, plots=False)
    parser.add_argument("--utterances", type=int, default=10, help="of each collection of sentences")
    given = parser.parse_args()
    tell(measure(given), given, show)
