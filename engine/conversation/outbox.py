"""What a step of the conversation leads to: actions now, and deadlines for later."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringline.engine.conversation.conversation import Action


class Outbox:
    """Collects them; the two sides of a conversation write into the same one."""

    def __init__(self) -> None:
        self.actions: list[Action] = []
        """Of the step under way, in order."""
        self.deadlines: dict[str, int] = {}
        """What is due -> CLOCK_MONOTONIC in nanoseconds."""

    def act(self, *actions: Action) -> None:
        """To be done now."""
        self.actions += actions

    def at(self, name: str, time_ns: int) -> None:
        """Wake up for ``name`` at this time, instead of any earlier wish under that name."""
        self.deadlines[name] = time_ns

    def cancel(self, *names: str) -> None:
        """Do not wake up for these."""
        for name in names:
            self.deadlines.pop(name, None)

    def next_due(self, now_ns: int) -> str | None:
        """What has been due for the longest time, and is so no more; None if nothing is."""
        name = min(self.deadlines, key=lambda name: self.deadlines[name], default=None)
        if name is None or self.deadlines[name] > now_ns:
            return None
        del self.deadlines[name]
        return name
