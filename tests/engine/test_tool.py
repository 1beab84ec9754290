"""What a model is told of a Python function, and what is wrong with some."""

from __future__ import annotations

import dataclasses
import enum
from datetime import date
from typing import Annotated, Any, Literal, Optional

import msgspec
import pytest
from msgspec import Meta

from ringline import Agent, AgentError, Tool
from ringline.engine.conversation.builtin_tools import BUILT_IN, CollectDigits, HangUp, Remember, Transfer, parse
from ringline.engine.tool import BUILT_IN_NAMES
from ringline.ipc.messages import ToolCall


class Size(enum.Enum):
    SMALL = "small"
    LARGE = "large"


@dataclasses.dataclass
class Guest:
    name: str
    age: int = 0


class Table(msgspec.Struct):
    number: int
    guests: list[Guest] = []


class Knot(msgspec.Struct):
    inner: Knot | None = None


def properties(function: Any) -> Any:
    return Tool.of(function).schema()["function"]["parameters"]["properties"]  # type: ignore[index]


def test_agent_takes_functions_as_tools() -> None:
    agent = Agent("clinic")

    @agent.tool
    def book(day: date) -> bool:
        """Book."""
        return True

    @agent.tool(timeout_s=3, safe_to_draft=True, filler="One moment.")
    async def look(day: date) -> bool:
        return book(day)

    assert list(agent.tools) == ["book", "look"]
    assert (agent.tools["book"].timeout_s, agent.tools["book"].safe_to_draft, agent.tools["book"].filler) == (
        10.0,
        False,
        "",
    )
    look_up = agent.tools["look"]
    assert (look_up.timeout_s, look_up.safe_to_draft, look_up.filler) == (3, True, "One moment.")


def test_each_agent_has_tools_of_its_own() -> None:
    first, second = Agent("first"), Agent("second")

    @first.tool
    def book() -> None: ...

    assert second.tools == {}


def test_a_method_of_an_object_can_be_a_tool() -> None:
    class Diary:
        def book(self, day: str) -> str:
            return day

    agent = Agent("clinic")
    agent.tool(Diary().book)
    assert agent.tools["book"].function(day="monday") == "monday"
    assert list(properties(Diary().book)) == ["day"]


@pytest.mark.parametrize(
    "docstring",
    [
        "Book a table.\n\n    Args:\n        day: The day,\n            as YYYY-MM-DD.\n        people: How many.",
        "Book a table.\n\n    :param day: The day, as YYYY-MM-DD.\n    :param people: How many.\n",
        "Book a table.\n\n    Parameters\n    ----------\n    day : str\n        The day,\n        as YYYY-MM-DD.\n"
        "    people : int\n        How many.\n",
    ],
    ids=["google", "rest", "numpy"],
)
def test_docstring_describes_the_tool_and_its_parameters(docstring: str) -> None:
    def book(day: str, people: int = 2) -> None: ...

    book.__doc__ = docstring
    assert Tool.of(book).description == "Book a table."
    assert properties(book)["day"] == {"type": "string", "description": "The day, as YYYY-MM-DD."}
    assert properties(book)["people"]["description"] == "How many."


def test_docstring_without_parameters_is_the_description_word_for_word() -> None:
    def book(day: str) -> None:
        """Book: a table.

        Note: not on Mondays.
        """

    assert Tool.of(book).description == "Book: a table.\n\nNote: not on Mondays."


def test_annotation_describes_and_bounds_a_parameter() -> None:
    def book(people: Annotated[int, Meta(description="How many.", ge=1, le=8)]) -> None:
        """Book.

        Args:
            people: Overruled.
        """

    assert properties(book)["people"] == {"type": "integer", "description": "How many.", "minimum": 1, "maximum": 8}


def test_schema_needs_no_references() -> None:
    def book(
        size: Size,
        kind: Literal["inside", "outside"],
        table: Table,
        names: list[str],
        day: Optional[date] = None,  # noqa: UP045  (the old spelling must work too)
        first: Size = Size.SMALL,
    ) -> None: ...

    made = properties(book)
    assert made["size"]["enum"] == ["large", "small"]
    assert made["kind"]["enum"] == ["inside", "outside"]
    assert made["table"]["properties"]["guests"]["items"]["properties"]["name"] == {"type": "string"}
    assert made["names"] == {"type": "array", "items": {"type": "string"}}
    assert made["day"]["anyOf"] == [{"type": "string", "format": "date"}, {"type": "null"}]
    assert made["first"]["default"] == "small"
    assert b"$ref" not in msgspec.json.encode(made)


