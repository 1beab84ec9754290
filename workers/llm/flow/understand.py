"""What the caller said or keyed, in a state: which of its expectations, with which values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from ringline.engine.conversation import verdict
from ringline.engine.conversation.number_words import CARDINALS, ONES
from ringline.engine.conversation.spelling import readings
from ringline.engine.conversation.verdict import Verdict
from ringline.workers.llm.flow import pattern, repairs, written
from ringline.workers.llm.flow.compile import Flow, Heard, State
from ringline.workers.llm.flow.corrections import corrected
from ringline.workers.llm.flow.match import Atoms, Bindings, Reader
from ringline.workers.llm.flow.repairs import Mention, Tokens
from ringline.workers.llm.flow.slots import Code, Date, Digits, Email, Setting, Spelled, Time, YesNo
from ringline.workers.llm.flow.spoken import address

_TAKES_BACK_NO = frozenset({"yes", "yeah", "yep", "yup", "wait"})


class Meant(msgspec.Struct, frozen=True):
    """What follows from the caller's answer."""

    goto: str
    clear: tuple[str, ...]
    slots: Mapping[str, str]
    """Values to set, after clearing."""


def speech(
    flow: Flow, state: State, text: str, setting: Setting, known: Mapping[str, str] = MappingProxyType({})
) -> Meant | None:
    """What was said: the pattern that leaves the fewest words unexplained; None if none stands in the text, or if it is
    not clear what the caller wants.

    Of equals, what comes first in the flow file wins, then the likelier reading of the numerals, then what comes first
    in the text. A pattern whose values make no sense (``the thirty first of june``) is passed over, and so is what
    makes sense only as a part of it (``the thirty first``). What is taken back within the answer does not count (see
    `repairs`), and a yes is one only as `verdict` has it. ``known`` are the slots so far: who says yes may repeat them,
    and a few digits of one that is read back may be corrected (``the last one is a five``). So is one whose
    values are doubtful beside the words around it (``after three``).
    """
    if meant := _whole(flow, state, text) or _corrected(flow, state, text, known):
        return meant
    resolver = _Resolver(flow, setting)
    in_words = verdict.spelled(_in_words(flow, state, text))
    answer = _answer(state, in_words, _Resolver(flow, setting), known)
    if state.table.confirm and answer is Verdict.YES:
        return Meant(state.table.yes, (), {})
    readers = {
        times: [
            ((times, number), Reader(repairs.mended(tokens, resolver.mentions(state))))
            for number, tokens in enumerate(_read(repairs.told_apart(in_words if times else text), times))
        ]
        for times in (True, False)
    }
    found = [
        (len(reader.tokens) - (end - begin), rank, number, begin, end, bindings, reader, heard)
        for rank, heard in enumerate(state.heard)
        for number, reader in readers[not pattern.reads(heard.node)]
        for begin, end, bindings in reader.search(heard.node, 0, len(reader.tokens))
        if not heard.answer
    ]
    unwanted = [(number, b, e) for _, _, number, b, e, *_, reader, _ in found if repairs.is_negated(reader.tokens, b)]
    found = [one for one in found if not any(n == one[2] and b <= one[3] and one[4] <= e for n, b, e in unwanted)]
    for _, _, _, begin, end, bindings, reader, heard in sorted(found, key=lambda one: one[:4]):
        values = resolver.resolve(bindings)
        if values is None or resolver.doubts(bindings, reader, begin, end):
            continue
        if not _agrees(flow, state, heard, reader.tokens[begin:end], values, answer, reader.tokens):
            continue
        if not values and end - begin == 1 and state.table.confirm and answer is Verdict.NO:
            continue
        values |= _elsewhere(flow, reader, heard, values, begin, end, resolver)
        if not heard.goto:
            for name in _with_rivals(flow, reader, heard, values, begin, end, resolver):
                del values[name]
            if not values:
                continue
        return Meant(heard.goto, heard.clear, values | dict(heard.set))
    return _bare(flow, state, answer)


def _read(text: str, times: bool = True) -> tuple[Tokens, ...]:
    """The ways to read it; where it may hold a time, without the ``oh`` that a caller begins with.

    ``oh nine thirty`` is a time, ``oh nine`` and ``oh ten thirty`` are not.
    """
    ways = readings(text, times)
    if not times:
        return ways
    return tuple(way[1:] if way[:1] == ("oh",) and not _zero_hour(way[1:3]) else way for way in ways)


