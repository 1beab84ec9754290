"""How well the embedded recogniser understands telephone callers, and how fast.

    python -m bench.recognition [--seed 2] [--json]

The clinic's phrases in nine espeak-ng voices through mu-law or 16-bit telephone audio at two levels and any framing,
each against the grammar of its state; and, where RINGLINE_SPEECH is, the recorded telephone digits of six speakers.
Prints the share of sentences that were understood word for word, the real-time factor, and how long the final took
after the end.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.reporting import Result, console, options_of, tell
from bench.telephone import Samples, Voices, at_level, over_the_phone, read
from ringline.engine.config import PocketsphinxStt
from ringline.ipc.messages import Expectation, Transcribe
from ringline.workers.stt.pocketsphinx import PocketsphinxBackend

ROOT = Path(__file__).parent.parent
SPEECH = Path(os.environ.get("RINGLINE_SPEECH", ROOT.parent / "shared" / "speech"))
VOICES = (
    "en-us", "en-us+f3", "en-us+m3", "en-us-nyc", "en-gb", "en-gb+m3", "en-gb+f2", "en-gb-x-rp", "en-gb-scotland",
)  # fmt: skip
PHRASES = {
    "hello": (
        "i'd like to book an appointment", "i want to cancel my appointment", "can i move my appointment",
        "opening hours", "what are your opening hours", "when are you open", "speak to a person", "make an appointment",
    ),
    "book_day": ("tuesday", "monday", "on wednesday", "thursday", "friday", "next tuesday", "tomorrow"),
    "book_time": ("ten", "ten thirty", "half past ten", "ten o'clock", "nine", "two thirty", "three in the afternoon"),
    "book_confirm": ("yes", "no", "yes please"),
    "more": ("no thank you", "no", "that's all", "goodbye"),
}  # fmt: skip
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "oh")
FRAME = 320

Case = tuple[str, str, str, Samples]
"""(set, grammar, text, int16 at 16 kHz)"""


def clinic_grammars() -> dict[str, str]:
    """The clinic's JSGF grammars, by state."""
    command = [sys.executable, "-m", "ringline.workers.llm.flow", str(ROOT / "examples" / "clinic")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {part.split("grammar ")[1].split(";")[0]: "#JSGF" + part for part in printed.split("#JSGF")[1:]}


def clinic_cases(rng: np.random.Generator) -> list[Case]:
    """Every phrase in every voice."""
    grammars, voices, cases = clinic_grammars(), Voices(), []
    for state, phrases in PHRASES.items():
        for text in phrases:
            for voice in VOICES:
                spoken = at_level(voices.speak(text, voice), float(rng.choice([-18.0, -24.0])))
                encoding = str(rng.choice(["mulaw", "slin"]))
                audio = over_the_phone(spoken, voices.rate_hz, encoding, int(rng.integers(160)))
                cases.append((f"clinic, {voice}", grammars[state], text, audio))
    return cases


def digit_cases() -> list[Case]:
    """The recorded digits, as they are."""
    grammar = f"#JSGF V1.0;\ngrammar digits;\npublic <digit> = {' | '.join(DIGITS)};\n"
    lines = (SPEECH / "digits_8k" / "text.tsv").read_text().splitlines()[1:]
    cases = []
    for line in lines:
        file, speaker, text = line.split("\t")
        samples, rate_hz = read(SPEECH / "digits_8k" / file)
        cases.append((f"digits, {speaker}", grammar, text.strip(), over_the_phone(samples, rate_hz, "mulaw")))
    return cases


def recognise(cases: list[Case]) -> Result:
    """Recognise all, one after the other, frame by frame."""
    backend = PocketsphinxBackend(PocketsphinxStt())
    backend.warm_up()
    right: dict[str, list[bool]] = defaultdict(list)
    finals_ms, busy_s, audio_s = [], 0.0, 0.0
    for name, grammar, text, audio in cases:
        stream = backend.open(Transcribe(1, 0, 1, 0, Expectation(grammar=grammar)), 0)
        assert stream is not None
        began_s = time.perf_counter()
        for start in range(0, audio.shape[0], FRAME):
            stream.feed(audio[start : start + FRAME])
        ended_s = time.perf_counter()
        stream.finalise()
        finals_ms.append((time.perf_counter() - ended_s) * 1e3)
        busy_s += time.perf_counter() - began_s
        audio_s += audio.shape[0] / 16_000
        right[name].append(stream.final == text)
        stream.close()
    kinds: dict[str, list[bool]] = defaultdict(list)
    for name, found in right.items():
        kinds[name.split(",")[0]] += found
    return {
        "understood": {name: sum(found) / len(found) for name, found in (*kinds.items(), *right.items())},
        "sentences": {name: len(found) for name, found in kinds.items()},
        "real_time_factor": busy_s / audio_s,
        "final_p50_ms": float(np.percentile(finals_ms, 50)),
        "final_p99_ms": float(np.percentile(finals_ms, 99)),
    }


def measure(options: argparse.Namespace) -> Result:
    """Everything there is to recognise."""
    cases = clinic_cases(np.random.default_rng(options.seed))
    if SPEECH.is_dir():
        cases += digit_cases()
    else:
        console(options).print(f"[dim]no recorded speech at {SPEECH}: espeak-ng's voices only[/]")
    return recognise(cases)


def show(result: Result, out: Console) -> None:
    """The table."""
    table = Table("spoken over the telephone", "understood word for word")
    for name, share in result["understood"].items():
        table.add_row(name, f"{100 * share:.0f} %")
    out.print(table)
    out.print(
        f"real-time factor {result['real_time_factor']:.3f}; final after the end of speech: "
        f"p50 {result['final_p50_ms']:.2f} ms, p99 {result['final_p99_ms']:.1f} ms"
    )


def headlines(result: Result) -> dict[str, str]:
    """The figures to take along."""
    return {
        f"telephone speech understood word for word, {kind}": f"{100 * result['understood'][kind]:.0f} % of {number}"
        for kind, number in result["sentences"].items()
    }


if __name__ == "__main__":
    given = options_of(__doc__, seed=2, plots=False).parse_args()
    tell(measure(given), given, show)
