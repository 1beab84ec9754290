"""A call with which something goes wrong in the engine itself is hung up, and its slot freed; all others go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from ringline.engine.call_setup import CallSetup
from ringline.engine.conversation import Conversation
from ringline.engine.requests import Requests
from ringline.engine.toolbox import Toolbox


def failing_once(kind: type, name: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let a method raise the first time it is called. Returns what was raised."""
    raised: list[str] = []
    sound: Callable[..., Any] = getattr(kind, name)

    def fails(*arguments: Any, **options: Any) -> Any:
        if not raised:
            raised.append(name)
            raise OSError(24, "Too many open files")
        return sound(*arguments, **options)

    monkeypatch.setattr(kind, name, fails)
    return raised


@pytest.mark.kind("calls that cannot be set up")
@pytest.mark.parametrize(("kind", "name"), [(CallSetup, "of"), (CallSetup, "conversation"), (Toolbox, "__init__")])
async def test_a_call_that_cannot_be_set_up_is_hung_up(
    start: Any, kind: type, name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with start(max_calls=1) as running:
        raised = failing_once(kind, name, monkeypatch)
        assert not (await running.call()).succeeded
        assert raised
        while any(slot.call for slot in running.engine.exchange.slots):
            await asyncio.sleep(0.02)
        assert (await running.call()).succeeded, "the only slot is free again"
    assert "Too many open files" in caplog.text


@pytest.mark.kind("calls that cannot be set up")
@pytest.mark.parametrize(("kind", "name"), [(Conversation, "handle"), (Requests, "route")])
async def test_a_call_that_fails_later_is_hung_up(
    start: Any, kind: type, name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with start(max_calls=1) as running:
        raised = failing_once(kind, name, monkeypatch)
        assert not (await running.call()).succeeded
        assert raised
        assert (await running.call()).succeeded
    assert "its call is ended" in caplog.text
