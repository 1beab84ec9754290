"""The conversation of one call: turn-taking as a pure function of state, event and time.

``handle(event, now_ns)`` takes the facts that workers report and returns what is to be done. It knows no sockets and no
clocks; `Conversation.deadline_ns` says when it wants to be told that time has passed.

One reply is under way at a time. A turn's number names it everywhere: in the gate, at TTS, in the trace. Facts about
another turn or utterance than the current one are late, and ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from ringline.engine.agent import Agent
from ringline.engine.config import TurnConfig
from ringline.engine.conversation.actions import BotSaid, CallerSaid, HungUp, RunTool, SetGate
from ringline.engine.conversation.events import CallStarted, HangUpAsked, TimePassed, ToolReturned
from ringline.engine.conversation.history import History, SpokenPhrase
from ringline.engine.conversation.reply import Reply
from ringline.ipc.messages import (
    CancelReply,
    CancelSpeech,
    DropUtterance,
    DtmfReceived,
    Expectation,
    Finalise,
    FlushPlayout,
    FromWorker,
    Generate,
    HangUp,
    PhraseFailed,
    PhraseFinished,
    PhraseStarted,
    PlayoutStarted,
    PlayoutStopped,
    ReplyDelta,
    ReplyFailed,
    ReplyFinished,
    Speak,
    SpeechStarted,
    SpeechStopped,
    ToWorker,
    Transcribe,
    TranscriptFailed,
    TranscriptFinal,
    TranscriptPartial,
)

Event = FromWorker | CallStarted | TimePassed | ToolReturned | HangUpAsked
Action = ToWorker | SetGate | RunTool | CallerSaid | BotSaid | HungUp
Cause = Literal["opening", "speech", "dtmf", "no_input"]

PREROLL_SAMPLES = 16_000 * 300 // 1000
"""STT starts this far before the VAD's onset: soft first consonants lie there, and recognisers want some silence."""

TAIL_SAMPLES = 16_000 * 200 // 1000
"""... and gets this much after the last audible sample, if the endpoint leaves as much."""

MAX_UTTERANCE_NS = 30 * 10**9
"""Speech without an end for so long (music, a television) is taken as it is; the caller ring holds little more."""

BUILT_IN_TOOLS = ("hang_up", "transfer")

APOLOGY = "I am sorry, something went wrong on our side. Please call again a little later."


class Utterance:
    """The caller's speech between the VAD's onset and the endpoint, pauses included."""

    def __init__(self, number: int, start_sample: int) -> None:
        self.number = number
        self.start_sample = start_sample
        self.end_sample = 0
        self.end_ns = 0
        self.endpoint_ns = 0
        self.finalised = False


