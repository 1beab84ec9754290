"""Telephone audio for benches: speech as it stands in a caller ring after a codec, at a stated level."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ringline.engine.config import EspeakTts
from ringline.workers.audio import codecs
from ringline.workers.audio.resample import Resampler
from ringline.workers.tts.backend import Order
from ringline.workers.tts.espeak import EspeakBackend

Samples = np.ndarray[tuple[int], np.dtype[np.int16]]

PREROLL_MS, TAIL_MS = 300, 200


def resampled(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """The whole of ``samples`` at another rate, without the filter's delay."""
    resampler = Resampler(from_hz, to_hz)
    made = np.concatenate([resampler.process(samples), resampler.flush()])
    return made[round(resampler.design.delay_s * to_hz) :]


def at_level(samples: Samples, rms_dbfs: float) -> Samples:
    """Scaled to an RMS over the whole."""
    wide = samples.astype(np.float64)
    gain = 32_768 * 10 ** (rms_dbfs / 20) / max(1.0, float(np.sqrt((wide**2).mean())))
    return np.clip(np.rint(wide * gain), -32_768, 32_767).astype(np.int16)


def over_the_phone(samples: Samples, rate_hz: int, encoding: str, offset: int = 0) -> Samples:
    """int16 at 16 kHz: ``samples`` sent at 8 kHz in ``encoding``, with silence before (plus ``offset``) and after."""
    narrow = resampled(samples, rate_hz, 8_000)
    before, after = np.zeros(8 * PREROLL_MS + offset, np.int16), np.zeros(8 * TAIL_MS, np.int16)
    wire = np.concatenate([before, narrow, after])
    return Resampler(8_000, 16_000).process(codecs.decode(codecs.encode(wire, encoding), encoding))


def read(path: Path) -> tuple[Samples, int]:
    """A sound file's samples and rate."""
    from ringline.tools.caller.script import read_sound

    return read_sound(path)


class Voices:
    """espeak-ng, remembering what it said."""

    def __init__(self) -> None:
        self._espeak = EspeakBackend(EspeakTts())
        self._espeak.warm_up()
        self.rate_hz = self._espeak.rate_hz
        self._said: dict[tuple[str, str], Samples] = {}

    def speak(self, text: str, voice: str) -> Samples:
        """int16 at `rate_hz`."""
        if (text, voice) not in self._said:
            chunks = [
                chunk for chunk in self._espeak.synthesize(Order(text, voice, 1.0)) if isinstance(chunk, np.ndarray)
            ]
            self._said[text, voice] = np.concatenate(chunks)
        return self._said[text, voice]
