"""What each stage of a reply costs, backend by backend: recognition, language model, voice.

    python -m bench.stages [--stage stt] [--rounds 10] [--json] [--plot out/stages.png]

A stage is a module beside this one, ``stages_stt`` and the like, with ``rows(rounds) -> list[Row]`` and
``table(rows)``. All that is installed is measured; each backend runs in a process of its own, with as many calls at
once as the row says.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from bench.processes import machine

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
    more: dict[str, float | str] = {}
    """What the stage's own table shows besides."""


def in_a_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call it where nothing was loaded before, and nothing stays behind."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def percentile(values: Sequence[float], percent: float) -> float:
    """Of a few values: the one at that rank."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, round(percent / 100 * (len(ranked) - 1)))]


def plot(rows: Sequence[Row], path: Path) -> None:
    """A waterfall: for each backend, one bar of the parts of its median, one behind the other."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(10, 0.5 + 0.35 * len(rows)), layout="constrained")
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
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stage", choices=STAGES)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    rows: list[Row] = []
    for stage in STAGES:
        name = f"bench.stages_{stage}"
        if options.stage in (None, stage) and importlib.util.find_spec(name):
            module = importlib.import_module(name)
            found = module.rows(options.rounds)
            rows += found
            if not options.json:
                Console().print(module.table(found))
    if options.plot:
        plot([row for row in rows if row.parts_ms], options.plot)
    if options.json:
        print(json.dumps({"machine": machine(), "rows": [msgspec.to_builtins(row) for row in rows]}, indent=1))


if __name__ == "__main__":
    main()
