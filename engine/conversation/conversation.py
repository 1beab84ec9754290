"""The conversation of one call: turn-taking as a pure function of state, event and time.

``handle(event, now_ns)`` takes the facts that workers report and returns what is to be done. It knows no sockets and no
clocks; `Conversation.deadline_ns` says when it wants to be told that time has passed.

This class is about the caller: when their turn is over, and what speech over the bot means. The bot's side of it,
replies and their audio, is `Bot`. Facts about another turn or utterance than the current one are late, and ignored.
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
    RunTool,
    SetGate,
)
from ringline.engine.conversation.bot import MS, Bot
from ringline.engine.conversation.endpointing import Endpointing
from ringline.engine.conversation.events import CallClosed, CallStarted, HangUpAsked, TimePassed, ToolReturned
from ringline.engine.conversation.history import History, caller_keyed, caller_said
from ringline.engine.conversation.outbox import Outbox
from ringline.engine.conversation.overlap import OverlapJudge, Verdict
from ringline.engine.conversation.reply import Reply
from ringline.engine.conversation.utterance import SAMPLES_PER_MS, Utterance
from ringline.ipc.messages import (
    DropUtterance,
    DtmfReceived,
    Finalise,
    FromWorker,
    HangUp,
    PhraseFailed,
    PhraseFinished,
    PhraseStarted,
    PlayoutStarted,
    PlayoutStopped,
    ReplyDelta,
    ReplyFailed,
    ReplyFinished,
    SpeechStarted,
    SpeechStopped,
    ToWorker,
    Transcribe,
    TranscriptFailed,
    TranscriptFinal,
    TranscriptPartial,
    TurnJudged,
    WordMarks,
)

Event = FromWorker | CallStarted | TimePassed | ToolReturned | HangUpAsked | CallClosed
Action = ToWorker | SetGate | RunTool | Escalate | CallerSaid | Backchannel | BotSaid | HungUp

PREROLL_SAMPLES = SAMPLES_PER_MS * 300
"""STT starts this far before the VAD's onset: soft first consonants lie there, and recognisers want some silence."""

TAIL_SAMPLES = SAMPLES_PER_MS * 200
"""... and gets this much after the last audible sample, if the silence is that long already."""

SHORT_SOUND_MS = 300
"""A sound as short as a cough in which no words are found is no turn; a longer one is speech, if not understood."""

MAX_UTTERANCE_NS = 30 * 10**9
"""Speech without an end for so long (music, a television) is taken as it is; the caller ring holds little more."""

MAX_AMENDED_SAMPLES = SAMPLES_PER_MS * 15_000
"""A turn that has lasted so long is not read again when the caller goes on."""

NOTICE_NS = 20 * MS
"""One frame: nothing is noticed sooner."""

