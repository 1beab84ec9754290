"""Never silent, whatever the cause: a real conversation, real routing of requests, and workers that misbehave, in
virtual time. In the bot's turn there is a sound at the latest when fillers are due; in the caller's, when one who says
nothing is asked."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringline import Agent
from ringline.engine.config import Config, EspeakTts, FlowLlm, PocketsphinxStt, SyntheticLlm, SyntheticStt, SyntheticTts
from ringline.engine.conversation import Action
from ringline.engine.conversation.actions import BotSaid, Escalate, HungUp, RunTool, SetGate
from ringline.engine.requests import Requests
from ringline.engine.tiers import Tiers
from ringline.engine.tool import Tool, ToolOptions
from ringline.ipc.messages import (
    Bridge,
    CancelReply,
    CancelSpeech,
    FromWorker,
    Generate,
    PhraseFailed,
    PhraseFinished,
    PhraseStarted,
    ReleaseSpeech,
    ReplyDelta,
    ReplyFailed,
    ReplyFinished,
    Speak,
    SpeechReleased,
    ToolCall,
    ToWorker,
)

MS = 1_000_000
TTS_MS = 200
"""Request -> first sound, where the voice is well."""
SLACK_MS = 100
ENDPOINT_MS = 1_200
ANSWER = "We open at nine in the morning, and we close at five. Does that suit you?"
LONG = "The surgery is on the second floor, right behind the old town hall. " * 20


def look_up() -> str:
    """Look something up."""
    return ""


CLERK = Agent("clerk", greeting="Hello, clinic here.", tools={"look_up": Tool.of(look_up, ToolOptions())})

Step = tuple[float, str | tuple[ToolCall, ...] | None]
"""(ms, text, or tool calls, or None for a failure)."""

ENDS: tuple[ToolCall, ...] = ()
WANTS = (ToolCall("a", "look_up", {}),)


def says(text: str, first_ms: float = 300, piece_ms: float = 20, size: int = 6) -> list[Step]:
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    return [(piece_ms if index else first_ms, piece) for index, piece in enumerate(pieces)]


MODELS: dict[str, list[Step]] = {
    "answers": [*says(ANSWER), (20, ENDS)],
    "empty": [(300, ENDS)],
    "empty late": [(3_800, ENDS)],
    "whitespace": [(300, "  \n "), (300, "\n"), (50, ENDS)],
    "markup": [*says("```\nprint()\n```"), (50, ENDS)],
    "emoji": [*says("\U0001f600 \U0001f44d"), (50, ENDS)],
    "hangs": [],
    "hangs in mid-sentence": says("We open at nine in the morn"),
    "hangs behind a sentence": says("We open at nine. And"),
    "late": [*says(ANSWER, first_ms=3_900), (20, ENDS)],
    "later than its time limit": [*says(ANSWER, first_ms=5_500), (20, ENDS)],
    "thinks, then answers": [*[(400.0, "")] * 30, *says(ANSWER), (20, ENDS)],
    "only thinks": [*[(400.0, "")] * 400],
    "trickles": [*says(ANSWER, piece_ms=1_000, size=1), (20, ENDS)],
    "trickles for ever": [*says("a" * 400, piece_ms=1_000, size=1)],
    "stammers": [*says(ANSWER, piece_ms=3_500, size=12), (20, ENDS)],
    "fails": [(300, None)],
    "fails late": [(3_500, None)],
    "fails in mid-sentence": [*says("We open at nine in the morn"), (50, None)],
    "only a tool": [(300, WANTS)],
    "a word and a tool": [*says("Let me see."), (50, WANTS)],
    "goes on and on": [*says(LONG), (20, ENDS)],
    "hangs up": [*says("Goodbye."), (20, (ToolCall("b", "hang_up", {}),))],
}
VOICES = ("speaks", "fails", "hangs", "hangs in mid-phrase", "late", "mute")
TOOLS_MS = (50, 3_000, 9_900)


class Worker:
    def __init__(self, kind: str, tier: int) -> None:
        self.kind, self.tier, self.bus_name, self.state = kind, tier, f"{kind}{tier}", "ready"


class Supervisor:
    def __init__(self, config: Config) -> None:
        self.workers = [Worker(stage, tier) for stage in ("llm", "tts") for tier in range(len(config.tiers(stage)))]  # type: ignore[arg-type]

    def overdue_s(self, bus_name: str) -> float | None:
        return None

    def ready(self, kind: str, tier: int = 0) -> list[Worker]:
        return [w for w in self.workers if (w.kind, w.tier, w.state) == (kind, tier, "ready")]

    def expected(self, kind: str, tier: int) -> bool:
        return any((w.kind, w.tier) == (kind, tier) for w in self.workers)


def scripted(world: type[Any]) -> type[Any]:
    """A `World` whose workers do as they are told."""

    class Misbehaving(world):  # type: ignore[misc, valid-type]
        def __init__(
            self, models: list[str], voices: list[str], tools_ms: list[int], has_fallback: bool, deaths: list[str]
        ) -> None:
            fallbacks: dict[str, Any] = (
                {
                    "stt_fallback": (SyntheticStt(),),
                    "llm_fallback": (SyntheticLlm(),),
                    "tts_fallback": (SyntheticTts(),),
                }
                if has_fallback
                else {}
            )
            setup = {"llm_tiers": 1 + has_fallback, "max_reply_s": 20.0}
            super().__init__(CLERK, setup=setup, endpoint_ms=400, endpoint_max_ms=ENDPOINT_MS)
            self.llm_config = Config(
                stt=PocketsphinxStt(), llm=FlowLlm(), tts=EspeakTts(), turn=self.config, **fallbacks
            )
            self.models, self.voices, self.tools_ms = list(models), list(voices), itertools.cycle(tools_ms)
            self.deaths = list(deaths)
            """Who dies under its next request."""
            self.bridges = False
            self.supervisor: Any = Supervisor(self.llm_config)
            tiers = Tiers(self.llm_config, self.supervisor, lambda: self.now_ns / 1e9)
            self.requests = Requests(
                self.supervisor, tiers, self._send, lambda failure: self.at(0, lambda: self._tell(failure))
            )
            self.cancelled = 0
            self.voice_queue: dict[str, list[Speak]] = {}
            self.lives = itertools.count(1)
            self.life: dict[str, int] = {}
            """Of the workers: what one that has died had still to do is never done."""
            self.over_ms = 0
            self.opened: dict[int, int] = {}
            """turn -> when its gate was opened first."""

        # --- routing

        def _carry_out(self, action: Action) -> None:
            match action:
                case Generate() | CancelReply() | Speak() | CancelSpeech() | Bridge():
                    if isinstance(action, CancelSpeech | CancelReply):
                        self.cancelled = max(self.cancelled, action.turn)
                    self.requests.route(action)
                case Escalate(stage=stage, number=number):
                    self.requests.escalate(1, stage, number)
                case RunTool():
                    self.tool_ms = next(self.tools_ms)
                    super()._carry_out(action)
                case HungUp():
                    self.over_ms = self.over_ms or self.now_ms
                case SetGate(turn=turn):
                    if turn:
                        self.opened.setdefault(turn, self.now_ms)
                    super()._carry_out(action)
                case _:
                    super()._carry_out(action)

        def _send(self, bus_name: str, message: ToWorker) -> bool:
            match message:
                case Generate():
                    self.at(1, lambda: self._write(bus_name, message))
                case Speak():
                    queue = self.voice_queue.setdefault(bus_name, [])
                    queue.append(message)
                    if len(queue) == 1:
                        self._speak_next(bus_name)
                case CancelSpeech(turn=turn):
                    self._drop(bus_name, lambda speak: speak.turn <= turn)
                case ReleaseSpeech():
                    self._drop(bus_name, lambda speak: True)
                    self._answer(bus_name, SpeechReleased(1))
            return True

        def _answer(self, bus_name: str, message: FromWorker) -> None:
            """What a worker says, over the bus."""
            life = self.life.get(bus_name, 0)
            self.at(1, lambda: self._heard(bus_name, life, message))

        def _heard(self, bus_name: str, life: int, message: FromWorker) -> None:
            if life == self.life.get(bus_name, 0) and (settled := self.requests.settle(bus_name, message)) is not None:
                self._tell(settled)

        def _tell(self, message: FromWorker) -> None:
            if not self.over_ms:
                self.handle(message)

        def _dies(self, bus_name: str, for_ms: float) -> None:
            worker = next(worker for worker in self.supervisor.workers if worker.bus_name == bus_name)
            worker.state = "loading"
            self.life[bus_name] = next(self.lives)
            self.voice_queue[bus_name] = []
            self.requests.worker_down(bus_name)

            def comes_back() -> None:
                worker.state = "ready"
                self.requests.worker_ready(worker)

            self.at(for_ms, comes_back)

        # --- the model

        def _write(self, bus_name: str, request: Generate) -> None:
            if "llm" in self.deaths:
                self.deaths.remove("llm")
                self._dies(bus_name, 4_000)
                return
            steps = MODELS[self.models.pop(0) if self.models else "answers"]
            key = (1, request.turn, request.step)
            life, delay_ms = self.life.get(bus_name, 0), 0.0

            def step(what: str | tuple[ToolCall, ...] | None) -> Callable[[], None]:
                def do() -> None:
                    if life != self.life.get(bus_name, 0) or request.turn <= self.cancelled:
                        return
                    if what is None:
                        self._answer(bus_name, ReplyFailed(*key, "503"))
                    elif isinstance(what, str):
                        self._answer(bus_name, ReplyDelta(*key, what, self.now_ns))
                    else:
                        calls = tuple(
                            ToolCall(f"{call.id}{request.turn}{request.step}", call.name, {}) for call in what
                        )
                        self._answer(bus_name, ReplyFinished(*key, calls))

                return do

            for after_ms, what in steps:
                delay_ms += after_ms
                self.at(delay_ms, step(what))

        # --- the voice

        def _drop(self, bus_name: str, is_dropped: Callable[[Speak], bool]) -> None:
            queue = self.voice_queue.get(bus_name, [])
            was_first = queue[0] if queue else None
            queue[:] = [speak for speak in queue if not is_dropped(speak)]
            if queue and queue[0] is not was_first:
                self._speak_next(bus_name)

        def _speak_next(self, bus_name: str) -> None:
            request = self.voice_queue[bus_name][0]
            if "tts" in self.deaths and request.text:
                self.deaths.remove("tts")
                self.at(0, lambda: self._dies(bus_name, 3_000))
                return
            voice = self.voices.pop(0) if self.voices and request.text and bus_name == "tts0" else "speaks"
            delay_ms = {"late": 1_500, "hangs": 10**9}.get(voice, TTS_MS if request.text else 2)
            self.at(delay_ms, lambda: self._begin(bus_name, request, voice))

        def _is_first(self, bus_name: str, request: Speak) -> bool:
            queue = self.voice_queue.get(bus_name, [])
            return bool(queue) and queue[0] is request

        def _begin(self, bus_name: str, request: Speak, voice: str) -> None:
            if not self._is_first(bus_name, request):
                return
            key = (1, request.turn, request.phrase)
            if voice in ("fails", "mute"):  # its worker has asked it twice
                self.voice_queue[bus_name].clear()  # the engine says how it goes on
                self._answer(bus_name, PhraseFailed(*key, "no sound"))
                return
            segment = self.segments.setdefault(request.turn, [self.ring_end, self.ring_end, self.ring_end, 0])
            start = self.ring_end
            num_samples = len(request.text) * self.samples_per_char
            self.ring_end += num_samples // 4 if voice == "hangs in mid-phrase" else num_samples
            segment[1] = self.ring_end
            if num_samples:
                self._answer(bus_name, PhraseStarted(*key, start, self.now_ns))
            if voice == "hangs in mid-phrase":
                self._play()
                return
            segment[3] = int(request.last)
            self._answer(bus_name, PhraseFinished(*key, start, self.ring_end, self.now_ns))
            self._play()
            self.voice_queue[bus_name].pop(0)
            if self.voice_queue[bus_name]:
                self._speak_next(bus_name)

    return Misbehaving


def bot_turns_ms(call: Any) -> list[list[int]]:
    """[from, to]: when it was the bot's turn; replies that take each other's place are one."""
    now_ms = call.over_ms or call.now_ms
    ends = {action.turn: at_ms for at_ms, action in call.said}
    begins = [*sorted(call.opened.items()), (0, now_ms)]
    spans: list[list[int]] = []
    for (turn, begin_ms), (_, next_ms) in itertools.pairwise(begins):
        end_ms = min(ends.get(turn, next_ms), next_ms, now_ms)
        if spans and begin_ms <= spans[-1][1]:
            spans[-1][1] = end_ms
        else:
            spans.append([begin_ms, end_ms])
    return spans


def gaps_ms(call: Any) -> list[tuple[str, int, int]]:
    """(whose turn it was, from, length) of every silence of the bot's."""
    gaps = []
    before_ms = 0
    audible = sorted((began_ms, ended_ms) for _, began_ms, ended_ms in call.audible_ms)
    if call.playing:
        audible.append(((call._began_ns - call.start_ns) // MS, call.now_ms))
    for begin_ms, end_ms in bot_turns_ms(call):
        gaps.append(("caller", before_ms, begin_ms - before_ms))
        at_ms = begin_ms
        for began_ms, ended_ms in [(began, ended) for began, ended in audible if begin_ms <= began < end_ms]:
            gaps.append(("bot", at_ms, began_ms - at_ms))
            at_ms = ended_ms
        gaps.append(("bot", at_ms, end_ms - at_ms))
        before_ms = end_ms
    gaps.append(("caller", before_ms, (call.over_ms or call.now_ms) - before_ms))
    return gaps


def played(call: Any, until_ms: int = 150_000) -> Any:
    """The caller hears the greeting, says something, and nothing more."""
    call.said = []
    handle = call.handle

    def noted(event: Any) -> list[Action]:
        actions: list[Action] = handle(event)
        call.said += [(call.now_ms, action) for action in actions if isinstance(action, BotSaid)]
        return actions

    call.handle = noted
    call.answer()
    call.run(3_000)
    call.speaks(0, 1_000)
    call.run(until_ms)
    return call


def bound_ms(call: Any, whose: str, voice_ms: int) -> int:
    if whose == "caller":
        return int(call.config.no_input_ms + ENDPOINT_MS + SLACK_MS)
    # A filler may be on its way when the reply fails, and what is said instead takes as long.
    return int(call.config.dead_air_ms + 2 * TTS_MS + SLACK_MS + voice_ms)


def check(call: Any, voice_ms: int = 0) -> None:
    for whose, from_ms, gap_ms in gaps_ms(call):
        allowed_ms = bound_ms(call, whose, voice_ms)
        assert gap_ms <= allowed_ms, f"{gap_ms} ms of silence in the {whose}'s turn from {from_ms} on, not {allowed_ms}"


@pytest.mark.kind("silence")
@pytest.mark.parametrize("has_fallback", [False, True], ids=["alone", "with fallbacks"])
@pytest.mark.parametrize("model", MODELS)
def test_model_that_always_does_this_leaves_no_silence(world: Any, model: str, has_fallback: bool) -> None:
    call = played(scripted(world)([model] * 100, [], [50], has_fallback, []))
    check(call)
    assert len(call.said) > 1


@pytest.mark.kind("silence")
@pytest.mark.parametrize("tool_ms", TOOLS_MS)
def test_tool_leaves_no_silence(world: Any, tool_ms: int) -> None:
    call = played(scripted(world)(["a word and a tool", "only a tool", "answers"], [], [tool_ms], False, []))
    check(call)


@pytest.mark.kind("silence")
@pytest.mark.parametrize("has_fallback", [False, True], ids=["alone", "with fallbacks"])
@pytest.mark.parametrize("who", ["llm", "tts"])
def test_worker_that_dies_leaves_no_silence(world: Any, who: str, has_fallback: bool) -> None:
    call = played(scripted(world)(["answers"], [], [50], has_fallback, [who]))
    check(call, 0 if has_fallback or who == "llm" else 3_000 + TTS_MS)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(sorted(MODELS)), max_size=12),
    st.lists(st.sampled_from(TOOLS_MS), min_size=1, max_size=4),
    st.booleans(),
    st.sampled_from([[], ["llm"]]),
)
@pytest.mark.kind("silence", inputs=300)
def test_no_mixture_of_models_tools_and_deaths_leaves_a_silence(
    world: Any, models: list[str], tools_ms: list[int], has_fallback: bool, deaths: list[str]
) -> None:
    check(played(scripted(world)(models, [], tools_ms, has_fallback, deaths)))


