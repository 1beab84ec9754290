"""A flow file's tables -> a `Flow`: patterns read, every name looked up, one grammar per state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from ringline.engine.conversation.number_words import ONES
from ringline.engine.conversation.spelling import normalise
from ringline.ipc.messages import Expectation
from ringline.workers.llm.flow import check, flow_file, pattern
from ringline.workers.llm.flow.flow_file import Expect, FlowError, FlowTables, Key, StateTable
from ringline.workers.llm.flow.grammar import jsgf
from ringline.workers.llm.flow.mentions import Mentions
from ringline.workers.llm.flow.pattern import Node, PatternError, Rule, Slot, choice, optional, sequence, unspoken
from ringline.workers.llm.flow.phrases import optional_slots, phrases
from ringline.workers.llm.flow.slots import Choice, Date, Digits, Hours, Name, SlotTable, Time, YesNo
from ringline.workers.llm.flow.yes_no import no, yes

_BARE_TYPES: dict[str, Callable[[], SlotTable]] = {"date": Date, "time": Time, "yes_no": YesNo}
"""Types that a pattern may name without a ``[slots]`` table: they have no key that must be given."""

_INSTEAD = (
    *("i said", "i meant", "i mean", "it is", "better", "can we make it", "but"),
    *("make", "make that", "let's make it", "let's do", "let's say"),  # "make a" is what Whisper makes of "make it"
    *("i want", "i'd like", "i would like", "i'd prefer", "how about", "what about", "can we do"),
)
"""What stands between a "no" and the value that is right."""


class Heard(msgspec.Struct, frozen=True):
    """One thing that the caller may say in a state, and what follows from it."""

    node: Node
    goto: str
    set: Mapping[str, str] = {}
    clear: tuple[str, ...] = ()
    answer: bool = False
    """The yes or the no of a state that confirms: `verdict` decides."""


class State(msgspec.Struct, frozen=True):
    """A state, ready for use."""

    name: str
    table: StateTable
    heard: tuple[Heard, ...]
    """The state's own first, then what counts everywhere."""
    keys: Mapping[str, Key]
    no_match: tuple[str, ...]
    no_input: tuple[str, ...]
    otherwise: str
    expect: Expectation
    mentions: Mentions
    """The values that may be said here."""
    question: frozenset[str]
    """Words of what the state says: who answers may repeat them."""
    offer: frozenset[str]
    """What tells the bot to do what a state that confirms asks for: ``book it``."""


class Flow(msgspec.Struct, frozen=True):
    """A whole flow. Immutable, and the same for all calls."""

    file: str
    start: str
    hours: Hours
    slots: Mapping[str, SlotTable]
    states: Mapping[str, State]
    language: str


def load(folder: str | Path) -> Flow:
    """The flow of an agent's folder. Raises FlowError; OSError if its file cannot be read."""
    return compile_flow(flow_file.read(folder))


def compile_flow(tables: FlowTables, language: str = "en") -> Flow:
    """The flow that the tables describe. Raises FlowError.

    The language (``en``, ``en-GB``, ``de``) is the one in which callers name days and times, and says how those in
    figures are read, ``12/1``.
    """
    return _Compiler(tables, language).flow()


