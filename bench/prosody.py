"""Fits the built-in judge of melody and rhythm to recordings, and says how well it judges voices it has not heard.

    python -m bench.prosody [--seed 1] [--json] [--write]

Every pause inside a recorded turn is an example of "goes on", every end one of "finished" (bench/recordings.py), each
over several telephone lines. Figures are cross-validated: no speaker is in both parts. ``--write`` fits to all of them
and puts the stumps into workers/capture/prosody/melody.json.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from rich.console import Console

from bench.recordings import SPEECH, Turn, recordings, turns
from bench.reporting import Result, console, options_of, tell
from ringline.workers.capture.judge import MEMORY_SAMPLES
from ringline.workers.capture.prosody.features import features, names
from ringline.workers.capture.prosody.melody import Stumps

MELODY = Path(__file__).parent.parent / "workers" / "capture" / "prosody" / "melody.json"
FOLDS = 8
LINES = 3
"""Each recording is fitted to over so many lines: levels, noises."""
ROUNDS = 300
RATE = 0.05
"""Of what a stump would like to add; 300 rounds are past the knee in cross-validation, and flat from there on."""
SHARE_OF_ROWS, SHARE_OF_FEATURES = 0.5, 0.2
"""Seen by each stump, chosen at random: what a few recordings have in common then weighs less."""
LEAST_WEIGHT = 20.0
"""Rows on either side of a threshold."""
BINS = 32
SHORT_PAUSE_MS = 250.0
SHORT_PAUSE_WEIGHT = 0.3
"""Shorter pauses are over before any endpoint: what they sound like matters less."""

Values = np.ndarray[tuple[int], np.dtype[np.float64]]
Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]


class Examples(msgspec.Struct, frozen=True, eq=False):
    """Silences, one per row."""

    features: Matrix
    finished: Values
    """1 for the end of a turn, 0 for a pause."""
    pause_ms: Values
    speaker: tuple[str, ...]
    silence: tuple[tuple[str, int], ...]
    """(file, number of the silence in it)"""


def examples(heard: Sequence[Turn]) -> Examples:
    """The features of every pause and of every certain end."""
    rows, finished, pauses, speakers, silences = [], [], [], [], []
    for turn in heard:
        for number, silence in enumerate(turn.silences):
            last = math.isinf(silence.pause_ms)
            values = features(turn.audio[max(0, silence.end_sample - MEMORY_SAMPLES) : silence.end_sample])
            if values is None or (last and not turn.recording.ends):
                continue
            rows.append(values)
            finished.append(float(last))
            pauses.append(silence.pause_ms)
            speakers.append(turn.recording.speaker)
            silences.append((turn.recording.file, number))
    return Examples(np.array(rows), np.array(finished), np.array(pauses), tuple(speakers), tuple(silences))


def fit(given: Examples, chosen: np.ndarray[tuple[int], np.dtype[np.bool_]], seed: int) -> Stumps:
    """Gradient boosting of stumps on the chosen rows."""
    values, finished = given.features[chosen], given.finished[chosen]
    weight = weights(finished, given.pause_ms[chosen])
    rng = np.random.default_rng(seed)
    edges = np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1], axis=0)
    binned = np.stack([np.searchsorted(edge, column) for edge, column in zip(edges.T, values.T, strict=True)], axis=1)
    num_rows, num_features = values.shape
    stumps = []
    odds, bias = np.zeros(num_rows), 0.0
    for _ in range(ROUNDS):
        rows = rng.choice(num_rows, int(num_rows * SHARE_OF_ROWS), replace=False)
        columns = rng.choice(num_features, int(num_features * SHARE_OF_FEATURES), replace=False)
        expected = 1.0 / (1.0 + np.exp(-odds[rows]))
        slope, bend = weight[rows] * (finished[rows] - expected), weight[rows] * expected * (1.0 - expected)
        cells = (binned[np.ix_(rows, columns)] + BINS * np.arange(len(columns))).ravel()

        def below(of: Values, cells: Any = cells, width: int = len(columns)) -> Matrix:
            """[columns, thresholds]: sums over the rows at or below each threshold."""
            sums = np.bincount(cells, np.repeat(of, width), BINS * width).reshape(width, BINS)
            return np.cumsum(sums, axis=1)[:, :-1]

        slope_below, bend_below, weight_below = below(slope), below(bend), below(weight[rows])
        slope_above, bend_above = slope.sum() - slope_below, bend.sum() - bend_below
        gain = slope_below**2 / (bend_below + 1.0) + slope_above**2 / (bend_above + 1.0)
        gain[(weight_below < LEAST_WEIGHT) | (weight[rows].sum() - weight_below < LEAST_WEIGHT)] = -np.inf
        column, edge = np.unravel_index(int(gain.argmax()), gain.shape)
        low = RATE * slope_below[column, edge] / (bend_below[column, edge] + 1.0)
        high = RATE * slope_above[column, edge] / (bend_above[column, edge] + 1.0)
        feature = int(columns[column])
        bias += low
        odds += np.where(binned[:, feature] > edge, high, low)
        stumps.append((feature, float(f"{edges[edge, feature]:.5g}"), float(f"{high - low:.4g}")))
    features, thresholds, steps = zip(*stumps, strict=True)
    return Stumps(names(), features, thresholds, steps, float(f"{bias:.5g}"))


def weights(finished: Values, pause_ms: Values) -> Values:
    """Of each row in a fit: ends and pauses weigh the same in all."""
    weight = np.where((finished == 0) & (pause_ms < SHORT_PAUSE_MS), SHORT_PAUSE_WEIGHT, 1.0)
    for kind in (0.0, 1.0):
        weight[finished == kind] *= len(weight) / 2 / weight[finished == kind].sum()
    return weight


def folds(speakers: Sequence[str], seed: int, count: int = FOLDS) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """A part of 0 to ``count - 1`` for every row; a speaker's rows are all in the same."""
    known = sorted(set(speakers))
    order = np.random.default_rng(seed).permutation(len(known))
    part = {speaker: int(order[index]) % count for index, speaker in enumerate(known)}
    return np.array([part[speaker] for speaker in speakers])


