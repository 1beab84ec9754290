"""``ringline top``: workers, calls and rings, live."""

from __future__ import annotations

import math
import time

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from ringline.engine.control import CallStatus, Status
from ringline.tools.client import get_status


def _dbfs(rms: int) -> str:
    return f"{20 * math.log10(rms / 32768):.0f}" if rms else "-"


def _call_row(call: CallStatus, now_s: float) -> tuple[str, ...]:
    ahead_ms = max(0, call.reply_written - call.reply_position) * 1000 // max(1, call.wire_rate_hz)
    response = "-" if call.last_response_ms is None else f"{call.last_response_ms:.0f}"
    return (
        str(call.number), call.door.split("://")[0], f"{now_s - call.started_s:.0f}", str(call.turns),
        str(call.play_turn), _dbfs(call.caller_level), str(ahead_ms), response,
        str(call.underruns), str(call.frames_missed),
    )  # fmt: skip


def render(status: Status) -> Group:
    """The status as two tables."""
    workers = Table(title="workers", expand=True)
    for column in ("worker", "state", "pid", "restarts", "lag s"):
        workers.add_column(column)
    for worker in status.workers:
        workers.add_row(worker.name, worker.state, str(worker.pid or "-"), str(worker.restarts), f"{worker.lag_s:.1f}")
    title = f"calls {len(status.calls)} of {status.max_calls}, {status.requests_in_flight} requests in flight"
    if status.left_out:
        title += f", overloaded: no {status.left_out}"
    calls = Table(title=title, expand=True)
    for column in ("call", "door", "s", "turns", "playing", "caller dBFS", "reply ahead ms", "response ms", "underruns",
                   "missed"):  # fmt: skip
        calls.add_column(column, justify="right")
    now_s = time.time()
    for call in status.calls:
        calls.add_row(*_call_row(call, now_s))
    return Group(workers, calls)


def watch(url: str, interval_s: float = 0.5) -> None:
    """Redraw until interrupted; once where the output is no terminal."""
    console = Console()
    if not console.is_terminal:
        console.print(render(get_status(url)))
        return
    with Live(render(get_status(url)), screen=True, auto_refresh=False) as live:
        while True:
            time.sleep(interval_s)
            live.update(render(get_status(url)), refresh=True)
