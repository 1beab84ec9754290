"""What a recogniser's punctuation says about whether the caller has finished.

    RINGLINE_REAL_MODELS=DIR python -m bench.punctuation [--seed 1] [--json]

The recorded turns of bench/recordings.py, on the telephone, as Ringline's VAD hears them. At every silence Whisper base
(``DIR/whisper-base``) gets the turn so far, as it does in a call, and the last marks of what it writes are counted: at
pauses, behind which the caller goes on, and at ends. Pauses at which the words so far could be all there is
(bench/sentences.py) are counted apart: no text can tell those from an end. The logarithm of how much oftener an ending
stands at an end is what it is worth to the endpoint rule (engine/conversation/endpointing.py). One-word answers
(recorded digits) have no pauses; how they end stands beside.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from collections import Counter
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.recordings import SPEECH, Recording, Turn, recordings, turns
from bench.reporting import Result, options_of, tell
from bench.sentences import could_end
from ringline.engine.config import WhisperStt
from ringline.ipc.messages import Transcribe
from ringline.workers.stt.whisper.backend import WhisperBackend

PREROLL_SAMPLES = 4_800
LINES = 3
"""Each turn is heard over so many lines, with another level and another noise."""
ANSWERS = 300
PLACES = ("pause", "pause where it could end", "end", "end of a one-word answer")
ENDINGS = {
    "full stop": (".", "?", "!"),
    "comma": (",", ";", ":"),
    "ellipsis": ("...", "\u2026"),
    "dash": ("-", "\u2013", "\u2014"),
}


def ending(text: str) -> str:
    """What kind of mark a text ends in."""
    if not text:
        return "nothing heard"
    longest_first = sorted(ENDINGS, key=lambda name: -len(ENDINGS[name][0]))
    return next((name for name in longest_first if text.endswith(ENDINGS[name])), "none")


def hear(backend: WhisperBackend, turn: Turn) -> list[str]:
    """What it writes at each silence, with as much of the turn as there is when the VAD reports it."""
    texts = []
    for silence in turn.silences:
        stream = backend.open(Transcribe(1, 0, 1, 0, language="en"), time.monotonic_ns())
        assert stream is not None
        stream.feed(turn.audio[max(0, turn.start_sample - PREROLL_SAMPLES) : silence.reported_sample].astype(np.int16))
        stream.finalise()
        while stream.final is None:
            time.sleep(0.002)
            backend.step([stream], time.monotonic_ns())
        texts.append(stream.final)
        stream.close()
    return texts


def answers() -> list[Recording]:
    """Recorded digits, evenly out of all speakers."""
    rows = (SPEECH / "digits_8k" / "text.tsv").read_text(encoding="utf-8").splitlines()[1:]
    chosen = rows[:: max(1, len(rows) // ANSWERS)]
    return [
        Recording(f"digits_8k/{file}", f"digits {speaker}", text.strip(), True)
        for file, speaker, text in (row.split("\t") for row in chosen)
    ]


def measure(options: argparse.Namespace) -> Result:
    """Endings at pauses and at ends."""
    folder = Path(os.environ.get("RINGLINE_REAL_MODELS", "")) / "whisper-base"
    if not SPEECH.is_dir() or not folder.is_dir():
        raise SystemExit(f"needs recorded speech at {SPEECH} (RINGLINE_SPEECH) and {folder} (RINGLINE_REAL_MODELS)")
    backend = WhisperBackend(WhisperStt(model=str(folder), compute_type="int8", partial_ms=0))
    backend.warm_up()
    counts = {place: Counter[str]() for place in PLACES}
    for seed in range(options.seed, options.seed + LINES):
        for turn in turns([one for one in recordings() if one.ends], seed):
            for silence, text, may_end in zip(turn.silences, hear(backend, turn), could_end(turn), strict=True):
                place = "end" if math.isinf(silence.pause_ms) else "pause where it could end" if may_end else "pause"
                counts[place][ending(text)] += 1
    for turn in turns(answers(), options.seed):
        counts[PLACES[-1]][ending(hear(backend, turn)[-1])] += 1
    backend.close()
    return {"counts": {place: dict(found) for place, found in counts.items()}}


def weight(result: Result, name: str) -> float:
    """log(share among ends / share among all pauses), half a silence added to each."""
    counts = result["counts"]
    pauses = Counter(counts["pause"]) + Counter(counts["pause where it could end"])
    ends = Counter(counts["end"])
    return math.log((ends[name] + 0.5) / (ends.total() + 1)) - math.log((pauses[name] + 0.5) / (pauses.total() + 1))


def show(result: Result, console: Console) -> None:
    """The table."""
    counts = result["counts"]
    table = Table("text ends in", *counts, "log odds")
    for name in (*ENDINGS, "none", "nothing heard"):
        shares = [f"{found.get(name, 0)} ({found.get(name, 0) / sum(found.values()):.1%})" for found in counts.values()]
        table.add_row(name, *shares, f"{weight(result, name):+.2f}")
    console.print(table)


if __name__ == "__main__":
    parsed = options_of(__doc__, plots=False).parse_args()
    tell(measure(parsed), parsed, show)
