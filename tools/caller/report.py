"""What a run of calls came to: frozen results, as JSON and for the eye."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ringline.tools.caller import measure
from ringline.tools.caller.log import WireLog
from ringline.tools.caller.measure import Milliseconds, Turn
from ringline.tools.caller.priority import is_realtime

MAX_LATENESS_P99_MS = 5.0
"""Beyond this the caller's own delay could be mistaken for the bot's."""

Outcome = Literal["completed", "refused", "failed"]


class Percentiles(msgspec.Struct, frozen=True):
    """Of some milliseconds; None where there were none."""

    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None
    num: int
    """How many values."""

    @classmethod
    def of(cls, values: Milliseconds) -> Percentiles:
        """Linear between neighbours, rounded to microseconds."""
        if not values.shape[0]:
            return cls(None, None, None, None, 0)
        p50, p95, p99, top = (round(float(value), 3) for value in np.percentile(values, (50, 95, 99, 100)))
        return cls(p50, p95, p99, top, values.shape[0])


class CallEnd(msgspec.Struct, frozen=True):
    """How a call ended."""

    outcome: Outcome
    ended_by: str
    """``caller``, ``bot`` or ``error``; ``refused`` for a call that was not taken."""
    reason: str
    """What was seen, in words. Empty: the caller hung up after the last answer."""


class CallRecord(msgspec.Struct, frozen=True):
    """A call that is over, as it was recorded."""

    number: int
    call_id: str
    end: CallEnd
    log: WireLog
    unsaid: tuple[str, ...] = ()
    """Items the caller did not come to say."""
    wire_errors: tuple[str, ...] = ()
    """What the bot sent that it should not have."""
    recording: str = ""


class CallResult(msgspec.Struct, frozen=True):
    """One call, measured."""

    call: int
    call_id: str
    outcome: Outcome
    ended_by: str
    reason: str
    duration_ms: float
    greeting_ms: float | None
    """From the answered call to the bot's first audible sample."""
    greeting_speech_ms: float
    turns: tuple[Turn, ...]
    unsaid: tuple[str, ...]
    frame_gap_ms: Percentiles
    spacing_error_ms: Percentiles
    underruns: int
    lateness_ms: Percentiles
    skipped_frames: int
    wire_errors: tuple[str, ...]
    recording: str


class RunResult(msgspec.Struct, frozen=True):
    """All calls of a run."""

    url: str
    calls: int
    completed: int
    answered: int
    """Calls that were taken, whatever became of them."""
    refused: dict[str, int]
    """What was seen -> number of calls."""
    failed: dict[str, int]
    """Reason -> number of calls that were taken, but ended before all was said and answered."""
    turns: int
    """Asides are none."""
    turns_answered: int
    """Overlapped ones included."""
    turns_measured: int
    """Those with a response time."""
    response_ms: Percentiles
    heard_ms: Percentiles
    greeting_ms: Percentiles
    frame_gap_ms: Percentiles
    """Between received frames or messages, while media flowed."""
    spacing_error_ms: Percentiles
    """How far each of these gaps was from the playing time of the message before it."""
    underruns: int
    """Holes in the middle of replies."""
    lateness_ms: Percentiles
    """How late the caller itself sent its frames."""
    skipped_frames: int
    realtime: bool
    """Whether the caller had real-time priority."""
    valid: bool
    """Whether the caller was punctual enough to be believed."""
    wire_errors: int
    call_results: tuple[CallResult, ...]

    def to_json(self) -> dict[str, object]:
        """Plain types for a JSON object."""
        plain: dict[str, object] = msgspec.to_builtins(self)
        return plain

    @property
    def succeeded(self) -> bool:
        """Whether every call was taken, said its script, and got an answer to all of it."""
        return self.completed == self.calls and self.turns_answered == self.turns


def summarize(url: str, records: Sequence[CallRecord]) -> RunResult:
    """Percentiles are those of all calls' values together."""
    flows = [measure.flow(record.log) for record in records]
    results = tuple(_call_result(record, flow) for record, flow in zip(records, flows, strict=True))
    all_turns = [turn for result in results for turn in result.turns if turn.note != "aside"]
    lateness = Percentiles.of(_joined([_lateness_ms(record.log) for record in records]))
    return RunResult(
        url=url,
        calls=len(records),
        completed=sum(result.outcome == "completed" for result in results),
        answered=sum(result.outcome != "refused" for result in results),
        refused=dict(Counter(result.reason for result in results if result.outcome == "refused")),
        failed=dict(Counter(result.reason for result in results if result.outcome == "failed")),
        turns=len(all_turns),
        turns_answered=sum(turn.response_ms is not None or turn.bot_speech_ms > 0 for turn in all_turns),
        turns_measured=sum(turn.response_ms is not None for turn in all_turns),
        response_ms=_of_known([turn.response_ms for turn in all_turns]),
        heard_ms=_of_known([turn.heard_ms for turn in all_turns]),
        greeting_ms=_of_known([result.greeting_ms for result in results]),
        frame_gap_ms=Percentiles.of(_joined([flow.gaps_ms for flow in flows])),
        spacing_error_ms=Percentiles.of(_joined([flow.spacing_errors_ms for flow in flows])),
        underruns=sum(result.underruns for result in results),
        lateness_ms=lateness,
        skipped_frames=sum(result.skipped_frames for result in results),
        realtime=is_realtime(),
        valid=lateness.p99 is None or lateness.p99 <= MAX_LATENESS_P99_MS,
        wire_errors=sum(len(result.wire_errors) for result in results),
        call_results=results,
    )


