"""The caller's side of a conversation: when their turn is over, and what speech over the bot means."""

from __future__ import annotations

from ringline.engine.agent import Agent
from ringline.engine.config import TurnConfig
from ringline.engine.conversation.actions import Backchannel, CallerSaid, Escalate
from ringline.engine.conversation.bot import MS, Bot
from ringline.engine.conversation.codes import num_keys_asked
from ringline.engine.conversation.endpointing import Endpointing
from ringline.engine.conversation.events import Overloaded
from ringline.engine.conversation.history import caller_keyed, caller_said
from ringline.engine.conversation.outbox import Outbox
from ringline.engine.conversation.overlap import OverlapJudge, Verdict
from ringline.engine.conversation.reply import Reply
from ringline.engine.conversation.utterance import SAMPLES_PER_MS, Utterance
from ringline.ipc.messages import (
    DropUtterance,
    DtmfReceived,
    Finalise,
    SpeechStarted,
    SpeechStopped,
    Transcribe,
    TranscriptFailed,
    TranscriptFinal,
    TranscriptPartial,
    TurnJudged,
)

PREROLL_SAMPLES = SAMPLES_PER_MS * 300
"""STT starts this far before the VAD's onset: soft first consonants lie there, and recognisers want some silence."""

TAIL_SAMPLES = SAMPLES_PER_MS * 200
"""... and gets this much after the last audible sample, if the silence is that long already."""

SHORT_SOUND_MS = 300
"""A sound as short as a cough in which no words are found is no turn; a longer one is speech, if not understood."""

SHORTEST_WORD_MS = 140
"""A shorter sound over the bot is no word, whatever STT would make of it: a click in recorded noise is a `stop`."""

MAX_UTTERANCE_NS = 30 * 10**9
"""Speech without an end for so long (music, a television) is taken as it is; the caller ring holds little more."""

MAX_AMENDED_SAMPLES = SAMPLES_PER_MS * 15_000
"""A turn that has lasted so long is not read again when the caller goes on."""

MAX_KEYS = 32
"""Keys of one answer: no code is longer, and what presses more is no person."""

NOTICE_NS = 20 * MS
"""One frame: nothing is noticed sooner."""

LISTENING = ("draft", "endpoint", "stt", "utterance", "arbitrate", "notice")
"""Deadlines of an utterance."""

DEADLINES = (*LISTENING, "dtmf")


