"""The synthetic LLM, on a loop whose clock jumps to whatever it would have slept for."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any

import pytest

from ringline.engine import config
from ringline.ipc.messages import Generate
from ringline.workers.llm.backend import Finished, TextDelta
from ringline.workers.llm.synthetic import SyntheticLlm


class JumpingSelector(selectors.SelectSelector):
    """Sleeps for no time at all, and remembers for how long it should have."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now_s += timeout or 0.0
        return super().select(0)


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    selector = JumpingSelector()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now_s  # type: ignore[method-assign]
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.close()


async def timed(backend: SyntheticLlm, said: str = "", slow_s: float = 0.0) -> list[tuple[str, float]]:
    """Each piece and when it came, in seconds from the request; ``Finished`` is an empty one."""
    loop = asyncio.get_running_loop()
    start_s = loop.time()
    pieces = []
    async for part in backend.generate(Generate(1, 1, 0, "speech", (), said=said)):
        pieces.append((part.text if isinstance(part, TextDelta) else "", round(loop.time() - start_s, 6)))
        await asyncio.sleep(slow_s)
    return pieces


BACKEND = SyntheticLlm(config.SyntheticLlm(first_token_ms=100, tokens_per_s=50, text="One two  three."))


def test_each_word_comes_at_its_time() -> None:
    assert run(timed(BACKEND)) == [("One", 0.1), (" two", 0.12), ("  three.", 0.14), ("", 0.14)]


def test_a_late_word_does_not_delay_those_behind_it() -> None:
    assert run(timed(BACKEND, slow_s=0.015)) == [("One", 0.1), (" two", 0.12), ("  three.", 0.14), ("", 0.155)]


@pytest.mark.parametrize(("said", "left"), [("One", [" two", "  three."]), ("One two  three.", [])])
def test_what_was_said_is_not_said_again(said: str, left: list[str]) -> None:
    assert [text for text, _ in run(timed(BACKEND, said))] == [*left, ""]


def test_a_reply_can_be_cancelled_between_words() -> None:
    async def cancel_after_one() -> list[str]:
        pieces: list[str] = []

        async def collect() -> None:
            async for part in BACKEND.generate(Generate(1, 1, 0, "speech", ())):
                assert not isinstance(part, Finished)
                pieces.append(part.text)

        task = asyncio.get_running_loop().create_task(collect())
        await asyncio.sleep(0.11)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return pieces

    assert run(cancel_after_one()) == ["One"]


def test_calls_do_not_wait_for_each_other() -> None:
    async def both() -> list[list[tuple[str, float]]]:
        return await asyncio.gather(timed(BACKEND), timed(BACKEND))

    first, second = run(both())
    assert first == second
