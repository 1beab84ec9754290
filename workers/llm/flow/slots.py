"""Slot types: what a value sounds like, what it is, how it is keyed, and how it is read back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from datetime import datetime, time
from typing import Annotated, Literal, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from ringline.engine.conversation.number_words import ONES
from ringline.workers.llm.flow import dates, doubts, times
from ringline.workers.llm.flow.match import Atoms
from ringline.workers.llm.flow.pattern import (
    NOTHING,
    Atom,
    Node,
    PatternError,
    Read,
    choice,
    parse,
    sequence,
)
from ringline.workers.llm.flow.spoken import (
    DIGIT_STARTS,
    LETTER_STARTS,
    codes,
    digits,
    is_taken_back,
    read_address,
    read_back,
    spelled,
)
from ringline.workers.llm.flow.yes_no import no, yes

_HourMinute = Annotated[str, msgspec.Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class Hours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[hours]``: when callers mean a time that they give without morning or afternoon, and where that is."""

    open: _HourMinute = "08:00"
    close: _HourMinute = "18:00"
    timezone: str = ""
    """What ``today`` and ``tomorrow`` go by (``Europe/London``); empty: the machine's own, which is UTC in most
    containers."""

    @property
    def opens(self) -> time:
        """``open`` as a time."""
        return time.fromisoformat(self.open)

    @property
    def closes(self) -> time:
        """``close`` as a time."""
        return time.fromisoformat(self.close)

    @property
    def zone(self) -> ZoneInfo | None:
        """``timezone``; None for the machine's own."""
        return ZoneInfo(self.timezone) if self.timezone else None

    def __post_init__(self) -> None:
        if not self.open < self.close:
            raise ValueError(f"opens at {self.open} and closes at {self.close}")
        try:
            _ = self.zone
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"timezone: there is no `{self.timezone}`; they are named like Europe/London") from None


class Setting(msgspec.Struct, frozen=True):
    """What the meaning of a value depends on."""

    now: datetime
    hours: Hours


class SlotType(Protocol):
    """One type of value. Values are strings, as the tools get them."""

    @property
    def num_keys(self) -> int:
        """Digits that a keyed value has at most."""

    @property
    def distinct(self) -> bool:
        """Whether one word of it, without any other around, can hardly mean something else."""

    def pattern(self) -> Node:
        """What it sounds like."""

    def lead(self) -> tuple[str, ...]:
        """Small words that callers put in front of it."""

    def doubtful(self, tokens: tuple[str, ...], begin: int, end: int) -> bool:
        """Whether what stands around [begin, end) makes another value of the one there, or none."""

    def resolve(self, said: Atoms, setting: Setting) -> str | None:
        """The value that was said, None if there is no such value."""

    def keyed(self, digits: str, setting: Setting) -> str | None:
        """The value that was keyed, None if there is no such value."""

    def spoken(self, value: str) -> str:
        """The value as people say it. Raises ValueError if there is no such value."""


