"""Kokoro's voices: for each length of a text, a style of 256 numbers. Styles can be blended."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from ringline.workers.base import CannotStart
from ringline.workers.extras import require
from ringline.workers.models.folders import KOKORO_VOICES
from ringline.workers.tts.backend import unknown_voice

STYLE = 256
ESPEAK_VOICES = {"a": "en-us", "b": "en-gb", "e": "es", "f": "fr-fr", "h": "hi", "i": "it", "p": "pt-br"}
"""A voice's name begins with the letter of its language. Japanese (j) and Chinese (z) need front ends of their own."""

Styles = np.ndarray[tuple[int, int], np.dtype[np.float32]]
"""[length - 1, STYLE]"""


class Voices:
    """Those in a model's folder, each read when it is first used."""

    def __init__(self, folder: Path) -> None:
        """Raises CannotStart: there are none."""
        self._archives: dict[str, Path] = {}
        self._files: dict[str, Path] = {}
        self._blends: dict[str, Styles] = {}
        for file in KOKORO_VOICES.files(folder):
            if file.suffix in (".bin", ".npz") and _is_archive(file):
                try:
                    with file.open("rb") as opened, np.load(opened) as archive:  # numpy forgets to close broken ones
                        self._archives.update(dict.fromkeys(archive.files, file))
                except (BadZipFile, OSError, ValueError) as error:
                    raise CannotStart(f"[tts] model: {file} cannot be read: {error}") from error
            elif file.suffix in (".bin", ".npy", ".pt") and re.match("[a-z]{2}_", file.name):
                self._files.setdefault(file.stem, file)
        self.names = sorted({*self._archives, *self._files})
        if not self.names:
            what = KOKORO_VOICES.problem(folder) or "no file of them has a voice's name"
            raise CannotStart(f"[tts] model: no voices in {folder}: {what}; put voices-v1.0.bin or voices/*.bin there")

    def styles(self, voice: str) -> Styles:
        """Of a voice, or of a blend: ``af_heart+am_adam``, ``af_heart:0.7,af_sky:0.3``.

        Raises ValueError for one that is not there.
        """
        if voice not in self._blends:
            parts = parse(voice)
            total = sum(weight for _, weight in parts)
            styles = [self._read(name) * np.float32(weight / total) for name, weight in parts]
            length = min(part.shape[0] for part in styles)
            self._blends[voice] = np.sum([part[:length] for part in styles], axis=0, dtype=np.float32)
        return self._blends[voice]

    def check(self, voice: str) -> None:
        """Raises ValueError for a voice, or a part of a blend, that is not there."""
        for name, _ in parse(voice):
            if name not in self.names:
                raise ValueError(unknown_voice("Kokoro", name, self.names))

    def _read(self, name: str) -> Styles:
        self.check(name)
        file = self._archives.get(name) or self._files[name]
        try:
            array = self._numbers(name, file)
        except (BadZipFile, OSError, ValueError, EOFError) as error:
            raise ValueError(f"the file of the voice `{name}`, {file}, cannot be read: {error}") from error
        styles = np.asarray(array, np.float32)
        if not styles.size or styles.size % STYLE:
            raise ValueError(f"the file of the voice `{name}` holds {styles.size} numbers, which are no styles")
        return styles.reshape(-1, STYLE)

    def _numbers(self, name: str, file: Path) -> Any:
        if name in self._archives:
            with np.load(file) as archive:
                return archive[name]
        if file.suffix == ".npy":
            return np.load(file)
        if file.suffix == ".pt":
            torch: Any = require("torch", "kokoro-torch")
            return torch.load(file, weights_only=True, map_location="cpu").numpy()
        return np.fromfile(file, np.float32)


def parse(voice: str) -> list[tuple[str, float]]:
    """The voices of a blend, each with its weight. Raises ValueError."""
    parts = []
    for part in re.split(r"[+,]", voice):
        name, _, weight = part.strip().partition(":")
        try:
            parts.append((name.strip(), float(weight) if weight else 1.0))
        except ValueError:
            raise ValueError(f"`{weight}` is no weight, in the voice `{voice}`") from None
    if not all(0 < weight < math.inf for _, weight in parts):
        raise ValueError(f"weights must be finite and above 0, in the voice `{voice}`")
    return parts


def espeak_voice(voice: str) -> str:
    """The voice of espeak-ng whose phonemes it speaks. Raises ValueError."""
    found = ESPEAK_VOICES.get(voice[:1])
    if found is None:
        raise ValueError(f"the voice `{voice}` speaks a language that espeak-ng does not prepare for Kokoro")
    return found


def _is_archive(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(2) == b"PK"
