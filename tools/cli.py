"""The command line: ``ringline run | demo | call | doctor | models | trace | replay | top``."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json as json_module
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import msgspec
import typer
import uvloop
from rich.console import Console
from setproctitle import setproctitle

from ringline.engine.agent import AgentError
from ringline.engine.config import Config, ConfigError, load, parse
from ringline.tools.client import DEFAULT_URL

if TYPE_CHECKING:
    from ringline.tools.finding import Finding

app = typer.Typer(
    help="The realtime core of self-hosted phone voice bots.", no_args_is_help=True, pretty_exceptions_enable=False
)
console = Console()

ConfigOption = Annotated[
    Path | None, typer.Option("-c", "--config", help="ringline.toml; without it, the one here or the embedded default.")
]
ProfileOption = Annotated[
    str, typer.Option("--profile", help="embedded, cpu, cpu-llm, gpu or hosted; ringline.toml changes what it names.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output, nothing else.")]
LoadOption = Annotated[bool, typer.Option("--load", help="Load each model, too, as its worker will: takes a while.")]
UrlOption = Annotated[str, typer.Option("--url", help="The engine's control API.")]


def _load(path: Path | None, profile: str = "") -> Config:
    here = Path("ringline.toml")
    try:
        if path is not None or here.exists():
            return load(path or here, profile)
        return parse("", f"profile {profile}", profile) if profile else Config()
    except ConfigError as error:
        raise typer.BadParameter(str(error)) from None
    except OSError as error:
        raise typer.BadParameter(f"{error.filename or path or here}: {error.strerror}") from None


def _print_json(value: object) -> None:
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"
    if not console.encoding.startswith("utf"):  # JSON can say any letter in ASCII; in text, `main` has them replaced
        text = json_module.dumps(msgspec.json.decode(text), indent=2) + "\n"
    sys.stdout.write(text)


def _report(findings: list[Finding], json: bool) -> NoReturn:
    """Show them, and end with status 1 if anything is wrong."""
    good = all(finding.ok for finding in findings)
    if json:
        _print_json({"ok": good, "findings": findings})
    else:
        from ringline.tools.finding import render

        for line in render(findings, console.width):
            console.print(line, soft_wrap=True)
    raise typer.Exit(0 if good else 1)


@app.command()
def run(config: ConfigOption = None, profile: ProfileOption = "") -> None:
    """Answer calls until told to stop: SIGTERM or ctrl-C lets running calls finish, a second one does not."""
    from ringline.tools.daemon import serve

    setproctitle("ringline-engine")
    try:
        code = uvloop.run(serve(_load(config, profile), config, profile))
    except AgentError as error:
        raise typer.BadParameter(str(error)) from None
    raise typer.Exit(code)


@app.command()
def demo(
    json: JsonOption = False,
    out: Annotated[Path, typer.Option("--out", help="Folder for the recording.")] = Path("out"),
    real: Annotated[bool, typer.Option("--real", help="With Whisper and Kokoro: the caller speaks freely.")] = False,
) -> None:
    """An engine, and a simulated caller who phones it to book an appointment. Needs nothing else."""
    from ringline.tools.demo import Demo
    from ringline.tools.real_models import find_real_models
    from ringline.workers.base import CannotStart

    setproctitle("ringline-engine")
    try:
        models = find_real_models() if real else None
    except CannotStart as missing:
        console.print(str(missing), markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(2) from None
    shown = Demo(out, Console(stderr=True, quiet=True) if json else console, models)
    result = asyncio.run(shown.run()) if sys.gettrace() else uvloop.run(shown.run())
    if json:
        _print_json(result)
    raise typer.Exit(0 if result.passed else 1)


@app.command()
def doctor(
    config: ConfigOption = None,
    profile: ProfileOption = "",
    json: JsonOption = False,
    load: LoadOption = False,
) -> None:
    """What this machine has, and what to do about what is missing."""
    from ringline.tools.doctor import examine

    _report(examine(_load(config, profile), load), json)


models_app = typer.Typer(help="Model files: what there is, where it lies, and how to get it.", no_args_is_help=True)
app.add_typer(models_app, name="models")


@models_app.command("list")
def list_models(json: JsonOption = False) -> None:
    """The models that Ringline knows by name, their licences, and where they lie here."""
    from ringline.tools.models import inventory, render
    from ringline.workers.models.store import store

    rows = inventory()
    if json:
        _print_json(rows)
        return
    for line in render(rows, console.width):
        console.print(line, soft_wrap=True)
    where = f"The store, where those that are pulled lie:\n  {store()}"
    console.print(where, soft_wrap=True, highlight=False, markup=False)


@models_app.command()
def pull(
    names: Annotated[list[str], typer.Argument(help="Names as `list` shows them, or owner/repository.")],
    origin: Annotated[
        str, typer.Option("--from", help="A folder or URL laid out like the store; without it, the model hub.")
    ] = "",
) -> None:
    """Fetch models into the store; what was broken off is gone on with. HF_ENDPOINT names another hub."""
    from ringline.tools.models import fetch

    good = [fetch(name, origin, console) for name in names]
    raise typer.Exit(0 if all(good) else 1)


@models_app.command()
def check(
    config: ConfigOption = None,
    profile: ProfileOption = "",
    json: JsonOption = False,
    load: LoadOption = False,
) -> None:
    """Whether the models that the configuration needs are here, intact, and what the workers will want, voices and
    languages included; and what to do about those that are not."""
    from ringline.tools.models import check_models

    _report(check_models(_load(config, profile), load), json)


@app.command()
def trace(
    call: Annotated[str, typer.Argument(help="Number or id of a call; without it, the latest.")] = "last",
    url: UrlOption = DEFAULT_URL,
    json: JsonOption = False,
) -> None:
    """The waterfall of each turn of a call: where its response time went."""
    from ringline.tools.client import get_trace
    from ringline.tools.waterfall import BLOCK, waterfall

    found = get_trace(url, call)
    if json:
        _print_json(found)
        return
    console.print(f"call {found.number} [dim]{found.call_id}[/]")
    for turn in found.turns:
        response = "" if turn.response_ms is None else f", response {turn.response_ms:.0f} ms"
        console.print(f"turn {turn.turn} [dim]({turn.cause}{response})[/]")
        block = BLOCK if console.encoding.startswith("utf") else "#"
        console.print(waterfall(turn.stages, turn.endpoint_reasons, block=block), end="")


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="The event log of a call; see [events] in the configuration.")],
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Show every event and its actions.")] = False,
    json: JsonOption = False,
) -> None:
    """Run a call's events through the conversation again: does it do the same?"""
    from ringline.engine.event_format import EventLogError
    from ringline.tools.replay import render, replay_file, show

    try:
        found = replay_file(file, show if verbose and not json else None)
    except EventLogError as error:
        raise typer.BadParameter(str(error)) from None
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from None
    if json:
        _print_json(found)
    else:
        sys.stdout.write(render(found))
    raise typer.Exit(1 if found.difference else 0)


@app.command()
def top(url: UrlOption = DEFAULT_URL, json: JsonOption = False) -> None:
    """Calls, rings and workers, live. With --json, once."""
    from ringline.tools.client import get_status
    from ringline.tools.top import watch

    if json:
        _print_json(get_status(url))
        return
    with contextlib.suppress(KeyboardInterrupt):
        watch(url)


def main() -> None:
    """Entry point of the ``ringline`` command."""
    from ringline.tools.caller.cli import mount

    mount(app)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a letter the terminal does not have is no reason to fail
    app()
