"""How long callers wait for the bot to see that they have finished, against how often it cuts them off.

    python -m bench.turns [--seed 1] [--json] [--plot out/turns.png] [--text] [--smart-turn PATH]

Recorded turns over a telephone line (bench/recordings.py), as Ringline's VAD hears them, for fixed silences and for the
endpoint rule (engine/conversation/endpointing.py). A turn is cut off if one of its pauses lasts longer than the silence
the rule waits for; the delay is the silence from the VAD's end of speech to the endpoint, averaged over the ends of
turns. The melody's word on a speaker comes from stumps fitted to other speakers. Speakers with several recordings are
heard as one caller, from one to the next.

With a Smart Turn file (PATH, or that of an installed pipecat-ai: ``pip install --no-deps pipecat-ai``) there are rows
with it: ``smart-turn`` is what ``[turn] smart_turn`` runs, Ringline's head on the encoder and the melody;
``smart-turn-encoder`` is without the melody, ``smart-turn-output`` the network's own word, calibrated. All are fitted
to other speakers (bench/smart_turn.py).

Whether the target is reached is said at the end: ``smart-turn pauses`` comes closest, with 409 ms of the 350. A table
shows what it would take: at nearly half the pauses of 200 ms or more the words so far could be all there is
(bench/sentences.py), and a rule that knows where that is so, by the exact text that no recogniser gives it, and waits
longest everywhere else, still waits 520 ms by this knowledge alone. With the best judge besides it needs 340 ms: the
target asks for nearly perfect understanding, or for an ear far better than this. Another table has the recordings of
one sentence only.

Nobody can expect the sentences of the recordings. With ``--text`` the rule also gets what the embedded recogniser makes
of them without any grammar (a quarter of an hour, kept under out/), which it does not trust in a call: these rows tell
why. What the text is worth where the bot expects
something is seen on codes of four digits (bench/codes.py), always.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from bench.codes import EXPECT, codes, dictated, understood
from bench.prosody import area_under_curve, examples, held_out, lines
from bench.recordings import SPEECH, Turn
from bench.reporting import Result, console, options_of, tell
from bench.sentences import could_end
from bench.smart_turn import LATER, hear, judged
from ringline.engine.config import PocketsphinxStt, TurnConfig
from ringline.engine.conversation.endpointing import Endpointing
from ringline.ipc.messages import Expectation
from ringline.workers.base import CannotStart
from ringline.workers.capture.judge import MEMORY_SAMPLES, SILENCE_SAMPLES
from ringline.workers.capture.prosody.melody import Melody
from ringline.workers.capture.prosody.model import ProsodyModel
from ringline.workers.capture.prosody.smart_turn import INSTALLED, SmartTurn, find

ROOT = Path(__file__).parent.parent
TEXTS = ROOT / "out" / "turns-text.json"
FIXED_MS = (200, 300, 400, 600)
STEP_MS = 10
RESAMPLES = 400
CODES = 150
TARGET_MS = 350
"""Mean delay at the cut-off rate of a fixed 600 ms that the rule is meant to reach."""
ONE_SENTENCE = ("accented_english/", "short_sentences/")

Curve = np.ndarray[tuple[int, int, int], np.dtype[np.float64]]
"""[settings, turns, (cut off, delay in ms; NaN where the end is not known)]"""


class Silences(msgspec.Struct, frozen=True):
    """One turn's silences, and what is known at each."""

    turn: Turn
    texts: tuple[str, ...]
    finished: dict[str, list[float | None]]
    """By judge."""
    could_end: tuple[bool, ...]
    """Whether a sentence could end there, by the exact text."""


def fixed(heard: Sequence[Silences], silences_ms: Sequence[int]) -> Curve:
    """Cut-offs and delays with the same silence every time."""
    return np.array([[_outcome(one.turn, [ms] * len(one.texts)) for one in heard] for ms in silences_ms])


