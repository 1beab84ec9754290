"""`ringline call`: the caller on the command line."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.text import Text
from typer.core import TyperCommand

from ringline.tools.caller.dialogue import Manners
from ringline.tools.caller.events import Event, EventWriter

if TYPE_CHECKING:  # the real import is below: it takes a second, which no other command should wait for
    from ringline.tools.caller.script import Item

_ORDER = "ringline.caller.order"
_SCRIPT_OPTIONS = ("say", "wav", "keys", "interrupt", "aside")


class ScriptCommand(TyperCommand):
    """Remembers the order of the options that make up the script; the parser keeps only that of each option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        values, _, order = self.make_parser(ctx).parse_args(args=list(args))
        left = {name: list(values.get(name) or ()) for name in _SCRIPT_OPTIONS}
        ctx.meta[_ORDER] = [(param.name, left[param.name].pop(0)) for param in order if param.name in left]
        return super().parse_args(ctx, args)


def call(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="audiosocket://host:port[?rate=16000] or twilio://host:port/path")],
    say: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help=r"Say this, with \[pause MS] for a pause; items are said in order."),
    ] = None,
    wav: Annotated[list[str] | None, typer.Option(metavar="FILE", help="Play this sound file.")] = None,
    keys: Annotated[list[str] | None, typer.Option(metavar="DIGITS", help="Press these telephone keys.")] = None,
    interrupt: Annotated[
        list[str] | None,
        typer.Option(metavar="MS", help="Say the next item over the bot, so long after it has begun to speak."),
    ] = None,
    aside: Annotated[
        list[str] | None,
        typer.Option(metavar="MS", help='Likewise, for an "uh huh" that wants no answer: the bot is heard out.'),
    ] = None,
    calls: Annotated[int, typer.Option(min=1, max=1024, help="How many calls at once.")] = 1,
    record: Annotated[str | None, typer.Option(metavar="FILE", help="Stereo WAV: caller left, bot right.")] = None,
    voice: Annotated[
        list[str] | None, typer.Option(help="espeak-ng voice (en-gb+m3); calls take turns with several.")
    ] = None,
    speed: Annotated[float, typer.Option(help="Of spoken text; 1 is 175 words a minute.")] = 1.0,
    patience: Annotated[int, typer.Option(help="Ms of silence after which the bot's turn is over.")] = 700,
    timeout: Annotated[int, typer.Option(help="Ms without an answer after which the caller hangs up.")] = 10_000,
    limit: Annotated[int, typer.Option(help="Ms after which the caller hangs up anyway.")] = 600_000,
    greeting: Annotated[bool, typer.Option(help="Whether the bot speaks first.")] = True,
    stagger: Annotated[float, typer.Option(help="Ms between the starts of two calls.")] = 100,
    param: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="Twilio custom parameter.")] = None,
    auth_token: Annotated[str, typer.Option(envvar="TWILIO_AUTH_TOKEN", help="Twilio: sign the upgrade.")] = "",
    public_url: Annotated[str, typer.Option(help="Twilio: the URL that is signed.")] = "",
    prompted: Annotated[
        bool,
        typer.Option(help="Say what lines of standard input name, by its number in the order given; the last: end."),
    ] = False,
    realtime: Annotated[bool, typer.Option(help="Ask the system for real-time priority.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
    events: Annotated[bool, typer.Option(help="Before the result, print each event as a line of JSON.")] = False,
) -> None:
    """Call a bot, talk to it, and measure its responses on the wire.

    Exits with 0 if every call was taken and every turn answered, 1 if not, 2 if the call could not be tried.
    """
    import uvloop

    from ringline.tools.caller.priority import ask_for_realtime
    from ringline.tools.caller.report import render
    from ringline.tools.caller.run import run_calls
    from ringline.tools.caller.script import DEFAULT_VOICE, ScriptError
    from ringline.tools.caller.wire import UrlError

    # Standard output belongs to the JSON where that is wanted.
    console = Console(stderr=as_json or events)
    try:
        order = context.meta.get(_ORDER)
        if order is None:  # mounted without `ScriptCommand`
            given = {"say": say, "wav": wav, "keys": keys}
            order = [(name, value) for name, values in given.items() for value in values or ()]
        items = script_items(order, speed)
        parameters = _parameters(param or [])
        if prompted and calls > 1:
            raise ScriptError("--prompted is for one call")
        with contextlib.ExitStack() as stack:
            on_event = None
            if events:
                on_event = stack.enter_context(EventWriter(_print_json)).put
            elif not as_json:
                on_event = stack.enter_context(EventWriter(lambda event: _show(console, event, calls > 1))).put
            if realtime:
                ask_for_realtime()
            result = uvloop.run(
                run_calls(
                    url,
                    items,
                    calls,
                    voices=voice or (DEFAULT_VOICE,),
                    manners=Manners(patience, timeout, limit, greeting),
                    stagger_ms=stagger,
                    record=record,
                    parameters=parameters,
                    auth_token=auth_token,
                    public_url=public_url,
                    on_event=on_event,
                    prompts=_read_prompts if prompted else None,
                )
            )
    except (UrlError, ScriptError, OSError) as error:
        print(f"ringline call: {error}", file=sys.stderr)
        raise typer.Exit(2) from None
    if as_json or events:
        print(msgspec.json.encode(result.to_json()).decode(), flush=True)
    else:
        console.print(render(result))
    raise typer.Exit(0 if result.succeeded else 1)


def mount(app: typer.Typer, name: str = "call") -> None:
    """Make the caller a command of ``app``."""
    app.command(name, cls=ScriptCommand)(call)


def script_items(order: list[tuple[str, str]], speed: float = 1.0) -> list[Item]:
    """The script, from its options in the order given. Raises ScriptError."""
    from ringline.tools.caller.script import Item, ScriptError

    items: list[Item] = []
    over_bot = ""
    interrupt_ms: int | None = None
    for name, value in order:
        if name in ("interrupt", "aside"):
            if not value.isdecimal():
                raise ScriptError(f"--{name} {value}: not a number of milliseconds")
            over_bot, interrupt_ms = name, int(value)
            continue
        if not value.strip():
            raise ScriptError(f"--{name} is empty")
        field = "text" if name == "say" else name
        manner = {"speed": speed, "interrupt_ms": interrupt_ms, "aside": over_bot == "aside"}
        items.append(Item(**{field: value}, **manner))  # type: ignore[arg-type]
        over_bot, interrupt_ms = "", None
    if over_bot:
        raise ScriptError(f"--{over_bot} must stand before what is said")
    return items


def _read_prompts(prompt: Callable[[int | None], None]) -> None:
    """Pass standard input on, line by line, from a thread that nobody waits for."""
    loop = asyncio.get_running_loop()

    def read() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the call was over before
            for line in sys.stdin:
                loop.call_soon_threadsafe(prompt, int(line) if line.strip().isdecimal() else None)
            loop.call_soon_threadsafe(prompt, None)

    threading.Thread(target=read, name="prompts", daemon=True).start()


def _parameters(given: list[str]) -> dict[str, str]:
    from ringline.tools.caller.script import ScriptError

    for pair in given:
        if "=" not in pair:
            raise ScriptError(f"--param {pair}: must be NAME=VALUE")
    return dict(pair.split("=", 1) for pair in given)


def _print_json(event: Event) -> None:
    print(msgspec.json.encode(event).decode(), flush=True)


_SHOWN = {
    "connected": "call answered",
    "refused": "not taken: ",
    "bot_speaks": "bot speaks",
    "caller_speaks": "caller: ",
    "cleared": "bot stops itself",
    "wire_error": "wire error: ",
    "ended": "call over",
}


def _show(console: Console, event: Event, is_one_of_many: bool) -> None:
    if event.event not in _SHOWN:
        return
    who = f"call {event.call}  " if is_one_of_many else ""
    text = Text(f"{event.at_ms / 1e3:8.2f} s  {who}{_SHOWN[event.event]}{event.text if event.event != 'ended' else ''}")
    if event.event == "ended" and event.text:
        text.append(f": {event.text}")
    if event.response_ms is not None:
        text.append(f" after {event.response_ms:.0f} ms", style="bold")
    console.print(text)
