"""The clinic's appointments booked over the wire by callers who talk as they like, with real models.

    python -m bench.bookings [--voices am_michael bf_emma ...] [--phrasings 4] [--threads 1] [--seed 1] [--json]

Whisper base hears, Kokoro speaks, the example clinic's flow decides: ``--profile cpu`` with the models that are here
(RINGLINE_REAL_MODELS, or the model store). Callers speak in Kokoro voices that are not the bot's, over a telephone line
(300 to 3400 Hz, mu-law at 8 kHz, Twilio's protocol), one call at a time; their sentences are made before the first
call. Each voice books once in each phrasing: a day and a time that are drawn by lot, and free.

A caller answers what the bot asks, says no to a wrong day or time when it is read back, and gives up in time. Right is
a booking whose day and time are those that were wanted, as the clinic's own tool took them down; any other is wrong,
and worse than none. Response: from the caller's last audible sample to the bot's first, on the wire.
"""

from __future__ import annotations

import argparse
import datetime
import wave
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import uvloop
from rich.console import Console
from rich.table import Table

from bench.placing import door
from bench.recordings import telephone_line
from bench.reporting import Result, console, options_of, tell
from bench.telephone import resampled
from ringline import Engine
from ringline.engine.call import Call, CallEvent, CallOver, ToolRan
from ringline.engine.config import Config, DoorConfig, parse
from ringline.engine.conversation.actions import CallerSaid
from ringline.ipc import logs
from ringline.tools.caller.natural import record
from ringline.tools.caller.report import RunResult
from ringline.tools.caller.script import read_sound
from ringline.tools.patient import Patient, Phrasing, Wish
from ringline.tools.prompted import PromptedCaller
from ringline.tools.real_models import find_real_models
from ringline.workers.base import CannotStart