@pytest.mark.kind("silence")
@pytest.mark.parametrize("has_fallback", [False, True], ids=["alone", "with fallbacks"])
@pytest.mark.parametrize("voice", ["fails", "mute", "late", "hangs"])
def test_voice_that_does_this_once_leaves_no_silence(world: Any, voice: str, has_fallback: bool) -> None:
    call = played(scripted(world)([], ["speaks", voice], [50], has_fallback, []))
    check(call, call.config.tts_timeout_ms if voice == "hangs" else 0)
    assert not call.over_ms or len(call.said) > 3  # the call was not lost for it


@pytest.mark.kind("silence")
def test_voice_that_can_say_nothing_any_more_ends_the_call(world: Any) -> None:
    call = played(scripted(world)([], ["speaks", *["hangs"] * 100], [50], False, []))
    check(call, call.config.reply_timeout_ms)
    assert call.over_ms


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(sorted(MODELS)), max_size=8),
    st.lists(st.sampled_from(["speaks", "speaks", "fails", "mute", "late", "hangs"]), max_size=20),
    st.sampled_from([[], ["llm"], ["tts"], ["llm", "tts"]]),
)
@pytest.mark.kind("silence", inputs=200)
def test_no_mixture_with_voices_leaves_a_long_silence_where_there_is_another(
    world: Any, models: list[str], voices: list[str], deaths: list[str]
) -> None:
    call = played(scripted(world)(models, ["speaks", *voices], [50], True, deaths))
    check(call, call.config.tts_timeout_ms)
