"""Fits Ringline's head on Smart Turn's encoder to recordings, and says how well it judges voices it has not heard.

    python -m bench.smart_turn [--smart-turn PATH] [--seed 1] [--json] [--write]

The file is that of an installed pipecat-ai (``pip install --no-deps pipecat-ai``) or PATH. The examples are those of
bench/prosody.py. The network hears what a judge does in a call: the turn up to its last audible sample, and as much
silence as there is when the VAD reports it; but that silence is the line's own noise from before the recording, so that
nothing tells where a recording ends. It is fitted to each example twice, once with `LATER` more silence: where
among the encoder's last steps the speech stops should not matter. Figures are cross-validated: no speaker is in both
parts. ``--write`` fits to all of them and puts the head into workers/capture/prosody/smart_turn.json.

What was tried without gain: an earlier layer instead of the last (all three together gain), longer stretches of it,
examples over further lines, radial kernels in place of a linear head; a second look 80 ms later; the length of the turn
so far, the number, length and rate of the pauses in it and in what this speaker said before; line noise or other speech
in front of a turn, or 4 s of it instead of 8. 100 to 200 ms of silence help.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from rich.console import Console

from bench.prosody import FOLDS, Examples, Values, area_under_curve, examples, folds, held_out, lines, pool, weights
from bench.recordings import SPEECH, Turn
from bench.reporting import Result, console, options_of, tell
from ringline.workers.base import CannotStart
from ringline.workers.capture.judge import MEMORY_SAMPLES, SILENCE_SAMPLES
from ringline.workers.capture.prosody.smart_turn import INSTALLED, Head, SmartTurn, find

HEAD = Path(__file__).parent.parent / "workers" / "capture" / "prosody" / "smart_turn.json"
SETTLED = 400
"""Samples until the line's noise is through the resampler."""
LATER = 1_280
"""Samples, 80 ms."""
RIDGE = 1_200.0
"""On 1152 standardised features; 800 and 2400 judge alike."""
MELODY = 0.5
"""Weight of the melody's log odds beside the encoder's; 0.3 and 0.7 judge alike."""
NO_HEAD = Head("", (), 0.0, 0.0, (1.0, 0.0, 0.0))

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]


class Heard(msgspec.Struct, frozen=True, eq=False):
    """What the network made of each example."""

    output: Values
    encoder: Matrix
    ms_per_judgement: float


def hear(path: str, turns: Sequence[Turn], given: Examples, later: int = 0) -> Heard:
    """Every example through the network, with so many samples of silence more; a minute. Raises CannotStart."""
    model = SmartTurn(path, NO_HEAD)
    by_file = {turn.recording.file: turn for turn in turns}
    outputs, encoders = [], []
    began_s = time.process_time()
    for file, number in given.silence:
        turn = by_file[file]
        silence = turn.silences[number]
        speech = turn.audio[max(0, silence.end_sample - MEMORY_SAMPLES) : silence.end_sample]
        known = min(SILENCE_SAMPLES, silence.reported_sample - silence.end_sample)
        heard = model.hear(speech, turn.audio[SETTLED : SETTLED + known + later])
        if heard.encoder is None:
            raise CannotStart(f"{path}: its encoder is not where Ringline looks for it")
        outputs.append(heard.output)
        encoders.append(heard.encoder)
    spent_ms = (time.process_time() - began_s) * 1e3
    return Heard(np.array(outputs), np.array(encoders), spent_ms / len(outputs))


def logistic(values: Matrix, given: Examples, chosen: Any, ridge: float) -> tuple[Values, float]:
    """(weights, bias) of a logistic regression on the chosen rows; ends and pauses have equal weight in all."""
    rows, finished = values[chosen], given.finished[chosen]
    middle, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-3
    rows = np.c_[(rows - middle) / spread, np.ones(len(rows))]
    weight = weights(finished, given.pause_ms[chosen])
    penalty = np.diag([ridge] * (rows.shape[1] - 1) + [1e-3])
    found = np.zeros(rows.shape[1])
    for _ in range(6):  # Newton's method
        expected = 1.0 / (1.0 + np.exp(-rows @ found))
        bend = (rows.T * (weight * expected * (1.0 - expected))) @ rows + penalty
        found -= np.linalg.solve(bend, rows.T @ (weight * (expected - finished)) + penalty @ found)
    by_feature = found[:-1] / spread
    return by_feature, float(found[-1] - by_feature @ middle)


