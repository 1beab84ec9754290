"""A run: one call or many at once, from one process, on one timer."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np

from ringline.tools.caller.call import Call
from ringline.tools.caller.dialogue import Manners
from ringline.tools.caller.events import OnEvent
from ringline.tools.caller.recording import Recording
from ringline.tools.caller.report import CallRecord, RunResult, summarize
from ringline.tools.caller.script import DEFAULT_VOICE, Item, pack_frame, render
from ringline.tools.caller.ticker import Ticker
from ringline.tools.caller.wire import FRAME_NS, Wire, parse_url
from ringline.tools.caller.wire_audiosocket import AudioSocketWire
from ringline.tools.caller.wire_twilio import TwilioWire
from ringline.workers.audio import levels

STAGGER_MS = 100
"""Between the starts of two calls: 32 calls are there after 3 s, and do not all speak at the same moment."""


Prompts = Callable[[Callable[[int | None], None]], None]
"""Is given a function to call, in the event loop's thread, for each item to say, and with None for the end."""


async def run_calls(
    url: str,
    items: Sequence[Item],
    num_calls: int = 1,
    *,
    voices: Sequence[str] = (DEFAULT_VOICE,),
    manners: Manners | None = None,
    stagger_ms: float = STAGGER_MS,
    record: str | Path | None = None,
    parameters: Mapping[str, str] | None = None,
    auth_token: str = "",
    public_url: str = "",
    on_event: OnEvent | None = None,
    prompts: Prompts | None = None,
) -> RunResult:
    """Place ``num_calls`` calls that say ``items``, and measure them.

    Calls take turns with ``voices``. ``record`` is a stereo WAV's path, numbered where there are more calls than one.
    ``parameters`` are Twilio's custom parameters; with ``auth_token`` the upgrade is signed, for ``public_url`` if
    given. ``on_event`` is called inside the media path: it must return at once (see `EventWriter`). With ``prompts``,
    which calls back with what to say next (`Call.prompt`), there is one call, and ``items`` are what it can say.

    Raises UrlError, ScriptError, and OSError for a recording that cannot be written.
    """
    target = parse_url(url)
    manners = msgspec.structs.replace(manners or Manners(), prompted=prompts is not None)
    scripts = [render(items, target, voice) for voice in voices[:num_calls]]
    silence_samples = np.zeros(target.frame_samples, np.int16)
    silence = pack_frame(silence_samples, target)
    # Compiled on first use, which must not fall into a call.
    levels.first_audible(silence_samples, target.rate_hz)
    levels.last_audible_beside(silence_samples, target.rate_hz, 0.0)

    calls: list[Call] = []
    for number in range(num_calls):
        wire: Wire = (
            AudioSocketWire(target)
            if target.scheme == "audiosocket"
            else TwilioWire(target, parameters, auth_token, public_url)
        )
        recording = Recording(target.rate_hz) if record is not None else None
        script = scripts[number % len(scripts)]
        calls.append(Call(number, wire, target, script, silence, manners, on_event, recording))
    if prompts is not None:
        prompts(calls[0].prompt)
    with _undisturbed(), Ticker() as ticker:
        records = await _place(calls, ticker, stagger_ms)
    if record is not None:
        records = [_write(Path(record), call, made, num_calls) for call, made in zip(calls, records, strict=True)]
    return summarize(url, records)


async def _place(calls: Sequence[Call], ticker: Ticker, stagger_ms: float) -> list[CallRecord]:
    base_ns = time.monotonic_ns()

    async def place(index: int, call: Call) -> CallRecord:
        await asyncio.sleep(max(0.0, index * stagger_ms / 1e3 - (time.monotonic_ns() - base_ns) / 1e9))
        # The calls' frames are spread over the 20 ms, as those of real calls are.
        return await call.run(ticker, base_ns + index * FRAME_NS // len(calls))

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(place(index, call)) for index, call in enumerate(calls)]
    return [task.result() for task in tasks]


def _write(path: Path, call: Call, made: CallRecord, num_calls: int) -> CallRecord:
    assert call.recording is not None
    if made.end.outcome == "refused":
        return made
    if num_calls > 1:
        path = path.with_stem(f"{path.stem}-{call.number}")
    call.recording.write(path, made.log.connected_ns, made.log.ended_ns)
    return msgspec.structs.replace(made, recording=str(path))


@contextmanager
def _undisturbed() -> Iterator[None]:
    """No garbage collection: one of a whole interpreter takes longer than a frame."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()
