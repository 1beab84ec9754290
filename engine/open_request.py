"""One request that is in flight."""

from __future__ import annotations

import msgspec

from ringline.engine.config import Stage
from ringline.ipc.messages import Generate, PhraseFailed, ReplyFailed, Speak, ToWorker, TranscriptFailed

Key = tuple[Stage, int, int]
"""Stage, call, and the number of the utterance or turn."""

Failure = TranscriptFailed | ReplyFailed | PhraseFailed


class OpenRequest:
    """The messages that a new worker needs, and who has them now."""

    def __init__(self, key: Key, tier: int) -> None:
        self.key = key
        self.stage, self.call, self.number = key
        self.tier = tier
        self.messages: list[ToWorker] = []
        self.worker = ""
        """Bus name; empty while it waits for a worker."""
        self.deaths = 0
        """Workers of the tier that died, perhaps of it."""
        self.awaits_model = False
        """Its server loads the model."""
        self.answers_before = 0
        """What its worker had said about others when it was sent, or was last looked at."""
        self.given_up: set[int] = set()
        """Phrases that failed on all tiers: of them only the end is still to be marked in the ring."""

    def move(self, tier: int) -> None:
        """Take it away from its worker, for a worker of ``tier``."""
        if self.messages and isinstance(speak := self.messages[0], Speak) and tier != self.tier:
            self.messages[0] = msgspec.structs.replace(speak, other_voice=True)
        self.worker, self.tier, self.deaths, self.awaits_model = "", tier, 0, False

    @property
    def generate(self) -> Generate:
        """The LLM's request."""
        message = self.messages[0]
        assert isinstance(message, Generate)
        return message

    def said(self, text: str) -> None:
        """The LLM wrote a piece of the reply: whoever writes on begins behind it."""
        self.messages[0] = msgspec.structs.replace(self.generate, said=self.generate.said + text)

    def finish(self, phrase: int) -> Speak | None:
        """A phrase is in the ring. Returns its request, None if it was settled before."""
        for message in self.messages:
            if isinstance(message, Speak) and message.phrase == phrase:
                self.messages.remove(message)
                return message
        return None

    def give_up_phrase(self) -> bool:
        """Leave out what is missing of the first open phrase. Returns False if that was done before."""
        speak = self.messages[0]
        assert isinstance(speak, Speak)
        if speak.phrase in self.given_up:
            return False
        self.given_up.add(speak.phrase)
        self.messages[0] = msgspec.structs.replace(speak, text="", keys="")
        return True

    def failure(self, reason: str) -> Failure:
        """How the conversation is told that nobody answers."""
        match self.messages[0]:
            case Generate(step=step):
                return ReplyFailed(self.call, self.number, step, reason, is_final=self.deaths > 0)
            case Speak(phrase=phrase):
                return PhraseFailed(self.call, self.number, phrase, reason)
        return TranscriptFailed(self.call, self.number, reason)
