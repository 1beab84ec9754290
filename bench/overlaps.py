"""What the embedded recogniser makes of sounds over the bot: listening, interrupting, coughing.

    python -m bench.overlaps [--seed 2] [--json]

Backchannels and interruptions in espeak-ng's voices through the telephone, sentences that the bot does not expect,
synthetic coughs, and pieces of recorded noise where RINGLINE_SPEECH is; each against the grammars of the clinic's
states, as an utterance over the bot. Prints how often the bot would have gone on, and how often it would have been cut
off: by a partial or by the final transcript, as the conversation judges them.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.recognition import FRAME, SPEECH, VOICES, clinic_grammars
from bench.reporting import Result, options_of, tell
from bench.telephone import PREROLL_MS, Samples, Voices, at_level, over_the_phone, read, resampled
from ringline.engine.config import PocketsphinxStt, TurnConfig
from ringline.engine.conversation.overlap import OverlapJudge, Verdict
from ringline.ipc.messages import Expectation, Transcribe
from ringline.workers.stt.listening import ListeningNet
from ringline.workers.stt.pocketsphinx import PocketsphinxBackend

BACKCHANNELS = ("okay", "right", "uh huh", "yeah", "yes", "sure", "all right", "i see")
INTERRUPTIONS = {
    "book_day": ("tuesday", "next friday", "speak to a person"),
    "book_time": ("ten", "half past two", "speak to a person"),
    "book_confirm": ("no tuesday", "no", "at eleven", "speak to a person"),
}
UNEXPECTED = ("wait a moment", "hang on", "excuse me i have a question", "what about my insurance")
NUM_COUGHS = 40
HASTY_SAMPLES = 16 * (PREROLL_MS + TurnConfig().arbitrate_ms)
"""Before, what was heard cuts off nothing."""
NOISE_PIECES = 6
"""Of each recording."""

Case = tuple[str, str, Samples]
"""(kind, state, int16 at 16 kHz)"""


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """All sounds in all states."""
    voices = Voices()

    def spoken(text: str, voice: str) -> Samples:
        samples = at_level(voices.speak(text, voice), float(rng.choice([-18.0, -24.0])))
        return over_the_phone(samples, voices.rate_hz, str(rng.choice(["mulaw", "slin"])), int(rng.integers(160)))

    for state, interruptions in INTERRUPTIONS.items():
        for voice in VOICES:
            yield from ((f'"{text}"', state, spoken(text, voice)) for text in BACKCHANNELS)
            yield from ((f'interruption "{text}"', state, spoken(text, voice)) for text in interruptions)
            yield from (("unexpected sentence", state, spoken(text, voice)) for text in UNEXPECTED)
        for _ in range(NUM_COUGHS):
            yield "cough", state, over_the_phone(cough(rng), 16_000, "mulaw")
        for piece in noise(rng):
            yield "noise", state, over_the_phone(piece, 16_000, "mulaw")


def cough(rng: np.random.Generator) -> Samples:
    """One or two bursts of coloured noise that die away, at 16 kHz."""
    num = int(rng.integers(150, 450)) * 16
    centre_hz = float(rng.choice([500, 850, 1_350, 2_000]))
    octaves = np.log2((np.fft.rfftfreq(num, 1 / 16_000) + 1.0) / centre_hz)
    burst = np.fft.irfft(np.fft.rfft(rng.normal(0.0, 1.0, num)) * np.exp(-0.5 * (octaves / 0.8) ** 2), num)
    burst *= np.exp(-4.0 * np.arange(num) / num)
    burst[:160] *= np.linspace(0.0, 1.0, 160)
    if rng.random() < 0.5:
        burst = np.concatenate([burst, np.zeros(int(rng.integers(800, 3_200))), 0.7 * burst])
    return (burst / np.abs(burst).max() * 12_000).astype(np.int16)


def noise(rng: np.random.Generator) -> Iterator[Samples]:
    """Pieces of 300 to 600 ms of the recordings, at 16 kHz."""
    for path in sorted((SPEECH / "noise").glob("*.wav")):
        samples, rate_hz = read(path)
        wide = samples if rate_hz == 16_000 else resampled(samples, rate_hz, 16_000)
        for _ in range(NOISE_PIECES):
            num = int(rng.integers(300, 600)) * 16
            if wide.shape[0] > num:
                start = int(rng.integers(wide.shape[0] - num))
                yield at_level(wide[start : start + num], -24.0)


def judge(backend: PocketsphinxBackend, ear: ListeningNet, grammar: str, audio: Samples) -> tuple[Verdict, str]:
    """What becomes of the bot, and the transcript."""
    judges = OverlapJudge()
    stream = backend.open(Transcribe(1, 0, 1, 0, Expectation(grammar=grammar), True), 0)
    assert stream is not None
    is_cut = False
    for start in range(0, audio.shape[0], FRAME):
        stream.feed(audio[start : start + FRAME])
        if start > HASTY_SAMPLES:
            is_cut = is_cut or judges.judge(stream.partial, is_final=False) is Verdict.INTERRUPTION
    stream.finalise()
    stream.close()
    final = stream.final or ""
    verdict = judges.judge(final, is_final=True, other_words=ear.other_words(audio))
    return Verdict.INTERRUPTION if is_cut or verdict is Verdict.MISHEARD else verdict, final


def measure(options: argparse.Namespace) -> Result:
    """Shares of verdicts by kind of sound."""
    backend = PocketsphinxBackend(PocketsphinxStt())
    backend.warm_up()
    ear, grammars = ListeningNet(), clinic_grammars()
    verdicts: dict[str, Counter[str]] = defaultdict(Counter)
    heard: dict[str, Counter[str]] = defaultdict(Counter)
    for kind, state, audio in cases(np.random.default_rng(options.seed)):
        verdict, final = judge(backend, ear, grammars[state], audio)
        verdicts[kind][verdict.name.lower()] += 1
        heard[kind][final] += 1
    return {
        "sounds": {
            kind: {
                "number": found.total(),
                **{name: found[name] / found.total() for name in ("nothing", "backchannel", "interruption")},
                "heard": dict(heard[kind].most_common(4)),
            }
            for kind, found in verdicts.items()
        },
    }


def show(result: Result, out: Console) -> None:
    """The table."""
    table = Table("sound over the bot", "number", "nothing", "backchannel", "cut off", "most often heard as")
    for kind, row in result["sounds"].items():
        shares = (f"{100 * row[name]:.0f} %" for name in ("nothing", "backchannel", "interruption"))
        table.add_row(kind, str(row["number"]), *shares, ", ".join(text or "-" for text in row["heard"]))
    out.print(table)


if __name__ == "__main__":
    given = options_of(__doc__, seed=2, plots=False).parse_args()
    tell(measure(given), given, show)
