"""What follows a reply of which nothing can be spoken: nothing at all was written, or markup, emoji, a thought."""

from __future__ import annotations

from ringline.engine.conversation.actions import Remedy
from ringline.engine.conversation.reply import Reply
from ringline.engine.conversation.wording import Phrasebook

MAX_AGAIN = 1
"""So often the model is asked once more; then each of its fallbacks is asked."""


class EmptyReplies:
    """A ladder, each rung taken at once: the model again, its fallbacks, words of the engine's own; and if the next
    turn comes to nothing, too, the reply has failed."""

    def __init__(self, book: Phrasebook, llm_tiers: int, is_authored: bool) -> None:
        """``llm_tiers``: the model and its fallbacks; ``is_authored``: it may answer a caller's silence with silence,
        because somebody wrote that."""
        self.num_in_a_row = 0
        """Turns in which the engine spoke in the model's place."""
        self._book, self._llm_tiers, self._is_authored = book, llm_tiers, is_authored

    @property
    def has_fallback(self) -> bool:
        """Whether there is another model to be asked."""
        return self._llm_tiers > 1

    def is_for_fallback(self, num_empty: int) -> bool:
        """Whether, behind so many empty replies in a turn, another model is to be asked."""
        return num_empty > MAX_AGAIN

    def remedy(self, reply: Reply) -> Remedy:
        """What to do, now that the reply was empty for the ``trace.num_empty``-th time."""
        num_empty = reply.trace.num_empty
        if num_empty < MAX_AGAIN + self._llm_tiers:
            return "ask the fallback" if self.is_for_fallback(num_empty) else "ask again"
        if self._is_authored and reply.trace.cause == "no_input" and not reply.then:
            return "say nothing"
        return "give up" if self.num_in_a_row else "say so"

    def words(self, reply: Reply) -> str:
        """What is said in the model's place."""
        if reply.own_text():
            return self._book.lost_thread
        match reply.trace.cause:
            case "opening":
                return self._book.hello
            case "no_input":
                return self._book.goodbye if reply.then else self._book.still_there
        return self._book.again