def judged(heard: Sequence[Heard], melody: Values, given: Examples, seed: int) -> dict[str, Values]:
    """Log odds of every example, fitted to other speakers, by what the judge may use. ``heard``: as in a call, and
    later; ``melody``: held-out log odds."""
    output = heard[0].output
    encoder = _held_out([one.encoder for one in heard], given, RIDGE, seed)
    return {
        "smart-turn-output": _held_out([output[:, None]], given, 1.0, seed),
        "smart-turn-output+melody": _held_out([np.c_[output, melody]], given, 1.0, seed),
        "smart-turn-encoder": encoder,
        "smart-turn": encoder + MELODY * melody,
    }


def _held_out(values: Sequence[Matrix], given: Examples, ridge: float, seed: int) -> Values:
    """Of the first matrix, by what is fitted to all of them; each has a row per example."""
    parts = folds(given.speaker, seed)
    odds = np.zeros(len(parts))
    for part in range(FOLDS):
        by_feature, bias = _fitted(values, given, parts != part, ridge)
        odds[parts == part] = values[0][parts == part] @ by_feature + bias
    return odds


def _fitted(values: Sequence[Matrix], given: Examples, chosen: Any, ridge: float) -> tuple[Values, float]:
    count = len(values)
    return logistic(np.concatenate(values), pool([given] * count), np.tile(chosen, count), ridge)


def fit(path: str, heard: Sequence[Heard], melody: Values, given: Examples) -> Head:
    """The head, fitted to all examples."""
    everything = np.ones(len(given.finished), np.bool_)
    by_feature, bias = _fitted([one.encoder for one in heard], given, everything, RIDGE)
    (of_output, of_melody), other_bias = logistic(np.c_[heard[0].output, melody], given, everything, 1.0)
    return Head(
        hashlib.sha256(find(path).read_bytes()).hexdigest(),
        tuple(float(f"{one:.4g}") for one in by_feature),
        float(f"{bias:.5g}"),
        MELODY,
        (float(f"{of_output:.3g}"), float(f"{of_melody:.3g}"), float(f"{other_bias:.3g}")),
    )


def measure(arguments: argparse.Namespace) -> Result:
    """Cross-validated figures; with ``--write``, the head, too."""
    if not SPEECH.is_dir():
        raise SystemExit(f"there is no recorded speech at {SPEECH} (RINGLINE_SPEECH)")
    turns = lines(arguments.seed)
    sets = [examples(one) for one in turns]
    given = sets[0]
    melody = held_out(given, sets[1:], arguments.seed)
    try:
        heard = [hear(arguments.smart_turn, turns[0], given, later) for later in (0, LATER)]
    except CannotStart as error:
        raise SystemExit(str(error)) from None
    odds = {"melody": melody} | judged(heard, melody, given, arguments.seed)
    result: Result = {
        "area_under_curve": {name: area_under_curve(one, given.finished) for name, one in odds.items()},
        "other_corpora": {corpus: _unseen(corpus, heard, given) for corpus in _corpora(given)},
        "ms_per_judgement": heard[0].ms_per_judgement,
    }
    if arguments.write:
        HEAD.write_bytes(msgspec.json.encode(fit(arguments.smart_turn, heard, melody, given)) + b"\n")
        console(arguments).print(f"{HEAD}: {HEAD.stat().st_size} bytes")
    return result


def show(result: Result, console: Console) -> None:
    """In sentences."""
    for name, area in result["area_under_curve"].items():
        console.print(f"{name}: area under the curve {area:.3f}")
    for corpus, area in result["other_corpora"].items():
        console.print(f"encoder, on {corpus}, fitted to all other corpora: {area:.3f}")
    console.print(f"{result['ms_per_judgement']:.0f} ms per judgement")


def _corpora(given: Examples) -> list[str]:
    """Those with enough ends and pauses for a figure."""
    corpus = np.array([file.split("/")[0] for file, _ in given.silence])
    return [
        str(one)
        for one in np.unique(corpus)
        if min(given.finished[corpus == one].sum(), (1 - given.finished[corpus == one]).sum()) >= 10
    ]


def _unseen(corpus: str, heard: Sequence[Heard], given: Examples) -> float:
    chosen = np.array([file.split("/")[0] == corpus for file, _ in given.silence])
    by_feature, bias = _fitted([one.encoder for one in heard], given, ~chosen, RIDGE)
    return area_under_curve(heard[0].encoder[chosen] @ by_feature + bias, given.finished[chosen])


if __name__ == "__main__":
    parser = options_of(__doc__, plots=False)
    parser.add_argument("--smart-turn", default=INSTALLED)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    tell(measure(given), given, show)