class Conversation:
    """One call's turn-taking. Not thread-safe, and has no need to be."""

    def __init__(self, call: int, slot: int, agent: Agent, config: TurnConfig, wire_rate_hz: int = 8_000) -> None:
        self.call = call
        self.slot = slot
        self.history = History(agent.prompt)
        self._agent = agent
        self._config = config
        self._wire_rate_hz = wire_rate_hz
        self._tool_schemas = tuple(tool.schema() for tool in agent.tools.values())
        self._turn = 0
        self._utterances = 0
        self._reply: Reply | None = None
        self._unsettled: Reply | None = None
        """A reply that was cut, until capture says how much of it was heard."""
        self._utterance: Utterance | None = None
        self._digits = ""
        self._answered: Utterance | None = None
        """The utterance that the current reply answers."""
        self._state = b""
        self._expect = Expectation()
        self._failures = 0
        self._over = False
        self._deadlines: dict[str, int] = {}
        self._actions: list[Action] = []
        self._handlers: dict[type, Callable[..., None]] = {
            CallStarted: self._on_call_started,
            HangUpAsked: self._on_hang_up_asked,
            TimePassed: self._on_time_passed,
            SpeechStarted: self._on_speech_started,
            SpeechStopped: self._on_speech_stopped,
            DtmfReceived: self._on_dtmf,
            TranscriptPartial: lambda event, now_ns: None,
            TranscriptFinal: self._on_transcript,
            TranscriptFailed: self._on_transcript_failed,
            ReplyDelta: self._on_reply_delta,
            ReplyFinished: self._on_reply_finished,
            ReplyFailed: self._on_reply_failed,
            ToolReturned: self._on_tool_returned,
            PhraseStarted: self._on_phrase_started,
            PhraseFinished: self._on_phrase_finished,
            PhraseFailed: lambda event, now_ns: None,
            PlayoutStarted: self._on_playout_started,
            PlayoutStopped: self._on_playout_stopped,
        }

    @property
    def deadline_ns(self) -> int | None:
        """When `TimePassed` is wanted, CLOCK_MONOTONIC; None for never."""
        return min(self._deadlines.values(), default=None)

    def handle(self, event: Event, now_ns: int) -> list[Action]:
        """What is to be done about an event, in this order."""
        self._actions = []
        if not self._over or isinstance(event, PlayoutStopped):
            self._handlers[type(event)](event, now_ns)
        return self._actions

    # --- the call -------------------------------------------------------------------------------------------------

    def _on_call_started(self, event: CallStarted, now_ns: int) -> None:
        self._deadlines["call"] = now_ns + int(self._config.max_call_s * 1e9)
        if self._agent.greeting:
            self._say(self._agent.greeting, now_ns)
        else:
            self._begin_reply("opening", now_ns)

    def _on_hang_up_asked(self, event: HangUpAsked, now_ns: int) -> None:
        self._hang_up(event.reason)

    def _hang_up(self, reason: str) -> None:
        self._over = True
        self._deadlines.clear()
        self._actions += [SetGate(0, self._turn + 1), HungUp(reason), HangUp(self.call, reason)]

    def _on_time_passed(self, event: TimePassed, now_ns: int) -> None:
        due = [name for name, deadline_ns in self._deadlines.items() if deadline_ns <= now_ns]
        for name in due:
            self._deadlines.pop(name, None)
            match name:
                case "endpoint":
                    self._endpoint(now_ns)
                case "utterance":
                    self._utterance_too_long(now_ns)
                case "dtmf":
                    self._complete_digits(now_ns)
                case "no_input":
                    self._begin_reply("no_input", now_ns)
                case "reply":
                    self._give_up(now_ns)
                case "call":
                    self._hang_up("the call lasted too long")
            if self._over:
                return

    # --- the caller's turn ----------------------------------------------------------------------------------------

    def _on_speech_started(self, event: SpeechStarted, now_ns: int) -> None:
        self._deadlines.pop("no_input", None)
        reply = self._reply
        if reply is not None and reply.audible and not self._config.barge_in:
            return
        if self._utterance is not None and not self._utterance.finalised:
            self._deadlines.pop("endpoint", None)  # a pause, no end
            return
        start_sample = max(0, event.start_sample - PREROLL_SAMPLES)
        if self._utterance is not None:
            # They go on while STT finalises: both parts are one turn, and the ring still holds the first.
            start_sample = self._utterance.start_sample
            self._actions.append(DropUtterance(self.call, self._utterance.number))
        elif reply is not None:
            if self._answered is not None and reply.unheard:
                start_sample = self._answered.start_sample  # they go on before the bot was heard: likewise
                self.history.take_back_caller()
            self._cut(reply, now_ns)
        self._utterances += 1
        self._utterance = Utterance(self._utterances, start_sample)
        self._deadlines["utterance"] = now_ns + MAX_UTTERANCE_NS
        self._actions.append(Transcribe(self.call, self.slot, self._utterances, start_sample, self._expect))

    def _on_speech_stopped(self, event: SpeechStopped, now_ns: int) -> None:
        if self._utterance is None or self._utterance.finalised:
            return
        self._utterance.end_sample = event.end_sample
        self._utterance.end_ns = event.time_ns
        self._deadlines["endpoint"] = event.time_ns + self._config.endpoint_ms * 1_000_000

    def _endpoint(self, now_ns: int) -> None:
        utterance = self._utterance
        if utterance is None or utterance.finalised:
            return
        utterance.finalised = True
        utterance.endpoint_ns = now_ns
        self._deadlines["utterance"] = now_ns + self._config.reply_timeout_ms * 1_000_000
        silence_samples = (now_ns - utterance.end_ns) * 16 // 1_000_000
        end_sample = utterance.end_sample + max(0, min(TAIL_SAMPLES, silence_samples))
        self._actions.append(Finalise(self.call, utterance.number, end_sample))

    def _utterance_too_long(self, now_ns: int) -> None:
        utterance = self._utterance
        if utterance is None:
            return
        if utterance.finalised:  # STT does not answer
            self._on_transcript_failed(TranscriptFailed(self.call, utterance.number, "no answer in time"), now_ns)
        else:
            utterance.end_sample = utterance.start_sample + MAX_UTTERANCE_NS * 16 // 1_000_000
            utterance.end_ns = now_ns
            self._endpoint(now_ns)

    def _on_transcript(self, event: TranscriptFinal, now_ns: int) -> None:
        utterance = self._utterance
        if utterance is None or event.utterance != utterance.number or not utterance.finalised:
            return
        self._utterance = None
        self._deadlines.pop("utterance", None)
        self._settle(now_ns)
        self.history.caller(event.text)
        self._actions.append(CallerSaid(event.text))
        reply = self._begin_reply("speech", now_ns)
        self._answered = utterance
        reply.trace.speech_end_ns = utterance.end_ns
        reply.trace.endpoint_ns = utterance.endpoint_ns
        reply.trace.transcript_ns = now_ns

    def _on_transcript_failed(self, event: TranscriptFailed, now_ns: int) -> None:
        self._on_transcript(TranscriptFinal(event.call, event.utterance, "", 0.0, now_ns), now_ns)

    def _on_dtmf(self, event: DtmfReceived, now_ns: int) -> None:
        self._deadlines.pop("no_input", None)
        if self._reply is not None:
            self._cut(self._reply, now_ns)
        if self._utterance is not None:
            self._actions.append(DropUtterance(self.call, self._utterance.number))
            self._utterance = None
            self._deadlines.pop("endpoint", None)
            self._deadlines.pop("utterance", None)
        if event.digit == "#" and self._digits:
            self._complete_digits(now_ns)
            return
        self._digits += event.digit
        if len(self._digits) >= self._expect.dtmf_digits:
            self._complete_digits(now_ns)
        else:
            self._deadlines["dtmf"] = now_ns + self._config.dtmf_pause_ms * 1_000_000

    def _complete_digits(self, now_ns: int) -> None:
        self._deadlines.pop("dtmf", None)
        digits, self._digits = self._digits, ""
        self._settle(now_ns)
        self.history.caller(digits)
        self._actions.append(CallerSaid(digits, is_dtmf=True))
        self._begin_reply("dtmf", now_ns)

    # --- the bot's turn -------------------------------------------------------------------------------------------

    def _new_reply(self, cause: str, now_ns: int) -> Reply:
        if self._reply is not None:
            self._cut(self._reply, now_ns)
        self._turn += 1
        self._reply = reply = Reply(self._turn, cause, now_ns)
        self._answered = None
        self._deadlines["reply"] = now_ns + self._config.reply_timeout_ms * 1_000_000
        self._deadlines.pop("no_input", None)
        self._actions.append(SetGate(reply.turn, reply.turn))
        return reply

    def _begin_reply(self, cause: Cause, now_ns: int) -> Reply:
        reply = self._new_reply(cause, now_ns)
        self._generate(reply, cause)
        return reply

    def _generate(self, reply: Reply, cause: Literal["opening", "speech", "dtmf", "no_input", "tools"]) -> None:
        state = reply.result.state if reply.result is not None else self._state
        messages = self.history.messages()
        self._actions.append(
            Generate(self.call, reply.turn, reply.step, cause, messages, state, tools=self._tool_schemas)
        )

    def _say(self, text: str, now_ns: int, then: str = "") -> None:
        """A reply whose text is known."""
        reply = self._new_reply("said", now_ns)
        reply.then = then
        self._write(reply, text, now_ns)
        self._write_end(reply, now_ns)

    def _write(self, reply: Reply, text: str, now_ns: int) -> None:
        reply.trace.first_text_ns = reply.trace.first_text_ns or now_ns
        reply.step_text += text
        for phrase in reply.phraser.feed(text):
            self._speak(reply, phrase, False, now_ns)

    def _write_end(self, reply: Reply, now_ns: int) -> None:
        reply.complete = True
        self._speak(reply, reply.phraser.flush(), True, now_ns)

    def _speak(self, reply: Reply, text: str, last: bool, now_ns: int) -> None:
        reply.trace.first_phrase_ns = reply.trace.first_phrase_ns or now_ns
        number = len(reply.phrases)
        reply.phrases.append(SpokenPhrase(text))
        agent = self._agent
        self._actions.append(Speak(self.call, self.slot, reply.turn, number, text, last, agent.voice, agent.speed))

    def _on_reply_delta(self, event: ReplyDelta, now_ns: int) -> None:
        reply = self._current(event.turn, event.step)
        if reply is not None:
            self._write(reply, event.text, now_ns)

    def _on_reply_finished(self, event: ReplyFinished, now_ns: int) -> None:
        reply = self._current(event.turn, event.step)
        if reply is None:
            return
        reply.result = event
        self._commit(reply)
        self._failures = 0
        wanted = []
        for tool_call in event.tool_calls:
            if tool_call.name in BUILT_IN_TOOLS:
                reply.then = tool_call.name
            else:
                wanted.append(tool_call)
        if not wanted:
            self._write_end(reply, now_ns)
            return
        if rest := reply.phraser.flush():
            self._speak(reply, rest, False, now_ns)
        reply.used_tools = True
        self._commit(reply)
        self.history.tools_called(reply.step_text, tuple(wanted))
        reply.open_tool_calls = {tool_call.id for tool_call in wanted}
        self._actions += [RunTool(reply.turn, reply.step, tool_call) for tool_call in wanted]

    def _on_tool_returned(self, event: ToolReturned, now_ns: int) -> None:
        # What a tool did, it did, whatever became of the reply that wanted it: the history says so.
        self.history.tool_returned(event.tool_call_id, event.result)
        reply = self._current(event.turn, event.step)
        if reply is None:
            return
        reply.open_tool_calls.discard(event.tool_call_id)
        if not reply.open_tool_calls:
            reply.next_step()
            self._generate(reply, "tools")

    def _on_reply_failed(self, event: ReplyFailed, now_ns: int) -> None:
        if self._current(event.turn, event.step) is not None:
            self._give_up(now_ns)

    def _give_up(self, now_ns: int) -> None:
        """The reply will not come: apologise and end the call; if not even that can be said, just end it."""
        self._failures += 1
        if self._failures > 1:
            self._hang_up("no reply")
        else:
            self._say(APOLOGY, now_ns, then="hang_up")

    def _on_phrase_started(self, event: PhraseStarted, now_ns: int) -> None:
        reply = self._with_turn(event.turn)
        if reply is not None:
            reply.trace.first_audio_ns = reply.trace.first_audio_ns or event.time_ns
            reply.phrases[event.phrase].start_sample = event.start_sample

    def _on_phrase_finished(self, event: PhraseFinished, now_ns: int) -> None:
        reply = self._with_turn(event.turn)
        if reply is not None:
            reply.phrases[event.phrase].start_sample = event.start_sample
            reply.phrases[event.phrase].end_sample = event.end_sample

    def _on_playout_started(self, event: PlayoutStarted, now_ns: int) -> None:
        reply = self._with_turn(event.turn)
        if reply is not None:
            reply.audible = True
            reply.trace.playout_ns = event.time_ns
            self._commit(reply)
            if reply is self._reply:
                self._deadlines.pop("reply", None)

    def _on_playout_stopped(self, event: PlayoutStopped, now_ns: int) -> None:
        if self._unsettled is not None and event.turn == self._unsettled.turn:
            self._unsettled.trace.end_ns = event.time_ns
            self._settle(now_ns, event.reply_sample, event.finished)
        reply = self._reply
        if reply is None or event.turn != reply.turn or not event.finished:
            return
        self._reply = None
        self._deadlines.pop("reply", None)
        reply.trace.end_ns = event.time_ns
        self._commit(reply, heard=True)
        self.history.bot(reply.step_text.strip())
        self._actions.append(BotSaid(reply.turn, reply.text(), False, reply.trace))
        if reply.then:
            self._hang_up("bot" if reply.then == "hang_up" else reply.then)
        elif self._utterance is None:
            self._deadlines["no_input"] = now_ns + self._config.no_input_ms * 1_000_000

    # --- barge-in -------------------------------------------------------------------------------------------------

    def _cut(self, reply: Reply, now_ns: int) -> None:
        """Stop a reply at once, wherever it is: the gate first, then everybody who still works for it."""
        self._reply = None
        self._deadlines.pop("reply", None)
        self._actions += [
            SetGate(0, reply.turn + 1),
            FlushPlayout(self.call, reply.turn),
            CancelReply(self.call, reply.turn),
            CancelSpeech(self.call, reply.turn),
        ]
        self._settle(now_ns)
        if reply.audible:
            self._unsettled = reply

    def _settle(self, now_ns: int, reply_sample: int | None = None, finished: bool = False) -> None:
        """Write a cut reply into the history: what was heard of it, up to ``reply_sample``.

        Where capture has not said yet how far that is, the time since its first sound tells.
        """
        reply, self._unsettled = self._unsettled, None
        if reply is None:
            return
        if reply_sample is None:
            start_sample = next((phrase.start_sample for phrase in reply.phrases if phrase.start_sample >= 0), 0)
            reply_sample = start_sample + (now_ns - reply.trace.playout_ns) * self._wire_rate_hz // 10**9
        heard = reply.heard(reply_sample)
        self.history.bot(heard, interrupted=not finished)
        self._actions.append(BotSaid(reply.turn, heard, not finished, reply.trace))

    def _commit(self, reply: Reply, heard: bool = False) -> None:
        """A reply that the caller hears, or that ran tools, has happened: the brain goes on from its state."""
        if reply.result is not None and (heard or not reply.unheard):
            self._state = reply.result.state
            self._expect = reply.result.expect

    # --- helpers --------------------------------------------------------------------------------------------------

    def _current(self, turn: int, step: int) -> Reply | None:
        reply = self._reply
        return reply if reply is not None and (reply.turn, reply.step) == (turn, step) else None

    def _with_turn(self, turn: int) -> Reply | None:
        return next((r for r in (self._reply, self._unsettled) if r is not None and r.turn == turn), None)
