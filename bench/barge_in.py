"""Barge-in: how fast the bot falls silent for a caller, and what it takes for one.

    python -m bench.barge_in [--seed 2] [--quick] [--only wire|table] [--part tune|test] [--json]
                             [--recogniser pocketsphinx|whisper] [--processes 2]

wire    An engine speaks (espeak-ng), callers interrupt it at random moments with recorded speech (RINGLINE_SPEECH; else
        espeak-ng's voices) over AudioSocket and Twilio: from their first audible sample on the wire to the last audible
        sample of the bot before it falls silent. The caller is a process of its own on the same cores.
table   Thousands of overlaps in virtual time (`overlap_call.py`): what becomes of the bot when somebody interrupts it,
        listens, coughs, knocks, when there is noise, or its own echo. An interruption is detected when the bot's turn
        is cut; anything else that cuts it is a false cut. A pause after which the bot went on is neither, and listed
        with its length. Shares come with Wilson's 95 % interval.

The table's figures hold for one recogniser: the embedded default, or Whisper base (int8), whose weights are taken from
RINGLINE_REAL_MODELS. With Whisper, all of it takes 20 minutes of one core. Kokoro's backchannels, if its weights are
there, too, are in neither total.

Constants may be tuned on ``--part tune``; what is reported is ``test``, the default: other speakers, recorded and
synthetic (`overlap_sounds.py`).
"""

from __future__ import annotations

import argparse
import asyncio
import math
import multiprocessing
import os
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from bench import barge_in_wire
from bench.echo import BOT_TEXTS
from bench.overlap_call import Outcome, OverlapCalls
from bench.overlap_sounds import PARTS, TEST, Sounds
from bench.recognition import clinic_grammars
from bench.reporting import Result, options_of, tell
from ringline.engine.config import PocketsphinxStt, SttConfig, WhisperStt

QUICK_SCALE, QUICK_INTERRUPTIONS = 0.3, 12
INTERRUPTIONS = 60
POCKETSPHINX, WHISPER = RECOGNISERS = "pocketsphinx", "whisper"
NAMES = {POCKETSPHINX: "pocketsphinx, the embedded default", WHISPER: "Whisper base, int8"}

Sample = tuple[int, float, str]
"""(seed, scale, part)"""


def wilson(successes: int, number: int) -> tuple[float, float]:
    """95 % interval of a share."""
    if not number:
        return 0.0, 1.0
    z = 1.96
    share = successes / number
    centre = (share + z * z / (2 * number)) / (1 + z * z / number)
    half = z * math.sqrt(share * (1 - share) / number + z * z / (4 * number * number)) / (1 + z * z / number)
    return max(0.0, centre - half), min(1.0, centre + half)


def measure(options: argparse.Namespace) -> Result:
    """On the wire and in virtual time, or only one of them."""
    result: Result = {}
    if options.only != "table":
        interruptions = QUICK_INTERRUPTIONS if options.quick else INTERRUPTIONS
        result["wire"] = asyncio.run(barge_in_wire.measure(options.seed, interruptions, options.part))
        result["valid"] = all(row["valid"] for row in result["wire"].values())
    if options.only != "wire":
        scale = QUICK_SCALE if options.quick else 1.0
        found = confusion((options.seed, scale, options.part), options.recogniser, options.processes)
        result["table"] = {"recogniser": options.recogniser, **found}
    return result


def confusion(sample: Sample, recogniser: str, processes: int) -> dict[str, Any]:
    """Outcomes by what should come of a sound, and by group."""
    groups: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        shares = [pool.submit(outcomes, sample, recogniser, share, processes) for share in range(processes)]
    for _, wanted, group, outcome in sorted(found for share in shares for found in share.result()):
        groups[wanted, group].append(outcome)
    rows = {group: {"wanted": wanted, **_row(found)} for (wanted, group), found in groups.items()}
    totals = {
        wanted: _row([outcome for (other, _), found in groups.items() if other == wanted for outcome in found])
        for wanted in dict.fromkeys(wanted for wanted, _ in groups)
    }
    return {"groups": rows, "all": totals}


def outcomes(sample: Sample, recogniser: str, share: int, shares: int) -> list[tuple[int, str, str, Outcome]]:
    """(number, what should come of it, group, outcome) of every ``shares``-th sound, in a process of its own."""
    calls = OverlapCalls(clinic_grammars(), BOT_TEXTS, stt=config_of(recogniser))
    found = []
    for number, (wanted, sound) in enumerate(Sounds(*sample).all()):
        if number % shares == share:
            found.append((number, wanted, sound.group, calls.run(sound)))
    calls.close()
    return found


