"""What benches say, as Markdown: the tables that their ``show`` prints, and the beginnings of their docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

_DEFINED = re.compile(r"(\S.*?) {2,}(\S.*)")
"""A word and, some spaces behind it, what it means."""


class MarkdownConsole(Console):
    """Prints into `text`: tables as Markdown's, everything else as paragraphs."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[str] = []

    def print(self, *objects: Any, **_: Any) -> None:
        """Each object becomes a part of its own."""
        self._parts += [table(one) if isinstance(one, Table) else escaped(_plain(one)) for one in objects]

    @property
    def text(self) -> str:
        """All that was printed."""
        return "\n\n".join(self._parts)


def table(of: Table) -> str:
    """A table with its title above and its caption below. Sections have no equal in Markdown."""
    rows = zip(*(map(_plain, column.cells) for column in of.columns), strict=True)
    parts = [rows_of([_plain(column.header) for column in of.columns], rows)]
    if of.title:
        parts.insert(0, f"**{escaped(_plain(of.title))}**")
    if of.caption:
        parts.append(f"*{escaped(_plain(of.caption))}*")
    return "\n\n".join(parts)


def rows_of(header: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of plain text."""
    return "\n".join([_row(header), "|" + "---|" * len(header), *map(_row, rows)])


def escaped(text: str) -> str:
    """Plain text in which nothing is HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(escaped(cell).replace("|", r"\|").replace("\n", "<br>") for cell in cells) + " |"


def _plain(said: Any) -> str:
    """The text without rich's markup."""
    return said.plain if isinstance(said, Text) else Text.from_markup(str(said)).plain


def beginning(doc: str) -> str:
    """A docstring's first line and first paragraph, with the list that it announces; without its usage."""
    summary, *others = inspect.cleandoc(doc).split("\n\n")
    found = [summary]
    for paragraph in others:
        if paragraph.startswith("    "):
            continue
        found.append(_listed(paragraph) or paragraph)
        if not paragraph.endswith(":"):
            break
    return "\n\n".join(found).replace("``", "`")


def _listed(paragraph: str) -> str:
    """A paragraph of words and their meanings as a list; nothing, if it is none."""
    lines = paragraph.split("\n")
    if not _DEFINED.fullmatch(lines[0]):
        return ""
    items: list[str] = []
    for line in lines:
        if defined := _DEFINED.fullmatch(line):
            items.append(f"- **{defined[1]}**: {defined[2]}")
        else:
            items[-1] += " " + line.strip()
    return "\n".join(items)
