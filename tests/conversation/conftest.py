"""A conversation in virtual time, with scripted workers around it."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from ringline import Agent
from ringline.engine.config import TurnConfig
from ringline.engine.conversation import Action, Conversation, Event
from ringline.engine.conversation.actions import Backchannel, BotSaid, CallerSaid, HungUp, RunTool, SetGate
from ringline.engine.conversation.events import CallStarted, TimePassed, ToolReturned
from ringline.ipc.messages import (
    Bridge,
    Bridged,
    CancelSpeech,
    DtmfReceived,
    Finalise,
    Generate,
    PhraseFailed,
    PhraseFinished,
    PhraseStarted,
    PlayoutStarted,
    PlayoutStopped,
    ReplyDelta,
    ReplyFinished,
    Speak,
    SpeechStarted,
    SpeechStopped,
    ToolCall,
    TranscriptFinal,
)

MS = 1_000_000
RATE_HZ = 8_000
SAMPLES_PER_CHAR = 400
"""50 ms a letter at 8 kHz."""


class World:
    """Workers that answer after set delays, a reply ring, and a caller who does what the test says.

    ``say`` maps a `Generate` request to the bot's text, or to (text, tool calls); None: it does not answer.
    ``setup``: what else the `Conversation` is made with; ``turn``: of its `TurnConfig`.
    """

    def __init__(self, agent: Agent | None = None, setup: dict[str, Any] | None = None, **turn: object) -> None:
        self.now_ns = 10**12
        self.start_ns = self.now_ns
        self.config = TurnConfig(**turn)  # type: ignore[arg-type]
        self.conversation = Conversation(1, 0, agent or Agent("test"), self.config, **(setup or {}))
        self.actions: list[Action] = []
        self.heard_texts = "hello"
        self.say: Callable[[Generate], str | tuple[str, tuple[ToolCall, ...]] | None] = lambda request: "Fine. And you?"
        self.stt_ms, self.llm_ms, self.tts_ms = 5, 5, 5
        self.tool_ms = 50
        self.bridges = True
        """Whether TTS has fillers at hand."""
        self.fails: set[str] = set()
        """Texts that TTS cannot speak."""
        self.spoken: set[tuple[int, int]] = set()
        """(turn, phrase) in the ring."""
        self.samples_per_char = SAMPLES_PER_CHAR
        self.gate = 0
        self.ring_end = 0
        self.segments: dict[int, list[int]] = {}
        """turn -> [start, end, played up to, complete] in reply samples."""
        self.playing = 0
        self.starved = 0
        """The turn whose audio has run dry."""
        self.stopped: set[int] = set()
        self.begun: set[int] = set()
        self.audible_ms: list[tuple[int, int, int]] = []
        """(turn, from, to) in ms since the start."""
        self._queue: list[tuple[int, int, Event | Callable[[], None]]] = []
        self._order = itertools.count()

    # --- time -----------------------------------------------------------------------------------------------------

    @property
    def now_ms(self) -> int:
        return (self.now_ns - self.start_ns) // MS

    def at(self, delay_ms: float, what: Event | Callable[[], None]) -> None:
        heapq.heappush(self._queue, (self.now_ns + int(delay_ms * MS), next(self._order), what))

    def run(self, duration_ms: float) -> None:
        """Let time pass."""
        end_ns = self.now_ns + int(duration_ms * MS)
        while True:
            deadline_ns = self.conversation.deadline_ns
            next_ns = min(self._queue[0][0] if self._queue else end_ns + 1, max(deadline_ns or end_ns + 1, self.now_ns))
            if next_ns > end_ns:
                break
            self.now_ns = next_ns
            if self._queue and self._queue[0][0] <= next_ns:
                _, _, what = heapq.heappop(self._queue)
                if callable(what):
                    what()
                else:
                    self.handle(what)
            else:
                self.handle(TimePassed())
        self.now_ns = end_ns

    def handle(self, event: Event) -> list[Action]:
        actions = self.conversation.handle(event, self.now_ns)
        self.actions += actions
        for action in actions:
            self._carry_out(action)
        return actions

    # --- the caller -----------------------------------------------------------------------------------------------

    def answer(self) -> None:
        self.handle(CallStarted())

    def speaks(self, after_ms: float, duration_ms: float, vad_ms: float = 100) -> None:
        """The caller speaks; the VAD notices start and end ``vad_ms`` late."""

        def start() -> None:
            sample = (self.now_ms - int(vad_ms)) * 16
            self.handle(SpeechStarted(1, sample, self.now_ns))

        def stop() -> None:
            end_ns = self.now_ns - int(vad_ms * MS)
            self.handle(SpeechStopped(1, (self.now_ms - int(vad_ms)) * 16, end_ns))

        self.at(after_ms + vad_ms, start)
        self.at(after_ms + duration_ms + vad_ms, stop)

    def presses(self, digits: str, apart_ms: float = 100) -> None:
        for index, digit in enumerate(digits):
            self.at(index * apart_ms, DtmfReceived(1, digit, self.now_ns))

    # --- the workers ----------------------------------------------------------------------------------------------

    def _carry_out(self, action: Action) -> None:
        match action:
            case SetGate(turn=turn):
                self.gate = turn
                self._play()
            case Finalise(utterance=number):
                self.at(self.stt_ms, TranscriptFinal(1, number, self.heard_texts, 0.9, self.now_ns))
            case Generate():
                self._generate(action)
            case Speak():
                self.at(self.tts_ms, lambda: self._speak(action))
            case Bridge():
                if self.bridges and (action.turn, action.phrase) not in self.spoken:
                    self.at(1, lambda: self._bridge(action))
            case RunTool(turn=turn, step=step, tool_call=tool_call):
                self.at(self.tool_ms, ToolReturned(turn, step, tool_call.id, '{"ok":true}'))

    def _generate(self, request: Generate) -> None:
        said = self.say(request)
        if said is None:
            return
        text, tool_calls = said if isinstance(said, tuple) else (said, ())
        if text:
            self.at(self.llm_ms, ReplyDelta(1, request.turn, request.step, text, 0))
        state = f"{request.turn}.{request.step}".encode()
        self.at(self.llm_ms, ReplyFinished(1, request.turn, request.step, tool_calls, state))

    def _speak(self, request: Speak) -> None:
        dead = any(isinstance(a, CancelSpeech) and a.turn >= request.turn for a in self.actions)
        if dead:
            return
        if request.text in self.fails:
            self.handle(PhraseFailed(1, request.turn, request.phrase, "the model failed"))
            return
        self.spoken.add((request.turn, request.phrase))
        segment = self.segments.setdefault(request.turn, [self.ring_end, self.ring_end, self.ring_end, 0])
        start = self.ring_end
        self.ring_end += len(request.text) * self.samples_per_char
        segment[1] = self.ring_end
        segment[3] |= int(request.last)  # two phrases that are due at once may come in either order
        self.handle(PhraseStarted(1, request.turn, request.phrase, start, self.now_ns))
        self.handle(PhraseFinished(1, request.turn, request.phrase, start, self.ring_end, self.now_ns))
        self._play()

    def _bridge(self, request: Bridge) -> None:
        segment = self.segments.setdefault(request.turn, [self.ring_end, self.ring_end, self.ring_end, 0])
        start = self.ring_end
        self.ring_end += len(request.text) * self.samples_per_char
        segment[1] = self.ring_end
        self.handle(Bridged(1, request.turn, request.phrase, request.number, start, self.ring_end, self.now_ns))
        self._play()

    def _play(self) -> None:
        """Capture: play the gate's turn from where it stands; notice a closed gate."""
        if self.playing and self.gate != self.playing:
            self._stop(self.playing, False)
        if self.starved and self.gate != self.starved:  # it had run dry, which capture tells like any other end
            self.at(0, PlayoutStopped(1, self.starved, self.segments[self.starved][2], False, self.now_ns))
            self.starved = 0
        segment = self.segments.get(self.gate)
        if segment is None or self.playing == self.gate or self.gate in self.stopped:
            return
        if segment[2] < segment[1]:
            self.playing, self.starved = self.gate, 0
            self._began_ns = self.now_ns
            if self.gate not in self.begun:
                self.begun.add(self.gate)
                self.at(0, PlayoutStarted(1, self.gate, 0, self.now_ns))
            turn = self.gate
            self.at((segment[1] - segment[2]) * 1000 / RATE_HZ, lambda: self._played(turn))
        elif segment[3]:
            self.starved = 0
            self.stopped.add(self.gate)
            self.at(0, PlayoutStopped(1, self.gate, segment[1], True, self.now_ns))

    def _played(self, turn: int) -> None:
        if self.playing != turn:
            return
        segment = self.segments[turn]
        missing = segment[1] - self._position(turn)
        if missing > 0:  # more was written meanwhile
            self.at(missing * 1000 / RATE_HZ, lambda: self._played(turn))
        elif segment[3]:
            self._stop(turn, True)
        else:  # an underrun: silence, until more is written
            self.audible_ms.append((turn, (self._began_ns - self.start_ns) // MS, self.now_ms))
            self.playing, self.starved, segment[2] = 0, turn, segment[1]

    def _position(self, turn: int) -> int:
        segment = self.segments[turn]
        return min(segment[1], segment[2] + (self.now_ns - self._began_ns) * RATE_HZ // 10**9)

    def _stop(self, turn: int, finished: bool) -> None:
        position = self._position(turn)
        self.audible_ms.append((turn, (self._began_ns - self.start_ns) // MS, self.now_ms))
        self.playing = 0
        self.segments[turn][2] = position
        if finished:
            self.stopped.add(turn)
        self.at(0, PlayoutStopped(1, turn, position, finished, self.now_ns))

    # --- what happened --------------------------------------------------------------------------------------------

    def of(self, *kinds: type) -> list[Action]:
        """The actions of these kinds, in order."""
        return [action for action in self.actions if isinstance(action, kinds)]

    def transcript(self) -> list[str]:
        """The conversation as ``caller: ...`` and ``bot: ...`` lines."""
        lines = []
        for action in self.actions:
            match action:
                case CallerSaid(text=text):
                    lines.append(f"caller: {text}")
                case Backchannel(text=text):
                    lines.append(f"caller (aside): {text}")
                case BotSaid(text=text, interrupted=interrupted):
                    lines.append(f"bot: {text}" + (" ..." if interrupted else ""))
                case HungUp():
                    lines.append("hung up")
        return lines

    def history(self) -> list[tuple[str, str]]:
        return [(message.role, message.content) for message in self.conversation.history.messages()]


@pytest.fixture
def world() -> type[World]:
    """The class; make one per test."""
    return World
