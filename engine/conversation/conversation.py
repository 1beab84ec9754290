"""The conversation of one call: turn-taking as a pure function of state, event and time.

``handle(event, now_ns)`` takes the facts that workers report and returns what is to be done. It knows no sockets and no
clocks; `Conversation.deadline_ns` says when it wants to be told that time has passed.

The caller's side, when their turn is over and what speech over the bot means, is `Caller`; the bot's side, replies and
their audio, is `Bot`. Here they meet: the course of the call, replies that fail, silences that last. Facts about
another turn or utterance than the current one are late, and ignored.
"""

from __future__ import annotations

from collections.abc import Callable

from ringline.engine.agent import Agent
from ringline.engine.config import TurnConfig
from ringline.engine.conversation.actions import (
    Backchannel,
    BotSaid,
    CallerSaid,
    Escalate,
    HungUp,
    NothingToSay,
    RunTool,
    SetGate,
)
from ringline.engine.conversation.bot import MS, Bot
from ringline.engine.conversation.caller import DEADLINES, Caller
from ringline.engine.conversation.events import (
    CallClosed,
    CallStarted,
    HangUpAsked,
    Overloaded,
    TimePassed,
    ToolReturned,
)
from ringline.engine.conversation.history import History
from ringline.engine.conversation.outbox import Outbox
from ringline.ipc.messages import (
    Bridged,
    DtmfReceived,
    FromWorker,
    HangUp,
    PhraseFailed,
    PhraseFinished,
    PhraseStarted,
    PlayoutStarted,
    PlayoutStopped,
    ReplyAwaitsModel,
    ReplyDelta,
    ReplyFailed,
    ReplyFinished,
    SpeechStarted,
    SpeechStopped,
    ToWorker,
    TranscriptFailed,
    TranscriptFinal,
    TranscriptPartial,
    TurnJudged,
    WordMarks,
)

Event = FromWorker | CallStarted | TimePassed | ToolReturned | Overloaded | HangUpAsked | CallClosed
Action = ToWorker | SetGate | RunTool | Escalate | CallerSaid | Backchannel | BotSaid | NothingToSay | HungUp


