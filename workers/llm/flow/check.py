"""What must hold between the tables of a flow: names exist, and every state can be reached and left."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ringline.workers.llm.flow.flow_file import BACK, REPEAT, Expect, FlowError, FlowTables, Global, Key, StateTable
from ringline.workers.llm.flow.slots import SlotTable

PROMPT = "prompt"
"""In texts for no match and no input: what the state said."""

FIELD = re.compile(r"\{([^{}]*)\}")
"""A ``{slot}`` in a text."""

Edge = tuple[str, str]
"""(key, state it names)"""


def names(tables: FlowTables, slots: frozenset[str]) -> None:
    """Every state and slot that is named exists, and each state says one thing about what comes next."""
    file = tables.file
    if PROMPT in slots:
        raise FlowError(f"{file}: slots.{PROMPT}: the name is taken: `{{{PROMPT}}}` is what a state said")
    if tables.start not in tables.states:
        raise FlowError(f"{file}: start: there is no [state.{tables.start}]")
    for name, table in tables.states.items():
        _one_way_on(file, f"state.{name}", table, tables)
    for where, target in _all_edges(tables):
        if target and target not in tables.states and target not in (REPEAT, BACK):
            raise FlowError(f"{file}: {where}: there is no [state.{target}]")
    for where, slot in _all_slots(tables):
        if slot not in slots:
            raise FlowError(f"{file}: {where}: slot `{slot}`: there is no [slots.{slot}]")


def values(tables: FlowTables, slots: Mapping[str, SlotTable]) -> None:
    """What the file itself puts into slots are values of their types."""
    for where, settings in _settings(tables):
        for slot, value in settings.items():
            try:
                slots[slot].spoken(value)
            except ValueError as error:
                raise FlowError(f"{tables.file}: {where}.{slot}: {error}") from None


def reach(tables: FlowTables) -> None:
    """Every state can be reached from the start, and none leads in a circle without waiting for the caller."""
    reached: set[str] = set()
    waiting = [
        tables.start,
        tables.defaults.otherwise,
        *(target for _, target in _expect_edges(tables.everywhere.expect, tables.everywhere.dtmf, "global")),
    ]
    while waiting:
        name = waiting.pop()
        if name in reached or name not in tables.states:
            continue
        reached.add(name)
        table = tables.states[name]
        waiting += [target for _, target in _edges(name, table)]
        for other in table.also:
            source = tables.states[other]
            waiting += [target for _, target in _expect_edges(source.expect, source.dtmf, other)]
    for name, table in tables.states.items():
        if name not in reached:
            raise FlowError(f"{tables.file}: state.{name}: no other state leads here")
        step, passed = table, {name}
        while not step.waits and not step.tool and step.goto in tables.states:
            if step.goto in passed:
                raise FlowError(f"{tables.file}: state.{name}.goto: leads in a circle without waiting for the caller")
            passed.add(step.goto)
            step = tables.states[step.goto]


def _one_way_on(file: str, where: str, table: StateTable, tables: FlowTables) -> None:
    def error(key: str, what: str) -> FlowError:
        return FlowError(f"{file}: {where}.{key}: {what}")

    ends = [key for key in ("tool", "hang_up", "transfer") if getattr(table, key)]
    if len(ends) > 1 or (ends and table.waits):
        raise error(ends[-1], "a state waits for the caller, runs a tool, hangs up or transfers: only one of these")
    if table.ask and table.confirm:
        raise error("confirm", "a state asks or confirms, not both")
    if table.waits and not any(table.says):
        raise error("say", "the state waits for the caller and says nothing")
    if table.waits and not (table.otherwise or tables.defaults.otherwise):
        raise error("otherwise", "missing, and [defaults] has none: where to go when nothing is understood")
    if table.confirm and not (table.yes and table.no):
        raise error("yes" if table.no else "no", "missing in a state that confirms")
    if (table.yes or table.no) and not table.confirm:
        raise error("yes" if table.yes else "no", "belongs to `confirm`")
    if table.tool and not (table.on_ok and table.on_error):
        raise error("on_error" if table.on_ok else "on_ok", "missing in a state that runs a tool")
    for key in ("arguments", "on", "on_ok", "on_error"):
        if getattr(table, key) and not table.tool:
            raise error(key, "belongs to `tool`")
    if table.goto and not table.ask and (table.waits or ends):
        raise error("goto", "belongs to states that ask for a slot or wait for nothing")
    if not table.goto and (table.ask or not (table.waits or ends)):
        raise error("goto", "missing")
    for other in table.also:
        if other not in tables.states:
            raise error("also", f"there is no [state.{other}]")
        if not tables.states[other].expect:
            raise error("also", f"[state.{other}] expects nothing")
    for digits in table.dtmf:
        if not re.fullmatch(r"\*|\*?[0-9]+", digits):
            raise error(f"dtmf.{digits}", "keys are digits, or * and digits: behind others, * begins anew")


def _expect_edges(expect: tuple[Expect, ...], dtmf: dict[str, str | Key], where: str) -> Iterator[Edge]:
    for index, one in enumerate(expect):
        yield f"{where}.expect[{index}].goto", one.goto
    for digits, key in dtmf.items():
        yield f"{where}.dtmf.{digits}", key if isinstance(key, str) else key.goto


def _edges(name: str, table: StateTable) -> Iterator[Edge]:
    where = f"state.{name}"
    yield from _expect_edges(table.expect, table.dtmf, where)
    for key in ("goto", "yes", "no", "on_ok", "on_error", "otherwise"):
        yield f"{where}.{key}", getattr(table, key)
    for index, branch in enumerate(table.on):
        yield f"{where}.on[{index}].goto", branch.goto


def _all_edges(tables: FlowTables) -> Iterator[Edge]:
    yield "defaults.otherwise", tables.defaults.otherwise
    yield from _expect_edges(tables.everywhere.expect, tables.everywhere.dtmf, "global")
    for name, table in tables.states.items():
        yield from _edges(name, table)


def _expectations(tables: FlowTables) -> Iterator[tuple[str, Expect | Key]]:
    """(where, what) for everything that the caller may say or key."""
    tables_of: dict[str, Global | StateTable] = {"global": tables.everywhere}
    tables_of |= {f"state.{name}": table for name, table in tables.states.items()}
    for where, table in tables_of.items():
        yield from ((f"{where}.expect[{index}]", one) for index, one in enumerate(table.expect))
        yield from ((f"{where}.dtmf.{digits}", key) for digits, key in table.dtmf.items() if isinstance(key, Key))


def _settings(tables: FlowTables) -> Iterator[tuple[str, dict[str, str]]]:
    for where, one in _expectations(tables):
        yield f"{where}.set", one.set


def _all_slots(tables: FlowTables) -> Iterator[tuple[str, str]]:
    """(key, slot) wherever a slot is named outside a pattern."""
    for where, one in _expectations(tables):
        yield from ((f"{where}.set", slot) for slot in one.set)
        yield from ((f"{where}.clear", slot) for slot in one.clear)
    for name, table in tables.states.items():
        where = f"state.{name}"
        yield from ((f"{where}.say", slot) for text in table.says for slot in FIELD.findall(text))
        yield from ((f"{where}.ask", slot) for slot in [table.ask] if slot)
        yield from ((f"{where}.confirm", slot) for slot in table.confirm)
        for key, text in table.arguments.items():
            yield from ((f"{where}.arguments.{key}", slot) for slot in FIELD.findall(text))
        for index, branch in enumerate(table.on):
            yield from ((f"{where}.on[{index}]", slot) for slot in (*branch.take, *branch.clear))
    for where, texts in _miss_texts(tables):
        for text in texts or ():
            yield from ((where, slot) for slot in FIELD.findall(text) if slot != PROMPT)


def _miss_texts(tables: FlowTables) -> Iterator[tuple[str, tuple[str, ...] | None]]:
    yield "defaults.no_match", tables.defaults.no_match
    yield "defaults.no_input", tables.defaults.no_input
    for name, table in tables.states.items():
        yield f"state.{name}.no_match", table.no_match
        yield f"state.{name}.no_input", table.no_input
