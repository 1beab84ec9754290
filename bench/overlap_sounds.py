"""What is heard while a bot speaks: interruptions, backchannels, coughs, knocks, noise, echo. Seeded.

Recordings come from RINGLINE_SPEECH; some constants of the VAD were found with two of its folders, and those are a
group of their own (``recorded``). The part ``tune`` has every second speaker of each folder and every second synthetic
voice, ``test`` the others. Of the VAD's constants, many were chosen before there were parts; those of the background
rules, of `LISTENING_MS` and of the ear for short sounds (workers/stt/listening.py) on ``tune`` alone, though ``test``
had been looked at once before the ear's thresholds were set. Real backchannels are in neither part. Noise recordings,
music and the recipes for coughs and knocks are too few to be split; they are in both, drawn anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bench import line
from bench.echo import CALLER_DBFS, DELAYS_MS, LOSSES_DB, NOISE_SNRS_DB, SPEECH
from bench.line import Samples
from bench.overlap_call import WIRE_HZ, Echo, Sound
from bench.recognition import PHRASES, VOICES
from bench.telephone import Voices, at_level, read, resampled
from ringline.engine.config import KokoroTts
from ringline.workers.tts import make_backend
from ringline.workers.tts.backend import Order

TUNE, TEST = PARTS = "tune", "test"
TRUE, FALSE = "true interruption", "nothing to stop for"
NATURAL = "a natural voice listens"
"""Nothing to stop for, either; told apart, because it takes Kokoro's weights in RINGLINE_REAL_MODELS."""

COMMANDS = ("stop", "wait", "no", "hold on", "hang on", "wait a minute", "one moment", "excuse me", "sorry", "hello")
OTHER_COMMANDS = ("please stop", "no no wait", "what", "not that", "help", "hey", "you are wrong", "that is wrong")
"""Which no grammar was given for."""
BACKCHANNELS = (
    "okay", "right", "uh huh", "yeah", "yes", "sure", "all right", "i see", "um hum", "hmm", "got it", "oh okay",
    "good", "exactly", "yep", "oh", "great",
)  # fmt: skip
NATURAL_BACKCHANNELS = ("Okay.", "Yeah.", "Right.", "I see.", "Sure.", "All right.", "Yes.", "Got it.", "Oh.")
"""Those that a TTS says like somebody who listens; its "uh-huh" is none."""
NATURAL_VOICES = {
    TUNE: ("af_bella", "af_nova", "am_adam", "bf_emma", "bm_george"),
    TEST: ("af_heart", "af_sarah", "am_michael", "bf_isabella", "bm_lewis"),
}
STATES = ("hello", "book_day", "book_time", "book_confirm", "more")
TUNED_ON = ("accented_english", "short_sentences")
OTHERS = ("librispeech_other", "librispeech_clean", "voices", "ljspeech", "pocketsphinx_tests", "jfk")
NOISES = ("kitchen", "laptopmic_tap", "speechbrain_noise", "freesound_573577")
MUSIC = ("music",)
SOUNDS = (".wav", ".flac", ".ogg", ".raw")
BABBLE_VOICES = 8

Spectrum = np.ndarray[tuple[int], np.dtype[np.float64]]