class Conversation:
    """One call's turn-taking. Not thread-safe, and has no need to be."""

    def __init__(
        self,
        call: int,
        slot: int,
        agent: Agent,
        config: TurnConfig,
        wire_rate_hz: int = 8_000,
        max_sentences: int = 0,
        trusts_dictation: bool = True,
        warms_prompt: bool = False,
        max_reply_s: float = 0.0,
        llm_tiers: int = 1,
        is_authored: bool = False,
    ) -> None:
        """``max_sentences``, ``max_reply_s``: how long replies of the LLM may be, 0 for as long as it likes;
        ``trusts_dictation``: as for `Endpointing`; ``warms_prompt``: whether the LLM is given its prompt ahead;
        ``llm_tiers``: how many LLMs there are to ask, fallbacks included; ``is_authored``: the LLM says
        what somebody wrote for it, and where it says nothing, nothing is meant."""
        self.call = call
        self.slot = slot
        self._agent = agent
        self._config = config
        self._out = Outbox()
        self._bot = Bot(
            call, slot, agent, config, wire_rate_hz, max_sentences, self._out, warms_prompt, max_reply_s, llm_tiers,
            is_authored,
        )  # fmt: skip
        self._caller = Caller(call, slot, agent, config, self._bot, self._out, trusts_dictation)
        self._over = False
        self._has_said_so = False
        """The reply before broke off, and the caller was told."""
        self._handlers: dict[type, Callable[..., None]] = {
            CallStarted: self._on_call_started,
            HangUpAsked: self._on_hang_up_asked,
            TimePassed: self._on_time_passed,
            Overloaded: self._caller.on_overloaded,
            SpeechStarted: self._caller.on_speech_started,
            SpeechStopped: self._caller.on_speech_stopped,
            TurnJudged: self._caller.on_turn_judged,
            DtmfReceived: self._caller.on_dtmf,
            TranscriptPartial: self._caller.on_partial,
            TranscriptFinal: self._caller.on_transcript,
            TranscriptFailed: self._caller.on_transcript_failed,
            ReplyAwaitsModel: self._bot.on_model_awaited,
            ReplyDelta: self._bot.on_delta,
            ReplyFinished: self._on_reply_finished,
            ReplyFailed: self._on_reply_failed,
            ToolReturned: self._bot.on_tool_returned,
            PhraseStarted: self._bot.on_phrase_started,
            WordMarks: self._bot.on_word_marks,
            PhraseFinished: self._on_phrase_finished,
            PhraseFailed: self._on_phrase_failed,
            Bridged: self._bot.on_bridged,
            PlayoutStarted: self._bot.on_playout_started,
            PlayoutStopped: self._on_playout_stopped,
        }

    @property
    def history(self) -> History:
        """What was said and heard."""
        return self._bot.history

    @property
    def deadline_ns(self) -> int | None:
        """When `TimePassed` is wanted, CLOCK_MONOTONIC; None for never."""
        return min(self._out.deadlines.values(), default=None)

    def handle(self, event: Event, now_ns: int) -> list[Action]:
        """What is to be done about an event, in this order."""
        self._out.actions = []
        if isinstance(event, CallClosed):
            self._on_call_closed(now_ns)
        elif not self._over or isinstance(event, PlayoutStopped | ToolReturned):  # how it really ended
            self._handlers[type(event)](event, now_ns)
        return self._out.actions

    # --- the call -------------------------------------------------------------------------------------------------

    def _on_call_started(self, event: CallStarted, now_ns: int) -> None:
        self._out.at("call", now_ns + int(self._config.max_call_s * 1e9))
        if self._agent.greeting:
            self._bot.say(self._agent.greeting, now_ns)
            self._bot.warm_prompt()
        else:
            self._bot.begin("opening", now_ns)

    def _on_hang_up_asked(self, event: HangUpAsked, now_ns: int) -> None:
        self._hang_up(event.reason, now_ns)

    def _on_call_closed(self, now_ns: int) -> None:
        """The wire is gone: what was heard until then is all that will be."""
        if not self._over:
            self._end(now_ns)
        self._bot.settle(now_ns)

    def _hang_up(self, reason: str, now_ns: int) -> None:
        self._end(now_ns)
        self._out.act(SetGate(0, self._bot.turn + 1), HungUp(reason), HangUp(self.call, reason))

    def _end(self, now_ns: int) -> None:
        self._over = True
        if self._bot.reply is not None:
            self._bot.cut(now_ns, keeps_pending=self._bot.reply.is_open)
        self._caller.drop_utterance(keeps_words=True)
        self._out.deadlines.clear()

    def _on_time_passed(self, event: TimePassed, now_ns: int) -> None:
        while not self._over and (name := self._out.next_due(now_ns)):
            if name in DEADLINES:
                self._caller.on_due(name, now_ns)
                continue
            match name:
                case "no_input":
                    self._ask_again(now_ns)
                case "llm" | "words" | "tts":
                    if self._bot.on_stage_late(name, now_ns):
                        self._give_up(now_ns)
                case "dead_air":
                    self._on_dead_air(now_ns)
                case "settle":
                    self._bot.settle(now_ns)
                case "reply":
                    if self._bot.is_stuck(now_ns):
                        self._give_up(now_ns)
                case "call":
                    self._hang_up("the call lasted too long", now_ns)

    # --- the bot's turn -------------------------------------------------------------------------------------------

    def _on_playout_stopped(self, event: PlayoutStopped, now_ns: int) -> None:
        reply = self._bot.on_playout_stopped(event, now_ns)
        if reply is None or self._over:
            return
        if (
            reply.is_broken_off
            and not reply.is_unspeakable
            and self._caller.utterance is None
            and not self._has_said_so
        ):
            self._has_said_so = True
            self._bot.say(self._bot.phrasebook.lost_thread, now_ns, reply.then)
            return
        self._has_said_so = False
        if reply.then:
            self._hang_up("bot" if reply.then == "hang_up" else reply.then, now_ns)
            return
        if reply.is_unspeakable:
            self._give_up(now_ns)
            return
        utterance = self._caller.utterance
        self._out.cancel("arbitrate", "notice")
        is_mute = not reply.is_audible and reply.trace.cause in ("speech", "dtmf")
        wait_ms = self._config.dead_air_ms if is_mute else self._config.no_input_ms
        self._caller.no_input_ns = now_ns + wait_ms * MS
        if utterance is None:
            if not self._caller.digits:
                self._out.at("no_input", self._caller.no_input_ns)
        elif not utterance.speaking:
            self._caller.await_end(utterance, now_ns)  # they began before the bot had ended

    def _on_reply_finished(self, event: ReplyFinished, now_ns: int) -> None:
        if self._bot.on_finished(event, now_ns):
            self._give_up(now_ns)

    def _on_reply_failed(self, event: ReplyFailed, now_ns: int) -> None:
        if self._bot.on_failed(event, now_ns):
            self._give_up(now_ns)

    def _on_phrase_finished(self, event: PhraseFinished, now_ns: int) -> None:
        if self._bot.on_phrase_finished(event, now_ns):
            self._give_up(now_ns)

    def _on_phrase_failed(self, event: PhraseFailed, now_ns: int) -> None:
        if self._bot.on_phrase_failed(event, now_ns):
            self._give_up(now_ns)

    def _give_up(self, now_ns: int) -> None:
        """The reply will not come: apologise and end the call; if not even that can be said, just end it."""
        reply = self._bot.reply
        if reply is not None and not reply.is_open:
            self._bot.cut(now_ns)  # a draft: when the turn is over, the LLM is asked again
            if self._caller.utterance is not None:
                self._caller.utterance.wasted = self._config.max_drafts
            return
        if self._caller.is_overlap and self._caller.utterance is not None:
            self._caller.take_floor(self._caller.utterance, now_ns)  # they are speaking: perhaps the next answer comes
            return
        self._bot.failures += 1
        if reply is not None:
            self._bot.cut(now_ns, keeps_pending=True)
        if self._bot.failures > 1:
            self._hang_up("no reply", now_ns)
            return
        book, then = self._bot.phrasebook, self._config.on_failure
        self._bot.say(book.transfer if then == "transfer" else book.apology, now_ns, then)

    # --- never silent, never stuck --------------------------------------------------------------------------------

    def _on_dead_air(self, now_ns: int) -> None:
        utterance = self._caller.utterance
        if utterance is not None and utterance.is_due and self._bot.reply is None:
            # STT is slow. The reply begins with the words that bridge the wait.
            self._caller.prepare(utterance, now_ns)
            self._bot.open(now_ns)
        self._bot.on_dead_air(now_ns)

    def _ask_again(self, now_ns: int) -> None:
        self._caller.no_inputs += 1
        if self._bot.reply is None and self._caller.utterance is None:
            reply = self._bot.begin("no_input", now_ns)
            if self._caller.no_inputs > self._config.max_no_inputs:
                reply.then = "hang_up"  # unless the brain hands the call to a person
