"""A whole call in virtual time: a real conversation, a real voice in a real ring, real playout, recorded bytes."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

from ringline import Agent
from ringline.engine.config import SyntheticTts, TurnConfig
from ringline.engine.conversation import Action, Conversation, Event
from ringline.engine.conversation.actions import BotSaid, RunTool, SetGate
from ringline.engine.conversation.events import CallStarted, TimePassed, ToolReturned
from ringline.engine.conversation.history import INTERRUPTED
from ringline.engine.conversation.phrasing import Phrase, Phraser
from ringline.engine.conversation.wording import phrasebook
from ringline.ipc.exchange import MEDIA_RATE_HZ, MIN_TURN, PLAY_TURN, Exchange, Layout
from ringline.ipc.messages import (
    CancelSpeech,
    Finalise,
    FlushPlayout,
    Generate,
    PlayoutStarted,
    PlayoutStopped,
    ReplyDelta,
    ReplyFinished,
    Speak,
    SpeechStarted,
    SpeechStopped,
    ToolCall,
    Transcribe,
    TranscriptFinal,
    TranscriptPartial,
)
from ringline.tools.caller.coded import words_heard
from ringline.workers.audio.codecs import decode
from ringline.workers.capture import media as column
from ringline.workers.capture.clock import TICK_MS
from ringline.workers.capture.doors.door import WireFormat
from ringline.workers.capture.media import MediaPlane
from ringline.workers.tts import worker as tts_worker
from ringline.workers.tts.coded import NUM_CODES
from ringline.workers.tts.synthetic import SyntheticBackend

MS = 1_000_000
SILENCE = 0xFF
"""In mu-law."""
LONGEST_CALL_S = 60

Said = str | tuple[str, tuple[ToolCall, ...]]


class Heard(NamedTuple):
    """What became of a reply, in words as they are written."""

    text: list[str]
    """All that the bot wanted to say, as far as it went to TTS."""
    on_wire: int
    """So many words of it were played to their ends."""
    told: list[str]
    """Those that `BotSaid` names ..."""
    own: list[str]
    """... without those that only bridged a wait."""

    @property
    def off_by(self) -> int:
        """So many words too many are told of."""
        assert self.told == self.text[: len(self.told)]
        return len(self.told) - self.on_wire


class Line:
    """One call. The caller does what the test says; STT, LLM and tools answer after set delays.

    ``say`` maps a `Generate` request to the bot's text, or to (text, tool calls).
    """

    def __init__(
        self,
        tts: SyntheticTts | None = None,
        rate_hz: int = 8_000,
        agent: Agent | None = None,
        buffered: bool = False,
        hop_ms: float = 0.3,
        speed: float = 1.0,
        backend: Any = None,
        **turn: Any,
    ) -> None:
        """``buffered``: the peer takes two frames at once, and drops what it has not played when it is told to."""
        self.now_ns = self.start_ns = 10**12
        self.rate_hz, self.buffered, self.hop_ms = rate_hz, buffered, hop_ms
        self.report_ms = 0.0
        """What capture reports is on its way for so much longer."""
        self.agent = agent or Agent("test", speed=speed)
        self.conversation = Conversation(1, 0, self.agent, TurnConfig(**turn), rate_hz)
        self.say: Callable[[Generate], Said] = lambda request: "Go on."
        self.llm_ms, self.tool_ms, self.caller_says = 5.0, 200.0, "wait stop that please"
        self.actions: list[Action] = []
        self.wire = np.full(rate_hz * LONGEST_CALL_S, SILENCE, np.uint8)
        """What the caller hears, from the first moment of the call on."""
        self.began: dict[int, int] = {}
        """Turn -> its first audible sample in ``wire``."""
        self.phrases: dict[str, Phrase] = {}
        """By what TTS gets."""
        for text in phrasebook("en").fillers:
            self.knows(text)
        self.bridges = list(self.phrases.values())
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._reported_ns = 0
        self._utterance = 0

        exchange = Exchange.create(Layout(max_calls=1, caller_samples=16_000, line_samples=16_000))
        exchange.admit(True)
        slot = exchange.claim(0, rate_hz)
        assert slot is not None
        self.slot = slot
        self._tick = 0
        self._media = MediaPlane(exchange)
        leg: Any = SimpleNamespace(
            format=WireFormat("mulaw", rate_hz), wants_silence=not buffered, max_frames_per_message=1 + buffered
        )
        self._media.open(slot, leg, 0)
        self._row = self._media.state[slot.index]
        self._slots = np.zeros(1, np.int64)
        worker: Any = SimpleNamespace(exchange=exchange, bus=SimpleNamespace(send=lambda m: self.at(hop_ms, m)))
        voice = backend or SyntheticBackend(tts or SyntheticTts(coded=True), lambda: self.now_ns)
        self._tts = tts_worker.TtsWorker(worker, voice)

    # --- time -----------------------------------------------------------------------------------------------------

    def at(self, delay_ms: float, what: Event | Callable[[], object]) -> None:
        """Let it happen then."""
        act = what if callable(what) else lambda: self.handle(what)
        heapq.heappush(self._queue, (self.now_ns + int(delay_ms * MS), next(self._order), act))  # type: ignore[arg-type]

    def run(self, duration_ms: float) -> None:
        """Let time pass."""
        end_ns = self.now_ns + int(duration_ms * MS)
        while True:
            tick_ns = self.start_ns + self._tick * TICK_MS * MS
            due_ns = self._queue[0][0] if self._queue else tick_ns
            deadline_ns = self.conversation.deadline_ns or tick_ns
            tts_ns = min(tick_ns, self.now_ns + int(min(self._tts.timeout_ms(), 1000.0) * MS))
            next_ns = max(self.now_ns, min(tick_ns, due_ns, deadline_ns, tts_ns))
            if next_ns > end_ns:
                break
            self.now_ns = next_ns
            if tick_ns <= next_ns:
                self._play()
            elif due_ns <= next_ns:
                heapq.heappop(self._queue)[2]()
            elif deadline_ns <= next_ns:
                self.handle(TimePassed())
            else:
                self._tts.step()
        self.now_ns = end_ns

    def run_until(self, what: Callable[[], object], limit_ms: float = 30_000) -> None:
        """Let time pass until something is the case."""
        while not what():
            assert limit_ms > 0, "it never came"
            self.run(1)
            limit_ms -= 1

    def handle(self, event: Event) -> None:
        """Something happens."""
        for action in self.conversation.handle(event, self.now_ns):
            self.actions.append(action)
            self._carry_out(action)

    # --- the caller -----------------------------------------------------------------------------------------------

    def answer(self) -> None:
        """The call is through."""
        self.handle(CallStarted())

    def speaks(self, text: str, duration_ms: float = 700, partial_ms: float = 250) -> None:
        """The caller begins to speak now, and the VAD notices at once; a hypothesis is there after ``partial_ms``."""
        self.caller_says = text

        def stops() -> None:
            self.handle(SpeechStopped(1, self._media_sample(), self.now_ns))

        def hypothesis() -> None:
            self.handle(TranscriptPartial(1, self._utterance, text))

        self.at(duration_ms, stops)
        self.at(partial_ms, hypothesis)
        self.handle(SpeechStarted(1, self._media_sample(), self.now_ns))

    def _media_sample(self) -> int:
        return (self.now_ns - self.start_ns) * MEDIA_RATE_HZ // 10**9

    # --- the workers ----------------------------------------------------------------------------------------------

    def knows(self, text: str) -> None:
        """The bot may say this."""
        phraser = Phraser("en")
        for phrase in (*phraser.feed(text), *phraser.flush()):
            self.phrases[phrase.spoken] = phrase
        whole = [word for phrase in (*phraser.feed(text), *phraser.flush()) for word in phrase.words]
        self.phrases[" ".join(word.spoken for word in whole)] = Phrase(tuple(whole), True)  # fillers are not cut

    def _carry_out(self, action: Action) -> None:
        match action:
            case SetGate(turn=turn, min_turn=min_turn):
                self.slot.store(PLAY_TURN, turn)
                self.slot.store(MIN_TURN, min_turn)
            case FlushPlayout() if self.buffered:
                self.at(self.hop_ms, self._flush)
            case Transcribe(utterance=number):
                self._utterance = number
            case Finalise(utterance=number):
                self.at(20, lambda: self.handle(TranscriptFinal(1, number, self.caller_says, 0.9, self.now_ns)))
            case Generate():
                self._generate(action)
            case Speak() | CancelSpeech():
                self.at(self.hop_ms, lambda: self._tts.handle(action))
            case RunTool(turn=turn, step=step, tool_call=tool_call):
                self.at(self.tool_ms, ToolReturned(turn, step, tool_call.id, '{"ok":true}'))

    def _generate(self, request: Generate) -> None:
        said = self.say(request)
        text, tool_calls = said if isinstance(said, tuple) else (said, ())
        self.knows(text)
        if text:
            self.at(self.llm_ms, ReplyDelta(1, request.turn, request.step, text, 0))
        self.at(self.llm_ms, ReplyFinished(1, request.turn, request.step, tool_calls))

    def _flush(self) -> None:
        self.wire[(self.now_ns - self.start_ns) * self.rate_hz // 10**9 :] = SILENCE

    def _play(self) -> None:
        row = self._row
        self._media.play(self._slots, 1, self._tick)
        self._tick += 1
        num_bytes = int(row[column.OUT_BYTES])
        if num_bytes:
            start = int(row[column.OUT_SAMPLE]) * self.rate_hz // 16_000
            self.wire[start : start + num_bytes] = self._media.out[0, :num_bytes]
            audible = int(row[column.OUT_AUDIBLE])
            if audible >= 0:
                turn = int(row[column.HEARD_TURN])
                self.began[turn] = start + audible
                self._report(PlayoutStarted(1, turn, 0, self.now_ns + audible * 10**9 // self.rate_hz))
        if turn := int(row[column.STOPPED_TURN]):
            sample, finished = int(row[column.STOPPED_SAMPLE]), bool(row[column.STOPPED_FINISHED])
            self._report(PlayoutStopped(1, turn, sample, finished, self.now_ns))

    def _report(self, message: Event) -> None:
        self._reported_ns = max(self._reported_ns, self.now_ns + int((self.hop_ms + self.report_ms) * MS))
        self.at((self._reported_ns - self.now_ns) / MS, message)

    # --- what happened --------------------------------------------------------------------------------------------

    def of(self, *kinds: type) -> list[Any]:
        """The actions of these kinds, in order."""
        return [action for action in self.actions if isinstance(action, kinds)]

    def said(self, turn: int) -> BotSaid | None:
        """What the engine tells of a turn that is over."""
        return next((said for said in self.of(BotSaid) if said.turn == turn), None)

    def wire_of(self, turn: int) -> Any:
        """The turn's part of the wire, as int16."""
        end = min((start for other, start in self.began.items() if other > turn), default=self.wire.shape[0])
        return decode(self.wire[self.began[turn] : end].tobytes(), "mulaw")

    def heard(self, turn: int) -> Heard:
        """Compare what is told with the words of the coded voice on the wire. Fails if any is lost or repeated."""
        phrases = [self.phrases[speak.text] for speak in self.of(Speak) if speak.turn == turn and speak.text]
        words = [word for phrase in phrases for word in phrase.words]
        codes, last_of = [], []
        for phrase in phrases:
            codes += [number % NUM_CODES for number in range(len(phrase.spoken.split()))]
        for word in words:
            last_of.append(last_of[-1] + len(word.spoken.split()) if last_of else len(word.spoken.split()))
        on_wire = _whole(self.wire_of(turn), self.rate_hz, codes) if turn in self.began else 0
        said = self.said(turn)
        assert said is not None
        told = said.text.split()
        bridges = [speak in self.bridges for speak in phrases for _ in speak.words]
        return Heard(
            [word.written for word in words],
            sum(last <= on_wire for last in last_of),
            told,
            [word for word, bridge in zip(told, bridges, strict=False) if not bridge],
        )

    def contents(self, role: str) -> list[str]:
        """Of the history's messages in this role."""
        return [message.content for message in self.conversation.history.messages() if message.role == role]

    def in_history(self) -> list[str]:
        """What the bot said, without the mark of an interruption."""
        return [content.removesuffix(INTERRUPTED) for content in self.contents("assistant")]


def _whole(samples: Any, rate_hz: int, codes: list[int]) -> int:
    """How many of the words with these codes are there to their ends. Where playout paused, a word is in parts."""
    merged: list[list[Any]] = []
    for part in words_heard(samples, rate_hz):
        if part.code < 0:
            continue
        if merged and merged[-1][0] == part.code and not (merged[-1][1] and part.begins):
            merged[-1][1] |= part.ends
        else:
            merged.append([part.code, part.ends])
    assert [code for code, _ in merged] == codes[: len(merged)]
    return len(merged) - (bool(merged) and not merged[-1][1])


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Line]:
    """``line(...)`` makes a `Line`; one at a time."""
    made: list[Line] = []
    monkeypatch.setattr(tts_worker, "time", SimpleNamespace(monotonic_ns=lambda: made[-1].now_ns))

    def make(*args: Any, **options: Any) -> Line:
        made.append(Line(*args, **options))
        return made[-1]

    return make
