import asyncio
from datetime import datetime
from pathlib import Path

import pytest

from ringline.engine.config import FlowLlm
from ringline.ipc.messages import ChatMessage, Generate
from ringline.workers.base import CannotStart
from ringline.workers.llm.backend import Finished, TextDelta
from ringline.workers.llm.flow import FlowBackend

HELLO = ("Hello, this is the clinic. ", "How can I help you?")


def backend(path: str | Path = "examples/clinic") -> FlowBackend:
    made = FlowBackend(FlowLlm(), path, clock=lambda: datetime(2026, 11, 22, 12))
    asyncio.run(made.warm_up())
    return made


def generate(of: FlowBackend, request: Generate) -> tuple[list[str], Finished]:
    async def collect() -> list[TextDelta | Finished]:
        return [part async for part in of.generate(request)]

    *deltas, finished = asyncio.run(collect())
    assert isinstance(finished, Finished)
    return [delta.text for delta in deltas if isinstance(delta, TextDelta)], finished


def test_the_reply_comes_a_sentence_at_a_time() -> None:
    texts, finished = generate(backend(), Generate(1, 1, 0, "opening", ()))
    assert texts == list(HELLO)
    assert "grammar hello;" in finished.expect.grammar


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("", HELLO),
        (HELLO[0], HELLO[1:]),
        (HELLO[0].strip(), (" ", HELLO[1])),
        ("".join(HELLO), ()),
        ("Hello,  this is the clinic.", HELLO[1:]),
        ("Something else.", HELLO),
    ],
)
def test_what_was_said_is_not_said_again(said: str, left: tuple[str, ...]) -> None:
    texts, finished = generate(backend(), Generate(1, 1, 0, "opening", (), said=said))
    assert "".join(texts).strip() == "".join(left).strip()
    assert finished == generate(backend(), Generate(1, 1, 0, "opening", ()))[1]


def test_another_process_gives_the_same_answer() -> None:
    _, opened = generate(backend(), Generate(1, 1, 0, "opening", ()))
    request = Generate(1, 2, 0, "speech", (ChatMessage("user", "book an appointment tomorrow"),), opened.state)
    later = FlowBackend(FlowLlm(), "examples/clinic", clock=lambda: datetime(2031, 1, 1))
    asyncio.run(later.warm_up())
    assert generate(backend(), request) == generate(later, request)


def test_a_missing_agent_cannot_start(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="no agent at"):
        backend(tmp_path / "nobody")


def test_an_agent_without_a_flow_cannot_start(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").write_text('name = "x"')
    with pytest.raises(CannotStart, match=r"flow\.toml"):
        backend(tmp_path)


def test_a_broken_flow_cannot_start(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").write_text('name = "x"')
    (tmp_path / "flow.toml").write_text('start = "hello"')
    with pytest.raises(CannotStart, match=r"start: there is no \[state.hello\]"):
        backend(tmp_path)


def test_a_request_before_the_start_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="before warm_up"):
        generate(FlowBackend(FlowLlm(), "examples/clinic"), Generate(1, 1, 0, "opening", ()))
