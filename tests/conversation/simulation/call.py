"""One simulated call: virtual time, the bus between its parts, and the rules that hold at each step."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import Any

from ringline import Agent, Tool
from ringline.engine.config import TurnConfig
from ringline.engine.conversation import Action, Conversation, Event
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
from ringline.engine.conversation.events import CallClosed, CallStarted, HangUpAsked, TimePassed, ToolReturned
from ringline.engine.tool import ToolOptions
from ringline.ipc.messages import (
    Bridge,
    CancelReply,
    CancelSpeech,
    DropUtterance,
    Finalise,
    FlushPlayout,
    Generate,
    HangUp,
    PlayoutStarted,
    PlayoutStopped,
    Speak,
    SpeechStarted,
    Transcribe,
)

from .caller import VAD_MAX_MS, Caller
from .line import Line
from .memory import check_history, check_messages, check_words
from .tape import Tape
from .workers import LLM_MAX_MS, TTS_MAX_MS, Llm, Stt, Tts

MS = 1_000_000
START_NS = 10**12
BUS_MAX_MS = 3
MAX_DEADLINES = 14
MAX_WAIT_NS = 61 * 10**9


def look() -> str:
    """Look something up."""
    return ""


def book() -> str:
    """Book something: this has effects."""
    return ""


TOOLS = {"look": Tool.of(look, ToolOptions(safe_to_draft=True, filler="Let me look.")), "book": Tool.of(book)}
AGENTS = [Agent("test", tools=TOOLS), Agent("test", tools=TOOLS, greeting="b1x0 b1x1 b1x2. b1x3 b1x4?")]


class BrokenRule(AssertionError):
    """What must never be has happened."""


class SimulatedCall:
    """``run`` plays it to the end. Raises BrokenRule, or whatever the conversation raises."""

    def __init__(self, tape: Tape, max_acts: int = 30) -> None:
        self.tape = tape
        self.max_acts = max_acts
        self.now_ns = START_NS
        self.config = TurnConfig(
            endpoint_ms=400,
            draft=not tape.chance(15),
            max_drafts=(4, 1, 0)[tape.below(3) if tape.chance(20) else 0],
            barge_in=("normal", "low", "high", "off")[tape.below(4) if tape.chance(40) else 0],
            reply_timeout_ms=6_000,
            llm_timeout_ms=3_000,
            stt_timeout_ms=1_500,
            tts_timeout_ms=1_000,
            on_failure=("hang_up", "transfer")[tape.below(2)],
            history_tokens=10**9,
        )
        has_trouble = tape.chance(40)
        self.percent_slow = 15 if has_trouble else 3
        self.percent_failing = 3 if has_trouble else 0
        percent_hanging = 3 if has_trouble else 0
        self.troubles: set[str] = {"all"} if has_trouble else set()
        agent = AGENTS[tape.chance(30)]
        self.has_greeting = bool(agent.greeting)
        self.conversation = Conversation(1, 0, agent, self.config)
        self.caller = Caller(self)
        self.stt, self.llm = Stt(self, percent_hanging), Llm(self, percent_hanging)
        self.tts = Tts(self, percent_hanging)
        capacity = 20_000 if tape.chance(20) else 256_000
        self.line = Line(self._at, self._report, capacity, START_NS)
        self.line.on_sound = self._on_bot_sound
        self.log: list[tuple[int, object]] = []
        self.num_turns = 0
        self.caller_turns: list[CallerSaid] = []
        self.bot_turns: dict[int, BotSaid] = {}
        self.opened: set[int] = set()
        self.tools_run: dict[tuple[int, int, str], str] = {}
        self.tools_running: set[str] = set()
        self.ending = ""
        self.measured: set[int] = set()
        """Turns whose end capture had reported when they were written into the history."""
        self._queue: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._order = itertools.count()
        self._bus: dict[str, int] = {}
        self._timer_ns = -1
        self._over = self._closed = False
        self.asides: set[str] = set()
        """Words that were taken for backchannels."""
        self._dead_speech = 0
        self._latest_request = (0, 0)
        self._generated: set[int] = set()
        self._phrases: dict[int, int] = {}
        self._complete: set[int] = set()
        self._stops: dict[int, list[PlayoutStopped]] = {}
        self._bot_sound_ns = START_NS

    # --- time -----------------------------------------------------------------------------------------------------

    def sample(self) -> int:
        """The caller ring's."""
        return (self.now_ns - START_NS) * 16 // MS

    def _at(self, time_ns: int, do: Callable[..., None], *arguments: Any) -> None:
        heapq.heappush(self._queue, (time_ns, next(self._order), do, arguments))

    def after(self, delay_ms: float, do: Callable[..., None], *arguments: Any) -> None:
        self._at(self.now_ns + int(delay_ms * MS), do, *arguments)

    def tell(self, sender: str, event: Event) -> None:
        """Over the bus: each sender's messages stay in order."""
        delay_ns = (1 + self.tape.below(BUS_MAX_MS * 4)) * MS // 4
        if self.troubles and self.tape.chance(1):
            delay_ns += self.tape.below(400) * MS
        arrival_ns = max(self._bus.get(sender, 0), self.now_ns + delay_ns)
        self._bus[sender] = arrival_ns
        self._at(arrival_ns, self._handle, event)

    def run(self) -> None:
        self._handle(CallStarted())
        self.after(self.tape.between(500, 4_000), self.caller.act)
        while self._queue and not (self._closed and self._queue[0][0] > self.now_ns + 10**9):
            self.now_ns, _, do, arguments = heapq.heappop(self._queue)
            do(*arguments)
        if not self._closed:
            self.fail("the call has come to a standstill")

    def fail(self, problem: str) -> None:
        raise BrokenRule(f"{(self.now_ns - START_NS) / 1e9:.3f} s: {problem}")

    def close(self) -> None:
        """The caller hangs up, or the wire breaks, or the program ends the call."""
        if self._closed or self.ending:
            return
        if self.tape.chance(20):
            self._handle(HangUpAsked("program"))
        else:
            self._close()

    def _close(self) -> None:
        if self._closed:
            return
        self.line.sync(self.now_ns)
        if not self.ending:
            self._check_silence()
        self.caller.give_up_words(15_000)
        self._closed = True
        self._handle(CallClosed())
        check_history(self)
        check_words(self)

    # --- the conversation -----------------------------------------------------------------------------------------

    def _handle(self, event: Event) -> None:
        if isinstance(event, TimePassed) and self.now_ns != self._timer_ns:
            return
        self.line.sync(self.now_ns)
        sounding = self.line.gate if self.line.is_sounding else 0
        if isinstance(event, PlayoutStopped):
            self._stops.setdefault(event.turn, []).append(event)
        actions = self.conversation.handle(event, self.now_ns)
        self.log.append((self.now_ns, event))
        self.log += [(self.now_ns, action) for action in actions]
        self._check_step(event, actions, sounding)
        for action in actions:
            self._carry_out(action)
        if isinstance(event, SpeechStarted):
            self._check_pause(sounding, actions)
        if self.line.errors:
            self.fail(self.line.errors[0])
        self._set_timer(event)

    def _check_step(self, event: Event, actions: list[Action], sounding: int) -> None:
        if self._over and any(not isinstance(action, BotSaid) for action in actions):
            self.fail(f"after the end: {actions}")
        if len(self.conversation._out.deadlines) > MAX_DEADLINES:
            self.fail("deadlines pile up")
        said = any(isinstance(action, CallerSaid) for action in actions)
        for action in actions:
            is_opened = isinstance(action, SetGate) and action.turn and action.turn not in self.opened
            if is_opened and action.turn in self._generated and not said:
                self.fail(f"the draft {action.turn} is let through before the caller's turn is over")

    def _check_pause(self, sounding: int, actions: list[Action]) -> None:
        """Speech over the bot: silence in the same step, and nothing before it."""
        if not sounding or self._over or self.config.barge_in == "off" or sounding in self.must_be_heard:
            return
        if self.line.gate:
            self.fail(f"turn {sounding} speaks on")
        if not isinstance(actions[0], SetGate):
            self.fail(f"{actions[0]} before the gate")

    @property
    def must_be_heard(self) -> set[int]:
        """Turns with phrases that are not paused for the caller."""
        return {turn for (turn, _), words in self.tts.words.items() if words and words[-1][0].endswith("!")}

    def _set_timer(self, event: Event) -> None:
        deadline_ns = self.conversation.deadline_ns
        if self._over or self._closed:
            if deadline_ns is not None:
                self.fail("a deadline after the end")
            return
        if deadline_ns is None or deadline_ns > self.now_ns + MAX_WAIT_NS:
            self.fail("nothing will ever happen again")
            return
        if isinstance(event, TimePassed) and deadline_ns <= self.now_ns:
            self.fail("time does not pass")
        if deadline_ns != self._timer_ns:
            self._timer_ns = deadline_ns
            self._at(max(self.now_ns, deadline_ns), self._on_timer, deadline_ns)

    def _on_timer(self, deadline_ns: int) -> None:
        if deadline_ns == self._timer_ns and not self._over and not self._closed:
            self._timer_ns = self.now_ns
            self._handle(TimePassed())

    # --- its actions ----------------------------------------------------------------------------------------------

    def _carry_out(self, action: Action) -> None:
        match action:
            case SetGate():
                self._set_gate(action)
            case Transcribe():
                self.stt.transcribe(action)
            case Finalise():
                self.stt.finalise(action)
            case DropUtterance(utterance=number):
                self.stt.drop(number)
            case Generate():
                self._generate(action)
            case CancelReply(turn=turn):
                self.llm.cancelled = max(self.llm.cancelled, turn)
            case Speak():
                self._speak(action)
            case Bridge():
                self.tts.bridge(action)
            case CancelSpeech(turn=turn):
                self._dead_speech = max(self._dead_speech, turn)
                self.tts.cancel(turn)
            case RunTool():
                self._run_tool(action)
            case Escalate(stage=stage, number=number):
                {"stt": self.stt, "llm": self.llm, "tts": self.tts}[stage].escalate(number)
            case CallerSaid():
                self._caller_said(action)
            case BotSaid(turn=turn):
                if turn in self.bot_turns:
                    self.fail(f"turn {turn} is over twice")
                self.bot_turns[turn] = action
                if any(of_turn == turn for of_turn, _, _ in self.llm.asked):
                    self._check_tools(turn, action.interrupted)
                is_reported = any(stop.finished for stop in self._stops.get(turn, ()))
                if action.interrupted == is_reported:
                    self.fail(f"turn {turn} is remembered as interrupted: {action.interrupted}")
                if turn in self._stops and self._stops[turn][-1].reply_sample == self.line.played.get(turn, (0, 0))[1]:
                    self.measured.add(turn)
            case HungUp(reason=reason):
                self.ending = reason
                self.caller.give_up_words(15_000)
                self._over = True
            case HangUp():
                self._answered()
                self.after(self.tape.between(5, 200), self._close)
            case Backchannel(text=text):
                self.asides.update(text.split())
            case FlushPlayout() | NothingToSay():
                pass
            case _:
                self.fail(f"unknown action {action}")

    def _set_gate(self, action: SetGate) -> None:
        turn, min_turn = action.turn, action.min_turn
        if turn and (turn < min_turn or turn <= self._dead_speech):
            self.fail(f"the gate opens for the dead turn {turn}")
        if min_turn < self.line.min_turn:
            self.fail("a dead turn comes to life")
        self.line.set_gate(turn, min_turn, self.now_ns)
        if turn:
            self.opened.add(turn)

    def _generate(self, request: Generate) -> None:
        check_messages(self, request)
        if (request.turn, request.step) <= self._latest_request or request.turn <= self._dead_speech:
            self.fail(f"text for the dead turn {request.turn}")
        self._latest_request = request.turn, request.step
        self._generated.add(request.turn)
        if request.step == 0 and request.state:
            turn = int(request.state.split(b".")[0])
            if turn not in self.bot_turns or any(later > turn and self._has_state(later) for later in self.bot_turns):
                self.fail(f"the brain goes on from turn {turn}")
        self.llm.generate(request)

    def _has_state(self, turn: int) -> bool:
        """Whether the LLM finished the turn, and the caller heard it to its end."""
        return turn in self.llm.finished and not self.bot_turns[turn].interrupted

    def _speak(self, request: Speak) -> None:
        turn = request.turn
        if turn <= self._dead_speech:
            self.fail(f"speech for the dead turn {turn}")
        if turn in self._complete and request.text:
            self.fail(f"turn {turn} was complete")
        if request.phrase != self._phrases.get(turn, -1) + 1:
            self.fail(f"phrase {request.phrase} of turn {turn} out of order")
        self._phrases[turn] = request.phrase
        if request.last:
            self._complete.add(turn)
        if request.text.startswith("I am sorry"):
            if not self.troubles:
                self.fail("an apology, and nothing is wrong")
            self.caller.give_up_words(20_000)
        self.tts.speak(request)

    def _check_tools(self, turn: int, interrupted: bool) -> None:
        wanted = {run for run, name in self.llm.asked.items() if run[0] == turn and name in TOOLS and run[1] < 10}
        if not interrupted and wanted - set(self.tools_run):
            self.fail(f"tools of turn {turn} never ran: {wanted - set(self.tools_run)}")

    def _run_tool(self, action: RunTool) -> None:
        run = action.turn, action.step, action.tool_call.id
        if run in self.tools_run:
            self.fail(f"tool {run} runs twice")
        self.tools_run[run] = action.tool_call.name
        if action.tool_call.name == "book" and action.turn not in self.opened:
            self.fail("a tool with effects runs in a draft")
        delay_ms = self.tape.between(5, 300) + (self.tape.between(0, 5_000) if self.tape.chance(20) else 0)
        self.tools_running.add(action.tool_call.id)
        result = '{"ok":true}'
        self.after(delay_ms, self._handle_tool, ToolReturned(*run, result))

    def _handle_tool(self, event: ToolReturned) -> None:
        if not self._closed:
            self.tools_running.discard(event.tool_call_id)
            self._handle(event)

    def _report(self, kind: str, turn: int, sample: int, finished: bool) -> None:
        if kind == "started":
            self.tell("capture", PlayoutStarted(1, turn, 0, self.now_ns))
        else:
            self.tell("capture", PlayoutStopped(1, turn, sample, finished, self.now_ns))

    # --- the caller's side ----------------------------------------------------------------------------------------

    def _caller_said(self, said: CallerSaid) -> None:
        self.num_turns += 1
        if said.amends:
            while self.caller_turns and self.caller_turns[-1].is_dtmf:
                self.fail("keys are amended")
            if not self.caller_turns:
                self.fail("nothing to amend")
            old = self.caller_turns.pop()
            if not set(old.text.split()) <= set(said.text.split()) | self.caller.lost:
                self.fail(f"amended {old.text!r} to {said.text!r}")
        self.caller_turns.append(said)

    # --- never silent ---------------------------------------------------------------------------------------------

    def on_caller(self, kind: str) -> None:
        """A sound of the caller's, or a key."""
        self._check_silence()

    def _on_bot_sound(self, time_ns: int) -> None:
        if time_ns - self.line.sound_ns > 0:
            self._answered()
        self._bot_sound_ns = time_ns

    def _answered(self) -> None:
        self._check_silence()
        self.caller.owed = ""

    def _check_silence(self) -> None:
        if self.caller.is_sounding:
            return
        quiet_ms = (self.now_ns - max(self.caller.quiet_ns, self.line.sound_ns, START_NS)) / MS
        if quiet_ms > self._bound_ms():
            self.fail(f"{quiet_ms:.0f} ms of silence, {self._bound_ms()} ms are allowed ({self.caller.owed})")

    def _bound_ms(self) -> int:
        """How long the wire may be silent.

        Where nothing is wrong: once the caller has finished, the endpoint (or the pause for speech over the bot) and
        the time to the first filler, plus TTS and the bus. An LLM that has nothing to say costs another filler's time.
        Keys wait for more of them. While it is the caller's turn: until they are asked, and the time to a filler.
        With failing stages: two replies may come to nothing in between, and the apology's phrases fail too.
        """
        config = self.config
        sound_ms = TTS_MAX_MS + VAD_MAX_MS + 20 + 10 * BUS_MAX_MS
        if self.troubles:
            sound_ms += 2 * config.reply_timeout_ms + 4 * config.tts_timeout_ms
        turn_ms = max(config.endpoint_max_ms, config.arbitrate_ms) + config.dead_air_ms + sound_ms
        if self.caller.owed == "question":
            turn_ms += config.dead_air_ms + LLM_MAX_MS
        if self.caller.owed:
            return turn_ms + config.dtmf_pause_ms
        return max(turn_ms, config.no_input_ms + config.dead_air_ms + sound_ms)
