"""What all tests share."""

from __future__ import annotations

import asyncio
import inspect
import os
from pathlib import Path

import pytest
from hypothesis import settings

from ringline.engine.environment import worker_environment

# Backends run in the tests' own process, too, without the environment that the engine gives its workers.
os.environ |= worker_environment(threads=1, offline=False)

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")  # how long an example takes is the machine's business

WATCHDOG_S = 200.0
"""An async test that takes longer hangs."""


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run ``async def`` tests, each in a loop of its own and under a watchdog."""
    function = pyfuncitem.obj
    if not inspect.iscoroutinefunction(function):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(function).parameters}

    async def watched() -> None:
        async with asyncio.timeout(WATCHDOG_S):
            await function(**arguments)

    asyncio.run(watched())
    return True


@pytest.fixture(scope="session")
def speech() -> Path:
    """The folder with recorded speech; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("RINGLINE_SPEECH", Path(__file__).parent.parent.parent / "shared" / "speech"))
    if not folder.is_dir():
        pytest.skip(f"no recorded speech at {folder} (set RINGLINE_SPEECH)")
    return folder