def config_of(recogniser: str) -> SttConfig:
    """As the table runs it."""
    if recogniser == POCKETSPHINX:
        return PocketsphinxStt()
    folder = Path(os.environ.get("RINGLINE_REAL_MODELS", "")) / "whisper-base"
    return WhisperStt(model=str(folder), device="cpu", compute_type="int8", threads=1)


def _row(outcomes: list[Outcome]) -> dict[str, Any]:
    cuts = [outcome.cut_ms for outcome in outcomes if outcome.cut_ms is not None]
    pauses = [end - start for outcome in outcomes for start, end in outcome.pauses]
    return {
        "number": len(outcomes),
        "cut": len(cuts),
        "interval": wilson(len(cuts), len(outcomes)),
        "cut_p50_ms": _percentile(cuts, 50),
        "cut_p95_ms": _percentile(cuts, 95),
        "paused": sum(outcome.cut_ms is None and bool(outcome.pauses) for outcome in outcomes),
        "pause_p50_ms": _percentile(pauses, 50),
        "pause_p95_ms": _percentile(pauses, 95),
        "paused_ms": sum(pauses) / max(1, len(outcomes)),
    }


def _percentile(values: list[float], percent: float) -> float | None:
    return float(np.percentile(values, percent)) if values else None


def show(result: Result, out: Console) -> None:
    """Tables."""
    if wire := result.get("wire"):
        table = Table("onset to silence on the wire, ms", "p50", "p90", "p95", "p99", "interruptions", "never silent")
        for door, row in wire.items():
            shares = (f"{row[f'p{percent}_ms']:.0f}" for percent in (50, 90, 95, 99))
            table.add_row(door, *shares, str(row["interruptions"]), str(row["never"]))
        out.print(table)
        for door, row in wire.items():
            out.print(f"{door}, slowest: " + ", ".join(f"{name} {ms:.0f}" for ms, name in row["slowest"]))
    if found := result.get("table"):
        table = Table(
            f"while the bot speaks; {NAMES[found['recogniser']]}",
            "number",
            "cut",
            "95 %",
            "to the cut p50, p95",
            "only paused",
            "pauses",
            "paused in all",
        )
        for wanted in found["all"]:
            for group, row in found["groups"].items():
                if row["wanted"] == wanted:
                    table.add_row(group, *_cells(row))
            table.add_row(f"[bold]{wanted}[/]", *_cells(found["all"][wanted]), end_section=True)
        out.print(table)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    low, high = row["interval"]

    def pair(name: str) -> str:
        middle, high = row[f"{name}_p50_ms"], row[f"{name}_p95_ms"]
        return "" if middle is None else f"{middle:.0f}, {high:.0f} ms"

    return (
        str(row["number"]),
        f"{100 * row['cut'] / row['number']:.1f} %",
        f"{100 * low:.1f} to {100 * high:.1f}",
        pair("cut"),
        str(row["paused"]),
        pair("pause"),
        f"{row['paused_ms']:.0f} ms each",
    )


def headlines(result: Result) -> dict[str, str]:
    """The figures to take along."""
    found = {
        f"speech over the bot: first sound to the bot's last, {door}": f"median {row['p50_ms']:.0f} ms, "
        f"p95 {row['p95_ms']:.0f} ms, {row['interruptions']} interruptions"
        for door, row in result.get("wire", {}).items()
    }
    table = result.get("table", {"all": {}})
    for wanted, row in table["all"].items():
        share = f"{100 * row['cut'] / row['number']:.1f} % of {row['number']}"
        found[f"over the bot, cut off by: {wanted} ({NAMES[table['recogniser']]})"] = share
    return found


if __name__ == "__main__":
    parser = options_of(__doc__, seed=2, plots=False)
    parser.add_argument("--quick", action="store_true", help="a few of everything")
    parser.add_argument("--part", choices=PARTS, default=TEST)
    parser.add_argument("--only", choices=("wire", "table"))
    parser.add_argument("--recogniser", choices=RECOGNISERS, default=POCKETSPHINX)
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="for the table")
    given = parser.parse_args()
    tell(measure(given), given, show)
