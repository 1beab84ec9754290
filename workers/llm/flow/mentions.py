"""Where the values that a state knows stand in what was said."""

from __future__ import annotations

from collections.abc import Callable

from ringline.workers.llm.flow.match import Atoms, Reader
from ringline.workers.llm.flow.pattern import Node, Slot
from ringline.workers.llm.flow.repairs import Mention, Tokens

Resolve = Callable[[str, Atoms], str | None]
"""(slot, what was said of it) -> the value, None if there is no such value"""
Value = tuple[int, int, str, Atoms]
"""(begin, end, slot, what was said of it)"""


class Mentions:
    """The slots of a state, and how to find them."""

    def __init__(self, slots: tuple[tuple[str, str, Node], ...]) -> None:
        """``slots``: name, kind and pattern of each; values of one kind may stand for one another."""
        self._kinds = {name: kind for name, kind, _ in slots}
        self._nodes = tuple(Slot(name, node) for name, _, node in slots)

    def __call__(self, tokens: Tokens, value: Resolve) -> list[Mention]:
        """The values in a transcript, the longest that stand there, apart from each other.

        Where the longest makes no sense but two one after the other do, there are two: ``not tuesday, the third``, if
        the third is a Thursday.
        """
        reader = Reader(tokens)
        found: list[Value] = []
        for one in _apart(self.values(reader)):
            _, _, name, atoms = one
            found += [one] if value(name, atoms) is not None else self._two(reader, one, value) or [one]
        return [Mention(begin, end, self._kinds[name]) for begin, end, name, _ in found]

    def _two(self, reader: Reader, whole: Value, value: Resolve) -> list[Value]:
        """Two values that what stands there falls into, none if it does not."""
        begin, end, name, _ = whole
        node = next(node for node in self._nodes if node.name == name)
        parts = [
            (start, stop, name, atoms)
            for start, stop, slots in reader.search(node, begin, end)
            for _, atoms in slots
            if (start == begin) != (stop == end) and value(name, atoms) is not None
        ]
        pairs = [[one, other] for one in parts for other in parts if one[0] == begin and one[1] == other[0]]
        return pairs[0] if pairs else []

    def values(self, reader: Reader) -> list[Value]:
        """For each slot, the longest values that stand in a transcript, apart from those of the same slot; in the order
        of the words, the longer ones first."""
        found: list[Value] = []
        for node in self._nodes:
            places = (
                (begin, end, name, atoms)
                for begin, end, slots in reader.search(node, 0, len(reader.tokens))
                for name, atoms in slots
            )
            found += _apart(sorted(places, key=_order))
        return sorted(found, key=_order)


def _order(value: Value) -> tuple[int, int]:
    return value[0], -value[1]


def _apart(values: list[Value]) -> list[Value]:
    chosen: list[Value] = []
    for value in values:
        if not chosen or value[0] >= chosen[-1][1]:
            chosen.append(value)
    return chosen
