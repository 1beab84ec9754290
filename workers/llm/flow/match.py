"""A transcript's words against patterns: what was meant, and with which values."""

from __future__ import annotations

from ringline.engine.conversation.number_words import CARDINALS, ONES, TENS, ordinal
from ringline.workers.llm.flow import pattern
from ringline.workers.llm.flow.pattern import Node

Atoms = tuple[tuple[str, str | int], ...]
"""What was said of a slot, as (key, value) pairs in the order of the words."""
Bindings = tuple[tuple[str, Atoms], ...]
"""(slot, atoms) pairs in the order of the words."""
Found = tuple[int, Atoms, Bindings]
"""(end, atoms of the slot around, slots)."""

_JOINED = CARDINALS | {"hundred", "thousand", "double", "triple", "treble", "quadruple", "nought", "naught"}
"""Words that belong to the same number as such a word next to them."""
_ORDINALS = frozenset(ordinal(number) for number in range(1, 10))
_MOMENTS = frozenset({"moment", "second", "sec", "minute"})
"""Behind ``one`` the caller asks to wait."""

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
        """Whether a number would be understood by half: the ``ten`` of ``ten twenty`` is not ten o'clock, and neither
        are those of ``ten point five`` and ``ten hundred``; nor is the ``one`` of ``one moment``."""
        behind = self.tokens[end] if end < len(self.tokens) else ""
        if self.tokens[end - 1] == "one" and behind in _MOMENTS:
            return True
        return self._is_joined(start) or self._is_joined(end)

    def _is_joined(self, index: int) -> bool:
        """Whether the words before and behind this place are of one number."""
        before, behind = self.tokens[max(0, index - 2) : index], self.tokens[index : index + 2]
        if not before or not behind:
            return False
        if before[-1] == "point":
            return before[0] in _JOINED and behind[0] in _JOINED
        if behind[0] == "point":
            return before[-1] in _JOINED and behind[-1] in _JOINED
        if behind[0] in _ORDINALS:
            return before[-1] in TENS[2:]
        return before[-1] in _JOINED and behind[0] in _JOINED

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
            case pattern.Read(key=key, read=read):
                return [(end, ((key, value),), ()) for end, value in read(self.tokens, start)]
            case pattern.Slot(name=name, item=item):
                return [
                    (end, (), ((name, atoms), *slots) if name else slots)
                    for end, atoms, slots in self._match(item, start)
                ]
        raise TypeError(f"{type(node).__name__} is no pattern")
