"""When the caller speaks and when it hangs up: a person's manners, without clocks or wires.

The caller hears the bot out: it speaks once the bot has spoken and then been quiet for a while. Interruptions do not
wait for that, and behind an aside it goes on listening to the same turn. All times are CLOCK_MONOTONIC in nanoseconds,
and those of the bot's speech are when it is heard, which may lie ahead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:  # it brings espeak-ng and numba along
    from ringline.tools.caller.script import Item

NS_PER_MS = 1_000_000


class Manners(msgspec.Struct, frozen=True):
    """How the caller behaves."""

    patience_ms: int = 700
    """Silence of the bot after which its turn is over: longer than its pauses between sentences."""
    timeout_ms: int = 10_000
    """Silence in place of an answer after which the caller gives up."""
    limit_ms: int = 600_000
    """The longest call."""
    waits_for_greeting: bool = True
    """Whether the bot speaks first."""
    prompted: bool = False
    """Whether somebody else says, while the call lasts, what is said next and when it is over (`Dialogue.add`)."""


class Say(msgspec.Struct, frozen=True):
    """Begin with this item of the script."""

    index: int


class HangUp(msgspec.Struct, frozen=True):
    """End the call."""

    reason: str
    """Empty: all is said and answered."""


class Dialogue:
    """One call's turn-taking from the caller's side."""

    def __init__(self, manners: Manners, script: Sequence[Item], start_ns: int) -> None:
        self._manners = manners
        self._script = list(script)
        self._has_end = not manners.prompted
        self._start_ns = start_ns
        self._waiting_since_ns = start_ns
        self._answer_ns: int | None = None
        self.heard_until_ns = 0
        """Until when the bot is audible, as far as is known."""
        self._speaking = False
        self.num_said = 0
        """Items begun."""

    def add(self, item: Item | None) -> None:
        """What is said next; None: nothing more."""
        if item is None:
            self._has_end = True
        else:
            self._script.append(item)

    def heard(self, first_ns: int, end_ns: int) -> None:
        """The bot is audible from ``first_ns`` to ``end_ns``."""
        self.heard_until_ns = max(self.heard_until_ns, end_ns)
        if self._answer_ns is None and not self._speaking and end_ns > self._waiting_since_ns:
            self._answer_ns = max(first_ns, self._waiting_since_ns)

    def cleared(self, now_ns: int) -> None:
        """Whatever the bot was to be heard saying from now on is dropped."""
        self.heard_until_ns = min(self.heard_until_ns, now_ns)

    def said(self, end_ns: int) -> None:
        """The item under way was audible until ``end_ns``, and is over."""
        self._speaking = False
        self._waiting_since_ns = end_ns
        # A bot that speaks on has begun its answer, whatever it says; and an aside has none.
        has_answer = self.heard_until_ns > end_ns or self._script[self.num_said - 1].aside
        self._answer_ns = end_ns if has_answer else None

    @property
    def is_complete(self) -> bool:
        """Whether all is said, and the answer to the last of it has begun."""
        return self.num_said == len(self._script) and not self._speaking and self._answer_ns is not None

    def is_quiet(self, now_ns: int) -> bool:
        """Whether the bot's turn is over."""
        return now_ns - self.heard_until_ns >= self._manners.patience_ms * NS_PER_MS

    def decide(self, now_ns: int) -> Say | HangUp | None:
        """What to do now, if anything. `Say` is to be followed by `said`."""
        if now_ns - self._start_ns >= self._manners.limit_ms * NS_PER_MS:
            return HangUp("the call lasted too long")
        if self._speaking:
            return None
        is_due = self._is_due(now_ns)
        if not is_due:
            if self._answer_ns is None and now_ns - self._waiting_since_ns >= self._manners.timeout_ms * NS_PER_MS:
                return HangUp("no answer" if self.num_said else "no greeting")
            return None
        if self.num_said == len(self._script):
            return HangUp("") if self._has_end else None
        self.num_said += 1
        self._speaking = True
        return Say(self.num_said - 1)

    def _is_due(self, now_ns: int) -> bool:
        item = self._script[self.num_said] if self.num_said < len(self._script) else None
        patience_ms = self._manners.patience_ms
        if item is not None and item.patience_ms is not None:
            patience_ms = item.patience_ms
        if self._answer_ns is None:
            if self.num_said or self._manners.waits_for_greeting:
                return False
        elif (
            item is not None
            and item.interrupt_ms is not None
            and now_ns >= self._answer_ns + item.interrupt_ms * NS_PER_MS
        ):
            return True
        return now_ns - max(self.heard_until_ns, self._waiting_since_ns) >= patience_ms * NS_PER_MS