class Sounds:
    """Every group, with what should come of it."""

    def __init__(self, seed: int, scale: float = 1.0, part: str = TEST) -> None:
        """``scale``: of the number of sounds in the groups that are drawn or thinned out."""
        self._rng = np.random.default_rng([seed, PARTS.index(part)])
        self._scale = scale
        self._part = part
        self._speakers = VOICES[PARTS.index(part) :: 2]
        self._voices = Voices()
        self._recorded = [self._recording(path) for path in self._thinned(self._files(TUNED_ON))]
        self._others = [self._recording(path) for path in self._thinned(self._files(OTHERS))]
        names = [path for path in sound_files(("noise",)) if path.name.startswith(NOISES)]
        self._noises = {path.stem: self._read(path) for path in names}
        self._noises["pink"] = pink(self._rng, 10 * WIRE_HZ)
        self._noises["babble"] = self._babble()
        self._music = {path.stem: self._read(path) for path in sound_files(("noise",)) if path.name.startswith(MUSIC)}

    def all(self) -> Iterator[tuple[str, Sound]]:
        """(what should come of it, sound)"""
        for make in (self.interruptions, self.noisy_interruptions, self.double_talk):
            yield from ((TRUE, sound) for sound in make())
        for make in (self.backchannels, self.coughs, self.knocks, self.noises, self.echoes):
            yield from ((FALSE, sound) for sound in make())
        yield from ((NATURAL, sound) for sound in self.natural_backchannels())

    # --- the caller wants the floor -------------------------------------------------------------------------------

    def interruptions(self) -> Iterator[Sound]:
        """Over a quiet line."""
        for state, phrases in PHRASES.items():
            for text in phrases:
                if not text.startswith("yes"):  # over the bot that is a backchannel
                    for voice in self._thinned(self._speakers):
                        yield self._sound("expected sentences", self._speak(text, voice), state, text)
        for group, texts in (("commands", COMMANDS), ("other commands", OTHER_COMMANDS)):
            for text in texts:
                for voice in self._thinned(self._speakers):
                    yield self._sound(group, self._speak(text, voice), self._state(), text)
        for samples, name in self._recorded:
            yield self._sound("recorded", samples, self._state(), name)
        for samples, name in self._others:
            yield self._sound("recorded, others", samples, self._state(), name)
        for path in self._thinned(self._files(("digits_8k",))):
            samples = at_level(self._read(path), CALLER_DBFS)
            yield self._sound("recorded digits", line.from_onset(samples), "book_time", path.stem)

    def noisy_interruptions(self) -> Iterator[Sound]:
        """Recorded speech in noise."""
        for snr_db in NOISE_SNRS_DB:
            for samples, name in self._others[::2]:
                kind = str(self._rng.choice(list(self._noises)))
                noise = self._rolled(at_level(self._noises[kind], CALLER_DBFS - snr_db))
                sound = self._sound(f"recorded, others, noise {snr_db} dB", samples, self._state(), f"{name}, {kind}")
                yield sound._replace(noise=noise)

    def double_talk(self) -> Iterator[Sound]:
        """Recorded speech while the bot's voice comes back."""
        for loss_db in LOSSES_DB:
            for samples, name in self._others[1::2]:
                sound = self._sound(f"recorded, others, echo {loss_db} dB", samples, self._state(), name)
                yield sound._replace(echo=self._echo(float(self._rng.uniform(20, 250)), loss_db))

    # --- the caller does not --------------------------------------------------------------------------------------

    def backchannels(self) -> Iterator[Sound]:
        """Words of somebody who listens."""
        for text in BACKCHANNELS:
            for voice in self._thinned(self._speakers):
                yield self._sound("backchannels", self._speak(text, voice), self._state(), text)

    def coughs(self) -> Iterator[Sound]:
        """Coughs, throats cleared, sneezes."""
        for _ in range(self._number(150)):
            yield self._sound("coughs", at_level(cough(self._rng), self._level()), self._state(), "")

    def knocks(self) -> Iterator[Sound]:
        """Knocks on the table, clicks, a receiver that is put down."""
        for _ in range(self._number(100)):
            yield self._sound("knocks", at_level(knock(self._rng), self._level()), self._state(), "")

    def noises(self) -> Iterator[Sound]:
        """10 s of noise at a level below that of a voice."""
        for snr_db in NOISE_SNRS_DB:
            for kind, noise in (*self._noises.items(), *self._music.items()):
                what = "music" if kind in self._music else "babble" if kind == "babble" else "noise"
                group = f"{what}, {snr_db} dB"
                for _ in range(self._number(8)):
                    level = self._rolled(at_level(noise, CALLER_DBFS - snr_db))
                    silence = np.zeros(8 * WIRE_HZ, np.int16)
                    sound = self._sound(group, silence, self._state(), kind)
                    yield sound._replace(noise=level, onset_ms=0)

    def echoes(self) -> Iterator[Sound]:
        """The bot's own voice."""
        for delay_ms in DELAYS_MS:
            for loss_db in LOSSES_DB:
                for _ in range(self._number(10)):
                    silence = np.zeros(7 * WIRE_HZ, np.int16)
                    sound = self._sound("line echo", silence, self._state(), f"{delay_ms} ms, {loss_db} dB")
                    yield sound._replace(echo=self._echo(delay_ms + float(self._rng.uniform(0, 5)), loss_db))

    def natural_backchannels(self) -> Iterator[Sound]:
        """The words of `backchannels` that Kokoro can say, none where its weights are absent."""
        for text in NATURAL_BACKCHANNELS:
            for voice, samples in kokoro_says(text, NATURAL_VOICES[self._part]):
                wire = at_level(samples, float(self._rng.uniform(-26, -18)))
                yield self._sound("backchannels, Kokoro", wire, self._state(), f"{text} {voice}")

    # --- helpers --------------------------------------------------------------------------------------------------

    def _sound(self, group: str, wire: Samples, state: str, label: str) -> Sound:
        onset_ms, skew_ms = int(self._rng.integers(800, 3_000)), int(self._rng.integers(20))
        return Sound(group, wire, onset_ms, state, skew_ms=skew_ms, label=label)

    def _state(self) -> str:
        return str(self._rng.choice(STATES))

    def _level(self) -> float:
        return CALLER_DBFS + float(self._rng.uniform(-8, 4))

    def _number(self, count: int) -> int:
        return max(1, round(count * self._scale))

    def _thinned(self, items: Any) -> Any:
        if self._scale >= 1 or not items:
            return items
        chosen = np.sort(self._rng.choice(len(items), self._number(len(items)), replace=False))
        return [items[index] for index in chosen]

    def _speak(self, text: str, voice: str) -> Samples:
        samples = resampled(self._voices.speak(text, voice), self._voices.rate_hz, WIRE_HZ)
        return at_level(samples, float(self._rng.uniform(-26, -18)))

    def _echo(self, delay_ms: float, loss_db: float) -> Echo:
        return Echo(line.hybrid(self._rng), delay_ms, loss_db)

    def _rolled(self, noise: Samples) -> Samples:
        return np.roll(noise, int(self._rng.integers(noise.shape[0])))

    def _read(self, path: Path) -> Samples:
        if path.suffix == ".raw":
            return resampled(np.fromfile(path, np.int16), 16_000, WIRE_HZ)
        samples, rate_hz = read(path)
        return samples if rate_hz == WIRE_HZ else resampled(samples, rate_hz, WIRE_HZ)

    def _recording(self, path: Path) -> tuple[Samples, str]:
        """One to two and a half seconds of it, from its first voice on."""
        wide = line.from_onset(resampled(self._read(path), WIRE_HZ, line.RING_HZ))
        samples = resampled(wide, line.RING_HZ, WIRE_HZ)
        length = int(self._rng.uniform(1.0, 2.5) * WIRE_HZ)
        return at_level(samples[:length], CALLER_DBFS), f"{path.parent.name}/{path.stem}"

    def _files(self, folders: tuple[str, ...]) -> list[Path]:
        return [path for folder in folders for path in in_part(sound_files((folder,)), self._part)]

    def _babble(self) -> Samples:
        paths = self._files(("voices",))
        if not paths:
            return pink(self._rng, 10 * WIRE_HZ)
        total = np.zeros(8 * WIRE_HZ, np.float64)
        for path in paths[:BABBLE_VOICES]:
            total += np.resize(at_level(self._read(path), CALLER_DBFS), total.shape[0])
        return at_level(line.clipped(total / BABBLE_VOICES), CALLER_DBFS)


