"""Fits the ear for short sounds over the bot (workers/stt/listening.py), and says what it makes of other voices.

    python -m bench.listening [--seed 3] [--copies 4] [--json] [--write]

Words in espeak-ng's, flite's and, with RINGLINE_REAL_MODELS, Kokoro's voices, recorded digits and pieces of recorded
speech from RINGLINE_SPEECH, coughs, knocks, noise and babble, each in several copies: another speed, another line's
frequency response, a room, noise, mu-law. Only speakers and voices of the part ``tune`` (`overlap_sounds.py`). The
figures are of the voices in `HELD`, after a fit to the others; ``--write`` fits to all.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from bench.listening_words import ASKING, ESPEAK, FLITE, KOKORO, LISTENING, MORE, MORE_IN_KOKORO
from bench.overlap_sounds import (
    MUSIC,
    NOISES,
    OTHERS,
    TUNE,
    TUNED_ON,
    Spectrum,
    cough,
    in_part,
    knock,
    kokoro_says,
    sound_files,
    speaker_of,
)
from bench.recognition import DIGITS
from bench.reporting import Result, options_of, tell
from bench.telephone import Samples, Voices, at_level, read, resampled
from ringline.engine.conversation.overlap import SURELY_NO_OTHER_WORDS, SURELY_OTHER_WORDS
from ringline.workers.audio import codecs
from ringline.workers.audio.resample import Resampler
from ringline.workers.stt import listening as ear
from ringline.workers.stt.listening import Fitted, Layer, Matrix, Values

WEIGHTS = Path(__file__).parent.parent / "workers" / "stt" / "listening.json"
HELD = ("en-gb-scotland", "en-us+m3", "flite-rms", "af_nova", "bm_george", "theo")
WIRE_HZ = 8_000
HIDDEN, ROUNDS, BATCH, RATE = 128, 30, 256, 2e-3
DROPPED, JITTER, DECAY = 0.4, 0.15, 1e-4
"""Share of hidden units left out, noise added to the features, pull of the weights towards 0: the voices are few."""
NUM_COUGHS, NUM_KNOCKS, NUM_NOISES, NUM_BABBLES, PIECES = 1_500, 700, 1_200, 800, 10
OTHER, NOTHING = "*other", "*nothing"

Example = tuple[str, str, Samples]
"""(word, speaker, int16 at 8 kHz)"""


def spoken() -> Iterator[Example]:
    """Every word in every synthetic voice."""
    voices = Voices()
    for voice in ESPEAK:
        for text in (*LISTENING, *ASKING, *MORE):
            yield text, voice, resampled(voices.speak(text, voice), voices.rate_hz, WIRE_HZ)
    if shutil.which("flite") is None:
        return
    with tempfile.TemporaryDirectory(prefix="ringline-flite-") as folder:
        path = Path(folder) / "word.wav"
        for voice in FLITE:
            for text in (*LISTENING, *ASKING, *MORE):
                subprocess.run(["flite", "-voice", voice, "-t", text, "-o", path], check=True)
                yield text, f"flite-{voice}", resampled(*read(path), WIRE_HZ)


def natural() -> Iterator[Example]:
    """Words in Kokoro's voices, which take the longest to make."""
    for text in (*LISTENING, *ASKING, *MORE_IN_KOKORO):
        for voice, samples in kokoro_says(text.capitalize() + ".", KOKORO):
            yield text, voice, samples


