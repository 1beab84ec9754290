"""Real models of a natural conversation on this machine: free speech in, a natural voice out."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from ringline.workers.base import CannotStart
from ringline.workers.models.catalogue import find
from ringline.workers.models.store import how_to_get, locate

FOLDER = "RINGLINE_REAL_MODELS"
"""Environment variable: a folder with ``whisper-base`` and ``kokoro``, looked into before the model store."""
WHISPER = ("faster-whisper-base", "faster-whisper-small")
"""In the store; the first that is there. Base is the one that two cores carry."""
KOKORO = ("kokoro-int8", "kokoro")
"""In the store, likewise. The int8 export is the one that two cores carry."""


class RealModels(msgspec.Struct, frozen=True):
    """Where they lie."""

    whisper: Path
    kokoro: Path

    @property
    def config(self) -> str:
        """What stands in ringline.toml on top of ``--profile cpu``, each model on one core: what two cores carry."""
        return (
            f'[stt]\nbackend = "whisper"\nmodel = "{self.whisper}"\ncompute_type = "int8"\nthreads = 1\n'
            f'[tts]\nbackend = "kokoro"\nmodel = "{self.kokoro}"\nthreads = 1\n'
        )


def find_real_models() -> RealModels:
    """Raises CannotStart with the commands that fetch what is missing."""
    given = os.environ.get(FOLDER)
    whisper = _first([Path(given) / "whisper-base"] if given else [], WHISPER)
    kokoro = _first([Path(given) / "kokoro"] if given else [], KOKORO)
    if whisper is None or kokoro is None:
        missing = [name for name, path in ((WHISPER[0], whisper), (KOKORO[0], kokoro)) if path is None]
        advice = "\n".join(how_to_get(find(name)) for name in missing)
        raise CannotStart(
            f"{advice}\nAll at once: `ringline models pull {' '.join(missing)}`.\n"
            f"Or name a folder that holds whisper-base/ and kokoro/ in ${FOLDER}."
        )
    return RealModels(whisper, kokoro)


def _first(folders: list[Path], names: tuple[str, ...]) -> Path | None:
    for folder in folders:
        if folder.is_dir():
            return folder
    for name in names:
        try:
            return locate(name)
        except CannotStart:
            continue
    return None
