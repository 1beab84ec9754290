"""What was said, by both sides, in the form chat models take. Of an interrupted reply it holds what was heard.

A call that grows beyond its budget is compacted: the oldest exchanges shrink to extracts (`gist.py`). What is given to
a model is always in an order that chat APIs take: one system message, then the rest, the result of every tool call
right behind it.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterable

import msgspec

from ringline.engine.conversation.gist import MAX_TOOL_CHARS, gist, shortened
from ringline.engine.conversation.phrasing.markup import CUT_OFF
from ringline.ipc.messages import ChatMessage, ToolCall

INTERRUPTED = f" {CUT_OFF}"
"""Behind the words of a reply that the caller cut off: models trained on chats take it as it is meant."""

VOICE_RULES = """\
You are on the telephone. Everything you write is spoken to the caller as it stands:
- One or two short sentences at a time, in plain spoken language. No lists, headings, markdown, emoji or links.
- Ask one question at a time, then let the caller answer.
- Write numbers, dates and times as one says them; spell codes and references in small groups, like "A B, 4 7 1".
- What the caller says comes from a speech recogniser and may be misheard. Ask again if it makes no sense, and repeat \
names, numbers and dates before you act on them.
- "[keyed 1234]" means that the caller pressed these keys.
- " [interrupted]" behind your own words means that the caller spoke over you there and heard nothing beyond. Never \
write it yourself.
- The language of the call is "{language}"."""
"""How to speak on a telephone. Stands behind an agent's prompt, unless the agent brings other rules."""

WHOLE_EXCHANGES = 3
"""So many stay as they are, if the budget holds them: what the caller said and all that followed from it."""
SUMMARY_SHARE = 4
"""Extracts take at most one part in so many of the budget."""
FOLD_TO = 0.6
"""Share of the budget that compaction leaves. Every compaction changes the beginning of what the model reads, and what
it had computed for that is lost: better seldom and much than always a little."""

SHORTEST_RESULT_CHARS = 100
"""What is left of a tool's result at the least."""
MESSAGE_TOKENS = 4
"""What a chat template puts around a message."""
RUNNING = '{"status":"still running"}'
"""Stands for a tool's result that is not there yet: chat APIs refuse a call without one."""


def estimate_tokens(text: str) -> int:
    """About how many tokens a model makes of ``text``; no two models agree, and a tokenizer would weigh more than this
    engine. Four characters each in Latin script, two in other alphabets, one in Chinese, Japanese and Korean."""
    if text.isascii():
        return math.ceil(len(text) / 4)
    latin = sum(character < "\u0250" for character in text)
    ideographs = sum(character >= "\u2e80" for character in text)
    return math.ceil(latin / 4 + (len(text) - latin - ideographs) / 2 + ideographs)


def _tokens(message: ChatMessage) -> int:
    size = MESSAGE_TOKENS + estimate_tokens(message.content)
    for call in message.tool_calls:
        size += MESSAGE_TOKENS + estimate_tokens(call.name + msgspec.json.encode(call.arguments).decode())
    return size


def caller_said(text: str) -> ChatMessage:
    """The caller's turn."""
    return ChatMessage("user", text)


def caller_keyed(digits: str) -> ChatMessage:
    """The caller's turn: keys they pressed."""
    return ChatMessage("user", f"[keyed {digits}]", keyed=digits)


def tools_asked(text: str, tool_calls: tuple[ToolCall, ...]) -> list[ChatMessage]:
    """The bot asked for tools, after saying ``text``. Until they answer, a stand-in says that they run."""
    running = [ChatMessage("tool", RUNNING, tool_call_id=call.id, pending=True) for call in tool_calls]
    return [ChatMessage("assistant", text, tool_calls), *running]


def tool_answered(
    messages: list[ChatMessage], tool_call_id: str, result: str
) -> tuple[ChatMessage, ChatMessage] | None:
    """Put a tool's answer where its stand-in is, the latest of that name. Returns both; None where there is none."""
    for index in reversed(range(len(messages))):
        stand_in = messages[index]
        if stand_in.pending and stand_in.tool_call_id == tool_call_id:
            messages[index] = ChatMessage("tool", result, tool_call_id=tool_call_id)
            return stand_in, messages[index]
    return None


