"""How a caller's words stand to the grammar of what the bot expects: complete, half-way, or something else."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from ringline.engine.conversation.spelling import normalise

_TOKEN = re.compile(r"[()\[\]|*+]|<[^>]*>|/[^/]*/|\{[^}]*\}|[^\s()\[\]|*+<>{}/]+")
_RULE = re.compile(r"(public\s+)?(<[^>]+>)\s*=\s*(.*)", re.DOTALL)


class Fit(msgspec.Struct, frozen=True):
    """Where words lead in a grammar."""

    complete: bool
    """They are a whole sentence of it."""
    goes_on: bool
    """A sentence of it begins with them and has more words."""


class _Word(msgspec.Struct, frozen=True):
    text: str


class _Rule(msgspec.Struct, frozen=True):
    name: str


class _Sequence(msgspec.Struct, frozen=True):
    items: tuple[_Node, ...]


class _Choice(msgspec.Struct, frozen=True):
    items: tuple[_Node, ...]


class _Repeat(msgspec.Struct, frozen=True):
    item: _Node


_Node = _Word | _Rule | _Sequence | _Choice | _Repeat
_NOTHING = _Sequence(())
_NOWHERE = _Choice(())


class _Grammar(msgspec.Struct, frozen=True):
    start: str
    rules: dict[str, _Node]


def fit(grammar: str, words: tuple[str, ...]) -> Fit:
    """How the ``words`` of `spelling.readings` fit a JSGF grammar. A text that is no grammar fits nothing."""
    read = _read(grammar)
    if read is None or not words:
        return Fit(False, read is not None)
    walk = _Walk(read, words)
    ends = walk.ends(_Rule(read.start), 0)
    return Fit(len(words) in ends, walk.wanted_more)


class _Walk:
    """All ways through a grammar at once."""

    def __init__(self, grammar: _Grammar, words: tuple[str, ...]) -> None:
        self.wanted_more = False
        self._grammar = grammar
        self._words = words
        self._known: dict[tuple[str, int], set[int]] = {}

    def ends(self, node: _Node, start: int) -> set[int]:
        """Behind which words the node can end that begins with the word ``start``."""
        match node:
            case _Word(text=text):
                if start == len(self._words):
                    self.wanted_more = True
                    return set()
                return {start + 1} if self._words[start] == text else set()
            case _Rule(name=name):
                if (name, start) not in self._known:
                    self._known[name, start] = set()  # a rule that begins with itself leads nowhere
                    self._known[name, start] = self.ends(self._grammar.rules.get(name, _NOWHERE), start)
                return self._known[name, start]
            case _Sequence(items=items):
                reached = {start}
                for item in items:
                    reached = {end for begin in reached for end in self.ends(item, begin)}
                return reached
            case _Choice(items=items):
                return {end for item in items for end in self.ends(item, start)}
            case _Repeat(item=item):
                reached, new = set[int](), {start}
                while new:
                    new = {end for begin in new for end in self.ends(item, begin)} - reached
                    reached |= new
                return reached


@lru_cache(maxsize=256)
def _read(grammar: str) -> _Grammar | None:
    """The rules of a JSGF text; None where it is none."""
    rules: dict[str, _Node] = {}
    start = ""
    for statement in grammar.split(";"):
        found = _RULE.fullmatch(statement.strip())
        if found:
            public, name, body = found.groups()
            try:
                rules[name] = _Reader(_TOKEN.findall(body)).choice()
            except IndexError:
                return None
            start = start or (name if public else "")
    return _Grammar(start, rules) if start else None


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = [token for token in tokens if token[0] not in "/{"]  # weights and tags
        self._at = 0

    def choice(self) -> _Node:
        items = [self._sequence()]
        while self._next() == "|":
            self._at += 1
            items.append(self._sequence())
        return items[0] if len(items) == 1 else _Choice(tuple(items))

    def _sequence(self) -> _Node:
        items: list[_Node] = []
        while self._next() not in ("|", ")", "]", ""):
            items.append(self._item())
        return items[0] if len(items) == 1 else _Sequence(tuple(items))

    def _item(self) -> _Node:
        token = self._take()
        node: _Node
        if token in "([":
            node = self.choice()
            self._take()
            if token == "[":
                node = _Choice((node, _NOTHING))
        elif token[0] == "<":
            node = _Rule(token)
        else:
            node = _Sequence(tuple(map(_Word, normalise(token))))
        while self._next() in ("*", "+"):
            repeated = _Repeat(node)
            node = repeated if self._take() == "+" else _Choice((repeated, _NOTHING))
        return node

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1]
