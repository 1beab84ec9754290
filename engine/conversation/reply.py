"""One reply of the bot, from the moment it is thought of until the caller has heard it, or has cut it off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ringline.engine.conversation.ledger import SpokenPhrase
from ringline.engine.conversation.phrasing import Phrase, Phraser
from ringline.engine.conversation.utterance import Utterance
from ringline.engine.trace import TurnTrace
from ringline.ipc.messages import ChatMessage, ReplyFinished, ToolCall


class Reply:
    """The state of one turn of the bot. ``turn`` names it everywhere: at the gate, at TTS, in the trace."""

    def __init__(self, turn: int, cause: str, now_ns: int, rate_hz: int, language: str, max_sentences: int = 0) -> None:
        self.turn = turn
        self.step = 0
        """Rounds of tools so far."""
        self.trace = TurnTrace(turn, cause, now_ns)
        self.answers: Utterance | None = None
        """What the caller said that it answers."""
        self.pending: list[ChatMessage] = []
        """What the history gains once this reply is real."""

        self.was_asked = False
        """Whether the LLM writes it, or has written it."""
        self.is_generating = False
        self.is_open = False
        """Whether it may be heard: a draft may not, before the caller's turn is over."""
        self.is_paused = False
        self.is_audible = False
        """Whether its first sound was sent."""
        self.is_real = False
        """Whether it left a trace in the world: the caller heard words of it, or a tool of it had effects."""
        self.is_complete = False
        """Whether the turn's last phrase went to TTS."""
        self.then = ""
        """What follows when it was spoken: ``hang_up`` or ``transfer``."""
        self.num_fillers = 0

        self.phraser = Phraser(language)
        self.phrases: list[SpokenPhrase] = []
        self.step_phrase = 0
        """The first phrase of the current step."""
        self.num_sentences = 0
        """Of the current step."""
        self.max_sentences = max_sentences
        """0: no limit."""
        self.tool_steps: list[tuple[str, list[SpokenPhrase]]] = []
        """Of each step that asked for tools: one of its calls, and what was said with it."""
        self.result: ReplyFinished | None = None
        """The LLM's last word on it: state, expectation."""
        self.held: list[tuple[ToolCall, str]] | None = None
        """Tools with effects, which wait for the reply to be opened."""
        self.open_tool_calls: dict[str, ToolCall] = {}
        self.facts: list[str] = []
        """What the LLM wants to be remembered."""
        self.num_digits = 0
        """So many keyed digits are its next answer."""

        self._rate_hz = rate_hz
        self._position = 0
        self._moving_since_ns = 0

    # --- playout --------------------------------------------------------------------------------------------------

    def moves(self, sample: int, now_ns: int) -> None:
        """Playout goes on from this reply sample."""
        self._position, self._moving_since_ns = sample, now_ns

    def stands(self, sample: int) -> None:
        """Playout has stopped behind this reply sample."""
        self._position, self._moving_since_ns = sample, 0

    @property
    def stands_still(self) -> bool:
        """Whether the position is known to the sample."""
        return self._moving_since_ns == 0

    def position(self, now_ns: int) -> int:
        """The reply sample up to which it was played: as reported, or by the time since it began to move."""
        if not self._moving_since_ns:
            return self._position
        moved = self._position + (now_ns - self._moving_since_ns) * self._rate_hz // 10**9
        is_being_made = any(phrase.start_sample >= 0 and phrase.end_sample < 0 for phrase in self.phrases)
        return moved if is_being_made else min(self.end_sample, moved)

    @property
    def start_sample(self) -> int:
        """Of its first sound; 0 while there is none."""
        return next((phrase.start_sample for phrase in self.phrases if phrase.start_sample >= 0), 0)

    @property
    def end_sample(self) -> int:
        """Behind what is known to be in the ring."""
        return max((max(phrase.start_sample, phrase.end_sample) for phrase in self.phrases), default=0)

    def ahead_ns(self, now_ns: int) -> int:
        """How long the audio lasts that is made and not yet played."""
        return max(0, self.end_sample - self.position(now_ns)) * 10**9 // self._rate_hz if self.is_audible else 0

    # --- phrases --------------------------------------------------------------------------------------------------

    @property
    def unspoken(self) -> SpokenPhrase | None:
        """The phrase TTS works on, or is to begin with next."""
        return next((phrase for phrase in self.phrases if not phrase.is_over), None)

    def playing(self, now_ns: int) -> SpokenPhrase | None:
        """The phrase that is being heard."""
        position = self.position(now_ns)
        begun = [phrase for phrase in self.phrases if 0 <= phrase.start_sample <= position and phrase.phrase.words]
        return begun[-1] if begun else None

    def until_end_of(self, phrase: SpokenPhrase, now_ns: int) -> int:
        """Nanoseconds until a phrase is over, as far as is known."""
        return max(0, phrase.end_sample - self.position(now_ns)) * 10**9 // self._rate_hz

    def own_phrases(self) -> Iterator[SpokenPhrase]:
        """The phrases that carry its text, over all steps."""
        return (phrase for phrase in self.phrases if not phrase.is_filler)

    def step_text(self, reply_sample: int | None = None) -> str:
        """The words of the current step; with ``reply_sample``, those whose audio lies before it."""
        return words_of([phrase for phrase in self.phrases[self.step_phrase :] if not phrase.is_filler], reply_sample)

    def text(self, reply_sample: int | None = None) -> str:
        """All that the caller was to hear, fillers included; with ``reply_sample``, what they have heard."""
        return words_of(self.phrases, reply_sample)

    @property
    def has_words_in_step(self) -> bool:
        """Whether anything of the current step goes to TTS."""
        return any(phrase.phrase.words for phrase in self.phrases[self.step_phrase :] if not phrase.is_filler)

    def limit(self, phrases: list[Phrase]) -> list[Phrase]:
        """The phrases that may still be said: nobody listens to a long answer on the telephone."""
        kept = []
        for phrase in phrases:
            if self.max_sentences and self.num_sentences >= self.max_sentences:
                break
            self.num_sentences += phrase.ends_sentence
            kept.append(phrase)
        return kept

    def next_step(self) -> None:
        """The tools have answered; the LLM writes on."""
        self.step += 1
        self.step_phrase = len(self.phrases)
        self.num_sentences = 0


def words_of(phrases: Iterable[SpokenPhrase], reply_sample: int | None = None) -> str:
    """The words of these phrases; with ``reply_sample``, those whose audio lies before it."""
    texts = (phrase.phrase.written if reply_sample is None else phrase.heard(reply_sample) for phrase in phrases)
    return " ".join(text for text in texts if text)
