"""The manners of a bench: the options that all have, and how its result is told.

A bench measures once and has one result, a dict of plain types. It is printed as JSON or shown as tables, and drawn
where it was asked for; either way it says on what machine it was measured, when, and by which command.
"""

from __future__ import annotations

import argparse
import datetime
import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.processes import machine

Result = dict[str, Any]


def options_of(doc: str | None, seed: int | None = 1, plots: bool = True) -> argparse.ArgumentParser:
    """A parser with ``--json``, ``--seed`` (None: nothing is drawn by lot) and ``--plot``."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output, nothing else")
    if seed is not None:
        parser.add_argument("--seed", type=int, default=seed)
    if plots:
        parser.add_argument("--plot", type=Path, metavar="PNG")
    return parser


def console(options: argparse.Namespace) -> Console:
    """Where to say what goes on: standard output belongs to the JSON where that is wanted."""
    return Console(stderr=options.json)


def tell(
    result: Result,
    options: argparse.Namespace,
    show: Callable[[Result, Console], None],
    plot: Callable[[Result, Path], None] | None = None,
) -> None:
    """Print the result, and draw it. Exits with 1 where the load generator was late and nothing can be said."""
    result = {"machine": machine(), "date": datetime.date.today().isoformat(), "command": command()} | result
    if plot is not None and options.plot:
        options.plot.parent.mkdir(parents=True, exist_ok=True)
        plot(result, options.plot)
    if options.json:
        print(json.dumps(result))
    else:
        out = Console()
        out.print(f"{result['machine']['cpu']}, {result['machine']['cores']} cores; {result['command']}")
        show(result, out)
    if not result.get("valid", True):
        Console(stderr=True).print("[red]NOT VALID: the caller itself was late; this machine is too busy to measure on")
        raise SystemExit(1)


def command() -> str:
    """How this bench was called."""
    spec = sys.modules["__main__"].__spec__
    name = spec.name.removesuffix(".__main__") if spec is not None else Path(sys.argv[0]).name
    return shlex.join(["python", "-m", name, *sys.argv[1:]])
