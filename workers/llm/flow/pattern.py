"""Phrases and their patterns: the one source of the recogniser's grammar and of the transcript's parser.

    [i want to | i would like to] (book | make) [an] appointment [on {day:date}]

``[ ]`` is optional, ``( )`` groups, ``|`` separates alternatives, ``{slot}`` or ``{slot:type}`` is a value,
``<rule>`` another pattern by its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from ringline.engine.conversation.spelling import normalise

ReadWords = Callable[[tuple[str, ...], int], Iterable[tuple[int, str]]]
"""(tokens, start) -> (end, value) of all values that begin there."""


class PatternError(ValueError):
    """The pattern cannot be read; the message says where."""


class Node:
    """A part of a pattern. Nodes are shared and compared by identity, which is what the parser's memo needs.

    ``starts`` are the tokens with which it can begin, ``may_be_empty`` says whether it can stand for no words at all:
    with these two the parser passes over most of a transcript without looking closer.
    """

    def __init__(self, starts: frozenset[str], may_be_empty: bool) -> None:
        self.starts = starts
        self.may_be_empty = may_be_empty


class Word(Node):
    """A word as it is spoken, and the tokens that a normalised transcript has for it."""

    def __init__(self, spoken: str, tokens: tuple[str, ...]) -> None:
        super().__init__(frozenset(tokens[:1]), not tokens)
        self.spoken = spoken
        self.tokens = tokens


class Sequence(Node):
    """All the items, one after the other."""

    def __init__(self, items: tuple[Node, ...]) -> None:
        starts: set[str] = set()
        for item in items:
            starts |= item.starts
            if not item.may_be_empty:
                break
        super().__init__(frozenset(starts), all(item.may_be_empty for item in items))
        self.items = items


class Choice(Node):
    """One of the items."""

    def __init__(self, items: tuple[Node, ...]) -> None:
        starts = frozenset(token for item in items for token in item.starts)
        super().__init__(starts, any(item.may_be_empty for item in items))
        self.items = items


class _Part(Node):
    """One item, and something about it."""

    def __init__(self, item: Node) -> None:
        super().__init__(item.starts, item.may_be_empty)
        self.item = item


class Optional(_Part):
    """The item or nothing."""

    def __init__(self, item: Node) -> None:
        super().__init__(item)
        self.may_be_empty = True


class Rule(_Part):
    """A named part, which the grammar defines once."""

    def __init__(self, name: str, item: Node) -> None:
        super().__init__(item)
        self.name = name


class Atom(_Part):
    """The item, and what it means: ``key`` is ``value``."""

    def __init__(self, key: str, value: str | int, item: Node) -> None:
        if item.may_be_empty:
            raise PatternError(f"nothing at all cannot mean `{value}`")
        super().__init__(item)
        self.key = key
        self.value = value


class Slot(_Part):
    """The item, whose atoms are the value of slot ``name``. Without a name it is understood and forgotten."""

    def __init__(self, name: str, item: Node) -> None:
        super().__init__(item)
        self.name = name


class Unspoken(_Part):
    """Understood in a transcript, but not in the grammar: each alternative less makes the others easier to hear."""


class Read(_Part):
    """A value with more forms than alternatives can list: ``read`` finds it in a transcript. The item is what the
    grammar has for it; `NOTHING` for a value that it leaves out."""

    def __init__(self, key: str, starts: frozenset[str], read: ReadWords, item: Node) -> None:
        super().__init__(item)
        self.key = key
        self.starts = starts
        self.may_be_empty = False
        self.read = read


NOTHING = Choice(())


def word(spoken: str) -> Node:
    """A word, or several in a row."""
    words = [Word(text, normalise(text)) for text in spoken.split()]
    return words[0] if len(words) == 1 else Sequence(tuple(words))


def sequence(*items: Node | str) -> Node:
    """All the items in a row; a str is words."""
    return Sequence(tuple(_nodes(items)))


def choice(*items: Node | str) -> Node:
    """One of the items; a str is words."""
    return Choice(tuple(_nodes(items)))


def optional(*items: Node | str) -> Node:
    """One of the items or nothing."""
    return Optional(choice(*items) if len(items) > 1 else next(iter(_nodes(items))))


def unspoken(*items: Node | str) -> Node:
    """One of the items, parsed but kept out of the grammar."""
    return Unspoken(choice(*items) if len(items) > 1 else next(iter(_nodes(items))))


def atoms(key: str, values: dict[str, int]) -> Node:
    """One of the words, which mean ``key`` is their value."""
    return Choice(tuple(Atom(key, value, word(text)) for text, value in values.items()))


def _nodes(items: Iterable[Node | str]) -> Iterable[Node]:
    return (word(item) if isinstance(item, str) else item for item in items)


def slot_names(node: Node) -> set[str]:
    """The slots that a pattern may fill."""
    match node:
        case Slot(name=name):
            return {name} - {""}
        case Sequence(items=items) | Choice(items=items):
            return {name for item in items for name in slot_names(item)}
        case Optional(item=item) | Rule(item=item) | Atom(item=item) | Unspoken(item=item):
            return slot_names(item)
    return set()


@lru_cache(maxsize=4096)
def reads(node: Node) -> bool:
    """Whether a pattern holds a value that is read from the transcript (`Read`)."""
    match node:
        case Read():
            return True
        case Sequence(items=items) | Choice(items=items):
            return any(reads(item) for item in items)
        case Optional(item=item) | Rule(item=item) | Atom(item=item) | Slot(item=item) | Unspoken(item=item):
            return reads(item)
    return False


def slots(node: Node) -> list[Slot]:
    """The slots that a pattern may fill, each name once."""
    match node:
        case Slot():
            return [node] if node.name else []
        case Sequence(items=items) | Choice(items=items):
            return list({slot.name: slot for item in items for slot in slots(item)}.values())
        case Optional(item=item) | Rule(item=item) | Atom(item=item) | Unspoken(item=item):
            return slots(item)
    return []


def optional_parts(node: Node) -> list[Node]:
    """The optional parts that hold slots, outermost first: callers say them before, behind or in between."""
    match node:
        case Optional(item=item):
            return [item, *optional_parts(item)] if slot_names(item) else []
        case Sequence(items=items) | Choice(items=items):
            return [part for item in items for part in optional_parts(item)]
        case Rule(item=item) | Unspoken(item=item):
            return optional_parts(item)
    return []


_TOKEN = re.compile(r"\s*(?:([\[\]()|])|\{([a-z_]\w*)(?::([a-z_]\w*))?\}|<([a-z_]\w*)>|([a-z][a-z'.-]*))")

SlotLookup = Callable[[str, str], Node]
"""(slot, type or "") -> its pattern. Raises PatternError for one that does not exist."""
RuleLookup = Callable[[str], Node]
"""Rule name -> its pattern. Raises PatternError for one that does not exist."""


def parse(text: str, slot: SlotLookup, rule: RuleLookup) -> Node:
    """The pattern in ``text``. Raises PatternError."""
    node = _Parser(text, slot, rule).whole()
    if node.may_be_empty:
        raise PatternError(f"`{text}` can be said without a word")
    return node


class _Parser:
    def __init__(self, text: str, slot: SlotLookup, rule: RuleLookup) -> None:
        self._text = text
        self._slot = slot
        self._rule = rule
        self._position = 0
        self._token: re.Match[str] | None = None
        self._advance()

    def whole(self) -> Node:
        node = self._choice()
        if self._token is not None:
            raise self._error(f"`{self._token.group(1)}` closes nothing")
        return node

    def _advance(self) -> None:
        if not self._text[self._position :].strip():
            self._token = None
            return
        self._token = _TOKEN.match(self._text, self._position)
        if self._token is None:
            raise self._error("only lower-case words, [ ] ( ) |, {slot}, {slot:type} and <rule> can stand here")
        self._position = self._token.end()

    def _choice(self) -> Node:
        items = [self._sequence()]
        while self._token is not None and self._token.group(1) == "|":
            self._advance()
            items.append(self._sequence())
        return items[0] if len(items) == 1 else Choice(tuple(items))

    def _sequence(self) -> Node:
        items: list[Node] = []
        while self._token is not None and self._token.group(1) not in ("|", "]", ")"):
            items.append(self._item(self._token))
        if not items:
            raise self._error("an alternative is empty")
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def _item(self, token: re.Match[str]) -> Node:
        bracket, slot, kind, rule, spoken = token.groups()
        self._advance()
        if slot:
            return Slot(slot, self._slot(slot, kind or ""))
        if rule:
            return Rule(rule, self._rule(rule))
        if spoken:
            return word(spoken)
        node = self._choice()
        closing = "]" if bracket == "[" else ")"
        if self._token is None or self._token.group(1) != closing:
            raise self._error(f"`{bracket}` is not closed")
        self._advance()
        return Optional(node) if bracket == "[" else node

    def _error(self, what: str) -> PatternError:
        return PatternError(f"{what} (character {self._position + 1} of `{self._text}`)")
