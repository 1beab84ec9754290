"""What the caller said or keyed, in a state: which of its expectations, with which values."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ringline.engine.conversation.spelling import readings
from ringline.workers.llm.flow import pattern, written
from ringline.workers.llm.flow.compile import Flow, Heard, State
from ringline.workers.llm.flow.match import Bindings, Reader
from ringline.workers.llm.flow.slots import Date, Digits, Setting, Time


class Meant(msgspec.Struct, frozen=True):
    """What follows from the caller's answer."""

    goto: str
    clear: tuple[str, ...]
    slots: Mapping[str, str]
    """Values to set, after clearing."""


def speech(flow: Flow, state: State, text: str, setting: Setting) -> Meant | None:
    """What was said: the pattern that leaves the fewest words unexplained; None if none stands in the text.

    Of equals, what comes first in the flow file wins, then the likelier reading of the numerals, then what comes first
    in the text. A pattern whose values make no sense (``the thirty first of june``) is passed over, and so is what
    makes sense only as a part of it (``the thirty first``). So is one whose values are doubtful beside the words around
    it (``after three``).
    """
    found = [
        (len(reader.tokens) - (end - begin), rank, number, begin, end, bindings, reader, heard)
        for number, reader in enumerate(map(Reader, readings(_in_words(flow, state, text))))
        for rank, heard in enumerate(state.heard)
        for begin, end, bindings in reader.search(heard.node, 0, len(reader.tokens))
    ]
    resolver = _Resolver(flow, setting)
    for _, _, _, begin, end, bindings, reader, heard in sorted(found, key=lambda one: one[:4]):
        values = resolver.resolve(bindings)
        if values is None or resolver.doubts(bindings, reader, begin, end):
            continue
        values |= _elsewhere(flow, reader, heard, values, begin, end, resolver)
        if not heard.goto:
            for name in _with_rivals(flow, reader, heard, values, begin, end, resolver):
                del values[name]
            if not values:
                continue
        return Meant(heard.goto, heard.clear, values | dict(heard.set))
    return None


def _in_words(flow: Flow, state: State, text: str) -> str:
    """The text with days in figures written out, where no code is asked for: ``4-12`` may be a part of one."""
    asked = flow.slots.get(state.table.ask)
    return text if isinstance(asked, Digits) else written.in_words(text, flow.language, isinstance(asked, Time))


def dtmf(flow: Flow, state: State, digits: str, setting: Setting) -> Meant | None:
    """What was keyed; None if it means nothing here."""
    digits = digits.strip("#")
    key = state.keys.get(digits)
    if key is not None:
        return Meant(key.goto, key.clear, key.set)
    if not (digits.isascii() and digits.isdigit()):
        return None
    if state.table.ask:
        value = flow.slots[state.table.ask].keyed(digits, setting)
        return Meant("", (), {state.table.ask: value}) if value is not None else None
    if state.table.confirm and digits in ("1", "2"):
        return Meant(state.table.yes, (), {}) if digits == "1" else Meant(state.table.no, state.table.confirm, {})
    return None


class _Resolver:
    """Values of what was said in one turn, and what of it made no sense."""

    def __init__(self, flow: Flow, setting: Setting) -> None:
        self._flow, self._setting = flow, setting
        self._senseless: list[tuple[str, frozenset[tuple[str, str | int]]]] = []

    def resolve(self, bindings: Bindings) -> dict[str, str] | None:
        """The values; None if one of them makes no sense."""
        values = {}
        for name, said in bindings:
            atoms = frozenset(said)
            if any(name == other and atoms < whole for other, whole in self._senseless):
                return None
            value = self._flow.slots[name].resolve(said, self._setting)
            if value is None:
                self._senseless.append((name, atoms))
                return None
            values[name] = value
        return values

    def doubts(self, bindings: Bindings, reader: Reader, begin: int, end: int) -> bool:
        """Whether the words around what was said make another value of it: ``after three``."""
        doubtful = [one for one in bindings if self._flow.slots[one[0]].doubtful(reader.tokens, begin, end)]
        self._senseless += [(name, frozenset(said)) for name, said in doubtful]
        return bool(doubtful)


def _with_rivals(
    flow: Flow, reader: Reader, heard: Heard, values: dict[str, str], begin: int, end: int, resolver: _Resolver
) -> set[str]:
    """The days and times that are not the only ones: ``tuesday is fine, wednesday too``."""
    rivals = set()
    for slot in pattern.slots(heard.node):
        if slot.name not in values or not isinstance(flow.slots[slot.name], Date | Time):
            continue
        places = [*reader.search(slot, 0, begin), *reader.search(slot, end, len(reader.tokens))]
        covered: list[range] = []
        for start, stop, bindings in sorted(places, key=lambda place: (place[0] - place[1], place[0])):
            if any(start < span.stop and span.start < stop for span in covered):
                continue
            covered.append(range(start, stop))
            other = resolver.resolve(bindings)
            offered = "or" in reader.tokens[max(0, start - 2) : start]
            if other is None or other[slot.name] in values.values():
                continue
            if offered or not resolver.doubts(bindings, reader, start, stop):
                rivals.add(slot.name)
    return rivals


def _elsewhere(
    flow: Flow, reader: Reader, heard: Heard, values: dict[str, str], begin: int, end: int, resolver: _Resolver
) -> dict[str, str]:
    """Values of the pattern's optional parts that stand apart from it: ``on tuesday i need an appointment``.

    A single word counts only if it can hardly mean anything else: the ``one`` of ``for one of us`` is no time.
    """
    more: dict[str, str] = {}
    for part in pattern.optional_parts(heard.node):
        names = pattern.slot_names(part)
        if names & (values.keys() | more.keys()):
            continue
        places = [
            *reader.search(part, 0, begin),
            *reader.search(part, end, len(reader.tokens)),
        ]
        for start, stop, bindings in sorted(places, key=lambda place: (place[0] - place[1], place[0])):
            distinct = any(flow.slots[name].distinct for name, _ in bindings)
            resolved = resolver.resolve(bindings) if distinct or stop - start > 1 else None
            if resolved and not resolver.doubts(bindings, reader, start, stop):
                more |= resolved
                break
    return more