def held_out(given: Examples, others: Sequence[Examples], seed: int) -> Values:
    """Log odds of every row of ``given`` by stumps fitted to other speakers, over all lines."""
    pooled = pool([given, *others])
    parts = folds(given.speaker, seed)
    of_speaker = dict(zip(given.speaker, parts.tolist(), strict=True))
    pooled_parts = np.array([of_speaker.get(speaker, -1) for speaker in pooled.speaker])
    odds = np.zeros(len(parts))
    for part in range(FOLDS):
        stumps = fit(pooled, pooled_parts != part, seed)
        for row in np.flatnonzero(parts == part):
            odds[row] = stumps.log_odds(given.features[row])
    return odds


def pool(sets: Sequence[Examples]) -> Examples:
    """All rows of several sets."""
    return Examples(
        np.concatenate([one.features for one in sets]),
        np.concatenate([one.finished for one in sets]),
        np.concatenate([one.pause_ms for one in sets]),
        tuple(speaker for one in sets for speaker in one.speaker),
        tuple(silence for one in sets for silence in one.silence),
    )


def area_under_curve(odds: Values, finished: Values) -> float:
    """How often an end gets higher odds than a pause."""
    ends, pauses = odds[finished == 1], odds[finished == 0]
    return float((ends[:, None] > pauses[None, :]).mean() + 0.5 * (ends[:, None] == pauses[None, :]).mean())


def lines(seed: int, count: int = LINES) -> list[list[Turn]]:
    """All recordings, each over several lines."""
    chosen = recordings()
    return [list(turns(chosen, seed + line)) for line in range(count)]


def _lines_of(stumps: Stumps) -> list[str]:
    return [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in msgspec.to_builtins(stumps).items()]


def _milliseconds(judge: Callable[[np.ndarray[tuple[int], np.dtype[np.int16]]], object], heard: list[Turn]) -> float:
    chosen = [turn.audio[: turn.silences[-1].end_sample][-MEMORY_SAMPLES:] for turn in heard[:60]]
    began_s = time.process_time()
    for audio in chosen:
        judge(audio)
    return (time.process_time() - began_s) * 1e3 / len(chosen)


def measure(arguments: argparse.Namespace) -> Result:
    """Cross-validated figures; with ``--write``, the stumps, too."""
    if not SPEECH.is_dir():
        raise SystemExit(f"there is no recorded speech at {SPEECH} (RINGLINE_SPEECH)")
    heard = lines(arguments.seed)
    sets = [examples(one) for one in heard]
    given = sets[0]
    odds = held_out(given, sets[1:], arguments.seed)
    long = (given.finished == 1) | (given.pause_ms >= 300.0)
    known = {file for (file, _), finished in zip(given.silence, given.finished, strict=True) if finished}
    with_end = np.array([file in known for file, _ in given.silence])
    result = {
        "ends": int(given.finished.sum()),
        "pauses": int((given.finished == 0).sum()),
        "speakers": len(set(given.speaker)),
        "area_under_curve": area_under_curve(odds, given.finished),
        "area_under_curve_long_pauses": area_under_curve(odds[long], given.finished[long]),
        "area_under_curve_same_recordings": area_under_curve(odds[long & with_end], given.finished[long & with_end]),
        "ms_per_judgement": _milliseconds(features, heard[0]),
    }
    if arguments.write:
        pooled = pool(sets)
        stumps = fit(pooled, np.ones(len(pooled.finished), np.bool_), arguments.seed)
        MELODY.write_text("{\n" + ",\n".join(_lines_of(stumps)) + "\n}\n")
        console(arguments).print(f"{MELODY}: {MELODY.stat().st_size} bytes")
    return result


def show(result: Result, out: Console) -> None:
    """In a sentence."""
    out.print(
        f"{result['ends']} ends, {result['pauses']} pauses, {result['speakers']} speakers; area under the curve "
        f"{result['area_under_curve']:.3f}, with pauses from 300 ms on {result['area_under_curve_long_pauses']:.3f}, "
        f"of recordings with a known end {result['area_under_curve_same_recordings']:.3f}; "
        f"{result['ms_per_judgement']:.1f} ms per judgement"
    )


if __name__ == "__main__":
    parser = options_of(__doc__, plots=False)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    tell(measure(given), given, show)
