"""What chat backends share, and how the engine treats what they bring."""

from __future__ import annotations

import msgspec
import pytest

from ringline import Agent
from ringline.engine.config import ConfigError, OpenAiLlm, TurnConfig, parse
from ringline.engine.conversation import Conversation, builtin_tools
from ringline.engine.conversation.events import CallStarted
from ringline.engine.toolbox import Toolbox
from ringline.ipc.messages import ChatMessage, ToolCall, WarmPrompt
from ringline.workers.llm.chat import Continuation
from ringline.workers.llm.tool_calls import ToolCalls

SAID = "We open at nine"


@pytest.mark.parametrize(
    ("pieces", "new"),
    [
        ((", every day.",), ", every day."),
        (("We open", " at nine", ", every day."), ", every day."),
        (("  We open at nine", ", every day."), ", every day."),
        (("We", " close at five."), "We close at five."),
        (("We open",), ""),
        (("We open at nine",), ""),
    ],
)
def test_a_continuation_is_what_was_not_said_yet(pieces: tuple[str, ...], new: str) -> None:
    text = Continuation(SAID)
    assert "".join(map(text.feed, pieces)) == new


def test_an_id_that_an_earlier_step_had_is_not_given_again() -> None:
    calls = ToolCalls([ChatMessage("assistant", "", (ToolCall("0", "look_up", {}),))])
    calls.add(0, "0", "book", "{}")
    assert calls.made() == (ToolCall("0-2", "book", {}),)


async def test_a_tool_call_that_cannot_be_read_is_an_error_for_the_model() -> None:
    call = ToolCall("1", "book", {}, "the arguments are not valid JSON")
    assert msgspec.json.decode(await Toolbox({}).run(call)) == {"error": "the arguments are not valid JSON"}
    hang_up = msgspec.structs.replace(call, name="hang_up")
    assert builtin_tools.parse(hang_up) == "the arguments are not valid JSON"


def warmed(agent: Agent, warms_prompt: bool) -> list[object]:
    conversation = Conversation(1, 0, agent, TurnConfig(), warms_prompt=warms_prompt)
    return [action for action in conversation.handle(CallStarted(), 0) if isinstance(action, WarmPrompt)]


def test_the_prompt_is_sent_ahead_of_a_call_that_begins_with_a_greeting() -> None:
    agent = Agent("test", prompt="You are a test.", greeting="Welcome.", voice_rules="")
    [warm] = warmed(agent, True)
    assert isinstance(warm, WarmPrompt)
    assert warm.messages == (ChatMessage("system", "You are a test."),)
    assert len(warm.tools) == len(builtin_tools.BUILT_IN)
    assert warmed(agent, False) == []


def test_a_call_that_the_model_opens_needs_no_prompt_ahead() -> None:
    assert warmed(Agent("test", prompt="You are a test."), True) == []


def test_a_server_elsewhere_is_refused_while_offline() -> None:
    with pytest.raises(ConfigError, match=r"api\.openai\.com.*offline"):
        parse('[llm]\nbackend = "openai"\n')
    with pytest.raises(ConfigError, match=r"api\.anthropic\.com.*offline"):
        parse('[llm]\nbackend = "anthropic"\n')
    here = parse('[llm]\nbackend = "openai"\nbase_url = "http://127.0.0.1:8000/v1"\n').llm
    assert isinstance(here, OpenAiLlm)
    assert here.warms_prompt
    assert not OpenAiLlm().warms_prompt
