"""The order in which chat models are told a conversation: what the strictest of their templates take."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringline.ipc.messages import ChatMessage, ToolCall
from ringline.workers.llm.roles import CALL_BEGINS, NO_ANSWER, NO_INPUT, LearnedRoles, Roles, in_order

SYSTEM = ChatMessage("system", "You are a clinic.")
GREETING = ChatMessage("assistant", "Welcome.")
HELLO = ChatMessage("user", "hello")
LOOK_UP = ChatMessage("assistant", "One moment.", (ToolCall("call_1", "look_up", {"name": "Zoë"}),))
FOUND = ChatMessage("tool", '{"found":true}', tool_call_id="call_1")

WORDS = st.sampled_from(["", "  ", "hello", "yes", "[interrupted]", "We are open."])
IDS = st.sampled_from(["a", "b", "call_0", "functions.look_up:0", "aB3dE5gH9"])
CALLS = st.lists(IDS, max_size=3, unique=True).map(lambda ids: tuple(ToolCall(name, "look_up", {}) for name in ids))
MESSAGES = st.lists(
    st.one_of(
        st.builds(ChatMessage, st.just("user"), WORDS),
        st.builds(ChatMessage, st.just("assistant"), WORDS, CALLS),
        st.builds(ChatMessage, st.just("tool"), WORDS, tool_call_id=IDS),
        st.builds(ChatMessage, st.just("system"), WORDS),
    ),
    max_size=12,
)
"""Any, whether a call brings them about or not."""


def refusal(messages: list[ChatMessage]) -> str:
    """What a template says that is as strict as all of Mistral's, Llama 2's and Qwen's together; empty for nothing."""
    turns = messages[1:] if messages and messages[0].role == "system" else messages
    if any(message.role == "system" for message in turns):
        return "System message must be at the beginning."
    expected = "user"
    open_ids: list[str] = []
    for message in turns:
        if message.role == "tool":
            if not open_ids or message.tool_call_id != open_ids.pop(0):
                return "Not the same number of function calls and responses"
            continue
        if open_ids:
            return "Not the same number of function calls and responses"
        if not (message.content.strip() or message.tool_calls):
            return "Assistant message must have either content or tool_calls, but not none."
        open_ids = [call.id for call in message.tool_calls]
        if message.role == "assistant" and message.tool_calls:
            expected = "assistant" if expected == "assistant" else "no assistant behind an assistant"
            continue
        if message.role != expected:
            return "Conversation roles must alternate user/assistant/user/assistant/..."
        expected = "assistant" if expected == "user" else "user"
    if open_ids or not turns or turns[-1].role == "assistant":
        return "Expected last role User or Tool"
    return ""


def gemma_refusal(messages: list[ChatMessage]) -> str:
    """What the template of Gemma 2 says."""
    if messages[0].role == "system":
        return "System role not supported"
    for index, message in enumerate(messages):
        if (message.role == "user") != (index % 2 == 0):
            return "Conversation roles must alternate user/assistant/user/assistant/..."
    return ""


@given(MESSAGES)
def test_a_strict_template_takes_any_conversation(messages: list[ChatMessage]) -> None:
    assert refusal(in_order(messages)) == ""


@given(MESSAGES)
def test_messages_that_are_in_order_stay_as_they_are(messages: list[ChatMessage]) -> None:
    assert in_order(in_order(messages)) == in_order(messages)


@given(MESSAGES)
def test_a_template_without_system_or_tools_takes_any_conversation(messages: list[ChatMessage]) -> None:
    assert gemma_refusal(in_order(messages, Roles(system=False, tools=False))) == ""


@given(MESSAGES, MESSAGES)
def test_what_was_sent_is_the_beginning_of_what_is_sent_next(
    before: list[ChatMessage], after: list[ChatMessage]
) -> None:
    """Behind a turn that is complete: a server has computed it, and goes on from there."""
    after = [message for message in after if message.role != "tool"]
    before = [SYSTEM, *before, HELLO]
    sent = in_order(before)
    reply = ChatMessage("assistant", "We are open.")
    assert in_order([*before, reply, *after])[: len(sent)] == sent


@given(MESSAGES)
def test_nothing_that_was_said_is_lost(messages: list[ChatMessage]) -> None:
    told = "\n".join(message.content for message in in_order(messages))
    assert all(message.content in told for message in messages if message.role != "tool" and message.content.strip())