class Caller:
    """Owns the utterance under way and the keys pressed so far, and tells the bot when it is its turn."""

    def __init__(
        self,
        call: int,
        slot: int,
        agent: Agent,
        config: TurnConfig,
        bot: Bot,
        out: Outbox,
        trusts_dictation: bool = True,
    ) -> None:
        self.utterance: Utterance | None = None
        self.digits = ""
        """Keys pressed that are no complete answer yet."""
        self._num_keys = 0
        """So many are one; 0: unknown."""
        self._counted_until_ns = 0
        """Until when ``#`` only ends those that were enough without it."""
        self.no_inputs = 0
        """How often in a row they were asked and said nothing."""
        self.no_input_ns = 0
        """When they are asked, if they say nothing."""
        self._call, self._slot = call, slot
        self._config, self._bot, self._out = config, bot, out
        self._endpointing = Endpointing(config, agent.language, trusts_dictation)
        self._barge_in = agent.barge_in or config.barge_in
        self._judge = OverlapJudge(agent.language, self._barge_in)
        self._language = agent.language
        self._num_utterances = 0
        self._is_overloaded = False
        self._hasty_ns = 0
        """Until when words heard so far cut off nothing: the bot is silent anyway, and by their end they are known
        better."""
        self._overlap_limit_ns = 0
        """Until when the bot pauses at most while they speak."""

    # --- the caller speaks ----------------------------------------------------------------------------------------

    def on_speech_started(self, event: SpeechStarted, now_ns: int) -> None:
        """They begin, or go on."""
        self._out.cancel("no_input")
        utterance = self.utterance
        if utterance is not None:
            if not utterance.speaking and not utterance.is_endless:
                self._go_on(utterance, event.start_sample, now_ns)
            return
        self._num_utterances += 1
        start_sample = max(0, event.start_sample - PREROLL_SAMPLES)
        self.utterance = utterance = Utterance(self._num_utterances, start_sample, event.start_sample, now_ns)
        reply = self._bot.reply
        if reply is not None:  # first of all: the gate
            self._notice(now_ns)
        self._transcribe(utterance, now_ns)

    def _transcribe(self, utterance: Utterance, now_ns: int) -> None:
        spoken_ns = (utterance.onset_sample - utterance.start_sample) * MS // SAMPLES_PER_MS
        self._out.at("utterance", utterance.onset_ns + MAX_UTTERANCE_NS - spoken_ns)
        reply = self._bot.reply
        overlap = reply is not None and reply.is_audible and reply.answers is not utterance
        self._out.act(
            Transcribe(
                self._call,
                self._slot,
                utterance.number,
                utterance.start_sample,
                self._bot.expect,
                overlap,
                self._language,
                # Over the bot, recognisers go on with its sentence: "call the clinic. Okay."
                asked="" if overlap else self._bot.asked(now_ns),
            )
        )

    def _go_on(self, utterance: Utterance, onset_sample: int, now_ns: int) -> None:
        """Speech after a pause: both parts are one turn, which STT hears as a whole."""
        self._out.cancel("draft", "endpoint", "stt", "dead_air")
        is_overlap = self.is_overlap
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
            self._out.act(DropUtterance(self._call, utterance.number))
        self._num_utterances += 1
        self.utterance = again = utterance.resumed(self._num_utterances, onset_sample, now_ns)
        self._transcribe(again, now_ns)
        if is_overlap:
            self._out.at("arbitrate", min(now_ns + self._config.arbitrate_ms * MS, max(now_ns, self._overlap_limit_ns)))

    def on_speech_stopped(self, event: SpeechStopped, now_ns: int) -> None:
        """They fall silent."""
        utterance = self.utterance
        if utterance is None or not utterance.speaking:
            return
        utterance.stop(event.end_sample, event.time_ns)
        utterance.doubtful = event.doubtful and utterance.before is None
        if event.background and utterance.before is not None:
            utterance.take_back(utterance.before)
        elif event.background:
            self._forget(now_ns)
            return
        if self.is_overlap and utterance.before is None and utterance.spoken_ms < SHORTEST_WORD_MS:
            self._forget(now_ns)
        elif self.is_overlap:
            self._finalise(now_ns)
        elif self._is_unheeded:
            self._forget(now_ns)
        else:
            self.await_end(utterance, now_ns)

    def on_turn_judged(self, event: TurnJudged, now_ns: int) -> None:
        """How finished that sounded."""
        utterance = self.utterance
        if utterance is None or utterance.speaking or utterance.end_sample != event.end_sample:
            return
        utterance.finished = event.finished
        if not self.is_overlap and not utterance.is_due:
            self._set_endpoint(utterance, now_ns)

    def on_partial(self, event: TranscriptPartial, now_ns: int) -> None:
        """What STT believes so far."""
        utterance = self.utterance
        if utterance is None or event.utterance != utterance.number or utterance.transcript is not None:
            return
        utterance.partial = event.text
        if self.is_overlap:
            self._arbitrate(utterance, False, now_ns)
        elif not utterance.speaking and not utterance.is_due:
            self._set_endpoint(utterance, now_ns)

    def on_overloaded(self, event: Overloaded, now_ns: int) -> None:
        """Replies that may be for nothing are not to be prepared, or may be again."""
        self._is_overloaded = event.overloaded

    def _on_endless_speech(self, now_ns: int) -> None:
        utterance = self.utterance
        if utterance is None:
            return
        if self._is_unheeded:
            self._forget(now_ns)
            return
        if utterance.speaking:
            utterance.stop(utterance.onset_sample + (now_ns - utterance.onset_ns) * SAMPLES_PER_MS // MS, now_ns)
        utterance.is_endless = True
        if self.is_overlap:
            self.take_floor(utterance, now_ns)
        self._end_utterance(now_ns)

    # --- the end of the caller's turn -----------------------------------------------------------------------------

    def await_end(self, utterance: Utterance, now_ns: int) -> None:
        """They are silent: is it a pause or the end? Meanwhile, prepare for the end."""
        self._set_endpoint(utterance, now_ns)
        if utterance.finalised_ns and utterance.transcript is None:
            self._out.at("stt", now_ns + self._config.stt_timeout_ms * MS)
        elif self._may_draft(utterance):
            self._out.at("draft", max(now_ns, utterance.end_ns + self._config.draft_after_ms * MS))

    def _may_draft(self, utterance: Utterance) -> bool:
        return (
            self._config.draft
            and not self._is_overloaded
            and utterance.wasted < self._config.max_drafts
            and not self.digits
        )

    def _set_endpoint(self, utterance: Utterance, now_ns: int) -> None:
        utterance.decision = self._endpointing.decide(
            utterance.text, self._bot.expect, utterance.finished, self._bot.asked(now_ns)
        )
        self._out.at("endpoint", utterance.end_ns + utterance.decision.silence_ms * MS)

    def _finalise(self, now_ns: int) -> None:
        utterance = self.utterance
        if utterance is None or utterance.speaking or utterance.finalised_ns:
            return
        utterance.finalised_ns = now_ns
        silence_samples = (now_ns - utterance.end_ns) * SAMPLES_PER_MS // MS
        end_sample = utterance.end_sample + max(0, min(TAIL_SAMPLES, silence_samples))
        endpoint_ns = utterance.end_ns + utterance.decision.silence_ms * MS
        due_ns = now_ns if self.is_overlap or utterance.is_due else max(now_ns, endpoint_ns)
        self._out.act(Finalise(self._call, utterance.number, end_sample, due_ns))
        wait_ms = self._config.arbitrate_ms if self.is_overlap else self._config.stt_timeout_ms
        self._out.at("stt", now_ns + wait_ms * MS)

    def _end_utterance(self, now_ns: int) -> None:
        """The caller has said all: it is the bot's turn, as soon as the transcript is there."""
        utterance = self.utterance
        if utterance is None or utterance.speaking:
            return
        utterance.is_due, utterance.due_ns = True, now_ns
        if utterance.transcript is not None:
            self._turn_over(utterance, now_ns)
            return
        self._finalise(now_ns)
        self._out.at("dead_air", now_ns + self._config.dead_air_ms * MS)

    def on_transcript(self, event: TranscriptFinal, now_ns: int) -> None:
        """What STT has understood."""
        utterance = self.utterance
        if utterance is None or event.utterance != utterance.number or not utterance.finalised_ns:
            return
        if utterance.transcript is not None:
            return
        self._out.cancel("stt")
        utterance.other_words, utterance.closed_vocabulary = event.other_words, event.closed_vocabulary
        utterance.transcript, utterance.transcript_ns = event.text or utterance.known, now_ns
        if self.is_overlap:
            self._arbitrate(utterance, True, now_ns)
        elif self._is_unheeded:
            self._forget(now_ns)
        else:
            self._understood(utterance, now_ns)

    def on_transcript_failed(self, event: TranscriptFailed, now_ns: int) -> None:
        """It has understood nothing, for a reason of its own."""
        self.on_transcript(TranscriptFinal(event.call, event.utterance, "", 0.0, now_ns), now_ns)

    def _understood(self, utterance: Utterance, now_ns: int) -> None:
        """The transcript is there: the text has its say on the endpoint, and the reply is drafted."""
        reply = self._bot.reply
        is_short = utterance.spoken_ms < SHORT_SOUND_MS and not utterance.has_floor
        if not utterance.text and reply is None and is_short:
            self._forget(now_ns)
            return
        self._set_endpoint(utterance, now_ns)
        is_past = utterance.end_ns + utterance.decision.silence_ms * MS <= now_ns
        if is_past or reply is not None or utterance.is_endless:
            self._turn_over(utterance, now_ns)
            return
        utterance.is_due, utterance.due_ns = False, 0
        self._out.cancel("dead_air")
        if self._may_draft(utterance):
            self.prepare(utterance, now_ns)
            self._ask(utterance, now_ns)

    def prepare(self, utterance: Utterance, now_ns: int) -> Reply:
        """The reply to an utterance, of which nothing is asked yet."""
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
        if self._may_key_on:
            if self._bot.reply is not None:
                self._bot.cut(now_ns)
            self.drop_utterance(keeps_words=True)
            return
        self.utterance = None
        self._out.cancel(*LISTENING)
        self.no_inputs = 0
        if utterance.text or not self.digits:
            self._out.act(CallerSaid(utterance.text, amends=utterance.amends))
        reply = self._bot.reply or self.prepare(utterance, now_ns)
        self._stamp(reply, utterance, now_ns)
        if not reply.is_open:
            self._bot.open(now_ns)
        if self.digits:
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
    def is_overlap(self) -> bool:
        """Whether the bot has paused for a sound, and what it is must be found out."""
        return self._bot.reply is not None and self._bot.reply.is_paused

    @property
    def _is_unheeded(self) -> bool:
        """Whether the bot speaks on, because it may not be interrupted."""
        reply = self._bot.reply
        return reply is not None and reply.is_open and not reply.is_paused and reply.answers is not self.utterance

    def _notice(self, now_ns: int) -> None:
        """The caller speaks while it is the bot's turn: pause, unless this phrase must be heard."""
        reply, utterance = self._bot.reply, self.utterance
        if reply is None or utterance is None or not utterance.speaking or reply.is_paused:
            return
        if self._barge_in == "off" and reply.is_audible:
            return
        phrase = reply.playing(now_ns) if reply.is_audible else None
        if phrase is not None and phrase.phrase.uninterruptible and not phrase.was_heard(reply.position(now_ns)):
            self._out.at("notice", now_ns + max(NOTICE_NS, reply.until_end_of(phrase, now_ns)))
            return
        self._bot.pause(now_ns)
        self._hasty_ns = now_ns + self._config.arbitrate_ms * MS
        self._overlap_limit_ns = now_ns + 2 * self._config.arbitrate_ms * MS
        self._out.at("arbitrate", now_ns + self._config.arbitrate_ms * MS)

    def _arbitrate(self, utterance: Utterance, is_final: bool, now_ns: int) -> None:
        reply = self._bot.reply
        assert reply is not None
        if not is_final and now_ns < self._hasty_ns and self._barge_in != "high":
            return
        spoken_ms = utterance.spoken_ms if is_final else 0.0
        is_goodbye = bool(reply.then)
        verdict = self._judge.judge(
            utterance.text,
            is_final,
            is_goodbye,
            spoken_ms,
            utterance.other_words,
            utterance.doubtful,
            utterance.closed_vocabulary,
        )
        if verdict is Verdict.MISHEARD:
            utterance.transcript = ""  # better none than words they did not say
            verdict = Verdict.INTERRUPTION
        if verdict is Verdict.BACKCHANNEL and self._is_asking(reply, now_ns):
            verdict = Verdict.INTERRUPTION  # "yes" over the end of a question is its answer
        if verdict is Verdict.INTERRUPTION:
            self.take_floor(utterance, now_ns)
        elif verdict is not Verdict.UNDECIDED:
            self._give_back(now_ns)

    def _is_asking(self, reply: Reply, now_ns: int) -> bool:
        """Whether the caller is hearing the question that the reply ends with."""
        spoken = [phrase for phrase in reply.phrases if phrase.phrase.words]
        playing = reply.playing(now_ns)
        return reply.is_complete and bool(spoken) and playing is spoken[-1] and playing.phrase.is_question

    def _on_long_overlap(self, now_ns: int) -> None:
        """They speak on and on: in the end that is no backchannel, whatever STT makes of it."""
        utterance = self.utterance
        if utterance is None or not self.is_overlap or not utterance.speaking:
            return
        may_be_nothing = self._barge_in == "low" or self._judge.may_be_nothing(utterance.text)
        if may_be_nothing and now_ns < self._overlap_limit_ns:
            self._out.at("arbitrate", self._overlap_limit_ns)
        else:
            self.take_floor(utterance, now_ns)

    def _give_back(self, now_ns: int) -> None:
        """It was nothing, or a backchannel: the bot goes on where it paused."""
        utterance = self.utterance
        if utterance is not None and utterance.text:
            self._out.act(Backchannel(utterance.text))
        self._forget(now_ns)

    def _forget(self, now_ns: int) -> None:
        """What was heard is no turn of the caller's."""
        if self.is_overlap:
            self._bot.resume(now_ns)
        self.drop_utterance()
        if self._bot.reply is None and self.digits:
            if "dtmf" not in self._out.deadlines:  # the pause behind them is over
                self._complete_digits(now_ns)
        elif self._bot.reply is None:
            self._out.at("no_input", max(self.no_input_ns, now_ns + self._config.endpoint_ms * MS))

    def drop_utterance(self, keeps_words: bool = False) -> None:
        """``keeps_words``: what was understood of it counts, if anything was. Of a turn that seemed over it does."""
        utterance, self.utterance = self.utterance, None
        self._out.cancel(*LISTENING)
        if utterance is not None and utterance.transcript is None:
            self._out.act(DropUtterance(self._call, utterance.number))
        if utterance is not None and (utterance.amends or (keeps_words and utterance.best)):
            self._out.act(CallerSaid(utterance.best, amends=utterance.amends))
            self._bot.history.extend([caller_said(utterance.best)])

    def take_floor(self, utterance: Utterance, now_ns: int) -> None:
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
                self._out.act(DropUtterance(self._call, utterance.number))
            self._num_utterances += 1
            self.utterance = utterance = answered.reopened(self._num_utterances, utterance)
            self._transcribe(utterance, now_ns)
        else:
            self._bot.cut(now_ns, keeps_pending=True)
        if not utterance.speaking:
            self.await_end(utterance, now_ns)
            if utterance.transcript is not None:
                self._out.cancel("draft")
                self._understood(utterance, now_ns)

    # --- keys -----------------------------------------------------------------------------------------------------

    def on_dtmf(self, event: DtmfReceived, now_ns: int) -> None:
        """They pressed a key: that is no backchannel, and the bot is cut off at once.

        ``#`` ends what was keyed, ``*`` behind other keys begins it anew.
        """
        if event.digit == "#" and not self.digits and now_ns < self._counted_until_ns:
            return  # as callers are used to, though all the digits were there already
        self._out.cancel("no_input")
        if not self.digits:
            self._num_keys = self._bot.expect.dtmf_digits or num_keys_asked(self._bot.asked(now_ns), self._language)
        if self._bot.reply is not None:
            self._bot.cut(now_ns, keeps_pending=self._bot.reply.is_open)
        if self.utterance is not None:
            self.drop_utterance(keeps_words=True)
        if event.digit == "*" and self.digits:
            self.digits = ""
            self._out.cancel("dtmf")
            self._out.at("no_input", now_ns + self._config.no_input_ms * MS)
            return
        is_end = event.digit == "#" and bool(self.digits)
        self.digits += "" if is_end else event.digit
        num_keys = min(self._num_keys or MAX_KEYS, MAX_KEYS)
        if is_end or len(self.digits) >= num_keys:
            self._counted_until_ns = 0 if is_end else now_ns + self._config.dtmf_pause_ms * MS
            self._complete_digits(now_ns)
        else:
            self._out.at("dtmf", now_ns + self._config.dtmf_pause_ms * MS)

    @property
    def _may_key_on(self) -> bool:
        """Whether more keys may follow those that were pressed."""
        return bool(self.digits) and "dtmf" in self._out.deadlines

    def _complete_digits(self, now_ns: int) -> None:
        digits = self._take_digits()
        if self._bot.reply is not None:
            self._bot.cut(now_ns, keeps_pending=True)
        self.no_inputs = 0
        self._bot.begin("dtmf", now_ns, caller_keyed(digits))

    def _take_digits(self) -> str:
        self._out.cancel("dtmf")
        digits, self.digits = self.digits, ""
        self._out.act(CallerSaid(digits, is_dtmf=True))
        return digits

    # --- deadlines ------------------------------------------------------------------------------------------------

    def on_due(self, name: str, now_ns: int) -> None:
        """One of `DEADLINES` has come."""
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
                if self.utterance is None:  # else they go with what the caller says
                    self._complete_digits(now_ns)

    def _on_stt_late(self, now_ns: int) -> None:
        utterance = self.utterance
        if utterance is None or utterance.transcript is not None:
            return
        if not self.is_overlap:
            self._out.act(Escalate("stt", utterance.number))
            self._out.at("stt", now_ns + self._config.stt_timeout_ms * MS)
        elif utterance.spoken_ms >= self._config.arbitrate_ms:
            self.take_floor(utterance, now_ns)
        else:
            self._give_back(now_ns)
