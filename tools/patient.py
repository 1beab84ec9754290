"""Somebody who phones the example clinic for an appointment, in their own words, and says what the bot's question asks.

Without clocks and wires: what the bot said goes in, what the caller says next comes out. The caller understands every
word of the bot, and checks what it reads back, as people do: what is booked wrong was agreed to by the bot alone.
"""

from __future__ import annotations

import re

import msgspec

from ringline.workers.llm.flow import dates, times

MAX_CORRECTIONS = 3
"""Who is read back the wrong day or time more often than this gives up; likewise who is asked the same again."""


class Phrasing(msgspec.Struct, frozen=True):
    """How one caller talks. ``{day}``, ``{wrong_day}`` and ``{time}`` stand for what is wanted."""

    opening: str
    """Answer to "How can I help you?"."""
    time: str = "{time}"
    """... to "At what time?"."""
    day: str = "{day}"
    """... to "Which day would you like?"."""
    yes: str = "yes"
    """... to "Is that right?", where it is."""
    end: str = "no thank you"
    """... to "Is there anything else?"."""
    correction: str = ""
    """Said once in place of ``yes``, whatever was read back: the caller has changed its mind from ``wrong_day``."""
    no: str = "no, {day}, {time}"
    """... to "Is that right?", where it is not."""
    plain_opening: str = "an appointment please"
    """Where the first try was not understood."""
    plain_day: str = "{day}"
    plain_time: str = "at {time}"


class Wish(msgspec.Struct, frozen=True):
    """What the caller wants, in words and as the diary has it."""

    day: str
    """``next tuesday``"""
    time: str
    """``half past ten``"""
    date: str
    """YYYY-MM-DD"""
    clock: str
    """HH:MM"""
    wrong_day: str = ""
    """Of a caller who changes its mind."""


class Patient:
    """One call."""

    def __init__(self, phrasing: Phrasing, wish: Wish) -> None:
        self._words: dict[str, str] = {
            name: text.format(day=wish.day, time=wish.time, wrong_day=wish.wrong_day)
            for name, text in msgspec.structs.asdict(phrasing).items()
        }
        self._wish = wish
        self._has_corrected = not phrasing.correction
        self._asked: dict[str, int] = {}

    def repertoire(self) -> list[str]:
        """Everything that may be said."""
        return list(dict.fromkeys(text for text in self._words.values() if text))

    def answer(self, bot: str) -> str | None:
        """What to say now that the bot has said this; None: nothing, and the call is over for the caller."""
        heard = bot.lower()
        if "anything else" in heard:
            return self._words["end"]
        if "is that right" in heard or "shall i book" in heard or "for yes" in heard:
            return self._confirm(heard)
        for question, name in (("which day", "day"), ("the day", "day"), ("what time", "time"), ("the time", "time")):
            if question in heard:
                return self._say(name)
        if "help you" in heard or "you can book" in heard or "to book an appointment" in heard:
            return self._say("opening")
        return None

    def _confirm(self, heard: str) -> str | None:
        wish = self._wish
        wanted = (dates.spoken(wish.date), times.spoken(wish.clock))
        is_right = all(re.search(rf"\b{re.escape(part.lower())}\b", heard) for part in wanted)  # no noon in afternoon
        if not self._has_corrected:
            self._has_corrected = True
            return self._words["correction"]
        return self._words["yes"] if is_right else self._say("no")

    def _say(self, name: str) -> str | None:
        """The second time in plainer words, where there are any; None when it has become too much."""
        self._asked[name] = self._asked.get(name, 0) + 1
        if self._asked[name] > MAX_CORRECTIONS:
            return None
        plainer = self._words.get(f"plain_{name}")
        return plainer if plainer and self._asked[name] > 1 else self._words[name]
