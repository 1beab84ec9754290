"""``pytest -m kind --kinds``: a table of what language models really send and callers really say: kind, tried, passed.

A test of such a kind is marked ``@pytest.mark.kind("thoughts")``; each of its parameters is an input that was tried. A
test that goes through many by itself says how many: ``inputs=50``.
"""

from __future__ import annotations

from collections import Counter

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kinds", action="store_true", help="end with a table of the kinds of input: tried, passed")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "kind(name, inputs=1): an input of a kind that real models or callers bring")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if mark := item.get_closest_marker("kind"):
            item.user_properties.append(("kind", (mark.args[0], mark.kwargs.get("inputs", 1))))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if not config.getoption("--kinds"):
        return
    tried: Counter[str] = Counter()
    passed: Counter[str] = Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for key, value in report.user_properties:
                if key == "kind":
                    tried[value[0]] += value[1]
                    passed[value[0]] += value[1] if outcome == "passed" else 0
    terminalreporter.section("kinds of input: tried, passed")
    width = max(map(len, tried), default=0)
    for kind in sorted(tried):
        terminalreporter.write_line(f"{kind:{width}} {tried[kind]:6} {passed[kind]:6}")
    terminalreporter.write_line(f"{'':{width}} {tried.total():6} {passed.total():6}")
