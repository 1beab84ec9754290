"""Where the values that a state knows stand in what was said."""

from __future__ import annotations

from ringline.workers.llm.flow.match import Atoms, Reader
from ringline.workers.llm.flow.pattern import Node, Slot
from ringline.workers.llm.flow.repairs import Mention, Tokens

Value = tuple[int, int, str, Atoms]
"""(begin, end, slot, what was said of it)"""


class Mentions:
    """The slots of a state, and how to find them."""

    def __init__(self, slots: tuple[tuple[str, str, Node], ...]) -> None:
        """``slots``: name, kind and pattern of each; values of one kind may stand for one another."""
        self._kinds = {name: kind for name, kind, _ in slots}
        self._nodes = tuple(Slot(name, node) for name, _, node in slots)

    def __call__(self, tokens: Tokens) -> list[Mention]:
        """The values in a transcript, the longest that stand there, apart from each other."""
        return [Mention(begin, end, self._kinds[name]) for begin, end, name, _ in _apart(self.values(Reader(tokens)))]

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
