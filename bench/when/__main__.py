"""What callers say of days and times, by the flow's own understanding and by the libraries that read such phrases.

python -m bench.when [--wrong NAME] [--json]

A wrong value is far worse than none: the caller comes on another day, where none is asked for again. Each library is
asked with the moment of the call and, where it takes them, the order of day and month and "in the future"; of what it
finds the first counts. Those that are not installed are left out:

pip install dateparser parsedatetime recurrent timefhuman ctparse recognizers-text-date-time "emoji<2" python-dateutil
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import re
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from bench.reporting import Result, options_of, tell

FOLDER = Path(__file__).parent
OFFICE_OPENS = 9


class Phrase(NamedTuple):
    """A line of the tables."""

    table: str
    now: datetime
    language: str
    text: str
    value: str
    """``YYYY-MM-DD``, ``HH:MM``, both, or ``-``."""


Parser = Callable[[Phrase], str]
"""-> what it takes of the phrase, as `Phrase.value`."""


def phrases(table: str) -> Iterator[Phrase]:
    """The lines of ``days`` or ``times``."""
    now, language = datetime.min, ""
    for line in (FOLDER / f"{table}.txt").read_text(encoding="utf-8").splitlines():
        value, equals, text = line.partition(" = ")
        if equals:
            yield Phrase(table, now, language, text, value)
        elif line.endswith(":"):
            moment, _, language = line.rstrip(":").rpartition(" ")
            now = datetime.fromisoformat(moment)


# --- parsers ------------------------------------------------------------------------------------------------------


def _flow() -> Parser:
    from ringline.engine.agent import find_agent
    from ringline.workers.llm.flow import understand
    from ringline.workers.llm.flow.compile import Flow, compile_flow
    from ringline.workers.llm.flow.flow_file import read
    from ringline.workers.llm.flow.slots import Setting

    tables = read(find_agent("clinic"))
    flows: dict[str, Flow] = {}

    def parse(phrase: Phrase) -> str:
        if phrase.language not in flows:
            flows[phrase.language] = compile_flow(tables, phrase.language)
        flow = flows[phrase.language]
        state = flow.states["book_day" if phrase.table == "days" else "book_time"]
        meant = understand.speech(flow, state, phrase.text, Setting(phrase.now, flow.hours))
        slots = meant.slots if meant else {}
        return " ".join(slots[name] for name in ("day", "time") if name in slots) or "-"

    return parse


def _of_moment(phrase: Phrase, moment: datetime | None) -> str:
    if moment is None:
        return "-"
    if phrase.table == "days":
        return f"{moment:%Y-%m-%d}"
    # A bare three is in the afternoon there, too: what the office is open for is not held against a library.
    hour = moment.hour + 12 if 0 < moment.hour < OFFICE_OPENS - 1 and not _says_half(phrase.text) else moment.hour
    return f"{hour:02}:{moment.minute:02}"


def _says_half(text: str) -> bool:
    return re.search(r"\b[ap]\.?\s?m\b|morning|afternoon|evening|night|\b0|oh|hundred", text.lower()) is not None


def _day_first(phrase: Phrase) -> bool:
    return phrase.language not in ("en", "en-CA")


def _dateparser(search: bool) -> Parser:
    import dateparser
    import dateparser.search

    def parse(phrase: Phrase) -> str:
        settings: Any = {
            "RELATIVE_BASE": phrase.now,
            "PREFER_DATES_FROM": "future",
            "DATE_ORDER": "DMY" if _day_first(phrase) else "MDY",
        }
        if search:
            found = dateparser.search.search_dates(phrase.text, languages=[phrase.language[:2]], settings=settings)
            return _of_moment(phrase, found[0][1] if found else None)
        return _of_moment(phrase, dateparser.parse(phrase.text, languages=[phrase.language[:2]], settings=settings))

    return parse


def _parsedatetime() -> Parser:
    import parsedatetime

    calendar = parsedatetime.Calendar(version=parsedatetime.VERSION_CONTEXT_STYLE)

    def parse(phrase: Phrase) -> str:
        moment, context = calendar.parseDT(phrase.text, phrase.now)
        given = context.hasDate if phrase.table == "days" else context.hasTime
        return _of_moment(phrase, moment if given else None)

    return parse


def _recurrent() -> Parser:
    import recurrent

    def parse(phrase: Phrase) -> str:
        found = recurrent.RecurringEvent(now_date=phrase.now).parse(phrase.text)
        return _of_moment(phrase, found if isinstance(found, datetime) else None)

    return parse


def _timefhuman() -> Parser:
    from timefhuman import tfhConfig, timefhuman

    def parse(phrase: Phrase) -> str:
        found = timefhuman(phrase.text, tfhConfig(now=phrase.now))
        one = found[0] if isinstance(found, list) and len(found) == 1 else None
        return _of_moment(phrase, one if isinstance(one, datetime) else None)

    return parse


def _ctparse() -> Parser:
    from ctparse import ctparse
    from ctparse.types import Time

    def parse(phrase: Phrase) -> str:
        found = ctparse(phrase.text, ts=phrase.now, timeout=1.0)
        value = found.resolution if found else None
        if not isinstance(value, Time):
            return "-"
        if phrase.table == "days":
            return f"{value.year}-{value.month:02}-{value.day:02}" if value.hasDate else "-"
        return f"{value.hour:02}:{value.minute or 0:02}" if value.hour is not None else "-"

    return parse


def _recognizers() -> Parser:
    from recognizers_date_time import Culture, recognize_datetime

    def parse(phrase: Phrase) -> str:
        english = Culture.EnglishOthers if _day_first(phrase) else Culture.English
        culture = Culture.German if phrase.language == "de" else english
        kind = "date" if phrase.table == "days" else "time"
        for found in recognize_datetime(phrase.text, culture, reference=phrase.now):
            values = (found.resolution or {}).get("values", [])
            values = [value for value in values if value.get("type") in (kind, "datetime") and "value" in value]
            if not values:
                continue
            texts = [value["value"] for value in values]
            if phrase.table == "days":
                coming = [text[:10] for text in texts if text[:10] >= f"{phrase.now:%Y-%m-%d}"]
                return min(coming) if coming else "-"
            return _of_moment(phrase, datetime.fromisoformat(f"2026-01-01 {texts[0][-8:]}"))
        return "-"

    return parse


def _dateutil() -> Parser:
    from dateutil import parser

    def parse(phrase: Phrase) -> str:
        moment = parser.parse(phrase.text, default=phrase.now, dayfirst=_day_first(phrase))
        return _of_moment(phrase, moment)

    return parse


PARSERS: dict[str, tuple[str, Callable[[], Parser]]] = {
    "Ringline's flow": ("ringline", _flow),
    "dateparser.parse": ("dateparser", lambda: _dateparser(False)),
    "dateparser.search": ("dateparser", lambda: _dateparser(True)),
    "parsedatetime": ("parsedatetime", _parsedatetime),
    "recurrent": ("recurrent", _recurrent),
    "timefhuman": ("timefhuman", _timefhuman),
    "ctparse": ("ctparse", _ctparse),
    "recognizers-text": ("recognizers_date_time", _recognizers),
    "dateutil": ("dateutil", _dateutil),
}
"""Name -> (its package, what makes it)."""


# --- measuring ----------------------------------------------------------------------------------------------------


def _judged(phrase: Phrase, got: str) -> str:
    """``right``, ``none`` where there is a value, or ``wrong``."""
    wanted = phrase.value
    if phrase.table == "days" and " " not in got:  # a library is not asked for the time
        wanted = wanted[:10]
    if got == wanted:
        return "right"
    return "none" if got == "-" else "wrong"


def measure(options: argparse.Namespace) -> Result:
    """Of each parser and table: right, none, wrong, and milliseconds a phrase."""
    result: dict[str, Any] = {"phrases": {}, "parsers": {}}
    tables = {table: list(phrases(table)) for table in ("days", "times")}
    result["phrases"] = {table: len(lines) for table, lines in tables.items()}
    for name, (package, make) in PARSERS.items():
        if importlib.util.find_spec(package) is None:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parser = make()
        of_parser = result["parsers"][name] = {}
        for table, lines in tables.items():
            counts: Counter[str] = Counter()
            start_ns = time.perf_counter_ns()
            for phrase in lines:
                got = _asked(parser, phrase)
                verdict = _judged(phrase, got)
                counts[verdict] += 1
                if options.wrong == name and verdict != "right":
                    print(f"{verdict:5} {phrase.text!r}: {got}, not {phrase.value}")
            spent_ms = (time.perf_counter_ns() - start_ns) / 1e6 / len(lines)
            of_parser[table] = {key: counts[key] for key in ("right", "none", "wrong")} | {"ms": round(spent_ms, 2)}
    return result


def _asked(parser: Parser, phrase: Phrase) -> str:
    """What the parser takes; what it raises is no value."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            return parser(phrase)
        except Exception:  # noqa: BLE001 - they raise whatever they meet
            return "-"


def show(result: Result, console: Console) -> None:
    """The table."""
    table = Table(title=f"{result['phrases']['days']} phrases of days, {result['phrases']['times']} of times")
    for column in ("", "days: right", "none", "wrong", "ms", "times: right", "none", "wrong", "ms"):
        table.add_column(column, justify="left" if not column else "right")
    for name, of_parser in result["parsers"].items():
        cells = [str(of_parser[kind][key]) for kind in ("days", "times") for key in ("right", "none", "wrong", "ms")]
        table.add_row(name, *cells)
    console.print(table)


if __name__ == "__main__":
    arguments = options_of(__doc__, seed=None, plots=False)
    arguments.add_argument("--wrong", metavar="NAME", default="", help="a parser whose failures are printed")
    given = arguments.parse_args()
    tell(measure(given), given, show)