class _Compiler:
    def __init__(self, tables: FlowTables, language: str) -> None:
        self._tables = tables
        self._language = language
        self._slots = dict(tables.slots)
        self._patterns: dict[str, Node] = {}
        self._rules: dict[str, Node] = {}
        self._open_rules: list[str] = []

    def flow(self) -> Flow:
        tables = self._tables
        for name in tables.rules:
            self._checked_rule(name)
        everywhere = self._expected(tables.everywhere.expect, "global")
        own = {name: self._own(name, table) for name, table in tables.states.items()}
        check.names(tables, frozenset(self._slots))
        check.values(tables, self._slots)
        states = {
            name: self._state(name, table, own, everywhere if table.waits else [])
            for name, table in tables.states.items()
        }
        check.reach(tables)
        return Flow(tables.file, tables.start, tables.hours, self._slots, states, self._language)

    def _state(self, name: str, table: StateTable, own: dict[str, list[Heard]], everywhere: list[Heard]) -> State:
        defaults = self._tables.defaults
        sources = [name, *table.also]
        of_state = [one for source in sources for one in own[source]]
        heard = of_state + everywhere
        keys: dict[str, Key] = {}
        for dtmf in (self._tables.everywhere.dtmf, *(self._tables.states[source].dtmf for source in reversed(sources))):
            keys |= {digits: Key(goto=key) if isinstance(key, str) else key for digits, key in dtmf.items()}
        num_keys = max(map(len, keys), default=0)
        num_spoken = 0
        if table.ask:
            asked = self._slots[table.ask]
            num_keys = max(num_keys, asked.num_keys)
            num_spoken = asked.length if isinstance(asked, Digits) else 0
        grammar = jsgf(name, (one.node for one in heard)) if table.waits else ""
        nodes = [one.node for one in of_state]
        further = [slot for node in nodes for slot in optional_slots(node)]
        weighted = [*self._asked(table), *nodes, *further, *(one.node for one in everywhere)]
        return State(
            name=name,
            table=table,
            heard=tuple(heard),
            keys=keys if table.waits else {},
            no_match=defaults.no_match if table.no_match is None else table.no_match,
            no_input=defaults.no_input if table.no_input is None else table.no_input,
            otherwise=table.otherwise or defaults.otherwise,
            expect=Expectation(grammar, phrases(weighted), num_keys, num_spoken) if table.waits else Expectation(),
            mentions=self._mentions(heard),
            question=frozenset(word for text in table.says for word in normalise(check.FIELD.sub(" ", text))),
            offer=self._offer(table),
        )

    def _mentions(self, heard: list[Heard]) -> Mentions:
        """All values that may be said, but yes and no, which take others back."""
        names = dict.fromkeys(name for one in heard for name in sorted(pattern.slot_names(one.node)))
        slots = {name: self._slots[name] for name in names}
        return Mentions(
            tuple(
                # Days may stand for one another, and so may times; two lists of names have nothing in common.
                (name, name if isinstance(slot, Choice | Name) else type(slot).__name__, self._patterns[name])
                for name, slot in slots.items()
                if not isinstance(slot, YesNo)
            )
        )

    def _offer(self, table: StateTable) -> frozenset[str]:
        """``book it``, where a yes runs the tool ``book``, or ``book_table``."""
        name = table.yes
        for _ in self._tables.states:
            state = self._tables.states.get(name)
            if state is None or state.waits:
                break
            if state.tool:
                verb, _, rest = state.tool.partition("_")
                things = (
                    "it",
                    "that",
                    "this",
                    "this one",
                    "that one",
                    "it in",
                    *filter(None, [rest.replace("_", " ")]),
                )
                return frozenset(f"{verb} {thing}" for thing in things)
            name = state.goto
        return frozenset()

    def _asked(self, table: StateTable) -> list[Node]:
        """What answers the state's question: its value, or yes and no."""
        if table.confirm:
            return [yes(), no()]
        if not table.ask:
            return []
        slot = self._slots[table.ask]
        # All that can be said of four digits are ten words.
        return [choice(*ONES[:10])] if isinstance(slot, Digits) else [slot.pattern()]

    def _own(self, name: str, table: StateTable) -> list[Heard]:
        """What the caller may say in this state only."""
        where = f"state.{name}"
        heard = self._expected(table.expect, where)
        if table.ask:
            node = sequence(self._lead(table.ask), Slot(table.ask, self._slot(table.ask, "", f"{where}.ask")))
            # Phrases of its own say better how the slot is given; twice in a grammar would only cost time.
            given = any(
                table.ask in pattern.slot_names(one.node) and not isinstance(one.node, pattern.Unspoken)
                for one in heard
            )
            heard.append(Heard(unspoken(node) if given else node, ""))
        if table.confirm:
            heard.append(Heard(yes(), table.yes, answer=True))
            heard.append(Heard(no(), table.no, clear=table.confirm, answer=True))
            heard.append(Heard(self._correction(table.confirm, f"{where}.confirm"), ""))
        return heard

    def _correction(self, names: tuple[str, ...], where: str) -> Node:
        """``no, make it tuesday``: a new value for one or more of the slots."""
        parts = [(self._lead(name), Slot(name, self._slot(name, "", where))) for name in names]
        shapes = []
        for index, (lead, slot) in enumerate(parts):
            behind = [optional(sequence(*following)) for following in parts[index + 1 :]]
            shapes.append(sequence(lead, slot, *behind))
            if before := [sequence(*one) for one in parts[:index]]:
                shapes.append(unspoken(sequence(lead, slot, *before)))  # ``no, at eleven on wednesday``
        wrong = choice(*(sequence(lead, Slot("", slot.item)) for lead, slot in parts))
        return sequence(
            optional("no", unspoken("yes", "yeah", "sorry", "wait", "no wait", "no sorry")),
            optional(unspoken("but", "actually", "rather", "sorry")),
            optional(unspoken(sequence("not", wrong))),
            optional("make it", unspoken(*_INSTEAD)),
            optional(unspoken("a", "an", "the")),
            choice(*shapes),
        )

    def _lead(self, name: str) -> Node:
        lead = self._slots[name].lead() if name in self._slots else ()
        return optional(*lead) if lead else sequence()

    def _expected(self, table: Iterable[Expect], where: str) -> list[Heard]:
        heard = []
        for index, expect in enumerate(table):
            key = f"{where}.expect[{index}]"
            nodes = [self._pattern(phrase, f"{key}.phrases") for phrase in expect.phrases]
            nodes += [unspoken(self._pattern(phrase, f"{key}.understood")) for phrase in expect.understood]
            heard += [Heard(node, expect.goto, expect.set, expect.clear) for node in nodes]
        return heard

    def _pattern(self, text: str, where: str) -> Node:
        try:
            return pattern.parse(text, lambda name, kind: self._slot(name, kind, where), lambda name: self._rule(name))
        except PatternError as error:
            raise FlowError(f"{self._tables.file}: {where}: {error}") from None

    def _slot(self, name: str, kind: str, where: str) -> Node:
        if name not in self._slots:
            if kind not in _BARE_TYPES:
                what = f"there is no [slots.{name}]" if not kind else f"`{kind}` needs a [slots.{name}] table"
                raise FlowError(f"{self._tables.file}: {where}: slot `{name}`: {what}")
            self._slots[name] = _BARE_TYPES[kind]()
        slot = self._slots[name]
        if kind not in ("", type(slot).__struct_config__.tag):
            tag = type(slot).__struct_config__.tag
            raise FlowError(f"{self._tables.file}: {where}: slot `{name}` is of type `{tag}`, not `{kind}`")
        if name not in self._patterns:
            try:
                self._patterns[name] = Rule(name, slot.pattern())
            except PatternError as error:
                raise FlowError(f"{self._tables.file}: slots.{name}: {error}") from None
        return self._patterns[name]

    def _checked_rule(self, name: str) -> None:
        try:
            self._rule(name)
        except PatternError as error:
            raise FlowError(f"{self._tables.file}: rules.{name}: {error}") from None

    def _rule(self, name: str) -> Node:
        if name not in self._tables.rules or name in self._slots:
            what = "it is a slot's name too" if name in self._slots else "there is no such key in [rules]"
            raise PatternError(f"rule `{name}`: {what}")
        if name in self._open_rules:
            raise PatternError(f"rule `{name}` leads back to itself")
        if name not in self._rules:
            self._open_rules.append(name)
            self._rules[name] = self._pattern(self._tables.rules[name], f"rules.{name}")
            self._open_rules.pop()
        return self._rules[name]
