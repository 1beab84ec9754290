"""Patterns -> a JSGF grammar, as grammar recognisers (pocketsphinx) take it."""

from __future__ import annotations

from collections.abc import Iterable

from ringline.workers.llm.flow import pattern
from ringline.workers.llm.flow.pattern import Node


def jsgf(name: str, patterns: Iterable[Node]) -> str:
    """The grammar that accepts exactly one of the patterns, without their unspoken parts.

    Empty if nothing of them can be spoken.
    """
    rules: dict[str, str] = {}
    phrases = list(dict.fromkeys(text for node in patterns if (text := _text(node, rules))))
    if not phrases:
        return ""
    lines = ["#JSGF V1.0;", f"grammar {name};", "public <turn> =", "    " + "\n  | ".join(phrases) + "\n;"]
    lines += [f"<{rule}> = {text};" for rule, text in rules.items()]
    return "\n".join(lines) + "\n"


def _text(node: Node, rules: dict[str, str]) -> str | None:
    """The node in JSGF; None if it cannot be spoken, empty if only the empty phrase can."""
    match node:
        case pattern.Word(spoken=spoken):
            return spoken
        case pattern.Sequence(items=items):
            texts: list[str] = []
            for item in items:
                text = _text(item, rules)
                if text is None:  # what stands behind it need not be gone through: of twenty digits that takes seconds
                    return None
                texts.append(text)
            return " ".join(filter(None, texts))
        case pattern.Choice(items=items):
            alternatives = _alternatives(items, rules)
            return f"({' | '.join(alternatives)})" if len(alternatives) > 1 else next(iter(alternatives), None)
        case pattern.Optional(item=item):
            alternatives = _alternatives(item.items if isinstance(item, pattern.Choice) else (item,), rules)
            return f"[{' | '.join(alternatives)}]" if alternatives else ""
        case pattern.Rule(name=name, item=item):
            text = _text(item, rules)
            if not text:
                return text
            # Two rules may have the same name (a slot called ``hour``), and many the same name and text.
            names = [name, *(f"{name}_{number}" for number in range(2, len(rules) + 2))]
            free = next(one for one in names if rules.setdefault(one, text) == text)
            return f"<{free}>"
        case pattern.Atom(item=item) | pattern.Slot(item=item) | pattern.Read(item=item):
            return _text(item, rules)
        case pattern.Unspoken():
            return None
    raise TypeError(f"{type(node).__name__} is no pattern")


def _alternatives(items: Iterable[Node], rules: dict[str, str]) -> list[str]:
    return list(dict.fromkeys(text for item in items if (text := _text(item, rules))))
