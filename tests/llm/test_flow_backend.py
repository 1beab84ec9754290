import asyncio
from datetime import datetime
from pathlib import Path

import pytest

from ringline.ipc.messages import ChatMessage, FlowText, Generate
from ringline.workers.llm.backend import Finished, TextDelta
from ringline.workers.llm.flow import FlowBackend, FlowError

NOW = datetime(2026, 11, 22, 12)
OPENING = Generate(1, 1, 0, "opening", (), agent="clinic")
HELLO = ("Hello, this is the clinic. ", "How can I help you?")


CLINIC = FlowText("clinic", "flow.toml", Path("examples/clinic/flow.toml").read_text(encoding="utf-8"))
OTHER = FlowText("other", "other.toml", CLINIC.text.replace("Hello, this is the clinic.", "Hello, the other one."))


def backend(now: datetime = NOW, *flows: FlowText) -> FlowBackend:
    made = FlowBackend(clock=lambda: now)
    made.use_flows(flows or (CLINIC,))
    return made


def generate(of: FlowBackend, request: Generate) -> tuple[list[str], Finished]:
    async def collect() -> list[TextDelta | Finished]:
        return [part async for part in of.generate(request)]

    *deltas, finished = asyncio.run(collect())
    assert isinstance(finished, Finished)
    return [delta.text for delta in deltas if isinstance(delta, TextDelta)], finished


def test_the_reply_comes_a_sentence_at_a_time() -> None:
    texts, finished = generate(backend(), OPENING)
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
    texts, finished = generate(backend(), Generate(1, 1, 0, "opening", (), said=said, agent="clinic"))
    assert "".join(texts).strip() == "".join(left).strip()
    assert finished == generate(backend(), OPENING)[1]


def test_another_process_gives_the_same_answer() -> None:
    _, opened = generate(backend(), OPENING)
    request = Generate(
        1, 2, 0, "speech", (ChatMessage("user", "book an appointment tomorrow"),), opened.state, agent="clinic"
    )
    later = backend(datetime(2031, 1, 1))
    assert generate(backend(), request) == generate(later, request)


def test_each_agent_answers_from_its_own_flow() -> None:
    both = backend(NOW, CLINIC, OTHER)
    for agent, greeting in (("clinic", HELLO[0]), ("other", "Hello, the other one. ")):
        texts, _ = generate(both, Generate(1, 1, 0, "opening", (), agent=agent))
        assert texts[0] == greeting


def test_a_flow_that_is_not_given_any_more_is_forgotten() -> None:
    made = backend(NOW, CLINIC, OTHER)
    made.use_flows((OTHER,))
    with pytest.raises(FlowError, match="clinic has no flow"):
        generate(made, OPENING)


def test_a_broken_flow_leaves_the_others() -> None:
    made = backend()
    with pytest.raises(FlowError, match=r"broken.toml: start: there is no \[state.hello\]"):
        made.use_flows((CLINIC, FlowText("broken", "broken.toml", 'start = "hello"')))
    assert generate(made, OPENING)[0] == list(HELLO)