@pytest.mark.parametrize(
    ("history", "told"),
    [
        ((), (CALL_BEGINS,)),
        ((GREETING,), (CALL_BEGINS, GREETING, NO_INPUT)),
        ((GREETING, HELLO), (CALL_BEGINS, GREETING, HELLO)),
        ((HELLO, GREETING, GREETING, HELLO), (HELLO, GREETING, NO_INPUT, GREETING, HELLO)),
        ((HELLO, LOOK_UP, FOUND), (HELLO, LOOK_UP, FOUND)),
        ((HELLO, LOOK_UP, FOUND, HELLO), (HELLO, LOOK_UP, FOUND, NO_ANSWER, HELLO)),
        ((HELLO, LOOK_UP, HELLO, FOUND), (HELLO, LOOK_UP, FOUND, NO_ANSWER, HELLO)),
    ],
)
def test_the_model_is_told_what_happened(history: tuple[ChatMessage, ...], told: tuple[ChatMessage, ...]) -> None:
    assert in_order((SYSTEM, *history)) == [SYSTEM, *told]


def test_two_turns_of_the_caller_are_one() -> None:
    messages = in_order((ChatMessage("user", "I need an appointment"), ChatMessage("user", "on Monday")))
    assert messages == [ChatMessage("user", "I need an appointment\non Monday")]


def test_a_call_whose_tool_has_not_answered_is_told_so() -> None:
    assert "still running" in in_order((HELLO, LOOK_UP))[-1].content


@pytest.mark.parametrize(
    ("reason", "learned"),
    [
        ("System role not supported", Roles(system=False)),
        ("Developer instruction is not enabled for models/gemma-3-27b-it", Roles(system=False)),
        ("Unsupported value: 'messages[0].role' does not support 'system' with this model.", Roles(system=False)),
        ("Conversation roles must alternate user/assistant/user/assistant/...", Roles(tools=False)),
        ("After the optional system message, conversation roles must alternate user/assistant", Roles(tools=False)),
        ("Unexpected message role: tool", Roles(tools=False)),
        ("Tool call IDs should be alphanumeric strings with length 9!", Roles(short_ids=True)),
        ("Tool call IDs should be alphanumeric strings with length >= 9! (1)call_1", Roles(short_ids=True)),
        ("Invalid 'messages[2].tool_calls[0].id': string too long. Expected 40 at most", Roles(short_ids=True)),
        ("Assistant response prefill is incompatible with enable_thinking.", Roles(continues=False)),
        ("This model's maximum context length is 4096 tokens, your messages hold 5000", Roles()),
        ("Incorrect API key provided", Roles()),
    ],
)
def test_a_refusal_says_what_a_server_takes(reason: str, learned: Roles) -> None:
    assert Roles().after_refusal(reason, (SYSTEM, HELLO, LOOK_UP, FOUND)) == learned


@given(MESSAGES)
def test_what_gemma_takes_is_learned_from_its_refusals(messages: list[ChatMessage]) -> None:
    learned = LearnedRoles(Roles())
    for _ in range(3):
        roles = learned.now
        asked = in_order([SYSTEM, *messages], roles)
        if not (reason := gemma_refusal(asked)):
            return
        assert learned.refused(reason, asked, roles)
    assert not gemma_refusal(in_order([SYSTEM, *messages], learned.now))


def test_short_ids_are_nine_letters_and_digits_the_same_ones_every_time() -> None:
    told = in_order((HELLO, LOOK_UP, FOUND), Roles(short_ids=True))
    [call] = told[1].tool_calls
    assert len(call.id) == 9
    assert call.id.isalnum()
    assert told[2].tool_call_id == call.id
    assert in_order((HELLO, LOOK_UP, FOUND, GREETING), Roles(short_ids=True))[:3] == told


def test_a_refusal_that_another_request_has_learned_from_is_tried_again() -> None:
    learned = LearnedRoles(Roles())
    asked = in_order((SYSTEM, HELLO))
    assert learned.refused("System role not supported", asked, Roles())
    assert learned.refused("System role not supported", asked, Roles())
    assert not learned.refused("System role not supported", in_order((SYSTEM, HELLO), learned.now), learned.now)