def ours(
    heard: Sequence[Silences], configs: Sequence[TurnConfig], signals: Collection[str], expect: Expectation
) -> Curve:
    """Cut-offs and delays with the endpoint rule, for several settings of it."""
    outcomes = []
    judges = [name for name in known_judges(heard) if name in signals]
    for config in configs:
        callers: dict[str, Endpointing] = {}
        row = []
        for one in heard:
            caller = callers.setdefault(one.turn.recording.speaker, Endpointing(config))
            waits = []
            said = one.finished[judges[0]] if judges else [None] * len(one.texts)
            for silence, text, finished, may_end in zip(one.turn.silences, one.texts, said, one.could_end, strict=True):
                wait_ms = caller.decide(text if "text" in signals else "", expect, finished).silence_ms
                if "sentences" in signals and not may_end:
                    wait_ms = config.endpoint_max_ms
                waits.append(wait_ms)
                if "pauses" in signals and silence.pause_ms <= wait_ms:
                    caller.paused((silence.onset_sample - silence.end_sample) / 16)
            row.append(_outcome(one.turn, waits))
        outcomes.append(row)
    return np.array(outcomes)


def known_judges(heard: Sequence[Silences]) -> list[str]:
    """Whose word is known."""
    return list(heard[0].finished) if heard else []


def _outcome(turn: Turn, waits_ms: Sequence[int]) -> tuple[float, float]:
    pairs = list(zip(turn.silences, waits_ms, strict=True))
    cut = any(silence.pause_ms > wait_ms for silence, wait_ms in pairs if math.isfinite(silence.pause_ms))
    last, wait_ms = pairs[-1]
    # An endpoint cannot come before the VAD has noticed the silence.
    noticed_ms = (last.reported_sample - last.end_sample) / 16
    return float(cut), max(wait_ms, noticed_ms) if turn.recording.ends else math.nan


def point(curve: Curve, chosen: np.ndarray[tuple[int], np.dtype[np.int64]] | None = None) -> Any:
    """[settings, 2]: rate of cut-off turns and mean delay in ms."""
    part = curve if chosen is None else curve[:, chosen]
    return np.stack([part[:, :, 0].mean(axis=1), np.nanmean(part[:, :, 1], axis=1)], axis=1)


def delay_at(points: Any, rate: float) -> float:
    """The least mean delay among the settings that cut off at most so many; NaN for none."""
    good = points[points[:, 0] <= rate + 1e-9, 1]
    return float(good.min()) if good.size else math.nan


def transcripts(heard: Sequence[Turn]) -> dict[str, list[str]]:
    """What free dictation makes of each turn up to each silence, by file; kept between runs."""
    from ringline.workers.stt.pocketsphinx import PocketsphinxBackend

    kept: dict[str, list[str]] = json.loads(TEXTS.read_text()) if TEXTS.exists() else {}
    backend = None
    found = {}
    for turn in heard:
        reported = [silence.reported_sample for silence in turn.silences]
        key = hashlib.sha256(turn.audio.tobytes() + str(reported).encode()).hexdigest()[:24]
        if key not in kept:
            if backend is None:
                backend = PocketsphinxBackend(PocketsphinxStt())
                backend.warm_up()
            kept[key] = dictated(backend, turn, Expectation())
            TEXTS.parent.mkdir(exist_ok=True)
            TEXTS.write_text(json.dumps(kept))
        found[turn.recording.file] = kept[key]
    return found


Word = dict[tuple[str, int], float | None]
"""A judge's probabilities, by file and number of the silence."""


def know(heard: Sequence[Turn], words: dict[str, Word], texts: dict[str, list[str]]) -> list[Silences]:
    """Everything the rule may know, silence by silence."""
    known = []
    for turn in heard:
        file, count = turn.recording.file, len(turn.silences)
        finished = {judge: [word.get((file, number)) for number in range(count)] for judge, word in words.items()}
        known.append(Silences(turn, tuple(texts.get(file, [""] * count)), finished, could_end(turn)))
    return known


def judgements(model: ProsodyModel, heard: Sequence[Turn]) -> Word:
    """A judge's word on every silence, with as much of it as there is when the VAD reports it."""
    word: Word = {}
    for turn in heard:
        for number, silence in enumerate(turn.silences):
            end = silence.end_sample
            known = turn.audio[end : min(silence.reported_sample, end + SILENCE_SAMPLES)]
            word[turn.recording.file, number] = model.finished(turn.audio[max(0, end - MEMORY_SAMPLES) : end], known)
    return word


