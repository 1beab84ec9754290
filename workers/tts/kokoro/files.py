"""What lies in the folder of a Kokoro model: the network, its alphabet, and voices."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from ringline.workers.base import CannotStart
from ringline.workers.models.catalogue import catalogue
from ringline.workers.models.folders import KOKORO_NETWORK
from ringline.workers.models.store import locate


def find(model: str, suffix: str) -> tuple[Path, Path]:
    """The model's folder, and its only network with this suffix (``.onnx``); of several, the one that the catalogue
    names.

    ``model`` is a path or a name in the store, of a folder or of that very file. Raises CannotStart.
    """
    path = locate(model)
    if path.is_file():
        folder = path.parent.parent if path.parent.name == "onnx" else path.parent
        return folder, path
    files = [file for file in KOKORO_NETWORK.files(path) if file.suffix == suffix]
    if not files:
        what = KOKORO_NETWORK.problem(path) or f"there is no *{suffix}"
        raise CannotStart(f"[tts] model: {path}: {what}: put the network there (see docs/tts.md)")
    if len(files) > 1:
        known = {name for entry in catalogue() if entry.name == model for name in entry.files}
        if named := [file for file in files if str(file.relative_to(path)) in known]:
            return path, named[0]
        names = ", ".join(str(file.relative_to(path)) for file in files)
        raise CannotStart(f"[tts] model: {path} holds several networks ({names}): name the file itself")
    return path, files[0]


def vocabulary(folder: Path, network: Path) -> dict[str, int]:
    """The number of each letter of the model's alphabet.

    From config.json, as the model's publishers have it, from tokenizer.json, as its ONNX conversion has it, or from the
    config.json within an ONNX file. Raises CannotStart.
    """
    config, tokenizer = folder / "config.json", folder / "tokenizer.json"
    sources: tuple[tuple[Path, Callable[[], str], Callable[[str], dict[str, int]]], ...] = (
        (config, lambda: _read(config), _of_config),
        (tokenizer, lambda: _read(tokenizer), _of_tokenizer),
        (network, lambda: _embedded(network), _of_config),
    )
    for file, read, letters_of in sources:
        try:
            letters = letters_of(read() or "{}")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise CannotStart(f"[tts] model: {file} holds no alphabet: {error}") from error
        if letters:
            return letters
    raise CannotStart(f"[tts] model: no alphabet in {folder}: put the model's config.json (or tokenizer.json) there")


class _Config(msgspec.Struct):
    """config.json, as far as it matters."""

    vocab: dict[str, int] = {}


class _Tokenizer(msgspec.Struct):
    """tokenizer.json, likewise."""

    model: _Config = msgspec.field(default_factory=_Config)


def _of_config(text: str) -> dict[str, int]:
    return msgspec.json.decode(text, type=_Config).vocab


def _of_tokenizer(text: str) -> dict[str, int]:
    return msgspec.json.decode(text, type=_Tokenizer).model.vocab


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _embedded(network: Path) -> str:
    if network.suffix != ".onnx":
        return ""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(str(network), load_external_data=False)
    except DecodeError as error:
        raise CannotStart(f"[tts] model: {network} is no ONNX model: {error}") from error
    return next((str(entry.value) for entry in model.metadata_props if entry.key == "kokoro_config"), "")
