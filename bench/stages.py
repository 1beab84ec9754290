"""What each stage of a reply costs, backend by backend: recognition, language model, voice.

    python -m bench.stages [--stage stt|llm|tts] [--rounds 10] [--json] [--plot PNG]

All that is installed is measured; each backend runs in a process of its own, with as many calls at once as the row
says. Whisper and the language models have their true size, but random weights: they cost what the real ones cost, and
mean nothing.

A stage is a module beside this one, ``stages_stt`` and the like, with ``rows(rounds) -> list[Row]`` and
``table(rows)``.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from bench.reporting import Result, console, options_of, tell

STAGES = ("stt", "llm", "tts")


class Row(msgspec.Struct, frozen=True):
    """One backend under one load."""

    stage: str
    backend: str
    calls: int
    """At the same time."""
    p50_ms: float
    """What the caller waits for: of STT the final after the last word, of the LLM the first phrase, of TTS the first
    sample."""
    p95_ms: float
    parts_ms: dict[str, float] = {}
    """What of the median was spent on what, in order."""
    more: dict[str, int | float | str] = {}
    """What the stage's own table shows besides."""


def in_a_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call it where nothing was loaded before, and nothing stays behind."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def percentile(values: Sequence[float], percent: float) -> float:
    """Of a few values: the one at that rank."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, round(percent / 100 * (len(ranked) - 1)))]


def measure(options: argparse.Namespace) -> Result:
    """All stages, or the one."""
    out = console(options)
    rows: list[Row] = []
    for stage in STAGES:
        if options.stage in (None, stage):
            out.print(f"[dim]{stage} ...[/]")
            rows += _module(stage).rows(options.rounds)
    return {"rows": msgspec.to_builtins(rows)}


def _module(stage: str) -> Any:
    """Imported when it is needed: it imports this one."""
    return importlib.import_module(f"bench.stages_{stage}")


def show(result: Result, out: Console) -> None:
    """A table for each stage."""
    rows = msgspec.convert(result["rows"], list[Row])
    for stage in STAGES:
        if of_stage := [row for row in rows if row.stage == stage]:
            out.print(_module(stage).table(of_stage))


def headlines(result: Result) -> dict[str, str]:
    """The figures to take along: what one call waits for."""
    rows = msgspec.convert(result["rows"], list[Row])
    return {
        f"{row.stage}, {row.backend}, one call": f"median {row.p50_ms:.0f} ms"
        for row in rows
        if row.calls == 1 and row.parts_ms
    }


def plot(result: Result, path: Path) -> None:
    """A waterfall: for each backend, one bar of the parts of its median, one behind the other."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    rows = [row for row in msgspec.convert(result["rows"], list[Row]) if row.parts_ms]
    figure, axes = pyplot.subplots(figsize=(10, 0.5 + 0.35 * len(rows)), dpi=110, layout="constrained")
    names = list(dict.fromkeys(name for row in rows for name in row.parts_ms))
    colours = dict(zip(names, pyplot.colormaps["tab10"].colors, strict=False))
    for y, row in enumerate(rows):
        left = 0.0
        for name, width in row.parts_ms.items():
            axes.barh(y, width, left=left, color=colours.get(name, "grey"))
            left += width
        axes.text(left, y, f" {row.p50_ms:.0f} ms", va="center", fontsize=8)
    axes.set_yticks(range(len(rows)), [f"{row.stage} {row.backend}, {row.calls} calls" for row in rows], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("ms")
    axes.set_xlim(right=1.15 * max((row.p50_ms for row in rows), default=1.0))
    patches = [pyplot.Rectangle((0, 0), 1, 1, color=colours.get(name, "grey")) for name in names]
    figure.legend(patches, names, loc="outside upper right", ncols=len(names), fontsize=8)
    figure.savefig(path)


if __name__ == "__main__":
    parser = options_of(__doc__, seed=None)
    parser.add_argument("--stage", choices=STAGES)
    parser.add_argument("--rounds", type=int, default=10)
    given = parser.parse_args()
    tell(measure(given), given, show, plot)
