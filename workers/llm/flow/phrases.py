"""Patterns -> phrases for recognisers without grammars, which are told what to listen for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ringline.workers.llm.flow import pattern
from ringline.workers.llm.flow.pattern import Node


def phrases(patterns: Iterable[Node]) -> tuple[str, ...]:
    """What callers may say, as they would say it, in the order of the patterns: each phrase has a word that none before
    it has. Recognisers take only so many, and what stands first is what they keep."""
    known: set[str] = set()
    chosen = []
    for text in (text for node in patterns for text in _texts(node)):
        if not known.issuperset(text.split()):
            known.update(text.split())
            chosen.append(text)
    return tuple(chosen)


def optional_slots(node: Node) -> Iterator[Node]:
    """The values that a pattern may hold, and `phrases` leaves out of it."""
    for part in pattern.optional_parts(node):
        yield from _slots(part)


def _texts(node: Node) -> list[str]:
    """Phrases of one pattern: of each part all forms, but of one part at a time."""
    match node:
        case pattern.Word(spoken=spoken):
            return [spoken]
        case pattern.Choice(items=items):
            return list(dict.fromkeys(text for item in items for text in _texts(item)))
        case pattern.Sequence(items=items):
            return _in_a_row(items)
        case pattern.Optional(item=item):
            return [""] if pattern.slot_names(item) else ["", *_texts(item)]
        case pattern.Rule(item=item) | pattern.Atom(item=item) | pattern.Slot(item=item) | pattern.Read(item=item):
            return _texts(item)
        case pattern.Unspoken():
            return []
    raise TypeError(f"{type(node).__name__} is no pattern")


def _in_a_row(items: Iterable[Node]) -> list[str]:
    parts: list[list[str]] = []
    for item in items:
        texts = _texts(item)
        if not texts:  # unspoken: what stands behind it need not be gone through, which twenty digits take seconds for
            return []
        parts.append(texts)
    shortest = [texts[0] for texts in parts]
    rows = [shortest]
    for index, texts in enumerate(parts):
        rows += [[*shortest[:index], text, *shortest[index + 1 :]] for text in texts[1:]]
    return list(dict.fromkeys(" ".join(text for text in row if text) for row in rows))


def _slots(node: Node) -> Iterator[Node]:
    match node:
        case pattern.Slot(item=item):
            yield item
        case pattern.Sequence(items=items) | pattern.Choice(items=items):
            for item in items:
                yield from _slots(item)
        case pattern.Optional(item=item) | pattern.Rule(item=item) | pattern.Atom(item=item):
            yield from _slots(item)
