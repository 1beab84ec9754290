"""One reply of the bot, from the moment it is asked for until the caller has heard it, or has cut it off."""

from __future__ import annotations

from ringline.engine.conversation.history import SpokenPhrase
from ringline.engine.conversation.phrases import Phraser
from ringline.engine.trace import TurnTrace
from ringline.ipc.messages import ReplyFinished


class Reply:
    """The state of one turn of the bot."""

    def __init__(self, turn: int, cause: str, started_ns: int) -> None:
        self.turn = turn
        self.step = 0
        self.trace = TurnTrace(turn, cause, started_ns)
        self.phraser = Phraser()
        self.phrases: list[SpokenPhrase] = []
        self.step_text = ""
        """What the LLM wrote since the last round of tools."""
        self.step_phrase = 0
        """The first phrase of that text."""
        self.open_tool_calls: set[str] = set()
        self.complete = False
        """Whether the turn's last phrase went to TTS."""
        self.audible = False
        """Whether its first sound was sent."""
        self.used_tools = False
        self.result: ReplyFinished | None = None
        """The LLM's last word on it: state, expectation."""
        self.then: str = ""
        """What follows when it was spoken: ``hang_up`` or ``transfer``."""

    @property
    def unheard(self) -> bool:
        """Whether it left no trace yet: no sound, no tool. It can be dropped as if it had never been."""
        return not self.audible and not self.used_tools

    def next_step(self) -> None:
        """The tools have answered; the LLM writes on."""
        self.step += 1
        self.step_text = ""
        self.step_phrase = len(self.phrases)

    def heard(self, reply_sample: int) -> str:
        """The words of the current step whose audio lies before ``reply_sample``."""
        words = (phrase.heard(reply_sample) for phrase in self.phrases[self.step_phrase :])
        return " ".join(text for text in words if text)

    def text(self) -> str:
        """All that went to TTS, over all steps."""
        return " ".join(phrase.text for phrase in self.phrases)
