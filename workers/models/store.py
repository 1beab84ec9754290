"""Where models lie: the store, one folder each; the Hugging Face cache; Python packages."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from ringline.workers.base import CannotStart
from ringline.workers.models.catalogue import Model, find

PARTS = ".parts"
"""In a model's folder, what is there of files while it is being pulled. Such a folder is no model yet."""


def store() -> Path:
    """``$RINGLINE_MODELS``, else ``ringline/models`` in the user's cache folder. It need not exist."""
    if folder := os.environ.get("RINGLINE_MODELS"):
        return Path(folder)
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "ringline" / "models"


def locate(model: str) -> Path:
    """The file or folder of a model: a path, or a name in the `store`, also of a file in it; else a name of the
    catalogue or an ``owner/repository`` that another program has put into the Hugging Face cache.

    Raises CannotStart with what to put where. Never reaches out.
    """
    try:
        known = find(model)
    except KeyError:
        known = Model(model)
    for path in (Path(model).expanduser(), store() / model):
        if path.is_file() or is_whole(known, path):
            return path
    if found := place(known):
        return found
    raise CannotStart(how_to_get(known))


def place(model: Model) -> Path | None:
    """Where a model lies with all its files; None if it lies nowhere."""
    if model.package:
        return _in_package(model)
    for path in (store() / model.name, _in_hugging_face_cache(model)):
        if path is not None and is_whole(model, path):
            return path
    return None


def missing_files(model: Model, path: Path) -> list[str]:
    """What its folder lacks, as far as the catalogue knows what belongs there."""
    return [file for file in model.files if not (path / file).is_file()]


def is_whole(model: Model, path: Path) -> bool:
    """Whether all of it lies there."""
    return path.is_dir() and not missing_files(model, path) and not (path / PARTS).exists()


def how_to_get(model: Model) -> str:
    """What to do about a model that is missing: the command, and which file to put where by hand."""
    folder = store() / model.name
    if not model.source:
        return f"there is no model {model.name}: neither a path nor in {store()}. Put its files into {folder}"
    size = f"{model.mb} MB, " if model.mb else ""
    text = f"the model {model.name} is missing: `ringline models pull {model.name}` fetches it ({size}{model.licence})."
    if not model.files:
        return f"{text} By hand: put all files of {model.source} into {folder}"
    lines = [f"{model.in_source(file)} as {folder / file}" for file in missing_files(model, folder) or model.files]
    return f"{text} By hand: of {model.source}, put " + ", ".join(lines)


def _in_package(model: Model) -> Path | None:
    package = importlib.util.find_spec(model.package)
    for folder in (package.submodule_search_locations or ()) if package else ():
        if found := sorted(Path(folder).glob(model.files[0])):
            return found[-1]
    return None


def _in_hugging_face_cache(model: Model) -> Path | None:
    if not model.source:
        return None
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model.source, local_files_only=True)) / model.folder
    except LocalEntryNotFoundError:
        return None
