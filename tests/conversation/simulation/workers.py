"""STT, LLM, TTS and tools of a simulated call: mostly quick, at times slow, failing, hanging, or dying."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringline.ipc.messages import (
    Bridge,
    Bridged,
    Expectation,
    Finalise,
    Generate,
    PhraseFailed,
    PhraseFinished,
    PhraseStarted,
    ReplyDelta,
    ReplyFailed,
    ReplyFinished,
    Speak,
    ToolCall,
    Transcribe,
    TranscriptFailed,
    TranscriptFinal,
    TranscriptPartial,
    WordMarks,
)

if TYPE_CHECKING:
    from simulation.call import SimulatedCall as Simulator

MS = 1_000_000
SAMPLES_PER_CHARACTER = 8_000 // 15
CHUNK_SAMPLES = 6_000
TTS_MAX_MS = 250
"""Request -> first sound, where TTS is healthy."""
LLM_MAX_MS = 3_000


class Worker:
    """What they share: a delay that is short most of the time, and requests that hang until they are escalated."""

    def __init__(self, sim: Simulator, percent_hanging: float) -> None:
        self.sim = sim
        self._percent_hanging = percent_hanging
        self.hanging: dict[int, Any] = {}
        """number -> what happens if the fallback takes over, by whether it fails."""

    def answer(self, number: int, quick_ms: int, slow_ms: int, answer: Any, hangs: bool = True) -> None:
        tape = self.sim.tape
        if hangs and tape.chance(self._percent_hanging):
            self.hanging[number] = answer
            return
        delay_ms = tape.between(quick_ms // 8, quick_ms)
        if tape.chance(self.sim.percent_slow):
            delay_ms += tape.between(0, slow_ms)
        self.sim.after(delay_ms, answer, False)

    def escalate(self, number: int) -> None:
        """The engine: to the fallback; there is none, it fails; or it hangs too."""
        if number in self.hanging and not self.sim.tape.chance(10):
            answer = self.hanging.pop(number)
            self.sim.after(self.sim.tape.between(5, 200), answer, self.sim.tape.chance(30))


class Stt(Worker):
    def __init__(self, sim: Simulator, percent_hanging: float) -> None:
        super().__init__(sim, percent_hanging)
        self.open: dict[int, int] = {}
        """utterance -> start sample."""
        self._finalised: set[int] = set()

    def transcribe(self, request: Transcribe) -> None:
        self.open[request.utterance] = request.start_sample
        for _ in range(self.sim.tape.below(3)):
            self.sim.after(self.sim.tape.between(150, 900), self._partial, request.utterance)

    def _partial(self, number: int) -> None:
        if number in self.open:
            text = self.sim.caller.text(self.open[number], self.sim.sample())
            self.sim.tell("stt", TranscriptPartial(1, number, text))

    def finalise(self, request: Finalise) -> None:
        number, end_sample = request.utterance, request.end_sample
        if number not in self.open:
            self.sim.fail(f"Finalise of utterance {number}, which is not open")
            return

        self._finalised.add(number)
        if self.sim.caller.heard_start:  # endless speech was cut off: the rest of it is not listened to
            self.sim.caller.give_up_words(0)
        if end_sample - self.open[number] > 28_000 * 16:
            self.sim.caller.is_unheard = True
            self.sim.caller.give_up_words(0)

        def answer(fails: bool) -> None:
            self.sim.caller.is_unheard = False
            if number not in self.open:
                return
            text = self.sim.caller.text(self.open.pop(number), end_sample)
            if fails or self.sim.tape.chance(self.sim.percent_failing):
                self.sim.caller.misheard(text)
                self.sim.tell("stt", TranscriptFailed(1, number, "dead"))
                return
            other_words = None
            if self.sim.tape.chance(20):  # over the bot, the words may then be taken for none, or none for words
                self.sim.caller.misheard(text)
                other_words = self.sim.tape.below(101) / 100
            for _ in range(1 + self.sim.tape.chance(1)):
                self.sim.tell("stt", TranscriptFinal(1, number, text, 0.9, self.sim.now_ns, other_words=other_words))

        self.answer(number, 60, 1_500, answer)

    def drop(self, number: int) -> None:
        if number in self.open and number in self._finalised:  # it was too slow: what it had heard is lost
            self.sim.caller.misheard(self.sim.caller.text(self.open[number], self.sim.sample()))
        if not self.sim.tape.chance(20):  # else its answer is on its way
            self.open.pop(number, None)


class Llm(Worker):
    def __init__(self, sim: Simulator, percent_hanging: float) -> None:
        super().__init__(sim, percent_hanging)
        self.cancelled = 0
        self.words: dict[int, int] = {}
        """turn -> words written of it."""
        self._written: set[int] = set()
        self.tool_ids = 0
        self.finished: set[int] = set()
        self.asked: dict[tuple[int, int, str], str] = {}
        """(turn, step, id) -> tool, of all that the conversation was told of."""
        self._cause = ""
        self.has_tool_addiction = sim.tape.chance(3)

    def generate(self, request: Generate) -> None:
        tape, turn, step = self.sim.tape, request.turn, request.step
        if not step:
            self._cause = request.cause
        may_be_mute = self._cause in ("speech", "dtmf", "no_input")  # an opening has something to say
        pieces = (
            []
            if may_be_mute and tape.chance(3)
            else [self._sentence(turn) for _ in range(1 + tape.below(2 if step else 3))]
        )
        tools = tuple(self._tools(request)) if tape.chance(20) or self.has_tool_addiction else ()
        if tools and may_be_mute and tape.chance(30):
            pieces = []
        expect = Expectation(dtmf_digits=tape.below(4))
        is_failing = tape.chance(self.sim.percent_failing)

        def write(fails: bool, index: int = 0) -> None:
            if turn <= self.cancelled and not tape.chance(20):
                return
            if fails or (is_failing and index == len(pieces) // 2):
                self.finished.discard(turn)  # of an earlier step that was empty
                self.sim.tell("llm", ReplyFailed(1, turn, step, "503"))
                return
            if index < len(pieces):
                text = pieces[index]
                self._written.add(turn)
                self.sim.tell("llm", ReplyDelta(1, turn, step, text, self.sim.now_ns))
                self.answer(turn, 40, LLM_MAX_MS, lambda fails: write(fails, index + 1))
                return
            self.finished.add(turn)
            if not tools and turn not in self._written and self.sim.caller.owed:
                self.sim.caller.owed = "question"  # it has nothing to say
            self.asked.update({(turn, step, call.id): call.name for call in tools})
            for _ in range(1 + tape.chance(1)):
                state = f"{turn}.{step}".encode()
                self.sim.tell("llm", ReplyFinished(1, turn, step, tools, state, expect, self.sim.now_ns))

        self.answer(turn, 300, LLM_MAX_MS, write)

    def _sentence(self, turn: int) -> str:
        tape = self.sim.tape
        first = self.words.get(turn, 0)
        count = 1 + tape.below(6)
        self.words[turn] = first + count
        end = ".?!"[tape.below(2) if not tape.chance(5) else 2]
        return " ".join(f"b{turn}x{index}" for index in range(first, first + count)) + end + " "

    def _tools(self, request: Generate) -> list[ToolCall]:
        tape = self.sim.tape
        calls = []
        for _ in range(1 + tape.below(2)):
            self.tool_ids += 1
            kinds = ["look", "book", "remember", "collect_digits", "send_dtmf", "remember_wrong"]
            kind = kinds[tape.below(len(kinds))]
            if tape.chance(4):
                kind = ("hang_up", "transfer")[tape.below(2)]
            arguments: dict[str, object] = {
                "remember": {"fact": f"fact of {request.turn}"},
                "collect_digits": {"num_digits": 3},
                "send_dtmf": {"keys": "12"},
            }.get(kind, {"number": self.tool_ids})  # the same call is not run twice
            calls.append(ToolCall(f"call{self.tool_ids}", kind.removesuffix("_wrong"), arguments))
        return calls


class Tts(Worker):
    """One phrase after the other, in pieces; knows its word times in some calls."""

    def __init__(self, sim: Simulator, percent_hanging: float) -> None:
        super().__init__(sim, percent_hanging)
        self.dead_turn = 0
        self.has_marks = sim.tape.chance(50)
        self.words: dict[tuple[int, int], list[tuple[str, int]]] = {}
        """(turn, phrase) -> (word, sample behind it)."""
        self.is_dead = bool(sim.troubles) and sim.tape.chance(5)
        """Nothing can be said any more."""
        self._queue: list[Speak] = []
        self._is_busy = self._has_begun = False

    def bridge(self, request: Bridge) -> None:
        """What is put before a phrase was made before the call, or was not."""
        line, now_ns = self.sim.line, self.sim.now_ns
        if not self._is_busy or self._has_begun or self.is_dead or self.sim.tape.chance(20):
            return
        if (self._current.turn, self._current.phrase) != (request.turn, request.phrase):
            return
        start, length = line.written, len(request.text) * SAMPLES_PER_CHARACTER
        if length <= line.room(now_ns):
            line.begin(request.turn)
            line.write(length, now_ns)
            end = line.written
            self.sim.tell("tts", Bridged(1, request.turn, request.phrase, request.number, start, end, now_ns))

    def speak(self, request: Speak) -> None:
        self._queue.append(request)
        if not self._is_busy:
            self._next()

    def cancel(self, turn: int) -> None:
        self.dead_turn = max(self.dead_turn, turn)
        self.hanging = {number: answer for number, answer in self.hanging.items() if number > turn}
        self._queue = [request for request in self._queue if request.turn > turn]
        if self._is_busy and self._current.turn <= turn:
            self._next()

    def _next(self) -> None:
        self._is_busy = bool(self._queue)
        if not self._queue:
            return
        request = self._current = self._queue.pop(0)
        self._has_begun = False
        quick_ms = TTS_MAX_MS if request.text or request.keys else 8
        hangs = bool(request.text)
        slow_ms = 1_500 if self.sim.troubles else 0
        self.answer(request.turn, quick_ms - 5, slow_ms, lambda fails: self._begin(request, fails), hangs)

    def _is_current(self, request: Speak) -> bool:
        return self._is_busy and self._current is request

    def _begin(self, request: Speak, fails: bool) -> None:
        if not self._is_current(request):
            return
        line, now_ns = self.sim.line, self.sim.now_ns
        line.begin(request.turn)
        self._has_begun = True
        if fails or (request.text and (self.is_dead or self.sim.tape.chance(self.sim.percent_failing))):
            self._fail(request)
            return
        start = end = line.written
        marks, words = [], []
        for word in request.text.split():
            marks.append(end)
            length = (len(word) + 1) * SAMPLES_PER_CHARACTER
            end += length + (self.sim.tape.between(0, length // 8) if self.has_marks else 0)
            words.append((word, end))
        self.words[request.turn, request.phrase] = words
        end += 3_200 * len(request.keys)
        if end > start:
            for _ in range(1 + self.sim.tape.chance(1)):
                self.sim.tell("tts", PhraseStarted(1, request.turn, request.phrase, start, now_ns))
        if self.has_marks and marks:
            offsets, offset = [], 0
            for word in request.text.split():
                offsets.append(offset)
                offset += len(word) + 1
            self.sim.tell("tts", WordMarks(1, request.turn, request.phrase, tuple(offsets), tuple(marks)))
        self._write(request, start, end)

    def _write(self, request: Speak, start: int, end: int) -> None:
        if not self._is_current(request):
            return
        line = self.sim.line
        count = min(CHUNK_SAMPLES, end - line.written)
        if count > line.room(self.sim.now_ns):
            self.sim.after(100, self._write, request, start, end)
            return
        if count:
            line.write(count, self.sim.now_ns)
        if line.written < end:
            if self.sim.tape.chance(self.sim.percent_failing):
                self._fail(request)
                return
            self.sim.after(self.sim.tape.between(5, 80), self._write, request, start, end)
            return
        if request.last:
            line.end(request.turn, self.sim.now_ns)
        for _ in range(1 + self.sim.tape.chance(1)):
            self.sim.tell("tts", PhraseFinished(1, request.turn, request.phrase, start, end, self.sim.now_ns))
        self._next()

    def _fail(self, request: Speak) -> None:
        self.words.pop((request.turn, request.phrase), None)
        self.sim.troubles.add("tts")
        self.sim.tell("tts", PhraseFailed(1, request.turn, request.phrase, "broken"))
        if request.last:
            self.sim.line.end(request.turn, self.sim.now_ns)
        self._next()
