"""The bot's side of a conversation: one reply under way at a time, from the first thought to the last sample.

A reply may be prepared while the caller's turn is not over (a draft); nothing of it exists for the caller, the history
or the world until it is opened, and nothing of it is kept if it is dropped before it became real.
"""

from __future__ import annotations

import logging
from typing import Literal, cast

import msgspec

from ringline.engine.agent import Agent
from ringline.engine.config import TurnConfig
from ringline.engine.conversation import builtin_tools
from ringline.engine.conversation.actions import BotSaid, Escalate, NothingToSay, RunTool, SetGate
from ringline.engine.conversation.consent import WITHHELD, has_agreed
from ringline.engine.conversation.empty_replies import EmptyReplies
from ringline.engine.conversation.events import ToolReturned
from ringline.engine.conversation.fixed_phrases import as_one, as_phrases
from ringline.engine.conversation.history import History, tool_answered, tools_asked
from ringline.engine.conversation.ledger import Pace, SpokenPhrase
from ringline.engine.conversation.length import LengthLimit
from ringline.engine.conversation.outbox import Outbox
from ringline.engine.conversation.phrasing import Phrase
from ringline.engine.conversation.prompt_ahead import tool_schemas
from ringline.engine.conversation.pronunciation import Pronunciations
from ringline.engine.conversation.reply import Reply, words_of
from ringline.engine.conversation.wording import phrasebook
from ringline.ipc.messages import (
    Bridge,
    Bridged,
    CancelReply,
    CancelSpeech,
    ChatMessage,
    Expectation,
    FlushPlayout,
    Generate,
    PhraseFailed,
    PhraseFinished,
    PhraseStarted,
    PlayoutStarted,
    PlayoutStopped,
    ReplyAwaitsModel,
    ReplyDelta,
    ReplyFailed,
    ReplyFinished,
    Speak,
    ToolCall,
    WarmPrompt,
    WordMarks,
)

log = logging.getLogger("ringline.conversation")

Cause = Literal["opening", "speech", "dtmf", "no_input", "tools"]

MS = 1_000_000

MAX_STEPS = 10
"""Rounds of tools in one reply; a model that wants more turns in circles."""

MAX_FUTILE_STEPS = 2
"""... and so many in a row of which nothing can be run: calls that cannot be read, or that ask for what was done in
this reply before. The model is told after the first."""

MAX_WORDLESS_NS = 30_000 * MS
"""So long a model may think, or ask for tools, before its first word: nobody listens to fillers for longer. What the
tools themselves take does not count."""

DONE = '{"ok":true}'
"""What a built-in tool returns ..."""
ENDS_CALL = "ends call"
"""... unless nobody will ask for it any more."""

FUTILE = "error"
"""Key of a result that says that nothing was run."""
ASKED_BEFORE = '{"note":"you have asked for exactly this before; its result stands above. Answer the caller now."}'
"""A model that asks twice in one reply has lost its way: what has effects is not done twice."""

IN_WORDS = "[Nothing of your answer could be spoken. Answer in plain words.]"
"""To an LLM that is asked again because it wrote nothing that can be spoken, such as emoji alone."""

SETTLE_NS = 300 * MS
"""How long the LLM is not asked after a cut, until capture says what was heard. That takes a frame; where it takes
longer, time must tell."""

MAX_ASKED_CHARS = 200
"""Two long sentences: what lies further back says little of what the caller will answer."""

STAGES = ("llm", "words", "tts", "dead_air", "reply")
"""Deadlines of a reply."""

WORDS_TIMEOUTS = 3
"""So many times ``reply_timeout_ms`` an LLM may think, write letter by letter or ask for tools, all of which is
progress, before the caller hears words of it: fillers bridge that, but nobody waits longer."""


