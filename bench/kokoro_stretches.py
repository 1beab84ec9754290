"""Kokoro in stretches: what is heard where they join, how soon its first is there, what they cost.

    RINGLINE_REAL_MODELS=... python -m bench.kokoro_stretches

One thread, three voices. *joint*: how much more the level steps where two stretches meet than it does there in the same
sentence made in one go by the same statistics, in 80 ms on either side. *against the whole*: the level of each 100 ms,
against the network's own sentence, made in one go by its own statistics. *lost*: the loudest 10 ms that are not made,
before and behind the sentence, against its level.
Times are of the thread's CPU, so that others on the machine hardly disturb them.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ringline.engine.config import KokoroTts
from ringline.workers.tts.backend import Order
from ringline.workers.tts.kokoro import stretches
from ringline.workers.tts.kokoro.model import PAD, KokoroModel, _style
from ringline.workers.tts.kokoro.runtimes import OnnxRuntime
from ringline.workers.tts.kokoro.voices import espeak_voice
from ringline.workers.tts.pieces import Piece, pieces

RATE_HZ = 24_000
VOICES = ("af_heart", "am_michael", "bf_emma")
SENTENCES = (
    "Certainly, I can do that for you.",
    "Your appointment is on Monday at half past ten in the morning.",
    "She said the first five houses have fresh fish for sale.",
    "Thank you for calling the clinic, how can I help you today?",
    "Half of his staff left the office before the storm.",
    "Sorry, I did not catch that; could you say it again, please?",
    "We have two slots left this week, Thursday at nine and Friday at a quarter to four.",
    "Yes.",
    "Please hold on for a moment.",
    "The doctor will see you shortly, so please have a seat in the waiting room on the second floor.",
    "Who should I say is calling?",
    "Her husband has asked us to call him back after six.",
)
AUDIBLE_DBFS = -35.0


def level(samples: Any) -> float:
    """In dBFS."""
    return float(10 * np.log10(np.mean(np.square(samples.astype(np.float64))) + 1e-9))


def blocks(samples: Any, seconds: float) -> Iterator[Any]:
    """Parts of that length, without what is left over."""
    size = round(seconds * RATE_HZ)
    for begin in range(0, samples.shape[0] - size + 1, size):
        yield samples[begin : begin + size]


class Joints:
    """Of one voice."""

    def __init__(self) -> None:
        self.steps_db: list[float] = []
        self.levels_db: list[float] = []
        self.lost_db: list[float] = []

    def figures(self) -> dict[str, float]:
        """Percentiles of all."""
        return {
            "joints": len(self.steps_db),
            "joint p50 dB": round(float(np.percentile(self.steps_db, 50)), 2),
            "joint p90 dB": round(float(np.percentile(self.steps_db, 90)), 2),
            "against the whole p50 dB": round(float(np.percentile(self.levels_db, 50)), 2),
            "against the whole p90 dB": round(float(np.percentile(self.levels_db, 90)), 2),
            "lost, loudest dB": round(max(self.lost_db), 1),
        }


def joints(model: KokoroModel, voice: str, sentences: Sequence[str] = SENTENCES, save: Path | None = None) -> Joints:
    """What is heard where stretches meet."""
    runtime = model._runtime
    assert isinstance(runtime, OnnxRuntime)
    halves = runtime._halves
    assert halves is not None
    found, frame = Joints(), halves.frame
    for number, text in enumerate(sentences):
        tokens = [token for _, own in model._words(text, espeak_voice(voice), {}) for token in own]
        inputs = runtime._inputs([PAD, *tokens, PAD], _style(model._voices.styles(voice), len(tokens)), 1.0)
        said, style = halves.utterance(inputs), inputs["style"]
        begin, end = stretches.audible(said.loudness)
        parts = stretches.cuts(said.loudness, begin, end)
        by = model._studied(voice, len(tokens)) if len(parts) > 1 else None

        def make(first: int, last: int, said: Any = said, style: Any = style, by: Any = by) -> Any:
            return halves.sound(said, style, first, last, by)

        made = np.concatenate(list(stretches.joined(make, parts, frame)))
        seamless = make(begin, end)
        whole = halves.sound(said, style, 0, said.num_frames, None)
        own = whole[begin * frame : end * frame]
        width = round(0.08 * RATE_HZ)
        for _, last in parts[:-1]:
            at = (last - begin) * frame
            sides = [level(part[a:b]) for part in (made, seamless) for a, b in ((at - width, at), (at, at + width))]
            if max(sides) > AUDIBLE_DBFS:
                found.steps_db.append(abs((sides[1] - sides[0]) - (sides[3] - sides[2])))
        for one, other in zip(blocks(made, 0.1), blocks(own, 0.1), strict=True):
            if level(other) > AUDIBLE_DBFS:
                found.levels_db.append(abs(level(one) - level(other)))
        silent = (whole[: begin * frame], whole[end * frame :])
        found.lost_db.append(max(level(block) for part in silent for block in blocks(part, 0.01)) - level(own))
        if save:
            np.savez(save / f"{voice}-{number}.npz", made=made, whole=own)
    return found


def first_sounds(model: KokoroModel, voice: str) -> tuple[list[float], list[float], float]:
    """CPU seconds until each sentence's first sound; of each sound, what it took; the same for a second of speech."""
    first, later, made_s = [], [], 0.0
    for text in SENTENCES:
        piece = pieces(text, is_streamed=True)[0]
        sounds = model.speak(Piece(piece.text, 0, 0), Order(piece.text, voice=voice))
        costs = []
        while True:
            began_s = time.thread_time()
            sound = next(sounds, None)
            if sound is None:
                break
            costs.append(time.thread_time() - began_s)
            made_s += sound.samples.shape[0] / RATE_HZ
        first.append(costs[0])
        later += costs[1:]
    return first, later, (sum(first) + sum(later)) / made_s


def main() -> None:
    """Print the figures, or write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--save", type=Path, metavar="FOLDER", help="keep both sounds of each sentence there")
    given = parser.parse_args()
    folder = os.environ.get("RINGLINE_REAL_MODELS")
    if not folder:
        parser.error("set RINGLINE_REAL_MODELS to a folder with kokoro/")
    model = KokoroModel(KokoroTts(model=str(Path(folder) / "kokoro"), voice=VOICES[0], threads=1))
    model.load()
    figures: dict[str, Any] = {}
    for voice in VOICES:
        figures[voice] = joints(model, voice, save=given.save).figures()
        first, later, factor = first_sounds(model, voice)
        figures[voice] |= {
            "first sound p50 ms": round(float(np.percentile(first, 50)) * 1e3),
            "first sound max ms": round(max(first) * 1e3),
            "later sounds max ms": round(max(later) * 1e3),
            "CPU s per s": round(factor, 3),
        }
    print(json.dumps(figures, indent=2))
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
