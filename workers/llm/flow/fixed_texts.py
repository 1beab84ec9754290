"""What a flow says whatever is said to it: texts without slots, as they follow each other in a reply."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from ringline.ipc.messages import Generate
from ringline.workers.llm.flow.brain import answer
from ringline.workers.llm.flow.check import FIELD, PROMPT
from ringline.workers.llm.flow.compile import Flow, State

MAX_TEXTS = 200
"""Those at the end of a very large flow are made when they are first said."""

_OPENING = Generate(0, 0, 0, "opening", ())


def fixed_texts(flow: Flow) -> tuple[str, ...]:
    """Replies, or what they begin with, each once: what opens a call, then what each state says when it is entered,
    then what is said of answers that were not understood."""
    found = dict.fromkeys(islice(_texts(flow), MAX_TEXTS))
    return tuple(text for text in found if text)


def _texts(flow: Flow) -> Iterator[str]:
    text, _ = answer(flow, _OPENING, datetime.now())
    yield text
    for state in flow.states.values():
        for own in state.table.says:
            yield _from(flow, state, own)
    for state in flow.states.values():
        if state.table.waits:
            yield from _misses(state)


def _from(flow: Flow, state: State, own: str) -> str:
    """The reply that begins with entering this state, as far as it is fixed."""
    texts: list[str] = []
    passed: set[str] = set()
    while not FIELD.search(own):
        texts.append(own)
        passed.add(state.name)
        table = state.table
        if table.waits or table.tool or table.goto not in flow.states or table.goto in passed:
            break
        state = flow.states[table.goto]
        own = state.table.says[0]
    return " ".join(text for text in texts if text)


def _misses(state: State) -> Iterator[str]:
    """Its prompt must be fixed, too, where they repeat it."""
    for text in (*state.no_match, *state.no_input):
        for prompt in state.table.says:
            whole = text.replace(f"{{{PROMPT}}}", prompt)
            if not FIELD.search(whole):
                yield whole