class _Slot(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    """``[slots.NAME]``"""

    def doubtful(self, tokens: tuple[str, ...], begin: int, end: int) -> bool:
        return False


class YesNo(_Slot, frozen=True, tag="yes_no"):
    """``yes`` or ``no``."""

    num_keys = 1
    distinct = False

    def pattern(self) -> Node:
        return choice(Atom("value", "yes", yes()), Atom("value", "no", no()))

    def lead(self) -> tuple[str, ...]:
        return ()

    def resolve(self, said: Atoms, setting: Setting) -> str | None:
        return str(said[0][1])

    def keyed(self, digits: str, setting: Setting) -> str | None:
        return {"1": "yes", "2": "no"}.get(digits)

    def spoken(self, value: str) -> str:
        return _one_of(("yes", "no"), value)


class Digits(_Slot, frozen=True, tag="digits"):
    """A number said digit by digit: a code, a room, a phone number."""

    length: Annotated[int, msgspec.Meta(ge=1, le=20)]

    distinct = False

    @property
    def num_keys(self) -> int:
        return self.length

    def pattern(self) -> Node:
        one = choice(*ONES[:10], "oh")
        return Read("digits", DIGIT_STARTS, self._read, _row(one, self.length))

    def _read(self, tokens: tuple[str, ...], start: int) -> Iterator[tuple[int, str]]:
        return digits(tokens, start, self.length)

    def doubtful(self, tokens: tuple[str, ...], begin: int, end: int) -> bool:
        return is_taken_back(tokens, begin, end, self._read)

    def lead(self) -> tuple[str, ...]:
        return ()

    def resolve(self, said: Atoms, setting: Setting) -> str | None:
        return "".join(str(value) for _, value in said)

    def keyed(self, digits: str, setting: Setting) -> str | None:
        return digits if len(digits) == self.length else None

    def spoken(self, value: str) -> str:
        if len(value) != self.length or not (value.isascii() and value.isdigit()):
            raise ValueError(f"`{value}` has not {self.length} digits")
        return read_back(value)


class Code(_Slot, frozen=True, tag="code"):
    """Letters and digits: a booking reference, a number plate, a postcode."""

    format: str
    """A regular expression for all of it, in capitals and without spaces: ``[A-Z]{2}[0-9]{4}``."""

    distinct = False
    num_keys = 0

    def __post_init__(self) -> None:
        try:
            re.compile(self.format)
        except re.error as error:
            raise ValueError(f"`{self.format}` is no regular expression: {error}") from None

    def fits(self, value: str) -> bool:
        """Whether it is of this form."""
        return re.fullmatch(self.format, value) is not None

    def pattern(self) -> Node:
        return Read("code", LETTER_STARTS | DIGIT_STARTS, self._read, NOTHING)

    def _read(self, tokens: tuple[str, ...], start: int) -> Iterator[tuple[int, str]]:
        return codes(tokens, start, self.fits)

    def doubtful(self, tokens: tuple[str, ...], begin: int, end: int) -> bool:
        return is_taken_back(tokens, begin, end, self._read)

    def lead(self) -> tuple[str, ...]:
        return ()

    def resolve(self, said: Atoms, setting: Setting) -> str | None:
        return str(said[0][1])

    def keyed(self, digits: str, setting: Setting) -> str | None:
        return digits if self.fits(digits) else None

    def spoken(self, value: str) -> str:
        if not self.fits(value):
            raise ValueError(f"`{value}` is not of the form {self.format}")
        return read_back(value)


class Spelled(_Slot, frozen=True, tag="spelled"):
    """A name, spelled letter by letter."""

    distinct = False
    num_keys = 0

    def pattern(self) -> Node:
        return Read("letters", LETTER_STARTS, spelled, NOTHING)

    def doubtful(self, tokens: tuple[str, ...], begin: int, end: int) -> bool:
        return is_taken_back(tokens, begin, end, spelled)

    def lead(self) -> tuple[str, ...]:
        return ()

    def resolve(self, said: Atoms, setting: Setting) -> str | None:
        return str(said[0][1]).capitalize()

    def keyed(self, digits: str, setting: Setting) -> str | None:
        return None

    def spoken(self, value: str) -> str:
        if not value.isalpha():
            raise ValueError(f"`{value}` is no name")
        return read_back(value)


class Email(_Slot, frozen=True, tag="email"):
    """An e-mail address. It is looked for in all that was said, and cannot stand in a pattern."""

    distinct = True
    num_keys = 0

    def pattern(self) -> Node:
        return NOTHING

    def lead(self) -> tuple[str, ...]:
        return ()

    def resolve(self, said: Atoms, setting: Setting) -> str | None:
        return None

    def keyed(self, digits: str, setting: Setting) -> str | None:
        return None

    def spoken(self, value: str) -> str:
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
            raise ValueError(f"`{value}` is no e-mail address")
        return read_address(value)


class Date(_Slot, frozen=True, tag="date"):
    """A day from today on, ``YYYY-MM-DD``."""

    forms: tuple[Literal["today", "weekday", "day", "month"], ...] = dates.FORMS  # type: ignore[assignment]
    """What the grammar has, see `dates.FORMS`; everything is understood from other recognisers."""

    num_keys = 2
    distinct = True

    def pattern(self) -> Node:
        return dates.pattern(self.forms)

    def lead(self) -> tuple[str, ...]:
        return ("on", "for")

    def doubtful(self, tokens: tuple[str, ...], begin: int, end: int) -> bool:
        return doubts.day(tokens, begin, end)

    def resolve(self, said: Atoms, setting: Setting) -> str | None:
        return dates.resolve(said, setting.now)

    def keyed(self, digits: str, setting: Setting) -> str | None:
        return dates.keyed(digits, setting.now)

    def spoken(self, value: str) -> str:
        return dates.spoken(value)


class Time(_Slot, frozen=True, tag="time"):
    """A time of day, ``HH:MM``."""

    step_min: Annotated[int, msgspec.Meta(ge=1, le=60)] = times.DEFAULT_STEP_MIN
    """The grammar has minutes in such steps."""

    num_keys = 4
    distinct = False

    def pattern(self) -> Node:
        return times.pattern(self.step_min)

    def lead(self) -> tuple[str, ...]:
        return ("at",)

    def doubtful(self, tokens: tuple[str, ...], begin: int, end: int) -> bool:
        return doubts.time(tokens, begin, end)

    def resolve(self, said: Atoms, setting: Setting) -> str | None:
        return times.resolve(said, setting.hours.opens, setting.hours.closes)

    def keyed(self, digits: str, setting: Setting) -> str | None:
        return times.keyed(digits, setting.hours.opens, setting.hours.closes)

    def spoken(self, value: str) -> str:
        return times.spoken(value)


class Choice(_Slot, frozen=True, tag="choice"):
    """One of a list. Keyed by its place in the list."""

    values: dict[str, str]
    """Value -> the phrases that mean it, as a pattern."""

    distinct = True

    @property
    def num_keys(self) -> int:
        return len(str(len(self.values)))

    def pattern(self) -> Node:
        return choice(
            *(Atom("value", value, parse(phrases, _no_slot, _no_rule)) for value, phrases in self.values.items())
        )

    def lead(self) -> tuple[str, ...]:
        return ()

    def resolve(self, said: Atoms, setting: Setting) -> str | None:
        return str(said[0][1])

    def keyed(self, digits: str, setting: Setting) -> str | None:
        index = int(digits) if len(digits) <= self.num_keys else 0
        return list(self.values)[index - 1] if 1 <= index <= len(self.values) else None

    def spoken(self, value: str) -> str:
        return _one_of(self.values, value)


class Name(_Slot, frozen=True, tag="name"):
    """A person's name out of a list: the whole name, or a part of it that nobody else in the list has."""

    names: tuple[str, ...]

    distinct = True

    @property
    def num_keys(self) -> int:
        return len(str(len(self.names)))

    def pattern(self) -> Node:
        shared = Counter(part for name in self.names for part in set(name.lower().split()))
        shapes: list[Node] = []
        for name in self.names:
            parts = name.lower().split()
            alone = [part for part in parts if shared[part] == 1]
            whole = parse(" ".join(parts), _no_slot, _no_rule)
            shapes.append(Atom("value", name, choice(whole, *(part for part in alone if len(parts) > 1))))
        return choice(*shapes)

    def lead(self) -> tuple[str, ...]:
        return ("with",)

    def resolve(self, said: Atoms, setting: Setting) -> str | None:
        return str(said[0][1])

    def keyed(self, digits: str, setting: Setting) -> str | None:
        index = int(digits) if len(digits) <= self.num_keys else 0
        return self.names[index - 1] if 1 <= index <= len(self.names) else None

    def spoken(self, value: str) -> str:
        return _one_of(self.names, value)


SlotTable = YesNo | Digits | Date | Time | Choice | Name | Code | Spelled | Email


def _row(node: Node, count: int) -> Node:
    return sequence(*[node] * count)


def _one_of(values: Collection[str], value: str) -> str:
    if value not in values:
        raise ValueError(f"`{value}` is not one of {', '.join(values)}")
    return value


def _no_slot(name: str, kind: str) -> Node:
    raise PatternError(f"`{{{name}}}`: a value of a list holds no slots")


def _no_rule(name: str) -> Node:
    raise PatternError(f"`<{name}>`: a value of a list holds no rules")