def compare_all(seed: int, with_text: bool, smart_turn: str) -> Result:
    """All figures. ``smart_turn``: a file, or empty."""
    heard = lines(seed)
    sets = [examples(one) for one in heard]
    odds = {"melody": held_out(sets[0], sets[1:], seed)}
    if smart_turn:
        network = [hear(smart_turn, heard[0], sets[0], later) for later in (0, LATER)]
        odds |= judged(network, odds["melody"], sets[0], seed)
    turns = [turn for turn in heard[0] if turn.recording.ends]
    words: dict[str, Word] = {
        judge: dict(zip(sets[0].silence, (1.0 / (1.0 + np.exp(-one))).tolist(), strict=True))
        for judge, one in odds.items()
    }
    known = know(turns, words, transcripts(turns) if with_text else {})
    named = ["melody", "melody pauses"]
    if smart_turn:
        named += [f"{judge} pauses" for judge in odds if judge != "melody"] + ["smart-turn"]
    if with_text:
        named += ["text", "melody text", "melody text pauses"] + (["smart-turn text pauses"] if smart_turn else [])
    recorded = compare(known, named, Expectation(), seed)
    recorded["area_under_curve"] = {judge: area_under_curve(one, sets[0].finished) for judge, one in odds.items()}
    sentences = [one for one in known if one.turn.recording.file.startswith(ONE_SENTENCE)]
    judges = ["melody", "smart-turn"] if smart_turn else ["melody"]

    pauses_ms = [one.pause_ms for turn in heard[0] for one in turn.silences if math.isfinite(one.pause_ms)]
    said = codes(CODES, pauses_ms, seed)
    texts, share = understood(said)
    # None of these speakers is among those that the committed judges were fitted to.
    models: dict[str, ProsodyModel] = {"melody": Melody()} | (
        {"smart-turn": SmartTurn(smart_turn)} if smart_turn else {}
    )
    of_codes = know(said, {judge: judgements(model, said) for judge, model in models.items()}, texts)
    expected = compare(of_codes, [*judges, "text", *(f"{judge} text" for judge in judges)], EXPECT, seed)
    expected["understood"] = share
    return {
        "recorded": recorded,
        "bound": compare(known, ["sentences", *(f"sentences {judge} pauses" for judge in judges)], Expectation(), seed),
        "sentences": compare(sentences, [f"{judge} pauses" for judge in judges], Expectation(), seed),
        "expected": expected,
    }


def compare(known: Sequence[Silences], named: Sequence[str], expect: Expectation, seed: int) -> dict[str, Any]:
    """Fixed silences and the rule with several sets of signals, on the same turns."""
    bases = list(range(200, 1_201, STEP_MS))
    configs = [TurnConfig(endpoint_ms=base) for base in bases]
    curve = fixed(known, bases)
    rng = np.random.default_rng(seed)
    samples = [rng.integers(len(known), size=len(known)) for _ in range(RESAMPLES)]
    result: dict[str, Any] = {
        "turns": len(known),
        "pauses": sum(len(one.turn.silences) - 1 for one in known),
        "speakers": len({one.turn.recording.speaker for one in known}),
        "fixed": {str(ms): point(curve)[bases.index(ms)].tolist() for ms in FIXED_MS},
        "fixed_curve": point(curve).tolist(),
        "ours": {},
    }
    for signals in named:
        outcome = ours(known, configs, signals.split(), expect)
        points = point(outcome)
        spread = {}
        for ms in (400, 600):
            index = bases.index(ms)
            delays = [delay_at(point(outcome, one), float(curve[index][one, 0].mean())) for one in samples]
            low, high = np.nanpercentile(delays, [2.5, 97.5])
            spread[str(ms)] = [delay_at(points, point(curve)[index][0]), float(low), float(high)]
        result["ours"][", ".join(signals.split())] = {
            "default": points[bases.index(TurnConfig().endpoint_ms)].tolist(),
            "delay_ms_at_the_cut_off_rate_of": spread,
            "curve": points.tolist(),
        }
    return result


