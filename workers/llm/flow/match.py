"""A transcript's words against patterns: what was meant, and with which values."""

from __future__ import annotations

from ringline.engine.conversation.number_words import CARDINALS, ONES, TENS
from ringline.workers.llm.flow import pattern
from ringline.workers.llm.flow.pattern import Node

Atoms = tuple[tuple[str, str | int], ...]
"""What was said of a slot, as (key, value) pairs in the order of the words."""
Bindings = tuple[tuple[str, Atoms], ...]
"""(slot, atoms) pairs in the order of the words."""
Found = tuple[int, Atoms, Bindings]
"""(end, atoms of the slot around, slots)."""

MAX_WORDS = 80
"""Of a transcript; bounds the work for one turn."""


class Reader:
    """One transcript, and what has been found in it so far."""

    def __init__(self, tokens: tuple[str, ...]) -> None:
        self.tokens = tokens[:MAX_WORDS]
        self._memo: dict[tuple[Node, int], tuple[Found, ...]] = {}

    def search(self, node: Node, start: int, end: int) -> list[tuple[int, int, Bindings]]:
        """Every place within [start, end) where the pattern stands, as (start, end, slots)."""
        return [
            (begin, stop, slots)
            for begin in range(start, end)
            if self.tokens[begin] in node.starts
            for stop, _, slots in self._match(node, begin)
            if begin < stop <= end and not self._cuts_number(begin, stop)
        ]

    def _cuts_number(self, start: int, end: int) -> bool:
        """Whether a number would be understood by half: the ``ten`` of ``ten twenty`` is not ten o'clock."""
        tokens = self.tokens
        before = start > 0 and tokens[start - 1] in CARDINALS and tokens[start] in CARDINALS
        behind = end < len(tokens) and tokens[end - 1] in CARDINALS and tokens[end] in CARDINALS
        return before or behind

    def _is_inside_number(self, end: int) -> bool:
        """Whether ``end`` is between a ``twenty`` and the ``one`` that belongs to it."""
        return 0 < end < len(self.tokens) and self.tokens[end - 1] in TENS[2:] and self.tokens[end] in ONES[1:10]

    def _match(self, node: Node, start: int) -> tuple[Found, ...]:
        if start >= len(self.tokens) or self.tokens[start] not in node.starts:
            return ((start, (), ()),) if node.may_be_empty else ()
        key = (node, start)
        found = self._memo.get(key)
        if found is None:
            found = self._memo[key] = tuple(dict.fromkeys(self._find(node, start)))
        return found

    def _find(self, node: Node, start: int) -> list[Found]:
        match node:
            case pattern.Word(tokens=tokens):
                end = start + len(tokens)
                return [(end, (), ())] if self.tokens[start:end] == tokens else []
            case pattern.Sequence(items=items):
                found: list[Found] = [(start, (), ())]
                for item in items:
                    longer = (
                        (end, atoms + more_atoms, slots + more_slots)
                        for middle, atoms, slots in found
                        for end, more_atoms, more_slots in self._match(item, middle)
                    )
                    found = list(dict.fromkeys(longer))
                return found
            case pattern.Choice(items=items):
                return [one for item in items for one in self._match(item, start)]
            case pattern.Optional(item=item):
                return [*self._match(item, start), (start, (), ())]
            case pattern.Rule(item=item) | pattern.Unspoken(item=item):
                return list(self._match(item, start))
            case pattern.Atom(key=key, value=value, item=item):
                return [
                    (end, ((key, value), *atoms), slots)
                    for end, atoms, slots in self._match(item, start)
                    if not self._is_inside_number(end)
                ]
            case pattern.Slot(name=name, item=item):
                return [
                    (end, (), ((name, atoms), *slots) if name else slots)
                    for end, atoms, slots in self._match(item, start)
                ]
        raise TypeError(f"{type(node).__name__} is no pattern")