def recorded(rng: np.random.Generator) -> Iterator[Example]:
    """Digits, and pieces of sentences."""
    for path in in_part(sound_files(("digits_8k",)), TUNE):
        yield DIGITS[int(path.stem[0])], speaker_of(path), resampled(*read(path), WIRE_HZ)
    for path in (path for path in in_part(sound_files((*TUNED_ON, *OTHERS)), TUNE) if path.suffix != ".raw"):
        samples = resampled(*read(path), WIRE_HZ)
        for _ in range(PIECES):
            piece = _piece(rng, samples[samples.shape[0] // 20 :], 0.25, 1.1)
            yield from [(OTHER, "sentences", piece)] * bool(piece.shape[0])


def wordless(rng: np.random.Generator, noises: list[Samples]) -> Iterator[Example]:
    """What is no word."""
    yield from ((NOTHING, "coughs", cough(rng)) for _ in range(NUM_COUGHS))
    yield from ((NOTHING, "knocks", knock(rng)) for _ in range(NUM_KNOCKS))
    for _ in range(NUM_NOISES * bool(noises)):
        yield NOTHING, "noise", _piece(rng, noises[int(rng.integers(len(noises)))], 0.15, 1.0)
    voices = [resampled(*read(path), WIRE_HZ) for path in in_part(sound_files(("voices",)), TUNE)]
    for _ in range(NUM_BABBLES * bool(voices)):
        chosen = rng.choice(len(voices), int(rng.integers(3, 12)), replace=False)
        pieces = [at_level(_piece(rng, voices[index], 1.0, 1.01)[:WIRE_HZ], -28.0) for index in chosen]
        mixed = np.clip(sum(piece.astype(np.float64) for piece in pieces), -32_768, 32_767).astype(np.int16)
        yield NOTHING, "babble", _piece(rng, mixed, 0.15, 0.95)


def _piece(rng: np.random.Generator, samples: Samples, least_s: float, most_s: float) -> Samples:
    size = int(rng.uniform(least_s, most_s) * WIRE_HZ)
    start = int(rng.integers(max(1, samples.shape[0] - size)))
    return samples[start : start + size] if samples.shape[0] > size else samples[:0]


def distorted(rng: np.random.Generator, samples: Samples, noises: list[Samples]) -> Samples:
    """Over some telephone, in some room: int16 at 16 kHz, with what comes before and after."""
    faster = rng.uniform(0.85, 1.18)
    wide = np.interp(np.arange(0, samples.shape[0] - 1, faster), np.arange(samples.shape[0]), samples)
    size = 1 << int(np.ceil(np.log2(wide.shape[0] + 800)))
    hz = np.fft.rfftfreq(size, 1 / WIRE_HZ)
    tilt = rng.normal(0, 4, 7) + rng.uniform(-6, 6) * np.linspace(-1, 1, 7)
    highpass_hz = rng.uniform(80, 330)
    gain_db = np.interp(hz, np.linspace(0, WIRE_HZ / 2, 7), tilt) - 20 * np.clip(1 - hz / highpass_hz, 0, 1)
    wide = np.fft.irfft(np.fft.rfft(wide, size) * 10 ** (gain_db / 20), size)[: wide.shape[0] + 200]
    if rng.random() < 0.2:
        room = rng.normal(0, 1, 480) * np.exp(-np.arange(480) / rng.uniform(40, 160)) * rng.uniform(0.05, 0.3)
        room[0] += 1
        wide = np.convolve(wide, room)
    level = 32_768 * 10 ** (rng.uniform(-32, -16) / 20)
    wide *= level / (float(np.sqrt((wide**2).mean())) + 1e-9)
    before, after = int(rng.uniform(0.26, 0.34) * WIRE_HZ), int(rng.uniform(0.096, 0.2) * WIRE_HZ)
    wide = np.concatenate([np.zeros(before), wide, np.zeros(after)])
    noise: Spectrum = rng.normal(0, 1, wide.shape[0])
    if noises and rng.random() < 0.5:
        chosen = noises[int(rng.integers(len(noises)))]
        noise = np.resize(np.roll(chosen, -int(rng.integers(chosen.shape[0]))), wide.shape[0]).astype(np.float64)
    snr_db = rng.uniform(5, 25) if rng.random() < 0.35 else rng.uniform(25, 55)
    wide += noise * level * 10 ** (-snr_db / 20) / (float(np.sqrt((noise**2).mean())) + 1e-9)
    wire = np.clip(wide, -32_768, 32_767).astype(np.int16)
    return Resampler(WIRE_HZ, 16_000).process(codecs.decode(codecs.encode(wire, "mulaw"), "mulaw"))


class Examples(msgspec.Struct, frozen=True, eq=False):
    """Sounds, one per row."""

    features: Matrix
    word: tuple[str, ...]
    speaker: tuple[str, ...]

    @property
    def kind(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """`ear.LISTENING`, `ear.OTHER` or `ear.NOTHING` of each."""
        return np.array([kind_of(word) for word in self.word])


def kind_of(word: str) -> int:
    """Of a word's sound."""
    return ear.NOTHING if word == NOTHING else ear.LISTENING if word in LISTENING else ear.OTHER


def examples(rng: np.random.Generator, copies: int) -> Examples:
    """``copies`` of each spoken word, twice as many of a listener's."""
    files = [path for path in sound_files(("noise",)) if path.name.startswith((*NOISES, *MUSIC))]
    noises = [resampled(*read(path), WIRE_HZ) for path in files]
    rows, words, speakers = [], [], []
    for word, speaker, samples in (*spoken(), *natural(), *recorded(rng), *wordless(rng, noises)):
        count = 1 if word.startswith("*") else 2 * copies if word in LISTENING else copies
        for _ in range(count if samples.shape[0] > 1 else 0):
            row = ear.features(distorted(rng, samples, noises))
            if row is not None:
                rows.append(row)
                words.append(word if word in (*LISTENING, *ASKING, NOTHING) else OTHER)
                speakers.append(speaker)
    return Examples(np.array(rows), tuple(words), tuple(speakers))


def fit(given: Examples, chosen: np.ndarray[tuple[int], np.dtype[np.bool_]], seed: int) -> Fitted:
    """Softmax over words behind one hidden layer, by Adam; the three kinds weigh 1, 1 and 0.3."""
    rng = np.random.default_rng(seed)
    names = sorted(set(given.word))
    wanted = np.array([names.index(word) for word in given.word])
    kind = given.kind
    share = np.array([1.0, 1.0, 0.3])[kind] / np.bincount(kind[chosen], minlength=3)[kind]
    share[[speaker == "sentences" for speaker in given.speaker]] *= 2.0
    share[~chosen] = 0.0
    rows = given.features.astype(np.float32)
    size, count = rows.shape[1], int(chosen.sum())
    layers = [
        rng.normal(0, size**-0.5, (size + 1, HIDDEN)).astype(np.float32),
        rng.normal(0, HIDDEN**-0.5, (HIDDEN + 1, len(names))).astype(np.float32),
    ]
    for layer in layers:
        layer[-1] = 0.0
    mean, square = [np.zeros_like(layer) for layer in layers], [np.zeros_like(layer) for layer in layers]
    one = np.ones((BATCH, 1), np.float32)
    num_steps = ROUNDS * (count // BATCH)
    for step in range(1, num_steps + 1):
        batch = rng.choice(rows.shape[0], BATCH, p=share / share.sum())
        x = np.hstack([rows[batch] + rng.normal(0, JITTER, (BATCH, size)).astype(np.float32), one])
        before = x @ layers[0]
        mask = (rng.random(before.shape) > DROPPED) / np.float32(1 - DROPPED) * (before > 0)
        hidden = np.hstack([(before * mask).astype(np.float32), one])
        odds = hidden @ layers[1]
        error = np.exp(odds - odds.max(axis=1, keepdims=True))
        error /= error.sum(axis=1, keepdims=True)
        error[np.arange(BATCH), wanted[batch]] -= 1.0
        error /= BATCH
        slopes = (x.T @ ((error @ layers[1][:-1].T) * mask).astype(np.float32), hidden.T @ error)
        rate = RATE * 0.5 * (1 + np.cos(np.pi * step / num_steps)) + RATE / 100
        for index, slope in enumerate(slopes):
            slope = slope + DECAY * layers[index]
            mean[index] = 0.9 * mean[index] + 0.1 * slope
            square[index] = 0.999 * square[index] + 0.001 * slope**2
            stride = mean[index] / (1 - 0.9**step) / (np.sqrt(square[index] / (1 - 0.999**step)) + 1e-8)
            layers[index] -= (rate * stride).astype(np.float32)
    return Fitted(tuple(kind_of(name) for name in names), _packed(layers[0]), _packed(layers[1]))


def _packed(layer: Any) -> Layer:
    scale = float(f"{float(np.quantile(np.abs(layer), 0.9995)) / 127:.6g}")
    return Layer(layer.shape[0], scale, np.clip(np.rint(layer / scale), -127, 127).astype(np.int8).tobytes())


def held_out(given: Examples, seed: int) -> dict[str, Any]:
    """What a fit to the other voices makes of each in `HELD`."""
    speaker = np.array(given.speaker)
    net = ear.ListeningNet(fit(given, ~np.isin(speaker, HELD), seed))
    found: dict[str, Any] = {}
    for voice in HELD:
        for kind, name in ((ear.LISTENING, "a listener's"), (ear.OTHER, "other")):
            chosen = (speaker == voice) & (given.kind == kind)
            other = np.array([net.judge(row)[ear.OTHER] for row in given.features[chosen]])
            if other.shape[0]:
                found[f"{voice}, {name}"] = _shares(other)
    return found


def _shares(other: Values) -> dict[str, float]:
    return {
        "number": other.shape[0],
        "surely other": float((other > SURELY_OTHER_WORDS).mean()),
        "surely none": float((other < SURELY_NO_OTHER_WORDS).mean()),
    }


def measure(options: argparse.Namespace) -> Result:
    """Voice by voice; with ``--write``, the weights, too."""
    given = examples(np.random.default_rng(options.seed), options.copies)
    if options.write:
        everyone = np.ones(len(given.word), np.bool_)
        WEIGHTS.write_bytes(msgspec.json.encode(fit(given, everyone, options.seed)))
    return {"voices": held_out(given, options.seed)}


def show(result: Result, out: Console) -> None:
    """The table."""
    table = Table("words in a voice that was left out", "number", "surely other", "surely no other")
    for name, row in result["voices"].items():
        table.add_row(
            name, str(row["number"]), f"{100 * row['surely other']:.1f} %", f"{100 * row['surely none']:.1f} %"
        )
    out.print(table)


if __name__ == "__main__":
    parser = options_of(__doc__, seed=3, plots=False)
    parser.add_argument("--copies", type=int, default=4)
    parser.add_argument("--write", action="store_true", help=f"fit to all voices into {WEIGHTS.name}")
    given = parser.parse_args()
    tell(measure(given), given, show)