def kokoro_says(text: str, voices: Iterable[str]) -> Iterator[tuple[str, Samples]]:
    """(voice, int16 at 8 kHz), none where the weights are absent."""
    if (kokoro := _kokoro()) is None:
        return
    for voice in voices:
        made = kokoro.synthesize(Order(text, voice, 1.0))
        samples = np.concatenate([chunk for chunk in made if isinstance(chunk, np.ndarray)])
        yield voice, resampled(samples, kokoro.rate_hz, WIRE_HZ)


@cache
def _kokoro() -> Any:
    folder = Path(os.environ.get("RINGLINE_REAL_MODELS", "")) / "kokoro"
    if not (folder / "voices").is_dir():
        return None
    kokoro: Any = make_backend(KokoroTts(model=str(folder)))
    kokoro.warm_up()
    return kokoro


def speaker_of(path: Path) -> str:
    """Whose voice a recording is, where its name tells; else the name."""
    stem = path.stem
    match path.parent.name:
        case "digits_8k":
            return stem.split("_")[1]
        case "short_sentences":
            return stem.split("_")[0]
        case "librispeech_other" | "librispeech_clean" | "voices":
            return stem.split("-")[0]
    return stem


def in_part(paths: list[Path], part: str) -> list[Path]:
    """The recordings of every second speaker."""
    chosen = sorted({speaker_of(path) for path in paths})[PARTS.index(part) :: 2]
    return [path for path in paths if speaker_of(path) in chosen]