def plot(result: dict[str, Any], path: Path) -> None:
    """A picture of the curves."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, both = pyplot.subplots(1, 2, figsize=(13, 5.5), dpi=110)
    titles = {"recorded": "recorded sentences, nothing expected", "expected": "codes of four digits, expected"}
    for axes, (kind, title) in zip(both, titles.items(), strict=True):
        found = result[kind]
        curve = np.array(found["fixed_curve"])
        axes.plot(curve[:, 1], 100 * curve[:, 0], color="0.4", label="fixed silence")
        for ms, (rate, delay) in found["fixed"].items():
            axes.plot(delay, 100 * rate, "o", color="0.4")
            axes.annotate(f"{ms} ms", (delay, 100 * rate), textcoords="offset points", xytext=(6, 4))
        for name, one in found["ours"].items():
            points = np.array(one["curve"])
            (line,) = axes.plot(points[:, 1], 100 * points[:, 0], label=f"Ringline: {name}")
            axes.plot(one["default"][1], 100 * one["default"][0], "s", color=line.get_color())
        axes.set(xlabel="mean delay after the end of speech, ms", ylabel="turns cut off, %")
        axes.set(xlim=(150, 1_000), ylim=(0, None))
        axes.set_title(f"{title}: {found['turns']} turns, {found['speakers']} speakers", fontsize=10)
        axes.grid(alpha=0.3)
        axes.legend()
    figure.tight_layout()
    figure.savefig(path)


def show(result: dict[str, Any], console: Console) -> None:
    """The tables."""
    titles = {
        "recorded": "recorded turns",
        "bound": "... if it were known where a sentence could end",
        "sentences": "... of one sentence",
        "expected": "codes of four digits",
    }
    for kind, title in titles.items():
        found = result[kind]
        table = Table("rule", "cut off", "mean delay", "at the rate of 400 ms", "at the rate of 600 ms", title=title)
        for ms, (rate, delay) in found["fixed"].items():
            table.add_row(f"fixed {ms} ms", f"{100 * rate:.1f} %", f"{delay:.0f} ms", "", "")
        for name, one in found["ours"].items():
            rate, delay = one["default"]
            spread = one["delay_ms_at_the_cut_off_rate_of"]
            cells = [f"{middle:.0f} ms ({low:.0f} to {high:.0f})" for middle, low, high in spread.values()]
            table.add_row(name, f"{100 * rate:.1f} %", f"{delay:.0f} ms", *cells)
        console.print(table)
        console.print(f"{found['turns']} turns, {found['pauses']} pauses, {found['speakers']} speakers")
    areas = ", ".join(f"{judge} {area:.2f}" for judge, area in result["recorded"]["area_under_curve"].items())
    console.print(
        f"in brackets: 95 % of resampled turns. Ends from pauses of unknown speakers, area under the curve: {areas}; "
        f"{100 * result['expected']['understood']:.0f} % of the codes were understood"
    )
    for judge, best in _best(result).items():
        console.print(
            f"target, at most {TARGET_MS} ms at the cut-off rate of 600 ms on the recorded turns: "
            f"{'reached' if best <= TARGET_MS else 'missed'} with {judge} ({best:.0f} ms)"
        )


def _best(result: dict[str, Any]) -> dict[str, float]:
    """The mean delay of the best set of signals, by its name."""
    delays = {
        name: one["delay_ms_at_the_cut_off_rate_of"]["600"][0] for name, one in result["recorded"]["ours"].items()
    }
    best = min(delays, key=lambda name: delays[name])
    return {best: delays[best]}


def headlines(result: Result) -> dict[str, str]:
    """The figures to take along: with Smart Turn, and what the embedded default has."""
    recorded = result["recorded"]
    rate, _ = recorded["fixed"]["600"]
    what = f"endpoint, mean wait where a fixed 600 ms cuts off as many turns ({100 * rate:.0f} %)"
    found = {}
    for name in ("smart-turn, pauses", "melody, pauses"):
        if name in recorded["ours"]:
            wait, low, high = recorded["ours"][name]["delay_ms_at_the_cut_off_rate_of"]["600"]
            found[f"{what}: {name}"] = f"{wait:.0f} ms (95 %: {low:.0f} to {high:.0f})"
    return found


def measure(options: argparse.Namespace) -> Result:
    """All figures. With Smart Turn where its file is, and it must be where ``--smart-turn`` names one."""
    if not SPEECH.is_dir():
        raise SystemExit(f"there is no recorded speech at {SPEECH} (RINGLINE_SPEECH)")
    try:
        file = str(find(options.smart_turn or INSTALLED))
    except CannotStart as error:
        if options.smart_turn:
            raise SystemExit(str(error)) from None
        console(options).print(f"without Smart Turn: {error}")
        file = ""
    return compare_all(options.seed, options.text, file)


if __name__ == "__main__":
    parser = options_of(__doc__)
    parser.add_argument("--text", action="store_true")
    parser.add_argument("--smart-turn", default="", metavar="PATH")
    given = parser.parse_args()
    tell(measure(given), given, show, plot)
