"""A caller who pauses, interrupts, agrees, coughs, keys, keeps silent and hangs up."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ringline.ipc.messages import DtmfReceived, SpeechStarted, SpeechStopped, TurnJudged

if TYPE_CHECKING:
    from simulation.call import SimulatedCall as Simulator

MS = 1_000_000
VAD_MIN_MS, VAD_MAX_MS = 64, 120


class Sound(NamedTuple):
    """Samples of the caller ring."""

    start: int
    end: int
    kind: str
    words: tuple[str, ...]


class Caller:
    def __init__(self, sim: Simulator) -> None:
        self.sim = sim
        self.sounds: list[Sound] = []
        self.is_sounding = False
        self.heard_start = False
        """The VAD is between its two reports."""
        self.quiet_ns = 0
        """When the latest sound ended."""
        self.owed = ""
        """What the bot owes an answer to."""
        self.lost: set[str] = set()
        """Words that nobody has understood, for a good reason."""
        self.is_unheard = False
        """They have spoken for so long that they are not listened to any more, until it is the bot's turn."""
        self.num_acts = 0
        self._num_words = 0

    # --- what STT hears -------------------------------------------------------------------------------------------

    def text(self, start: int, end: int) -> str:
        heard = []
        for sound in reversed(self.sounds):
            if sound.end <= start:
                break
            length = sound.end - sound.start
            for index, word in enumerate(sound.words):
                middle = sound.start + (2 * index + 1) * length // (2 * len(sound.words))
                if start <= middle < end:
                    heard.append((middle, word))
        return " ".join(word for _, word in sorted(heard))

    def misheard(self, text: str) -> None:
        self.lost.update(text.split())

    def give_up_words(self, since_ms: int) -> None:
        """What was said in the last while, and is still being said, need not have been understood."""
        since = self.sim.sample() - since_ms * 16
        self.lost.update(word for sound in self.sounds if sound.end > since for word in sound.words)

    # --- what they do ---------------------------------------------------------------------------------------------

    def act(self) -> None:
        sim, tape = self.sim, self.sim.tape
        self.num_acts += 1
        if self.num_acts > sim.max_acts or tape.chance(1):
            sim.after(tape.between(0, 3_000), sim.close)
            return
        kind = tape.below(100)
        if kind < 60:
            self._speak([tape.between(250, 2_500) for _ in range(1 + (tape.below(3) if tape.chance(40) else 0))])
        elif kind < 70:
            self._sound(tape.between(200, 500), "backchannel", ("okay",) if tape.chance(80) else ("uh", "huh"))
        elif kind < 78:
            self._sound(tape.between(70, 280), "noise", ())
        elif kind < 82:
            self._sound(tape.between(100, 900), "echo", ())
        elif kind < 92:
            self._key(1 + tape.below(4))
        elif kind < 99:
            self._wait(tape.between(6_000, 12_000))
        else:
            self._speak([tape.between(25_000, 40_000)])

    def _wait(self, wait_ms: int = -1) -> None:
        tape = self.sim.tape
        if wait_ms < 0:
            low, high = ((1_000, 5_000), (150, 1_200), (4_000, 9_000))[tape.below(3)]
            wait_ms = tape.between(low, high)
        self.sim.after(wait_ms, self.act)

    def _speak(self, parts_ms: list[int]) -> None:
        words = []
        for _ in range(1 + min(parts_ms[0], 3_000) // 400):
            words.append(f"u{self._num_words}")
            self._num_words += 1
        rest = parts_ms[1:]
        self._sound(parts_ms[0], "speech", tuple(words), rest)

    def _sound(self, duration_ms: int, kind: str, words: tuple[str, ...], rest: list[int] | None = None) -> None:
        sim, tape = self.sim, self.sim.tape
        start = sim.sample()
        self.sounds.append(Sound(start, start + duration_ms * 16, kind, words))
        del self.sounds[:-100]
        self.is_sounding = True
        if self.is_unheard:
            self.give_up_words(0)
        sim.on_caller(kind)
        vad_ms = min(duration_ms + VAD_MIN_MS, tape.between(VAD_MIN_MS, VAD_MAX_MS))
        sim.after(vad_ms, self._onset, start)
        sim.after(duration_ms, self._end, kind)
        end_ns, end = sim.now_ns + duration_ms * MS, start + duration_ms * 16
        sim.after(duration_ms + tape.between(96, 130), self._stop, end, end_ns, kind, rest or [])

    def _onset(self, start: int) -> None:
        line = self.sim.line
        if line.gate and (self.sim.config.barge_in == "off" or line.gate in self.sim.must_be_heard):
            self.give_up_words(0)
        self.heard_start = True
        self.sim.tell("capture", SpeechStarted(1, start, self.sim.now_ns))

    def _end(self, kind: str) -> None:
        self.is_sounding = False
        self.quiet_ns = self.sim.now_ns
        line = self.sim.line
        is_endless = self.sounds[-1].end - self.sounds[-1].start > 20_000 * 16
        is_unheeded = line.gate and (self.sim.config.barge_in == "off" or line.gate in self.sim.must_be_heard)
        if is_unheeded or is_endless:
            self.give_up_words(0)
        if kind == "speech" and not is_unheeded and not is_endless:
            self.owed = "answer"

    def _stop(self, end: int, end_ns: int, kind: str, rest: list[int]) -> None:
        sim, tape = self.sim, self.sim.tape
        self.heard_start = False
        sim.tell("capture", SpeechStopped(1, end, end_ns, background=kind == "echo"))
        if tape.chance(30):
            sim.after(tape.between(5, 60), sim.tell, "capture", TurnJudged(1, end, tape.below(101) / 100))
        if rest:
            sim.after(tape.between(10, 900), self._speak, rest)
        else:
            self._wait()

    def _key(self, count: int) -> None:
        self.sim.on_caller("key")
        self.give_up_words(15_000)
        self.quiet_ns = self.sim.now_ns
        digit = "123456789#"[self.sim.tape.below(10)]
        if digit != "#":  # which may only end what was keyed before
            self.owed = "answer"
        self.sim.tell("capture", DtmfReceived(1, digit, self.sim.now_ns))
        if count > 1:
            self.sim.after(self.sim.tape.between(80, 700), self._key, count - 1)
        else:
            self._wait()
