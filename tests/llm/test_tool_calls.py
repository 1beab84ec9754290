"""Tool calls in every form in which servers send them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringline.ipc.messages import ChatMessage, ToolCall
from ringline.workers.llm.openai_chunk import Chunk
from ringline.workers.llm.tool_calls import MAX_CALLS, ToolCalls, parse_tool_call

NAMES = ("note", "book")
X, Y = '{"text": "x"}', '{"day": "Monday"}'
BOTH = [("note", {"text": "x"}), ("book", {"day": "Monday"})]
ONE = BOTH[:1]


def function(name: str | None = None, arguments: Any = None) -> dict[str, Any]:
    return {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}


def piece(index: Any = None, id: Any = None, **fields: Any) -> dict[str, Any]:  # noqa: A002
    given = {"index": index, "id": id, "function": function(**fields)}
    return {key: value for key, value in given.items() if value is not None}


ANY_BOOK = piece(None, "b", name="book", arguments=Y)
NOTE = piece(0, "a", name="note", arguments=X)
BOOK = piece(1, "b", name="book", arguments=Y)

FORMS: dict[str, tuple[list[Any], list[tuple[str, dict[str, object]]]]] = {
    "as documented": (
        [piece(0, "a", name="note", arguments=""), piece(0, arguments=X[:5]), piece(0, arguments=X[5:])],
        ONE,
    ),
    "two, each with its index": (
        [NOTE, BOOK],
        BOTH,
    ),
    "one index, other ids": ([NOTE, piece(0, "b", name="book", arguments=Y)], BOTH),
    "one index, other ids, in pieces": (
        [
            piece(0, "a", name="note", arguments=""),
            piece(0, "a", arguments=X[:6]),
            piece(0, "a", arguments=X[6:]),
            piece(0, "b", name="book", arguments=""),
            piece(0, "b", arguments=Y[:6]),
            piece(0, "b", arguments=Y[6:]),
        ],
        BOTH,
    ),
    "one index, one tool twice": (
        [NOTE, piece(0, "b", name="note", arguments='{"text": "y"}')],
        [("note", {"text": "x"}), ("note", {"text": "y"})],
    ),
    "one index, no ids": ([piece(0, name="note", arguments=X), piece(0, name="book", arguments=Y)], BOTH),
    "no index": ([piece(None, "a", name="note", arguments=X), ANY_BOOK], BOTH),
    "no index, in pieces": (
        [
            piece(None, "a", name="note"),
            piece(arguments=X[:4]),
            piece(arguments=X[4:]),
            ANY_BOOK,
        ],
        BOTH,
    ),
    "neither index nor id": ([piece(name="note", arguments=X), piece(name="book", arguments=Y)], BOTH),
    "the same id twice": (
        [piece(None, "a", name="note", arguments=X), piece(None, "a", name="book", arguments=Y)],
        BOTH,
    ),
    "empty ids": ([piece(0, "", name="note", arguments=X), piece(1, "", name="book", arguments=Y)], BOTH),
    "an index as text": ([piece("0", "a", name="note", arguments=X), piece("1", "b", name="book", arguments=Y)], BOTH),
    "the name in each piece": (
        [piece(0, "a", name="note", arguments=X[:5]), piece(0, "a", name="note", arguments=X[5:])],
        ONE,
    ),
    "another id in each piece": ([piece(0, "a", name="note", arguments=X[:5]), piece(0, "b", arguments=X[5:])], ONE),
    "an empty name in later pieces": ([piece(0, "a", name="note"), piece(0, "", name="", arguments=X)], ONE),
    "the name in pieces": ([piece(0, "a", name="no"), piece(0, name="te"), piece(0, arguments=X)], ONE),
    "the name, growing": ([piece(0, "a", name="no"), piece(0, "a", name="note"), piece(0, arguments=X)], ONE),
    "arguments as an object": ([piece(0, "a", name="note", arguments={"text": "x"})], ONE),
    "arguments as JSON in JSON": ([piece(0, "a", name="note", arguments='"{\\"text\\": \\"x\\"}"')], ONE),
    "an empty object first": ([piece(0, "a", name="note", arguments="{}"), piece(0, arguments=X)], ONE),
    "all of it again at the end": (
        [NOTE, NOTE],
        ONE,
    ),
    "the same call twice": ([NOTE, piece(1, "b", name="note", arguments=X)], ONE),
    "without function": ([{"index": 0, "id": "a", "name": "note", "arguments": X}], ONE),
    "parameters for arguments": ([{"index": 0, "function": {"name": "note", "parameters": {"text": "x"}}}], ONE),
    "a number as id": ([piece(0, 7, name="note", arguments=X)], ONE),
    "null arguments": ([piece(0, "a", name="note"), {"index": 0, "function": {"arguments": None}}], [("note", {})]),
    "no arguments": ([piece(0, "a", name="note", arguments="")], [("note", {})]),
    "arguments that are null": ([piece(0, "a", name="note", arguments="null")], [("note", {})]),
    "interleaved": (
        [
            piece(0, "a", name="note", arguments=X[:5]),
            piece(1, "b", name="book", arguments=Y[:5]),
            piece(0, arguments=X[5:]),
            piece(1, arguments=Y[5:]),
        ],
        BOTH,
    ),
    "indexes from 1 on": ([piece(1, "a", name="note", arguments=X), piece(2, "b", name="book", arguments=Y)], BOTH),
    "null between": ([None, 7, NOTE, {}], ONE),
}


def made(deltas: list[dict[str, Any]]) -> tuple[ToolCall, ...]:
    calls = ToolCalls((), NAMES)
    for delta in deltas:
        for one in Chunk.of({"choices": [{"delta": delta}]}).tool_calls:
            calls.add(*one)
    return calls.made()


@pytest.mark.kind("tool calls as servers send them", inputs=2)
@pytest.mark.parametrize("form", FORMS)
def test_calls_are_put_together_from_whatever_servers_send(form: str) -> None:
    pieces, expected = FORMS[form]
    one_by_one = made([{"tool_calls": [each]} for each in pieces])
    at_once = made([{"tool_calls": pieces}])
    assert [(call.name, call.arguments) for call in one_by_one] == expected
    assert [(call.name, call.arguments) for call in at_once] == expected
    assert not any(call.problem for call in one_by_one)
    assert len({call.id for call in one_by_one}) == len(expected)


@pytest.mark.kind("tool calls as servers send them", inputs=2)
def test_the_older_function_call_is_a_tool_call() -> None:
    deltas: list[dict[str, Any]] = [{"function_call": {"name": "note", "arguments": X[:4]}}]
    deltas += [{"function_call": {"arguments": X[4:]}}, {"function_call": None}]
    assert [(call.name, call.arguments) for call in made(deltas)] == ONE
    assert [(call.name, call.arguments) for call in made([{"tool_calls": piece(0, name="note", arguments=X)}])] == ONE


@pytest.mark.kind("tool calls as servers send them")
@pytest.mark.parametrize("arguments", ['{"text": ', "[1]", "nonsense", X + X, '"text"'])
def test_arguments_that_are_no_object_are_a_problem(arguments: str) -> None:
    [call] = made([{"tool_calls": [piece(0, "a", name="note", arguments=arguments)]}])
    assert call.arguments == {}
    assert call.problem


def test_a_model_that_asks_for_ever_more_is_held() -> None:
    pieces = [piece(n, f"{n}", name="note", arguments=f'{{"text": "{n}"}}') for n in range(3 * MAX_CALLS)]
    assert len(made([{"tool_calls": pieces}])) == MAX_CALLS


def test_ids_are_not_those_of_earlier_calls() -> None:
    calls = ToolCalls([ChatMessage("assistant", "", (ToolCall("a", "note", {}),))], NAMES)
    calls.add(0, "a", "note", X)
    assert [call.id for call in calls.made()] == ["a-2"]


@given(st.text(max_size=40))
def test_arguments_are_an_object_or_a_problem(arguments: str) -> None:
    call = parse_tool_call("a", "note", arguments)
    assert isinstance(call.arguments, dict)
    assert not (call.arguments and call.problem)


@given(st.lists(st.integers(0, 12), max_size=8))
def test_a_call_does_not_depend_on_its_pieces(sizes: list[int]) -> None:
    calls, at = ToolCalls((), NAMES), 0
    calls.add(0, "a", "note", "")
    for size in sizes:
        calls.add(0, None, None, X[at : at + size])
        at += size
    calls.add(0, None, None, X[at:])
    assert calls.made() == (ToolCall("a", "note", {"text": "x"}),)
