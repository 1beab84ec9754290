"""Runs the benches one after the other, and writes docs/performance.md from what they found.

    python -m bench.performance [--minutes 20] [--only latency capacity ...]
    python -m bench.performance --write-only

Each bench is a process of its own, at sizes that make all of them fit into 20 minutes on two cores. Their results are
kept in out/performance/, one JSON object each, and the page is made of what lies there: with ``--write-only`` nothing
is measured, and a bench that takes too long for this one is on the page when it has been run before, as in
``python -m bench.peers --json > out/performance/peers.json``. A bench that failed, or whose load generator was late, is
told as such, and the others go on; then the exit status is 1. No bench begins that would end after ``--minutes``.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from bench.markdown import MarkdownConsole, beginning, escaped, rows_of
from bench.processes import machine
from bench.reporting import Result

ROOT = Path(__file__).parent.parent
PAGE, PLOTS, KEPT = ROOT / "docs" / "performance.md", ROOT / "docs" / "performance", ROOT / "out" / "performance"


class Bench(msgspec.Struct, frozen=True):
    """One bench, and at what size it runs here."""

    name: str
    about_s: float
    """How long it takes on two cores. One that takes more than twice as long and a minute is ended."""
    options: tuple[str, ...] = ()

    @property
    def command(self) -> tuple[str, ...]:
        """Behind ``python``."""
        return ("-m", f"bench.{self.name}", *self.options, "--json")


BENCHES = (
    Bench("latency", 120, ("--rounds", "1")),
    Bench("capacity", 240, ("--calls", "1", "8", "32", "64", "128")),
    Bench("isolation", 180),
    Bench("baseline", 120),
    Bench("barge_in", 120, ("--quick",)),
    Bench("turns", 120),
    Bench("ipc", 20),
    Bench("silero", 5),
    Bench("vad", 120),
    Bench("recognition", 30),
    Bench("stages", 220, ("--stage", "stt", "--rounds", "2")),
)
"""In this order. What matters most comes first, for if time is short."""
OTHERS = (
    *("real", "bookings", "heard"),
    *("peers", "overlaps", "residency", "wer", "wer_answers", "echo", "profile", "websocket_libraries", "phrasing"),
)
"""Those that are run on their own: they take long, need real weights, or are about one detail."""
ALSO = (("barge_in", ("--only", "table", "--recogniser", "whisper")),)
"""Benches of the page that have more to say with other options."""


def run(bench: Bench, folder: Path) -> Result:
    """Measure. Returns the bench's result or, if there is none, ``failed``: why; in either case with ``took_s``, and
    with ``load_average``, of the minute before. It is kept in the folder, beside what the bench said meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{bench.name}.log"
    limit_s = 2 * bench.about_s + 60
    load_average, began_s = os.getloadavg()[0], time.monotonic()
    command = (sys.executable, *bench.command)
    with (
        log.open("w") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, cwd=ROOT, start_new_session=True) as process,
    ):
        try:
            output, _ = process.communicate(timeout=limit_s)
            result = _result(output, log)
        except subprocess.TimeoutExpired:
            result = {"failed": f"not over after {limit_s:.0f} s"}
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # with the callers that it started
    result = _about(bench.command) | result | {"load_average": load_average, "took_s": time.monotonic() - began_s}
    (folder / f"{bench.name}.json").write_text(json.dumps(result))
    return result


def _result(output: bytes, log: Path) -> Result:
    try:
        result: Result = json.loads(output)
    except ValueError:
        said = log.read_text(errors="replace").split("\n")
        return {"failed": next((line.strip() for line in reversed(said) if line.strip()), "it said nothing")}
    return result


def _about(command: Sequence[str]) -> Result:
    """What every result says, for those that a bench could not tell."""
    date = datetime.date.today().isoformat()
    return {"machine": machine(), "date": date, "command": shlex.join(("python", *command))}


def trouble(result: Result) -> str:
    """Why the result cannot be relied on; nothing, if it can."""
    if "failed" in result:
        return f"failed: {result['failed']}"
    return "" if result.get("valid", True) else "not valid: the caller itself was late, the machine was too busy"


def kept(folder: Path) -> dict[str, Result]:
    """What was found, by bench, in the order of the page; what was run on its own comes last."""
    order = [bench.name for bench in BENCHES]
    found = {}
    for path in sorted(folder.glob("*.json"), key=lambda path: ([*order, path.stem].index(path.stem), path)):
        try:
            found[path.stem] = json.loads(path.read_text())
        except ValueError:
            found[path.stem] = _about(("-m", f"bench.{path.stem}")) | {"failed": f"no result in {path.name}"}
    return found