class History:
    """The messages of a call."""

    def __init__(
        self, prompt: str, language: str = "en", budget_tokens: int = 4000, voice_rules: str | None = None
    ) -> None:
        """``budget_tokens``: what `messages` may hold besides the prompt and its rules, by `estimate_tokens`.

        ``voice_rules``: see `ringline.Agent.voice_rules`. Without a prompt there are no rules.
        """
        rules = VOICE_RULES.replace("{language}", language) if voice_rules is None else voice_rules
        self._prompt = f"{prompt}\n\n{rules}".rstrip() if prompt else ""
        self._language = language
        self._budget = budget_tokens
        self._facts: list[str] = []
        self._summary: list[str] = []
        self._exchanges: list[list[ChatMessage]] = []
        """What the caller said, and all that followed from it. Only the first may begin with the bot."""
        self._live_tokens = 0
        """Of all exchanges."""
        self._asked = ""
        """What the bot said last in what is folded."""
        self._made: tuple[ChatMessage, ...] | None = None

    def messages(self) -> tuple[ChatMessage, ...]:
        """All so far, within the budget.

        Beyond it they go only if the remembered facts, the caller's last message and the bot's last step behind it
        (whose tools' results are cut as far as need be) are too long by themselves.
        """
        if self._made is None:
            notes = self._notes()
            system = f"{self._prompt}\n\n{notes}".strip() if notes else self._prompt
            head = [ChatMessage("system", system)] if system else []
            self._made = (*head, *itertools.chain.from_iterable(self._exchanges))
        return self._made

    def extend(self, messages: Iterable[ChatMessage]) -> None:
        """What was pending has happened."""
        for message in messages:
            if message.role == "user":
                self._exchanges.append([])
            self._append(message)

    def rephrase(self, tool_call_id: str, text: str) -> None:
        """Of what the bot said when it asked for this tool, only ``text`` was heard."""
        for exchange in reversed(self._exchanges):
            for index in reversed(range(len(exchange))):
                message = exchange[index]
                if any(tool_call.id == tool_call_id for tool_call in message.tool_calls):
                    exchange[index] = msgspec.structs.replace(message, content=text)
                    self._live_tokens += _tokens(exchange[index]) - _tokens(message)
                    self._changed()
                    return

    def bot(self, text: str, interrupted: bool = False) -> None:
        """The bot's turn; of an interrupted one, what was heard."""
        if text or interrupted:
            self._append(ChatMessage("assistant", text + INTERRUPTED if interrupted else text))

    def tool_returned(self, tool_call_id: str, result: str) -> None:
        """A tool's answer."""
        for exchange in reversed(self._exchanges):
            if replaced := tool_answered(exchange, tool_call_id, result):
                self._live_tokens += _tokens(replaced[1]) - _tokens(replaced[0])
                self._changed()
                return
        self._summary.append(f"A tool answered late: {shortened(result, MAX_TOOL_CHARS)}")
        self._changed()

    def remember(self, fact: str) -> None:
        """Keep a fact, word for word, for the rest of the call."""
        fact = " ".join(fact.split())
        if fact and fact not in self._facts:
            self._facts.append(fact)
            self._changed()

    # --- compaction -----------------------------------------------------------------------------------------------

    def _append(self, *messages: ChatMessage) -> None:
        if not self._exchanges:
            self._exchanges.append([])
        self._exchanges[-1] += messages
        self._live_tokens += sum(map(_tokens, messages))
        self._changed()

    def _notes(self) -> str:
        parts = []
        if self._facts:
            parts.append("\n".join(("Remember:", *(f"- {fact}" for fact in self._facts))))
        if self._summary:
            parts.append("\n".join(("Earlier in this call:", *(f"- {line}" for line in self._summary))))
        return "\n\n".join(parts)

    def _changed(self) -> None:
        self._made = None
        if not self._is_over():
            return
        while len(self._exchanges) > WHOLE_EXCHANGES and self._is_over(FOLD_TO):
            self._fold(self._exchanges.pop(0))
        self._trim_summary()
        while self._is_over() and len(self._exchanges) > 1:
            self._fold(self._exchanges.pop(0))
            self._trim_summary()
        while self._is_over() and (step := self._take_first_step()):
            self._fold(step)
            self._trim_summary()
        self._shorten_results()

    def _is_over(self, share: float = 1.0) -> bool:
        """Whether more than so much of the budget is used."""
        notes = self._notes()
        return self._live_tokens + (estimate_tokens(notes) + MESSAGE_TOKENS if notes else 0) > self._budget * share

    def _fold(self, messages: list[ChatMessage]) -> None:
        """Put what is worth keeping of messages that were taken out into the summary."""
        self._live_tokens -= sum(map(_tokens, messages))
        self._summary += gist(messages, self._asked, self._language)
        self._asked = next((m.content for m in reversed(messages) if m.role == "assistant" and m.content), self._asked)
        room = self._budget // SUMMARY_SHARE
        kept = list(itertools.accumulate(estimate_tokens(line) + 1 for line in reversed(self._summary)))
        del self._summary[: len(kept) - bisect.bisect_right(kept, room)]

    def _trim_summary(self) -> None:
        while self._summary and self._is_over():
            del self._summary[0]

    def _take_first_step(self) -> list[ChatMessage]:
        """Take the oldest thing the bot did in the current exchange, tools included, out of it; never the last one."""
        exchange = self._exchanges[-1]
        starts = [index for index, message in enumerate(exchange) if message.role == "assistant"]
        if len(starts) < 2:
            return []
        step = exchange[starts[0] : starts[1]]
        del exchange[starts[0] : starts[1]]
        return step

    def _shorten_results(self) -> None:
        """Cut the results of the step under way, the longest first, by halves."""
        exchange = self._exchanges[-1]
        by_length = sorted(range(len(exchange)), key=lambda index: -len(exchange[index].content))
        for index in (index for index in by_length if exchange[index].role == "tool"):
            text = exchange[index].content
            while self._is_over() and len(text) > SHORTEST_RESULT_CHARS:
                text = text[: len(text) // 2]
                content = msgspec.json.encode({"shortened": text}).decode()
                cut = msgspec.structs.replace(exchange[index], content=content)
                self._live_tokens += _tokens(cut) - _tokens(exchange[index])
                exchange[index] = cut
