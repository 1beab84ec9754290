"""The flow that docs/flow.md shows is one that works."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest

from ringline.workers.llm.flow import understand
from ringline.workers.llm.flow.compile import Flow, compile_flow
from ringline.workers.llm.flow.flow_file import parse
from ringline.workers.llm.flow.slots import Hours, Setting

DOCS = Path(__file__).parents[2] / "docs" / "flow.md"


@pytest.fixture(scope="module")
def pizza() -> Flow:
    found = re.search(r"```toml\n# pizza/flow\.toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return compile_flow(parse(found[1]))


@pytest.mark.parametrize(
    ("state", "said", "slots"),
    [
        ("size", "A large one, please.", {"size": "large"}),
        ("size", "A small funghi.", {"size": "small", "pizza": "funghi"}),
        ("pizza", "I'd like the four cheese.", {"pizza": "four cheese"}),
        ("sure", "No, make it a medium.", {"size": "medium"}),
        ("sure", "No, make it a medium one.", {"size": "medium"}),
        ("sure", "No.", {}),
    ],
)
def test_a_documented_flow_understands_its_callers(pizza: Flow, state: str, said: str, slots: dict[str, str]) -> None:
    meant = understand.speech(pizza, pizza.states[state], said, Setting(datetime(2026, 11, 22), Hours()))
    assert meant
    assert dict(meant.slots) == slots