def test_arguments_become_what_the_function_asks_for() -> None:
    def book(day: date, size: Size, guest: Guest, people: int = 2) -> None: ...

    bound = Tool.of(book).bind({"day": "2026-11-24", "size": "large", "guest": {"name": "Lee"}})
    assert bound == {"day": date(2026, 11, 24), "size": Size.LARGE, "guest": Guest("Lee")}


def test_default_may_be_a_list() -> None:
    def book(people: list[str] = ["Lee"]) -> None: ...  # noqa: B006

    assert Tool.of(book).bind({}) == {}


def no_type(day) -> None: ...  # type: ignore[no-untyped-def]
def any_number(*days: str) -> None: ...
def any_names(**days: str) -> None: ...
def positional(day: str, /) -> None: ...
def no_json(day: complex) -> None: ...
def two_structs(day: Table | Knot) -> None: ...
def recursive(day: Knot) -> None: ...


@pytest.mark.parametrize(
    "function", [no_type, any_number, any_names, positional, no_json, two_structs, recursive], ids=lambda f: f.__name__
)
def test_mistake_in_the_signature_names_tool_and_parameter(function: Any) -> None:
    with pytest.raises(AgentError, match=rf"tool {function.__name__}: parameter 'days?'"):
        Agent("clinic").tool(function)


def test_unknown_type_names_tool_and_type() -> None:
    def book(day: Daay) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(AgentError, match=r"tool book: name 'Daay' is not defined"):
        Tool.of(book)


def test_name_that_is_taken_is_an_error() -> None:
    agent = Agent("clinic")

    def book() -> None: ...

    agent.tool(book)
    with pytest.raises(AgentError, match="tool book: the agent clinic has"):
        agent.tool(book)


@pytest.mark.parametrize("name", sorted(BUILT_IN_NAMES))
def test_name_of_a_built_in_tool_is_an_error(name: str) -> None:
    def book() -> None: ...

    book.__name__ = name
    with pytest.raises(AgentError, match=f"tool {name}: .*built-in"):
        Tool.of(book)


@pytest.mark.parametrize("thing", [lambda: None, print, "book"])
def test_what_has_no_usable_name_is_no_tool(thing: Any) -> None:
    with pytest.raises(AgentError):
        Tool.of(thing)


@pytest.mark.parametrize("timeout_s", [0, -1, float("inf"), float("nan")])
def test_timeout_must_be_a_time(timeout_s: float) -> None:
    def book() -> None: ...

    with pytest.raises(AgentError, match="tool book: timeout_s"):
        Agent("clinic").tool(timeout_s=timeout_s)(book)


def test_every_reserved_name_has_a_schema() -> None:
    assert set(BUILT_IN) == BUILT_IN_NAMES
    for name, schema in BUILT_IN.items():
        function: Any = schema["function"]
        assert function["name"] == name
        assert len(function["description"]) > 20
        assert all("description" in field for field in function["parameters"]["properties"].values())


def test_a_models_wish_is_parsed() -> None:
    assert parse(ToolCall("1", "hang_up", {})) == HangUp()
    assert parse(ToolCall("1", "transfer", {"reason": "billing"})) == Transfer("billing")
    assert parse(ToolCall("1", "collect_digits", {"num_digits": 4})) == CollectDigits(4)
    assert parse(ToolCall("1", "remember", {"fact": "Her name is Lee."})) == Remember("Her name is Lee.")


@pytest.mark.parametrize(
    ("name", "arguments", "parameter"),
    [
        ("send_dtmf", {"keys": "12x"}, "keys"),
        ("send_dtmf", {}, "keys"),
        ("collect_digits", {"num_digits": 0}, "num_digits"),
        ("collect_digits", {"num_digits": "four"}, "num_digits"),
        ("remember", {"fact": ""}, "fact"),
        ("transfer", {"reason": 5}, "reason"),
    ],
)
def test_a_models_wrong_wish_is_explained(name: str, arguments: dict[str, object], parameter: str) -> None:
    answer = parse(ToolCall("1", name, arguments))
    assert isinstance(answer, str)
    assert parameter in answer
