"""One reply of the bot, from the moment it is thought of until the caller has heard it, or has cut it off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from ringline.engine.conversation.ledger import SpokenPhrase
from ringline.engine.conversation.length import LengthLimit
from ringline.engine.conversation.phrasing import Phrase, Phraser
from ringline.engine.conversation.playhead import Playhead
from ringline.engine.conversation.utterance import Utterance
from ringline.engine.trace import TurnTrace
from ringline.ipc.messages import ChatMessage, ReplyFinished, ToolCall


class Reply:
    """The state of one turn of the bot. ``turn`` names it everywhere: at the gate, at TTS, in the trace."""

    def __init__(self, turn: int, cause: str, now_ns: int, rate_hz: int, language: str, length: LengthLimit) -> None:
        self.turn = turn
        self.step = 0
        """Rounds of tools, and replies that held nothing to say, so far."""
        self.hinted_step = -1
        """The one for which the LLM is told that it has said nothing."""
        self.trace = TurnTrace(turn, cause, now_ns)
        self.answers: Utterance | None = None
        """What the caller said that it answers."""
        self.pending: list[ChatMessage] = []
        """What the history gains once this reply is real."""

        self.was_asked = False
        """Whether the LLM writes it, or has written it."""
        self.is_generating = False
        self.awaits_model_until_ns = 0
        """The LLM's server loads its model: the reply has until then."""
        self.is_open = False
        """Whether it may be heard: a draft may not, before the caller's turn is over."""
        self.is_paused = False
        self.is_audible = False
        """Whether its first sound was sent."""
        self.is_real = False
        """Whether it left a trace in the world: the caller heard words of it, or a tool of it had effects."""
        self.is_complete = False
        """Whether the turn's last phrase went to TTS."""
        self.has_failed_before = False
        """The LLM was asked once more because it had failed."""
        self.is_stand_in = False
        """The LLM had nothing to say, and the engine's own words take its place."""
        self.then = ""
        """What follows when it was spoken: ``hang_up`` or ``transfer``."""
        self.num_fillers = 0
        self.bridges: list[Phrase] = []
        """Fillers that TTS was asked to put before a phrase that it has not yet made."""

        self.phraser = Phraser(language)
        self.phrases: list[SpokenPhrase] = []
        self.num_phrases = 0
        """Of those that TTS was asked for."""
        self.step_phrase = 0
        """The first phrase that the history does not have with an earlier step."""
        self.length = length
        self.tool_steps: list[tuple[str, list[SpokenPhrase]]] = []
        """Of each step that asked for tools: one of its calls, and what was said with it."""
        self.result: ReplyFinished | None = None
        """The LLM's last word on it: state, expectation."""
        self.held: list[tuple[ToolCall, str]] | None = None
        """Tools with effects, which wait for the reply to be opened."""
        self.open_tool_calls: dict[str, ToolCall] = {}
        self.asked_ns = 0
        """When the LLM was last asked to write on."""
        self.wordless_ns = 0
        """What its steps took together that brought no words."""
        self.num_futile = 0
        """Steps in a row whose tools could not be run."""
        self._results: set[bytes] = set()
        """Of tools that have run and have not failed: what they were asked for."""
        self.facts: list[str] = []
        """What the LLM wants to be remembered."""
        self.num_digits = 0
        """So many keyed digits are its next answer."""

        self._rate_hz = rate_hz
        self._playhead = Playhead(rate_hz)

    # --- playout --------------------------------------------------------------------------------------------------

    def starts(self, time_ns: int) -> None:
        """Its first sound was sent at this time."""
        self.is_audible = True
        self.trace.playout_ns = time_ns
        start_sample = next((phrase.start_sample for phrase in self.phrases if phrase.start_sample >= 0), None)
        self._playhead.begins(start_sample, time_ns)
        if self.is_paused:  # the report was under way when the gate closed: capture will say how far it came
            self._playhead.halts(start_sample or 0)

    def written(self, start_sample: int, time_ns: int) -> None:
        """A phrase of it begins at this reply sample, and its first sound was there at that time."""
        self._playhead.written(start_sample, time_ns)

    def halts(self, now_ns: int) -> None:
        """The gate closes on it."""
        if self.is_audible:
            self._playhead.halts(self.position(now_ns))

    def goes_on(self, now_ns: int) -> None:
        """The gate opens again."""
        if self.is_audible:
            self._playhead.goes_on(self.position(now_ns), now_ns)

    def stopped(self, sample: int, time_ns: int) -> None:
        """Capture says behind which sample it stopped, at that time."""
        self._playhead.stopped(sample, time_ns)

    def ended(self, sample: int) -> None:
        """It was played to its end. What TTS has not begun will not come: that it failed is still under way."""
        if not self.is_audible or sample <= self.end_sample:
            for phrase in self.phrases:
                if phrase.start_sample < 0:
                    phrase.fails()

    @property
    def is_measured(self) -> bool:
        """Whether nothing more of it is played, and it is known to the sample where it ended."""
        return self._playhead.is_measured

    def position(self, now_ns: int) -> int:
        """The reply sample up to which it was played: as reported, or by the time since it began to move."""
        position = self._playhead.position(now_ns)
        return position if any(phrase.is_being_made for phrase in self.phrases) else min(self.end_sample, position)

    @property
    def end_sample(self) -> int:
        """Behind what is known to be in the ring."""
        return max((max(phrase.start_sample, phrase.end_sample) for phrase in self.phrases), default=0)

    def ahead_ns(self, now_ns: int) -> int:
        """How long the audio lasts that is made, or should be by now, and is not yet played."""
        if not self.is_audible:
            return 0
        end_sample = max((phrase.expected_end_sample for phrase in self.phrases), default=0)
        return max(0, end_sample - self.position(now_ns)) * 10**9 // self._rate_hz

    # --- phrases --------------------------------------------------------------------------------------------------

    @property
    def unspoken(self) -> SpokenPhrase | None:
        """The phrase TTS works on, or is to begin with next."""
        return next((phrase for phrase in self.phrases if not phrase.is_over), None)

    def put_before(self, phrase: SpokenPhrase, bridge: SpokenPhrase) -> None:
        """A bridge is in the ring before a phrase."""
        index = self.phrases.index(phrase)
        self.phrases.insert(index, bridge)
        if index < self.step_phrase:
            self.step_phrase += 1

    @property
    def is_broken_off(self) -> bool:
        """Whether the end of its words is missing, because TTS could not speak it."""
        own = [phrase for phrase in self.own_phrases() if phrase.has_failed or phrase.phrase.words]
        return bool(own) and own[-1].has_failed

    @property
    def is_unspeakable(self) -> bool:
        """Whether nothing at all of its words can be heard, because all of its phrases have failed."""
        has_failed = any(phrase.has_failed for phrase in self.phrases)
        return has_failed and self.is_complete and not any(phrase.has_sound for phrase in self.phrases)

    def playing(self, now_ns: int) -> SpokenPhrase | None:
        """The phrase that is being heard."""
        position = self.position(now_ns)
        begun = [phrase for phrase in self.phrases if 0 <= phrase.start_sample <= position and phrase.phrase.words]
        return begun[-1] if begun else None

    def duration_ns(self, phrase: SpokenPhrase) -> int:
        """About how long a phrase takes that has begun."""
        return (phrase.expected_end_sample - phrase.start_sample) * 10**9 // self._rate_hz

    def until_end_of(self, phrase: SpokenPhrase, now_ns: int) -> int:
        """Nanoseconds until a phrase was heard to its end, as far as is known."""
        return max(0, phrase.expected_end_sample - self.position(now_ns)) * 10**9 // self._rate_hz

    def own_phrases(self) -> Iterator[SpokenPhrase]:
        """The phrases that carry its text, over all steps."""
        return (phrase for phrase in self.phrases if not phrase.is_filler)

    @property
    def step_phrases(self) -> list[SpokenPhrase]:
        """Those of the current step that carry its text."""
        return [phrase for phrase in self.phrases[self.step_phrase :] if not phrase.is_filler]

    def step_text(self, reply_sample: int | None = None) -> str:
        """The words of the current step; with ``reply_sample``, those whose audio lies before it."""
        return words_of(self.step_phrases, reply_sample)

    def own_text(self, reply_sample: int | None = None) -> str:
        """The words of all steps, fillers left out; with ``reply_sample``, those whose audio lies before it."""
        return words_of(self.own_phrases(), reply_sample)

    def text(self, reply_sample: int | None = None) -> str:
        """All that the caller was to hear, fillers included; with ``reply_sample``, what they have heard."""
        return words_of(self.phrases, reply_sample)

    def is_exact(self, reply_sample: int) -> bool:
        """Whether it is known, not worked out, that playout ended at this sample, and which words lie before it."""
        return self.is_measured and all(phrase.is_exact(reply_sample) for phrase in self.phrases)

    @property
    def has_words(self) -> bool:
        """Whether anything of its text goes to TTS."""
        return any(phrase.phrase.words for phrase in self.own_phrases())

    @property
    def is_answered(self) -> bool:
        """Whether nothing more needs to be said: it ends the call, keys were sent, or a question was asked."""
        if self.then and self.trace.cause != "no_input":
            return True
        own = list(self.own_phrases())
        is_keyed = any(not phrase.phrase.words and not phrase.has_failed for phrase in own)
        return is_keyed or (bool(own) and own[-1].phrase.is_question)

    @property
    def has_words_in_step(self) -> bool:
        """Whether anything of the current step goes to TTS."""
        return any(phrase.phrase.words for phrase in self.step_phrases)

    def written_on(self, text: str) -> list[Phrase]:
        """What can be said of it, now that the model has written this piece."""
        return self.length.admit(self.phraser.feed(text))

    def written_out(self, drops_fragment: bool = False) -> list[Phrase]:
        """What is still to be said, now that the model has written all."""
        return self.length.admit(self.phraser.flush(drops_fragment)) + self.length.finish()

    def returned(self, tool_call: ToolCall, result: str) -> None:
        """A tool has answered. One that has failed may be asked once more."""
        if not result.startswith('{"error":'):
            self._results.add(_request_of(tool_call))

    def has_result(self, tool_call: ToolCall) -> bool:
        """Whether the same was asked for before, and has an answer."""
        return _request_of(tool_call) in self._results

    def next_step(self) -> None:
        """The tools have answered; the LLM writes on."""
        self.step += 1
        self.step_phrase = len(self.phrases)
        self.length.next_step()


def _request_of(tool_call: ToolCall) -> bytes:
    return msgspec.json.encode((tool_call.name, tool_call.arguments), order="deterministic")


def words_of(phrases: Iterable[SpokenPhrase], reply_sample: int | None = None) -> str:
    """The words of these phrases; with ``reply_sample``, those whose audio lies before it."""
    texts = (phrase.phrase.written if reply_sample is None else phrase.heard(reply_sample) for phrase in phrases)
    return " ".join(text for text in texts if text)
