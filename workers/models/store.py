"""Where models lie: the store, one folder each; the Hugging Face cache; Python packages."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from ringline.workers.base import CannotStart
from ringline.workers.models.catalogue import Model, find
from ringline.workers.models.folders import FOLDERS, Part, problems

PARTS = ".parts"
"""In a model's folder, what is there of files while it is being pulled. Such a folder is no model yet."""


def store() -> Path:
    """``$RINGLINE_MODELS``, else ``ringline/models`` in the user's cache folder. It need not exist."""
    if folder := os.environ.get("RINGLINE_MODELS"):
        return Path(folder)
    return user_cache() / "ringline" / "models"


def user_cache() -> Path:
    """The user's cache folder; the system's for a user without a home, as in many containers. It need not exist."""
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:
        return Path("/var/cache")


def locate(model: str) -> Path:
    """The file or folder of a model: a path, or a name in the `store`, also of a file in it; else a name of the
    catalogue or an ``owner/repository`` that another program has put into the Hugging Face cache.

    A folder under a name of the catalogue must hold what its backend opens (`FOLDERS`), under whatever names. Raises
    CannotStart with what to put where. Never reaches out.
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
    """Where a model lies, whole; None if it lies nowhere."""
    if model.package:
        return _in_package(model)
    for path in (*(store() / name for name in (model.name, *model.also)), _in_hugging_face_cache(model)):
        if path is not None and is_whole(model, path):
            return path
    return None


def parts_of(model: Model) -> tuple[Part, ...]:
    """What its folder must hold: what its backend says; where none does, the files that the catalogue names."""
    return FOLDERS.get(model.backend) or tuple(Part(file, (file,)) for file in model.files)


def is_whole(model: Model, path: Path) -> bool:
    """Whether all of it lies there."""
    return path.is_dir() and not (path / PARTS).exists() and not problems(path, parts_of(model))


def how_to_get(model: Model) -> str:
    """What to do about a model that is missing, or lies there in part: what is wrong, the command, and which files to
    put where by hand. Several lines."""
    folder = store() / model.name
    if not model.source:
        return f"there is no model {model.name}: neither a path nor in {store()}.\nPut its files into {folder}"
    size = f"{model.mb} MB, " if model.mb else ""
    lines = [f"the model {model.name} is missing: `ringline models pull {model.name}` fetches it"]
    if folder.is_dir():
        what = problems(folder, parts_of(model)) or [f"a pull of it broke off ({PARTS})"]
        lines = [
            f"{folder} is not all of the model {model.name}: {'; '.join(what)}.",
            f"`ringline models pull {model.name}` fetches what is missing",
        ]
    lines[-1] += f" ({size}{model.licence})."
    files = _short([model.in_source(file) for file in model.files]) if model.files else "all files"
    below = f", without the folders {model.folder}/" if model.folder else ""
    lines.append(f"By hand: from the repository {model.source} put into {folder}{below}:")
    lines.append(files)
    if parts := FOLDERS.get(model.backend):
        wanted = "; ".join(f"{part.what}: {' or '.join(part.names)}" for part in parts)
        lines.append(f"Files from elsewhere will do, under any of these names: {wanted}")
    return "\n".join(lines)


def _short(files: list[str]) -> str:
    """Names of files, those of a folder that are many and of one kind in a word."""
    kinds: dict[str, list[str]] = {}
    for file in files:
        path = Path(file)
        kind = str(path.parent / f"*{path.suffix}") if path.parent.name else file
        kinds.setdefault(kind, []).append(file)
    return ", ".join(kind if len(some) > 3 else ", ".join(some) for kind, some in kinds.items())


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
