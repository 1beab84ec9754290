"""What the callers say: recorded sentences, each without a pause that could end a turn, as files at the wire's rate."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from bench import line
from bench.echo import CALLER_DBFS, CALLER_TEXTS, CALLER_VOICES, SPEECH
from bench.line import RING_HZ, WIRE_HZ, Samples
from bench.overlap_sounds import OTHERS, TUNED_ON, sound_files
from bench.telephone import Voices, at_level, read, resampled

QUIET_DB = -40.0
"""Recordings whose own noise is louder are left out: in them no moment is the voice's last."""
LONGEST_PAUSE_MS = 160
"""An endpoint of 400 ms must not fall into a sentence, however a VAD hears it."""
SHORTEST_MS, LONGEST_MS = 1_000, 3_500
SOUNDING = 1e-3
"""Of the loudest 10 ms: 30 dB below it."""
BLOCK = RING_HZ // 100


def sentences(folder: Path, rng: np.random.Generator, number: int) -> list[Path]:
    """So many recorded sentences by different speakers where there are as many, else espeak-ng's. At least one."""
    found: list[tuple[str, Samples]] = []
    if SPEECH.is_dir():
        files = [path for path in sound_files((*TUNED_ON, *OTHERS)) if path.suffix != ".raw"]
        for index in rng.permutation(len(files)):
            voice = _sentence(line.resampled(*read(files[index]), RING_HZ))
            if voice is not None:
                found.append((files[index].stem, voice))
            if len(found) == number:
                break
    if not found:
        voices = Voices()
        found = [
            (f"{voice}-{number}", line.resampled(voices.speak(text, voice), voices.rate_hz, RING_HZ))
            for number, text in enumerate(CALLER_TEXTS)
            for voice in CALLER_VOICES
        ][:number]
    return [_written(folder / f"{name}.wav", voice) for name, voice in found]


def _sentence(samples: Samples) -> Samples | None:
    """From the first moment of the voice to its last; None if the recording cannot be used."""
    if not 0 < samples.shape[0] <= 4 * RING_HZ * LONGEST_MS // 1000 or line.noise_db(samples) > QUIET_DB:
        return None
    # Breath behind the voice is audible, but the end of no turn: a bot that answers before it is none too early.
    voice = line.from_voice(line.from_voice(samples)[::-1])[::-1]
    power = _block_power(voice)
    pause_ms = int(np.diff(np.flatnonzero(power > power.max() * SOUNDING)).max(initial=0)) * 10
    length_ms = voice.shape[0] * 1000 // RING_HZ
    return voice if pause_ms <= LONGEST_PAUSE_MS and SHORTEST_MS <= length_ms <= LONGEST_MS else None


def _block_power(samples: Samples) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    whole = samples[: samples.shape[0] // BLOCK * BLOCK].astype(np.float64)
    power: np.ndarray[tuple[int], np.dtype[np.float64]] = (whole.reshape(-1, BLOCK) ** 2).mean(axis=1)
    return power


def _written(path: Path, voice: Samples) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, WIRE_HZ, 0, "NONE", ""))
        file.writeframes(resampled(at_level(voice, CALLER_DBFS), RING_HZ, WIRE_HZ).tobytes())
    return path