def _zero_hour(tokens: Tokens) -> bool:
    return len(tokens) > 1 and tokens[0] in ONES[1:10] and tokens[1] in CARDINALS | {"hundred"}


def _answer(state: State, text: str, resolver: _Resolver, known: Mapping[str, str]) -> Verdict:
    """What the whole answer comes to, as a yes or a no; values that are repeated as they are known change nothing."""
    asks = (verdict.ASKS,) if verdict.asks(text) else ()
    verdicts = []
    for reader in map(Reader, _read(text)):
        tokens: Tokens = ()
        at = 0
        for begin, end, name, said in state.mentions.values(reader):
            is_known = name in state.table.confirm and name in known
            if begin >= at and is_known and resolver.resolve(((name, said),)) == {name: known[name]}:
                tokens += (*reader.tokens[at:begin], verdict.EXPLAINED)
                at = end
        tokens += reader.tokens[at:]
        verdicts.append(verdict.of((*tokens, *asks), known=state.question, does=state.offer))
    return next((one for one in verdicts if one is Verdict.YES), verdicts[0])


def _agrees(
    flow: Flow, state: State, heard: Heard, span: Tokens, values: Mapping[str, str], answer: Verdict, tokens: Tokens
) -> bool:
    """Whether a pattern that stands for a yes or a no does not stand in an answer that comes to something else."""
    said = {values[name] for name in values if isinstance(flow.slots[name], YesNo)}
    if not said and not values:
        of_span = verdict.of(span)
        said = {of_span.value} if of_span in (Verdict.YES, Verdict.NO) else set()
    if not said:
        return True
    if said == {"no"}:
        return answer is Verdict.NO or not (_acts(flow, state, heard.goto) or _TAKES_BACK_NO & set(tokens))
    if answer is Verdict.LEANING_YES:
        return not _acts(flow, state, heard.goto)
    return answer is Verdict.YES


def _bare(flow: Flow, state: State, answer: Verdict) -> Meant | None:
    """What follows from a yes or a no that no pattern has."""
    table = state.table
    if table.confirm:
        return Meant(table.no, table.confirm, {}) if answer is Verdict.NO else None
    if table.ask and isinstance(flow.slots[table.ask], YesNo) and answer in (Verdict.YES, Verdict.NO):
        return Meant("", (), {table.ask: answer.value})
    return None


def _whole(flow: Flow, state: State, text: str) -> Meant | None:
    """A value that is looked for in all that was said, such as an e-mail address."""
    table = state.table
    for name in (table.ask, *table.confirm):
        if isinstance(flow.slots.get(name), Email):
            value = address(text)
            return Meant("", (), {name: value}) if value else None
    return None


def _corrected(flow: Flow, state: State, text: str, known: Mapping[str, str]) -> Meant | None:
    """A few digits or letters of a value that is read back, where only one can be meant."""
    found = set()
    for name in state.table.confirm:
        slot = flow.slots[name]
        if name in known and isinstance(slot, Digits | Code | Spelled):
            for tokens in readings(text, times=False):
                new = corrected(known[name], tokens)
                if new and (not isinstance(slot, Code) or slot.fits(new)):
                    found.add((name, new))
    return Meant("", (), dict(found)) if len(found) == 1 else None


def _acts(flow: Flow, state: State, goto: str) -> bool:
    """Whether a tool runs before the caller is heard again."""
    name = goto or state.table.goto
    for _ in flow.states:
        table = flow.states[name].table if name in flow.states else None
        if table is None or table.waits:
            return False
        if table.tool:
            return True
        name = table.goto
    return False


def _in_words(flow: Flow, state: State, text: str) -> str:
    """The text with days in figures written out, where no code is asked for: ``4-12`` may be a part of one."""
    asked = flow.slots.get(state.table.ask)
    return (
        text
        if isinstance(asked, Digits | Code | Spelled | Email)
        else written.in_words(text, flow.language, isinstance(asked, Time))
    )


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

    def mentions(self, state: State) -> Callable[[Tokens], list[Mention]]:
        """What finds the values that stand in what was said, as `repairs.mended` wants it."""

        def value(name: str, said: Atoms) -> str | None:
            return self._flow.slots[name].resolve(said, self._setting)

        return lambda tokens: state.mentions(tokens, value)

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
