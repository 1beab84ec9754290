"""What the history must say of a simulated call, from what was really played and spoken."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from ringline.engine.conversation.bot import IN_WORDS
from ringline.engine.conversation.history import INTERRUPTED
from ringline.engine.conversation.wording import phrasebook
from ringline.ipc.messages import ChatMessage, Generate

if TYPE_CHECKING:
    from .call import SimulatedCall

FILLERS = ("Let me look.", *phrasebook("en").fillers)

_BOT_WORD = re.compile(r"b(\d+)x(\d+)")


def check_messages(call: SimulatedCall, request: Generate) -> None:
    """Chat APIs take it: legal roles, each tool call answered right behind it, nothing empty."""
    open_ids: list[str] = []
    for message in request.messages:
        if message.role == "tool":
            if not open_ids or open_ids.pop(0) != message.tool_call_id:
                call.fail(f"a result without its call: {message}")
            continue
        if open_ids:
            call.fail(f"a call without its result: {open_ids}")
        open_ids = [tool_call.id for tool_call in message.tool_calls]
        if message.role == "assistant" and not message.content and not message.tool_calls:
            call.fail("the bot has said nothing")
    if open_ids:
        call.fail(f"a call without its result: {open_ids}")
    known, said = said_by_caller(request.messages), turns_of_caller(call)
    if known[: len(said) - 1] != said[:-1]:  # the latest turn may go on
        call.fail(f"the caller said {said}, the history knows {known}")


def said_by_caller(messages: tuple[ChatMessage, ...]) -> list[str]:
    """What the history knows of it, without the word to the model that its answer was empty."""
    contents = [message.content for message in messages if message.role == "user" and message.content != IN_WORDS]
    return [content.removesuffix(f" {IN_WORDS}") for content in contents]


def turns_of_caller(call: SimulatedCall) -> list[str]:
    """What they are on record with."""
    return [f"[keyed {turn.text}]" if turn.is_dtmf else turn.text for turn in call.caller_turns]


def check_history(call: SimulatedCall) -> None:
    """At the end of a call."""
    messages = call.conversation.history.messages()
    known, said = said_by_caller(messages), turns_of_caller(call)
    if known != said:
        call.fail(f"the caller said {said}, the history knows {known}")
    heard = [word for turn in call.caller_turns if not turn.is_dtmf for word in turn.text.split() if word[0] == "u"]
    numbers = [int(word[1:]) for word in heard if word[1:].isdigit()]
    if numbers != sorted(set(numbers)):
        call.fail(f"words of the caller twice or out of order: {heard}")
    check_bot(call, list(messages))


def check_words(call: SimulatedCall) -> None:
    """Nothing that the caller said is lost, but for a reason."""
    known = {word for turn in call.caller_turns for word in turn.text.split()} | call.asides | call.caller.lost
    said = [word for sound in call.caller.sounds for word in sound.words if sound.kind == "speech"]
    if missing := [word for word in said if word not in known]:
        call.fail(f"words are lost: {missing}")


def check_bot(call: SimulatedCall, messages: list[ChatMessage]) -> None:
    """Each turn is remembered as it was heard, once, and says whether it was interrupted."""
    remembered: dict[int, list[int]] = {}
    for message in messages:
        if message.pending and message.tool_call_id not in call.tools_running:
            call.fail(f"the result of {message.tool_call_id} is missing")
        if message.role == "assistant" and any(filler in message.content for filler in FILLERS):
            call.fail(f"a filler is remembered: {message.content}")
        if message.role != "assistant":
            continue
        for turn, index in _BOT_WORD.findall(message.content):
            remembered.setdefault(int(turn), []).append(int(index))
    latest = 0
    for turn, indexes in remembered.items():
        if turn < latest:
            call.fail(f"turn {turn} stands behind turn {latest}")
        latest = turn
        if turn not in call.opened:
            call.fail(f"turn {turn} was a draft")
        if indexes != sorted(set(indexes)):
            call.fail(f"words of turn {turn} twice or out of order: {indexes}")
    for turn, said in call.bot_turns.items():
        heard = words_heard(call, turn)
        indexes = remembered.get(turn, [])
        spoken = [int(index) for _, index in _BOT_WORD.findall(said.text)]
        if indexes and indexes != spoken:
            call.fail(f"turn {turn}: {spoken} reported, {indexes} remembered")
        tolerance = 0 if call.tts.has_marks and turn in call.measured and not said.interrupted else 1
        if abs(len(spoken) - len(heard)) > tolerance or (not tolerance and spoken != heard):
            call.fail(f"turn {turn}: {spoken} remembered, {heard} heard")
    unreported = {turn for turn in remembered if turn not in call.bot_turns}
    if unreported:
        call.fail(f"turns {unreported} were never reported")
    check_marks(call, messages, remembered)


def check_marks(call: SimulatedCall, messages: list[ChatMessage], remembered: dict[int, list[int]]) -> None:
    """A turn that was cut off says so behind its last word, or behind the tools it had asked for."""
    for index, message in enumerate(messages):
        found = _BOT_WORD.findall(message.content) if message.role == "assistant" else []
        if not found:
            continue
        turn = int(found[-1][0])
        is_interrupted = call.bot_turns[turn].interrupted
        if message.content.endswith(INTERRUPTED) and not is_interrupted:
            call.fail(f"turn {turn} was not interrupted")
        if is_interrupted and int(found[-1][1]) == remembered[turn][-1]:
            rest = itertools.takewhile(lambda message: message.role != "user", messages[index:])
            if not any(message.content.endswith(INTERRUPTED) for message in rest):
                call.fail(f"nothing says that turn {turn} was interrupted")


def words_heard(call: SimulatedCall, turn: int) -> list[int]:
    """The words of a turn whose last sample was played."""
    _, position = call.line.played.get(turn, (0, 0))
    heard = []
    for (of_turn, _), words in call.tts.words.items():
        if of_turn == turn:
            heard += [int(found[2]) for word, end in words if end <= position and (found := _BOT_WORD.match(word))]
    return heard