LISTENING = ("draft", "endpoint", "stt", "utterance", "arbitrate", "notice")
"""Deadlines of an utterance."""


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
    ) -> None:
        """``max_sentences``: how long replies of the LLM may be, 0 for as long as it likes; ``trusts_dictation``: as
        for `Endpointing`."""
        self.call = call
        self.slot = slot
        self._agent = agent
        self._config = config
        self._out = Outbox()
        self._bot = Bot(call, slot, agent, config, wire_rate_hz, max_sentences, self._out)
        self._endpointing = Endpointing(config, agent.language, trusts_dictation)
        self._barge_in = agent.barge_in or config.barge_in
        self._judge = OverlapJudge(agent.language, self._barge_in)
        self._utterance: Utterance | None = None
        self._utterances = 0
        self._digits = ""
        self._no_inputs = 0
        """How often in a row the caller was asked and said nothing."""
        self._no_input_ns = 0
        self._overlap_limit_ns = 0
        """Until when the bot pauses at most while the caller speaks."""
        self._over = False
        self._handlers: dict[type, Callable[..., None]] = {
            CallStarted: self._on_call_started,
            HangUpAsked: self._on_hang_up_asked,
            TimePassed: self._on_time_passed,
            SpeechStarted: self._on_speech_started,
            SpeechStopped: self._on_speech_stopped,
            TurnJudged: self._on_turn_judged,
            DtmfReceived: self._on_dtmf,
            TranscriptPartial: self._on_partial,
            TranscriptFinal: self._on_transcript,
            TranscriptFailed: self._on_transcript_failed,
            ReplyDelta: self._bot.on_delta,
            ReplyFinished: self._bot.on_finished,
            ReplyFailed: self._on_reply_failed,
            ToolReturned: self._bot.on_tool_returned,
            PhraseStarted: self._bot.on_phrase_started,
            WordMarks: self._bot.on_word_marks,
            PhraseFinished: self._bot.on_phrase_finished,
            PhraseFailed: self._on_phrase_failed,
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
        elif not self._over or isinstance(event, PlayoutStopped):
            self._handlers[type(event)](event, now_ns)
        return self._out.actions

    # --- the call -------------------------------------------------------------------------------------------------

    def _on_call_started(self, event: CallStarted, now_ns: int) -> None:
        self._out.at("call", now_ns + int(self._config.max_call_s * 1e9))
        if self._agent.greeting:
            self._bot.say(self._agent.greeting, now_ns)
        else:
            self._bot.begin("opening", now_ns)

    def _on_hang_up_asked(self, event: HangUpAsked, now_ns: int) -> None:
        self._hang_up(event.reason, now_ns)

    def _on_call_closed(self, now_ns: int) -> None:
        """The wire is gone: what was heard until then is all that will be."""
        if not self._over:
            self._over = True
            self._end_reply(now_ns)
        self._bot.settle(now_ns)

    def _hang_up(self, reason: str, now_ns: int) -> None:
        self._over = True
        self._end_reply(now_ns)
        self._out.act(SetGate(0, self._bot.turn + 1), HungUp(reason), HangUp(self.call, reason))

    def _end_reply(self, now_ns: int) -> None:
        if self._bot.reply is not None:
            self._bot.cut(now_ns)
        self._out.deadlines.clear()

    def _on_time_passed(self, event: TimePassed, now_ns: int) -> None:
        while not self._over and (name := self._out.next_due(now_ns)):
            match name:
                case "draft":
                    self._finalise(now_ns)
                case "endpoint":
                    self._end_utterance(now_ns)
                case "stt":
                    self._on_stt_late(now_ns)
                case "utterance":
                    self._on_endless_speech(now_ns)
                case "arbitrate":
                    self._on_long_overlap(now_ns)
                case "notice":
                    self._notice(now_ns)
                case "dtmf":
                    if self._utterance is None:  # else they go with what the caller says
                        self._complete_digits(now_ns)
                case "no_input":
                    self._ask_again(now_ns)
                case "llm" | "tts":
                    self._bot.on_stage_late(name, now_ns)
                case "dead_air":
                    self._on_dead_air(now_ns)
                case "reply":
                    if self._bot.is_stuck(now_ns):
                        self._give_up(now_ns)
                case "call":
                    self._hang_up("the call lasted too long", now_ns)

    # --- the caller speaks ----------------------------------------------------------------------------------------

    def _on_speech_started(self, event: SpeechStarted, now_ns: int) -> None:
        self._out.cancel("no_input")
        utterance = self._utterance
        if utterance is not None:
            if not utterance.speaking and not utterance.is_endless:
                self._go_on(utterance, event.start_sample, now_ns)
            return
        self._utterances += 1
        start_sample = max(0, event.start_sample - PREROLL_SAMPLES)
        self._utterance = utterance = Utterance(self._utterances, start_sample, event.start_sample, now_ns)
        reply = self._bot.reply
        if reply is not None:  # first of all: the gate
            self._notice(now_ns)
        self._transcribe(utterance)

    def _transcribe(self, utterance: Utterance) -> None:
        spoken_ns = (utterance.onset_sample - utterance.start_sample) * MS // SAMPLES_PER_MS
        self._out.at("utterance", utterance.onset_ns + MAX_UTTERANCE_NS - spoken_ns)
        reply = self._bot.reply
        overlap = reply is not None and reply.is_audible and reply.answers is not utterance
        self._out.act(
            Transcribe(self.call, self.slot, utterance.number, utterance.start_sample, self._bot.expect, overlap)
        )

    def _go_on(self, utterance: Utterance, onset_sample: int, now_ns: int) -> None:
        """Speech after a pause: both parts are one turn, which STT hears as a whole."""
        self._out.cancel("draft", "endpoint", "stt", "dead_air")
        is_overlap = self._is_overlap
        if not is_overlap:
            self._endpointing.paused((onset_sample - utterance.end_sample) / SAMPLES_PER_MS)
            reply = self._bot.reply
            if reply is not None and reply.answers is utterance:
                self._bot.cut(now_ns)  # drafted, or opened for a transcript that is still to come
                utterance.wasted += 1
        if not utterance.finalised_ns:
            utterance.go_on(onset_sample, now_ns)
            return
        if utterance.transcript is None:
            self._out.act(DropUtterance(self.call, utterance.number))
        self._utterances += 1
        self._utterance = again = utterance.resumed(self._utterances, onset_sample, now_ns)
        self._transcribe(again)
        if is_overlap:
            self._out.at("arbitrate", min(now_ns + self._config.arbitrate_ms * MS, max(now_ns, self._overlap_limit_ns)))

    def _on_speech_stopped(self, event: SpeechStopped, now_ns: int) -> None:
        utterance = self._utterance
        if utterance is None or not utterance.speaking:
            return
        utterance.stop(event.end_sample, event.time_ns)
        if event.echo and utterance.before is not None:
            utterance.take_back(utterance.before)
        elif event.echo:
            self._forget(now_ns)
            return
        if self._is_overlap:
            self._finalise(now_ns)
        elif self._is_unheeded:
            self._forget(now_ns)
        else:
            self._await_end(utterance, now_ns)

    def _on_turn_judged(self, event: TurnJudged, now_ns: int) -> None:
        utterance = self._utterance
        if utterance is None or utterance.speaking or utterance.end_sample != event.end_sample:
            return
        utterance.finished = event.finished
        if not self._is_overlap and not utterance.is_due:
            self._set_endpoint(utterance)

    def _on_partial(self, event: TranscriptPartial, now_ns: int) -> None:
        utterance = self._utterance
        if utterance is None or event.utterance != utterance.number or utterance.transcript is not None:
            return
        utterance.partial = event.text
        if self._is_overlap:
            self._arbitrate(utterance, False, now_ns)
        elif not utterance.speaking and not utterance.is_due:
            self._set_endpoint(utterance)

    def _on_endless_speech(self, now_ns: int) -> None:
        utterance = self._utterance
        if utterance is None:
            return
        if self._is_unheeded:
            self._forget(now_ns)
            return
        if utterance.speaking:
            utterance.stop(utterance.onset_sample + (now_ns - utterance.onset_ns) * SAMPLES_PER_MS // MS, now_ns)
        utterance.is_endless = True
        if self._is_overlap:
            self._take_floor(utterance, now_ns)
        self._end_utterance(now_ns)

    # --- the end of the caller's turn -----------------------------------------------------------------------------

    def _await_end(self, utterance: Utterance, now_ns: int) -> None:
        """They are silent: is it a pause or the end? Meanwhile, prepare for the end."""
        self._set_endpoint(utterance)
        if utterance.finalised_ns and utterance.transcript is None:
            self._out.at("stt", now_ns + self._config.stt_timeout_ms * MS)
        elif self._may_draft(utterance):
            self._out.at("draft", max(now_ns, utterance.end_ns + self._config.draft_after_ms * MS))

    def _may_draft(self, utterance: Utterance) -> bool:
        return self._config.draft and utterance.wasted < self._config.max_drafts and not self._digits

    def _set_endpoint(self, utterance: Utterance) -> None:
        utterance.decision = self._endpointing.decide(utterance.text, self._bot.expect, utterance.finished)
        self._out.at("endpoint", utterance.end_ns + utterance.decision.silence_ms * MS)

    def _finalise(self, now_ns: int) -> None:
        utterance = self._utterance
        if utterance is None or utterance.speaking or utterance.finalised_ns:
            return
        utterance.finalised_ns = now_ns
        silence_samples = (now_ns - utterance.end_ns) * SAMPLES_PER_MS // MS
        end_sample = utterance.end_sample + max(0, min(TAIL_SAMPLES, silence_samples))
        self._out.act(Finalise(self.call, utterance.number, end_sample))
        wait_ms = self._config.arbitrate_ms if self._is_overlap else self._config.stt_timeout_ms
        self._out.at("stt", now_ns + wait_ms * MS)

    def _end_utterance(self, now_ns: int) -> None:
        """The caller has said all: it is the bot's turn, as soon as the transcript is there."""
        utterance = self._utterance
        if utterance is None or utterance.speaking:
            return
        utterance.is_due, utterance.due_ns = True, now_ns
        if utterance.transcript is not None:
            self._turn_over(utterance, now_ns)
            return
        self._finalise(now_ns)
        self._out.at("dead_air", now_ns + self._config.dead_air_ms * MS)

    def _on_transcript(self, event: TranscriptFinal, now_ns: int) -> None:
        utterance = self._utterance
        if utterance is None or event.utterance != utterance.number or not utterance.finalised_ns:
            return
        if utterance.transcript is not None:
            return
        self._out.cancel("stt")
        utterance.transcript, utterance.transcript_ns = event.text, now_ns
        if self._is_overlap:
            self._arbitrate(utterance, True, now_ns)
        elif self._is_unheeded:
            self._forget(now_ns)
        else:
            self._understood(utterance, now_ns)

    def _on_transcript_failed(self, event: TranscriptFailed, now_ns: int) -> None:
        self._on_transcript(TranscriptFinal(event.call, event.utterance, "", 0.0, now_ns), now_ns)

    def _understood(self, utterance: Utterance, now_ns: int) -> None:
        """The transcript is there: the text has its say on the endpoint, and the reply is drafted."""
        reply = self._bot.reply
        is_short = utterance.spoken_ms < SHORT_SOUND_MS and not utterance.has_floor
        if not utterance.text and reply is None and is_short:
            self._forget(now_ns)
            return
        self._set_endpoint(utterance)
        is_past = utterance.end_ns + utterance.decision.silence_ms * MS <= now_ns
        if is_past or reply is not None or utterance.is_endless:
            self._turn_over(utterance, now_ns)
            return
        utterance.is_due, utterance.due_ns = False, 0
        self._out.cancel("dead_air")
        if self._may_draft(utterance):
            self._prepare(utterance, now_ns)
            self._ask(utterance, now_ns)

    def _prepare(self, utterance: Utterance, now_ns: int) -> Reply:
        reply = self._bot.prepare("speech", now_ns)
        reply.answers = utterance
        return reply

    def _ask(self, utterance: Utterance, now_ns: int) -> None:
        reply = self._bot.reply
        assert reply is not None
        reply.pending.append(caller_said(utterance.text))
        self._bot.generate("speech", now_ns)

    def _turn_over(self, utterance: Utterance, now_ns: int) -> None:
        """The endpoint is confirmed: it is the bot's turn."""
        self._utterance = None
        self._out.cancel(*LISTENING)
        self._no_inputs = 0
        if utterance.text or not self._digits:
            self._out.act(CallerSaid(utterance.text, amends=utterance.amends))
        reply = self._bot.reply or self._prepare(utterance, now_ns)
        self._stamp(reply, utterance, now_ns)
        if not reply.is_open:
            self._bot.open(now_ns)
        if self._digits:
            self._ask_with_digits(reply, utterance, now_ns)
        elif not reply.was_asked:
            self._ask(utterance, now_ns)

    def _ask_with_digits(self, reply: Reply, utterance: Utterance, now_ns: int) -> None:
        """They keyed and spoke: the keys are the answer, and the words belong to it."""
        digits = self._take_digits()
        reply.answers = None
        reply.pending += [caller_said(utterance.text)] * bool(utterance.text)
        reply.pending.append(caller_keyed(digits))
        self._bot.generate("dtmf", now_ns)

    @staticmethod
    def _stamp(reply: Reply, utterance: Utterance, now_ns: int) -> None:
        trace = reply.trace
        trace.speech_end_ns, trace.endpoint_ns = utterance.end_ns, utterance.due_ns or now_ns
        trace.finalised_ns, trace.transcript_ns = utterance.finalised_ns, utterance.transcript_ns
        trace.endpoint_ms, trace.endpoint_reasons = utterance.decision.silence_ms, utterance.decision.reasons
        trace.drafted, trace.drafts_wasted = reply.was_asked, utterance.wasted

    # --- speech over the bot --------------------------------------------------------------------------------------

    @property
    def _is_overlap(self) -> bool:
        """Whether the bot has paused for a sound, and what it is must be found out."""
        return self._bot.reply is not None and self._bot.reply.is_paused

    @property
    def _is_unheeded(self) -> bool:
        """Whether the bot speaks on, because it may not be interrupted."""
        reply = self._bot.reply
        return reply is not None and reply.is_open and not reply.is_paused and reply.answers is not self._utterance

    def _notice(self, now_ns: int) -> None:
        """The caller speaks while it is the bot's turn: pause, unless this phrase must be heard."""
        reply, utterance = self._bot.reply, self._utterance
        if reply is None or utterance is None or not utterance.speaking or reply.is_paused:
            return
        if self._barge_in == "off" and reply.is_audible:
            return
        phrase = reply.playing(now_ns) if reply.is_audible else None
        if phrase is not None and phrase.phrase.uninterruptible and not phrase.was_heard(reply.position(now_ns)):
            self._out.at("notice", now_ns + max(NOTICE_NS, reply.until_end_of(phrase, now_ns)))
            return
        self._bot.pause(now_ns)
        self._overlap_limit_ns = now_ns + 2 * self._config.arbitrate_ms * MS
        self._out.at("arbitrate", now_ns + self._config.arbitrate_ms * MS)

    def _arbitrate(self, utterance: Utterance, is_final: bool, now_ns: int) -> None:
        reply = self._bot.reply
        assert reply is not None
        verdict = self._judge.judge(utterance.text, is_final, is_goodbye=bool(reply.then))
        if verdict is Verdict.BACKCHANNEL and self._is_asking(reply, now_ns):
            verdict = Verdict.INTERRUPTION  # "yes" over the end of a question is its answer
        if verdict is Verdict.INTERRUPTION:
            self._take_floor(utterance, now_ns)
        elif verdict is not Verdict.UNDECIDED:
            self._give_back(now_ns)

    def _is_asking(self, reply: Reply, now_ns: int) -> bool:
        """Whether the caller is hearing the question that the reply ends with."""
        spoken = [phrase for phrase in reply.phrases if phrase.phrase.words]
        playing = reply.playing(now_ns)
        return reply.is_complete and bool(spoken) and playing is spoken[-1] and playing.is_question

    def _on_long_overlap(self, now_ns: int) -> None:
        """They speak on and on: that is no backchannel, whatever STT makes of it."""
        utterance = self._utterance
        if utterance is None or not self._is_overlap or not utterance.speaking:
            return
        may_be_nothing = self._barge_in == "low" or self._judge.is_backchannel(utterance.text)
        if may_be_nothing and now_ns < self._overlap_limit_ns:
            self._out.at("arbitrate", self._overlap_limit_ns)
        else:
            self._take_floor(utterance, now_ns)

    def _give_back(self, now_ns: int) -> None:
        """It was nothing, or a backchannel: the bot goes on where it paused."""
        utterance = self._utterance
        if utterance is not None and utterance.text:
            self._out.act(Backchannel(utterance.text))
        self._forget(now_ns)

    def _forget(self, now_ns: int) -> None:
        """What was heard is no turn of the caller's."""
        if self._is_overlap:
            self._bot.resume(now_ns)
        self._drop_utterance()
        if self._bot.reply is None and self._digits:
            self._complete_digits(now_ns)
        elif self._bot.reply is None:
            self._out.at("no_input", max(self._no_input_ns, now_ns + self._config.endpoint_ms * MS))

    def _drop_utterance(self) -> None:
        utterance, self._utterance = self._utterance, None
        self._out.cancel(*LISTENING)
        if utterance is not None and utterance.transcript is None:
            self._out.act(DropUtterance(self.call, utterance.number))

    def _take_floor(self, utterance: Utterance, now_ns: int) -> None:
        """A real interruption: the bot's turn is over, and all that was said over it belongs to the caller's."""
        reply = self._bot.reply
        assert reply is not None
        self._out.cancel("arbitrate", "stt")
        answered = reply.answers
        is_unheard = answered is not None and not reply.is_real
        utterance.has_floor = True
        so_far_samples = 0 if answered is None else utterance.onset_sample - answered.start_sample
        if answered is not None and is_unheard and so_far_samples < MAX_AMENDED_SAMPLES:
            # They go on before they have heard an answer: the turn that seemed over was not.
            self._bot.cut(now_ns)
            if utterance.transcript is None:
                self._out.act(DropUtterance(self.call, utterance.number))
            self._utterances += 1
            self._utterance = utterance = answered.reopened(self._utterances, utterance)
            self._transcribe(utterance)
        else:
            self._bot.cut(now_ns, keeps_pending=True)
        if not utterance.speaking:
            self._await_end(utterance, now_ns)
            if utterance.transcript is not None:
                self._out.cancel("draft")
                self._understood(utterance, now_ns)

    # --- keys -----------------------------------------------------------------------------------------------------

    def _on_dtmf(self, event: DtmfReceived, now_ns: int) -> None:
        self._out.cancel("no_input")
        if self._bot.reply is not None:
            self._bot.cut(now_ns, keeps_pending=self._bot.reply.is_open)
        is_end = event.digit == "#" and bool(self._digits)
        if not is_end:
            self._digits += event.digit
        if self._utterance is not None:
            self._drop_utterance()
        if is_end or len(self._digits) >= self._bot.expect.dtmf_digits:
            self._complete_digits(now_ns)
        else:
            self._out.at("dtmf", now_ns + self._config.dtmf_pause_ms * MS)

    def _complete_digits(self, now_ns: int) -> None:
        digits = self._take_digits()
        if self._bot.reply is not None:
            self._bot.cut(now_ns, keeps_pending=True)
        self._no_inputs = 0
        self._bot.begin("dtmf", now_ns, caller_keyed(digits))

    def _take_digits(self) -> str:
        self._out.cancel("dtmf")
        digits, self._digits = self._digits, ""
        self._out.act(CallerSaid(digits, is_dtmf=True))
        return digits

    # --- the bot's turn -------------------------------------------------------------------------------------------

    def _on_playout_stopped(self, event: PlayoutStopped, now_ns: int) -> None:
        reply = self._bot.on_playout_stopped(event, now_ns)
        if reply is None or self._over:
            return
        if reply.then:
            self._hang_up("bot" if reply.then == "hang_up" else reply.then, now_ns)
            return
        utterance = self._utterance
        self._out.cancel("arbitrate", "notice")
        is_mute = not reply.is_audible and reply.trace.cause in ("speech", "dtmf")
        wait_ms = self._config.dead_air_ms if is_mute else self._config.no_input_ms
        self._no_input_ns = now_ns + wait_ms * MS
        if utterance is None:
            if not self._digits:
                self._out.at("no_input", self._no_input_ns)
        elif not utterance.speaking:
            self._await_end(utterance, now_ns)  # they began before the bot had ended

    def _on_reply_failed(self, event: ReplyFailed, now_ns: int) -> None:
        reply = self._bot.reply
        if reply is not None and (reply.turn, reply.step) == (event.turn, event.step):
            self._give_up(now_ns)

    def _on_phrase_failed(self, event: PhraseFailed, now_ns: int) -> None:
        if self._bot.on_phrase_failed(event, now_ns):
            self._give_up(now_ns)

    def _give_up(self, now_ns: int) -> None:
        """The reply will not come: apologise and end the call; if not even that can be said, just end it."""
        reply = self._bot.reply
        if reply is not None and not reply.is_open:
            self._bot.cut(now_ns)  # a draft: when the turn is over, the LLM is asked again
            if self._utterance is not None:
                self._utterance.wasted = self._config.max_drafts
            return
        if self._is_overlap and self._utterance is not None:
            self._take_floor(self._utterance, now_ns)  # they are speaking: perhaps the next answer comes
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

    def _on_stt_late(self, now_ns: int) -> None:
        utterance = self._utterance
        if utterance is None or utterance.transcript is not None:
            return
        if not self._is_overlap:
            self._out.act(Escalate("stt", utterance.number))
            self._out.at("stt", now_ns + self._config.stt_timeout_ms * MS)
        elif utterance.spoken_ms >= self._config.arbitrate_ms:
            self._take_floor(utterance, now_ns)
        else:
            self._give_back(now_ns)

    def _on_dead_air(self, now_ns: int) -> None:
        utterance = self._utterance
        if utterance is not None and utterance.is_due and self._bot.reply is None:
            # STT is slow. The reply begins with the words that bridge the wait.
            self._prepare(utterance, now_ns)
            self._bot.open(now_ns)
        self._bot.on_dead_air(now_ns)

    def _ask_again(self, now_ns: int) -> None:
        self._no_inputs += 1
        if self._bot.reply is None and self._utterance is None:
            reply = self._bot.begin("no_input", now_ns)
            if self._no_inputs > self._config.max_no_inputs:
                reply.then = "hang_up"  # unless the brain hands the call to a person
