"""Recorded turns for the benches of turn-taking: telephone audio, and where Ringline's VAD hears silence in it.

A turn is one recording of ``RINGLINE_SPEECH``. Every silence before its last is a pause: the caller goes on. Behind its
last word the turn is over, where the text says that a sentence ends there; the ends of other recordings (cut in the
middle of a sentence, or without text) count neither as one nor as the other.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import numpy as np

from bench.telephone import Samples, at_level, read, resampled
from ringline.engine.config import SileroVad
from ringline.ipc.exchange import Exchange, Layout
from ringline.workers.audio import codecs
from ringline.workers.audio.resample import Resampler
from ringline.workers.capture.vad import Vad

SPEECH = Path(os.environ.get("RINGLINE_SPEECH", Path(__file__).parent.parent.parent / "shared" / "speech"))
BLOCK = 320
BEFORE_S, AFTER_S = 0.5, 1.5
RING_SAMPLES = 64 * 16_000


class Recording(msgspec.Struct, frozen=True):
    """One sound file."""

    file: str
    """Below ``RINGLINE_SPEECH``."""
    speaker: str
    text: str
    """As given; empty where unknown."""
    ends: bool
    """Whether its end is the end of what the speaker had to say, as far as the text tells."""


class Silence(msgspec.Struct, frozen=True):
    """One time that the VAD heard the speaker fall silent."""

    end_sample: int
    """Behind the last audible sample."""
    reported_sample: int
    """How far the call had come when the VAD said so."""
    pause_ms: float
    """From ``end_sample`` until the VAD said that speech goes on; infinite for the last."""
    onset_sample: int = 0
    """Where it goes on, as the VAD dates it; 0 for the last."""


class Turn(msgspec.Struct, frozen=True):
    """A recording on the telephone."""

    recording: Recording
    audio: Samples
    """int16 at 16 kHz."""
    start_sample: int
    """First sample of speech, as the VAD dates it."""
    silences: tuple[Silence, ...]


def recordings(speech: Path = SPEECH) -> list[Recording]:
    """All that can be used, in a fixed order."""
    found = []
    for folder in ("librispeech_other", "librispeech_clean", "ljspeech", "jfk", "accented_english", "short_sentences",
                   "pocketsphinx_tests"):  # fmt: skip
        lines = (speech / folder / "text.tsv").read_text(encoding="utf-8").splitlines()
        names = lines[0].split("\t")
        for line in lines[1:]:
            row = dict(zip(names, line.split("\t"), strict=False))
            text = row.get("text", "")
            ends = bool(text) and (folder != "ljspeech" or text[-1] in ".?!")
            found.append(Recording(f"{folder}/{row['file']}", _speaker(folder, row), text, ends))
    voices = sorted((speech / "voices").glob("*.flac"))
    found += [Recording(f"voices/{path.name}", f"voices {path.name.split('-')[0]}", "", False) for path in voices]
    return [recording for recording in found if (speech / recording.file).exists()]


def _speaker(folder: str, row: dict[str, str]) -> str:
    if "speaker" in row:
        return f"{folder} {row['speaker']}"
    name = row["file"]
    return f"{folder} {name[:5] if folder == 'pocketsphinx_tests' and not name[0].isdigit() else ''}".strip()


def turns(chosen: list[Recording], seed: int, speech: Path = SPEECH) -> Iterator[Turn]:
    """Each recording on a line of its own."""
    return on_the_wire(((recording, _samples(speech / recording.file)) for recording in chosen), seed)


def on_the_wire(spoken: Iterable[tuple[Recording, Samples]], seed: int) -> Iterator[Turn]:
    """Speech at 8 kHz at a level and in a line noise of its own: band-limited, mu-law, as in a caller ring."""
    exchange = Exchange.create(Layout(max_calls=1, caller_samples=RING_SAMPLES, line_samples=64, reply_samples=64))
    try:
        vad = Vad(exchange, SileroVad())
        for recording, narrow in spoken:
            audio = _on_the_phone(narrow, np.random.default_rng([seed, *recording.file.encode()]))
            start_sample, silences = _hear(exchange, vad, audio)
            if silences:
                yield Turn(recording, audio, start_sample, silences)
    finally:
        exchange.close()


def _samples(path: Path) -> Samples:
    """int16 at 8 kHz."""
    if path.suffix == ".raw":
        return resampled(np.fromfile(path, "<i2"), 16_000, 8_000)
    return resampled(*read(path), 8_000)


def _on_the_phone(narrow: Samples, rng: np.random.Generator) -> Samples:
    """int16 at 16 kHz. The line's noise begins before the recording and goes on behind it: nothing tells its edges."""
    spoken = at_level(telephone_line(narrow), float(rng.uniform(-28.0, -18.0))).astype(np.float64)
    wire = np.concatenate([np.zeros(int(8_000 * BEFORE_S)), spoken, np.zeros(int(8_000 * AFTER_S))])
    noise_rms = 32_768 * 10 ** (float(rng.uniform(-70.0, -58.0)) / 20)
    wire += noise_rms * rng.standard_normal(wire.shape[0])
    clipped = np.clip(np.rint(wire), -32_768, 32_767).astype(np.int16)
    return Resampler(8_000, 16_000).process(codecs.decode(codecs.encode(clipped, "mulaw"), "mulaw"))


def telephone_line(narrow: Samples) -> Samples:
    """What a handset and a telephone line let through: 300 to 3400 Hz; below, 12 dB less per octave."""
    spectrum = np.fft.rfft(narrow.astype(np.float64))
    hz = np.fft.rfftfreq(narrow.shape[0], 1 / 8_000)
    gain = hz**2 / np.hypot(hz**2, 300.0**2) * np.clip((3_700.0 - hz) / 300.0, 0.0, 1.0)
    limited = np.fft.irfft(spectrum * gain, narrow.shape[0])
    return np.clip(np.rint(limited), -32_768, 32_767).astype(np.int16)


def _hear(exchange: Exchange, vad: Vad, audio: Samples) -> tuple[int, tuple[Silence, ...]]:
    exchange.admit(True)
    slot = exchange.claim(0, 8_000)
    assert slot is not None
    vad.open(slot.index, slot.call)
    first, open_end, silences = -1, (0, 0), []
    for start in range(0, audio.shape[0] - BLOCK + 1, BLOCK):
        slot.caller.write(audio[start : start + BLOCK])
        heard = start + BLOCK
        for event in vad.step():
            if not event.started:
                open_end = (event.sample, heard)
            elif first < 0:
                first = event.sample
            else:
                silences.append(Silence(*open_end, (heard - open_end[0]) / 16, event.sample))
    if first >= 0 and open_end[0] > first:
        silences.append(Silence(*open_end, pause_ms=math.inf))
    vad.close(slot.index)
    vad.step()
    exchange.free(slot)
    return first, tuple(silences)
