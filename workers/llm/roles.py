"""The order of a conversation's messages, as the strictest chat templates take it.

A history tells what happened, and anything may happen: the bot speaks first, twice, or not at all; the caller speaks on
before there was an answer. Many templates (those of Mistral, Gemma and Llama 2, and all that descend from them) refuse
whatever is not: a system message, then user and assistant in turn, the user first. Some know no system message, and
some no tools; that is learned from their refusal, once, and holds for all calls.

What is put between two messages depends on these two alone: what a server has computed of a conversation stays the
beginning of what it is sent next.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterable

import msgspec

from ringline.engine.conversation.history import RUNNING
from ringline.engine.conversation.phrasing.markup import CUT_OFF
from ringline.ipc.messages import ChatMessage, ToolCall

log = logging.getLogger("ringline.llm")

CALL_BEGINS = ChatMessage("user", "[the call begins]")
NO_INPUT = ChatMessage("user", "[the caller says nothing]")
"""Chat models answer somebody: without a turn of the caller's they would write on behind their own, or fail."""

NO_ANSWER = ChatMessage("assistant", CUT_OFF)
"""Behind a tool's result of which the caller heard nothing, because they spoke on."""

LATE_RESULT = "[a tool answered: {result}]"
"""A result whose call is no longer in the history."""

SHORT_ID_CHARS = 9
"""Mistral's templates refuse ids of any other length."""


class Roles(msgspec.Struct, frozen=True):
    """What a server's chat template takes."""

    system: bool = True
    """A system message; where not, the first turn of the caller begins with it, as Gemma's makers have it."""
    tools: bool = True
    """Tool calls and messages of tools; where not, they are told in the form that models write where they call tools
    in plain text."""
    short_ids: bool = False
    """Ids of tool calls must be nine letters and digits."""
    continues: bool = True
    """A message of the assistant at the end, to be continued."""

    def after_refusal(self, reason: str, messages: Iterable[ChatMessage]) -> Roles:
        """What to try next, now that the server has refused ``messages`` (as `in_order` took them) for this reason;
        the same, where the reason has to do with something else, or nothing is left to try."""
        messages = tuple(messages)
        has_tools = any(message.role == "tool" for message in messages)
        has_system = any(message.role == "system" for message in messages)
        if self.continues and _PREFILL.search(reason):
            return msgspec.structs.replace(self, continues=False)
        if has_tools and not self.short_ids and _IDS.search(reason):
            return msgspec.structs.replace(self, short_ids=True)
        if not _ORDER.search(reason):
            return self
        if has_system and self.system and (_SYSTEM.search(reason) or not (has_tools and self.tools)):
            return msgspec.structs.replace(self, system=False)
        if has_tools and self.tools:
            return msgspec.structs.replace(self, tools=False)
        return self


_PREFILL = re.compile(r"pre-?fill|continue_final_message|add_generation_prompt|final (assistant )?message", re.I)
_IDS = re.compile(r"alphanumeric|length (of )?9\b|tool_call.{0,80}(too long|maximum length)", re.I)
_SYSTEM = re.compile(r"\b(system|developer)\b(?! message, conversation)", re.I)
_ORDER = re.compile(r"\broles?\b|alternat|chat.?template|jinja|\bsystem (message|prompt|role)|developer", re.I)
"""What servers say, whose words these are: vLLM and llama.cpp pass on what the template says ("Conversation roles must
alternate", "System role not supported", "Only user and assistant roles are supported!"), Google says "Developer
instruction is not enabled for this model"."""


class LearnedRoles:
    """What a server takes, as far as is known."""

    def __init__(self, roles: Roles) -> None:
        self.now = roles

    def refused(self, reason: str, messages: Iterable[ChatMessage], roles: Roles) -> bool:
        """It has refused these messages, made for ``roles``. Returns whether another form is worth a try."""
        if self.now != roles:
            return True  # another request has learned of it meanwhile
        self.now = roles.after_refusal(reason, messages)
        if self.now == roles:
            return False
        log.warning("the server refuses the form of the messages", extra={"reason": reason, "now": str(self.now)})
        return True