def render(result: RunResult) -> RenderableType:
    """For a terminal: the turns (of a few calls), then the whole run."""
    parts: list[RenderableType] = []
    if result.calls <= 4 and result.turns:
        parts.append(_turn_table(result))
    table = Table("", "p50", "p95", "p99", "max", "values", title=f"{result.url}, milliseconds", title_justify="left")
    for name, row in (
        ("response on the wire", result.response_ms),
        ("greeting", result.greeting_ms),
        ("gap between messages", result.frame_gap_ms),
        ("off nominal spacing", result.spacing_error_ms),
        ("own lateness", result.lateness_ms),
    ):
        table.add_row(name, *(_ms(value) for value in (row.p50, row.p95, row.p99, row.max)), str(row.num))
    parts.append(table)
    parts.append(Text(_outcome(result)))
    for what, reasons in (("refused", result.refused), ("failed", result.failed)):
        parts += [Text(f"{num} {what}: {reason}", style="yellow") for reason, num in reasons.items()]
    for call in result.call_results:
        parts += [Text(f"call {call.call}: {error}", style="yellow") for error in call.wire_errors]
        if call.recording:
            parts.append(Text(f"recording: {call.recording}"))
    if not result.valid:
        parts.append(
            Text("NOT VALID: the caller itself was late; this machine is too busy to measure on.", style="red")
        )
    return Group(*parts)


def _outcome(result: RunResult) -> str:
    """What became of the calls, and of all that was to be said in them."""
    calls = f"{result.calls} calls, {result.completed} completed"
    hung_up = sum(call.outcome == "failed" and call.ended_by == "bot" for call in result.call_results)
    failed = sum(result.failed.values())
    for num, what in (
        (hung_up, "hung up by the bot"),
        (failed - hung_up, "failed"),
        (sum(result.refused.values()), "refused"),
    ):
        calls += f", {num} {what}" if num else ""
    unsaid = sum(len(call.unsaid) for call in result.call_results)
    turns = f"{result.turns} turns, {result.turns_answered} answered" + (f", {unsaid} unsaid" if unsaid else "")
    return f"{calls}; {turns}; {result.underruns} underruns, {result.wire_errors} wire errors"


def _call_result(record: CallRecord, flow: measure.Flow) -> CallResult:
    log = record.log
    greeting_ms, greeting_speech_ms = measure.greeting_ms(log)
    return CallResult(
        call=record.number,
        call_id=record.call_id,
        outcome=record.end.outcome,
        ended_by=record.end.ended_by,
        reason=record.end.reason,
        duration_ms=round((log.ended_ns - log.connected_ns) / 1e6, 3),
        greeting_ms=greeting_ms,
        greeting_speech_ms=greeting_speech_ms,
        turns=tuple(measure.turns(log)),
        unsaid=record.unsaid,
        frame_gap_ms=Percentiles.of(flow.gaps_ms),
        spacing_error_ms=Percentiles.of(flow.spacing_errors_ms),
        underruns=flow.num_underruns,
        lateness_ms=Percentiles.of(_lateness_ms(log)),
        skipped_frames=log.num_skipped,
        wire_errors=record.wire_errors,
        recording=record.recording,
    )


def _lateness_ms(log: WireLog) -> Milliseconds:
    return np.array(log.lateness_ns, np.float64) / 1e6


def _joined(values: Sequence[Milliseconds]) -> Milliseconds:
    return np.concatenate(values) if values else np.zeros(0)


def _of_known(values: Sequence[float | None]) -> Percentiles:
    return Percentiles.of(np.array([value for value in values if value is not None], np.float64))


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _turn_table(result: RunResult) -> Table:
    table = Table("call", "caller", "response", "bot spoke", "note", title="turns, milliseconds", title_justify="left")
    for call in result.call_results:
        for turn in call.turns:
            note = turn.note if turn.cut_ms is None else f"{turn.note} silent after {turn.cut_ms:.0f}".strip()
            if turn.resume_ms is not None:
                note += f", went on after {turn.resume_ms:.0f}"
            table.add_row(str(call.call), turn.caller, _ms(turn.response_ms), _ms(turn.bot_speech_ms), note)
        if call.outcome != "completed":
            unsaid = f", {len(call.unsaid)} unsaid" if call.unsaid else ""
            ended = f"{call.outcome}: {call.reason or 'ended by ' + call.ended_by}{unsaid}"
            table.add_row(str(call.call), "", "-", "-", Text(ended, style="yellow"))
    return table
