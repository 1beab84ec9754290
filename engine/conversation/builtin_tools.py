"""The tools every bot has: what a model is told of them, and the check of what it asks for."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ringline.engine.tool import chat_schema, json_schema
from ringline.ipc.messages import ToolCall


class HangUp(msgspec.Struct, frozen=True):
    """End the call. Say goodbye in the same reply: the call ends when the caller has heard it."""


class Transfer(msgspec.Struct, frozen=True):
    """Hand the call to a person, and end your part in it. Use it when the caller asks for a person or you cannot help.
    Tell the caller in the same reply: the call is handed over when they have heard it."""

    reason: Annotated[str, Meta(max_length=500, description="For whoever takes over: what the caller wants.")] = ""


class SendDtmf(msgspec.Struct, frozen=True):
    """Press telephone keys, as tones on the line: to get through another machine's menu."""

    keys: Annotated[
        str, Meta(pattern="^[0-9*#A-D]{1,64}$", description="The keys, one after the other: 0-9, *, #, A-D.")
    ]


class CollectDigits(msgspec.Struct, frozen=True):
    """Take the caller's next answer from the keys of their telephone: for long numbers, PINs and codes. Ask for it in
    the same reply. The keys they press come as a message like [keyed 1234]."""

    num_digits: Annotated[
        int,
        Meta(ge=1, le=32, description="How many; the caller can end a shorter answer with #, and begin anew with *."),
    ]


class Remember(msgspec.Struct, frozen=True):
    """Keep a fact for the rest of the call, word for word: names, numbers, dates, and what was agreed."""

    fact: Annotated[str, Meta(min_length=1, max_length=300, description="One fact, in a short sentence.")]


BuiltIn = HangUp | Transfer | SendDtmf | CollectDigits | Remember

_ARGUMENTS: dict[str, type[BuiltIn]] = {
    "hang_up": HangUp,
    "transfer": Transfer,
    "send_dtmf": SendDtmf,
    "collect_digits": CollectDigits,
    "remember": Remember,
}

BUILT_IN: dict[str, dict[str, object]] = {
    name: chat_schema(name, " ".join((arguments.__doc__ or "").split()), json_schema(arguments))
    for name, arguments in _ARGUMENTS.items()
}
"""Their schemas by name, in the form of `ringline.Tool.schema`."""


def parse(tool_call: ToolCall) -> BuiltIn | str:
    """What a model asks for, checked; a text that says what is wrong with it. Raises KeyError for any other tool."""
    arguments = _ARGUMENTS[tool_call.name]
    if tool_call.problem:
        return tool_call.problem
    try:
        return msgspec.convert(tool_call.arguments, arguments)
    except msgspec.ValidationError as error:
        return f"{error}"