ANY_ROLES = Roles()


def in_order(messages: Iterable[ChatMessage], roles: Roles = ANY_ROLES) -> list[ChatMessage]:
    """The messages in an order that every template takes: the system message, then the user's and the assistant's in
    turn, beginning and ending with the user's or with the results of tools; each of these stands behind its call, and
    none is missing.
    """
    messages = tuple(messages)
    system = "\n\n".join(message.content for message in messages[: _num_system(messages)] if message.content.strip())
    told = _paired(messages[_num_system(messages) :])
    if not roles.tools:
        told = [_as_text(message) for message in told]
    turns = _alternating(told)
    if not turns or turns[-1].role == "assistant":
        turns.append(NO_INPUT if turns else CALL_BEGINS)
    if roles.short_ids:
        turns = [_with_short_ids(message) for message in turns]
    if not system:
        return turns
    if roles.system:
        return [ChatMessage("system", system), *turns]
    return [msgspec.structs.replace(turns[0], content=f"{system}\n\n{turns[0].content}"), *turns[1:]]


def _num_system(messages: tuple[ChatMessage, ...]) -> int:
    return next((n for n, message in enumerate(messages) if message.role != "system"), len(messages))


def _paired(messages: Iterable[ChatMessage]) -> list[ChatMessage]:
    """Every result directly behind its call, in the order of the calls; blank messages are left out."""
    told: list[ChatMessage] = []
    awaited: dict[str, int] = {}
    for message in messages:
        match message.role:
            case "tool" if message.tool_call_id in awaited:
                told[awaited.pop(message.tool_call_id)] = message
            case "tool":
                told.append(ChatMessage("user", LATE_RESULT.replace("{result}", message.content)))
            case "assistant" if message.tool_calls:
                told.append(message)
                for call in message.tool_calls:
                    awaited[call.id] = len(told)
                    told.append(ChatMessage("tool", RUNNING, tool_call_id=call.id))
            case _ if not message.content.strip():
                continue
            case "system":  # a later one, which templates take at the beginning only
                told.append(ChatMessage("user", message.content))
            case _:
                told.append(message)
    return told


def _alternating(messages: Iterable[ChatMessage]) -> list[ChatMessage]:
    turns: list[ChatMessage] = []
    for message in messages:
        before = turns[-1].role if turns else ""
        if message.role == "user" and before == "user":
            turns[-1] = msgspec.structs.replace(turns[-1], content=f"{turns[-1].content}\n{message.content}")
            continue
        if message.role == "user" and before == "tool":
            turns.append(NO_ANSWER)
        elif message.role == "assistant" and before in ("", "assistant"):
            turns.append(NO_INPUT if before else CALL_BEGINS)
        turns.append(message)
    return turns


def _as_text(message: ChatMessage) -> ChatMessage:
    if message.role == "tool":
        return ChatMessage("user", f"<tool_response>\n{message.content}\n</tool_response>")
    calls = (
        f"<tool_call>\n{_json({'name': call.name, 'arguments': call.arguments})}\n</tool_call>"
        for call in message.tool_calls
    )
    return ChatMessage(message.role, "\n".join(filter(None, (message.content, *calls))))


def _with_short_ids(message: ChatMessage) -> ChatMessage:
    calls = tuple(ToolCall(_short(call.id), call.name, call.arguments, call.problem) for call in message.tool_calls)
    return msgspec.structs.replace(
        message, tool_calls=calls, tool_call_id=message.tool_call_id and _short(message.tool_call_id)
    )


def _short(id: str) -> str:  # noqa: A002
    """The same for the same id, in every process."""
    if len(id) == SHORT_ID_CHARS and id.isascii() and id.isalnum():
        return id
    return hashlib.sha256(id.encode()).hexdigest()[:SHORT_ID_CHARS]


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