def module_of(name: str) -> Any:
    """The bench's module, with its ``show`` and, if it has them, its ``plot`` and ``headlines``."""
    module = importlib.import_module(f"bench.{name}")
    return importlib.import_module(f"bench.{name}.__main__") if hasattr(module, "__path__") else module


def draw(results: Mapping[str, Result], folder: Path) -> list[str]:
    """Plots of all that have one. Returns their names."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for name, result in results.items():
        if "failed" not in result and hasattr(module_of(name), "plot"):
            module_of(name).plot(result, folder / f"{name}.png")
            drawn.append(name)
    return drawn


def page(results: Mapping[str, Result], drawn: Collection[str]) -> str:
    """docs/performance.md. ``drawn``: whose plots lie in docs/performance/."""
    parts = [
        "# Performance",
        "Written by `make bench` (`python -m bench.performance`); not by hand.",
        _conditions(results),
    ]
    parts += ["## At a glance", _headlines(results)]
    for name, result in results.items():
        parts += [f"## {name}", beginning(module_of(name).__doc__), _told(result)]
        if "failed" in result:
            continue
        out = MarkdownConsole()
        module_of(name).show(result, out)
        parts.append(out.text)
        if name in drawn:
            parts.append(f"![{name}](performance/{name}.png)")
    options = {bench.name: bench.options for bench in BENCHES} | dict.fromkeys(OTHERS, ())
    commands = [*((name, options[name]) for name in options if name not in results), *ALSO]
    left_out = [
        (f"`{shlex.join(('python', '-m', f'bench.{name}', *given))}`", _summary(name)) for name, given in commands
    ]
    parts += ["## Not on this page", "Without the options in their commands, the benches above measure more."]
    parts.append(rows_of(("run it with", "what it says"), left_out))
    return "\n\n".join(parts) + "\n"


def _conditions(results: Mapping[str, Result]) -> str:
    """The machines, when, and how busy they were. More than one machine only if results were brought together."""
    lines = []
    for on in {json.dumps(result["machine"]): result["machine"] for result in results.values()}.values():
        names = [name for name, result in results.items() if result["machine"] == on]
        packages = ", ".join(f"{name} {version}" for name, version in on["packages"].items())
        loads = [results[name]["load_average"] for name in names if "load_average" in results[name]]
        dates = sorted({results[name]["date"] for name in names})
        lines += [
            f"- machine: {on['cpu']}, {on['cores']} cores, which the simulated callers share; Linux {on['kernel']}",
            f"- versions: Python {on['python']}, {packages}",
            f"- when: {dates[0]}" + (f" to {dates[-1]}" if len(dates) > 1 else ""),
            *([f"- load average before the first bench: {loads[0]:.2f}"] if loads else []),
        ]
    return "\n".join(lines)


def _headlines(results: Mapping[str, Result]) -> str:
    rows = []
    for name, result in results.items():
        link = f"[{name}](#{name})"
        if trouble(result):
            rows.append((f"bench.{name}", trouble(result), link))
        elif hasattr(module_of(name), "headlines"):
            rows += [(what, figure, link) for what, figure in module_of(name).headlines(result).items()]
    return rows_of(("what", "figure", "more"), rows)


def _summary(name: str) -> str:
    return str(module_of(name).__doc__).split("\n", 1)[0]


def _told(result: Result) -> str:
    """By which command, when, and whether it holds."""
    took = f", in {result['took_s']:.0f} s" if "took_s" in result else ""
    said = f"`{result['command']}`, {result['date']}{took}."
    if wrong := trouble(result):
        return f"{said}\n\n**{escaped(wrong[0].upper() + wrong[1:])}.**"
    return f"{said} The caller was in time." if "valid" in result else said


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--only", nargs="+", choices=[bench.name for bench in BENCHES], metavar="BENCH")
    parser.add_argument("--write-only", action="store_true", help="of the results that are kept")
    given = parser.parse_args()
    out, began_s = Console(), time.monotonic()
    for bench in () if given.write_only else BENCHES:
        if given.only and bench.name not in given.only:
            continue
        if time.monotonic() - began_s + bench.about_s > 60 * given.minutes:
            out.print(f"{bench.name}: left out, it takes about {bench.about_s:.0f} s")
            continue
        out.print(f"{bench.name}: about {bench.about_s:.0f} s ...")
        result = run(bench, KEPT)
        out.print(f"{bench.name}: {trouble(result) or 'valid'}, {result['took_s']:.0f} s")
    results = kept(KEPT)
    if not results:
        raise SystemExit(f"no results in {KEPT}")
    PAGE.write_text(page(results, draw(results, PLOTS)))
    out.print(f"{PAGE} and {PLOTS}/")
    if any(trouble(result) for result in results.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