def sound_files(folders: tuple[str, ...]) -> list[Path]:
    """The sound files of these folders of RINGLINE_SPEECH, none where that is absent."""
    return [path for folder in folders for path in sorted((SPEECH / folder).glob("*")) if path.suffix in SOUNDS]


def pink(rng: np.random.Generator, size: int) -> Samples:
    """Noise of equal power in every octave, int16 at 8 kHz."""
    spectrum = np.fft.rfft(rng.normal(0, 1, size))
    spectrum /= np.sqrt(np.maximum(1.0, np.arange(spectrum.shape[0])))
    made = np.fft.irfft(spectrum, size)
    return line.clipped(made / np.abs(made).max() * 12_000)


def shaped(rng: np.random.Generator, size: int, formants_hz: Any, width: float) -> Spectrum:
    """Noise with resonances, ``width`` octaves wide."""
    frequencies = np.fft.rfftfreq(size, 1 / WIRE_HZ)
    gain = sum(np.exp(-0.5 * (np.log2((frequencies + 1) / hz) / width) ** 2) for hz in formants_hz)
    made: Spectrum = np.fft.irfft(np.fft.rfft(rng.normal(0, 1, size)) * gain, size)
    return made / np.abs(made).max()


def cough(rng: np.random.Generator) -> Samples:
    """A cough: one to three times a burst, a noisy middle and often a voiced end, through a throat's resonances."""
    parts = []
    formants_hz = rng.uniform([400, 1_000, 2_000], [900, 1_800, 3_200])
    for index in range(int(rng.choice([1, 2, 3], p=[0.4, 0.45, 0.15]))):
        burst_ms, middle_ms, voiced_ms = rng.uniform([30, 60, 0], [60, 220, 150])
        size = int((burst_ms + middle_ms + voiced_ms) * WIRE_HZ / 1000)
        time_ms = np.arange(size) * 1000 / WIRE_HZ
        noise = shaped(rng, size, formants_hz, 0.5)
        envelope = np.exp(-time_ms / rng.uniform(40, 120)) + 0.15
        envelope[time_ms < 5] *= np.linspace(0, 1, int((time_ms < 5).sum()))
        made = noise * envelope
        if voiced_ms > 60:
            since = np.clip((time_ms - burst_ms - middle_ms) / voiced_ms, 0, 1)
            pitch_hz = rng.uniform(90, 250) * (1 - 0.2 * since)
            phase = np.cumsum(pitch_hz) / WIRE_HZ
            tone = sum(np.sin(2 * np.pi * k * phase) / k for k in range(1, 12))
            made += 0.1 * tone * np.sin(np.pi * since)
        made[-int(0.02 * WIRE_HZ) :] *= np.linspace(1, 0, int(0.02 * WIRE_HZ))
        parts += [made * rng.uniform(0.5, 1.0) if index else made, np.zeros(int(rng.uniform(0.04, 0.25) * WIRE_HZ))]
    total = np.concatenate(parts[:-1])
    return line.clipped(total / np.abs(total).max() * 12_000)


def knock(rng: np.random.Generator) -> Samples:
    """One to four taps: a click and what rings behind it."""
    parts = []
    for _ in range(int(rng.integers(1, 5))):
        time_ms = np.arange(int(0.15 * WIRE_HZ)) * 1000 / WIRE_HZ
        hz, decay_ms = rng.uniform(80, 1_200), rng.uniform(2, 25)
        tap = np.sin(2 * np.pi * hz * time_ms / 1000) * np.exp(-time_ms / decay_ms)
        tap += rng.uniform(0.2, 1) * rng.normal(0, 1, tap.shape[0]) * np.exp(-time_ms / rng.uniform(1, 8))
        parts += [tap * rng.uniform(0.4, 1), np.zeros(int(rng.uniform(0, 0.3) * WIRE_HZ))]
    total = np.concatenate(parts)
    return line.clipped(total / np.abs(total).max() * 16_000)
