"""Every backend whose packages the plain install lacks has an extra, and the error names it."""

from __future__ import annotations

import ast
import typing
from pathlib import Path

import pytest

from ringline.engine.config import LlmConfig, SttConfig, TtsConfig
from ringline.engine.config.table import StageBackend
from ringline.workers.base import CannotStart
from ringline.workers.extras import require

TABLES: list[type[StageBackend]] = [
    table for union in (SttConfig, LlmConfig, TtsConfig) for table in typing.get_args(union)
]
NAMED = [
    "gpu", "kokoro", "piper", "xtts", "sherpa", "vllm",
    "deepgram", "google", "openai", "anthropic", "elevenlabs", "cartesia",
]  # fmt: skip


def extras() -> dict[str, list[str]]:
    """As setup.py has them."""
    setup = ast.parse((Path(__file__).parents[2] / "setup.py").read_text())
    assignment = next(
        node for node in setup.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "EXTRAS"
    )
    found: dict[str, list[str]] = ast.literal_eval(assignment.value)
    return found


def test_all_extras_are_there() -> None:
    assert set(NAMED) <= set(extras())


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__struct_config__.tag)
def test_extra_of_a_backend_exists(table: type[StageBackend]) -> None:
    assert not table.extra or table.extra in extras()


@pytest.mark.parametrize("extra", NAMED)
def test_missing_package_is_named_with_the_command_that_installs_it(extra: str) -> None:
    with pytest.raises(CannotStart, match=f"package no_such_module is missing: pip install 'ringline.{extra}.'"):
        require("no_such_module", extra)


def test_all_local_is_an_extra_too() -> None:
    assert '"all-local": ' in (Path(__file__).parents[2] / "setup.py").read_text()
