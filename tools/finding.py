"""What `ringline doctor` and `ringline models check` report."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

import msgspec
from rich.text import Text

_MARKS = {"ok": ("ok", "green"), "warning": ("!", "yellow"), "wrong": ("!!", "red")}
_INDENT = 5
"""Of all but the marks."""


class Finding(msgspec.Struct, frozen=True):
    """One thing looked at."""

    what: str
    found: str
    ok: bool
    """Whether a run can do with it."""
    advice: str = ""
    """What to do about it; may have several lines."""
    warning: bool = False
    """It is ok, but ``advice`` is worth reading."""
    where: str = ""
    """The file or folder that was found."""

    @property
    def needs_advice(self) -> bool:
        """Whether there is something to do."""
        return self.warning or not self.ok


def render(findings: Sequence[Finding], width: int) -> Iterator[Text]:
    """For a terminal of so many columns, line by line: a row each, then what to do. Paths are not broken."""
    column = max((len(finding.what) for finding in findings), default=0)
    for finding in findings:
        mark, style = _MARKS["wrong" if not finding.ok else "warning" if finding.warning else "ok"]
        indent = _INDENT + column + 2
        first, *more = wrapped(finding.found, width - indent) or [""]
        yield Text.assemble((f" {mark:<4}", style), f"{finding.what:<{column}}  {first}")
        for line in more:
            yield Text(" " * indent + line)
        if finding.where:
            yield Text(" " * _INDENT + finding.where, "dim")
    for finding in findings:
        if finding.needs_advice:
            yield Text()
            yield Text(f"{finding.what}:", "bold")
            for line in wrapped(finding.advice, width - 2):
                yield Text("  " + line)


def wrapped(text: str, width: int) -> list[str]:
    """The lines of a text, none longer than ``width``, unless a single word is."""
    return [
        line
        for paragraph in text.splitlines()
        for line in textwrap.wrap(paragraph, max(20, width), break_long_words=False, break_on_hyphens=False)
    ]
