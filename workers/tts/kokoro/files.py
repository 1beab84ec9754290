"""What lies in the folder of a Kokoro model: the network, its alphabet, and voices."""

from __future__ import annotations

import json
from pathlib import Path

from ringline.workers.base import CannotStart
from ringline.workers.models.store import locate


def find(model: str, suffix: str) -> tuple[Path, Path]:
    """The model's folder, and its only file with this suffix (``.onnx``), in it or below.

    ``model`` is a path or a name in the store, of a folder or of that very file. Raises CannotStart.
    """
    path = locate(model)
    if path.is_file():
        folder = path.parent.parent if path.parent.name == "onnx" else path.parent
        return folder, path
    files = sorted(path.rglob(f"*{suffix}"))
    files = [file for file in files if file.parent.name != "voices"]
    if not files:
        raise CannotStart(f"[tts] model: there is no *{suffix} in {path}: put the network there (see docs/tts.md)")
    if len(files) > 1:
        names = ", ".join(str(file.relative_to(path)) for file in files)
        raise CannotStart(f"[tts] model: {path} holds several networks ({names}): name the file itself")
    return path, files[0]


def vocabulary(folder: Path, embedded: str = "") -> dict[str, int]:
    """The number of each letter of the model's alphabet.

    From config.json, as the model's publishers have it, from tokenizer.json, as its ONNX conversion has it, or from
    ``embedded``: the config.json within an ONNX file. Raises CannotStart.
    """
    config, tokenizer = folder / "config.json", folder / "tokenizer.json"
    for source, path in ((_read(config), ("vocab",)), (embedded, ("vocab",)), (_read(tokenizer), ("model", "vocab"))):
        table = json.loads(source or "{}")
        for key in path:
            table = table.get(key, {})
        if table:
            return {str(letter): int(number) for letter, number in table.items()}
    raise CannotStart(f"[tts] model: no alphabet in {folder}: put the model's config.json (or tokenizer.json) there")


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""