class Bot:
    """Owns the reply under way, the history and the brain's state."""

    def __init__(
        self,
        call: int,
        slot: int,
        agent: Agent,
        config: TurnConfig,
        wire_rate_hz: int,
        max_sentences: int,
        out: Outbox,
        warms_prompt: bool = False,
        max_reply_s: float = 0.0,
        llm_tiers: int = 1,
        is_authored: bool = False,
    ) -> None:
        self.history = History(agent.prompt, agent.language, config.history_tokens, agent.voice_rules)
        self.reply: Reply | None = None
        self.expect = Expectation()
        self.turn = 0
        """The number given out last."""
        self.failures = 0
        """Replies in a row that did not come."""
        self._has_broken_off = False
        """Of the reply before, the LLM did not write the end."""
        self._asked = ""
        """What the caller heard of the last reply that they heard anything of."""
        self._unsettled: Reply | None = None
        """A reply that was cut, until capture says how much of it was heard."""
        self._held_cause: Cause | None = None
        """Of the reply under way: the LLM is not asked for it before that is known."""
        self._call, self._slot = call, slot
        self._agent, self._config, self._rate_hz = agent, config, wire_rate_hz
        self._pace = Pace(wire_rate_hz, agent.speed)
        self._max_sentences, self._max_reply_s = max_sentences, max_reply_s
        self._out = out
        self._warms_prompt = warms_prompt
        self._warm_head: tuple[ChatMessage, ...] = ()
        """The prompt's beginning that the LLM has read last."""
        self._pronunciations = Pronunciations(agent.pronunciations)
        self.phrasebook = phrasebook(agent.language)
        self._empties = EmptyReplies(self.phrasebook, llm_tiers, is_authored)
        self._tool_schemas = tool_schemas(agent)
        self._state = b""
        self._tools_running: set[tuple[int, int, str]] = set()
        """(turn, step, id) of runs that the history knows of, and awaits the result of."""

    def asked(self, now_ns: int) -> str:
        """The end of what the caller has last heard, fillers left out: the bot's question, more often than not."""
        for reply in (self.reply, self._unsettled):
            if reply is not None and reply.is_audible and (heard := reply.own_text(reply.position(now_ns))):
                return _end_of(heard)
        return _end_of(self._asked)

    # --- beginning and opening ------------------------------------------------------------------------------------

    def prepare(self, cause: str, now_ns: int) -> Reply:
        """A new reply, not yet open and without any text to come."""
        assert self.reply is None
        self.turn += 1
        length = LengthLimit(self._max_sentences, self._max_reply_s, self._pace.duration_s)
        self.reply = Reply(self.turn, cause, now_ns, self._rate_hz, self._agent.language, length)
        self._out.at("reply", now_ns + self._config.reply_timeout_ms * MS)
        return self.reply

    def generate(self, cause: Cause, now_ns: int) -> None:
        """Let the LLM write the reply, or what follows its tools."""
        reply = self._under_way()
        reply.is_generating = reply.was_asked = True
        if self._unsettled is not None:
            self._held_cause = cause
            self._out.at("settle", now_ns + SETTLE_NS)
            return
        state = reply.result.state if reply.result is not None else self._state
        messages = (*self.history.messages(), *reply.pending)
        is_hinted = reply.step == reply.hinted_step
        if is_hinted:
            messages = _with_hint(messages)
        self._warm_head = _head(messages)
        self._out.act(
            Generate(
                self._call,
                reply.turn,
                reply.step,
                cause,
                messages,
                state,
                tools=self._tool_schemas,
                draft=not reply.is_open,
                elsewhere=is_hinted and self._empties.is_for_fallback(reply.trace.num_empty),
            )
        )
        reply.asked_ns = now_ns
        self._await_text(reply, now_ns)
        if "words" not in self._out.deadlines:
            self._await_words(now_ns)

    def _await_text(self, reply: Reply, now_ns: int) -> None:
        """The LLM has so long for its next sign of life, and not for ever for its first word."""
        due_ns = now_ns + self._config.llm_timeout_ms * MS
        if not reply.has_words:
            due_ns = min(due_ns, reply.asked_ns + max(0, MAX_WORDLESS_NS - reply.wordless_ns))
        self._out.at("llm", due_ns)

    def warm_prompt(self) -> None:
        """Give the LLM ahead what the next request begins with, if that is new."""
        head = _head(self.history.messages())
        if self._warms_prompt and head != self._warm_head:
            self._warm_head = head
            self._out.act(WarmPrompt(self._call, head, self._tool_schemas))

    def begin(self, cause: Cause, now_ns: int, *pending: ChatMessage) -> Reply:
        """A reply that is open from the start."""
        reply = self.prepare(cause, now_ns)
        reply.pending += pending
        self.open(now_ns)
        self.generate(cause, now_ns)
        return reply

    def say(self, text: str, now_ns: int, then: str = "") -> None:
        """A reply whose text is known."""
        self.settle(now_ns)
        reply = self.prepare("said", now_ns)
        reply.then = then
        self.open(now_ns)
        reply.length = LengthLimit()
        self._write(reply, text, now_ns)
        self._write_end(reply, reply.written_out(), now_ns)

    def open(self, now_ns: int) -> None:
        """The caller's turn is over: let the reply be heard, and its tools run."""
        reply = self._under_way()
        reply.is_open = True
        self._out.act(SetGate(reply.turn, reply.turn))
        self._out.at("dead_air", now_ns + self._config.dead_air_ms * MS)
        self._progress(now_ns)
        if reply.held is not None:
            held, reply.held = reply.held, None
            self._run_tools(reply, held, now_ns)

    # --- pausing, resuming, ending --------------------------------------------------------------------------------

    def pause(self, now_ns: int) -> None:
        """Silence within one frame, and nothing lost: not a sample of the reply is dropped."""
        reply = self._under_way()
        reply.halts(now_ns)
        reply.is_paused = True
        reply.trace.num_pauses += 1
        self._out.act(SetGate(0, reply.turn))

    def resume(self, now_ns: int) -> None:
        """Go on at the sample where it paused."""
        reply = self._under_way()
        reply.is_paused = False
        reply.goes_on(now_ns)
        if reply.is_audible:
            self._progress(now_ns)
        self._out.act(SetGate(reply.turn, reply.turn))
        self._out.at("dead_air", now_ns + self._config.dead_air_ms * MS)

    def cut(self, now_ns: int, keeps_pending: bool = False) -> None:
        """Stop the reply at once, wherever it is: the gate first, then everybody who still works for it.

        What the caller heard of it stays in the history. One that was not yet real leaves nothing behind, but for what
        the caller themselves said, where ``keeps_pending`` asks for it.
        """
        reply = self._under_way()
        self.reply = self._held_cause = None
        self._out.cancel(*STAGES)
        self._out.act(
            SetGate(0, reply.turn + 1),
            FlushPlayout(self._call, reply.turn),
            CancelReply(self._call, reply.turn),
            CancelSpeech(self._call, reply.turn),
        )
        self.settle(now_ns)
        if keeps_pending and not reply.is_real:
            self.history.extend([message for message in reply.pending if message.role == "user"])
            reply.pending.clear()  # a late report may yet tell that it was heard
        reply.halts(now_ns)
        if reply.is_real or reply.is_audible:
            self._unsettled = reply
            if reply.is_measured:
                self.settle(now_ns)

    def settle(self, now_ns: int) -> None:
        """Write a cut reply into the history: what was heard of it.

        Where capture has not said yet how far that is, the time since it began to sound tells.
        """
        reply = self._unsettled
        if reply is not None:
            self._settled(reply, reply.position(now_ns), True, now_ns)

    def _settled(self, reply: Reply, heard_sample: int | None, interrupted: bool, now_ns: int) -> None:
        self._unsettled = None
        self._out.cancel("settle")
        self._record(reply, heard_sample, interrupted)
        cause, self._held_cause = self._held_cause, None
        if cause is not None:
            self.generate(cause, now_ns)

    def _record(self, reply: Reply, heard_sample: int | None, interrupted: bool) -> None:
        """The reply is over; ``heard_sample`` None: all of it was heard."""
        if reply.is_real:
            for tool_call_id, phrases in reply.tool_steps:  # what was cut off, or could not be spoken, was not said
                self.history.rephrase(tool_call_id, words_of(phrases, heard_sample))
            text = reply.step_text(heard_sample)
            if text or interrupted:
                self.history.bot(text, interrupted)
        self._asked = reply.own_text(heard_sample) or self._asked
        reply.trace.num_cut_words = reply.length.num_cut_words
        exact = heard_sample is None or reply.is_exact(heard_sample)
        self._out.act(BotSaid(reply.turn, reply.text(heard_sample), interrupted, reply.trace, exact))
        if not interrupted:
            self.warm_prompt()

    def _make_real(self, reply: Reply) -> None:
        """From here on the reply has happened: the history holds it, the brain goes on from its state."""
        if not reply.is_real:
            reply.is_real = True
            self._empties.num_in_a_row += reply.is_stand_in
            self.history.extend(reply.pending)
            reply.pending.clear()
            self._tools_running |= {(reply.turn, reply.step, name) for name in reply.open_tool_calls}
        for fact in reply.facts:
            self.history.remember(fact)
        reply.facts.clear()
        if reply.result is not None:
            self._state = reply.result.state
            if not reply.open_tool_calls:  # or the caller still answers what was asked before
                self.expect = reply.result.expect
            if reply.num_digits:
                self.expect = msgspec.structs.replace(self.expect, dtmf_digits=reply.num_digits)

    # --- text -----------------------------------------------------------------------------------------------------

    def on_model_awaited(self, event: ReplyAwaitsModel, now_ns: int) -> None:
        """The LLM's server loads its model."""
        reply = self._current(event.turn, event.step)
        if reply is not None and reply.is_generating:
            reply.awaits_model_until_ns = now_ns + self._config.model_load_ms * MS
            self._progress(now_ns)

    def on_delta(self, event: ReplyDelta, now_ns: int) -> None:
        """The LLM wrote on."""
        reply = self._current(event.turn, event.step)
        if reply is not None and reply.is_generating:
            reply.awaits_model_until_ns = 0
            self._progress(now_ns)
            if event.text:
                self._write(reply, event.text, now_ns)
            self._await_text(reply, now_ns)
            if reply.length.is_endless:
                self._stop_writing(reply, now_ns)

    def on_finished(self, event: ReplyFinished, now_ns: int) -> bool:
        """The LLM has said all, and which tools it wants. Returns whether the reply has failed: it is empty, again."""
        reply = self._current(event.turn, event.step)
        if reply is None or not reply.is_generating:
            return False
        reply.is_generating = False
        reply.awaits_model_until_ns = 0
        reply.trace.count(event.usage)
        self._out.cancel("llm")
        self._progress(now_ns)
        rest = reply.written_out(drops_fragment=event.is_cut and reply.has_words)
        reply.wordless_ns += 0 if rest or reply.has_words else now_ns - reply.asked_ns
        if not (rest or event.tool_calls or reply.step_phrases or reply.is_answered):
            return not self._replaces_empty(reply, event, now_ns)
        reply.result = event
        self.failures = self._empties.num_in_a_row = 0
        self._has_broken_off = False
        if reply.is_real:
            self._make_real(reply)
        tools = [(tool_call, self._known_result(reply, tool_call, now_ns)) for tool_call in event.tool_calls]
        tools = [(tool_call, result) for tool_call, result in tools if result != ENDS_CALL]
        if not event.agreed:
            tools = [(tool_call, result or self._withheld(reply, tool_call)) for tool_call, result in tools]
        is_futile = bool(tools) and all(is_futile_result(result) for _, result in tools)
        reply.num_futile = reply.num_futile + 1 if is_futile else 0
        is_lost = reply.step >= MAX_STEPS or reply.num_futile > MAX_FUTILE_STEPS
        if tools and (is_lost or reply.wordless_ns >= MAX_WORDLESS_NS):
            log.error("the model asks for tools again and again", extra={"call": self._call, "turn": reply.turn})
            if not (rest or reply.has_words or reply.then):
                reply.has_failed_before = True  # nor is it asked once more
                return not (self._empties.has_fallback and self._replaces_empty(reply, event, now_ns))
            tools = []
        if all(result == DONE for _, result in tools) and (rest or not tools or reply.has_words_in_step):
            self._write_end(reply, rest, now_ns)  # nothing has come of the tools that the model would have to know
            return False
        for phrase in rest:
            self._speak(reply, phrase, now_ns)
        if reply.is_open or all(result or self._is_safe(tool_call) for tool_call, result in tools):
            self._run_tools(reply, tools, now_ns)
        else:
            reply.held = tools
        return False

    def on_failed(self, event: ReplyFailed, now_ns: int) -> bool:
        """The LLM does not write, or writes no further. Returns whether the reply has thereby failed.

        Not if asking once more may help. Nor if a part of it is said: its end is lost, which happens once; then it has.
        """
        reply = self._current(event.turn, event.step)
        if reply is None:
            return False
        if not reply.is_generating or not reply.is_open:
            return True
        if any(phrase.phrase.words for phrase in reply.step_phrases):
            if self._has_broken_off:
                return True
            self._has_broken_off = True
            reply.is_generating = False
            self._out.cancel("llm", "words")
            self._write_end(reply, as_phrases(self.phrasebook.lost_thread, self._agent.language), now_ns)
            return False
        if event.is_final or reply.has_failed_before:
            return True
        reply.has_failed_before = True
        reply.next_step()
        self.generate(cast(Cause, "tools" if reply.tool_steps else reply.trace.cause), now_ns)
        return False

    def _replaces_empty(self, reply: Reply, event: ReplyFinished, now_ns: int) -> bool:
        """Find another way for a reply that holds nothing to say. Returns whether there is one."""
        reply.trace.num_empty += 1
        remedy = self._empties.remedy(reply)
        self._out.act(NothingToSay(reply.turn, reply.step, remedy))
        match remedy:
            case "give up":
                return False
            case "ask again" | "ask the fallback":
                reply.trace.first_text_ns = 0
                reply.next_step()
                reply.hinted_step = reply.step
                self.generate(cast(Cause, "tools" if reply.tool_steps else reply.trace.cause), now_ns)
                return True
            case "say so":
                reply.is_stand_in = True
                self._write(reply, self._empties.words(reply), now_ns)
        reply.result = event
        self._write_end(reply, reply.written_out(), now_ns)
        return True

    def _write(self, reply: Reply, text: str, now_ns: int) -> None:
        if text.strip():
            reply.trace.first_text_ns = reply.trace.first_text_ns or now_ns
        for phrase in reply.written_on(text):
            self._speak(reply, phrase, now_ns)

    def _stop_writing(self, reply: Reply, now_ns: int) -> None:
        """The reply is long enough, and the LLM has not come to an end of it."""
        reply.is_generating = False
        self._out.cancel("llm")
        self._out.act(CancelReply(self._call, reply.turn))
        self._write_end(reply, reply.length.finish(), now_ns)

    def _write_end(self, reply: Reply, rest: list[Phrase], now_ns: int) -> None:
        reply.is_complete = True
        for phrase in rest[:-1]:
            self._speak(reply, phrase, now_ns)
        self._speak(reply, rest[-1] if rest else Phrase((), True), now_ns, last=True)

    def _speak(
        self, reply: Reply, phrase: Phrase, now_ns: int, last: bool = False, is_filler: bool = False, keys: str = ""
    ) -> None:
        if not is_filler:
            reply.trace.first_phrase_ns = reply.trace.first_phrase_ns or now_ns
            if reply.is_generating:
                self._await_words(now_ns)
        number = reply.num_phrases
        reply.num_phrases += 1
        if reply.unspoken is None:
            self._out.at("tts", now_ns + self._config.tts_timeout_ms * MS)
        phrase, phonemes = self._pronunciations.apply(phrase)
        reply.phrases.append(SpokenPhrase(phrase, self._pace, is_filler, number))
        agent = self._agent
        self._out.act(
            Speak(
                self._call,
                self._slot,
                reply.turn,
                number,
                phrase.spoken,
                last,
                agent.voice,
                agent.speed,
                keys,
                language=agent.language,
                phonemes=phonemes,
            )
        )

    # --- tools ----------------------------------------------------------------------------------------------------

    def _known_result(self, reply: Reply, tool_call: ToolCall, now_ns: int) -> str:
        """The result of a call that is not run: of a built-in tool, which is done at once, of one that cannot be read,
        and of one that this reply has asked for before. Empty where it has yet to run."""
        if tool_call.problem:
            log.warning("a tool call cannot be run", extra={"call": self._call, "text": tool_call.problem})
            return msgspec.json.encode({FUTILE: tool_call.problem}).decode()
        if result := self._built_in(reply, tool_call, now_ns):
            return result
        return ASKED_BEFORE if reply.has_result(tool_call) else ""

    def _is_safe(self, tool_call: ToolCall) -> bool:
        tool = self._agent.tools.get(tool_call.name)
        return tool is not None and tool.safe_to_draft

    def _withheld(self, reply: Reply, tool_call: ToolCall) -> str:
        """What the model is told in place of a tool's result, where the caller would have to agree and has not."""
        tool = self._agent.tools.get(tool_call.name)
        if tool is None or not tool.confirm:
            return ""
        messages = (*self.history.messages(), *reply.pending)
        return "" if has_agreed(messages, self._agent.language) else WITHHELD

    def _built_in(self, reply: Reply, tool_call: ToolCall, now_ns: int) -> str:
        """Do what a built-in tool is asked for. Returns its result, empty for the agent's own tools.

        None of it has effects before the reply is heard, so drafts may use them.
        """
        if tool_call.name not in builtin_tools.BUILT_IN:
            return ""
        match builtin_tools.parse(tool_call):
            case str() as problem:
                return msgspec.json.encode({"error": problem}).decode()
            case builtin_tools.HangUp() | builtin_tools.Transfer():
                reply.then = tool_call.name
                return ENDS_CALL
            case builtin_tools.SendDtmf(keys=keys):
                self._speak(reply, Phrase((), False), now_ns, keys=keys)
            case builtin_tools.CollectDigits(num_digits=num_digits):
                reply.num_digits = num_digits
            case builtin_tools.Remember(fact=fact):
                reply.facts.append(fact)
        return DONE

    def _run_tools(self, reply: Reply, tools: list[tuple[ToolCall, str]], now_ns: int) -> None:
        """``tools``: each with its result, empty where it has yet to run."""
        wanted = [tool_call for tool_call, result in tools if not result]
        reply.open_tool_calls = {tool_call.id: tool_call for tool_call in wanted}
        if not all(self._is_safe(tool_call) for tool_call in wanted):
            self._make_real(reply)
        asked = tools_asked(reply.step_text(), tuple(tool_call for tool_call, _ in tools))
        for tool_call, result in tools:
            if result:
                tool_answered(asked, tool_call.id, result)
        reply.tool_steps.append((tools[0][0].id, reply.step_phrases))
        reply.step_phrase = len(reply.phrases)
        if reply.is_real:
            self.history.extend(asked)
            self._tools_running |= {(reply.turn, reply.step, tool_call.id) for tool_call in wanted}
        else:
            reply.pending += asked
        for tool_call in wanted:
            self._out.act(RunTool(reply.turn, reply.step, tool_call))
        if not wanted:
            reply.next_step()
            self.generate("tools", now_ns)

    def on_tool_returned(self, event: ToolReturned, now_ns: int) -> None:
        """A tool has answered, or failed."""
        run = event.turn, event.step, event.tool_call_id
        reply = self._current(event.turn, event.step)
        tool_call = reply.open_tool_calls.pop(event.tool_call_id, None) if reply is not None else None
        is_awaited = tool_call is not None
        if reply is not None and tool_call is not None:
            reply.returned(tool_call, event.result)
        if run in self._tools_running:
            # What a tool did, it did, whatever became of the reply that wanted it: the history says so.
            self._tools_running.discard(run)
            self.history.tool_returned(event.tool_call_id, event.result)
        elif is_awaited and reply is not None:
            tool_answered(reply.pending, event.tool_call_id, event.result)
        if is_awaited and reply is not None and not reply.open_tool_calls:
            self._progress(now_ns)
            reply.next_step()
            self.generate("tools", now_ns)

    # --- speech ---------------------------------------------------------------------------------------------------

    def on_phrase_started(self, event: PhraseStarted, now_ns: int) -> None:
        """A phrase's first sample is in the ring."""
        reply, phrase = self._phrase(event.turn, event.phrase)
        if reply is None or phrase is None:
            return
        if phrase.start_sample < 0:
            phrase.start_sample = event.start_sample
            reply.written(event.start_sample, event.time_ns)
        if not phrase.is_filler:
            reply.trace.first_audio_ns = reply.trace.first_audio_ns or event.time_ns
            if reply.is_audible:
                self._make_real(reply)
            if reply is self.reply:
                self._progress(now_ns)
        if phrase is reply.unspoken and reply is self.reply:
            # Slower than it is spoken would be late: the rest of it has as long as that.
            self._out.at("tts", now_ns + reply.duration_ns(phrase) + self._config.tts_timeout_ms * MS)

    def on_word_marks(self, event: WordMarks, now_ns: int) -> None:
        """Where the words of a phrase are."""
        _, phrase = self._phrase(event.turn, event.phrase)
        if phrase is not None:
            phrase.mark(event.chars, event.samples)

    def on_phrase_finished(self, event: PhraseFinished, now_ns: int) -> bool:
        """A phrase's last sample is in the ring. Returns whether it was the last one, and none could be spoken."""
        reply, phrase = self._phrase(event.turn, event.phrase)
        if reply is None or phrase is None:
            return False
        phrase.finish(event.start_sample, event.end_sample)
        if reply is self.reply:
            if not phrase.is_filler:
                self._progress(now_ns)
            elif reply.is_open:
                ahead_ns = reply.ahead_ns(now_ns) if reply.is_audible else reply.duration_ns(phrase)
                self._out.at("dead_air", now_ns + ahead_ns + self._config.dead_air_ms * MS)
            self._await_next_phrase(reply, now_ns)
        return reply is self.reply and reply.is_unspeakable

    def on_phrase_failed(self, event: PhraseFailed, now_ns: int) -> bool:
        """A phrase cannot be spoken. Returns whether the whole reply has thereby failed."""
        reply, phrase = self._phrase(event.turn, event.phrase)
        if reply is None or phrase is None or phrase.is_over:
            return False
        phrase.fails()
        if reply is not self.reply:
            return False
        self._await_next_phrase(reply, now_ns)
        if not reply.is_complete or reply.unspoken is not None:
            return False
        if reply.is_unspeakable:
            return True
        self._speak(reply, Phrase((), True), now_ns, last=True)  # or nobody would tell capture that this was all
        return False

    def _await_next_phrase(self, reply: Reply, now_ns: int) -> None:
        if reply.unspoken is None:
            self._out.cancel("tts")
        else:
            self._out.at("tts", now_ns + self._config.tts_timeout_ms * MS)

    # --- playout --------------------------------------------------------------------------------------------------

    def on_playout_started(self, event: PlayoutStarted, now_ns: int) -> None:
        """The reply's first audible sample was sent."""
        reply = self._with_turn(event.turn)
        if reply is None or reply.is_audible:
            return
        reply.starts(event.time_ns)
        if any(phrase.start_sample >= 0 for phrase in reply.own_phrases()):
            self._make_real(reply)
            if reply is self.reply:
                self._progress(now_ns)

    def on_playout_stopped(self, event: PlayoutStopped, now_ns: int) -> Reply | None:
        """Playout has paused, was cut, or the reply is played out: then it is returned."""
        unsettled = self._unsettled
        if unsettled is not None and event.turn == unsettled.turn:
            unsettled.stopped(event.reply_sample, event.time_ns)
            unsettled.trace.end_ns = event.time_ns
            if event.finished:  # it was cut, but had been heard to its end by then
                self._settled(unsettled, None, False, now_ns)
            elif unsettled.is_measured:
                self.settle(now_ns)
            return None
        reply = self.reply
        if reply is None or event.turn != reply.turn:
            return None
        if not event.finished:
            reply.stopped(event.reply_sample, event.time_ns)
            reply.trace.end_ns = event.time_ns
            return None
        self.reply = None
        self._out.cancel(*STAGES)
        self._out.act(SetGate(0, reply.turn + 1))
        reply.trace.end_ns = event.time_ns
        reply.ended(event.reply_sample)
        self._make_real(reply)
        self._record(reply, None, interrupted=False)
        return reply

    # --- never silent, never stuck --------------------------------------------------------------------------------

    def on_stage_late(self, stage: str, now_ns: int) -> bool:
        """The LLM or TTS is past its deadline: its fallback may be quicker. Returns whether the reply has failed: the
        LLM thinks, and does not come to a first word."""
        reply = self.reply
        if reply is None:
            return False
        if stage == "llm" and not reply.has_words and reply.wordless_ns + now_ns - reply.asked_ns >= MAX_WORDLESS_NS:
            log.error("the model thinks for too long", extra={"call": self._call, "turn": reply.turn})
            return True
        if stage == "llm" or (stage == "words" and reply.is_generating):
            self._out.act(Escalate("llm", reply.turn))
            self._out.at("llm", now_ns + self._config.llm_timeout_ms * MS)
        if stage == "words":
            reply.has_failed_before = True  # nobody waits as long again
            self._await_words(now_ns)
        elif stage == "tts":
            wait_ns = self._config.tts_timeout_ms * MS
            ahead_ns = reply.ahead_ns(now_ns)
            if reply.is_open and not reply.is_paused and ahead_ns <= wait_ns:  # else it may wait, or the ring is full
                self._out.act(Escalate("tts", reply.turn))
            self._out.at("tts", now_ns + max(wait_ns, ahead_ns - wait_ns))
        return False

    def on_dead_air(self, now_ns: int) -> None:
        """Perhaps nothing was heard for too long: say something that fits, if the reply has no more to say so far, or
        waits for a voice that is busy."""
        reply = self.reply
        if reply is None or reply.is_paused:
            return
        wait_ns = self._config.dead_air_ms * MS
        ahead_ns = reply.ahead_ns(now_ns)
        self._out.at("dead_air", now_ns + ahead_ns + wait_ns)
        if ahead_ns > 0:
            return
        awaited = reply.unspoken
        if reply.is_generating and reply.length.is_reached:
            self._stop_writing(reply, now_ns)
        elif awaited is None and not reply.is_complete:
            self._speak(reply, self._filler(reply), now_ns, is_filler=True)
        elif awaited is not None and awaited.start_sample < 0 and not awaited.is_filler:
            self._bridge(reply, awaited)

    def _bridge(self, reply: Reply, awaited: SpokenPhrase) -> None:
        """Ask for a filler before a phrase that waits for its turn at TTS."""
        filler, phonemes = self._pronunciations.apply(self._filler(reply))
        agent = self._agent
        self._out.act(
            Bridge(
                self._call,
                reply.turn,
                awaited.number,
                len(reply.bridges),
                filler.spoken,
                agent.voice,
                agent.speed,
                agent.language,
                phonemes,
            )
        )
        reply.bridges.append(filler)

    def on_bridged(self, event: Bridged, now_ns: int) -> None:
        """The filler is in the ring."""
        reply, awaited = self._phrase(event.turn, event.phrase)
        if reply is None or awaited is None:
            return
        filler = SpokenPhrase(reply.bridges[event.number], self._pace, is_filler=True)
        filler.mark(event.chars, event.samples)
        filler.finish(event.start_sample, event.end_sample)
        reply.put_before(awaited, filler)
        reply.written(event.start_sample, event.time_ns)
        if reply is self.reply:
            duration_ns = (event.end_sample - event.start_sample) * 10**9 // self._rate_hz
            self._out.at("dead_air", now_ns + duration_ns + self._config.dead_air_ms * MS)

    def _filler(self, reply: Reply) -> Phrase:
        """What bridges the wait: the slow tool's own words once, then common ones in turn."""
        own = [tool.filler for call in reply.open_tool_calls.values() if (tool := self._agent.tools.get(call.name))]
        text = next((text for text in own if text and text not in reply.text()), "")
        text = text or self.phrasebook.fillers[reply.num_fillers % len(self.phrasebook.fillers)]
        reply.num_fillers += 1
        return as_one(text, self._agent.language)

    def _await_words(self, now_ns: int) -> None:
        self._out.at("words", now_ns + WORDS_TIMEOUTS * self._config.reply_timeout_ms * MS)

    def _progress(self, now_ns: int) -> None:
        """The reply is still coming, and what there is of it is still to be heard."""
        reply = self._under_way()
        until_ns = now_ns + reply.ahead_ns(now_ns) + self._config.reply_timeout_ms * MS
        self._out.at("reply", max(until_ns, reply.awaits_model_until_ns))

    def is_stuck(self, now_ns: int) -> bool:
        """Whether the reply has come to a standstill, now that its last deadline is past."""
        reply = self.reply
        if reply is None:
            return False
        ahead_ns = reply.ahead_ns(now_ns)
        playing = reply.playing(now_ns)
        if ahead_ns > 0 and playing is not None and playing.is_filler:
            self._out.at("reply", now_ns + ahead_ns)  # not in the middle of a word
            return False
        if ahead_ns > 0 or reply.is_paused or reply.open_tool_calls:  # tools have time limits of their own
            self._out.at("reply", now_ns + ahead_ns + self._config.reply_timeout_ms * MS)
            return False
        return True

    # --- helpers --------------------------------------------------------------------------------------------------

    def _under_way(self) -> Reply:
        assert self.reply is not None
        return self.reply

    def _current(self, turn: int, step: int) -> Reply | None:
        reply = self.reply
        return reply if reply is not None and (reply.turn, reply.step) == (turn, step) else None

    def _with_turn(self, turn: int) -> Reply | None:
        return next((r for r in (self.reply, self._unsettled) if r is not None and r.turn == turn), None)

    def _phrase(self, turn: int, number: int) -> tuple[Reply | None, SpokenPhrase | None]:
        reply = self._with_turn(turn)
        if reply is None:
            return None, None
        phrase = next((phrase for phrase in reply.phrases if phrase.number == number >= 0), None)
        return (reply, phrase) if phrase is not None else (None, None)


def is_futile_result(result: str) -> bool:
    """Whether nothing was run, nor is to be."""
    return result == ASKED_BEFORE or result.startswith(f'{{"{FUTILE}":')


def _end_of(text: str) -> str:
    """As much of it as may be, in whole words."""
    return text if len(text) <= MAX_ASKED_CHARS else text[-MAX_ASKED_CHARS:].partition(" ")[2]


def _head(messages: tuple[ChatMessage, ...]) -> tuple[ChatMessage, ...]:
    """What a call's prompts begin with."""
    return tuple(message for message in messages[:1] if message.role == "system")


def _with_hint(messages: tuple[ChatMessage, ...]) -> tuple[ChatMessage, ...]:
    """The messages, with a word to the LLM in the caller's last turn: roles alternate."""
    last = messages[-1] if messages else None
    if last is None or last.role != "user":
        return (*messages, ChatMessage("user", IN_WORDS))
    return (*messages[:-1], msgspec.structs.replace(last, content=f"{last.content} {IN_WORDS}"))