OUT = Path(__file__).parent.parent / "out" / "callers"
VOICES = ("am_michael", "bf_emma", "am_adam", "af_bella", "bm_george")
"""Not the bot's, af_heart."""
PHRASINGS = (
    Phrasing(
        opening="Hi, I need to see a doctor {day}.",
        time="Uh, {time}, if you have it.",
        yes="Yes, that's right.",
        end="No, that's all, thanks.",
    ),
    Phrasing(
        opening="Hello, I'd like to make an appointment please.",
        day="Do you have anything on {wrong_day}?",
        time="{time} would be good.",
        correction="No, make it {day}.",
        yes="Yes.",
        end="No thank you, goodbye.",
    ),
    Phrasing(
        opening="Good morning, could I book an appointment for {day} at {time}?",
        yes="That's correct.",
        end="Nope.",
    ),
    Phrasing(
        opening="Well, I was wondering if I could get an appointment with the doctor.",
        day="{day} would be great.",
        time="Maybe {time}?",
        yes="Yeah, perfect.",
        end="I'm good, thank you.",
    ),
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
TIMES = (
    ("nine o'clock", "09:00"),
    ("half past nine", "09:30"),
    ("ten thirty", "10:30"),
    ("eleven", "11:00"),
    ("half past eleven", "11:30"),
    ("noon", "12:00"),
    ("two o'clock", "14:00"),
    ("half past two", "14:30"),
    ("three thirty", "15:30"),
    ("four p.m.", "16:00"),
)


class Booking(msgspec.Struct, frozen=True):
    """What came of one call."""

    voice: str
    phrasing: int
    wanted: str
    """``2026-12-01 10:30``"""
    booked: tuple[str, ...]
    """All that stood in the diary at the end."""
    reason: str
    """How the call ended."""
    said: tuple[str, ...]
    heard: tuple[str, ...]
    """What the recogniser made of it."""
    response_ms: tuple[float, ...]
    valid: bool

    @property
    def outcome(self) -> str:
        """``right``, ``wrong`` or ``none``."""
        if not self.booked:
            return "none"
        return "right" if self.booked == (self.wanted,) else "wrong"


def wishes(number: int, rng: np.random.Generator, today: datetime.date, taken: set[int]) -> list[Wish]:
    """Different ones, none of those that are ``taken``, to which they are added. ``next`` is only said where nobody can
    doubt which week is meant."""
    found: list[Wish] = []
    free = [index for index in rng.permutation(len(WEEKDAYS) * len(TIMES)).tolist() if index not in taken]
    for index in free[:number]:
        taken.add(index)
        weekday, (text, clock) = index % len(WEEKDAYS), TIMES[index // len(WEEKDAYS)]
        ahead = (weekday - today.weekday()) % 7 or 7
        date = today + datetime.timedelta(days=ahead)
        is_next_week = date.isocalendar().week != today.isocalendar().week
        says_next = is_next_week and bool(rng.integers(2))
        name = f"next {WEEKDAYS[weekday]}" if says_next else WEEKDAYS[weekday]
        wrong = WEEKDAYS[(weekday + int(rng.integers(1, 5))) % 5]
        found.append(Wish(name, text, date.isoformat(), clock, wrong))
    return found


class Clinic:
    """The engine with the clinic, and whoever is on the line."""

    def __init__(self, config: Config) -> None:
        self.engine = Engine(config)
        self.engine.subscribe(self._on_event)
        self._caller: PromptedCaller | None = None
        self._told: list[CallEvent] = []

    def _on_event(self, call: Call, event: CallEvent) -> None:
        self._told.append(event)
        if self._caller is not None:
            self._caller.hear(event)

    async def book(self, patient: Patient, recordings: dict[str, Path]) -> tuple[RunResult, list[CallEvent], list[str]]:
        """One call: what the caller measured, what the engine told, and what the caller said."""
        self._told = []
        self._caller = PromptedCaller(patient, recordings)
        result = await self._caller.phone(door(self.engine, "twilio"))
        await self.engine.switchboard.wait_until_idle()
        return result, self._told, self._caller.said


def outcome(told: Sequence[CallEvent], result: RunResult) -> dict[str, object]:
    """What the engine and the caller tell of a call, as fields of `Booking`."""
    diary: list[str] = []
    for event in told:
        if isinstance(event, ToolRan) and msgspec.json.decode(event.result).get("ok"):
            arguments = event.tool_call.arguments
            if event.tool_call.name in ("cancel", "move"):
                old = ("day", "time") if event.tool_call.name == "cancel" else ("old_day", "old_time")
                diary.remove(" ".join(str(arguments[key]) for key in old))
            if event.tool_call.name in ("book", "move"):
                diary.append(f"{arguments['day']} {arguments['time']}")
    reason = next((event.reason for event in told if isinstance(event, CallOver)), "")
    turns = [turn for call in result.call_results for turn in call.turns]
    return {
        "booked": tuple(diary),
        "reason": reason,
        "heard": tuple(event.text for event in told if isinstance(event, CallerSaid)),
        "response_ms": tuple(turn.response_ms for turn in turns if turn.response_ms is not None),
        "valid": result.valid,
    }


def configured(threads: int, log_level: str = "warning") -> Config:
    """The cpu profile with the models that are here. Raises CannotStart."""
    text = find_real_models().config.replace("threads = 1", f"threads = {threads}")
    config = parse(text, "the real models", "cpu")
    doors = (DoorConfig("twilio://127.0.0.1:0/media"),)
    engine = msgspec.structs.replace(config.engine, log_level=log_level)
    agent = msgspec.structs.replace(config.agent, path="examples/clinic")
    return msgspec.structs.replace(config, engine=engine, door=doors, agent=agent)


def over_the_telephone(files: dict[str, Path]) -> dict[str, Path]:
    """The recordings as a handset sends them, beside those that they were made of."""
    found = {}
    for text, path in files.items():
        narrow = path.with_name(f"{path.stem}-telephone.wav")
        if not narrow.exists():
            samples, rate_hz = read_sound(path)
            with wave.open(str(narrow), "wb") as file:
                file.setparams((1, 2, 8_000, 0, "NONE", ""))
                file.writeframes(telephone_line(resampled(samples, rate_hz, 8_000)).tobytes())
        found[text] = narrow
    return found


async def measure(options: argparse.Namespace) -> Result:
    """All bookings."""
    out = console(options)
    try:
        config = configured(options.threads)
        kokoro = find_real_models().kokoro
    except CannotStart as missing:
        raise SystemExit(str(missing)) from None
    today = datetime.date.today()
    calls = []
    taken: set[int] = set()
    for voice in options.voices:
        rng = np.random.default_rng([options.seed, *voice.encode()])
        for number, wish in enumerate(wishes(options.phrasings, rng, today, taken)):
            patient = Patient(PHRASINGS[number], wish)
            files = record(patient.repertoire(), voice, kokoro, OUT)
            calls.append((voice, number, wish, patient, over_the_telephone(files)))
    found: list[Booking] = []
    clinic = Clinic(config)
    async with clinic.engine:
        for voice, number, wish, patient, files in calls:
            wanted = f"{wish.date} {wish.clock}"
            result, told, said = await clinic.book(patient, files)
            booking = Booking(voice, number, wanted, said=tuple(said), **outcome(told, result))  # type: ignore[arg-type]
            found.append(booking)
            out.print(f"[dim]{voice}: {booking.outcome}: wanted {wanted}, booked {', '.join(booking.booked)}[/]")
    return summary(found)


def summary(bookings: Sequence[Booking]) -> Result:
    """The figures, with the bookings that they come from."""
    outcomes = [booking.outcome for booking in bookings]
    times = [ms for booking in bookings for ms in booking.response_ms]
    return {
        "right": outcomes.count("right"),
        "wrong": outcomes.count("wrong"),
        "none": outcomes.count("none"),
        "response_p50_ms": float(np.percentile(times, 50)) if times else None,
        "response_p95_ms": float(np.percentile(times, 95)) if times else None,
        "turns": len(times),
        "bookings": [msgspec.to_builtins(booking) for booking in bookings],
        "valid": all(booking.valid for booking in bookings),
    }


def show(result: Result, out: Console) -> None:
    """A row for each call."""
    table = Table("voice", "wanted", "booked", "what was said / heard", "the call ended")
    for row in result["bookings"]:
        words = " / ".join(row["said"]) + "\n" + " / ".join(row["heard"])
        table.add_row(row["voice"], row["wanted"], ", ".join(row["booked"]) or "-", words, row["reason"])
    out.print(table)
    for name, figure in headlines(result).items():
        out.print(f"{name}: {figure}")


def headlines(result: Result) -> dict[str, str]:
    """Bookings and response."""
    right, wrong, none = (result[name] for name in ("right", "wrong", "none"))
    found = {"appointments booked in free speech": f"{right} of {right + wrong + none} right, {wrong} wrong"}
    if result["turns"]:
        p50, p95 = result["response_p50_ms"], result["response_p95_ms"]
        found["... response on the wire, Whisper and Kokoro"] = f"p50 {p50:.0f} ms, p95 {p95:.0f} ms"
    return found


if __name__ == "__main__":
    parser = options_of(__doc__, plots=False)
    parser.add_argument("--voices", nargs="+", default=VOICES, metavar="VOICE", help="of Kokoro")
    parser.add_argument("--phrasings", type=int, default=len(PHRASINGS), choices=range(1, len(PHRASINGS) + 1))
    parser.add_argument("--threads", type=int, default=1, help="of each model")
    given = parser.parse_args()
    logs.set_up("engine", "warning")
    tell(uvloop.run(measure(given)), given, show)
