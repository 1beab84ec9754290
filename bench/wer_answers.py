"""Ringline's finals of a real Whisper beside faster-whisper's ``transcribe`` on the same weights (base, int8).

    RINGLINE_REAL_MODELS=DIR python -m bench.wer_answers [--sentences 14] [--voices 2] [--condition 10\\ dB] [--json]

Recorded digits (10 of each of 6 speakers) and sentences (RINGLINE_SPEECH), what callers of the example clinic say, in
voices of Kokoro drawn anew for each text, and music, noise, coughs and knocks, where every word is one too many. On the
telephone, unless told otherwise.

Ringline is asked for a final of a whole utterance, as if no look had been taken before. It is told what the bot has
asked, or nothing, or a question that this does not answer. Sentences answer nothing. Numerals count as words; "leaks"
are finals with the hot word "Ringline", which nobody says. Skipped where ``whisper-base`` or ``kokoro`` is missing in
RINGLINE_REAL_MODELS. Takes ten minutes of one core that others use, too; the sound of the clinic's callers is made on
the first run, and takes some more.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from bench import clinic_speech
from bench.overlap_sounds import MUSIC, NOISES, cough, knock, pink, sound_files
from bench.recordings import SPEECH
from bench.reporting import Result, console, options_of, tell
from bench.telephone import read, resampled
from bench.wer import Samples, Spoken, conditions, distance, rows_of, sentences
from ringline.engine.config import WhisperStt
from ringline.engine.conversation.spelling import normalise
from ringline.ipc.messages import Transcribe
from ringline.workers.stt import make_backend

WHISPER = clinic_speech.MODELS / "whisper-base"
ASKED_DIGIT = "Please say a number from zero to nine."
HOT_WORD = "Ringline"
CLINIC, YES_NO, SINGLE_WORDS, NAMES = "clinic, all", "clinic, yes and no", "clinic, single words", "names"
MUSIC_CLIPS, COUGHS, KNOCKS, PINK = 10, 7, 7, 3
NOISE_S = 3
GREEDY_EVERY = 3
"""Of faster-whisper without a beam, which few use, one utterance in so many tells enough."""


class Utterance(NamedTuple):
    """What is said, and what the bot may have asked before."""

    spoken: Spoken
    groups: tuple[str, ...]
    asked: str
    elsewhere: str
    """A question that it does not answer."""


class Tally(msgspec.Struct):
    """What became of some utterances."""

    number: int = 0
    words: int = 0
    errors: int = 0
    exact: int = 0
    empty: int = 0
    leaks: int = 0
    cpu_s: float = 0.0

    def add(self, said: str, heard: str, cpu_s: float) -> None:
        """One more."""
        reference, hypothesis = normalise(said), normalise(heard)
        errors = distance(list(reference), list(hypothesis))
        self.number += 1
        self.words += len(reference)
        self.errors += errors
        self.exact += errors == 0
        self.empty += not heard.strip()
        self.leaks += HOT_WORD.casefold() in "".join(hypothesis)
        self.cpu_s += cpu_s


def utterances(number: int, voices: int, seed: int) -> Iterator[Utterance]:
    """All, by group; ``number`` of each collection of sentences."""
    questions = {state: clinic_speech.question(state) for state in clinic_speech.SAID}
    states = list(questions)
    for row in rows_of("digits_8k"):
        if row["file"].endswith("_0.wav"):
            one = Spoken("digits", row["file"], row["text"], *read(SPEECH / "digits_8k" / row["file"]))
            yield Utterance(one, ("digits",), ASKED_DIGIT, questions["hello"])
    for one in sentences(number):
        yield Utterance(one, ("sentences",), "", questions["book_day"])
    rng = np.random.default_rng(seed)
    spoken = clinic_speech.spoken()
    for state, text in dict.fromkeys((answer.state, answer.text) for answer in spoken):
        versions = [answer for answer in spoken if (answer.state, answer.text) == (state, text)]
        for index in sorted(rng.choice(len(versions), min(voices, len(versions)), replace=False)):
            answer = versions[index]
            one = Spoken(
                CLINIC, f"{answer.voice}/{answer.path.name}", text, *clinic_speech.sound(answer), answer.expect
            )
            other = states[(states.index(state) + 2) % len(states)] if state else "book_time"
            yield Utterance(one, _groups(state, text), answer.asked, questions[other])


def _groups(state: str, text: str) -> tuple[str, ...]:
    words = normalise(text)
    if not state:
        return (NAMES,)
    if state in ("book_confirm", "more") and len(words) <= 2 and words != ("goodbye",):
        return (CLINIC, YES_NO)
    return (CLINIC, SINGLE_WORDS) if len(words) == 1 else (CLINIC,)


def noises(seed: int) -> Iterator[Utterance]:
    """Nobody says a word in them."""
    rng = np.random.default_rng(seed)
    asked = clinic_speech.question("hello")
    files = sound_files(("noise",))
    music = [path for path in files if path.name.startswith(MUSIC)]
    made: list[tuple[str, str, Samples, int]] = []
    for number in range(MUSIC_CLIPS if music else 0):
        path = music[number % len(music)]
        made.append(("music", f"{path.name} {number}", *_piece(*read(path), rng)))
    made += [("noise", path.name, *_piece(*read(path), rng)) for path in files if path.name.startswith(NOISES)]
    made += [("noise", f"pink {number}", pink(rng, NOISE_S * 8_000), 8_000) for number in range(PINK)]
    made += [("coughs, knocks", f"cough {number}", cough(rng), 8_000) for number in range(COUGHS)]
    made += [("coughs, knocks", f"knock {number}", knock(rng), 8_000) for number in range(KNOCKS)]
    for group, name, samples, rate_hz in made:
        yield Utterance(Spoken(group, name, "", samples, rate_hz), (group,), asked, asked)


def _piece(samples: Samples, rate_hz: int, rng: np.random.Generator) -> tuple[Samples, int]:
    narrow = resampled(samples, rate_hz, 8_000)
    start = int(rng.integers(max(1, narrow.shape[0] - NOISE_S * 8_000)))
    return narrow[start : start + NOISE_S * 8_000], 8_000


Recognise = Callable[[Samples, Utterance], str]


class System(NamedTuple):
    """One way to recognise."""

    name: str
    recognise: Recognise
    every: int = 1
    """It is tried on every so many-th utterance."""
    hears_noise: bool = False


def systems() -> Iterator[System]:
    """Ringline's, then faster-whisper's."""
    from faster_whisper import WhisperModel

    theirs = WhisperModel(str(WHISPER), device="cpu", compute_type="int8", cpu_threads=1)

    def transcribe(audio: Samples, beam: int) -> str:
        wide = audio.astype(np.float32) / 32_768.0
        return " ".join(part.text for part in theirs.transcribe(wide, language="en", beam_size=beam)[0])

    yield System("Ringline", _ringline(lambda one: one.asked), hears_noise=True)
    yield System("Ringline, beam 5", _ringline(lambda one: one.asked, beam=5), hears_noise=True)
    yield System("Ringline, no question", _ringline(lambda one: ""))
    yield System("Ringline, wrong question", _ringline(lambda one: one.elsewhere))
    yield System(f'Ringline, hot word "{HOT_WORD}"', _ringline(lambda one: one.asked, hotwords=(HOT_WORD,)))
    yield System("faster-whisper, beam 5", lambda audio, one: transcribe(audio, 5))
    yield System("faster-whisper, greedy", lambda audio, one: transcribe(audio, 1), GREEDY_EVERY)


def _ringline(asked_of: Callable[[Utterance], str], beam: int = 1, hotwords: tuple[str, ...] = ()) -> Recognise:
    config = WhisperStt(
        model=str(WHISPER), device="cpu", compute_type="int8", threads=1, partial_ms=0, beam=beam, hotwords=hotwords
    )
    backend: Any = make_backend(config)
    backend.warm_up()

    def recognise(audio: Samples, one: Utterance) -> str:
        stream = backend.open(Transcribe(1, 0, 1, 0, one.spoken.expect, language="en", asked=asked_of(one)), 0)
        stream.feed(audio)
        stream.finalise()
        while stream.final is None:
            time.sleep(0.001)
            backend.step([stream], 0)
        text = str(stream.final)
        stream.close()
        return text

    return recognise


def measure(options: argparse.Namespace) -> Result:
    """Every system on every utterance."""
    if not WHISPER.is_dir() or not clinic_speech.KOKORO.is_dir():
        raise SystemExit("there is no whisper-base with a kokoro beside it: set RINGLINE_REAL_MODELS")
    out = console(options)
    said = list(utterances(options.sentences, options.voices, options.seed))
    silent = list(noises(options.seed))
    rows: list[dict[str, Any]] = []
    texts: list[dict[str, str]] = []
    for condition in options.condition or ("telephone",):
        audio_of = conditions(options.seed)[condition]
        for system in systems():
            tallies: dict[str, Tally] = {}
            for one in (*said[:: system.every], *(silent if system.hears_noise else ())):
                audio = audio_of(one.spoken)
                began_s = time.process_time()
                heard = system.recognise(audio, one)
                cpu_s = time.process_time() - began_s
                for group in one.groups:
                    tallies.setdefault(group, Tally()).add(one.spoken.text, heard, cpu_s)
                texts.append({"system": system.name, "file": one.spoken.file, "said": one.spoken.text, "heard": heard})
            for group, tally in tallies.items():
                row = {"condition": condition, "system": system.name, "speech": group}
                rows.append(row | msgspec.structs.asdict(tally))
            out.print(f"[dim]{condition}: {system.name}[/]")
    return {"rows": rows, "texts": texts}


def show(result: Result, out: Console) -> None:
    """The table."""
    table = Table("condition", "recogniser", "speech", "exact", "empty", "WER", "leaks", "CPU ms")
    for row in result["rows"]:
        table.add_row(
            row["condition"], row["system"], row["speech"], f"{row['exact']} of {row['number']}", str(row["empty"]),
            f"{100 * row['errors'] / row['words']:.1f} %" if row["words"] else "",
            str(row["leaks"]), f"{1e3 * row['cpu_s'] / row['number']:.0f}",
        )  # fmt: skip
    out.print(table)


def headlines(result: Result) -> dict[str, str]:
    """The figures to take along."""
    found = {}
    for row in result["rows"]:
        if row["condition"] == "telephone" and row["system"] in ("Ringline", "faster-whisper, beam 5"):
            what = f"Whisper base on the telephone, {row['speech']}: {row['system']}"
            if row["words"]:
                found[what] = f"{100 * row['errors'] / row['words']:.1f} % word errors"
            else:
                found[what] = f"text in {row['number'] - row['empty']} of {row['number']}"
    return found


if __name__ == "__main__":
    parser = options_of(__doc__, plots=False)
    parser.add_argument("--sentences", type=int, default=14, help="of each of three collections")
    parser.add_argument("--voices", type=int, default=2, help="of five, for each text of the clinic's callers")
    parser.add_argument("--condition", choices=tuple(conditions(0)) if SPEECH.is_dir() else (), action="append")
    given = parser.parse_args()
    tell(measure(given), given, show)
